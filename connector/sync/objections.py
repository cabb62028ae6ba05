"""What speaks against bringing an incoming invoice to the books: each a reason that a person settles by itself.

Nothing here writes or looks anything up: the invoice, what is known of its supplier, and the documents with its number
are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.ehf import read, validate
from connector.errors import BadInput, ConnectorError, Stop
from connector.mapping import Tenant
from connector.mapping.tenants import TenantRoute
from connector.model import Invoice, Supplier, plain, round2
from connector.model.invoice import Direction
from connector.store.documents import Document
from connector.store.schema import scaled
from connector.sync.suppliers import accounts

LEDGER_HAS_IT = "ledger-has-it"
HELD = ("ehf-invalid", "invoice-twice", LEDGER_HAS_IT, "bank-account-changed", "supplier-new", "receiver-unclear")
"""Reasons that hold a document; each is settled by itself."""


def readable(body: bytes, *, direction: Direction = "incoming") -> Invoice:
    """The invoice in what was received. Raises `Stop` (`ehf-unreadable`)."""
    try:
        invoice = read(body, direction=direction)
        if invoice.totals is None:
            raise BadInput("It states no totals.", code="totals-missing")
        scaled(invoice.totals.payable)
    except BadInput as error:
        raise Stop(
            f"What was received is no EHF that can be read: {error.said}",
            code="ehf-unreadable",
            do="Ask the sender for a sound one, then cancel this. The bytes are kept as they came.",
            where=error.where,
            details=[{"code": error.code}, *_findings(body)],
        ) from None
    return invoice


def for_us(tenant: Tenant, invoice: Invoice) -> list[ConnectorError]:
    """Whether it is addressed to this company, as its purchase.

    Raises:
        Stop: `wrong-receiver`, `self-billing`, `own-sale`, `organisation-number-missing`.
    """
    own = tenant.organisation_number
    if own is None:
        raise Stop(
            f"Whether it is for {tenant.title} cannot be known: the tenant's file has no organisation number.",
            code="organisation-number-missing",
            do="Add `organisation_number` to the tenant's file, then retry.",
            where={"file": tenant.file},
        )
    if invoice.is_self_billed:
        raise Stop(
            "It is self-billing: a sale that the buyer has written the invoice for, no purchase.",
            code="self-billing",
            do="It goes to no books as a purchase. If it came through Peppol, the buyer sent it as an ordinary invoice:"
            " ask for one that says it is self-billing (customization id and profile). If it came in another way, post"
            " it to /v1/invoices on the route with `issues: counterparty`. Then cancel this.",
            where={"type_code": invoice.type_code},
        )
    seller, buyer = invoice.seller.organisation_number, invoice.buyer.organisation_number
    if seller == own:
        raise Stop(
            f"{tenant.title} is the seller: it is an outgoing invoice.",
            code="own-sale",
            do="Post it to /v1/invoices, and cancel this.",
        )
    if buyer == own:
        return []
    if buyer is not None:
        raise Stop(
            f"It is for {buyer} ({invoice.buyer.name or 'no name'}), not for {tenant.title} ({own}).",
            code="wrong-receiver",
            do="Send it on to whom it is for, and cancel this; nothing of it goes to any books.",
            where={"buyer": str(buyer), "own": str(own)},
        )
    return [
        Stop(
            f"It names no organisation number of its buyer ({invoice.buyer.name or 'no name'}).",
            code="receiver-unclear",
            do=f"accept: it is for {tenant.title}. refuse: it is not.",
        )
    ]


def _findings(body: bytes) -> list[dict[str, Any]]:
    return [finding.as_json() for finding in validate(body).fatal]


def invalid(body: bytes) -> list[ConnectorError]:
    """Whether it breaks the official rules: one reason, with every finding."""
    found = _findings(body)
    if not found:
        return []
    first = found[0]
    return [
        Stop(
            f"It breaks {len(found)} of the rules, the first {first['rule']}: {first['message']['en']}",
            code="ehf-invalid",
            do="accept: take it as it is. refuse: it does not go to the books; ask the sender for a sound one.",
            details=found,
        )
    ]


def twice(invoice: Invoice, others: Sequence[Document]) -> list[ConnectorError]:
    """It is here already, or another invoice has its number: by amount, or within the same year."""
    year = invoice.issue_date.year if invoice.issue_date else None
    near = [one for one in others if is_same(one, invoice) or (one.issue_date and one.issue_date.year == year)]
    if not near:
        return []
    first = next((one for one in near if is_same(one, invoice)), near[0])
    payable = invoice.totals.payable if invoice.totals else None
    how = "is here already" if is_same(first, invoice) else "is here with another amount"
    return [
        Stop(
            f"{invoice.number} from {first.counterparty_name} {how}: {first.payable} {first.currency} of"
            f" {first.issue_date}; this one says {payable} {invoice.currency} of {invoice.issue_date}.",
            code="invoice-twice",
            do="refuse: it is the same one, sent twice. accept: it is another one, and goes to the books as well.",
            where={"other": first.id},
            details={"other": first.id, "same_amount": is_same(first, invoice)},
        )
    ]


def received_there(invoice: Invoice, mirrored: Document | None) -> list[ConnectorError]:
    """The ledger has received it itself, by supplier, number and amount."""
    if mirrored is None:
        return []
    return [
        Stop(
            f"{invoice.number} from {mirrored.counterparty_name} is in the ledger already: it has received it itself.",
            code=LEDGER_HAS_IT,
            do="refuse: it is the same one; what came is kept with the ledger's. accept: it is another one, and goes to"
            " the books as well.",
            where={"other": mirrored.id},
            details={"other": mirrored.id},
        )
    ]


def account(invoice: Invoice, supplier: Supplier, route: TenantRoute) -> list[ConnectorError]:
    """Whether it asks to be paid to an account that is not known as the supplier's (BT-84)."""
    found = accounts(invoice, supplier)
    who = invoice.seller.name or "the supplier"
    if found.known and found.new:
        return [
            Stop(
                f"{who} asks to be paid to {', '.join(found.new)}; the last account known is {found.known[-1]}.",
                code="bank-account-changed",
                do="Call the supplier on a number that you know from elsewhere. accept: the new account is right, and"
                " known from now on. refuse: the invoice does not go to the books.",
                details={"account": found.new, "known": list(found.known)},
            )
        ]
    if not found.known and route.holds_new_suppliers:
        return [
            Stop(
                f"It is the first invoice from {who}; it asks to be paid to {', '.join(found.asked) or 'no account'}.",
                code="supplier-new",
                do="accept: the supplier and the account are right. refuse: the invoice does not go to the books.",
                details={"account": list(found.asked)},
            )
        ]
    return []


def is_same(document: Document, invoice: Invoice) -> bool:
    """Whether a document of the same supplier and number is this invoice: by amount and currency."""
    return invoice.totals is not None and (document.payable, document.currency) == (
        invoice.totals.payable,
        invoice.currency,
    )


def notes(invoice: Invoice) -> list[str]:
    """Figures that follow from others and are stated differently, within what the rules allow: booked as stated."""
    found = []
    for one in invoice.vat_breakdown:
        if one.taxable_amount is None or one.rate is None:
            continue
        computed = round2(one.taxable_amount * one.rate / 100)
        if computed != one.tax_amount:
            found.append(
                f"VAT of {plain(one.rate)} % on {plain(one.taxable_amount)} would be {plain(computed)}; the invoice"
                f" states {plain(one.tax_amount)} and is booked as stated."
            )
    return found
