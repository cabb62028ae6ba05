"""What Fiken refuses, in words. There is no schema of errors: integrators have seen three shapes, and so here."""

from __future__ import annotations

from typing import Any

from adapters.loopback import Refused


class SandboxError(Refused):
    """A refusal.

    Args:
        status: the HTTP status.
        message: what is wrong.
        word: the short word beside it, in the shape that has one.
        shape: `oauth` (`error`, `error_description`), `message`, or `text`.
    """

    def __init__(self, status: int, message: str, *, word: str = "", shape: str = "oauth") -> None:
        super().__init__(status, message)
        self.word, self.shape = word, shape

    def body(self) -> Any:
        """What goes back."""
        if self.shape == "text":
            return self.message
        if self.shape == "message":
            return {"message": self.message}
        return {"error": self.word or "invalid_request", "error_description": self.message}


def invalid(message: str) -> SandboxError:
    """400: what was sent is not right."""
    return SandboxError(400, message)


def missing(what: str = "Ressursen") -> SandboxError:
    """404."""
    return SandboxError(404, f"{what} finnes ikke.", shape="message")


def denied(message: str) -> SandboxError:
    """403: no access to this."""
    return SandboxError(403, message, word="access_denied")
