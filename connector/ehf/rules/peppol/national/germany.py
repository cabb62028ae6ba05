"""Germany: seller's and buyer's address in DE. The rules of XRechnung that Peppol took over."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.national.tree import at, attributes, only, strings, value
from connector.ehf.rules.peppol.parties import BUYER, SELLER, both_german
from connector.ehf.rules.xpath import BreaksOff, disjunction, normalize, number

_TRANSFER: Final = ("30", "58")
_CARD: Final = ("48", "54", "55")
_DEBIT: Final = ("59",)
_GROUPS: Final = (_TRANSFER, _CARD, _DEBIT)
_TYPES: Final = ("326", "380", "384", "389", "381", "875", "876", "877")
_TAXED: Final = frozenset(("S", "Z", "E", "AE", "K", "G", "L", "M"))
_SKONTO: Final = r"#(SKONTO)#TAGE=([0-9]+#PROZENT=[0-9]+\.[0-9]{2})(#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#\Z"
_SKONTO_LINE: Final = re.compile(r"(?:\A|\r?\n)" + _SKONTO)
_SKONTO_OLD: Final = re.compile(_SKONTO)
_STATEMENT: Final = re.compile(r"#[^\n\r]+#")
_LINE_END: Final = re.compile(r"[ \t\r\n]*\n")
_EMAIL: Final = re.compile(r"[^@ \t\r\n]+@([^@. \t\r\n]+\.)+[^@. \t\r\n]+")
_EMAIL_OLD: Final = re.compile(
    r"""[a-zA-Z0-9!#$%&"*+/=?^_`{|}~-]+(\.[a-zA-Z0-9!#$%&"*+/=?^_`{|}~-]+)*"""
    r"@([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
)
_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_IBAN: Final = re.compile("[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{0,30}")
_BLANKS: Final = re.compile(r"[ \t\r\n]")


def judge(doc: Document) -> None:
    """DE-R-001 to DE-R-031 and DE-R-T02."""
    if not both_german(doc):
        return
    root = doc.root
    _header(doc)
    _skonto(doc)
    links = at(root, "cac:AdditionalDocumentReference/cac:Attachment/cac:ExternalReference")
    for reference in links if doc.since("3.0.21") else ():
        uri = value(reference, "cbc:URI")
        if _URL.match(uri) is None:
            doc.fire("DE-R-T02", reference, value=uri or None)
    for seller in at(root, SELLER):
        if not at(seller, "cac:Party/cac:Contact"):
            doc.fire("DE-R-002", seller)
    address = "cac:Party/cac:PostalAddress"
    _filled(doc, at(root, f"{SELLER}/{address}"), {"cbc:CityName": "DE-R-003", "cbc:PostalZone": "DE-R-004"})
    for contact in at(root, f"{SELLER}/cac:Party/cac:Contact"):
        _contact(doc, contact)
    _filled(doc, at(root, f"{BUYER}/{address}"), {"cbc:CityName": "DE-R-008", "cbc:PostalZone": "DE-R-009"})
    delivery = at(root, "cac:Delivery/cac:DeliveryLocation/cac:Address")
    _filled(doc, delivery, {"cbc:CityName": "DE-R-010", "cbc:PostalZone": "DE-R-011"})
    for means in at(root, "cac:PaymentMeans"):
        _payment(doc, means)
    for group in at(root, "cac:TaxTotal/cac:TaxSubtotal"):
        if not _has_text(group, "cac:TaxCategory/cbc:Percent"):
            doc.fire("DE-R-014", group)


def _has_text(start: etree._Element, path: str) -> bool:
    return any(normalize(found) for found in strings(start, path))


def _filled(doc: Document, places: list[etree._Element], rules: dict[str, str]) -> None:
    for place in places:
        for name, rule in rules.items():
            if not _has_text(place, name):
                doc.fire(rule, place)


def _header(doc: Document) -> None:
    root = doc.root
    if not at(root, "cac:PaymentMeans"):
        doc.fire("DE-R-001", root)
    if not _has_text(root, "cbc:BuyerReference"):
        doc.fire("DE-R-015", root)
    if _uses_taxed(root) and not (
        at(root, "cac:TaxRepresentativeParty")
        or _has_text(root, f"{SELLER}/cac:Party/cac:PartyTaxScheme/cbc:CompanyID")
    ):
        doc.fire("DE-R-016", root)
    invoice_types, credit_types = strings(root, "cbc:InvoiceTypeCode"), strings(root, "cbc:CreditNoteTypeCode")
    if not _type_is(doc, invoice_types, credit_types, _TYPES):
        said = [*invoice_types, *credit_types]
        doc.fire("DE-R-017", root, value=said[0] if said else None, allowed=", ".join(_TYPES))
    names = at(root, "cac:AdditionalDocumentReference")
    if _repeats_a_file(names):
        doc.fire("DE-R-022", root)
    if not at(root, "cac:BillingReference/cac:InvoiceDocumentReference") and _type_is(
        doc, invoice_types, credit_types, ("384",), as_number=True
    ):
        doc.fire("DE-R-026", root)
    mandates = at(root, "cac:PaymentMeans/cac:PaymentMandate")
    if mandates:
        creditors = at(root, f"{SELLER}/cac:Party/cac:PartyIdentification/cbc:ID")
        creditors += at(root, "cac:PayeeParty/cac:PartyIdentification/cbc:ID")
        if "SEPA" not in attributes(creditors, "schemeID"):
            doc.fire("DE-R-030", root)
        if not at(mandates, "cac:PayerFinancialAccount/cbc:ID"):
            doc.fire("DE-R-031", root)


def _type_is(
    doc: Document, invoice: list[str], credit: list[str], codes: tuple[str, ...], *, as_number: bool = False
) -> bool:
    """Whether one of the type codes is among `codes`; before 3.0.21 compared as it stands, or as a number."""
    if doc.since("3.0.21"):
        return disjunction(
            *(lambda said=said: normalize(only(said, "type codes")) in codes for said in (invoice, credit))
        )
    if not as_number:
        return any(code in codes for code in (*invoice, *credit))
    return any(_number_is(code, *map(float, codes)) for code in (*invoice, *credit))


def _number_is(text: str, *wanted: float) -> bool:
    """`text = 384`: the text cast to a number.

    Raises:
        BreaksOff: it is none.
    """
    found = number(text)
    if found != found and text.strip() != "NaN":
        raise BreaksOff(f"xs:double({text!r})")
    return found in wanted


def _uses_taxed(root: etree._Element) -> bool:
    categories = [
        code
        for adjustment in at(root, "cac:AllowanceCharge")
        if {"true", "false"} & {*strings(adjustment, "cbc:ChargeIndicator")}
        for code in strings(adjustment, "cac:TaxCategory/cbc:ID")
    ]
    for line in ("cac:InvoiceLine", "cac:CreditNoteLine"):
        categories += strings(root, f"{line}/cac:Item/cac:ClassifiedTaxCategory/cbc:ID")
    return not _TAXED.isdisjoint(categories)


def _repeats_a_file(references: list[etree._Element]) -> bool:
    seen: set[str] = set()
    for reference in references:
        names = attributes(at(reference, "cac:Attachment/cbc:EmbeddedDocumentBinaryObject"), "filename")
        if not seen.isdisjoint(names):
            return True
        seen.update(names)
    return False


def _skonto(doc: Document) -> None:
    """DE-R-018: each line of the payment terms that starts with # is a cash discount in the agreed form."""
    notes = [found[0] for terms in at(doc.root, "cac:PaymentTerms") if (found := strings(terms, "cbc:Note"))]
    lines = [line for note in notes if note for line in re.split(r"\r?\n", note) if normalize(line).startswith("#")]
    form = _SKONTO_LINE if doc.since("3.0.21") else _SKONTO_OLD
    for line in lines:
        if form.search(normalize(line)) is None:
            doc.fire("DE-R-018", doc.root, value=normalize(line))
            return
        rests = [_STATEMENT.split(note)[-1] for note in notes if note]
        if len(rests) > 1:
            raise BreaksOff("several payment terms")
        if _LINE_END.match(rests[0]) is None:
            doc.fire("DE-R-018", doc.root, value=normalize(line))
            return


def _contact(doc: Document, contact: etree._Element) -> None:
    _filled(doc, [contact], {"cbc:Name": "DE-R-005", "cbc:Telephone": "DE-R-006", "cbc:ElectronicMail": "DE-R-007"})
    telephone = normalize(value(contact, "cbc:Telephone"))
    if sum(character in "0123456789" for character in telephone) < 3:
        doc.fire("DE-R-027", contact, value=telephone or None)
    email = normalize(value(contact, "cbc:ElectronicMail"))
    if (_EMAIL if doc.since("3.0.21") else _EMAIL_OLD).fullmatch(email) is None:
        doc.fire("DE-R-028", contact, value=email or None)


def _payment(doc: Document, means: etree._Element) -> None:
    """DE-R-019 to 025: what goes with which way to pay."""
    codes = strings(means, "cbc:PaymentMeansCode")
    group = _group(doc, codes)
    transfer, card, debit = (
        bool(at(means, name)) for name in ("cac:PayeeFinancialAccount", "cac:CardAccount", "cac:PaymentMandate")
    )
    if group == _TRANSFER:
        if _has_code(doc, codes, "58"):
            _iban(doc, "DE-R-019", means, "cac:PayeeFinancialAccount/cbc:ID")
        _goes_with(doc, means, transfer, card or debit, "DE-R-023-")
    elif group == _CARD:
        _goes_with(doc, means, card, transfer or debit, "DE-R-024-")
    elif group == _DEBIT:
        if _has_code(doc, codes, "59"):
            _iban(doc, "DE-R-020", means, "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID")
        _goes_with(doc, means, debit, transfer or card, "DE-R-025-")


def _group(doc: Document, codes: list[str]) -> tuple[str, ...]:
    """Which of the groups the code is in; before 3.0.21 compared as a number. What is no code at all is in none."""
    if doc.since("3.0.21"):
        said = [normalize(code) for code in codes] if len(codes) == 1 else []
        return next((group for group in _GROUPS if {*said} & {*group}), ())
    for group in _GROUPS:
        for code in codes:
            found = number(code)
            if found != found:
                break
            if found in map(float, group):
                return group
    return ()


def _has_code(doc: Document, codes: list[str], code: str) -> bool:
    return code in ([normalize(one) for one in codes] if doc.since("3.0.21") else codes)


def _goes_with(doc: Document, means: etree._Element, wanted: bool, others: bool, stem: str) -> None:
    if not wanted:
        doc.fire(f"{stem}1", means)
    if others:
        doc.fire(f"{stem}2", means)


def _iban(doc: Document, rule: str, means: etree._Element, path: str) -> None:
    account = _BLANKS.sub("", value(means, path))
    if _IBAN.fullmatch(account) is None:
        doc.fire(rule, means, value=account or None)
        return
    turned = account[4:] + account[:4]
    digits = "".join(str(ord(letter) - 55) if letter > "@" else letter for letter in turned)
    if int(digits) % 97 != 1:
        doc.fire(rule, means, value=account)
