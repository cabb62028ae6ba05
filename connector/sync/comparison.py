"""The report of a full comparison: how much was read, and what neither a poll nor a webhook had brought.

The comparison itself reads page by page (`connector.sync.reads.Sweep`); what it has found so far is kept with its
cursor, and its report when it has ended. Nothing grows with the size of the books: of what was missed so many are named
and all are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from connector.model.json import dumps, loads
from connector.ports import Kind, Page, Record
from connector.store import Tx, connections
from connector.sync.spokes import Spoke

NAMED = 100
"""How many of the records that were missed a report names."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of one kind has found. Times are UTC, as ISO text.

    `new`: records that were not here at all; `changed`: others whose version here was an older one; together `missed`.
    A record that had been read and waits to be handled counts as brought. `named`: of the missed, the first `NAMED`,
    each with its kind and id there, its version there (`is`) and here (`was`).
    """

    kind: str
    began: str
    ended: str | None = None
    read: int = 0
    pages: int = 0
    new: int = 0
    changed: int = 0
    named: tuple[Mapping[str, Any], ...] = ()

    @property
    def missed(self) -> int:
        """How many records neither a poll nor a webhook had brought."""
        return self.new + self.changed

    @classmethod
    def of(cls, kind: Kind, kept: Mapping[str, Any] | None, now: datetime) -> Comparison:
        """As it was kept, else one that begins now."""
        if kept is None:
            return cls(str(kind), now.isoformat())
        said = {name: value for name, value in kept.items() if name in cls.__dataclass_fields__}
        return cls(**{**said, "named": tuple(said.get("named", ()))})

    def with_page(
        self, page: Page, known: Mapping[tuple[Kind, str], str | None], missed: Sequence[Record]
    ) -> Comparison:
        """With one page more, of which these records had been missed."""
        new = sum((record.kind, record.id) not in known for record in missed)
        room = max(NAMED - len(self.named), 0)
        named = [
            {"kind": str(one.kind), "id": one.id, "was": known.get((one.kind, one.id)), "is": one.version}
            for one in missed[:room]
        ]
        return replace(
            self,
            read=self.read + len(page.records),
            pages=self.pages + 1,
            new=self.new + new,
            changed=self.changed + len(missed) - new,
            named=(*self.named, *named),
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {**asdict(self), "named": list(self.named), "missed": self.missed}


def finished(tx: Tx, spoke: Spoke, found: Comparison) -> None:
    """Keep the report in the place of the one before, and say it in the feed."""
    report = replace(found, ended=tx.now.isoformat())
    connections.put_cursor(tx, spoke.id, _name(found.kind), dumps(report.as_json()).decode())
    told = {"kind": report.kind, "read": report.read, "missed": report.missed}
    told |= {"new": report.new, "changed": report.changed}
    tx.emit(spoke.tenant, "connection.compared", connection=spoke.id, data={"connection": spoke.name, **told})


def reports(tx: Tx, connection: str, kinds: Sequence[Kind]) -> list[Comparison]:
    """The reports of the last comparisons that ended, one for each kind that has one."""
    found = []
    for kind in kinds:
        kept = connections.cursor(tx, connection, _name(kind))
        if kept is not None:
            found.append(Comparison.of(kind, loads(kept), tx.now))
    return found


def under_way(tx: Tx, connection: str, kind: Kind) -> Comparison | None:
    """What the comparison that is being made has found so far; None where there is none, or it has read nothing."""
    kept = connections.cursor(tx, connection, f"sweep:{kind}")
    said = loads(kept) if kept is not None else {}
    return Comparison.of(kind, said["found"], tx.now) if said.get("found") else None


def _name(kind: str) -> str:
    return f"compared:{kind}"
