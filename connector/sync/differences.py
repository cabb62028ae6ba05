"""What both sides say differently: shown to a person with both values, who changed them and when, and what is proposed;
never settled silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.errors import BadInput, Stop
from connector.lanes import Verb
from connector.mapping.mapper import below
from connector.ports import Record
from connector.store import Tx, attention, connections, events, operations
from connector.store.documents import Document
from connector.sync.reconcile import Decision, Difference
from connector.sync.spokes import Spoke

CONFLICT, DRIFT = "conflict", "drift"


def about(what: str, spoke: Spoke, document: str) -> str:
    """The name under which a person is asked."""
    return f"{what}:{spoke.id}:{document}"


def tell(tx: Tx, spoke: Spoke, document: Document, decision: Decision, record: Record) -> None:
    """Ask about conflicts (either side may be chosen, field by field), or tell of drift."""
    what = CONFLICT if decision.conflicts else DRIFT
    found = decision.conflicts or decision.drift
    first, theirs = found[0], _changed_there(tx, spoke, record)
    details = [_difference(one, _changed_here(tx, document, one.field), theirs) for one in found]
    reason = Stop(
        f"{document.kind} {document.number or document.business_key}: `{first.field}` is {first.ours!r} here and"
        f" {first.theirs!r} in {spoke.name}" + (f", and {len(found) - 1} more" if len(found) > 1 else "") + ".",
        code=what,
        do="An issued document is not changed: mend it in the system, or credit it."
        if what == DRIFT
        else f"Say which holds: connector documents resolve {document.id} --ours, --theirs, --merge (of each field the"
        " later change, where both sides tell it, or as --field NAME=ours says) or --ignore (both stay as they are); or"
        " make them alike.",
        where={"document": document.id, "connection": spoke.id, "version": record.version},
        details=details,
    )
    for operation in operations.find(tx, document=document.id) if what == CONFLICT else ():
        if operation.state == "accepted":
            operations.move(tx, operation, "waiting", result=reason.as_json())
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=about(what, spoke, document.id),
        reason=reason,
        verbs=(Verb.IGNORE,) if what == DRIFT else (Verb.OURS, Verb.THEIRS, Verb.MERGE, Verb.IGNORE),
        document=document.id,
        connection=spoke.id,
    )
    tx.emit(
        spoke.tenant,
        f"{document.kind}.{what}",
        document=document.id,
        connection=spoke.id,
        data={"connection": spoke.name, "differences": reason.details},
    )


def disputed(tx: Tx, spoke: Spoke, document: Document) -> frozenset[str]:
    """Fields that wait for a person to say whose value holds."""
    items = attention.find(tx, tenant=spoke.tenant, about=about(CONFLICT, spoke, document.id))
    return frozenset(one["field"] for item in items for one in (item.details or {}).get("details") or ())


def alike(tx: Tx, spoke: Spoke, document: Document) -> None:
    """Both sides say the same again: nobody needs to be asked any more."""
    attention.close(tx, about(CONFLICT, spoke, document.id), who=spoke.name, how="alike")


def chosen(details: Sequence[Mapping[str, Any]], said: Mapping[str, str]) -> dict[str, str]:
    """Whose value holds, by field: as it is said, else as it was proposed.

    Raises:
        BadInput: `field-not-disputed`, `side-unknown`; `field-not-chosen`: of a field nothing is said, and nothing was
            proposed.
    """
    proposed = {one["field"]: one["proposal"] for one in details}
    for name, side in said.items():
        if name not in proposed:
            raise BadInput(
                f"Both sides say the same of `{name}`.",
                code="field-not-disputed",
                do=f"Name one of: {', '.join(proposed)}.",
                where={"field": name},
            )
        if side not in (Verb.OURS, Verb.THEIRS):
            raise BadInput(
                f"`{side}` is no side of `{name}`.", code="side-unknown", do="Say `ours` or `theirs`.",
                where={"field": name},
            )  # fmt: skip
    held = proposed | dict(said)
    for name, side in held.items():
        if side is None:
            raise BadInput(
                f"Of `{name}` nothing is proposed: it is not known which side changed it last.",
                code="field-not-chosen",
                do=f"Say which holds: --field {name}=ours or --field {name}=theirs.",
                where={"field": name},
            )
    return held


def _difference(one: Difference, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """`proposal`: the side that changed it last, where both say when they did; else None."""
    later = None
    if ours["at"] and theirs["at"]:
        newer = datetime.fromisoformat(theirs["at"]) >= datetime.fromisoformat(ours["at"])
        later = Verb.THEIRS if newer else Verb.OURS
    values = {"field": one.field, "known": one.known, "ours": one.ours, "theirs": one.theirs}
    changed = {"ours": dict(ours), "theirs": dict(theirs)}
    return values | {"changed": changed, "proposal": None if later is None else str(later)}


def changed_by(record: Record) -> dict[str, Any]:
    """When and by whom a record was changed, as its system tells it, for an event's data; empty where it does not."""
    return {} if record.changed is None else {"changed": {"at": record.changed.at, "by": record.changed.by}}


def _change(at: str | None, seen: datetime, by: str, who: str | None = None) -> dict[str, Any]:
    """One side's last change: when it was made (None: nobody tells), when it was seen here (UTC both), and by whom."""
    return {"at": at, "seen": seen.isoformat(), "by": f"{by}, {who}" if who else by}


def _changed_there(tx: Tx, spoke: Spoke, record: Record) -> dict[str, Any]:
    """When and by whom, as far as the system says it."""
    told = record.changed
    return _change(told.at if told else None, tx.now, spoke.name, told.by if told else None)


def _changed_here(tx: Tx, document: Document, field: str) -> dict[str, Any]:
    """The last event that changed this field (or said it first), and where it came from.

    A program changes a thing when it posts the change; when it posts the thing for the first time, nobody knows how old
    what it says is. What came from a ledger was changed when that says so.
    """
    kind = document.kind
    for event in reversed(events.of_document(tx, document.tenant, document.id)):
        said = event.data if isinstance(event.data, Mapping) else {}
        fields = said.get("fields")
        if event.kind not in (f"{kind}.changed", f"{kind}.accepted", f"{kind}.found"):
            continue
        if fields is None or any(below(field, one) or below(one, field) for one in fields):
            by, seen = _named(tx, document.tenant, said.get("connection")), event.at or document.created
            if said.get("changed"):
                return _change(said["changed"]["at"], seen, by, said["changed"]["by"])
            posted = event.kind == f"{kind}.changed" and said.get("connection") is None
            return _change(seen.isoformat() if posted else None, seen, by)
    return _change(None, document.created, _named(tx, document.tenant, document.source))


def _named(tx: Tx, tenant: str, source: str | None) -> str:
    """A connection by the name that a person knows; what is no connection, as it is."""
    names = {row.id: row.name for row in connections.find(tx, tenant=tenant)}
    return names.get(source or "", source or "api")
