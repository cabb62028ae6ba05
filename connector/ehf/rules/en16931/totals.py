"""Sums and decimals: document totals (BG-22), tax totals, allowances and charges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from lxml import etree

from connector.ehf.rules.en16931.facts import (
    HUNDRED,
    INDICATORS,
    MANY_DIGITS,
    ZERO,
    Allowances,
    cents,
    facts,
    is_vat,
    kinds_of,
    scheme_place,
    shown,
    tax_is_near,
    whole,
)
from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import (
    LINES,
    Check,
    Document,
    Node,
    Outline,
    Place,
    Plan,
    Values,
    picker,
    strip,
    too_fine,
)
from connector.ehf.rules.xpath import BreaksOff, sign
from connector.ehf.xml import CAC, CBC

layer.fatal("BR-12", "BR-13", "BR-14", "BR-15", "BR-31", "BR-32", "BR-33", "BR-36", "BR-37", "BR-38")
layer.fatal("BR-41", "BR-42", "BR-43", "BR-44", "BR-45", "BR-46", "BR-47", "BR-48")
layer.fatal("BR-CO-10", "BR-CO-11", "BR-CO-12", "BR-CO-13", "BR-CO-14", "BR-CO-15", "BR-CO-16", "BR-CO-17")
layer.fatal("BR-CO-21", "BR-CO-22", "BR-CO-23", "BR-CO-24")
layer.fatal("BR-CO-25", until="3.0.20")
layer.fatal(*(f"BR-DEC-{n:02}" for n in (1, 2, 5, 6, 9, 10, 11, 12, 14, 16, 17, 18, 19, 20, 23, 24, 25, 27, 28)))
# The tests of these two look for the currency code below the amount, where it never is: they cannot fire.
layer.fatal("BR-DEC-13", "BR-DEC-15")

DECIMALS = {
    "LineExtensionAmount": "BR-DEC-09",
    "AllowanceTotalAmount": "BR-DEC-10",
    "ChargeTotalAmount": "BR-DEC-11",
    "TaxExclusiveAmount": "BR-DEC-12",
    "TaxInclusiveAmount": "BR-DEC-14",
    "PrepaidAmount": "BR-DEC-16",
    "PayableRoundingAmount": "BR-DEC-17",
    "PayableAmount": "BR-DEC-18",
}
"""Of the document totals."""
_ORDER = tuple(DECIMALS)

ALLOWANCE_RULES = {
    # (of a line?, charge?): amount, VAT category, reason (two rules), decimals of the amount and of the base
    (False, False): ("BR-31", "BR-32", ("BR-33", "BR-CO-21"), ("BR-DEC-01", "BR-DEC-02")),
    (False, True): ("BR-36", "BR-37", ("BR-38", "BR-CO-22"), ("BR-DEC-05", "BR-DEC-06")),
    (True, False): ("BR-41", None, ("BR-42", "BR-CO-23"), ("BR-DEC-24", "BR-DEC-25")),
    (True, True): ("BR-43", None, ("BR-44", "BR-CO-24"), ("BR-DEC-27", "BR-DEC-28")),
}


def _two_decimals(plan: Plan, rule: str, places: Iterable[int]) -> None:
    found = tuple(places)

    def check(v: Values, doc: Document) -> None:
        for i in found:
            if too_fine(v[i]):
                doc.fire(rule, i, value=v[i])

    plan.check_amounts(check)


@layer.on("cac:LegalMonetaryTotal")
def totals(node: Node, plan: Plan) -> None:
    """BT-106, 109, 112 and 115 are there; decimals."""
    plan.exists("BR-12", node, "cbc:LineExtensionAmount")
    plan.exists("BR-13", node, "cbc:TaxExclusiveAmount")
    plan.exists("BR-14", node, "cbc:TaxInclusiveAmount")
    plan.exists("BR-15", node, "cbc:PayableAmount")
    for tag, rule in DECIMALS.items():
        _two_decimals(plan, rule, node.places(f"cbc:{tag}"))
    _hand_on(node, plan)


def _hand_on(node: Node, plan: Plan) -> None:
    """The amounts of the document's totals, for its sums."""
    found = [node.places(f"cbc:{tag}") for tag in DECIMALS]
    places = [each[0] if each else None for each in found]
    several = any(len(each) > 1 for each in found)
    at = node.i
    beside = None
    if node.path != "cac:LegalMonetaryTotal" and node.parent:
        beside = [
            (each.places("cbc:ChargeIndicator"), each.places("cbc:Amount"))
            for each in node.parent.all("cac:AllowanceCharge")
        ]

    spots = [at, *(at if place is None else place for place in places)]
    pick = picker(places)

    def check(v: Values, doc: Document) -> None:
        if several:
            raise BreaksOff("xs:decimal() of several amounts")
        texts = [*pick(v)]
        if not doc.typed:  # an amount that is there and empty is not the same as none
            texts = [None if place is None else text or "" for place, text in zip(places, texts, strict=True)]
        allowances: Allowances | None = None
        if beside is not None:
            allowances = [
                (kind, frozenset[str](), (), tuple(v[i] for i in amounts))
                for indicators, amounts in beside
                for kind in kinds_of(v, indicators)
            ]
        facts(doc).totals.append((texts, spots, doc.els, allowances))

    plan.check(check)


@layer.on("/cac:LegalMonetaryTotal/cbc:PayableAmount")
def due(node: Node, plan: Plan) -> None:
    """BR-CO-25, up to 3.0.20: who is asked to pay is told when (invoices only)."""
    if plan.kind == "Invoice" and not plan.since("3.0.21"):
        at = node.i
        plan.check(lambda v, doc: doc.facts.setdefault("due", (at, doc.place(at), v[at])))


@layer.on("cbc:DueDate", "cac:PaymentTerms/cbc:Note")
def due_told(node: Node, plan: Plan) -> None:
    """For BR-CO-25."""
    if not plan.since("3.0.21"):
        plan.check(lambda v, doc: doc.facts.setdefault("due told", True))


@layer.on("cac:InvoiceLine", "cac:CreditNoteLine")
def line(node: Node, plan: Plan) -> None:
    """BT-131 has two decimals."""
    _two_decimals(plan, "BR-DEC-23", node.places("cbc:LineExtensionAmount"))


@layer.on("cac:AllowanceCharge")
def allowance_or_charge(node: Node, plan: Plan) -> None:
    """BG-20, 21, 27 and 28: amount, VAT category, reason, decimals."""
    of_line = node.parent is not None and node.parent.tag in LINES
    if not of_line and node.path != "cac:AllowanceCharge":
        return
    indicators = node.places("cbc:ChargeIndicator")
    amounts, bases = node.places("cbc:Amount"), node.places("cbc:BaseAmount")
    has_reason = node.has("cbc:AllowanceChargeReason") or node.has("cbc:AllowanceChargeReasonCode")
    schemes = [scheme_place(each) for each in node.all("cac:TaxCategory") if each.has("cbc:ID")]
    at = node.i

    def check(v: Values, doc: Document) -> None:
        kinds = kinds_of(v, indicators)
        if not kinds:
            return
        amount, category, reasons, _ = ALLOWANCE_RULES[of_line, False not in kinds]
        if not amounts:
            doc.fire(amount, at)
        if category and not any(is_vat(v[i]) for places in schemes for i in places):
            doc.fire(category, at)
        if not has_reason:
            for rule in reasons:
                doc.fire(rule, at)

    def decimals(v: Values, doc: Document) -> None:
        if kinds := kinds_of(v, indicators):
            rules = ALLOWANCE_RULES[of_line, False not in kinds][3]
            for rule, places in zip(rules, (amounts, bases), strict=True):
                for i in places:
                    if too_fine(v[i]):
                        doc.fire(rule, i, value=v[i])

    if of_line and amounts and has_reason and len(indicators) == 1:  # then only an indicator that is none matters
        plan.unless(indicators[0], INDICATORS, check)
    else:
        plan.check(check)
    plan.check_amounts(decimals)


@layer.on("/cac:TaxTotal")
def tax_total(node: Node, plan: Plan) -> None:
    """BR-CO-14: the VAT total is the sum of the VAT groups."""
    if not node.has("cac:TaxSubtotal"):
        return
    stated, parts = node.first("cbc:TaxAmount"), node.places("cac:TaxSubtotal/cbc:TaxAmount")
    if stated is None:
        plan.fires("BR-CO-14", node)
        return
    at = stated.i

    def check(v: Values, doc: Document) -> None:
        total, amounts = doc.decimal(v[at]), [doc.decimal(v[i]) for i in parts]
        if total != (found := sum(amounts, ZERO)) or not doc.typed or too_fine(v[at]):
            _compare(doc, "BR-CO-14", at, total, found, amounts)

    plan.check(check)


@layer.on("cac:TaxTotal/cac:TaxSubtotal")
def vat_group(node: Node, plan: Plan) -> None:
    """BG-23: BT-116, 117, 118 and 119 are there; BR-CO-17, the tax is base × rate within one whole unit."""
    plan.exists("BR-45", node, "cbc:TaxableAmount")
    plan.exists("BR-46", node, "cbc:TaxAmount")
    _two_decimals(plan, "BR-DEC-19", node.places("cbc:TaxableAmount"))
    _two_decimals(plan, "BR-DEC-20", node.places("cbc:TaxAmount"))
    categories = [
        (scheme_place(each), each.places("cbc:ID"), each.places("cbc:Percent")) for each in node.all("cac:TaxCategory")
    ]
    base, tax = node.first("cbc:TaxableAmount"), node.first("cbc:TaxAmount")
    at = node.i

    def check(v: Values, doc: Document) -> None:
        has_code = has_rate = outside = False
        percents: list[str | None] = []
        for schemes, ids, rates in categories:
            if any(is_vat(v[i]) for i in schemes):
                has_code = has_code or bool(ids)
                has_rate = has_rate or bool(rates)
                outside = outside or any(strip(v[i]) == "O" for i in ids)
                percents += [v[i] for i in rates]
        if not has_code:
            doc.fire("BR-47", at)
        if not has_rate and not outside:
            doc.fire("BR-48", at)
        tax_text = None if tax is None else v[tax.i] or ""
        base_text = None if base is None else v[base.i] or ""
        _tax_of_group(doc, tax.i if tax else at, percents, base_text, tax_text)

    one = len(categories) == 1 and [*map(len, categories[0])] == [1, 1, 1]
    plan.check(_of_one_rate(categories[0], base.i, tax.i, check) if one and base and tax else check)


def _of_one_rate(category: tuple[tuple[int, ...], ...], base: int, tax: int, otherwise: Check) -> Check:
    """The same for a group that has all it should have: mostly it is right, and the tax clearly within the slack."""
    (scheme,), _, (rate,) = category

    def check(v: Values, doc: Document) -> None:
        percent = v[rate]
        fine = doc.typed and v[scheme] == "VAT" and percent and len(percent) < MANY_DIGITS and not doc.too_fine
        if not (fine and tax_is_near(Decimal(v[base] or ""), Decimal(percent or ""), Decimal(v[tax] or ""))):
            otherwise(v, doc)

    return check


def _tax_of_group(
    doc: Document, at: int, percents: list[str | None], base_text: str | None, tax_text: str | None
) -> None:
    """BR-CO-17. A rate that rounds to 0 wants a tax that does; so does no rate at all."""
    if tax_text is None:  # nothing equals what is missing, whatever the rates
        doc.fire("BR-CO-17", at)
        return
    tax = doc.decimal(tax_text)
    if base_text is None and whole(tax) != 0:  # nor does it matter then what the rate is
        doc.fire("BR-CO-17", at, stated=tax_text)
        return
    if len(percents) > 1:
        raise BreaksOff("round() of several rates")
    rate = doc.decimal(percents[0]) if percents else None
    if rate is None or whole(rate) == 0:
        if whole(tax) != 0:
            shown_rate = None if rate is None else f"{rate:f}"
            doc.fire("BR-CO-17", at, stated=tax_text, expected="0.00", rate=shown_rate)
        return
    base = None if base_text is None else doc.decimal(base_text)
    if base is None:
        doc.fire("BR-CO-17", at, stated=tax_text)
        return
    expected = cents(abs(base) * (rate / HUNDRED))
    if not abs(tax) - 1 < expected < abs(tax) + 1:
        signed = expected if base >= 0 else -expected
        calculation = f"{shown(base)} × {rate:f} % = {shown(signed)}"
        doc.fire("BR-CO-17", at, stated=tax_text, expected=shown(signed), calculation=calculation)


@layer.outline
def document_totals(outline: Outline) -> None:
    """BR-CO-10 to 13, 15 and 16, and BR-CO-25."""
    outline.check(_sums)
    _with_tax(outline)
    if not outline.since("3.0.21"):
        outline.check(_due)


def _sums(doc: Document) -> None:
    """BR-CO-10 to 13 and 16."""
    known = facts(doc)
    for texts, spots, els, beside in known.totals:
        allowances = known.allowances if beside is None else beside
        if not (doc.typed and not doc.too_fine and _add_up(doc, texts, allowances)):
            _totals_of(doc, texts, [(els, i) for i in spots], allowances)


def _add_up(doc: Document, texts: list[str | None], beside: Allowances) -> bool:
    """Whether all is there and adds up, when no amount has more than two decimals, so that nothing is rounded.

    The short way for the many that are right; what is wrong `_totals_of` finds out.
    """
    lines, allowances, charges, exclusive, inclusive, prepaid, rounding, payable = [
        None if text is None else Decimal(text) for text in texts
    ]
    if lines is None or exclusive is None or inclusive is None or payable is None or lines != _net_of_lines(doc):
        return False
    total = lines
    if allowances is None and charges is None:
        if beside:
            return False
    else:
        sums = {False: ZERO, True: ZERO}
        for charge, _, _, amounts in beside:
            for text in amounts:
                sums[charge] += Decimal(text or "")
        for charge, stated in ((False, allowances), (True, charges)):
            if stated is None:
                if any(charge is each[0] for each in beside):
                    return False
            elif stated != sums[charge]:
                return False
        total = lines - sums[False] + sums[True]
    return exclusive == total and payable - (rounding or ZERO) == inclusive - (prepaid or ZERO)


def _due(doc: Document) -> None:
    """BR-CO-25."""
    if (payable := doc.facts.get("due")) and not doc.facts.get("due told") and sign(payable[2] or "") > 0:
        doc.fire("BR-CO-25", payable[1], value=payable[2])


Tell = Callable[[str, str, "Decimal | None", str], None]


def _totals_of(doc: Document, texts: list[str | None], places: list[Place], beside: Allowances) -> None:
    """BR-CO-10 to 13 and 16, on the texts of the amounts in the order of `DECIMALS`."""

    # Operands are cast from left to right, and none after one that is not there.
    def amount(name: str) -> Decimal | None:
        text = texts[_ORDER.index(name)]
        return None if text is None else doc.decimal(text)

    def tell(rule: str, name: str, expected: Decimal | None, calculation: str) -> None:
        place = _ORDER.index(name)
        values = {"stated": texts[place]}
        if expected is not None:
            values |= {"expected": shown(expected), "calculation": f"{calculation} = {shown(expected)}"}
        doc.fire(rule, places[0] if texts[place] is None else places[place + 1], **values)

    lines = amount("LineExtensionAmount")
    if lines is None:
        tell("BR-CO-10", "LineExtensionAmount", None, "")
    elif lines != (net := cents(_net_of_lines(doc))):
        tell("BR-CO-10", "LineExtensionAmount", net, _lines_written_out(doc))
    allowances = _allowances(doc, beside, "BR-CO-11", "AllowanceTotalAmount", amount, tell)
    charges = _allowances(doc, beside, "BR-CO-12", "ChargeTotalAmount", amount, tell)
    stated = amount("TaxExclusiveAmount")
    if stated is None or lines is None:
        tell("BR-CO-13", "TaxExclusiveAmount", None, "")
    else:
        exclusive = lines - (allowances or ZERO) + (charges or ZERO)
        if allowances is not None or charges is not None:
            exclusive = cents(exclusive)
        if stated != exclusive:
            parts = shown(lines) + _signed("−", allowances) + _signed("+", charges)
            tell("BR-CO-13", "TaxExclusiveAmount", exclusive, parts)
    payable = amount("PayableAmount")
    rounding = None if payable is None else amount("PayableRoundingAmount")
    inclusive = None if payable is None else amount("TaxInclusiveAmount")
    if inclusive is None or payable is None:
        tell("BR-CO-16", "PayableAmount", None, "")
        return
    prepaid = amount("PrepaidAmount")
    wanted = inclusive if prepaid is None else cents(inclusive - prepaid)
    if (payable if rounding is None else cents(payable - rounding)) != wanted:
        parts = shown(inclusive) + _signed("−", prepaid) + _signed("+", rounding)
        tell("BR-CO-16", "PayableAmount", wanted + (rounding or ZERO), parts)


def _allowances(
    doc: Document, beside: Allowances, rule: str, name: str, amount: Callable[[str], Decimal | None], tell: Tell
) -> Decimal | None:
    """BR-CO-11 or 12: the sum of the document's allowances or charges; gives what is stated."""
    found = [texts for charge, _, _, texts in beside if charge is (rule == "BR-CO-12")]
    stated = amount(name)
    if stated is None:
        if found:
            tell(rule, name, None, "")
        return None
    amounts = [doc.decimal(text) for texts in found for text in texts]
    total = cents(sum(amounts, ZERO))
    if stated != total:
        tell(rule, name, total, _sum_of(amounts))
    return stated


def _with_tax(outline: Outline) -> None:
    """BR-CO-15: with VAT = without VAT + the VAT total in the document's currency, of which there is exactly one."""
    currencies = outline.all("cbc:DocumentCurrencyCode")
    exclusives = outline.all("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount")
    inclusives = outline.all("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount")
    taxes = [(block, node.i, node.attr("currencyID")) for block, node in outline.nodes("cac:TaxTotal/cbc:TaxAmount")]

    def check(doc: Document) -> None:
        blocks = doc.blocks
        for spot in currencies:
            wanted = doc.text(spot) or ""
            found = [(block, i) for block, i, currency in taxes if blocks[block][1][currency] == wanted]
            if len(found) != 1:
                place = doc.at(found[1] if found else spot)
                doc.fire("BR-CO-15", place, currency=wanted, count=str(len(found)))
                continue
            if not exclusives or not inclusives:
                doc.fire("BR-CO-15", doc.at(inclusives[0] if inclusives else spot))
                continue
            stated = doc.text(inclusives[0])
            inclusive, exclusive = doc.decimal(stated), doc.decimal(doc.text(exclusives[0]))
            tax = doc.decimal(doc.text(found[0]))
            expected = exclusive + tax
            if inclusive == expected and not doc.too_fine:
                continue
            expected = cents(expected)
            if inclusive != expected:
                calculation = f"{shown(exclusive)} + {shown(tax)} = {shown(expected)}"
                values = {"stated": stated, "expected": shown(expected), "calculation": calculation}
                doc.fire("BR-CO-15", doc.at(inclusives[0]), **values)

    if currencies:
        outline.check(check)


def _net_of_lines(doc: Document) -> Decimal:
    known = facts(doc)
    total = ZERO
    for groups in known.groups.values():
        for group in groups.values():
            total += group.net
    for line_ in known.odd_lines:
        total += sum(map(doc.decimal, line_.nets), ZERO)
    return total


def _compare(
    doc: Document, rule: str, at: int | etree._Element, stated: Decimal, total: Decimal, parts: list[Decimal]
) -> None:
    expected = cents(total)
    if stated != expected:
        calculation = f"{_sum_of(parts)} = {shown(expected)}"
        doc.fire(rule, at, stated=f"{stated:f}", expected=shown(expected), calculation=calculation)


def _lines_written_out(doc: Document) -> str:
    """The addends of BR-CO-10, read again from the document: only a wrong sum needs them."""
    path = f"{{{CAC}}}InvoiceLine", f"{{{CAC}}}CreditNoteLine"
    texts = (line_.findtext(f"{{{CBC}}}LineExtensionAmount") for line_ in doc.root.iter(*path))
    return _sum_of([doc.decimal(text) for text in texts if text])


def _sum_of(parts: list[Decimal]) -> str:
    if not parts:
        return "0"
    if len(parts) > 12:
        return f"{shown(parts[0])} + {shown(parts[1])} + … + {shown(parts[-1])} ({len(parts)})"
    return shown(parts[0]) + "".join(_signed("+", part) for part in parts[1:])


def _signed(sign: str, amount: Decimal | None) -> str:
    if amount is None:
        return ""
    if amount < 0:
        return f" {'−' if sign == '+' else '+'} {shown(-amount)}"
    return f" {sign} {shown(amount)}"
