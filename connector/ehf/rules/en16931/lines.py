"""Invoice lines (BG-25): required terms, and the sums and VAT categories they hand on."""

from __future__ import annotations

from connector.ehf.rules.en16931.facts import (
    LineGroup,
    OddLine,
    facts,
    is_vat,
    scheme_place,
)
from connector.ehf.rules.en16931.families import item_rules, telling_rate
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import LINES, Check, Document, Node, Plan, Values, picker, strip
from connector.ehf.rules.xpath import sign

layer.fatal("BR-21", "BR-22", "BR-23", "BR-24", "BR-25", "BR-26", "BR-27", "BR-28", "BR-64", "BR-65", "BR-CO-04")

ITEM_CATEGORY = "cac:Item/cac:ClassifiedTaxCategory"


@layer.on("cac:InvoiceLine", "cac:CreditNoteLine")
def terms(node: Node, plan: Plan) -> None:
    """BT-126, 129, 130, 131, 153, 146, 148, 151."""
    plan.required("BR-21", node, "cbc:ID")
    plan.exists("BR-22", node, "cbc:InvoicedQuantity", "cbc:CreditedQuantity")
    plan.exists("BR-24", node, "cbc:LineExtensionAmount")
    plan.required("BR-25", node, "cac:Item/cbc:Name")
    plan.exists("BR-26", node, "cac:Price/cbc:PriceAmount")
    at = node.i
    units = [each.attr("unitCode") for tag in ("Invoiced", "Credited") for each in node.all(f"cbc:{tag}Quantity")]
    if len(units) == 1:
        unit = units[0]
        plan.unless(unit, plan.codes("unit"), lambda v, doc: doc.fire("BR-23", at) if v[unit] is None else None)
    else:
        plan.check(lambda v, doc: doc.fire("BR-23", at) if all(v[i] is None for i in units) else None)
    _not_negative(plan, "BR-27", node, node.places("cac:Price/cbc:PriceAmount"))
    if bases := node.places("cac:Price/cac:AllowanceCharge/cbc:BaseAmount"):
        _not_negative(plan, "BR-28", node, bases)


def _not_negative(plan: Plan, rule: str, node: Node, places: tuple[int, ...]) -> None:
    """`path >= 0`: some of the amounts is."""
    if not places:
        plan.fires(rule, node)
        return

    def exactly(v: Values, doc: Document) -> None:
        if all(sign(v[i] or "") < 0 for i in places):
            doc.fire(rule, places[0], value=v[places[0]])

    first = places[0]
    plan.check(lambda v, doc: exactly(v, doc) if not doc.typed or "-" in (v[first] or "") else None)


@layer.on("cac:InvoiceLine", "cac:CreditNoteLine")
def category(node: Node, plan: Plan) -> None:
    """BR-CO-04 (the VAT category, BT-151), and the line's net amount added to those of its category and rate."""
    plan.check(_grouped(node, plan) if _is_plain(node) else _odd(node, plan))


def _is_plain(line: Node) -> bool:
    """Whether it is a line of the document with one VAT category that has one code, one scheme, at most one rate."""
    if line.path not in LINES or len(line.all("cbc:LineExtensionAmount")) > 1:
        return False
    categories = line.all(ITEM_CATEGORY)
    if len(categories) != 1:
        return False
    only = categories[0]
    return len(only.all("cbc:ID")) == len(only.all("cac:TaxScheme/cbc:ID")) == 1 and len(only.all("cbc:Percent")) <= 1


def _grouped(node: Node, plan: Plan) -> Check:
    only = node.all(ITEM_CATEGORY)[0]
    at, category_at = node.i, only.i
    rate = only.first("cbc:Percent")
    net = node.first("cbc:LineExtensionAmount")
    net_at = net.i if net else None
    code, scheme = only.places("cbc:ID")[0], scheme_place(only)[0]
    pick = picker((code, scheme, rate.i if rate else None))
    has_rate = rate is not None
    tag = node.tag
    odd = _odd(node, plan)

    def check(v: Values, doc: Document) -> None:
        if not doc.typed:
            odd(v, doc)
            return
        groups = facts(doc).groups[tag]
        key = pick(v)
        group = groups.get(key)
        if group is None:
            # A rate that is there and empty is not the same as none.
            broken = item_rules(key[0], key[1], (key[2] or "") if has_rate else None, doc)
            if not is_vat(key[1]):
                broken = (*broken, "BR-CO-04")
            group = groups[key] = LineGroup(broken)
        if net_at is not None:
            group.net += doc.decimal(v[net_at])
        for rule in group.rules:
            doc.fire(rule, at if rule == "BR-CO-04" else category_at, category=key[0], rate=key[2])

    return check


def _odd(node: Node, plan: Plan) -> Check:
    tag, at, nested = node.tag, node.i, node.path not in LINES
    nets = node.places("cbc:LineExtensionAmount")
    categories = [
        (each.i, each.places("cbc:ID"), scheme_place(each), each.places("cbc:Percent"))
        for each in node.all(ITEM_CATEGORY)
    ]

    all_rates = tuple(i for _, _, _, percents in categories for i in percents)
    all_ids = tuple(i for _, ids, _, _ in categories for i in ids[:1])

    def check(v: Values, doc: Document) -> None:
        known = facts(doc)
        rates = tuple(v[i] for i in all_rates)
        codes = frozenset(strip(v[i]) for i in all_ids)
        known.odd_lines.append(OddLine(tag, codes, rates, tuple(v[i] for i in nets), nested))
        vats = [any(is_vat(v[i]) for i in schemes) for _, _, schemes, _ in categories]
        if not any(vat and ids for vat, (_, ids, _, _) in zip(vats, categories, strict=True)):
            doc.fire("BR-CO-04", at)
        for vat, (place, ids, _, percents) in zip(vats, categories, strict=True):
            code = v[ids[0]] if ids else None
            scheme = "VAT" if vat else None
            known.item_categories.add((code, scheme))
            rate = telling_rate(code, scheme, [v[i] for i in percents])
            for rule in item_rules(code, scheme, rate, doc):
                doc.fire(rule, place, category=code, rate=rate)

    return check


@layer.on(
    "cac:InvoiceLine/cac:Item/cac:StandardItemIdentification/cbc:ID",
    "cac:CreditNoteLine/cac:Item/cac:StandardItemIdentification/cbc:ID",
)
def item_identifier(node: Node, plan: Plan) -> None:
    """BT-157 has a scheme."""
    scheme, at = node.attr("schemeID"), node.i
    allowed = plan.codes("icd")
    plan.unless(scheme, allowed, lambda v, doc: doc.fire("BR-64", at, value=v[at]) if v[scheme] is None else None)


@layer.on(
    "cac:InvoiceLine/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
    "cac:CreditNoteLine/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
)
def classification(node: Node, plan: Plan) -> None:
    """BT-158 has a scheme."""
    scheme, at = node.attr("listID"), node.i
    allowed = plan.codes("item-classification")
    plan.unless(scheme, allowed, lambda v, doc: doc.fire("BR-65", at, value=v[at]) if v[scheme] is None else None)
