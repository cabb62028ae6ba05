"""Currencies, allowances and charges, prices, direct debits."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import ATTRIBUTES, Document, Node, Plan, Values, getter
from connector.ehf.rules.peppol.layers import both, is_self_billing, own_text, text_of
from connector.ehf.rules.xpath import BreaksOff, normalize
from connector.ehf.xml import CBC

AMOUNTS: Final = frozenset(tag for tag, names in ATTRIBUTES.items() if "currencyID" in names)
_INDICATORS: Final = frozenset({"true", "false"})
SLACK: Final = Decimal("0.02")
"""`u:slack`: both ends are allowed."""


@both.start
def no_currency(doc: Document) -> None:
    """No currency is known yet."""
    doc.facts["currencies"] = []


@both.on("/cbc:DocumentCurrencyCode")
def currency(node: Node, plan: Plan) -> None:
    """Note the currency of the invoice; it stands in the header, which comes first."""
    i = node.i
    plan.check(lambda v, doc: doc.facts["currencies"].append(v[i] or ""))


@both.shape
def currencies(plan: Plan) -> None:
    """R051, CL007: every amount is in the invoice's currency, which is one of ISO 4217.

    The tax total in the accounting currency is free for R051; in self-billing the tax of a VAT group is free as well.
    """
    amounts = [node for node in plan.nodes if node.tag in AMOUNTS]
    if not amounts:
        return
    listed = plan.codes("peppol-currency")
    free = {node.i for node in amounts if _is_free(node, self_billing=is_self_billing(plan))}
    places = [(node.i, node.attr("currencyID")) for node in amounts]
    seen, count = getter([place for _, place in places]), len(places)

    def check(v: Values, doc: Document) -> None:
        known: list[str] = doc.facts["currencies"]
        # Nearly always all amounts are in the one currency of the invoice, and that is one of the list.
        if len(known) == 1 and known[0] in listed and seen(v).count(known[0]) == count:
            return
        for i, place in places:
            code = v[place]
            if code not in listed:
                doc.fire("PEPPOL-EN16931-CL007", i, value=code)
            if code not in known and i not in free:
                doc.fire("PEPPOL-EN16931-R051", i, value=code, allowed=", ".join(sorted(known)))

    plan.check(check)


def _is_free(node: Node, *, self_billing: bool) -> bool:
    parent = node.parent
    if node.tag != "cbc:TaxAmount" or parent is None:
        return False
    if parent.tag == "cac:TaxTotal":
        return not parent.has("cac:TaxSubtotal")
    return self_billing or parent.tag != "cac:TaxSubtotal"


@both.on("/cac:AllowanceCharge", "/cac:InvoiceLine/cac:AllowanceCharge", "/cac:CreditNoteLine/cac:AllowanceCharge")
def allowance_or_charge(node: Node, plan: Plan) -> None:
    """R040 to R043: percent and base come together and make the amount; the indicator is `true` or `false`.

    With only one of percent and base, R041 or R042 fires and the others are not looked at.
    """
    if node.parent is None or node.parent.tag not in (plan.kind, f"cac:{plan.kind}Line"):
        return
    at = node.i
    percents, bases = node.places("cbc:MultiplierFactorNumeric"), node.places("cbc:BaseAmount")
    if percents and not bases:
        plan.fires("PEPPOL-EN16931-R041", node)
        return
    if bases and not percents:
        plan.fires("PEPPOL-EN16931-R042", node)
        return
    amounts, indicators = node.places("cbc:Amount"), node.places("cbc:ChargeIndicator")
    if percents:
        several = max(len(percents), len(bases), len(amounts)) > 1

        def calculation(v: Values, doc: Document) -> None:
            if several:
                raise BreaksOff("several amounts in one allowance or charge")
            base, percent = doc.decimal(v[bases[0]]), doc.decimal(v[percents[0]])
            stated = doc.decimal(v[amounts[0]]) if amounts else Decimal(0)
            expected = (base * percent).scaleb(-2)
            if not -SLACK <= stated - expected <= SLACK:
                sum_ = f"{base} × {percent} ÷ 100 = {expected:f}"
                doc.fire(
                    "PEPPOL-EN16931-R040",
                    at,
                    stated=f"{stated:f}",
                    expected=f"{expected.normalize():f}",
                    calculation=sum_,
                )

        plan.check(calculation)

    def indicator(v: Values, doc: Document) -> None:
        said = [text for i in indicators if (text := own_text(v[i], i, doc))]
        if len(said) > 1:
            raise BreaksOff("several cbc:ChargeIndicator")
        if not said or normalize(said[0]) not in _INDICATORS:
            doc.fire("PEPPOL-EN16931-R043", at, value=said[0] if said else None, allowed="true, false")

    if len(indicators) == 1 and not node.all("cbc:ChargeIndicator")[0].kids:
        plan.unless(indicators[0], _INDICATORS, indicator)
    else:
        plan.check(indicator)


@both.document
def parted_indicator(doc: Document) -> None:
    """R043 on an indicator in several pieces, which looks right when they are put together."""
    for element in doc.parted:
        if element.tag == f"{{{CBC}}}ChargeIndicator" and _is_judged(element):
            text_of([element], doc)


def _is_judged(indicator: etree._Element) -> bool:
    """Whether R043 reads this ChargeIndicator: of the document or a line, with both percent and base or neither."""
    adjustment = indicator.getparent()
    place = adjustment.getparent() if adjustment is not None else None
    if adjustment is None or place is None or not (place.getparent() is None or place.tag.endswith("Line")):
        return False
    names = {child.tag for child in adjustment}
    return (f"{{{CBC}}}MultiplierFactorNumeric" in names) == (f"{{{CBC}}}BaseAmount" in names)


@both.on("cac:Price/cac:AllowanceCharge")
def price_allowance(node: Node, plan: Plan) -> None:
    """R044, R046: on a price only an allowance, and net price = gross price - allowance, exactly."""
    at = node.i
    indicators, bases, amounts = (
        node.places("cbc:ChargeIndicator"),
        node.places("cbc:BaseAmount"),
        node.places("cbc:Amount"),
    )
    prices = node.parent.places("cbc:PriceAmount") if node.parent else ()

    def check(v: Values, doc: Document) -> None:
        if len(indicators) > 1:
            raise BreaksOff("several cbc:ChargeIndicator")
        said = v[indicators[0]] if indicators else None
        if said != "false" and normalize(said or "") != "false":
            doc.fire("PEPPOL-EN16931-R044", at, value=said, allowed="false")
        if not bases:
            return
        if prices and max(len(bases), len(amounts), len(prices)) > 1:
            raise BreaksOff("several amounts in one price")
        stated = doc.decimal(v[prices[0]]) if prices else None
        if stated is None:  # what is missing equals nothing: the other side is not even read
            doc.fire("PEPPOL-EN16931-R046", at)
            return
        gross = doc.decimal(v[bases[0]])
        allowance = doc.decimal(v[amounts[0]]) if amounts else None
        if allowance is None:
            doc.fire("PEPPOL-EN16931-R046", at)
        elif stated != gross - allowance:
            net = f"{gross - allowance:f}"
            sum_ = f"{gross:f} − {allowance:f} = {net}"
            doc.fire("PEPPOL-EN16931-R046", at, stated=f"{stated:f}", expected=net, calculation=sum_)

    plan.check(check)


@both.on("cac:PaymentMeans")
def direct_debit(node: Node, plan: Plan) -> None:
    """R061: a direct debit (49, 59) has a mandate."""
    codes = node.places("cbc:PaymentMeansCode")
    if len(codes) != 1 or node.has("cac:PaymentMandate/cbc:ID"):
        return
    at, i = node.i, codes[0]

    def check(v: Values, doc: Document) -> None:
        if normalize(v[i] or "") in ("49", "59"):
            doc.fire("PEPPOL-EN16931-R061", at, value=v[i])

    plan.check(check)
