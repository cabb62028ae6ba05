"""People sign in at a system, and a connection comes to life: the way there, the way back, and what was granted.

Tokens that can be renewed once only are renewed by one process at a time, and kept before anybody uses them.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from connector import oauth
from connector.errors import BadInput, ConnectorError, Misconfigured, NeedsPerson, TryLater
from connector.lanes import resume
from connector.oauth import OAuth, Tokens, sign_in_needed
from connector.ports import Probe
from connector.store import Store, Tx, audit, connections, grants
from connector.sync.spokes import Spoke

if TYPE_CHECKING:
    from connector.service.house import House

log = structlog.get_logger(__name__)

AHEAD = timedelta(seconds=60)
"""So long before its end a token is renewed: a call that is begun with it has to reach the vendor."""
CLAIM = 60.0
"""Seconds after which a process that wanted to renew tokens is taken for dead; longer than a call may take."""
LASTS = 900.0
"""Seconds a person has for signing in."""


class Granted:
    """What was granted one connection (`connector.oauth.Grant`)."""

    def __init__(self, store: Store, id: str, name: str, server: OAuth) -> None:
        self._store, self._id, self._name, self._server = store, id, name, server
        self._renewing: asyncio.Task[Tokens] | None = None

    async def token(self, *, refused: str | None = None) -> str:
        """As `Grant.token`. What is kept is read each time: somebody may have signed in anew, here or elsewhere."""
        return (await self._renewed(refused)).access

    def _good(self, tokens: Tokens, refused: str | None) -> bool:
        return tokens.access != refused and tokens.good(self._store.clock(), AHEAD)

    async def _renewed(self, refused: str | None) -> Tokens:
        """What is kept, if it is good; else renewed, by us or by whoever is at it."""
        for _ in range(int(CLAIM * 5)):
            kept = await self._store.read(lambda tx: grants.get(tx, self._id))
            if kept is None:
                raise sign_in_needed("Nobody has signed in for this connection yet.", self._name)
            tokens, epoch = Tokens.from_json(kept.tokens), kept.epoch
            if self._good(tokens, refused):
                return tokens
            if await self._store.write(lambda tx, e=epoch: grants.claim(tx, self._id, e, CLAIM)):  # type: ignore[misc]
                # Whoever asked may be cancelled meanwhile: what the vendor gives for a token that is good once is kept.
                self._renewing = asyncio.create_task(self._renew(tokens, epoch))
                return await asyncio.shield(self._renewing)
            await asyncio.sleep(0.2)
        raise TryLater("Another process is renewing the access token.", code="token-not-renewed")

    async def _renew(self, tokens: Tokens, epoch: int) -> Tokens:
        try:
            fresh = await oauth.renew(self._server, tokens, now=self._store.clock())
        except BaseException as exc:
            await self._store.write(lambda tx: grants.give_back(tx, self._id, epoch))
            if isinstance(exc, NeedsPerson):
                raise sign_in_needed(exc.said, self._name) if exc.code == "sign-in-needed" else exc from None
            raise
        if not await self._store.write(lambda tx: grants.renewed(tx, self._id, epoch, fresh.as_json())):
            raise TryLater("Somebody has just signed in anew.", code="token-not-renewed", after=0.0)
        return fresh


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where the person goes, and until when (UTC) he may come back."""

    url: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in for a connection; what the test call found, or why it failed."""

    spoke: Spoke
    probe: Probe | None
    error: ConnectorError | None = None


def way_back(base: str, system: str) -> str:
    """Where a person comes back to, below the address of an API; the vendor has to know it."""
    return f"{base.rstrip('/')}/v1/oauth/{system}/callback"


async def begin(house: House, spoke: Spoke, *, redirect: str, who: str) -> Begun:
    """Begin a sign-in for a connection.

    Args:
        redirect: the address the person is sent back to; the vendor must know it.

    Raises:
        Misconfigured: `no-sign-in`: this connection is opened by its secrets alone.
    """
    server = _server(house, spoke)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    sign_in = grants.SignIn(spoke.id, verifier, redirect, who)

    def write(tx: Tx) -> datetime:
        audit.note(tx, tenant=spoke.tenant, who=who, did="sign-in-begun", about=f"connection:{spoke.id}")
        return grants.begin(tx, state, sign_in, seconds=LASTS)

    ends = await house.store.write(write)
    return Begun(oauth.address(server, redirect=redirect, state=state, verifier=verifier), ends)


async def finish(
    house: House, system: str, *, state: str, code: str | None, error: str | None = None, said: str | None = None
) -> SignedIn:
    """A person came back: keep what was granted, go on with what waited for it, and make a test call.

    Args:
        system: the one he came back from, as the address says.
        error, said: what the vendor says where there is no code (RFC 6749 §4.1.2.1).

    Raises:
        BadInput: `sign-in-unknown`: this sign-in was not begun here, is too old, or is over already;
            `sign-in-refused`: access was not given.
        NeedsPerson, TryLater, UnknownOutcome: as `connector.oauth.exchange`.
    """
    sign_in = await house.store.write(lambda tx: grants.take(tx, state))
    if sign_in is None:
        raise _unknown()
    row = await house.store.read(lambda tx: connections.get(tx, sign_in.connection))
    if row.system != system:
        raise _unknown()
    spoke = house.spoke(row.id)
    if error or not code:
        raise BadInput(
            f"Access was not given: {said or error or 'no code came back'}.",
            code="sign-in-refused",
            do=f"Begin again, and give access there: connector connections sign-in {spoke.name}",
            where={"connection": spoke.name},
        )
    tokens = await oauth.exchange(
        _server(house, spoke),
        code=code,
        redirect=sign_in.redirect,
        state=state,
        verifier=sign_in.verifier,
        now=house.store.clock(),
    )

    def keep(tx: Tx) -> None:
        grants.put(tx, spoke.id, tokens.as_json(), who=sign_in.who)
        audit.note(tx, tenant=spoke.tenant, who=sign_in.who, did="signed-in", about=f"connection:{spoke.id}")
        if connections.get(tx, spoke.id).state in ("needs-sign-in", "needs-keys"):
            resume(tx, spoke.tenant, spoke.id, who=sign_in.who)

    await house.store.write(keep)
    log.info("signed-in", tenant=spoke.tenant, connection=spoke.name)
    try:
        return SignedIn(spoke, await house.probe(spoke))
    except ConnectorError as exc:
        return SignedIn(spoke, None, exc)


def _unknown() -> BadInput:
    return BadInput(
        "This sign-in was not begun here, is too old, or is over already.",
        code="sign-in-unknown",
        do="Begin again: connector connections sign-in CONNECTION",
    )


def _server(house: House, spoke: Spoke) -> OAuth:
    server = house.signs_in.get(spoke.id)
    if server is None:
        raise Misconfigured(
            f"{spoke.name} is opened by its secrets alone; nobody signs in.",
            code="no-sign-in",
            do="Store its secrets: connector connections secret CONNECTION KEY",
            where={"connection": spoke.name},
        )
    return server
