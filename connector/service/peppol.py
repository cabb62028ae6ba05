"""Peppol as this service's settings have it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from connector.errors import Misconfigured
from connector.peppol.discovery import Answer, Discovery
from connector.peppol.fetching import Fetcher
from connector.peppol.identifiers import SERVICES, Participant, Service
from connector.peppol.kept import Kept
from connector.peppol.trust import Trust
from connector.service.settings import Settings
from connector.store import Store


def discovery(settings: Settings, store: Store | None = None) -> Discovery:
    """Looks up receivers; keeps what it finds in a store, where one is given.

    Raises:
        Misconfigured: whose signatures count is not said (`trust-store-missing`), or wrongly (`trust-store-wrong`).
    """
    if settings.peppol_trust is None:
        raise Misconfigured(
            "Whose signatures count in Peppol is not said.",
            code="trust-store-missing",
            do="Set CONNECTOR_PEPPOL_TRUST to a folder with the certificates of Peppol's SMP authority and its root.",
        )
    return Discovery(
        trust=Trust.load(Path(settings.peppol_trust)),
        zone=settings.peppol_zone,
        name_servers=settings.peppol_name_servers.split(),
        fetcher=Fetcher(loopback=settings.peppol_loopback),
        known=None if store is None else Kept(store, settings.peppol_zone),
    )


async def look_up(
    discovery: Discovery, participant: Participant, *, fresh: bool = False, services: Sequence[Service] = SERVICES
) -> list[Answer]:
    """What a participant can take of these, all asked at once.

    Args:
        fresh: do not take answers that are kept.
    """
    return list(await asyncio.gather(*(discovery.can_take(participant, one, fresh=fresh) for one in services)))
