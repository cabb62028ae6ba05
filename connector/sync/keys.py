"""What makes a document the same document: business keys, digests of content, and markers.

A business key guards for ever: the same key with the same content is the same document, with other content it is a
clash. Keys are plain text, so that a person can read them in an error.
"""

from __future__ import annotations

import hashlib

from connector.errors import BadInput
from connector.model import Dimension, Invoice, Party, Payment, Product, TradingPartner

LONGEST = 500
"""Bytes of UTF-8 that a name may have by which a document is found again."""


def invoice_key(invoice: Invoice) -> str:
    """Seller, year, type and number; without a number, the source's own id.

    The year is the calendar year of issue: number series may begin anew each year, never within one. Whose series it is
    belongs to it where that is not the seller's: two buyers may give their self-billed documents the same number.

    Raises:
        BadInput: it has neither (code `document-without-identity`), or one that is too long (`identity-too-long`).
    """
    for field, said in (("number", invoice.number), ("source_id", invoice.source_id), ("kid", invoice.payment_id)):
        _short(field, said or "")
    seller = party_key(invoice.seller)
    if invoice.number:
        year = invoice.issue_date.year if invoice.issue_date else "-"
        series = f"{party_key(invoice.buyer)}/" if invoice.is_self_billed else ""
        return f"{seller}/{year}/{invoice.type_code}/{series}{invoice.number}"
    if invoice.source_id:
        return f"{seller}/source/{invoice.source_id}"
    raise BadInput(
        "The document has neither a number (BT-1) nor an id of its source.",
        code="document-without-identity",
        do="Send `source_id`: the id of the document in your system, unique there for ever.",
        where={"field": "source_id"},
    )


def customer_key(customer: TradingPartner) -> str:
    """The organisation number where there is one; else the source's own customer number; else the party's name."""
    number = customer.party.organisation_number
    if number:
        return f"NO:{number}"
    if customer.source_id or customer.number:
        return _short("customer_id", f"source:{customer.source_id or customer.number}")
    return party_key(customer.party)


def register_key(kind: str, model: TradingPartner | Product | Dimension) -> str:
    """What a record of a register is, to everybody: a party by `customer_key`, else the number or code people use.

    Raises:
        BadInput: it has none (code `record-without-identity`), or one that is too long (`identity-too-long`).
    """
    if isinstance(model, TradingPartner):
        return customer_key(model)
    if isinstance(model, Product) and not model.number:
        return _short("source_id", f"source:{model.source_id}") if model.source_id else _short("name", model.name)
    return code_key(kind, model.number or "" if isinstance(model, Product) else model.code, model)


def code_key(kind: str, code: str, model: TradingPartner | Product | Dimension | None = None) -> str:
    """The key of what people call by this code: product 100, department 10, value K1 of the dimension Campaign."""
    if isinstance(model, Dimension) and model.kind == "free":
        if not model.dimension:
            raise BadInput(
                "A value of a free dimension says which dimension it belongs to.",
                code="record-without-identity",
                do="Send `dimension`: its name.",
                where={"field": "dimension"},
            )
        return _short("code", f"{model.dimension}/{code}")
    return _short("code", f"number:{code}" if kind == "product" else code)


def payment_key(source: str, payment: Payment) -> str:
    """The source's own row id: two equal payments differ in it. Raises `BadInput` (`identity-too-long`)."""
    _short("bank_reference", payment.bank_reference or "")
    return fact_key(source, payment.source_id)


def fact_key(source: str, source_id: str) -> str:
    """The id that a fact (payment, settlement, reversal) has in its source. Raises `BadInput` (`identity-too-long`)."""
    return f"{source}/{_short('source_id', source_id)}"


def party_key(party: Party) -> str:
    """Who it is, by the strongest identifier it carries.

    Raises:
        BadInput: it carries none, not even a name (code `party-without-identity`).
    """
    if party.organisation_number:
        return f"NO:{party.organisation_number}"
    for identifier in (party.legal_id, party.endpoint, *party.identifiers):
        if identifier:
            return _short("party", f"{identifier.scheme or '-'}:{identifier.value}")
    if party.vat_number:
        return _short("vat_number", f"VAT:{party.vat_number}")
    if party.name:
        return _short("name", f"name:{party.name.casefold()}")
    raise BadInput(
        "A party has neither an identifier nor a name.",
        code="party-without-identity",
        do="Give at least its organisation number or its name.",
    )


def _short(field: str, said: str) -> str:
    if len(said.encode()) > LONGEST:
        raise BadInput(
            f"{field} is longer than {LONGEST} bytes: {said[:40]}…",
            code="identity-too-long",
            do="Use a shorter one.",
            where={"field": field},
        )
    return said


def digest(content: bytes) -> str:
    """SHA-256 of canonical content, as hex."""
    return hashlib.sha256(content).hexdigest()


def marker(document: str, connection: str, purpose: str) -> str:
    """Our own key for one effect: the same for ever for the same document, connection and purpose; 26 characters."""
    raw = hashlib.sha256(f"{document}\0{connection}\0{purpose}".encode()).hexdigest()
    return f"c-{raw[:24]}"
