"""What the checklist of a connection goes by: from the store, the tenant's file and the plugin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from connector import plugins
from connector.mapping import Tenant
from connector.mapping.tenants import COUNTERPARTY
from connector.store import Tx, attention, connections, onboarding
from connector.store.onboarding import Entry
from connector.sync import effects
from connector.sync.first_sync import status
from connector.sync.first_sync.status import STEP as FIRST_SYNC
from connector.sync.first_sync.totals import totals
from connector.sync.left_out import CUT_OVER
from connector.sync.onboarding import observing
from connector.sync.onboarding.checklist import TEST_CALL, Confirmed, Facts
from connector.sync.spokes import Spoke, Spokes

CONFIRMED, BACK = "confirmed", "back"
"""States of noted steps: a person has said so; the cut-over was taken back."""
LEAVING, MAKING, ASKING, LIVE = "leaving", "making", "asking", "live"
"""States of a cut-over: what is dated before the day is being left out, and nothing is written yet; what the first sync
decided is being made; what else is lacking is being asked for; it is over."""


def facts(tx: Tx, spokes: Spokes, spoke: Spoke) -> Facts:
    """Everything that is known of a connection's onboarding."""
    row, noted = connections.get(tx, spoke.id), onboarding.every(tx, spoke.id)
    tenant, tried = spokes.tenant(spoke.tenant), noted.get(TEST_CALL)
    nights = _nights(tx, spoke, noted.get(FIRST_SYNC))
    open_ = attention.find(tx, tenant=spoke.tenant, connection=spoke.id, limit=1000)
    cut = noted.get(CUT_OVER)
    live = cut is not None and cut.state in (MAKING, ASKING, LIVE) and effects.writes(tx, spoke)
    on_routes = [route for route in tenant.routes.values() if spoke.name in (*route.to, *route.takes)]
    return Facts(
        f"{spoke.tenant}/{spoke.name}",
        plugins.accounting()[row.system].formalities,
        _confirmed(noted),
        None if tried is None else list(tried.details["missing"]),
        "" if tried is None else tried.details["company"],
        _owners(tenant, spoke),
        any("connector" in (route.receives, route.sends) or route.issues == COUNTERPARTY for route in on_routes),
        noted[FIRST_SYNC].state if FIRST_SYNC in noted else None,
        [] if live else _apart(tx, spoke, noted.get(FIRST_SYNC)),  # what came after the cut-over is no part of it
        len(nights),
        nights[-1].count("stop") if nights else 0,
        sum(one.code != "first-sync-open" for one in open_),
        row.paused_said,
        cut.at.date() if cut is not None and live and cut.state == LIVE else None,
        cut is not None and under_way(cut, effects.writes(tx, spoke)),
    )


def under_way(cut: Entry, writes: bool) -> bool:
    """Whether a cut-over was begun, is not over, and goes on where it stopped when it is run again. `writes`: whether
    the connection is written to; whoever has changed that meanwhile has ended it.
    """
    return cut.state in ((MAKING, ASKING) if writes else (LEAVING,))


def _confirmed(noted: Mapping[str, Entry]) -> dict[str, Confirmed]:
    return {
        step: Confirmed(
            entry.who,
            entry.at.date(),
            (entry.details or {}).get("note") or "",
            date.fromisoformat(day) if (day := (entry.details or {}).get("date")) else None,
        )
        for step, entry in noted.items()
        if entry.state == CONFIRMED
    }


def _owners(tenant: Tenant, spoke: Spoke) -> list[str]:
    said = []
    for route in tenant.routes.values():
        if spoke.name not in (*route.to, *route.takes):
            continue
        bank = ", ".join(f"{account}: {owner}" for account, owner in route.takes_bank_money.items())
        said.append(
            f"route {route.name}: {route.issues} issues, {route.sends} sends, {route.receives} receives,"
            f" {route.reminds} reminds, bank money {bank}"
        )
    return said


def _apart(tx: Tx, spoke: Spoke, joined: Entry | None) -> list[str] | None:
    if joined is None or joined.state != status.APPLIED or "after" not in (joined.details or {}):
        return None
    return totals(tx, spoke, joined.details.get("before"), joined.details.get("after")).apart


def _nights(tx: Tx, spoke: Spoke, joined: Entry | None) -> list[observing.Report]:
    """Reports of nights since the first sync was over."""
    if joined is None or joined.state not in (status.APPLIED, status.WAIVED):
        return []
    return [one for one in observing.reports(tx, spoke) if one.at >= joined.at.isoformat()]
