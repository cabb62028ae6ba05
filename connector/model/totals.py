"""Totals and VAT of the documents we compose: exact, so that the official arithmetic rules hold by construction.

Prices without VAT (the usual case): a line's value is quantity × price ÷ base quantity, rounded to two decimals; its
net adds charges and takes off allowances. VAT is computed once per category and rate, on the sum of the group, never
added up from rounded lines. The payable amount is rounded to whole kroner only through BT-114.

Prices with VAT (`Draft.prices_include_vat`): the sum the consumer saw is kept to the øre. For each category and rate
the gross sum G is split into VAT = round2(G × rate ÷ (100 + rate)) and net = G − VAT, so net + VAT is G by construction
(and VAT differs from net × rate by less than two øre: some gross sums have no net whose VAT rounds exactly, and a
tolerance of the rules, BR-CO-17, covers them). The group's net is then dealt out to its lines and document allowances
and charges by largest remainder, so each is less than two øre from its exact share and their sum is exact. Net prices
get as many decimals as quantity × price needs to stay within the tolerance of PEPPOL-EN16931-R120.

Rounding is to two decimals with halves towards plus infinity in every currency, as the rules demand; for a currency
without minor unit (JPY, ISK) the payable amount is made whole through BT-114.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple

from connector.model.charges import RATED, AllowanceCharge, VatBreakdown
from connector.model.invoice import Draft, Invoice, Totals
from connector.model.line import Line
from connector.model.money import CENT, EXACT, ZERO, minor_units, round2, round_to, total
from connector.model.payment_means import PaymentMeans

HUNDRED = Decimal(100)
ONE = Decimal(1)

CATEGORY_REASON = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
"""Exemption codes that say no more than their category does; filled in where no reason is given (BR-AE-10 …)."""

Group = tuple[str | None, Decimal | None]


class Problem(NamedTuple):
    """One reason why a draft cannot be composed."""

    code: str
    """Stable, kebab-case."""
    at: str
    """Where: path of field names, `lines[0].price`."""
    says: str
    """What is wrong and what to do."""


class Uncomposable(ValueError):
    """The draft lacks something or contradicts itself; `problems` has all of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.at}: {problem.says}" for problem in problems))
        self.problems = tuple(problems)


def compose(draft: Invoice) -> Invoice:
    """The invoice with line nets, allowance amounts, VAT breakdown and totals filled in.

    Args:
        draft: an invoice without totals; a `Draft` may say that prices include VAT, what is prepaid (BT-113), the unit
            the payable amount is rounded to (BT-114) and the VAT in the accounting currency (BT-111).

    Raises:
        Uncomposable: with every problem found: no price, no VAT category, totals already stated, …
    """
    problems = list(_problems(draft))
    if problems:
        raise Uncomposable(problems)
    settings = draft if isinstance(draft, Draft) else None
    with localcontext(EXACT):
        lines = tuple(_normal_line(line) for line in draft.lines)
        items = tuple(_rated(item) for item in draft.allowances_charges)
        if settings is not None and settings.prices_include_vat:
            lines, items, vat = _from_gross(lines, items)
        else:
            lines, items, vat = _from_net(lines, items)
        _check_results(draft, lines)
        totals = _totals(draft, settings, lines, items, vat)
        fields = {name: getattr(draft, name) for name in Invoice.model_fields}
        fields |= {
            "lines": lines,
            "allowances_charges": items,
            "vat_breakdown": vat,
            "totals": totals,
            "payment_means": _payment_means(draft),
        }
        return Invoice(**fields)


# What must be there before anything is computed ---------------------------------------------------------------------


def _problems(draft: Invoice) -> Iterable[Problem]:
    if draft.totals is not None or draft.vat_breakdown:
        yield Problem(
            "totals-stated", "totals", "the document states its totals; a stated document is not composed anew"
        )
    if isinstance(draft, Draft):
        stated = draft.tax_in_accounting_currency is not None
        if stated != (draft.tax_currency is not None):
            yield Problem(
                "accounting-tax-incomplete",
                "tax_in_accounting_currency",
                "VAT in the accounting currency (BT-111) and that currency (BT-6) belong together; both are stated",
            )
        if draft.round_payable_to is not None and draft.round_payable_to <= 0:
            yield Problem("rounding-unit", "round_payable_to", "the unit to round to must be more than 0")
        for name in ("prepaid", "tax_in_accounting_currency"):
            yield from _two_decimals(getattr(draft, name), name)
    elif draft.tax_currency is not None:
        yield Problem("accounting-tax-incomplete", "tax_currency", "state the VAT in this currency (BT-111) in a Draft")
    for number, line in enumerate(draft.lines):
        yield from _line_problems(line, f"lines[{number}]")
    for number, item in enumerate(draft.allowances_charges):
        at = f"allowances_charges[{number}]"
        yield from _vat_problems(item.vat_category, item.vat_rate, at)
        yield from _item_problems(item, at)


def _line_problems(line: Line, at: str) -> Iterable[Problem]:
    if line.quantity is None:
        yield Problem("quantity-missing", f"{at}.quantity", "the line has no quantity (BT-129)")
    if line.price is None and line.gross_price is None:
        yield Problem("price-missing", f"{at}.price", "the line has no price (BT-146)")
    if line.price is not None and line.gross_price is not None:
        if line.price != EXACT.subtract(line.gross_price, line.price_discount or ZERO):
            yield Problem("price-clash", f"{at}.price", "the net price is not gross price less discount; leave one out")
    elif line.price_discount is not None and line.gross_price is None:
        yield Problem(
            "price-clash", f"{at}.price_discount", "a discount needs the gross price it is taken off (BT-148)"
        )
    if (line.price or ZERO) < 0 and line.gross_price is not None:
        yield Problem(
            "price-negative", f"{at}.price", "a negative price cannot have a discount; make the quantity negative"
        )
    if line.base_quantity is not None and line.base_quantity <= 0:
        yield Problem("base-quantity", f"{at}.base_quantity", "the base quantity must be more than 0")
    yield from _vat_problems(line.vat_category, line.vat_rate, at)
    for number, item in enumerate(line.allowances_charges):
        yield from _item_problems(item, f"{at}.allowances_charges[{number}]")


def _vat_problems(category: str | None, rate: Decimal | None, at: str) -> Iterable[Problem]:
    if category is None:
        yield Problem("vat-category-missing", f"{at}.vat_category", "no VAT category (S, Z, E, AE, G, O …)")
    elif category in RATED:
        if rate is None:
            yield Problem("vat-rate-missing", f"{at}.vat_rate", f"category {category} needs its rate in percent")
        elif rate < 0:
            yield Problem("vat-rate-negative", f"{at}.vat_rate", "a VAT rate is not negative")
    elif rate:
        yield Problem("vat-rate-not-zero", f"{at}.vat_rate", f"category {category} has no rate but 0")


def _item_problems(item: AllowanceCharge, at: str) -> Iterable[Problem]:
    if item.amount is None and item.percent is None:
        yield Problem("amount-missing", f"{at}.amount", "an allowance or charge needs an amount or a percentage")
    yield from _two_decimals(item.amount, f"{at}.amount")
    yield from _two_decimals(item.base, f"{at}.base")
    if item.base is not None and item.percent is None:
        yield Problem("percent-missing", f"{at}.percent", "a base amount needs its percentage")
    if item.amount is not None and item.percent is not None and item.base is None:
        yield Problem(
            "base-missing", f"{at}.base", "amount and percentage need the base amount; or leave the amount out"
        )
    if item.amount is not None and item.percent is not None and item.base is not None:
        exact = EXACT.divide(EXACT.multiply(item.base, item.percent), HUNDRED)
        if abs(EXACT.subtract(item.amount, exact)) > 2 * CENT:
            yield Problem("amount-clash", f"{at}.amount", "the amount is not base × percentage ÷ 100")


def _two_decimals(amount: Decimal | None, at: str) -> Iterable[Problem]:
    if amount is not None and amount != round2(amount):
        yield Problem("too-many-decimals", at, "an amount has at most two decimals")


def _check_results(draft: Invoice, lines: Sequence[Line]) -> None:
    """A line amount that somebody stated in a draft must be the one we get; we never overrule it in silence."""
    problems = [
        Problem("line-net-differs", f"lines[{number}].net", f"stated {before.net}, computed {after.net}")
        for number, (before, after) in enumerate(zip(draft.lines, lines, strict=True))
        if before.net is not None and before.net != after.net
    ]
    if problems:
        raise Uncomposable(problems)


# Prices without VAT ---------------------------------------------------------------------------------------------------


def _normal_line(line: Line) -> Line:
    """The line with its net price, a price that is not negative (BR-27) and the rate its category has."""
    price = line.price if line.price is not None else (line.gross_price or ZERO) - (line.price_discount or ZERO)
    quantity = line.quantity or ZERO
    if price < 0 and line.gross_price is None:
        price, quantity = -price, -quantity
    rate = _rate(line.vat_category, line.vat_rate)
    discount = line.price_discount if line.gross_price is None else line.gross_price - price
    return line.model_copy(update={"price": price, "price_discount": discount, "quantity": quantity, "vat_rate": rate})


def _rated(item: AllowanceCharge) -> AllowanceCharge:
    return item.model_copy(update={"vat_rate": _rate(item.vat_category, item.vat_rate)})


def _rate(category: str | None, rate: Decimal | None) -> Decimal | None:
    if category in RATED:
        return rate
    return None if category == "O" else ZERO


def _value(line: Line) -> Decimal:
    """Quantity × price ÷ base quantity, to two decimals."""
    return round2((line.quantity or ZERO) * (line.price or ZERO) / (line.base_quantity or ONE))


def _filled(item: AllowanceCharge, base: Decimal) -> AllowanceCharge:
    """The allowance or charge with its amount; a percentage without base is of `base`."""
    if item.percent is None:
        return item.model_copy(update={"amount": round2(item.amount or ZERO)})
    base = round2(item.base if item.base is not None else base)
    amount = item.amount if item.amount is not None else round2(base * item.percent / HUNDRED)
    return item.model_copy(update={"base": base, "amount": round2(amount)})


def _with_net(line: Line) -> Line:
    value = _value(line)
    items = tuple(_filled(item, value) for item in line.allowances_charges)
    return line.model_copy(update={"allowances_charges": items, "net": value + total(i.signed_amount for i in items)})


def _sums(lines: Iterable[Line], items: Iterable[AllowanceCharge] = ()) -> dict[Group, Decimal]:
    """Line nets, and document allowances and charges, added up per category and rate, in order of appearance."""
    sums: dict[Group, Decimal] = {}
    for line in lines:
        sums[line.vat_group] = sums.get(line.vat_group, ZERO) + (line.net or ZERO)
    for item in items:
        group = item.vat_category, item.vat_rate
        sums[group] = sums.get(group, ZERO) + item.signed_amount
    return sums


def _filled_items(items: Iterable[AllowanceCharge], lines: Iterable[Line]) -> tuple[AllowanceCharge, ...]:
    """Document allowances and charges; a percentage without base is of the lines of the same VAT group."""
    sums = _sums(lines)
    return tuple(_filled(item, sums.get((item.vat_category, item.vat_rate), ZERO)) for item in items)


_Made = tuple[tuple[Line, ...], tuple[AllowanceCharge, ...], tuple[VatBreakdown, ...]]


def _from_net(lines: Iterable[Line], items: Iterable[AllowanceCharge]) -> _Made:
    lines = tuple(_with_net(line) for line in lines)
    items = _filled_items(items, lines)
    vat = tuple(
        _breakdown(group, net, round2(net * (group[1] or ZERO) / HUNDRED), lines, items)
        for group, net in _sums(lines, items).items()
    )
    return lines, items, vat


def _breakdown(
    group: Group, net: Decimal, tax: Decimal, lines: Iterable[Line], items: Iterable[AllowanceCharge]
) -> VatBreakdown:
    category, rate = group
    members = [*(line for line in lines if line.vat_group == group)]
    hints = [(line.vat_exemption_reason, line.vat_exemption_code) for line in members]
    hints += [
        (item.vat_exemption_reason, item.vat_exemption_code)
        for item in items
        if (item.vat_category, item.vat_rate) == group
    ]
    reasons = list(dict.fromkeys(reason for reason, _ in hints if reason))
    codes = list(dict.fromkeys(code for _, code in hints if code))
    if len(codes) > 1:
        says = f"one VAT group (category {category}) cannot have several exemption codes: {', '.join(codes)}"
        raise Uncomposable([Problem("exemption-codes-differ", "lines", says)])
    if not reasons and not codes and category in CATEGORY_REASON:
        codes = [CATEGORY_REASON[category]]
    return VatBreakdown(
        category=category,
        rate=rate,
        taxable_amount=round2(net),
        tax_amount=tax,
        exemption_reason="; ".join(reasons) or None,
        exemption_code=codes[0] if codes else None,
    )


# Prices with VAT ------------------------------------------------------------------------------------------------------


def _from_gross(lines: Iterable[Line], items: Iterable[AllowanceCharge]) -> _Made:
    lines = [_with_net(line) for line in lines]  # all amounts are still with VAT here
    items = list(_filled_items(items, lines))
    vat = []
    for group, gross in _sums(lines, items).items():
        rate = group[1] or ZERO
        tax = round2(gross * rate / (HUNDRED + rate))
        own_lines = [n for n, line in enumerate(lines) if line.vat_group == group]
        own_items = [n for n, item in enumerate(items) if (item.vat_category, item.vat_rate) == group]
        shares = _dealt(
            [*((lines[n].net or ZERO) for n in own_lines), *(items[n].signed_amount for n in own_items)],
            HUNDRED / (HUNDRED + rate),
            gross - tax,
        )
        for n, share in zip(own_lines, shares, strict=False):
            lines[n] = _line_without_vat(lines[n], share, rate)
        for n, share in zip(own_items, shares[len(own_lines) :], strict=True):
            items[n] = _item_without_vat(items[n], share if items[n].is_charge else -share, rate)
        vat.append(_breakdown(group, gross - tax, tax, lines, items))
    return tuple(lines), tuple(items), tuple(vat)


def _dealt(parts: Sequence[Decimal], factor: Decimal, whole: Decimal) -> list[Decimal]:
    """Each part times the factor, to two decimals, so that the sum is `whole`: largest remainders give way first."""
    exact = [part * factor for part in parts]
    dealt = [round2(share) for share in exact]
    missing = int((whole - total(dealt)) / CENT)
    step = CENT if missing > 0 else -CENT
    by_remainder = sorted(range(len(parts)), key=lambda n: (exact[n] - dealt[n]) * step, reverse=True)
    for n in by_remainder[: abs(missing)]:
        dealt[n] += step
    return dealt


def _line_without_vat(line: Line, net: Decimal, rate: Decimal) -> Line:
    factor = HUNDRED / (HUNDRED + rate)
    times = (line.quantity or ZERO) / (line.base_quantity or ONE)
    decimals = max(4, times.adjusted() + 4)  # the rounding of the price is then worth less than 0.001 on the line
    gross_price = None if line.gross_price is None else _price(line.gross_price * factor, decimals)
    discount = None if line.price_discount is None else _price(line.price_discount * factor, decimals)
    price = _price((line.price or ZERO) * factor, decimals) if gross_price is None else gross_price - (discount or ZERO)

    # Each allowance is rounded with what the ones before it left over, so that many do not add up to an øre or two.
    items: list[AllowanceCharge] = []
    exact_items = total(item.signed_amount * factor for item in line.allowances_charges)
    left = (net - times * price - exact_items) / 2
    for item in line.allowances_charges:
        wanted = item.signed_amount * factor + left
        amount = round2(wanted)
        left = wanted - amount
        items.append(_item_without_vat(item, amount if item.is_charge else -amount, rate))
    return line.model_copy(
        update={
            "net": net,
            "price": price,
            "gross_price": gross_price,
            "price_discount": discount,
            "allowances_charges": tuple(items),
        }
    )


def _price(price: Decimal, decimals: int) -> Decimal:
    """The price to so many decimals, without needless zeros but with at least two decimals."""
    rounded = price.quantize(ONE.scaleb(-decimals), rounding=ROUND_HALF_EVEN).normalize()
    exponent = rounded.as_tuple().exponent
    return rounded if isinstance(exponent, int) and exponent <= -2 else rounded.quantize(CENT)


def _item_without_vat(item: AllowanceCharge, amount: Decimal, rate: Decimal) -> AllowanceCharge:
    base = None if item.base is None else round2(item.base * HUNDRED / (HUNDRED + rate))
    return item.model_copy(update={"amount": amount, "base": base})


# Document totals ------------------------------------------------------------------------------------------------------


def _totals(
    draft: Invoice,
    settings: Draft | None,
    lines: Iterable[Line],
    items: Sequence[AllowanceCharge],
    vat: Iterable[VatBreakdown],
) -> Totals:
    line_total = round2(total(line.net or ZERO for line in lines))
    allowances = [item.amount or ZERO for item in items if not item.is_charge]
    charges = [item.amount or ZERO for item in items if item.is_charge]
    tax_exclusive = line_total - total(allowances) + total(charges)
    tax = round2(total(group.tax_amount for group in vat))
    tax_inclusive = tax_exclusive + tax
    prepaid = settings.prepaid if settings else None
    due = round2(tax_inclusive - (prepaid or ZERO))
    unit = settings.round_payable_to if settings else None
    if unit is None and minor_units(draft.currency) == 0:
        unit = ONE
    payable = due if unit is None else round2(round_to(due, unit))
    return Totals(
        line_total=line_total,
        allowance_total=round2(total(allowances)) if allowances else None,
        charge_total=round2(total(charges)) if charges else None,
        tax_exclusive=round2(tax_exclusive),
        tax=tax,
        tax_in_accounting_currency=settings.tax_in_accounting_currency if settings else None,
        tax_inclusive=round2(tax_inclusive),
        prepaid=prepaid,
        rounding=payable - due if payable != due else None,
        payable=payable,
    )


def _payment_means(draft: Invoice) -> tuple[PaymentMeans, ...]:
    """EHF carries the due date of a credit note with a payment means; code 1 is "not defined"."""
    if draft.is_credit_note and draft.due_date and not draft.payment_means:
        return (PaymentMeans(code="1"),)
    return draft.payment_means
