"""What lines come to: net, VAT and gross in øre, and what is rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.fiken.sandbox.chart import SALES
from adapters.accounting.fiken.sandbox.errors import invalid

_ROUNDED: Mapping[str, tuple[int, str]] = {
    "none": (1, ROUND_HALF_UP),
    "round_half": (50, ROUND_HALF_UP),
    "round_whole": (100, ROUND_HALF_UP),
    "round_down_half": (50, ROUND_DOWN),
    "round_down_whole": (100, ROUND_DOWN),
}


def whole(amount: Decimal) -> int:
    """The nearest øre."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def priced(lines: Sequence[Mapping[str, Any]], how: str) -> list[dict[str, Any]]:
    """Lines with their `net`, `vat` and `gross`. `how`: as `Rules.rounding` says."""
    made = []
    for line in lines:
        share = 1 - Decimal(line.get("discount") or 0) / 100
        net = whole(Decimal(line["unitPrice"]) * Decimal(line["quantity"]) * share)
        rate, _ = SALES[line["vatType"]]
        made.append({**line, "net": net, "vat": whole(net * rate / 100)})
    if how == "document":
        for vat_type in {line["vatType"] for line in made}:
            of_rate = [line for line in made if line["vatType"] == vat_type]
            exact = whole(sum(line["net"] for line in of_rate) * SALES[vat_type][0] / 100)
            of_rate[-1]["vat"] += exact - sum(line["vat"] for line in of_rate)
    return [{**line, "gross": line["net"] + line["vat"]} for line in made]


def totals(lines: Sequence[Mapping[str, Any]], rounding: str, currency: str) -> dict[str, int]:
    """`net`, `vat`, `gross` (what is to be paid) and `_rounding` of lines."""
    if rounding not in _ROUNDED:
        raise invalid("Invalid value for roundingType")
    if rounding != "none" and currency != "NOK":
        raise invalid("roundingType kan bare brukes for fakturaer i NOK")
    net, vat = sum(line["net"] for line in lines), sum(line["vat"] for line in lines)
    step, way = _ROUNDED[rounding]
    gross = int((Decimal(net + vat) / step).quantize(Decimal(1), way)) * step
    return {"net": net, "vat": vat, "gross": gross, "_rounding": gross - net - vat}
