"""What can go wrong, and what helps.

    ConnectorError                 has a stable code, a place, and what a person should do
    ├── BadInput                   what came to us is not right (mend it and send it again)
    ├── Misconfigured              a settings or mapping file is not right (file and line)
    ├── Denied                     no key, wrong key, or not for this tenant
    ├── Missing                    there is no such thing here
    ├── Clash                      it is there already, with other content
    ├── Stop                       we could go on only by guessing; a person decides
    └── VendorError                a system outside
        ├── TryLater               it did not take the call; the same call may succeed later
        ├── Refused                it understood and said no; trying again cannot help
        ├── NeedsPerson            the connection itself: sign in again, a missing right or module
        └── UnknownOutcome         the call may or may not have taken effect; look before doing anything

Faults in a user's data that are many at once (findings of a validation, problems of a mapping file) are values, not
exceptions; see `connector.ehf.validate` and `connector.mapping.check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ConnectorError(Exception):
    """We could not do it.

    Args:
        said: one sentence for a person, without secrets.
        code: stable, kebab-case; documented; programs decide by it. Each class has a default.
        do: what a person should do about it.
        where: the place, as names and values: document, connection, field, rule, file, line …
        details: further facts for programs (JSON-able), e.g. a list of single problems.
        answers: verbs that settle it beside the usual ones, where it waits for a person.
    """

    default_code: ClassVar[str] = "error"
    default_do: ClassVar[str] = ""
    again: ClassVar[bool] = False
    """Whether the very same thing may succeed later without anybody doing anything."""

    def __init__(
        self,
        said: str,
        *,
        code: str | None = None,
        do: str | None = None,
        where: Mapping[str, Any] | None = None,
        details: Any = None,
        answers: Sequence[str] = (),
    ) -> None:
        super().__init__(said)
        self.answers = tuple(answers)
        self.said = said
        self.code = code or self.default_code
        self.do = self.default_do if do is None else do
        self.where: dict[str, Any] = dict(where or {})
        self.details = details

    def at(self, **place: Any) -> ConnectorError:
        """The same error with more of its place filled in (what is there already stays)."""
        self.where = {**place, **self.where}
        return self

    def as_json(self) -> dict[str, Any]:
        """The error as programs read it, everywhere alike: API, log, `--format json`, the story of a document."""
        said: dict[str, Any] = {"code": self.code, "message": self.said, "do": self.do, "again": self.again}
        if self.where:
            said["where"] = self.where
        if self.details is not None:
            said["details"] = self.details
        return said


class BadInput(ConnectorError):
    """What came to us is not right."""

    default_code = "bad-input"
    default_do = "Mend what the message names and send it again."


class Misconfigured(ConnectorError):
    """A settings or mapping file is not right; `where` has file and line."""

    default_code = "misconfigured"
    default_do = "Mend the file at the line named; `connector mappings check` shows all problems at once."


class Denied(ConnectorError):
    """No key, a wrong key, or a thing of another tenant."""

    default_code = "denied"
    default_do = "Use an API key of this tenant that has the scope named; `connector keys create` makes one."


class Missing(ConnectorError):
    """There is no such thing here (or it belongs to another tenant, which looks the same)."""

    default_code = "not-found"


class Clash(ConnectorError):
    """It is there already, with other content."""

    default_code = "already-there"


class Stop(ConnectorError):
    """Going on would be a guess with somebody's books; a person decides."""

    default_code = "needs-decision"


class VendorError(ConnectorError):
    """A system outside. `status` is the HTTP status, `said_by_vendor` its own text (secrets masked)."""

    default_code = "vendor"

    def __init__(
        self,
        said: str,
        *,
        status: int | None = None,
        said_by_vendor: str | None = None,
        code: str | None = None,
        do: str | None = None,
        where: Mapping[str, Any] | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(said, code=code, do=do, where=where, details=details)
        self.status = status
        self.said_by_vendor = said_by_vendor

    def as_json(self) -> dict[str, Any]:
        """As for every error, with the vendor's status and text beside it."""
        said = super().as_json()
        if self.status is not None:
            said["status"] = self.status
        if self.said_by_vendor:
            said["vendor"] = self.said_by_vendor
        return said


class TryLater(VendorError):
    """The call was not taken. `after` is the vendor's own hint in seconds, or None: the lane's schedule decides."""

    default_code = "try-later"
    again = True

    def __init__(self, said: str, *, after: float | None = None, **more: Any) -> None:
        super().__init__(said, **more)
        self.after = after


class Refused(VendorError):
    """The system understood and said no to this very thing."""

    default_code = "refused"


class NeedsPerson(VendorError):
    """The connection, not the document: sign in again, a right, a module or a package is missing."""

    default_code = "connection-needs-person"


class UnknownOutcome(VendorError):
    """The answer was lost: it may have happened. Never call again before looking.

    `refused`: what the answer would mean if it were believed (a server error with a reason in it). It proves nothing;
    when looking finds nothing, it is why.
    """

    default_code = "unknown-outcome"

    def __init__(self, said: str, *, refused: Refused | None = None, **more: Any) -> None:
        super().__init__(said, **more)
        self.refused = refused

    def as_json(self) -> dict[str, Any]:
        """As for every error of a vendor, with what the answer would mean beside it."""
        return super().as_json() | ({"refused": self.refused.as_json()} if self.refused else {})
