"""How UBL is used for EN 16931: how often something occurs (UBL-SR), the form of amounts and attachments (UBL-DT)."""

from __future__ import annotations

from functools import partial
from typing import Final

from lxml import etree

from connector.ehf.rules.en16931.facts import facts, indicator
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import Document, Node, Outline, Plan, Values, too_fine

SELLER: Final = "cac:AccountingSupplierParty/cac:Party"
BUYER: Final = "cac:AccountingCustomerParty/cac:Party"

# fmt: off
AT_MOST_ONE: Final = {
    "UBL-SR-01": "cac:ContractDocumentReference/cbc:ID",
    "UBL-SR-02": "cac:ReceiptDocumentReference/cbc:ID",
    "UBL-SR-03": "cac:DespatchDocumentReference/cbc:ID",
    "UBL-SR-05": "cac:PaymentTerms/cbc:Note",
    "UBL-SR-08": "cac:InvoicePeriod",
    "UBL-SR-09": f"{SELLER}/cac:PartyLegalEntity/cbc:RegistrationName",
    "UBL-SR-10": f"{SELLER}/cac:PartyName/cbc:Name",
    "UBL-SR-11": f"{SELLER}/cac:PartyLegalEntity/cbc:CompanyID",
    "UBL-SR-14": f"{SELLER}/cac:PartyLegalEntity/cbc:CompanyLegalForm",
    "UBL-SR-15": f"{BUYER}/cac:PartyLegalEntity/cbc:RegistrationName",
    "UBL-SR-16": f"{BUYER}/cac:PartyIdentification/cbc:ID",
    "UBL-SR-17": f"{BUYER}/cac:PartyLegalEntity/cbc:CompanyID",
    "UBL-SR-24": "cac:Delivery",
    "UBL-SR-39": "cac:ProjectReference/cbc:ID",
    "UBL-SR-40": f"{BUYER}/cac:PartyName/cbc:Name",
    "UBL-SR-45": "cac:PaymentMeans/cbc:PaymentDueDate",
    "UBL-SR-49": "cac:InvoicePeriod/cbc:DescriptionCode",
    "UBL-SR-54": "cac:PaymentMeans/cac:CardAccount",
    "UBL-SR-55": "cac:PaymentMeans/cac:PaymentMandate",
    "UBL-SR-56": "cac:OriginatorDocumentReference/cbc:ID",
}
"""Per document: rule and the path that occurs at most once."""

AT_MOST_ONE_BELOW: Final = {
    "cac:PostalAddress": {"UBL-SR-51": "cac:AddressLine"},
    "cac:Address": {"UBL-SR-51": "cac:AddressLine"},
    "cac:AdditionalDocumentReference": {"UBL-SR-33": "cbc:DocumentDescription"},
    "cac:Delivery": {"UBL-SR-25": "cac:DeliveryParty/cac:PartyName/cbc:Name"},
    "cac:InvoiceLine": (LINE := {
        "UBL-SR-34": "cbc:Note",
        "UBL-SR-35": "cac:OrderLineReference/cbc:LineID",
        "UBL-SR-36": "cac:InvoicePeriod",
        "UBL-SR-37": "cac:Price/cac:AllowanceCharge/cbc:Amount",
        "UBL-SR-50": "cac:Item/cbc:Description",
        "UBL-SR-52": "cac:DocumentReference",
    }),
    "cac:CreditNoteLine": LINE,
    "cac:PaymentMeans": {
        "UBL-SR-26": "cbc:PaymentID",
        "UBL-SR-27": "cbc:PaymentMeansCode",
        "UBL-SR-28": "cac:PaymentMandate/cbc:ID",
    },
    "cac:BillingReference": {"UBL-SR-06": "cac:InvoiceDocumentReference"},
    "cac:TaxSubtotal": {"UBL-SR-32": "cac:TaxCategory/cbc:TaxExemptionReason"},
}
"""Per group, wherever it stands: rule and the path below it that occurs at most once."""
# fmt: on

_UNUSED_ATTRIBUTES: Final = (
    "schemeName schemeAgencyName schemeDataURI schemeURI format unitCodeListIdentifier unitCodeListAgencyIdentifier "
    "unitCodeListAgencyName listAgencyName listName name languageID listURI listSchemeURI languageLocaleID uri "
    "currencyCodeListVersionID characterSetCode encodingCode schemeAgencyID listAgencyID"
)
ATTRIBUTES: Final = {name: f"UBL-DT-{n:02}" for n, name in enumerate(_UNUSED_ATTRIBUTES.split(), start=8)}
"""Attributes that EN 16931 does not use: UBL-DT-08 to 28."""

layer.fatal(*(f"UBL-SR-{n:02}" for n in (*range(1, 38), *range(39, 41), *range(42, 54)) if n not in (38, 41)))
layer.fatal("UBL-SR-54", "UBL-SR-55", since="3.0.20")
layer.fatal("UBL-SR-56", since="3.0.21")
layer.fatal("UBL-DT-01", "UBL-DT-06", "UBL-DT-07")
layer.warning(*ATTRIBUTES.values())


@layer.on(*AT_MOST_ONE_BELOW)
def at_most_one(node: Node, plan: Plan) -> None:
    """`AT_MOST_ONE_BELOW`."""
    for rule, path in AT_MOST_ONE_BELOW[node.tag].items():
        plan.at_most_one(rule, node, path)


@layer.on("cac:InvoiceLine", "cac:CreditNoteLine")
def one_category(node: Node, plan: Plan) -> None:
    """Exactly one VAT category."""
    count = len(node.all("cac:Item/cac:ClassifiedTaxCategory"))
    if count != 1:
        plan.fires("UBL-SR-48", node, count=str(count))


@layer.on(SELLER)
def seller(node: Node, plan: Plan) -> None:
    """At most two tax registrations."""
    found = node.all("cac:PartyTaxScheme")
    if len(found) > 2:
        plan.fires("UBL-SR-42", found[2], count=str(len(found)))


@layer.on("cac:PartyTaxScheme")
def registration(node: Node, plan: Plan) -> None:
    """A tax registration has a scheme and a number."""
    if not (node.has("cac:TaxScheme/cbc:ID") and node.has("cbc:CompanyID")):
        plan.fires("UBL-SR-53", node)


@layer.on("cac:BillingReference")
def preceding_invoice(node: Node, plan: Plan) -> None:
    """The preceding invoice has a number."""
    plan.exists("UBL-SR-07", node, "cac:InvoiceDocumentReference/cbc:ID")


@layer.on("cac:TaxRepresentativeParty")
def tax_representative(node: Node, plan: Plan) -> None:
    """One name, one number; up to 3.0.20 the number was looked for below a `cac:Party` that is never there."""
    plan.at_most_one("UBL-SR-22", node, "cac:PartyName/cbc:Name")
    above = "" if plan.since("3.0.21") else "cac:Party/"
    plan.at_most_one("UBL-SR-23", node, f"{above}cac:PartyTaxScheme/cbc:CompanyID")


@layer.on("cac:AdditionalDocumentReference")
def supporting_document(node: Node, plan: Plan) -> None:
    """UBL-SR-43: a document type only on the invoiced object (130) or, on credit notes, the project (50)."""
    types = node.places("cbc:DocumentTypeCode")
    schemes = [each.attr("schemeID") for each in node.all("cbc:ID")]
    at = node.i
    allowed = ("130", "50") if plan.kind == "CreditNote" else ("130",)

    def check(v: Values, doc: Document) -> None:
        if types:
            if not any(v[i] in allowed for i in types):
                doc.fire("UBL-SR-43", types[0], value=v[types[0]])
        elif any(v[i] is not None for i in schemes):
            doc.fire("UBL-SR-43", at)

    plan.check(check)


@layer.on("cac:AllowanceCharge")
def reasons(node: Node, plan: Plan) -> None:
    """One reason per allowance or charge."""
    found = node.all("cbc:AllowanceChargeReason")
    if len(found) < 2:
        return
    indicators, at = node.places("cbc:ChargeIndicator"), found[1].i

    def check(v: Values, doc: Document) -> None:
        kinds = {indicator(v[i]) for i in indicators}
        if False in kinds:
            doc.fire("UBL-SR-30", at)
        elif True in kinds:
            doc.fire("UBL-SR-31", at)

    plan.check(check)


@layer.on("cac:PartyIdentification/cbc:ID")
def sepa(node: Node, plan: Plan) -> None:
    """For UBL-SR-29: one bank-assigned creditor identifier."""
    scheme, at = node.attr("schemeID"), node.i

    def check(v: Values, doc: Document) -> None:
        if (v[scheme] or "").upper() == "SEPA":
            facts(doc).sepa.append(doc.place(at))

    plan.check(check)


@layer.on("cbc:PaymentID")
def payment_id(node: Node, plan: Plan) -> None:
    """For UBL-SR-44."""
    at = node.i
    plan.check(lambda v, doc: facts(doc).payment_ids.setdefault(v[at] or "", doc.place(at)))


@layer.on("cbc:PaymentMeansCode")
def payment_code(node: Node, plan: Plan) -> None:
    """For UBL-SR-47."""
    at = node.i
    plan.check(lambda v, doc: facts(doc).payment_codes.setdefault(v[at] or "", doc.place(at)))


@layer.on("cac:PayeeParty")
def nested_payee(node: Node, plan: Plan) -> None:
    """A payee that is not the document's has no seller beside it to differ from."""
    if node.path != "cac:PayeeParty":
        for rule in ("UBL-SR-19", "UBL-SR-20", "UBL-SR-21"):
            plan.fires(rule, node)


@layer.shape
def amounts(plan: Plan) -> None:
    """UBL-DT-01: whatever is called an amount has two decimals at most, but for prices and price allowances."""
    found = tuple(
        node.i
        for node in plan.nodes
        if node.tag.endswith("Amount") and not node.tag.endswith("PriceAmount") and not _of_price(node)
    )

    def check(v: Values, doc: Document) -> None:
        for i in found:
            if too_fine(v[i]):
                doc.fire("UBL-DT-01", i, value=v[i])

    if found:
        plan.check_amounts(check)
    for node in plan.nodes:
        if node.tag.endswith("BinaryObject"):
            _attachment(node, plan)


def _of_price(node: Node) -> bool:
    """Whether it stands below a price that has an allowance."""
    above = node.parent
    while above is not None:
        if above.tag == "cac:Price" and above.has("cac:AllowanceCharge"):
            return True
        above = above.parent
    return False


def _attachment(node: Node, plan: Plan) -> None:
    """UBL-DT-06 and 07."""
    mime, filename, at = node.attr("mimeCode"), node.attr("filename"), node.i

    def check(v: Values, doc: Document) -> None:
        if v[mime] is None:
            doc.fire("UBL-DT-06", at)
        if v[filename] is None:
            doc.fire("UBL-DT-07", at)

    plan.unless_attributes(lambda v: v[mime] is not None and v[filename] is not None, check)


@layer.attribute
def attribute(doc: Document, element: etree._Element, name: str) -> None:
    """UBL-DT-08 to 28. The name of a payment means is allowed."""
    if name in ATTRIBUTES:
        doc.fire_once(ATTRIBUTES[name], element, attribute=name, value=element.get(name))


@layer.outline
def document_counts(outline: Outline) -> None:
    """`AT_MOST_ONE`, and the counts that hang on values."""
    for rule, path in AT_MOST_ONE.items():
        if (count := outline.count(path)) > 1:
            outline.fires_once(rule, outline.all(path)[1], count=str(count))
    outline.check(_distinct)
    if outline.count("cac:AdditionalDocumentReference/cbc:DocumentTypeCode") > 1:
        outline.check(_invoiced_objects)
    if outline.count("cac:PaymentMeans/cbc:PaymentMeansCode") > 1:
        outline.check(_named_means)
    for path, vat_rule, other_rule in (
        (f"{SELLER}/cac:PartyTaxScheme", "UBL-SR-12", "UBL-SR-13"),
        (f"{BUYER}/cac:PartyTaxScheme", "UBL-SR-18", None),
    ):
        if outline.count(f"{path}/cbc:CompanyID") > 1:
            outline.check(partial(_registrations, path, vat_rule, other_rule))
    if outline.has("cac:PayeeParty"):
        outline.check(_payee)


def _distinct(doc: Document) -> None:
    """UBL-SR-29, 44 and 47: one bank-assigned creditor identifier, one payment reference, one way to pay."""
    known = facts(doc)
    for rule, distinct in (("UBL-SR-44", known.payment_ids), ("UBL-SR-47", known.payment_codes)):
        if len(distinct) > 1:
            doc.fire(rule, list(distinct.values())[1], value=", ".join(distinct))
    if len(known.sepa) > 1:
        doc.fire("UBL-SR-29", known.sepa[1])


def _named_means(doc: Document) -> None:
    """UBL-SR-46."""
    named = [
        place for _, name, place in doc.attributed("cac:PaymentMeans/cbc:PaymentMeansCode", "name") if name is not None
    ]
    if len(named) > 1:
        doc.fire("UBL-SR-46", named[1])


def _invoiced_objects(doc: Document) -> None:
    """UBL-SR-04."""
    found = [
        (els, i)
        for node, v, els in doc.nodes("cac:AdditionalDocumentReference")
        if any(v[i] == "130" for i in node.places("cbc:DocumentTypeCode"))
        for i in node.places("cbc:ID")
    ]
    if len(found) > 1:
        doc.fire("UBL-SR-04", found[1], count=str(len(found)))


def _registrations(path: str, vat_rule: str, other_rule: str | None, doc: Document) -> None:
    """UBL-SR-12, 13 and 18: one VAT number each, and one other tax number of the seller. Here blanks count."""
    vat, other = [], []
    for node, v, els in doc.nodes(path):
        schemes = {
            (v[ids[0]] or "").upper() if (ids := scheme.places("cbc:ID")) else ""
            for scheme in node.all("cac:TaxScheme")
        }
        numbers = [(els, i) for i in node.places("cbc:CompanyID")]
        if "VAT" in schemes:
            vat += numbers
        if schemes - {"VAT"}:
            other += numbers
    for rule, found in ((vat_rule, vat), (other_rule, other)):
        if rule and len(found) > 1:
            doc.fire(rule, found[1], count=str(len(found)))


def _payee(doc: Document) -> None:
    """UBL-SR-19, 20 and 21: one name, one identifier, one number, and a name that is not the seller's."""
    sellers = [text or "" for text in doc.texts(f"{SELLER}/cac:PartyLegalEntity/cbc:RegistrationName")]
    for node, v, els in doc.nodes("cac:PayeeParty"):
        names = [v[i] or "" for i in node.places("cac:PartyName/cbc:Name")]
        differs = any(name != seller_name for name in names for seller_name in sellers)
        ids = [each.attr("schemeID") for each in node.all("cac:PartyIdentification/cbc:ID")]
        counts = {
            "UBL-SR-19": len(node.all("cac:PartyName/cbc:Name")),
            "UBL-SR-20": sum(1 for i in ids if (v[i] or "").upper() != "SEPA"),
            "UBL-SR-21": len(node.all("cac:PartyLegalEntity/cbc:CompanyID")),
        }
        for rule, count in counts.items():
            if count > 1 or not differs:
                doc.fire(rule, (els, node.i))
