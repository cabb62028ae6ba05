"""What a night's sync would have done: kept as a report and told in the feed, and nothing is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from connector.model.json import dumps, loads
from connector.store import Tx, connections, documents, first_sync
from connector.sync import effects
from connector.sync.plan import plan
from connector.sync.spokes import Spoke, Spokes

OBSERVED = "observed"
"""Under which name the reports are kept."""
KEPT = 31
"""How many nights are kept."""
NAMED = 50
"""How many of the things that would have stopped a report names."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Report:
    """One night. `at` is UTC, as ISO text; `would` counts what would have been done, by kind and action (`create`,
    `change`, `pay`, `credit`, `stop`, `wait`); `amounts`: what the documents that would have been made are over, by
    kind and currency, as text; `stops` names what would have stopped, and why.
    """

    at: str
    would: dict[str, dict[str, int]]
    amounts: dict[str, dict[str, str]]
    stops: list[dict[str, Any]]

    def count(self, action: str) -> int:
        """How many things there are of an action."""
        return sum(actions.get(action, 0) for actions in self.would.values())

    def as_json(self) -> dict[str, Any]:
        """The report as it is kept and shown."""
        return asdict(self)


def observed(tx: Tx, spokes: Spokes, spoke: Spoke) -> Report:
    """What a sync would do now."""
    would: dict[str, dict[str, int]] = {}
    amounts: dict[str, dict[str, Decimal]] = {}
    stops: list[dict[str, Any]] = []
    after: str | None = None
    seen: set[tuple[str, int]] = set()
    while steps := plan(tx, spokes, spoke, after=after, limit=_PAGE):
        for step in (one for one in steps if (one.document, one.part) not in seen):
            seen.add((step.document, step.part))  # a customer that invoices of two pages need is made once
            actions = would.setdefault(step.kind, {})
            actions[step.action] = actions.get(step.action, 0) + 1
            if step.action in ("create", "pay", "credit") and step.payable is not None:
                sums = amounts.setdefault(step.kind, {})
                currency = step.currency or ""
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(step.payable)
            if step.action == "stop" and len(stops) < NAMED:
                stops.append({name: getattr(step, name) for name in ("kind", "document", "number", "reason", "do")})
        after = steps[-1].document
    for row in first_sync.every(tx, spoke.id, state="decided"):
        ours = row.action == "create" and row.vendor_id is None and (row.document or "", 0) not in seen
        if ours and documents.peek(tx, spoke.tenant, row.document or "") is not None:
            actions = would.setdefault(row.kind, {})
            actions["create"] = actions.get("create", 0) + 1
    texts = {kind: {currency: str(sum_) for currency, sum_ in sums.items()} for kind, sums in amounts.items()}
    return Report(tx.now.isoformat(), would, texts, stops)


def tell(tx: Tx, spokes: Spokes, spoke: Spoke) -> None:
    """Keep a night's report of a connection that only observes, and say it in the feed."""
    if effects.writes(tx, spoke):
        return
    report = observed(tx, spokes, spoke)
    kept = [one.as_json() for one in [*reports(tx, spoke), report][-KEPT:]]
    connections.put_cursor(tx, spoke.id, OBSERVED, dumps(kept).decode())
    data = {"connection": spoke.name, "would": report.would, "amounts": report.amounts, "stops": len(report.stops)}
    tx.emit(spoke.tenant, "connection.observed", connection=spoke.id, data=data)


def reports(tx: Tx, spoke: Spoke) -> list[Report]:
    """The reports of the last nights, oldest first."""
    kept = connections.cursor(tx, spoke.id, OBSERVED)
    return [Report(**one) for one in loads(kept)] if kept else []
