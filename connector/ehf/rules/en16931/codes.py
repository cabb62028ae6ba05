"""Code lists (BR-CL), and the country prefix of VAT numbers (BR-CO-09). The lists are data, see `codes/`."""

from __future__ import annotations

from typing import Final

from connector.ehf.rules.codelists import in_order
from connector.ehf.rules.en16931.facts import indicator, is_vat, scheme_place
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import AMOUNTS, Document, Node, Plan, Values, getter, strip

TEXTS: Final = {
    "cbc:InvoiceTypeCode": ("BR-CL-01", "invoice-type"),
    "cbc:CreditNoteTypeCode": ("BR-CL-01", "credit-note-type"),
    "cbc:DocumentCurrencyCode": ("BR-CL-04", "currency"),
    "cbc:TaxCurrencyCode": ("BR-CL-05", "currency"),
    "cac:InvoicePeriod/cbc:DescriptionCode": ("BR-CL-06", "vat-point"),
    "cac:Country/cbc:IdentificationCode": ("BR-CL-14", "country"),
    "cac:OriginCountry/cbc:IdentificationCode": ("BR-CL-15", "country"),
    "cac:PaymentMeans/cbc:PaymentMeansCode": ("BR-CL-16", "payment-means"),
    "cac:TaxCategory/cbc:ID": ("BR-CL-17", "vat-category"),
    "cac:ClassifiedTaxCategory/cbc:ID": ("BR-CL-18", "vat-category"),
}
"""Context, rule and list of what an element says."""

SCHEMES: Final = {
    "cac:PartyIdentification/cbc:ID": ("BR-CL-10", "schemeID", "icd"),
    "cac:PartyLegalEntity/cbc:CompanyID": ("BR-CL-11", "schemeID", "icd"),
    "cac:CommodityClassification/cbc:ItemClassificationCode": ("BR-CL-13", "listID", "item-classification"),
    "cac:StandardItemIdentification/cbc:ID": ("BR-CL-21", "schemeID", "icd"),
    "cbc:InvoicedQuantity": ("BR-CL-23", "unitCode", "unit"),
    "cbc:CreditedQuantity": ("BR-CL-23", "unitCode", "unit"),
    "cbc:BaseQuantity": ("BR-CL-23", "unitCode", "unit"),
    "cbc:EndpointID": ("BR-CL-25", "schemeID", "eas"),
    "cac:DeliveryLocation/cbc:ID": ("BR-CL-26", "schemeID", "icd"),
}
"""Context, rule, attribute and list: judged only where the attribute is."""

layer.fatal(*(f"BR-CL-{n:02}" for n in (1, *range(3, 9), 10, 11, 13, *range(14, 27))), "BR-CO-09")


@layer.on(*TEXTS)
def text(node: Node, plan: Plan) -> None:
    """`TEXTS`."""
    rule, name = TEXTS.get(node.tag) or TEXTS[f"{node.parent.tag if node.parent else ''}/{node.tag}"]
    codes, at = plan.codes(name), node.i

    def check(v: Values, doc: Document) -> None:
        if strip(v[at]) not in codes:
            doc.fire(rule, at, value=v[at] or "")

    plan.unless(at, codes, check)


@layer.on(*SCHEMES)
def scheme(node: Node, plan: Plan) -> None:
    """`SCHEMES`. A bank-assigned creditor identifier (SEPA) belongs to seller or payee."""
    rule, attribute, name = SCHEMES.get(node.tag) or SCHEMES[f"{node.parent.tag if node.parent else ''}/{node.tag}"]
    codes, at, place = plan.codes(name), node.i, node.attr(attribute)
    if rule == "BR-CL-10" and (node.inside("cac:AccountingSupplierParty") or node.inside("cac:PayeeParty")):
        codes |= {"SEPA"}

    def check(v: Values, doc: Document) -> None:
        code = v[place]
        if strip(code) not in codes:
            doc.fire(rule, at, value=code, attribute=attribute)

    plan.unless(place, codes | {None}, check)


@layer.shape
def currencies(plan: Plan) -> None:
    """BR-CL-03: `currencyID` of all amounts."""
    nodes = [node for node in plan.nodes if node.tag in AMOUNTS]
    if not nodes:
        return
    codes = plan.codes("currency")
    pick = getter([node.attr("currencyID") for node in nodes])

    def check(v: Values, doc: Document) -> None:
        for node, code in zip(nodes, pick(v), strict=True):
            if strip(code) not in codes:
                doc.fire("BR-CL-03", node.i, value=code or "")

    plan.unless_attributes(lambda v: codes.issuperset(pick(v)), check)


@layer.on("cac:AdditionalDocumentReference/cbc:ID", "cac:DocumentReference/cbc:ID")
def invoiced_object(node: Node, plan: Plan) -> None:
    """BR-CL-07: the scheme of an invoiced object."""
    types = node.parent.places("cbc:DocumentTypeCode") if node.parent else ()
    if not types:
        return
    codes, at, place = plan.codes("object-scheme"), node.i, node.attr("schemeID")

    def check(v: Values, doc: Document) -> None:
        code = v[place]
        if any(v[i] == "130" for i in types) and strip(code) not in codes:
            doc.fire("BR-CL-07", at, value=code)

    plan.unless(place, codes | {None}, check)


@layer.on("/cbc:Note")
def note(node: Node, plan: Plan) -> None:
    """BR-CL-08: three characters between two number signs are a subject code.

    The test looks for them anywhere in the list as it is written, blanks included.
    """
    listed, at = f" {' '.join(in_order('note-subject', plan.rules.release))} ", node.i

    def check(v: Values, doc: Document) -> None:
        said = v[at]
        if said and "#" in said:
            subject, sign, _ = said.partition("#")[2].partition("#")
            if sign and len(subject) == 3 and subject not in listed:
                doc.fire("BR-CL-08", at, value=subject)

    plan.check(check)


@layer.on("cac:PartyTaxScheme")
def vat_number(node: Node, plan: Plan) -> None:
    """BR-CO-09: a VAT number begins with a country.

    The test looks for its first two characters anywhere in the list as it is written, blanks included.
    """
    schemes, numbers = scheme_place(node), node.places("cbc:CompanyID")
    if not numbers:
        return
    listed, codes, at = (
        f" {' '.join(in_order('vat-prefix', plan.rules.release))} ",
        plan.codes("vat-prefix"),
        numbers[0],
    )

    def check(v: Values, doc: Document) -> None:
        prefix = (v[at] or "")[:2]
        if prefix not in codes and prefix not in listed and any(is_vat(v[i]) for i in schemes):
            doc.fire("BR-CO-09", at, value=v[at])

    plan.check(check)


@layer.on("cac:AllowanceCharge/cbc:AllowanceChargeReasonCode")
def reason(node: Node, plan: Plan) -> None:
    """BR-CL-19 for allowances, BR-CL-20 for charges."""
    indicators = node.parent.places("cbc:ChargeIndicator") if node.parent else ()
    lists = {False: plan.codes("allowance-reason"), True: plan.codes("charge-reason")}
    fine = {(text, code) for text, kind in (("false", False), ("true", True)) for code in lists[kind]}
    at, only = node.i, indicators[0] if len(indicators) == 1 else None

    def check(v: Values, doc: Document) -> None:
        if only is not None and (v[only], v[at]) in fine:
            return
        kinds = {indicator(v[i]) for i in indicators} - {None}
        if kinds:
            kind = False not in kinds
            if strip(v[at]) not in lists[kind]:
                doc.fire("BR-CL-20" if kind else "BR-CL-19", at, value=v[at] or "")

    plan.check(check)


@layer.on("cbc:TaxExemptionReasonCode")
def exemption(node: Node, plan: Plan) -> None:
    """BR-CL-22: in capitals or not."""
    codes, at = plan.codes("vatex"), node.i

    def check(v: Values, doc: Document) -> None:
        if strip(v[at]).upper() not in codes:
            doc.fire("BR-CL-22", at, value=v[at] or "")

    plan.unless(at, codes, check)


@layer.on("cbc:EmbeddedDocumentBinaryObject")
def attachment(node: Node, plan: Plan) -> None:
    """BR-CL-24, to the letter."""
    codes, at, place = plan.codes("mime"), node.i, node.attr("mimeCode")

    plan.unless(place, codes | {None}, lambda v, doc: doc.fire("BR-CL-24", at, value=v[place]))
