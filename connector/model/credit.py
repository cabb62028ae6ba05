"""Credit notes: what of an invoice is left to credit, and whether a credit note asks for more.

An invoice is credited in parts: each credit note takes quantity and net from lines, and net and VAT from groups of the
VAT breakdown. Three guards hold at once: per line, per VAT category and rate, and in total. Credit notes are positive
(381); a line of an invoice that is negative (a discount) is credited by a line that is negative too.

A line of a credit note belongs to the line of the invoice with its number (BT-126) where both speak of the same item
and VAT, or that it names as `source_id`; else to the only line with the same item, price and VAT. Where several fit, it
is refused and never guessed. At another price than the invoice's it lowers the price: it takes from the net alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from connector.model.charges import VatBreakdown
from connector.model.invoice import Invoice, Totals
from connector.model.line import Line
from connector.model.money import CENT, EXACT, ZERO, Amount, plain, round2, total

ONE, HUNDRED = Decimal(1), Decimal(100)
_UNITS = {
    "HUR": "hours",
    "DAY": "days",
    "WEE": "weeks",
    "MON": "months",
    "C62": "pieces",
    "H87": "pieces",
    "EA": "pieces",
}

Group = tuple[str | None, Decimal | None]
"""VAT category and rate."""


class CreditNote(Invoice):
    """A credit note as books hold it."""

    applied: Amount | None = None
    """How much of it the books show applied to the invoice it credits, in its currency; None: they do not say. What is
    not applied is the customer's credit. Not carried by EHF."""


@dataclass(frozen=True, slots=True)
class LineLeft:
    """What is left to credit of one line of the invoice."""

    line: Line
    quantity: Decimal | None
    net: Decimal


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """What is left to credit at one VAT category and rate."""

    category: str | None
    rate: Decimal | None
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to credit of an invoice, in its currency. `gross` is with VAT, `rounding` what BT-114 adds to it."""

    lines: tuple[LineLeft, ...]
    groups: tuple[GroupLeft, ...]
    net: Decimal
    gross: Decimal
    rounding: Decimal

    @property
    def payable(self) -> Decimal:
        """What can be credited in all."""
        return EXACT.add(self.gross, self.rounding)


@dataclass(frozen=True, slots=True)
class Excess:
    """One thing a credit note asks for that is not there: where, in words, and the figures."""

    code: str
    at: str
    says: str
    asked: dict[str, str]
    left: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return {"code": self.code, "field": self.at, "message": self.says, "asked": self.asked, "left": self.left}


class Uncreditable(ValueError):
    """A credit note asks for what is not left, or for lines that cannot be told apart; `problems` has all of it."""

    def __init__(self, problems: Sequence[Excess]) -> None:
        super().__init__(" ".join(problem.says for problem in problems))
        self.problems = tuple(problems)
        self.code = problems[0].code


def left_of(invoice: Invoice, earlier: Iterable[Invoice]) -> Left:
    """What is left of an invoice after these credit notes.

    A line of an earlier note that belongs to no line for certain (a note born in a ledger) still takes from its VAT
    group and from the total.
    """
    with localcontext(EXACT):
        lines = [LineLeft(line, line.quantity, line.net or ZERO) for line in invoice.lines]
        groups, (net, gross, rounding) = _groups(invoice), _sums(invoice)
        for note in earlier:
            for line in note.lines:
                found = _belongs(line, invoice.lines)
                if isinstance(found, int):
                    lines[found] = _less(lines[found], line)
            for group, (base, vat) in _groups(note).items():
                before = groups.get(group, (ZERO, ZERO))
                groups[group] = (before[0] - base, before[1] - vat)
            taken = _sums(note)
            net, gross, rounding = net - taken[0], gross - taken[1], rounding - taken[2]
        return Left(
            tuple(lines), tuple(GroupLeft(*group, *amounts) for group, amounts in groups.items()), net, gross, rounding
        )


def check_credit(invoice: Invoice, left: Left, note: Invoice) -> None:
    """Whether a credit note asks for no more than is left.

    Raises:
        Uncreditable: it does, with the figures (`credit-exceeds-remaining`); or a line of it belongs to none, or to
            several lines of the invoice (`credited-line-unknown`, `credited-line-ambiguous`).
    """
    with localcontext(EXACT):
        problems = [*_line_problems(invoice, left, note)] or [*_group_problems(invoice, left, note)]
        _, gross, rounding = _sums(note)
        asked = gross + rounding
        if not problems and not _within(asked, left.payable, _payable(invoice)):
            problems.append(_excess("totals.payable", "In total", {"payable": asked}, {"payable": left.payable}))
        # What belongs to nothing first: until that is mended the figures say little.
        problems.sort(key=lambda problem: problem.code == "credit-exceeds-remaining")
        if problems:
            raise Uncreditable(problems)


def fitted(invoice: Invoice, left: Left, note: Invoice) -> Invoice:
    """A composed credit note whose roundings fit what is left: what takes the last of a line or VAT group takes it to
    the øre, and none exceeds it for its rounding alone. Figures move within the official tolerances only: 0.02 of a
    line (PEPPOL-EN16931-R120), less than 1 of a group's VAT (BR-CO-17). A stated credit note is never fitted.
    """
    with localcontext(EXACT):
        lines = tuple(_fitted_line(invoice, left, line) for line in note.lines)
        moved: dict[Group, Decimal] = {}
        for before, after in zip(note.lines, lines, strict=True):
            delta = (after.net or ZERO) - (before.net or ZERO)
            moved[after.vat_group] = moved.get(after.vat_group, ZERO) + delta
        there = {(group.category, group.rate): group for group in left.groups}
        groups = tuple(
            _fitted_group(group, moved.get(group.group, ZERO), there.get(group.group)) for group in note.vat_breakdown
        )
        if note.totals is None:
            return note
        net = (note.totals.tax_exclusive or ZERO) + total(moved.values())
        tax = total(group.tax_amount for group in groups)
        whole = net == left.net and net + tax == left.gross and not note.totals.prepaid
        rounding = left.rounding if whole else note.totals.rounding
        totals = note.totals.model_copy(
            update={
                "line_total": total(line.net or ZERO for line in lines),
                "tax_exclusive": net,
                "tax": tax,
                "tax_inclusive": net + tax,
                "rounding": rounding or None,
                "payable": net + tax + (rounding or ZERO) - (note.totals.prepaid or ZERO),
            }
        )
        return note.model_copy(update={"lines": lines, "vat_breakdown": groups, "totals": totals})


# --- lines ------------------------------------------------------------------------------------------------------------


def _belongs(line: Line, lines: Sequence[Line]) -> int | str:
    """The place of the invoice's line that this one credits; else the code that says why it is none."""
    named = [at for at, one in enumerate(lines) if one.source_id and one.source_id == line.source_id]
    if len(named) == 1 and _same_vat(lines[named[0]], line):
        return named[0]
    numbered = [
        at for at, one in enumerate(lines) if one.id == line.id and _same_item(one, line) and _same_vat(one, line)
    ]
    if len(numbered) == 1:
        return numbered[0]
    alike = [
        at
        for at, one in enumerate(lines)
        if _same_item(one, line) and _same_vat(one, line) and _price(one) == _price(line)
    ]
    if len(alike) == 1:
        return alike[0]
    return "credited-line-ambiguous" if alike else "credited-line-unknown"


def _same_item(one: Line, other: Line) -> bool:
    if one.seller_item_id and other.seller_item_id:
        return one.seller_item_id == other.seller_item_id
    return (one.name or "").casefold() == (other.name or "").casefold()


def _same_vat(one: Line, other: Line) -> bool:
    codes = {one.vat_code, other.vat_code} - {None}
    if len(codes) == 2:
        return False
    known = None not in (one.vat_category, other.vat_category)
    return one.vat_group == other.vat_group if known else len(codes) == 1


def _price(line: Line) -> Decimal | None:
    """The net price of one; compared only."""
    return None if line.price is None else EXACT.divide(line.price, line.base_quantity or ONE)


def _less(left: LineLeft, credit: Line) -> LineLeft:
    quantity = left.quantity
    if quantity is not None and credit.quantity is not None and _price(left.line) == _price(credit):
        quantity -= credit.quantity
    return LineLeft(left.line, quantity, left.net - (credit.net or ZERO))


def _line_problems(invoice: Invoice, left: Left, note: Invoice) -> Iterator[Excess]:
    now = list(left.lines)
    for number, line in enumerate(note.lines):
        at, name = f"lines[{number}]", f"Line {line.id}" + (f" ({line.name})" if line.name else "")
        found = _belongs(line, invoice.lines)
        if isinstance(found, str):
            many = found == "credited-line-ambiguous"
            says = (
                f"{name} could credit several lines of the invoice; give it the number (BT-126) of the one it credits."
                if many
                else f"{name} credits no line of the invoice: none has this item with this VAT and number or price."
            )
            yield Excess(found, at, says, _figures(line.quantity, line.net), {})
            continue
        before, now[found] = now[found], _less(now[found], line)
        of = before.line
        lowers_price = _price(of) != _price(line)
        most = of.quantity if lowers_price else before.quantity
        enough = line.quantity is None or most is None or _within(line.quantity, most, of.quantity or ZERO)
        if not enough or not _within(line.net or ZERO, before.net, of.net or ZERO):
            unit = _UNITS.get(of.unit_code or "", of.unit_code or "")
            yield Excess(
                "credit-exceeds-remaining",
                at,
                f"{name}: {_shown(line.quantity, unit, line.net or ZERO)}, are asked for;"
                f" {_shown(before.quantity, unit, before.net)}, are left.",
                _figures(line.quantity, line.net),
                _figures(before.quantity, before.net),
            )


def _fitted_line(invoice: Invoice, left: Left, line: Line) -> Line:
    found = _belongs(line, invoice.lines)
    if isinstance(found, str) or line.net is None:
        return line
    there = left.lines[found]
    same = _price(there.line) == _price(line) and line.quantity is not None
    takes_all = same and line.quantity == there.quantity
    over = not _within(line.net, there.net, there.line.net or ZERO)
    within_quantity = (
        same and there.quantity is not None and _within(line.quantity or ZERO, there.quantity, there.quantity)
    )
    if (takes_all or (over and within_quantity)) and abs(line.net - there.net) <= 2 * CENT:
        return line.model_copy(update={"net": there.net})
    return line


# --- VAT groups and totals --------------------------------------------------------------------------------------------


def _groups(document: Invoice) -> dict[Group, tuple[Decimal, Decimal]]:
    """Net and VAT by category and rate: as stated, else made from the lines."""
    found: dict[Group, tuple[Decimal, Decimal]] = {}
    if document.vat_breakdown:
        for group in document.vat_breakdown:
            net, vat = found.get(group.group, (ZERO, ZERO))
            found[group.group] = (net + (group.taxable_amount or ZERO), vat + group.tax_amount)
        return found
    nets: dict[Group, Decimal] = {}
    for line in document.lines:
        nets[line.vat_group] = nets.get(line.vat_group, ZERO) + (line.net or ZERO)
    for item in document.allowances_charges:
        key = (item.vat_category, item.vat_rate)
        nets[key] = nets.get(key, ZERO) + item.signed_amount
    return {group: (net, round2(net * (group[1] or ZERO) / HUNDRED)) for group, net in nets.items()}


def _sums(document: Invoice) -> tuple[Decimal, Decimal, Decimal]:
    """Net, gross and rounding: as stated, as far as they are; else from the groups."""
    groups = _groups(document).values()
    totals = document.totals or Totals(payable=total(net + vat for net, vat in groups))
    rounding = totals.rounding or ZERO
    net = total(net for net, _ in groups) if totals.tax_exclusive is None else totals.tax_exclusive
    gross = totals.tax_inclusive
    return net, totals.payable - rounding + (totals.prepaid or ZERO) if gross is None else gross, rounding


def _payable(document: Invoice) -> Decimal:
    _, gross, rounding = _sums(document)
    return gross + rounding


def _group_problems(invoice: Invoice, left: Left, note: Invoice) -> Iterator[Excess]:
    there = {(group.category, group.rate): group for group in left.groups}
    whole = _groups(invoice)
    for (category, rate), (net, vat) in _groups(note).items():
        group = there.get((category, rate), GroupLeft(category, rate, ZERO, ZERO))
        base, tax = whole.get((category, rate), (ZERO, ZERO))
        if not _within(net, group.net, base) or not _within(vat, group.vat, tax):
            name = f"VAT category {category or '-'}" + ("" if rate is None else f" at {plain(rate)} %")
            asked, most = {"net": net, "vat": vat}, {"net": group.net, "vat": group.vat}
            yield _excess("vat_breakdown", name, asked, most)


def _fitted_group(group: VatBreakdown, moved: Decimal, left: GroupLeft | None) -> VatBreakdown:
    net = (group.taxable_amount or ZERO) + moved
    tax = round2(net * (group.rate or ZERO) / HUNDRED) if moved else group.tax_amount
    if left is not None and abs(tax - left.vat) < 1 and (net == left.net or abs(tax) > abs(left.vat)):
        tax = left.vat
    return group.model_copy(update={"taxable_amount": net, "tax_amount": tax})


def _within(asked: Decimal, left: Decimal, whole: Decimal) -> bool:
    """Whether so much is left, in the direction of the whole."""
    return ZERO <= asked <= left if whole >= 0 else left <= asked <= ZERO


def _excess(at: str, name: str, asked: dict[str, Decimal], left: dict[str, Decimal]) -> Excess:
    def words(figures: dict[str, Decimal]) -> str:
        return ", ".join(f"{_amount(amount)} {what}" for what, amount in figures.items())

    return Excess(
        "credit-exceeds-remaining",
        at,
        f"{name}: {words(asked)}, are asked for; {words(left)}, are left.",
        {what: _amount(amount) for what, amount in asked.items()},
        {what: _amount(amount) for what, amount in left.items()},
    )


def _amount(amount: Decimal) -> str:
    return plain(round2(amount))


def _shown(quantity: Decimal | None, unit: str, net: Decimal) -> str:
    """`6 hours, 6120.00 net`."""
    counted = "" if quantity is None else f"{_count(quantity)} {unit}".rstrip() + ", "
    return f"{counted}{_amount(net)} net"


def _count(quantity: Decimal) -> str:
    return plain(quantity.normalize())


def _figures(quantity: Decimal | None, net: Decimal | None) -> dict[str, str]:
    counted = {} if quantity is None else {"quantity": _count(quantity)}
    return counted | {"net": _amount(net or ZERO)}
