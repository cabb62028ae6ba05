"""What an invoice that was issued elsewhere comes to in rows of a voucher, and what Tripletex will make of them. Pure.

Tripletex takes gross amounts and computes the VAT of each row from them. So the VAT that the document states for a rate
is shared over the rows of that rate, and what Tripletex will come to is computed before anything is sent: where that is
not what is stated, nothing is booked. Where several accounts have one rate, the rounding of each row may take some øre
from one account's income and give them to another's; the income and the VAT of the rate are as stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connector.errors import Stop
from connector.model import round2
from connector.ports import Totals

_ORE, _ZERO = Decimal("0.01"), Decimal(0)
_MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Øre that a row may be moved by: VAT of 11,11 % changes with every tenth øre of the gross amount."""


@dataclass(frozen=True, slots=True)
class Income:
    """One row: income without VAT, and the VAT that Tripletex will make of its gross amount; `percent` of its code."""

    account: int
    code: str
    percent: Decimal
    net: Decimal
    vat: Decimal = _ZERO

    @property
    def gross(self) -> Decimal:
        """What the row is booked with."""
        return self.net + self.vat


def grouped(record: Mapping[str, Any], percents: Mapping[str, Decimal]) -> list[Income]:
    """The income of a record by account and VAT code, in the order it first stands there; without VAT yet.

    Args:
        percents: rate by VAT code, as Tripletex has it; what is not above 0 has no VAT on the document.
    """
    sums: dict[tuple[int, str], Decimal] = {}
    for line in record.get("lines") or ():
        _add(sums, line, Decimal(line["amount"]))
    for one in record.get("adjustments") or ():
        _add(sums, one, Decimal(one["amount"]) if one["isCharge"] else -Decimal(one["amount"]))
    rates = {code: max(percent, _ZERO) for code, percent in percents.items()}
    return [Income(account, code, rates[code], net) for (account, code), net in sums.items() if net]


def _add(sums: dict[tuple[int, str], Decimal], line: Mapping[str, Any], amount: Decimal) -> None:
    key = (int(line["account"]["number"]), str(line["vatType"]["number"]))
    sums[key] = sums.get(key, _ZERO) + amount


def with_vat(incomes: Sequence[Income], stated: Sequence[Mapping[str, Any]]) -> list[Income]:
    """The same with the VAT that the document states for each rate.

    Raises:
        Stop: a rate is stated that no row has, or the other way round, or Tripletex would compute another VAT than is
            stated (`vat-differs`, every rate in `details`).
    """
    wanted: dict[Decimal, Decimal] = {}
    for one in stated:
        rate = Decimal(one.get("percentage") or 0)
        wanted[rate] = wanted.get(rate, _ZERO) + Decimal(one["amount"])
    made: list[Income] = []
    apart = []
    for rate in dict.fromkeys([*(one.percent for one in incomes), *wanted]):
        rows = [one for one in incomes if one.percent == rate]
        asked = wanted.get(rate, _ZERO)
        shared = _shared(rows, asked)
        theirs = sum((one.vat for one in shared), _ZERO)
        if theirs != asked:
            codes = sorted({one.code for one in rows})
            apart.append({"rate": f"{rate:f}", "codes": codes, "stated": str(asked), "theirs": str(theirs)})
        made += shared
    if apart:
        first = apart[0]
        raise Stop(
            f"The document states {first['stated']} VAT at {first['rate']} %, and Tripletex would book"
            f" {first['theirs']}. Nothing is booked.",
            code="vat-differs",
            do="See how the VAT was rounded where it was issued; where it stays as stated, book it in Tripletex and say"
            " that it happened, with the id of the row on the customer's account.",
            details={"rates": apart},
        )
    order = {(one.account, one.code): at for at, one in enumerate(incomes)}
    return sorted(made, key=lambda one: order[one.account, one.code])


def _shared(rows: Sequence[Income], vat: Decimal) -> list[Income]:
    """Rows of one rate that together have so much VAT, as Tripletex will compute it; as they are where that cannot be.

    Each row begins with its own VAT. Then as few øre as possible are moved between them, so that all together come to
    the income and the VAT stated, and the VAT computed from them to the same.
    """
    begin = [one.net + round2(one.net * one.percent / 100) for one in rows]
    wanted = sum((one.net for one in rows), _ZERO) + vat - sum(begin, _ZERO)
    ways: dict[tuple[Decimal, Decimal], tuple[int, tuple[Income, ...]]] = {(_ZERO, _ZERO): (0, ())}
    for one, gross in zip(rows, begin, strict=True):
        further: dict[tuple[Decimal, Decimal], tuple[int, tuple[Income, ...]]] = {}
        for (moved, taxed), (cost, made) in ways.items():
            for ore in _MOVES:
                booked = gross + ore * _ORE
                tax = round2(booked * one.percent / (100 + one.percent))
                key, dear = (moved + ore * _ORE, taxed + tax), cost + ore * ore
                if key not in further or dear < further[key][0]:
                    further[key] = dear, (*made, replace(one, net=booked - tax, vat=tax))
        ways = further
    found = ways.get((wanted, vat))
    return list(found[1]) if found else [replace(one, vat=round2(one.net * one.percent / 100)) for one in rows]


def check_sum(incomes: Sequence[Income], totals: Totals, rounding: Decimal) -> None:
    """Raises `Stop` (`totals-differ`, both figures in `details`) unless the rows come to what the document says."""
    net, vat = sum((one.net for one in incomes), _ZERO), sum((one.vat for one in incomes), _ZERO)
    theirs = {"net": net, "vat": vat, "gross": net + vat, "rounding": rounding}
    ours = {name: getattr(totals, name) for name in theirs}
    if theirs == ours:
        return
    raise Stop(
        f"The rows come to {theirs['gross']} with VAT of {theirs['vat']}, the document to {ours['gross']} with VAT of"
        f" {ours['vat']}. Nothing is booked.",
        code="totals-differ",
        do="See which line the mapping does not carry, or whether the document's own figures hold together.",
        details={
            "currency": totals.currency,
            "ours": {name: str(value) for name, value in ours.items()},
            "theirs": {name: str(value) for name, value in theirs.items()},
        },
    )
