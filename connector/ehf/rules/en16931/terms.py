"""Required terms and pairs of terms (BR-nn), and what terms say of one another (BR-CO-03, 19, 20, 26)."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ehf.rules.en16931.facts import facts, is_vat, scheme_place
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import LINES, Document, Node, Outline, Plan, Spot, Values, is_blank, strip
from connector.ehf.rules.xpath import date, normalize

layer.fatal("BR-01", "BR-02", "BR-03", "BR-04", "BR-05", "BR-06", "BR-07", "BR-08", "BR-09", "BR-10", "BR-11")
layer.fatal("BR-16", "BR-17", "BR-18", "BR-19", "BR-20", "BR-29", "BR-30", "BR-49", "BR-50", "BR-52", "BR-53")
layer.fatal("BR-54", "BR-55", "BR-56", "BR-57", "BR-61", "BR-62", "BR-63")
layer.fatal("BR-66", "BR-67", until="3.0.19")
layer.warning("BR-51")
layer.fatal("BR-CO-03", "BR-CO-18", "BR-CO-19", "BR-CO-20", "BR-CO-26")
# Always true: that a reason and its code mean the same cannot be tested.
layer.fatal("BR-CO-05", "BR-CO-06", "BR-CO-07", "BR-CO-08")

SELLER = "cac:AccountingSupplierParty"
BUYER = "cac:AccountingCustomerParty"


@layer.on("Invoice", "CreditNote")
def header(node: Node, plan: Plan) -> None:
    """BT-24, BT-1, BT-2, BT-3, BT-5."""
    plan.required("BR-01", node, "cbc:CustomizationID")
    plan.required("BR-02", node, "cbc:ID")
    plan.required("BR-03", node, "cbc:IssueDate")
    plan.required("BR-05", node, "cbc:DocumentCurrencyCode")
    codes = (*node.places("cbc:InvoiceTypeCode"), *node.places("cbc:CreditNoteTypeCode"))
    if not codes:
        plan.fires("BR-04", node)
    else:
        plan.when_blank(lambda v, doc: doc.fire("BR-04", codes[0]) if all(is_blank(v[i]) for i in codes) else None)


@layer.on(f"{SELLER}/cac:Party/cac:PostalAddress")
def seller_country(node: Node, plan: Plan) -> None:
    """BT-40."""
    plan.required("BR-09", node, "cac:Country/cbc:IdentificationCode")


@layer.on(f"{BUYER}/cac:Party/cac:PostalAddress")
def buyer_country(node: Node, plan: Plan) -> None:
    """BT-55."""
    plan.required("BR-11", node, "cac:Country/cbc:IdentificationCode")


@layer.on(f"{SELLER}/cac:Party/cbc:EndpointID", f"{BUYER}/cac:Party/cbc:EndpointID")
def electronic_address(node: Node, plan: Plan) -> None:
    """BT-34 and BT-49 have a scheme."""
    rule = "BR-62" if node.path.endswith(f"{SELLER}/cac:Party/cbc:EndpointID") else "BR-63"
    scheme, at = node.attr("schemeID"), node.i
    allowed = plan.codes("eas")
    plan.unless(scheme, allowed, lambda v, doc: doc.fire(rule, at, value=v[at]) if v[scheme] is None else None)


@layer.on(SELLER)
def seller_identifiers(node: Node, plan: Plan) -> None:
    """BR-CO-26: BT-29, BT-30 or BT-31; from 3.0.21 a SEPA creditor number does not count."""
    if node.has("cac:Party/cac:PartyLegalEntity/cbc:CompanyID"):
        return
    ids = node.all("cac:Party/cac:PartyIdentification/cbc:ID")
    if ids and not plan.since("3.0.21"):
        return
    sepa = [each.attr("schemeID") for each in ids]
    schemes = [scheme_place(each) for each in node.all("cac:Party/cac:PartyTaxScheme") if each.has("cbc:CompanyID")]
    at = node.i

    def check(v: Values, doc: Document) -> None:
        identified = any(v[i] != "SEPA" for i in sepa)
        if not identified and not any(is_vat(v[i]) for places in schemes for i in places):
            doc.fire("BR-CO-26", at)

    plan.check(check)


@layer.on("cac:TaxRepresentativeParty")
def tax_representative(node: Node, plan: Plan) -> None:
    """BT-62, BG-12, BT-63."""
    plan.required("BR-18", node, "cac:PartyName/cbc:Name")
    plan.exists("BR-19", node, "cac:PostalAddress")
    schemes = [scheme_place(each) for each in node.all("cac:PartyTaxScheme") if each.has("cbc:CompanyID")]
    at = node.i
    plan.check(
        lambda v, doc: None if any(is_vat(v[i]) for places in schemes for i in places) else doc.fire("BR-56", at)
    )


@layer.on("cac:TaxRepresentativeParty/cac:PostalAddress")
def tax_representative_country(node: Node, plan: Plan) -> None:
    """BT-69."""
    plan.required("BR-20", node, "cac:Country/cbc:IdentificationCode")


@layer.on("cac:PayeeParty")
def nested_payee(node: Node, plan: Plan) -> None:
    """BT-59; a payee of the document is compared with the seller in `payee`."""
    if node.path != "cac:PayeeParty":
        plan.exists("BR-17", node, "cac:PartyName/cbc:Name")


@layer.outline
def payee(outline: Outline) -> None:
    """BR-17: BT-59 is there, and the payee is another than the seller."""
    if outline.has("cac:PayeeParty"):
        outline.check(_payee)


def _payee(doc: Document) -> None:
    sellers = {text or "" for text in doc.texts(f"{SELLER}/cac:Party/cac:PartyName/cbc:Name")}
    seller_ids = {text or "" for text in doc.texts(f"{SELLER}/cac:Party/cac:PartyIdentification/cbc:ID")}
    for node, v, els in doc.nodes("cac:PayeeParty"):
        names = [v[i] or "" for i in node.places("cac:PartyName/cbc:Name")]
        ids = [v[i] or "" for i in node.places("cac:PartyIdentification/cbc:ID")]
        if not names or not sellers.isdisjoint(names) or not seller_ids.isdisjoint(ids):
            doc.fire("BR-17", (els, node.i), value=names[0] if names else None)


@layer.on("cac:Delivery/cac:DeliveryLocation/cac:Address")
def deliver_to(node: Node, plan: Plan) -> None:
    """BT-80."""
    plan.exists("BR-57", node, "cac:Country/cbc:IdentificationCode")


@layer.on("cac:AdditionalDocumentReference")
def supporting_document(node: Node, plan: Plan) -> None:
    """BT-122."""
    plan.required("BR-52", node, "cbc:ID")


@layer.on("cac:BillingReference")
def preceding_invoice(node: Node, plan: Plan) -> None:
    """BT-25."""
    plan.exists("BR-55", node, "cac:InvoiceDocumentReference/cbc:ID")


@layer.on("cac:AdditionalItemProperty")
def item_attribute(node: Node, plan: Plan) -> None:
    """BT-160 and BT-161."""
    if not (node.has("cbc:Name") and node.has("cbc:Value")):
        plan.fires("BR-54", node)


@layer.on("cac:PaymentMeans/cac:CardAccount/cbc:PrimaryAccountNumberID")
def card_number(node: Node, plan: Plan) -> None:
    """BT-87: never the full number."""
    at = node.i
    plan.check(lambda v, doc: doc.fire("BR-51", at) if len(normalize(v[at] or "")) > 10 else None)


@layer.on("cac:PaymentMeans")
def payment_means(node: Node, plan: Plan) -> None:
    """BT-81; a credit transfer (30, 58) needs an account, BT-84."""
    plan.exists("BR-49", node, "cbc:PaymentMeansCode")
    codes = node.places("cbc:PaymentMeansCode")
    accounts = node.all("cac:PayeeFinancialAccount")
    has_id = node.has("cac:PayeeFinancialAccount/cbc:ID")
    at = node.i

    def transfer(v: Values, doc: Document) -> None:
        if not has_id and any(strip(v[i]) in ("30", "58") for i in codes):
            doc.fire("BR-61", at, value=strip(v[codes[0]]))
        if any(v[i] in ("30", "58") for i in codes):
            for account in accounts:
                if all(is_blank(v[i]) for i in account.places("cbc:ID")):
                    doc.fire("BR-50", account.i)

    if accounts and all(account.has("cbc:ID") for account in accounts):
        plan.when_blank(transfer)
    else:
        plan.check(transfer)


@layer.on("cac:InvoicePeriod")
def period(node: Node, plan: Plan) -> None:
    """BG-14 and, on a line, BG-26: the end is not before the start, and it is not empty."""
    on_line = node.parent is not None and node.parent.tag in ("cac:InvoiceLine", "cac:CreditNoteLine")
    order, content = ("BR-30", "BR-CO-20") if on_line else ("BR-29", "BR-CO-19")
    starts, ends = node.places("cbc:StartDate"), node.places("cbc:EndDate")
    if not (starts or ends or (not on_line and node.has("cbc:DescriptionCode"))):
        plan.fires(content, node)
    if not (starts and ends):
        return
    start, end, at = starts[0], ends[0], node.i

    def check(v: Values, doc: Document) -> None:
        if (not doc.typed or v[end] != v[start]) and date(v[end] or "")[0] < date(v[start] or "")[0]:
            doc.fire(order, at, start=v[start], end=v[end])

    plan.check(check)


@layer.outline
def whole_document(outline: Outline) -> None:
    """What no block can know alone: that something is not there at all, and what header and groups say together."""
    for party, name_rule, address_rule in ((SELLER, "BR-06", "BR-08"), (BUYER, "BR-07", "BR-10")):
        spot = outline.first(party)
        _named(outline, name_rule, outline.all(f"{party}/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName"), spot)
        if not outline.has(f"{party}/cac:Party/cac:PostalAddress"):
            outline.fires(address_rule, spot)
    if not outline.lines and not any(map(outline.has, LINES)):  # a line without content stands with the header
        outline.fires("BR-16")
    if not outline.has("cac:TaxTotal/cac:TaxSubtotal"):
        outline.fires("BR-CO-18")
    if outline.has("cbc:TaxPointDate") and outline.has("cac:InvoicePeriod/cbc:DescriptionCode"):
        code, day = outline.all("cac:InvoicePeriod/cbc:DescriptionCode")[0], outline.all("cbc:TaxPointDate")[0]
        outline.check(lambda doc: doc.fire_once("BR-CO-03", doc.at(code), date=doc.text(day), code=doc.text(code)))
    if outline.has("cbc:TaxCurrencyCode"):
        outline.check(_accounting_currency)
    for rule, path in (("BR-66", "cac:CardAccount"), ("BR-67", "cac:PaymentMandate")):
        if outline.count(f"cac:PaymentMeans/{path}") > 1:
            outline.fires(rule)


def _named(outline: Outline, rule: str, names: Sequence[Spot], party: Spot) -> None:
    """BR-06 and BR-07: seller (BT-27) and buyer (BT-44) have a name."""
    if not names:
        outline.fires(rule, party)
        return

    def check(doc: Document) -> None:
        if all(is_blank(doc.text(name)) for name in names):
            doc.fire(rule, doc.at(party))

    outline.when_blank(check)


def _accounting_currency(doc: Document) -> None:
    """BR-53: there is a VAT total in the accounting currency."""
    for currency, place in doc.each("cbc:TaxCurrencyCode"):
        if (currency or "") not in facts(doc).tax_currencies:
            doc.fire("BR-53", place, currency=currency)
