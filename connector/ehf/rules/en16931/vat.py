"""The VAT families, one per category: what is gathered for them, and rules 01 to 07 and 11 to 14."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from connector.ehf.rules.en16931.breakdown import judge_group
from connector.ehf.rules.en16931.facts import (
    BUYER_LEGAL,
    BUYER_VAT,
    REPRESENTATIVE_VAT,
    SELLER_ANY,
    SELLER_VAT,
    Breakdown,
    Facts,
    Pair,
    facts,
    is_vat,
    kinds_of,
    pair_of,
    scheme_place,
)
from connector.ehf.rules.en16931.families import FAMILIES, Family, Numbers, rate_rules, telling_rate
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import Document, Node, Place, Plan, Values, picker, strip
from connector.ehf.rules.xpath import BreaksOff
from connector.ehf.xml import CBC, string_value

for _family in FAMILIES.values():
    layer.fatal(*(_family.rule(number) for number in range(1, 11)))
layer.fatal("BR-IC-11", "BR-IC-12", "BR-O-11", "BR-O-12", "BR-O-13", "BR-O-14", "BR-B-01", "BR-B-02")


@layer.on("cac:ClassifiedTaxCategory")
def loose_item_category(node: Node, plan: Plan) -> None:
    """Categories that no line hands on (`lines.category` does those of lines)."""
    if node.fits(("cac:Item", "cac:InvoiceLine"), False) or node.fits(("cac:Item", "cac:CreditNoteLine"), False):
        return
    ids, schemes = node.places("cbc:ID"), scheme_place(node)
    plan.check(lambda v, doc: facts(doc).item_categories.add(pair_of(v, ids, schemes)))


@layer.on("cac:TaxCategory")
def category(node: Node, plan: Plan) -> None:
    """Every other category, and what its place makes of it."""
    ids, schemes, rates = node.places("cbc:ID"), scheme_place(node), node.places("cbc:Percent")
    parent = node.parent
    if parent is not None and parent.tag == "cac:AllowanceCharge":
        _of_allowance(node, parent, plan)
    if node.path == "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory" and parent is not None:
        base, tax = parent.first("cbc:TaxableAmount"), parent.first("cbc:TaxAmount")
        has_reason = node.has("cbc:TaxExemptionReason") or node.has("cbc:TaxExemptionReasonCode")
        places = (rates[0] if rates else None, base.i if base else None, tax.i if tax else None)
        pick, at = picker(places), node.i
        there = tuple(place is not None for place in places)

        def of_breakdown(v: Values, doc: Document) -> None:
            values = pick(v)
            if not doc.typed:  # what is there and empty is not the same as nothing
                values = tuple(
                    [(text or "") if is_there else None for text, is_there in zip(values, there, strict=True)]
                )
            pair = pair_of(v, ids, schemes)
            known = facts(doc)
            known.categories.add(pair)
            known.breakdown.append(Breakdown(doc.place(at), pair, values, has_reason))

        plan.check(of_breakdown)
    else:
        each: list[tuple[int, ...]] = [(i,) for i in ids] or [()]
        plan.check(lambda v, doc: facts(doc).categories.update([pair_of(v, one, schemes) for one in each]))


def _of_allowance(node: Node, parent: Node, plan: Plan) -> None:
    """Rules 06 and 07: the rate of an allowance or charge."""
    ids, schemes, rates = node.places("cbc:ID"), scheme_place(node), node.places("cbc:Percent")
    indicators = parent.places("cbc:ChargeIndicator")
    of_document = parent.path == "cac:AllowanceCharge"
    at, only = node.i, rates[0] if len(rates) == 1 else None

    def check(v: Values, doc: Document) -> None:
        code, scheme = pair_of(v, ids, schemes)
        if not indicators:
            facts(doc).charge_categories.add((None, of_document, code, scheme))
        kinds = kinds_of(v, indicators)
        for kind in kinds:
            facts(doc).charge_categories.add((kind, of_document, code, scheme))
        if kinds:
            rate = (v[only] or "") if only is not None else telling_rate(code, scheme, [v[i] for i in rates])
            for rule in rate_rules(6 if False in kinds else 7, code, scheme, rate, doc):
                doc.fire(rule, at, category=code, rate=rate)

    plan.check(check)


@layer.on("cac:AllowanceCharge")
def allowance(node: Node, plan: Plan) -> None:
    """For the sums: BG-20 and BG-21, and the rates of them all."""
    indicators, amounts = node.places("cbc:ChargeIndicator"), node.places("cbc:Amount")
    ids, rates = node.places("cac:TaxCategory/cbc:ID"), node.places("cac:TaxCategory/cbc:Percent")
    of_document = node.path == "cac:AllowanceCharge"
    if not of_document and not ids:
        return

    def check(v: Values, doc: Document) -> None:
        categories = frozenset(strip(v[i]) for i in ids)
        percents = tuple(v[i] or "" for i in rates)
        facts(doc).rated_charges.add((categories, percents))
        if not of_document:
            return
        for kind in kinds_of(v, indicators):
            facts(doc).allowances.append((kind, categories, percents, tuple(v[i] for i in amounts)))

    plan.check(check)


REGISTRATIONS: Final = {
    "cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme": SELLER_VAT,
    "cac:AccountingCustomerParty/cac:Party/cac:PartyTaxScheme": BUYER_VAT,
    "cac:TaxRepresentativeParty/cac:PartyTaxScheme": REPRESENTATIVE_VAT,
}


@layer.on(*REGISTRATIONS)
def registration(node: Node, plan: Plan) -> None:
    """Who has a VAT number."""
    if not node.has("cbc:CompanyID"):
        return
    number = next(number for path, number in REGISTRATIONS.items() if node.path.endswith(path))
    if number == SELLER_VAT:
        plan.check(lambda v, doc: facts(doc).identified.add(SELLER_ANY))
    for i in scheme_place(node):
        plan.check(partial(_has_number, number, i))


def _has_number(number: str, scheme: int, v: Values, doc: Document) -> None:
    if is_vat(v[scheme]):
        facts(doc).identified.add(number)


@layer.on("cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID")
def customer_registration(node: Node, plan: Plan) -> None:
    """BT-47."""
    plan.check(lambda v, doc: facts(doc).identified.add(BUYER_LEGAL))


@layer.on("cac:TaxTotal/cbc:TaxAmount")
def tax_amount(node: Node, plan: Plan) -> None:
    """For BR-53."""
    currency = node.attr("currencyID")
    plan.check(lambda v, doc: facts(doc).tax_currencies.add(v[currency]))


Charge = tuple["bool | None", bool, "str | None", "str | None"]


class _Codes:
    """The category codes of a document, as the rules look at them."""

    def __init__(self, items: frozenset[Pair], categories: frozenset[Pair], charges: frozenset[Charge]) -> None:
        self.items_raw = {code for code, _ in items}
        self.items_any = {strip(code) for code in self.items_raw}
        self.items = {strip(code) for code, scheme in items if is_vat(scheme)}
        self.raw = {code for code, _ in categories}
        self.all = {strip(code) for code, scheme in categories if is_vat(scheme)}
        self.charges_any = {strip(code) for _, _, code, _ in charges}
        self.charges_vat = {strip(code) for _, _, code, scheme in charges if is_vat(scheme)}
        self.charges = {
            kind: {strip(code) for charge, _, code, scheme in charges if charge is kind and is_vat(scheme)}
            for kind in (False, True)
        }
        self.charges_raw = {code for charge, _, code, scheme in charges if charge and is_vat(scheme)}
        self.of_document = {
            kind: {strip(code) for charge, top, code, scheme in charges if charge is kind and top and is_vat(scheme)}
            for kind in (False, True)
        }
        used = self.items_any | self.all | self.charges_any
        self.used = [code for code in FAMILIES if code in used]


Broken = tuple[str, str, str]
"""A rule, the tag of the group it is about ('' for the document), and the VAT category."""


@layer.document
def families(doc: Document) -> None:
    """Rules 01 to 04 and 08 to 14 of every family that the document uses."""
    known = facts(doc)
    items = known.item_categories
    for groups in known.groups.values():
        for key in groups:
            items.add((key[0], key[1]))
    codes, broken = _use(
        frozenset(items),
        frozenset(known.categories),
        frozenset(known.charge_categories),
        tuple([group.pair for group in known.breakdown]),
        frozenset(known.identified),
    )
    for rule, tag, code in broken:
        doc.fire(rule, _place(doc, tag), category=code)
    for group in known.breakdown:
        found = FAMILIES.get(strip(group.pair[0]))
        if found is not None and is_vat(group.pair[1]):
            judge_group(doc, known, found, group)
        elif strip(group.pair[0]) == "S" and "S" not in codes.items_any | codes.charges_any:
            doc.fire_once("BR-S-01", group.place, category="S")
    if "K" in codes.used:
        _intra_community(doc, known)
    if "O" in codes.used:
        _outside_scope(doc, known, codes)
    if "B" in codes.raw or "B" in codes.items_raw:
        _split_payment(doc, known, codes)


@lru_cache(maxsize=512)
def _use(
    items: frozenset[Pair],
    categories: frozenset[Pair],
    charges: frozenset[Charge],
    breakdown: tuple[Pair, ...],
    numbers: Numbers,
) -> tuple[_Codes, tuple[Broken, ...]]:
    """Rules 01 to 04: the category is in the breakdown as well, and seller and buyer have what it wants.

    Most documents have one of a few combinations of these, so the answers are kept.
    """
    codes = _Codes(items, categories, charges)
    broken: list[Broken] = []
    for code in codes.used:
        family = FAMILIES[code]
        if not _breakdown_fits(breakdown, codes, family):
            broken.append((family.rule(1), "cac:TaxTotal", code))
        identified = family.identified(numbers)
        seller = "cac:AccountingSupplierParty"
        # BR-S-02 asks about every line with S, and lets the identified seller off only where the scheme is VAT.
        in_items = codes.items_any if code == "S" else codes.items
        if code in in_items and not (identified and code in codes.items):
            broken.append((family.rule(2), seller, code))
        charged = codes.of_document if code == "O" else codes.charges
        if code in charged[False] and not identified:
            broken.append((family.rule(3), seller, code))
        # BR-AF-04 compares the code without trimming it.
        if code in (codes.charges_raw if code == "L" else charged[True]) and not identified:
            broken.append((family.rule(4), seller, code))
    return codes, tuple(broken)


def _breakdown_fits(breakdown: tuple[Pair, ...], codes: _Codes, family: Family) -> bool:
    code = family.code
    with_vat = [category for category, scheme in breakdown if is_vat(scheme)]
    if not family.by_rate:
        used = code in codes.all or code in codes.items
        return not used or sum(1 for each in with_vat if strip(each) == code) == 1
    if code == "S":
        used = code in codes.charges_any or code in codes.items_any
        return used == any(strip(category) == code for category, _ in breakdown)
    used = code in codes.items or code in codes.charges_vat
    if used:
        # Compared without trimming, and in BR-AF-01 whatever the scheme.
        return code in (with_vat if code == "M" else [category for category, _ in breakdown])
    return not any(strip(each) == code for each in with_vat)


def _intra_community(doc: Document, known: Facts) -> None:
    """BR-IC-11 and 12: date or period, and country of delivery."""
    if not any(strip(group.pair[0]) == "K" and is_vat(group.pair[1]) for group in known.breakdown):
        return
    days = [text or "" for text in doc.texts("cac:Delivery/cbc:ActualDeliveryDate")]
    # A period without content is a leaf, and stands with the header.
    has_period = any(block for block, _ in doc.spots("cac:InvoicePeriod"))
    place = _place(doc, "cac:Delivery")
    if not has_period:
        if len(days) > 1:
            raise BreaksOff("string-length() of several dates")
        if not days or len(days[0]) < 2:
            doc.fire("BR-IC-11", place)
    countries = doc.texts("cac:Delivery/cac:DeliveryLocation/cac:Address/cac:Country/cbc:IdentificationCode")
    if not (countries and len(countries[0] or "") > 1):
        doc.fire("BR-IC-12", place)


def _outside_scope(doc: Document, known: Facts, codes: _Codes) -> None:
    """BR-O-11 to 14: what is outside the scope of VAT stands alone."""
    with_vat = [group for group in known.breakdown if is_vat(group.pair[1])]
    if not any(strip(group.pair[0]) == "O" for group in with_vat):
        return
    others = [group for group in with_vat if strip(group.pair[0]) != "O"]
    if others:
        doc.fire("BR-O-11", others[0].place, category=others[0].pair[0])
    for rule, used in (
        ("BR-O-12", codes.items),
        ("BR-O-13", codes.charges[False]),
        ("BR-O-14", codes.charges[True]),
    ):
        if used - {"O"}:
            doc.fire(rule, doc.top, category=", ".join(sorted(used - {"O"})))


def _split_payment(doc: Document, known: Facts, codes: _Codes) -> None:
    """BR-B-01 and 02: Italian split payment, in Italy only and not beside the standard rate."""
    place = _place(doc, "cac:TaxTotal")
    if any(string_value(code) != "IT" for code in doc.root.iter(f"{{{CBC}}}IdentificationCode")):
        doc.fire("BR-B-01", place)
    items = codes.items_raw
    charges = {code for _, top, code, _ in known.charge_categories if top}
    groups = {group.pair[0] for group in known.breakdown}
    split = "B" in groups or "B" in charges or "B" in items
    # Up to 3.0.20 the test looked for S in the breakdown at a place where it never is.
    standard = "S" in charges or "S" in items or ("S" in groups and doc.since("3.0.21"))
    if split and standard:
        doc.fire("BR-B-02", place)


def _place(doc: Document, tag: str) -> Place:
    """The first group of that name, or the document element."""
    for _, place in doc.each(tag):
        return place
    return doc.top
