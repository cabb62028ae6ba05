"""What both sides say differently: shown to a person with both values, and never settled silently."""

from __future__ import annotations

from typing import Any

from connector.errors import Stop
from connector.lanes import Verb
from connector.store import Tx, attention, operations
from connector.store.documents import Document
from connector.sync.reconcile import Decision, Difference
from connector.sync.spokes import Spoke

CONFLICT, DRIFT = "conflict", "drift"


def about(what: str, spoke: Spoke, document: str) -> str:
    """The name under which a person is asked."""
    return f"{what}:{spoke.id}:{document}"


def tell(tx: Tx, spoke: Spoke, document: Document, decision: Decision) -> None:
    """Ask about conflicts (either side may be chosen), or tell of drift."""
    what = CONFLICT if decision.conflicts else DRIFT
    found = decision.conflicts or decision.drift
    first = found[0]
    reason = Stop(
        f"{document.kind} {document.number or document.business_key}: `{first.field}` is {first.ours!r} here and"
        f" {first.theirs!r} in {spoke.name}" + (f", and {len(found) - 1} more" if len(found) > 1 else "") + ".",
        code=what,
        do="An issued document is not changed: mend it in the system, or credit it."
        if what == DRIFT
        else f"Say which holds: connector documents resolve {document.id} --ours, or --theirs; or make them alike.",
        where={"document": document.id, "connection": spoke.id},
        details=[_difference(one) for one in found],
    )
    for operation in operations.find(tx, document=document.id) if what == CONFLICT else ():
        if operation.state == "accepted":
            operations.move(tx, operation, "waiting", result=reason.as_json())
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=about(what, spoke, document.id),
        reason=reason,
        verbs=(Verb.SEEN,) if what == DRIFT else (Verb.OURS, Verb.THEIRS, Verb.SEEN),
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


def _difference(one: Difference) -> dict[str, Any]:
    return {"field": one.field, "known": one.known, "ours": one.ours, "theirs": one.theirs}
