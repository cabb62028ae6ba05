"""From Tripletex' answers to records of suppliers and incoming invoices. No calls.

An incoming invoice is known by its voucher all its life: in the voucher reception, among the drafts, in the ledger. A
supplier invoice of the register (`/supplierInvoice`) names the voucher; an EHF that still lies in the reception is told
by the EHF itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from adapters.accounting.tripletex import changes, wire
from adapters.accounting.tripletex.records import fields_of, not_as_described, pick, sound
from connector.ports import Kind, Paid, Payable, Record

Row = Mapping[str, Any]

SUPPLIER_FIELDS = (
    f"{fields_of(wire.Supplier, leave=frozenset({'bankAccounts'}))},bankAccountPresentation(iban,bban),{changes.FIELD}"
)
VOUCHER_FIELDS = (
    "id,version,date,number,year,description,vendorInvoiceNumber,ediDocument(id,fileName),attachment(id,fileName,size)"
)
SUPPLIER_INVOICE_FIELDS = (
    "id,version,invoiceNumber,invoiceDate,invoiceDueDate,kidOrReceiverReference,amountCurrency,"
    "amountExcludingVatCurrency,isCreditNote,outstandingAmount,currency(id,code),"
    "supplier(id,name,organizationNumber),voucher(id,version,number,year,description),"
    "payments(id,date,amountCurrency)"
)
"""A supplier invoice in the register."""
_AMOUNTS = ("amountCurrency", "amountExcludingVatCurrency", "outstandingAmount")


def supplier(row: Row) -> Record:
    """A supplier as read."""
    body = pick(wire.Supplier, row, empties=True)
    shown = row.get("bankAccountPresentation")
    if isinstance(shown, list):  # rights may hide it: then it is unknown
        numbers = [one.get("bban") or one.get("iban") for one in shown if isinstance(one, Mapping)]
        body["bankAccounts"] = [str(number) for number in numbers if number]
    return Record(
        Kind.SUPPLIER, str(row["id"]), str(row.get("version", 0)), sound(wire.Supplier, body), changed=changes.last(row)
    )


def version_of(row: Row) -> str:
    """Differs whenever what may change of a supplier invoice does: a payment may leave its `version` as it was."""
    voucher = row.get("voucher") or {}
    return f"{row.get('version', 0)}/{row.get('outstandingAmount')}/{voucher.get('number') or 0}"


def supplier_invoice(row: Row) -> Record:
    """A supplier invoice of the register; its record is its voucher's."""
    voucher = row.get("voucher")
    if not isinstance(voucher, Mapping) or type(voucher.get("id")) is not int:
        raise not_as_described("voucher.id", "an integer", "/supplierInvoice")
    sign = -1 if row.get("isCreditNote") else 1
    body = pick(wire.SupplierInvoiceRecord, {**row, "description": voucher.get("description")})
    for name in _AMOUNTS:
        if name in body:
            body[name] = sign * _number(body[name], name)
    # Nothing is open of what is not booked: until then the register's 0 says nothing.
    if not voucher.get("number"):
        body.pop("outstandingAmount", None)
    for payment in body.get("payments") or ():
        if "amountCurrency" in payment:
            payment["amountCurrency"] = sign * _number(payment["amountCurrency"], "payments.amountCurrency")
    body["isCreditNote"] = bool(row.get("isCreditNote"))
    return Record(
        Kind.SUPPLIER_INVOICE,
        str(voucher["id"]),
        version_of(row),
        sound(wire.SupplierInvoiceRecord, body),
        payable=_payable(body),
    )


def in_reception(voucher: Row, said: Said | None) -> Record:
    """A voucher that is no supplier invoice of the register yet; `said`: what its EHF says, where it has one."""
    body: dict[str, Any] = pick(wire.SupplierInvoiceRecord, {"voucher": voucher})
    if voucher.get("description"):
        body["description"] = voucher["description"]
    if said is not None:
        body |= {
            "supplier": {
                name: value
                for name, value in (("name", said.name), ("organizationNumber", said.organisation_number))
                if value
            },
            "invoiceNumber": said.number,
            "amountCurrency": said.payable,
            "isCreditNote": said.credit_note,
            "currency": {"code": said.currency},
        }
        days = (("invoiceDate", said.issued), ("invoiceDueDate", said.due))
        body |= {name: day.isoformat() for name, day in days if day is not None}
    version = f"{voucher.get('version', 0)}/reception"
    return Record(
        Kind.SUPPLIER_INVOICE,
        str(voucher["id"]),
        version,
        sound(wire.SupplierInvoiceRecord, body),
        payable=_payable(body),
    )


def _payable(body: Row) -> Payable:
    """How the invoice stands, from its record's body."""
    voucher, supplier = body.get("voucher") or {}, (body.get("supplier") or {}).get("id")
    written = f"{voucher['year']}/{voucher['number']}" if voucher.get("number") and voucher.get("year") else None
    return Payable(
        number=body.get("invoiceNumber"),
        supplier=None if supplier is None else str(supplier),
        text=body.get("description"),
        net=body.get("amountExcludingVatCurrency"),
        voucher=written,
        open=body.get("outstandingAmount"),
        payments=tuple(
            Paid(str(one["id"]), one.get("date"), Decimal(one.get("amountCurrency") or 0))
            for one in body.get("payments") or ()
        ),
    )


def _number(value: Any, field: str) -> Decimal:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise not_as_described(field, "a number")
    return Decimal(value)


# --- an EHF in the reception ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What an EHF says of itself, as far as it tells one invoice from another; `payable` in `currency` (BT-115)."""

    organisation_number: str | None
    name: str | None
    number: str
    issued: date | None
    due: date | None
    payable: Decimal
    currency: str
    credit_note: bool


_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CBC, _CAC = f"{{{_UBL}:CommonBasicComponents-2}}", f"{{{_UBL}:CommonAggregateComponents-2}}"
_LEGAL = f"{_CAC}AccountingSupplierParty/{_CAC}Party/{_CAC}PartyLegalEntity/"


def said_in(content: bytes) -> Said | None:
    """What the EHF says; None where the bytes are no EHF that can be read."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        names = {f"{{{_UBL}:{kind}-2}}{kind}": kind == "CreditNote" for kind in ("Invoice", "CreditNote")}
        if root.tag not in names:
            return None
        amount = root.find(f"{_CAC}LegalMonetaryTotal/{_CBC}PayableAmount")
        number = _text(root, f"{_CBC}ID")
        if amount is None or not number:
            return None
        return Said(
            organisation_number="".join(_text(root, f"{_LEGAL}{_CBC}CompanyID").split()) or None,
            name=_text(root, f"{_LEGAL}{_CBC}RegistrationName") or None,
            number=number,
            issued=_day(_text(root, f"{_CBC}IssueDate")),
            due=_day(_text(root, f"{_CBC}DueDate")),
            payable=Decimal((amount.text or "").strip()),
            currency=amount.get("currencyID", ""),
            credit_note=names[root.tag],
        )
    except (etree.XMLSyntaxError, InvalidOperation, ValueError):
        return None


def _text(root: etree._Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
