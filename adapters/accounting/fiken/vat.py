"""VAT types: names, rates, and how stated VAT of sales is spread over lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connector.errors import Stop

SALES: Mapping[str, tuple[str, Decimal]] = {
    "HIGH": ("Høy sats", Decimal(25)),
    "MEDIUM": ("Middels sats", Decimal(15)),
    "RAW_FISH": ("Råfisk", Decimal("11.11")),
    "LOW": ("Lav sats", Decimal(12)),
    "EXEMPT": ("Fritatt", Decimal(0)),
    "EXEMPT_IMPORT_EXPORT": ("Utførsel", Decimal(0)),
    "EXEMPT_REVERSE": ("Omvendt avgiftsplikt", Decimal(0)),
    "OUTSIDE": ("Utenfor avgiftsområdet", Decimal(0)),
    "NONE": ("Uten avgiftsbehandling", Decimal(0)),
}
"""Of sales: title and per cent by Fiken's name; no call tells them. Rates of 2026."""

PURCHASES: Mapping[str, tuple[str, Decimal]] = {
    "NONE": ("Uten avgiftsbehandling", Decimal(0)),
    "HIGH": ("Fradrag, høy sats", Decimal(25)),
    "MEDIUM": ("Fradrag, middels sats", Decimal(15)),
    "RAW_FISH": ("Fradrag, råfisk", Decimal("11.11")),
    "LOW": ("Fradrag, lav sats", Decimal(12)),
    "HIGH_DIRECT": ("Direkte innførselsmva, høy sats", Decimal(25)),
    "MEDIUM_DIRECT": ("Direkte innførselsmva, middels sats", Decimal(15)),
    "HIGH_BASIS": ("Grunnlag innførsel, høy sats", Decimal(25)),
    "MEDIUM_BASIS": ("Grunnlag innførsel, middels sats", Decimal(15)),
    "NONE_IMPORT_BASIS": ("Grunnlag innførsel uten mva", Decimal(0)),
    "HIGH_FOREIGN_SERVICE_DEDUCTIBLE": ("Tjenester fra utlandet, høy sats, med fradrag", Decimal(25)),
    "HIGH_FOREIGN_SERVICE_NONDEDUCTIBLE": ("Tjenester fra utlandet, høy sats, uten fradrag", Decimal(25)),
    "LOW_FOREIGN_SERVICE_DEDUCTIBLE": ("Tjenester fra utlandet, lav sats, med fradrag", Decimal(12)),
    "LOW_FOREIGN_SERVICE_NONDEDUCTIBLE": ("Tjenester fra utlandet, lav sats, uten fradrag", Decimal(12)),
    "HIGH_PURCHASE_OF_EMISSIONSTRADING_OR_GOLD_DEDUCTIBLE": ("Klimakvoter og gull, med fradrag", Decimal(25)),
    "HIGH_PURCHASE_OF_EMISSIONSTRADING_OR_GOLD_NONDEDUCTIBLE": ("Klimakvoter og gull, uten fradrag", Decimal(25)),
}
"""The same of purchases."""


def spread(lines: Sequence[Mapping[str, Any]], stated: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines (`netPrice`, `vatType`) with the VAT of each in øre: computed line by line, and what that is apart from
    the VAT stated for the rate on the largest line of the rate.

    Args:
        stated: `vatInPercent` and `vat` for each rate of the document.

    Raises:
        Stop: a rate is apart by more than an øre for each line, or is stated and not sold ("vat-differs").
    """
    made = [{**line, "vat": _of(line)} for line in lines]
    sums: dict[Decimal, int] = {}
    for one in stated:
        rate = Decimal(one.get("vatInPercent") or 0)
        sums[rate] = sums.get(rate, 0) + int(one["vat"])
    for rate in sums | {SALES[line["vatType"]][1]: 0 for line in made}:
        of_rate = [line for line in made if SALES[line["vatType"]][1] == rate]
        apart = sums.get(rate, 0) - sum(line["vat"] for line in of_rate)
        if abs(apart) > len(of_rate):
            raise Stop(
                f"At {rate} % the document states {Decimal(sums.get(rate, 0)) / 100:.2f} of VAT, and its lines come to"
                f" {Decimal(sums.get(rate, 0) - apart) / 100:.2f}. Nothing is booked yet.",
                code="vat-differs",
                do="See how VAT was rounded where it was invoiced; book it in Fiken, or mend the document.",
                where={"rate": str(rate)},
            )
        if apart:
            max(of_rate, key=lambda line: abs(line["netPrice"]))["vat"] += apart
    return made


def _of(line: Mapping[str, Any]) -> int:
    exact = Decimal(line["netPrice"]) * SALES[line["vatType"]][1] / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
