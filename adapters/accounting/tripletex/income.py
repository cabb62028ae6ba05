"""What an invoice that was issued elsewhere comes to in rows of a voucher, and what Tripletex will make of them. Pure.

Tripletex takes gross amounts and computes the VAT of each row from them. So the VAT that the document states for a rate
is shared over the rows of that rate, and what Tripletex will come to is computed before anything is sent: where that is
not what is stated, nothing is booked. Where several rows have one rate (accounts, departments), the rounding of each
may take some øre from one row's income and give them to another's; the income and the VAT of the rate are as stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.tripletex.ore import ORE, spread, tax_of
from connector.errors import Stop
from connector.ports import Totals

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a row is analysed by: ids of department, project and product, and values of free dimensions (name of the
    dimension, number of the value).
    """

    department: int | None = None
    project: int | None = None
    product: int | None = None
    free: tuple[tuple[str, str], ...] = ()


NOTHING = Analysis()


@dataclass(frozen=True, slots=True)
class Income:
    """One row: income without VAT, and the VAT that Tripletex will make of its gross amount; `percent` of its code."""

    account: int
    code: str
    percent: Decimal
    net: Decimal
    vat: Decimal = _ZERO
    analysis: Analysis = NOTHING

    @property
    def gross(self) -> Decimal:
        """What the row is booked with."""
        return self.net + self.vat


def analysis_of(said: Mapping[str, Any], whole: Analysis = NOTHING) -> Analysis:
    """What a line (or a document) says it is analysed by. `whole`: what the document says; a line's own goes before."""
    ids = {name: (said.get(name) or {}).get("id") for name in ("department", "project", "product")}
    free = {(one["dimension"]["dimensionName"], str(one["number"])) for one in said.get("dimensions") or ()}
    own = {name for name, _ in free}
    return Analysis(
        **{name: getattr(whole, name) if id is None else int(id) for name, id in ids.items()},
        free=tuple(sorted(free | {one for one in whole.free if one[0] not in own})),
    )


def grouped(record: Mapping[str, Any], percents: Mapping[str, Decimal]) -> list[Income]:
    """The income of a record by account, VAT code and analysis, in the order it first stands there; without VAT yet.

    Args:
        percents: rate by VAT code, as Tripletex has it; what is not above 0 has no VAT on the document.
    """
    sums: dict[tuple[int, str, Analysis], Decimal] = {}
    whole = analysis_of(record)

    def add(line: Mapping[str, Any], amount: Decimal) -> None:
        key = (int(line["account"]["number"]), str(line["vatType"]["number"]), analysis_of(line, whole))
        sums[key] = sums.get(key, _ZERO) + amount

    for line in record.get("lines") or ():
        add(line, Decimal(line["amount"]))
    for one in record.get("adjustments") or ():
        add(one, Decimal(one["amount"]) if one["isCharge"] else -Decimal(one["amount"]))
    rates = {code: max(percent, _ZERO) for code, percent in percents.items()}
    return [
        Income(account, code, rates[code], net, analysis=analysis)
        for (account, code, analysis), net in sums.items()
        if net
    ]


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
            do="See how the VAT was rounded where it was issued. Where it stays as stated, book it in Tripletex by"
            " hand and link that voucher: --link 2027/1043.",
            details={"rates": apart},
        )
    order = {(one.account, one.code, one.analysis): at for at, one in enumerate(incomes)}
    return sorted(made, key=lambda one: order[one.account, one.code, one.analysis])


def _shared(rows: Sequence[Income], vat: Decimal) -> list[Income]:
    """Rows of one rate that together have so much VAT, as Tripletex will compute it; with the VAT of each where that
    cannot be. As few øre as possible are moved between them.
    """
    begin = [one.net + _own_vat(one) for one in rows]
    wanted = sum((one.net for one in rows), _ZERO) + vat
    grosses = spread(begin, [one.percent for one in rows], gross=wanted, vat=vat) or begin
    if grosses is begin:
        return [replace(one, vat=_own_vat(one)) for one in rows]
    taxes = [tax_of(gross, one.percent) for one, gross in zip(rows, grosses, strict=True)]
    return [replace(one, net=gross - tax, vat=tax) for one, gross, tax in zip(rows, grosses, taxes, strict=True)]


def _own_vat(one: Income) -> Decimal:
    return (one.net * one.percent / 100).quantize(ORE, ROUND_HALF_UP)


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
