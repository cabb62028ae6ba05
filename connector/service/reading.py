"""Reading something for whoever waits for it: through the lane, by whoever serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from connector.errors import ConnectorError, Missing, Stop, TryLater, VendorError
from connector.mapping import load
from connector.plugins import accounting
from connector.ports import Probe
from connector.preflight import Preflight, Target
from connector.store import connections, work
from connector.sync.intake import SOURCE
from connector.sync.onboarding import trying
from connector.sync.options import Known, ask, known
from connector.sync.spokes import Outside, Spoke, route_of

if TYPE_CHECKING:
    from connector.service.house import House

GLANCE = 0.1
"""Seconds between two looks whether it has been read."""


async def options(house: House, spoke: Spoke, *, refresh: bool, wait: float, alone: bool) -> Known:
    """As `House.options`."""
    kept = await house.store.read(partial(known, spoke=spoke))
    if kept is not None and not refresh and kept.is_fresh(house.store.clock(), _age(house)):
        return kept
    late = TryLater(
        f"What {spoke.name} takes has not been read within {wait:g} s.",
        code="options-unread",
        do="Ask again in a moment. Where it stays so, see whether a worker runs, and `connections test`.",
        after=5.0,
    )
    await _read(house, await house.store.write(partial(ask, spoke=spoke)), spoke, wait, late, alone=alone)
    kept = await house.store.read(partial(known, spoke=spoke))
    assert kept is not None
    return kept


async def probe(house: House, spoke: Outside, *, wait: float) -> Probe:
    """As `House.probe`."""
    late = TryLater(
        f"{spoke.name} has not been tried within {wait:g} s: other calls to the same system are being made.",
        code="connection-untried",
        do="Try again in a moment. Where it stays so, see what the service that is running says in its log.",
        after=5.0,
    )
    await _read(house, await house.store.write(partial(trying.ask, spoke=spoke)), spoke, wait, late, alone=True)
    return await house.store.read(partial(trying.found, spoke=spoke))


async def preflight(
    house: House,
    tenant: str,
    *,
    route: str | None = None,
    system: str | None = None,
    refresh: bool = False,
    offline: bool = False,
    alone: bool = False,
    wait: float = 30.0,
) -> Preflight:
    """As `House.preflight`.

    Args:
        route: name of the route; the only one that takes documents from programs, unless said.
        system: what the documents were made in (a system, or a connection of the tenant): problems name its field.
        refresh: read what the ledgers take in any case; `offline`: never, what is kept must do.
        alone, wait: as `House.options`.

    Raises:
        Stop: `route-unclear`. Missing: there is no such tenant or system.
    """
    named = house.tenant(tenant)
    way = route_of(named, route, SOURCE)
    targets = []
    for name in way.to:
        spoke = house.named(tenant, name)
        kept = await house.store.read(partial(known, spoke=spoke))
        why = ""
        try:
            if not offline:
                kept = await options(house, spoke, refresh=refresh, wait=wait, alone=alone)
            elif kept is None or not kept.is_fresh(house.store.clock(), _age(house)):
                why = f"read last {kept.read:%Y-%m-%d %H:%M} UTC." if kept else "it was never read."
        except ConnectorError as error:
            why = error.said
        targets.append(Target(spoke, kept, why))
    return Preflight(house, named, way, tuple(targets), _fields(house, tenant, system) if system else {})


def _age(house: House) -> timedelta:
    return timedelta(seconds=house.settings.options_age)


def _fields(house: House, tenant: str, system: str) -> dict[str, dict[str, str]]:
    """By kind, which field of the system makes each field of the model."""
    mine = {spoke.name: spoke.mapping for spoke in house.spokes(tenant)}
    plugins = accounting()
    if system not in mine and system not in plugins:
        known = ", ".join([*mine, *plugins])
        raise Missing(f"There is no system `{system}`.", code="system-unknown", do=f"Name one of: {known}.")
    mapping = mine.get(system) or load(system, plugins=plugins)
    return {kind: mapper.their_fields for kind, mapper in mapping.mappers.items()}


async def _read(house: House, id: str, spoke: Outside, wait: float, late: TryLater, *, alone: bool) -> None:
    """Wait until a read is over, which whoever serves its lane does; `alone`: perhaps nobody does, then it is done here
    by a worker that only looks. Raises what stands in its way, `late` after so many seconds.
    """
    # How often it had been tried already: what it ended with then is no answer now.
    before = await house.store.read(lambda tx: work.get(tx, id).tries)
    looker = house.looker() if alone else None
    looking = asyncio.create_task(looker.run()) if looker else None
    try:
        await _over(house, id, spoke, wait, late, before)
    finally:
        if looker and looking:
            looker.stop()
            await looking


async def _over(house: House, id: str, spoke: Outside, wait: float, late: TryLater, before: int) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + wait
    while True:
        row, connection = await house.store.read(lambda tx: (work.get(tx, id), connections.get(tx, spoke.id)))
        if row.state == "done":
            return
        if row.connection is not None and connection.paused is not None:
            said, do = f"{spoke.name} is paused: {connection.paused_said}", connection.do
            raise Stop(said, code=connection.paused, do=do, where={"connection": spoke.name})
        is_late = clock() > end
        if row.error and (row.tries != before or row.state == "parked" or is_late):
            raise _said(row.error, spoke)
        if is_late:
            raise late
        await asyncio.sleep(GLANCE)


def _said(error: Mapping[str, Any], spoke: Outside) -> VendorError:
    """The error of a read that will be tried again, as it was said."""
    made = TryLater if error.get("again") else VendorError
    return made(str(error.get("message")), code=error.get("code"), do=error.get("do"), where={"connection": spoke.name})
