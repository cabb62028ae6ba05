"""What people have granted connections by signing in at a system (OAuth 2.0): the tokens, sealed, and sign-ins begun.

A pair of tokens is renewed by one process at a time: it claims the grant's `epoch` first, and what came is kept, under
the next epoch, before anybody uses it. A claim that is never given back lapses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, Integer, LargeBinary, Table, Text, exists, or_, select

from connector.store import schema
from connector.store.schema import Moment, metadata
from connector.store.tx import Tx

_grants = Table(
    "grants",
    metadata,
    Column("id", Text, ForeignKey("connections.id"), primary_key=True),
    Column("tokens", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("claimed_until", Moment),
    Column("who", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
)

_sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),  # the digest of the state, which is a secret
    Column("connection", Text, ForeignKey("connections.id"), nullable=False),
    Column("verifier", LargeBinary, nullable=False),
    Column("redirect", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("ends", Moment, nullable=False),
)

schema.SEALED["grants"] = ("tokens",)
schema.SEALED["sign_ins"] = ("verifier",)


def there_is(connection: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether somebody has signed in for a connection: a condition for a query about connections."""
    return exists().where(_grants.c.id == connection)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was granted: the tokens as JSON (left out of `repr`), and how often they have been renewed."""

    tokens: Mapping[str, Any]
    epoch: int
    who: str
    created: datetime
    changed: datetime

    def __repr__(self) -> str:
        return f"Kept(…, epoch={self.epoch}, who={self.who!r})"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that was begun: for which connection, with which verifier (a secret), and by whom."""

    connection: str
    verifier: str
    redirect: str
    who: str

    def __repr__(self) -> str:
        return f"SignIn({self.connection!r}, …)"


def get(tx: Tx, connection: str) -> Kept | None:
    """What was granted the connection; None before anybody has signed in."""
    row = tx.execute(select(_grants).where(_grants.c.id == connection)).one_or_none()
    if row is None:
        return None
    tokens = tx.unseal_json("grants.tokens", connection, row.tokens)
    return Kept(tokens, row.epoch, row.who, row.created, row.changed)


def put(tx: Tx, connection: str, tokens: Mapping[str, Any], *, who: str) -> None:
    """Keep what somebody has granted by signing in; what was granted before is forgotten."""
    said = {
        "tokens": tx.seal_json("grants.tokens", connection, tokens),
        "claimed_until": None,
        "who": who,
        "created": tx.now,
        "changed": tx.now,
    }
    done = tx.execute(_grants.update().where(_grants.c.id == connection).values(**said, epoch=_grants.c.epoch + 1))
    if done.rowcount == 0:
        tx.execute(_grants.insert(), {"id": connection, "epoch": 1, **said})
    tx.ring("control")


def claim(tx: Tx, connection: str, epoch: int, seconds: float) -> bool:
    """Whether it is now for the caller alone, for so long, to renew the tokens of this epoch."""
    done = tx.execute(
        _grants.update()
        .where(
            _grants.c.id == connection,
            _grants.c.epoch == epoch,
            or_(_grants.c.claimed_until.is_(None), _grants.c.claimed_until < tx.now),
        )
        .values(claimed_until=tx.now + timedelta(seconds=seconds))
    )
    return done.rowcount == 1


def give_back(tx: Tx, connection: str, epoch: int) -> None:
    """They could not be renewed: somebody else may try."""
    tx.execute(_grants.update().where(_grants.c.id == connection, _grants.c.epoch == epoch).values(claimed_until=None))


def renewed(tx: Tx, connection: str, epoch: int, tokens: Mapping[str, Any]) -> bool:
    """Keep renewed tokens. False where somebody has signed in anew meanwhile: what he granted holds."""
    done = tx.execute(
        _grants.update()
        .where(_grants.c.id == connection, _grants.c.epoch == epoch)
        .values(
            tokens=tx.seal_json("grants.tokens", connection, tokens),
            epoch=epoch + 1,
            claimed_until=None,
            changed=tx.now,
        )
    )
    return done.rowcount == 1


def begin(tx: Tx, state: str, sign_in: SignIn, *, seconds: float) -> datetime:
    """Keep a sign-in that begins, for so long; until when (UTC). Others that nobody came back from are forgotten."""
    id, ends = _digest(state), tx.now + timedelta(seconds=seconds)
    tx.execute(_sign_ins.delete().where(_sign_ins.c.ends < tx.now))
    tx.execute(
        _sign_ins.insert(),
        {
            "id": id,
            "connection": sign_in.connection,
            "verifier": tx.seal_json("sign_ins.verifier", id, sign_in.verifier),
            "redirect": sign_in.redirect,
            "who": sign_in.who,
            "ends": ends,
        },
    )
    return ends


def take(tx: Tx, state: str) -> SignIn | None:
    """The sign-in that was begun with this state, once; None where there is none (any more)."""
    id = _digest(state)
    row = tx.execute(select(_sign_ins).where(_sign_ins.c.id == id)).one_or_none()
    if row is None:
        return None
    tx.execute(_sign_ins.delete().where(_sign_ins.c.id == id))
    if row.ends < tx.now:
        return None
    return SignIn(row.connection, tx.unseal_json("sign_ins.verifier", id, row.verifier), row.redirect, row.who)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
