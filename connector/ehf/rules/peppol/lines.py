"""Invoice lines: amount, quantity and price, period, object."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connector.ehf.rules.engine import Document, Node, Plan, Values, element_of
from connector.ehf.rules.peppol.layers import both, text_of
from connector.ehf.rules.peppol.money import SLACK
from connector.ehf.rules.xpath import BreaksOff, date, divide, normalize, round_half_up

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
WITHIN_ROUNDING: Final = SLACK - Decimal("0.01")


@both.on("cac:InvoiceLine", "cac:CreditNoteLine")
def amount(node: Node, plan: Plan) -> None:
    """R120, R121: net amount = quantity × (price ÷ base quantity) + charges − allowances, give or take 0.02."""
    at = node.i
    nets = node.places("cbc:LineExtensionAmount")
    quantities = node.places("cbc:InvoicedQuantity" if plan.kind == "Invoice" else "cbc:CreditedQuantity")
    prices, bases = node.places("cac:Price/cbc:PriceAmount"), node.places("cac:Price/cbc:BaseQuantity")
    adjustments = [
        (one.places("cbc:ChargeIndicator"), one.places("cbc:Amount")) for one in node.all("cac:AllowanceCharge")
    ]
    if max(len(nets), len(quantities), len(prices), len(bases), *(len(i) for i, _ in adjustments), 0) > 1:
        plan.check(_several)
        return
    net_i = nets[0] if nets else None
    quantity_i = quantities[0] if quantities else None
    price_i = prices[0] if prices else None
    base_i = bases[0] if bases else None
    signed = [(indicators[0], amounts) for indicators, amounts in adjustments if indicators]

    def check(v: Values, doc: Document) -> None:
        decimal = doc.decimal
        net = decimal(v[net_i]) if net_i is not None else ZERO
        quantity = decimal(v[quantity_i]) if quantity_i is not None else ONE
        price = decimal(v[price_i]) if price_i is not None else ZERO
        base = ONE
        if base_i is not None and v[base_i] != "1":
            base = decimal(v[base_i])
            if base <= 0:
                doc.fire("PEPPOL-EN16931-R121", at, value=v[base_i])
                base = base or ONE
        charges = allowances = ZERO
        for indicator, amounts in signed:
            kind = v[indicator]
            if kind not in ("true", "false"):
                kind = normalize(kind or "")
            if kind == "true":
                for i in amounts:
                    charges += decimal(v[i])
            elif kind == "false":
                for i in amounts:
                    allowances += decimal(v[i])
        amount = quantity * (price if base is ONE else divide(price, base))
        if -WITHIN_ROUNDING <= net - amount - charges + allowances <= WITHIN_ROUNDING:
            return  # rounding charges and allowances cannot bring it out of the slack
        charges, allowances = round_half_up(charges, 2), round_half_up(allowances, 2)
        expected = amount + charges - allowances
        if not -SLACK <= net - expected <= SLACK:
            per = "" if base == 1 else f" ÷ {base:f}"
            plus = f" + {charges:f}" if charges else ""
            minus = f" − {allowances:f}" if allowances else ""
            shown = f"{round_half_up(expected, 2):f}"
            doc.fire(
                "PEPPOL-EN16931-R120",
                at,
                stated=f"{net:f}",
                expected=shown,
                calculation=f"{quantity:f} × {price:f}{per}{plus}{minus} = {shown}",
            )

    plan.check(check)


def _several(v: Values, doc: Document) -> None:
    raise BreaksOff("several amounts, quantities, prices or indicators in one line")


@both.on("cac:InvoiceLine", "cac:CreditNoteLine")
def line_object(node: Node, plan: Plan) -> None:
    """R100, R101: one document reference at most, and it is the invoiced object (type code 130)."""
    references = node.all("cac:DocumentReference")
    if not references:
        return
    if len(references) > 1:
        plan.fires("PEPPOL-EN16931-R100", node, value=str(len(references)), allowed="1")
    at = node.i
    codes = node.places("cac:DocumentReference/cbc:DocumentTypeCode")

    def check(v: Values, doc: Document) -> None:
        for i in codes:
            if v[i] == "130":
                return
        doc.fire("PEPPOL-EN16931-R101", at, value=v[codes[0]] if codes else None, allowed="130")

    plan.check(check)


@both.on("cac:Price/cbc:BaseQuantity")
def base_unit(node: Node, plan: Plan) -> None:
    """R130: the base quantity of the price has the unit of the line's quantity."""
    line = node.parent.parent if node.parent else None
    if line is None:
        return
    at, unit = node.i, node.attr("unitCode")

    def compare(code: str, units: list[str | None], doc: Document) -> None:
        if code not in units:
            doc.fire("PEPPOL-EN16931-R130", at, value=code, allowed=", ".join(text for text in units if text) or None)

    def below_the_document(v: Values, doc: Document) -> None:
        header, said, _ = doc.blocks[0]
        invoiced, credited = header.root.all("cbc:InvoicedQuantity"), header.root.all("cbc:CreditedQuantity")
        if (code := v[unit]) is not None and (invoiced or credited):
            own = invoiced if doc.kind == "Invoice" else credited
            compare(code, [said[one.attr("unitCode")] for one in own], doc)

    invoiced, credited = line.all("cbc:InvoicedQuantity"), line.all("cbc:CreditedQuantity")
    if line is plan.root:
        plan.check(below_the_document)
    elif invoiced or credited:
        units = [one.attr("unitCode") for one in (invoiced if plan.kind == "Invoice" else credited)]
        only = units[0] if len(units) == 1 else unit

        def check(v: Values, doc: Document) -> None:
            code = v[unit]
            if code is not None and (only == unit or code != v[only]):
                compare(code, [v[i] for i in units], doc)

        plan.check(check)


@both.on("/cac:InvoicePeriod/cbc:StartDate", "/cac:InvoicePeriod/cbc:EndDate")
def invoice_period(node: Node, plan: Plan) -> None:
    """Remember the period of the invoice, for R110 and R111."""
    i, tag = node.i, node.tag
    plan.check(lambda v, doc: doc.facts.setdefault(tag, []).append(v[i] or ""))


@both.on(
    "/cac:InvoiceLine/cac:InvoicePeriod/cbc:StartDate",
    "/cac:InvoiceLine/cac:InvoicePeriod/cbc:EndDate",
    "/cac:CreditNoteLine/cac:InvoicePeriod/cbc:StartDate",
    "/cac:CreditNoteLine/cac:InvoicePeriod/cbc:EndDate",
)
def line_period(node: Node, plan: Plan) -> None:
    """Remember the periods of the lines."""
    i, key = node.i, f"line {node.tag}"

    def remember(v: Values, doc: Document) -> None:
        doc.facts.setdefault(key, []).append((v[i], doc.place(i)))

    if node.path.startswith(f"cac:{plan.kind}Line"):
        plan.check(remember)


@both.document
def within(doc: Document) -> None:
    """R110, R111: a line's period lies within that of the invoice."""
    for tag, rule, sign in (("cbc:StartDate", "PEPPOL-EN16931-R110", 1), ("cbc:EndDate", "PEPPOL-EN16931-R111", -1)):
        stated = doc.facts.get(tag)
        if not stated:
            continue
        fine = None  # most lines have the same period, and an order of plain dates need not be worked out twice
        for text, place in doc.facts.get(f"line {tag}", ()):
            if text is not None and text == fine:
                continue
            plain = doc.typed and not doc.parted
            own = text if plain else text_of([element_of(place)], doc)
            if len(stated) > 1:
                raise BreaksOff("several invoice periods")
            outer = date(stated[0])[0]
            if own is None or (date(own)[0] - outer) * sign < 0:
                doc.fire(rule, place, value=text, allowed=stated[0])
            elif plain:
                fine = text
