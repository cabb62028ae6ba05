"""What the document as a whole must have: process, specification, references, tax totals, type, dates."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from connector.ehf.rules.engine import Document, Node, Outline, Plan, Values, element_of, is_blank
from connector.ehf.rules.peppol.layers import both, is_self_billing, own_text, text_of
from connector.ehf.rules.peppol.parties import both_german, told
from connector.ehf.rules.xpath import BreaksOff, conjunction, disjunction, is_date, normalize, sign

_BILLING: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_SELF_BILLING: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"
_BILLING_PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_SELF_BILLING_PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0"
_FRENCH: Final = ("urn:peppol:france:billing:regulated", "urn:peppol:france:billing:non-regulated")
_WITH_RESPONSE: Final = "urn:peppol:bis:billing_with_response"
_OLD_PROCESS: Final = re.compile("urn:fdc:peppol.eu:2017:poacc:billing:[0-9]{2}:1.0")  # unanchored, as it was
UNKNOWN: Final = "Unknown"


def profile(doc: Document) -> str | None:
    """The number of the billing process, `Unknown`, or None where the official expression yields nothing at all.

    Raises:
        BreaksOff: there are several processes.
    """
    said = doc.spots("cbc:ProfileID")
    if len(said) > 1:
        raise BreaksOff("several cbc:ProfileID")
    process = doc.text(said[0]) or "" if said else ""
    self_billing = is_self_billing(doc)
    if process == _BILLING_PROCESS and not self_billing:
        return "01"
    process = normalize(process)
    if not doc.since("3.0.21") and not self_billing:
        if _OLD_PROCESS.search(process) is None:
            return UNKNOWN
        parts = process.split(":")
        return parts[6] if len(parts) > 6 else None
    if process in (_SELF_BILLING_PROCESS if self_billing else _BILLING_PROCESS, *_FRENCH):
        return "01"
    return "02" if process == _WITH_RESPONSE else UNKNOWN


@both.outline
def header(outline: Outline) -> None:
    """R001, R002, R003, R004, R007: process, note, references, specification."""
    if not outline.has("cbc:ProfileID"):
        outline.fires("PEPPOL-EN16931-R001")
    outline.check(_process)
    if outline.count("cbc:Note") > 1:
        outline.check(lambda doc: None if told(both_german(doc)) else doc.fire("PEPPOL-EN16931-R002", doc.top))
    if not outline.has("cbc:BuyerReference") and not outline.has("cac:OrderReference/cbc:ID"):
        outline.fires("PEPPOL-EN16931-R003")
    outline.check(_specification)
    if len(outline.plans) == 1 and outline.plans[0].size == 1 and not outline.lines:
        outline.check(lambda doc: doc.fire("PEPPOL-EN16931-R008", doc.top) if is_blank(doc.root.text) else None)


def _process(doc: Document) -> None:
    """R007."""
    if profile(doc) in (UNKNOWN, None):
        doc.fire("PEPPOL-EN16931-R007", doc.top, value=next(iter(doc.texts("cbc:ProfileID")), None))


def _specification(doc: Document) -> None:
    """R004."""
    spots = doc.spots("cbc:CustomizationID")
    if len(spots) == 1 and doc.typed and not doc.parted:
        specification = doc.text(spots[0]) or ""
    else:
        specification = text_of([element_of(doc.at(spot)) for spot in spots], doc) or ""
    wanted = _SELF_BILLING if is_self_billing(doc) else _BILLING
    if specification != wanted:
        specification = normalize(specification)
        colons = "::" in specification and (doc.since("3.0.21") or is_self_billing(doc))
        if colons or not specification.startswith(wanted):
            doc.fire("PEPPOL-EN16931-R004", doc.top, value=specification or None)


@both.outline
def tax_totals(outline: Outline) -> None:
    """R053, R054, R055: one tax total with its parts, and one more in the accounting currency when there is one."""
    total = outline.count("cac:TaxTotal")
    whole = sum(node.has("cac:TaxSubtotal") for _, node in outline.nodes("cac:TaxTotal"))
    accounting = outline.has("cbc:TaxCurrencyCode")
    if whole != 1:
        outline.fires("PEPPOL-EN16931-R053", value=str(whole), allowed="1")
    if total - whole != accounting:
        outline.fires("PEPPOL-EN16931-R054", value=str(total - whole), allowed=str(int(accounting)))
    if accounting:
        outline.check(lambda doc: None if _same_sign(doc) else doc.fire("PEPPOL-EN16931-R055", doc.top))


def _same_sign(doc: Document) -> bool:
    accounting, invoice = "cbc:TaxCurrencyCode", "cbc:DocumentCurrencyCode"

    def some(currency: str, compares: Callable[[int, int], bool]) -> bool:
        return any(compares(amount, 0) for amount in _signs_in(doc, currency))

    return disjunction(
        lambda: conjunction(lambda: some(accounting, operator.le), lambda: some(invoice, operator.le)),
        lambda: conjunction(lambda: some(accounting, operator.ge), lambda: some(invoice, operator.ge)),
    )


def _signs_in(doc: Document, currency: str) -> Iterator[int]:
    """The signs of the tax amounts of the document in the currency that the element names."""
    said = doc.texts(currency)
    for text, code, _ in doc.attributed("cac:TaxTotal/cbc:TaxAmount", "currencyID"):
        if len(said) > 1:
            raise BreaksOff(f"several {currency}")
        if code == (normalize(said[0] or "") if said else ""):
            yield sign(text or "")


@both.on("cbc:TaxCurrencyCode")
def accounting_currency(node: Node, plan: Plan) -> None:
    """R005: the accounting currency is another than that of the invoice."""
    if node.parent is plan.root and plan.root.i < 0:  # no field: judged in the header, beside the other currency
        return
    i = node.i
    others = node.parent.places("cbc:DocumentCurrencyCode") if node.parent else ()

    def check(v: Values, doc: Document) -> None:
        accounting, invoice = v[i], v[others[0]] if len(others) == 1 else None
        if len(others) > 1 or not doc.typed or doc.parted:
            accounting, invoice = own_text(v[i], i, doc), text_of([doc.els[k] for k in others], doc)
        if normalize(accounting or "") == normalize(invoice or ""):
            doc.fire("PEPPOL-EN16931-R005", i, value=v[i])

    plan.check(check)


@both.on("/cac:AdditionalDocumentReference")
def project_reference(node: Node, plan: Plan) -> None:
    """Count the references with type code 50 of a credit note, for R080."""
    codes = node.places("cbc:DocumentTypeCode")

    def check(v: Values, doc: Document) -> None:
        if any(v[i] == "50" for i in codes):
            doc.facts["projects"] = doc.facts.get("projects", 0) + 1

    if codes and plan.kind == "CreditNote":
        plan.check(check)


@both.document
def one_project(doc: Document) -> None:
    """R080: a credit note refers to one project at most."""
    if doc.facts.get("projects", 0) > 1:
        doc.fire("PEPPOL-EN16931-R080", doc.top, value=str(doc.facts["projects"]), allowed="1")


@both.on("cac:AccountingCustomerParty/cac:Party", "cac:AccountingSupplierParty/cac:Party")
def electronic_address(node: Node, plan: Plan) -> None:
    """R010, R020: buyer (BT-49) and seller (BT-34) have an electronic address."""
    if not node.has("cbc:EndpointID"):
        buyer = node.parent is not None and node.parent.tag == "cac:AccountingCustomerParty"
        plan.fires("PEPPOL-EN16931-R010" if buyer else "PEPPOL-EN16931-R020", node)


@both.shape
def not_empty(plan: Plan) -> None:
    """R008: no element without content."""
    leaves = [node.i for node in plan.nodes if not node.kids and node.parent is not None]

    def check(v: Values, doc: Document) -> None:
        for i in leaves:
            if is_blank(v[i]):
                doc.fire("PEPPOL-EN16931-R008", i)

    plan.when_blank(check)


@both.on("cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode")
def type_code(node: Node, plan: Plan) -> None:
    """Remember the types that P0100, P0101 and P0112 have something against, until process and parties are known."""
    i = node.i
    credit = node.tag == "cbc:CreditNoteTypeCode"
    layer = "self-billing" if is_self_billing(plan) else "peppol"
    allowed = plan.codes(f"{layer}-{'credit-note' if credit else 'invoice'}-type")
    rule = "PEPPOL-EN16931-P0101" if credit else "PEPPOL-EN16931-P0100"

    def check(v: Values, doc: Document) -> None:
        code = normalize(v[i] or "")
        if code not in allowed or not doc.typed or doc.parted:
            doc.facts.setdefault("types", []).append((rule, doc.place(i), code, allowed))
        if code in ("326", "384") and not credit:
            doc.facts.setdefault("types", []).append(("PEPPOL-EN16931-P0112", doc.place(i), code, allowed))

    plan.check(check)


@both.document
def type_codes(doc: Document) -> None:
    """P0100, P0101: the types that the process allows. P0112: partial and corrected invoices are for Germans only."""
    for rule, place, code, allowed in doc.facts.get("types", ()):
        if rule == "PEPPOL-EN16931-P0112":
            if rule in doc.rules.entries and not told(both_german(doc)):
                doc.fire(rule, place, value=code)
        elif profile(doc) in (("01", "02", None) if doc.since("3.0.21") and not is_self_billing(doc) else ("01", None)):
            # None: nothing at all is not "other than 01", so before 3.0.21 the list then counts as well.
            own = code if doc.typed and not doc.parted else text_of([element_of(place)], doc)
            if normalize(own or "") not in allowed:
                doc.fire(rule, place, value=code)


_exists: Final = lru_cache(maxsize=1024)(is_date)  # asked for texts of ten characters only, and mostly for the same


@both.on("cbc:IssueDate", "cbc:DueDate", "cbc:TaxPointDate", "cbc:StartDate", "cbc:EndDate", "cbc:ActualDeliveryDate")
def date_form(node: Node, plan: Plan) -> None:
    """F001: a date is YYYY-MM-DD, without a time zone, and exists."""
    i = node.i

    def check(v: Values, doc: Document) -> None:
        text = v[i]
        # Whether it is a date comes first; only then is text() read.
        exists = _exists(text) if text and len(text) == 10 else is_date(text or "")
        own = own_text(text, i, doc) if exists else None
        if own is None or len(own) != 10:
            doc.fire("PEPPOL-EN16931-F001", i, value=text)

    plan.check(check)
