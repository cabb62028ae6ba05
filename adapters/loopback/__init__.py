"""What every sandbox stands on: a small HTTP server on loopback that keeps what it was asked, can be slow, and fails
when told to. What it answers is the sandbox's own (`Loopback.vendor`).

`http11` sockets, `uploads` files in forms, `faults` what can be switched on, `routing` the table of
calls, `desk` what a bookkeeper does in the program, `server` all of it together, `serving` the
sandbox as a program.
"""

from __future__ import annotations

from adapters.loopback.faults import Fault, Faults
from adapters.loopback.http11 import Answer, Request
from adapters.loopback.server import Loopback, Refused
from adapters.loopback.serving import serve
from adapters.loopback.uploads import Upload

__all__ = ["Answer", "Fault", "Faults", "Loopback", "Refused", "Request", "Upload", "serve"]
