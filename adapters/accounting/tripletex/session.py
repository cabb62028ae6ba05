"""One session with Tripletex for all connections that have the same tokens.

An accountant's token reaches many client companies; Tripletex counts the calls of all of them together. What is counted
together is one session here: its token, when it dies, and how many calls are left. Which company a call is about, the
user name of the call says (`client.Client`).
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from weakref import WeakValueDictionary

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(eq=False)
class Session:
    """What connections with the same tokens share. `left` and `resets_at` (`connector.http.now`) are the vendor's own
    count of calls; `dies` is the moment at which the token ends.
    """

    key: str
    users: int = 0
    token: str | None = None
    dies: datetime = _LONG_AGO
    left: int | None = None
    resets_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_open: WeakValueDictionary[str, Session] = WeakValueDictionary()


def digest(base_url: str, consumer_token: str, employee_token: str) -> str:
    """Names a pair of tokens without telling them: what Tripletex counts together."""
    said = f"tripletex lane {base_url} {consumer_token} {employee_token}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def join(key: str) -> Session:
    """The session of this key that others use already, else a new one; `leave` it when done."""
    session = _open.get(key)
    if session is None:
        session = _open[key] = Session(key)
    session.users += 1
    return session


def leave(session: Session) -> str | None:
    """Use it no more. Its token where nobody else does: then it is to be ended."""
    session.users -= 1
    if session.users > 0:
        return None
    _open.pop(session.key, None)
    token, session.token = session.token, None
    return token
