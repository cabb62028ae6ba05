"""Sending by hand, and again: what has not reached its receiver may be mended under its number, what has may not.

An invoice is in the receiver's books, or on its way there, from the moment its access point has it: then only a credit
note takes it back. Before that it may be sent again, also with other words and addresses; never with other figures,
for those are booked.
"""

from __future__ import annotations

from typing import Any, Final

from connector.ehf import read
from connector.errors import BadInput, Clash
from connector.lanes import cancel
from connector.model import CreditNote, Invoice
from connector.peppol import sending, statuses
from connector.peppol.fail_over import work_of
from connector.peppol.points import Points
from connector.ports import Kind
from connector.store import Tx, attempts, attention, audit, documents, links, transmissions
from connector.store.documents import Document
from connector.store.transmissions import UNDELIVERED, WAITING, Transmission

_ISSUED: Final = ("invoice", "credit_note")
_BOOKED: Final = ("number", "kind", "type_code", "currency", "issue_date", "due_date", "payment_id")
"""Fields of an invoice that a correction may not change, beside its figures."""


def send(tx: Tx, points: Points, tenant: str, id: str, *, mended: bytes | None = None, who: str) -> Transmission:
    """Have a document sent: one that nobody has asked to be sent, or one whose receiver does not have it.

    Args:
        mended: the document as it shall be sent now (EHF); judged already (`sending.invalid`).
        who: who asks for it; goes into the audit.

    Raises:
        BadInput: `not-issued`: it is no invoice or credit note of ours with a number; `self-billing`: the buyer has
            issued it; `correction-changes-document`: what is mended has other figures, or is another document.
        Clash: `on-its-way`: an access point has it, or it is being handed over; `delivered`: the receiver has it;
            `sent-by-ledger`; `outcome-unclear`: whether an access point has it waits for a person.
        Stop: `access-point-missing`.
        Missing: the tenant has no such document.
    """
    document = documents.locked(tx, tenant, id)
    if document.kind not in _ISSUED or document.direction == "incoming" or not document.number:
        raise BadInput(
            "Only an invoice or credit note of the company's own that has its number is sent.",
            code="not-issued",
            do="An invoice without a number is sent once the ledger has given it one.",
            where={"document": id},
        )
    if _issued(document).is_self_billed:
        raise BadInput(
            f"{document.number} is self-billed: it has come from the buyer, and there is nobody to send it to.",
            code="self-billing",
            do="Nothing needs to be done. What is wrong in it the buyer corrects with a credit note.",
            where={"document": id},
        )
    if any(link.dispatch == "sent" for link in links.all_of(tx, id)):
        raise Clash(
            f"{document.number} has been sent by the ledger itself.",
            code="sent-by-ledger",
            do="Ask the receiver; what it does not have is sent again from the ledger.",
            where={"document": id},
        )
    for there in transmissions.of_document(tx, tenant, id):
        if there.kind == document.kind:
            _out_of_the_way(tx, document, there, who)
    if mended is not None:
        _check_same(document, read(mended))
    begun = sending.begin(tx, points, document, body=mended, person=True)
    if begun is None:  # pragma: no cover - everything earlier is out of the way
        raise RuntimeError(f"{id} is on its way")
    details = {"transmission": begun.id, "mended": mended is not None}
    audit.note(tx, tenant=tenant, who=who, did="send", document=id, about=f"transmission:{begun.id}", details=details)
    tx.emit(tenant, f"{document.kind}.to_be_sent", document=id, data={"number": document.number, **details})
    return begun


def _out_of_the_way(tx: Tx, document: Document, there: Transmission, who: str) -> None:
    """See that an earlier transmission cannot arrive any more. Raises `Clash` where it may, or has."""
    if there.state in UNDELIVERED:
        for about in (statuses.about_of(there), f"{statuses.about_of(there)}:stuck"):
            attention.close(tx, about, who=who, how="sent again")
        return
    place = {"document": document.id, "transmission": there.id, "state": there.state}
    if there.state in ("sent", "delivered"):
        raise Clash(
            f"The receiver has {document.number}: it cannot be changed any more.",
            code="delivered",
            do="Credit it, and issue another one.",
            where=place,
        )
    trying = work_of(tx, there) if there.state == WAITING else None
    if there.state != WAITING or (trying is not None and trying.state != "parked"):
        raise Clash(
            f"{document.number} is on its way.",
            code="on-its-way",
            do="Wait until it has arrived or failed: connector documents explain shows how far it is.",
            where=place,
        )
    if trying is not None:
        tried = attempts.of_work(tx, trying.id)
        if any(one.what == "call" and one.outcome in (None, attempts.UNKNOWN) for one in tried):
            raise Clash(
                f"Whether the access point has {document.number} is not known.",
                code="outcome-unclear",
                do="Settle that first: connector documents explain shows what waits.",
                where=place,
            )
        attention.close(tx, f"work:{trying.id}", who=who, how="sent again")
        cancel(tx, trying)
    transmissions.change(tx, there, state="withdrawn")


def _check_same(document: Document, mended: Invoice) -> None:
    """What is mended is the same document with the same figures. Raises `BadInput`."""
    issued = _issued(document)
    apart = [name for name in _BOOKED if getattr(issued, name) != getattr(mended, name)]
    apart += [name for name, (ours, theirs) in _figures(issued, mended).items() if ours != theirs]
    if issued.seller.organisation_number != mended.seller.organisation_number:
        apart.append("seller")
    if not apart:
        return
    raise BadInput(
        f"What is to be sent instead of {document.number} is not the same document: {', '.join(apart)}.",
        code="correction-changes-document",
        do="The figures, the dates and the number are booked: only the rest may be mended. Credit it, and issue another"
        " one.",
        where={"document": document.id},
        details=apart,
    )


def _issued(document: Document) -> Invoice:
    return (CreditNote if document.kind == Kind.CREDIT_NOTE else Invoice).model_validate(document.body)


def _figures(issued: Invoice, mended: Invoice) -> dict[str, tuple[Any, Any]]:
    return {
        "totals": (issued.totals, mended.totals),
        "vat_breakdown": (issued.vat_breakdown, mended.vat_breakdown),
        "lines": (_amounts(issued), _amounts(mended)),
    }


def _amounts(invoice: Invoice) -> list[Any]:
    return sorted((line.net, line.vat_category, line.vat_rate) for line in invoice.lines)
