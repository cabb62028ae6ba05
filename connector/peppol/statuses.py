"""How far a document has come, as access points say it: each step is an event, told once and in one order.

What is said twice, or late (accepted after it was sent), changes nothing. What contradicts (refused, after it was
delivered) is kept for a person.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

from connector.errors import Stop
from connector.peppol.points import Point, Points, data_of
from connector.ports import Status
from connector.store import Tx, attention, documents, transmissions
from connector.store.documents import Document
from connector.store.transmissions import ENDS, MOVES, UNDELIVERED, Transmission

_EVENTS: Final = {
    "accepted": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "refused": "not_delivered",
    "failed": "not_delivered",
}
"""What follows the document's kind in an event's name, by state."""


def take(tx: Tx, points: Points, there: Transmission, status: Status, *, by: Point | None = None) -> bool:
    """Keep what is said of a transmission; False where it is no news."""
    return news(tx, points, transmissions.get(tx, there.tenant, there.id), status, by=by)


def news(tx: Tx, points: Points, there: Transmission, status: Status, *, by: Point | None = None, **also: Any) -> bool:
    """As `take`, of a transmission that was read in this transaction. `also`: what else is to be kept of it then."""
    if status.state == there.state or status.state not in MOVES[there.state]:
        if there.state in ENDS and status.state in ENDS and status.state != there.state:
            _contradiction(tx, there, status)
        return False
    reasons = [asdict(one) for one in status.reasons]
    said: dict[str, Any] = {"said": status.said, "reasons": reasons}
    transmissions.change(tx, there, state=status.state, said=said, **also)
    there = replace(there, **also)
    document = documents.get(tx, there.tenant, there.document)
    at = status.at.isoformat() if status.at else None
    about = {"transmission": there.id, "instance": there.instance, "number": document.number}
    data = data_of(**about, access_point=by.name if by else None, said=status.said, reasons=reasons, at=at)
    kind = _EVENTS[status.state] if there.kind == document.kind else f"response_{_EVENTS[status.state]}"
    tx.emit(there.tenant, f"{document.kind}.{kind}", document=document.id, connection=there.connection, data=data)
    if status.state in UNDELIVERED:
        _not_delivered(tx, points, there, document, status)
    elif there.state in UNDELIVERED:  # it has arrived after all
        attention.close(tx, about_of(there), who="connector", how="mended")
    return True


def about_of(there: Transmission) -> str:
    """What an open question about a transmission is called."""
    return f"transmission:{there.id}"


def _not_delivered(tx: Tx, points: Points, there: Transmission, document: Document, status: Status) -> None:
    what = f"{document.number or 'It'} to {document.counterparty_name or there.receiver or 'its receiver'}"
    why = "; ".join(f"{one.code}: {one.text}" if one.code else one.text for one in status.reasons) or status.said
    how = "was refused by the receiver's access point" if status.state == "refused" else "could not be delivered"
    reason = Stop(
        f"{what} {how}: {why}",
        code="not-delivered",
        do="The receiver does not have it; where a time-out or a lost receipt is named, ask it first: it may. Mend what"
        " is wrong and send it again under its number (connector documents send ID, with --with FILE where the document"
        " itself was wrong), or reach the receiver another way.",
        where={"document": document.id, "transmission": there.id},
        details={"reasons": [asdict(one) for one in status.reasons], "said": status.said},
    )
    attention.ask(
        tx, tenant=there.tenant, about=about_of(there), reason=reason, verbs=("ignore",), document=document.id
    )
    if there.kind == document.kind:
        points.note(
            tx,
            document,
            code="not-delivered",
            key=there.id,
            title="Ikke levert til kunden",
            text=f"EHF-en ble ikke levert: {why}",
        )


def _contradiction(tx: Tx, there: Transmission, status: Status) -> None:
    reason = Stop(
        f"{there.number or 'It'} is {there.state}, and now the access point says {status.state}: {status.said}",
        code="status-contradicts",
        do="Ask the receiver whether it has the document.",
        where={"document": there.document, "transmission": there.id},
    )
    attention.ask(
        tx,
        tenant=there.tenant,
        about=f"{about_of(there)}:{status.state}",
        reason=reason,
        verbs=("ignore",),
        document=there.document,
    )
