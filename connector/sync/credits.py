"""Credit notes in the hub: which invoice they credit, what is left of it, and how much of them is applied.

A credit note stands in relation `credits` to its invoice. It lowers what is open of the invoice only by what the books
show applied: that is a settlement of the kind `credit_note`, a fact that is taken back where the books undo it. What is
not applied is the customer's credit, the open amount of the credit note itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.errors import BadInput
from connector.mapping.tenants import TenantRoute
from connector.model import CreditNote, DocumentReference, Invoice, Left, Uncreditable, check_credit, fitted, left_of
from connector.store import Tx, documents, links, work
from connector.store.documents import Document
from connector.sync import ties
from connector.sync.canonical import model_of, stored
from connector.sync.closing import Use, take_apart, use
from connector.sync.external import EXTERNAL_CREDIT_NOTE, elsewhere, form_of
from connector.sync.spokes import Spoke, Spokes, check_can
from connector.sync.ties import Tie

CREDITS = "credits"
"""Relation of a credit note to the invoice that it credits."""

_ZERO = Decimal(0)
_MOST_ALIKE = 100
"""Documents under one number that are looked at: buyers may use it that issue in the company's name."""


def credited(
    tx: Tx, spokes: Spokes, tenant: str, route: TenantRoute, note: Invoice, *, stated: bool
) -> tuple[Document, CreditNote]:
    """The invoice that a credit note credits, locked until the transaction ends, and the credit note as it is kept.

    Two credit notes at the same moment come here one after the other: the second sees what the first has taken.

    Args:
        stated: its totals came with it; else they were composed, and their roundings are fitted to what is left.

    Raises:
        BadInput: `credited-invoice-unknown` (none, or more than one), `credit-of-credit-note`, `currency-differs`,
            `customer-differs`, `credited-invoice-elsewhere`, `operation-not-supported`; or what `check_credit` says,
            with all figures in `details`.
        Stop: a connection of the route cannot make credit notes (`operation-not-supported`).
    """
    invoice = _meant(tx, tenant, note)
    _fits(tx, spokes, route, note, invoice)
    model = Invoice.model_validate(invoice.body)
    left = left_of(model, earlier(tx, invoice))
    kept = note if stated else fitted(model, left, note)
    try:
        check_credit(model, left, kept)
    except Uncreditable as error:
        raise BadInput(
            str(error),
            code=error.code,
            do="Credit what is left; name lines by the number (BT-126) they have on the invoice.",
            where=_place(invoice),
            details={"problems": [problem.as_json() for problem in error.problems], "left": _figures(left)},
        ) from None
    given = note.preceding_invoices[0]
    reference = given.model_copy(
        update={
            "number": invoice.number or given.number,
            "issue_date": invoice.issue_date or given.issue_date,
            "document_id": invoice.id,
        }
    )
    return invoice, as_credit_note(kept, reference)


def as_credit_note(note: Invoice, reference: DocumentReference) -> CreditNote:
    """A credit note as books hold it, with the invoice it credits."""
    fields = {name: getattr(note, name) for name in Invoice.model_fields}
    return CreditNote(**fields | {"preceding_invoices": (reference,)})


def earlier(tx: Tx, invoice: Document) -> list[CreditNote]:
    """The credit notes that take from an invoice; one whose every push a person has cancelled takes nothing."""
    return [CreditNote.model_validate(note.body) for note in notes_of(tx, invoice) if _counts(tx, note)]


def notes_of(tx: Tx, invoice: Document) -> list[Document]:
    """All credit notes of an invoice, oldest first."""
    rows = documents.relations(tx, invoice.tenant, invoice.id)
    ids = [row.document for row in rows if row.kind == CREDITS and row.other == invoice.id]
    return [documents.get(tx, invoice.tenant, id) for id in ids]


def invoice_of(tx: Tx, note: Document) -> str | None:
    """The id of the invoice that a credit note credits."""
    rows = documents.relations(tx, note.tenant, note.id)
    return next((row.other for row in rows if row.kind == CREDITS and row.document == note.id), None)


def booked(tx: Tx, spoke: Spoke, note: Document, *, first: bool) -> Document:
    """Apply so much of a credit note as the books show applied, never more than is open of its invoice; the feed is
    told (`invoice.credited`). Doing it again changes nothing.

    Args:
        first: the credit note has just been issued, or seen for the first time.
    """
    id = invoice_of(tx, note)
    if id is None:
        return note
    invoice = documents.locked(tx, note.tenant, id)
    if first:
        note = _named(tx, note, invoice)
    said = CreditNote.model_validate(note.body).applied
    before = amount = sum((tie.amount for tie in _applied(tx, note, id)), _ZERO)
    if said is not None:
        room, of_note = ((one.open_amount or _ZERO) + before for one in (invoice, note))
        amount = max(_ZERO, min(said, room, of_note))
    if amount != before:
        _apply(tx, spoke.id, note, invoice, amount)
        invoice, note = (documents.get(tx, one.tenant, one.id) for one in (invoice, note))
    if first or amount != before:
        tell(tx, spoke, note, invoice, amount)
    return note


def tell(tx: Tx, spoke: Spoke, note: Document, invoice: Document, applied: Decimal) -> None:
    """Tell the feed that so much of a credit note is applied to an invoice."""
    data = {
        "connection": spoke.name,
        "number": invoice.number,
        "credit_note": note.id,
        "credit_note_number": note.number,
        "date": note.issue_date.isoformat() if note.issue_date else None,
        "amount": str(note.payable),
        "applied": str(applied),
        "currency": invoice.currency,
        "open": str(invoice.open_amount),
        "credit": str(note.open_amount),
    }
    tx.emit(note.tenant, "invoice.credited", document=invoice.id, connection=spoke.id, data=data)


def _applied(tx: Tx, note: Document, invoice: str) -> list[Tie]:
    """What ties a credit note to its invoice alone."""
    return [tie for tie in ties.of(tx, note) if list(ties.partners(tx, tie, note.id)) == [invoice]]


def _apply(tx: Tx, source: str, note: Document, invoice: Document, amount: Decimal) -> None:
    """Have so much of a credit note applied to its invoice: more is a settlement, less a reversal of one."""
    day = note.issue_date or tx.now.date()
    for tie in reversed(_applied(tx, note, invoice.id)):
        over = sum((one.amount for one in _applied(tx, note, invoice.id)), _ZERO) - amount
        if over > 0 and tie.whole:
            take_apart(tx, source, tie.fact, day)
        elif over > 0:
            ties.release(tx, source, tie, min(over, tie.amount), day)
    more = amount - sum((one.amount for one in _applied(tx, note, invoice.id)), _ZERO)
    if more > 0:
        invoice, note = (documents.get(tx, one.tenant, one.id) for one in (invoice, note))
        use(tx, invoice, [Use(note, more)], day, source=source)


def _named(tx: Tx, note: Document, invoice: Document) -> Document:
    """The credit note with the number that its invoice has by now (BT-25)."""
    model = CreditNote.model_validate(note.body)
    said = model.preceding_invoices[0] if model.preceding_invoices else DocumentReference(document_id=invoice.id)
    reference = said.model_copy(update={"number": invoice.number, "issue_date": invoice.issue_date})
    if not invoice.number or reference == said:
        return note
    body = stored(model.model_copy(update={"preceding_invoices": (reference,)}))
    return documents.change(tx, note, body=body, digest=note.digest)


def _counts(tx: Tx, note: Document) -> bool:
    if links.all_of(tx, note.id):
        return True
    pushes = work.find(tx, tenant=note.tenant, document=note.id)
    return not pushes or any(push.state != "cancelled" for push in pushes)


# --- which invoice ----------------------------------------------------------------------------------------------------


def _meant(tx: Tx, tenant: str, note: Invoice) -> Document:
    said = [reference.model_dump(mode="json", exclude_none=True) for reference in note.preceding_invoices]
    if len(said) != 1:
        raise _unknown(f"The credit note names {'no' if not said else 'more than one'} invoice that it credits.", said)
    reference = note.preceding_invoices[0]
    found = _found(tx, tenant, note, reference, "invoice")
    if len(found) == 1:
        return documents.locked(tx, tenant, found[0].id)
    if not found and _found(tx, tenant, note, reference, "credit_note"):
        raise BadInput(
            "What is to be credited is a credit note itself.",
            code="credit-of-credit-note",
            do="A credit note is not credited: issue an invoice over what shall be owed again.",
            where={"field": "preceding_invoices", **said[0]},
        )
    raise _unknown(f"{'No' if not found else 'More than one'} invoice here fits {said[0]}.", said)


def _found(tx: Tx, tenant: str, note: Invoice, reference: DocumentReference, kind: str) -> list[Document]:
    if reference.document_id:
        one = documents.peek(tx, tenant, reference.document_id)
        return [one] if one is not None and one.kind == kind else []
    if reference.source_id:
        found = documents.find(tx, tenant, kind=kind, direction="outgoing", source_id=reference.source_id, limit=10)
    else:
        found = in_series_of(tx, tenant, note, kind, reference.number or "")
    dated = [one for one in found if reference.issue_date in (None, one.issue_date)]
    return dated if len(found) > 1 else found


def in_series_of(tx: Tx, tenant: str, model: Invoice, kind: str, number: str) -> list[Document]:
    """Outgoing documents of a kind under a number, in the series that an invoice or credit note is of, oldest first:
    among what its buyer has issued, where it is self-billed; else among all that no buyer has.
    """
    buyer = (model.buyer.organisation_number or model.buyer.name) if model.is_self_billed else None
    heads = documents.find(
        tx, tenant, kind=kind, direction="outgoing", number=number, counterparty=buyer, limit=_MOST_ALIKE
    )
    whole = (documents.get(tx, tenant, head.id) for head in heads)
    alike = [one for one in whole if _self_billed(one) == model.is_self_billed]
    return [one for one in alike if not _for_another(model, one)] if model.is_self_billed else alike


def _self_billed(document: Document) -> bool:
    model = model_of(document.kind, document.body)
    return isinstance(model, Invoice) and model.is_self_billed


def _for_another(note: Invoice, document: Document) -> bool:
    """Whether a document is for another customer than this one says."""
    ours, theirs = note.buyer.organisation_number, document.counterparty_number
    names = [(one or "").casefold() for one in (note.buyer.name, document.counterparty_name)]
    return bool((ours and theirs and ours != theirs) or (not (ours or theirs) and all(names) and names[0] != names[1]))


def _unknown(why: str, said: list[dict[str, Any]]) -> BadInput:
    return BadInput(
        why,
        code="credited-invoice-unknown",
        do="Name one invoice in `preceding_invoices`: by `number`, `source_id` or `document_id` as this service shows"
        " them; an `issue_date` tells equal numbers apart.",
        where={"field": "preceding_invoices"} | (said[0] if len(said) == 1 else {}),
    )


def _fits(tx: Tx, spokes: Spokes, route: TenantRoute, note: Invoice, invoice: Document) -> None:
    name = invoice.number or invoice.source_id or invoice.id
    if note.currency != invoice.currency:
        raise BadInput(
            f"The credit note is in {note.currency}, invoice {name} in {invoice.currency}.",
            code="currency-differs",
            do="Credit an invoice in its own currency.",
            where={"field": "currency", **_place(invoice)},
        )
    if _for_another(note, invoice):
        raise BadInput(
            f"The credit note is for another customer than invoice {name}.",
            code="customer-differs",
            do="Credit the customer who was invoiced.",
            where={"field": "buyer", **_place(invoice)},
        )
    for connection in route.to:
        spoke = spokes.named(invoice.tenant, connection)
        outside = route.name in spoke.elsewhere
        if not outside and route.issues not in route.to:
            raise BadInput(
                f"On the route `{route.name}` nobody here issues credit notes ({route.issues} does).",
                code="operation-not-supported",
                do="Send it on a route on which the ledger or the source issues.",
                where={"route": route.name},
            )
        check_can(spoke, EXTERNAL_CREDIT_NOTE if outside else "credit_note", "create")
        strange = invoice.source != route.name and links.of(tx, invoice.id, spoke.id, form_of(spoke, invoice)) is None
        if strange or elsewhere(spoke, invoice) != outside:
            raise BadInput(
                f"Invoice {name} is not in {connection}, where the route `{route.name}` leads."
                if strange
                else f"Invoice {name} was issued {'in the ledger' if outside else 'elsewhere'}, and on the route"
                f" `{route.name}` {'the source' if outside else 'the ledger'} issues.",
                code="credited-invoice-elsewhere",
                do="Send the credit note on the route that the invoice took.",
                where={"route": route.name, **_place(invoice)},
            )


def _place(invoice: Document) -> dict[str, Any]:
    return {"document": invoice.id} | ({"number": invoice.number} if invoice.number else {})


def _figures(left: Left) -> dict[str, Any]:
    """What is left, for programs."""
    return {
        "payable": str(left.payable),
        "lines": [
            {"id": one.line.id, "quantity": None if one.quantity is None else str(one.quantity), "net": str(one.net)}
            for one in left.lines
        ],
        "vat": [
            {
                "category": one.category,
                "rate": None if one.rate is None else str(one.rate),
                "net": str(one.net),
                "vat": str(one.vat),
            }
            for one in left.groups
        ],
    }
