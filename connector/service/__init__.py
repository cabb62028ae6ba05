"""A running service, put together: store, lanes, mapping, plugins and sync, from settings and files."""
