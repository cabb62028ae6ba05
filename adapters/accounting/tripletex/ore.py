"""Øre that rounding leaves: how few of them are moved between rows so that all together come to what is stated. Pure.

Tripletex computes the VAT of each row from its gross amount and rounds it there, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from connector.errors import Stop

ORE = Decimal("0.01")
MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Øre that a row may be moved by: VAT of 11,11 % changes with every tenth øre of the gross amount."""
ASIDE = 8
"""Øre by which rows may be ahead or behind on the way; they are tried one after the other."""

_Way = tuple[int, "_Way | None", int]
"""What the moves so far cost, those before the last, and the last."""


def tax_of(gross: Decimal, percent: Decimal) -> Decimal:
    """The VAT that Tripletex makes of a gross amount."""
    return (gross * percent / (100 + percent)).quantize(ORE, ROUND_HALF_UP)


def spread(grosses: Sequence[Decimal], percents: Sequence[Decimal], *, gross: Decimal, vat: Decimal) -> list[Decimal]:
    """Gross amounts near those given that come to `gross` together, and their VAT to `vat`; none where no few øre do.

    Args:
        percents: the rate of each row; 0: it has no VAT.

    Raises:
        Stop: an amount has parts of an øre (`amount-too-fine`).
    """
    begin = [_whole(one) for one in grosses]
    rates = list(percents)
    taxes = [_tax(one, rate) for one, rate in zip(begin, rates, strict=True)]
    moved, taxed, count = _whole(gross) - sum(begin), _whole(vat) - sum(taxes), len(begin)
    if moved == taxed == 0:
        return list(grosses)
    ways: dict[tuple[int, int], _Way] = {(0, 0): (0, None, 0)}
    for at, (booked, rate, tax) in enumerate(zip(begin, rates, taxes, strict=True), 1):
        moves = [(ore, _tax(booked + ore, rate) - tax, ore * ore) for ore in MOVES]
        near_moved, near_taxed = moved * at / count, taxed * at / count
        further: dict[tuple[int, int], _Way] = {}
        for (so_far, tax_so_far), way in ways.items():
            for ore, more, cost in moves:
                key, dear = (so_far + ore, tax_so_far + more), way[0] + cost
                if abs(key[0] - near_moved) > ASIDE or abs(key[1] - near_taxed) > ASIDE:
                    continue
                if key not in further or dear < further[key][0]:
                    further[key] = dear, way, ore
        ways = further
    found = ways.get((moved, taxed))
    made: list[Decimal] = []
    while found is not None and found[1] is not None:
        made.append((begin[count - 1 - len(made)] + found[2]) * ORE)
        found = found[1]
    return made[::-1]


def _tax(ore: int, percent: Decimal) -> int:
    over, under = int(percent * 10_000), int((100 + percent) * 10_000)
    whole = (2 * abs(ore) * over + under) // (2 * under)
    return whole if ore >= 0 else -whole


def _whole(amount: Decimal) -> int:
    ore = amount * 100
    if ore != int(ore):
        raise Stop(
            f"{amount} has parts of an øre; Tripletex books whole ones.",
            code="amount-too-fine",
            do="Round the amounts of the document to two decimals.",
        )
    return int(ore)
