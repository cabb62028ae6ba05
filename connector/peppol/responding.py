"""Our answer to an invoice that came: accepted, rejected, under query …; as an invoice response through Peppol.

It is for the seller to know how its invoice stands; nothing is booked by it. Whether the seller takes responses is
looked up like for every document: many do not, and then a person hears of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from connector.ehf import read
from connector.errors import BadInput
from connector.model import Invoice
from connector.peppol import responses, sending
from connector.peppol.points import Points
from connector.peppol.responses import Clarification, InvoiceResponse
from connector.store import Tx, audit, documents, transmissions
from connector.store import responses as kept
from connector.store.transmissions import UNDELIVERED, Transmission

KIND: Final = "supplier_invoice"


def respond(
    tx: Tx,
    points: Points,
    tenant: str,
    id: str,
    status: str,
    clarifications: Sequence[Clarification] = (),
    *,
    notes: Sequence[str] = (),
    who: str,
) -> Transmission:
    """Send an answer to an incoming invoice. The same answer again, while nothing else was said, is the same one.

    Args:
        status: `AB` received, `IP` in process, `UQ` under query, `CA` accepted with conditions, `RE` rejected, `AP`
            accepted, `PD` paid (code list OpenPEPPOL T111).
        clarifications: reasons and actions; `CA`, `UQ` and `RE` need a reason.
        who: who answers; goes into the audit.

    Raises:
        BadInput: `not-incoming`: it is no invoice that came here as EHF; and as `responses.answer`.
        Stop: `access-point-missing`.
        Missing: the tenant has no such document.
    """
    document = documents.get(tx, tenant, id)
    original = documents.original(tx, tenant, id)
    if document.kind != KIND or original is None:
        raise BadInput(
            "Only an invoice that came to the company as EHF can be answered.",
            code="not-incoming",
            do="Answer its sender by e-mail or telephone.",
            where={"document": id},
        )
    said = responses.answer(
        _received(original[0]), status, id=str(uuid.uuid4()), at=tx.now, clarifications=clarifications, notes=notes
    )
    if (again := _said_already(tx, tenant, id, said)) is not None:
        return again
    body = responses.write(said)
    planned = sending.begin(tx, points, document, kind=sending.RESPONSE, body=body, person=True)
    assert planned is not None  # an answer never stands in the way of another
    kept.keep(tx, tenant=tenant, document=id, key=planned.instance, code=status, body=responses.as_json(said))
    details = {"status": status, "transmission": planned.id}
    audit.note(tx, tenant=tenant, who=who, did="respond", document=id, details=details)
    tx.emit(tenant, f"{KIND}.answered", document=id, data={"number": document.number, **details})
    return planned


def _said_already(tx: Tx, tenant: str, id: str, said: InvoiceResponse) -> Transmission | None:
    """The transmission of our last answer, where it says the same and has not failed."""
    (*_, last) = [None, *kept.of_document(tx, tenant, id)]
    if last is None:
        return None
    before = responses.from_json(last.body)
    assert isinstance(before, InvoiceResponse)
    there = transmissions.by_instance(tx, last.key)
    same = (before.status, before.clarifications, before.notes) == (said.status, said.clarifications, said.notes)
    return there if same and there is not None and there.state not in UNDELIVERED else None


def _received(data: bytes) -> Invoice:
    return read(data, direction="incoming")
