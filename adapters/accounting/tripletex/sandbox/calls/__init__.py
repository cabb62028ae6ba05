"""The calls of the sandbox, one module a room."""
