"""Whether EHF can carry an invoice at all: what must be there, and which terms need another to hang on."""

from __future__ import annotations

from collections.abc import Iterator

from connector.errors import BadInput
from connector.model import Invoice, Line

_NUMBER_IT = "Let the issuer number and date it first; the ledger does where the route says that it issues."
_COMPOSE_IT = "Compose the document (`connector.model.compose`), or state the amounts."

Fault = tuple[str, str, str, str]
"""Code, field, what is wrong, what to do."""


def check(invoice: Invoice) -> None:
    """Raise `BadInput` with the first fault, and all of them in `details`."""
    faults = [*_document(invoice)]
    for number, line in enumerate(invoice.lines):
        faults += [(code, f"lines[{number}].{field}", said, do) for code, field, said, do in _line(line)]
    if faults:
        code, field, said, do = faults[0]
        details = [{"code": code, "field": field, "message": said, "do": do} for code, field, said, do in faults]
        raise BadInput(f"{field}: {said}", code=code, do=do, where={"field": field}, details=details)


def _kept(invoice: Invoice, name: str) -> bool:
    """Whether what was read held the element all the same, empty or written in another way."""
    return any(
        each.what == "element" and not each.at and f":{name}" in (each.value or "") for each in invoice.extension
    )


def _document(invoice: Invoice) -> Iterator[Fault]:
    if invoice.number is None and not _kept(invoice, "ID"):
        yield "not-issued", "number", "the invoice has no number (BT-1)", _NUMBER_IT
    if invoice.issue_date is None and not _kept(invoice, "IssueDate"):
        yield "not-issued", "issue_date", "the invoice has no date of issue (BT-2)", _NUMBER_IT
    if invoice.totals is None:
        yield "not-composed", "totals", "the invoice has no totals (BG-22)", _COMPOSE_IT
    else:
        if invoice.totals.tax is None and invoice.vat_breakdown:
            yield "not-composed", "totals.tax", "there is a VAT breakdown but no total VAT (BT-110)", _COMPOSE_IT
        if invoice.totals.tax_in_accounting_currency is not None and invoice.tax_currency is None:
            yield _needs("tax_currency", "VAT in the accounting currency (BT-111) needs that currency (BT-6)")
    if invoice.is_credit_note and invoice.due_date and not invoice.payment_means:
        yield _needs("payment_means", "EHF carries the due date of a credit note with a payment means (code 1 will do)")
    for number, item in enumerate(invoice.allowances_charges):
        if item.amount is None:
            yield "not-composed", f"allowances_charges[{number}].amount", "no amount", _COMPOSE_IT


def _line(line: Line) -> Iterator[Fault]:
    if line.net is None:
        yield "not-composed", "net", "the line has no amount (BT-131)", _COMPOSE_IT
    if line.quantity is None and line.unit_code is not None:
        yield _needs("quantity", "a unit needs its quantity (BT-129)")
    if line.base_quantity is None and line.base_quantity_unit is not None:
        yield _needs("base_quantity", "a unit of the base quantity needs that quantity (BT-149)")
    if line.price is None and any(
        value is not None for value in (line.price_discount, line.gross_price, line.base_quantity)
    ):
        yield _needs("price", "discount, gross price and base quantity need the net price (BT-146)")
    if line.price_discount is None and line.gross_price is not None:
        yield _needs("price_discount", "a gross price needs the discount (BT-147), 0 if there is none")
    for number, item in enumerate(line.allowances_charges):
        if item.amount is None:
            yield "not-composed", f"allowances_charges[{number}].amount", "no amount", _COMPOSE_IT


def _needs(field: str, said: str) -> Fault:
    return "needs-other-term", field, said, "Fill in the field named, or leave the other out."
