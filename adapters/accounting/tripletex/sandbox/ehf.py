"""What Tripletex reads out of an EHF that it receives: who sent it, its number, dates, amount and KID."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.registers import REGISTERS, create
from adapters.accounting.tripletex.sandbox.things import Thing, invalid
from adapters.loopback import Upload

_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_PARTY = f"{_CAC}AccountingSupplierParty/{_CAC}Party/{_CAC}PartyLegalEntity/"


def read_ehf(books: Books, upload: Upload) -> dict[str, Any]:
    """The arguments of `Books.receive_ehf`; the supplier is made where it is not known by its organisation number.

    Raises:
        SandboxError: (422) it is no invoice.
    """
    try:
        root = etree.fromstring(upload.content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        raise invalid("file", "Filen er ikke en gyldig EHF.") from None

    def said(path: str) -> str:
        return (root.findtext(path) or "").strip()

    credit = etree.QName(root).localname == "CreditNote"
    amount = said(f"{_CAC}LegalMonetaryTotal/{_CBC}PayableAmount")
    try:
        day = date.fromisoformat(said(f"{_CBC}IssueDate"))
        due = date.fromisoformat(said(f"{_CBC}DueDate") or day.isoformat())
        total = -Decimal(amount) if credit else Decimal(amount)
    except (ValueError, InvalidOperation):
        raise invalid("file", "Filen er ikke en gyldig EHF.") from None
    supplier = supplier_named(books, said(f"{_PARTY}{_CBC}CompanyID"), said(f"{_PARTY}{_CBC}RegistrationName"))
    kid = said(f"{_CAC}PaymentMeans/{_CBC}PaymentID") or None
    return {"supplier": supplier, "number": said(f"{_CBC}ID"), "day": day, "due": due, "amount": total, "kid": kid}


def supplier_named(books: Books, organisation_number: str, name: str) -> Thing:
    """The supplier with this organisation number; a new one where there is none."""
    for supplier in books.things.get("supplier", {}).values():
        if organisation_number and supplier.get("organizationNumber") == organisation_number:
            return supplier
    said = {"name": name or "Ukjent leverandør", "organizationNumber": organisation_number}
    return create(books, REGISTERS["supplier"], said)
