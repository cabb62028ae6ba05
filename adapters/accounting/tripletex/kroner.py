"""What the rows of a voucher in another currency come to in kroner, and the VAT in kroner that a document states. Pure.

Each row gets its kroner by the rate, rounded so that all rows together come to the total by the rate: no øre is left
over. Tripletex computes the VAT in kroner of each row from these. Where the document states it (BT-111), a row may get
some øre more or less, as far as rounding explains it; a rate that is not the document's cannot be made good, and stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.accounting.tripletex.amounts import NOK
from adapters.accounting.tripletex.income import Income
from adapters.accounting.tripletex.ore import MOVES, ORE, tax_of
from connector.errors import Stop
from connector.model import round2
from connector.ports import Totals

_ZERO = Decimal(0)


def in_kroner(rows: Sequence[Income], rounding: Decimal, rate: Decimal, totals: Totals) -> list[Decimal]:
    """Kroner of each row of income and, last, of what was added to reach a whole amount.

    Args:
        rate: kroner for one unit of the currency.

    Raises:
        Stop: the document states another VAT in kroner (`totals-differ`, both figures and their difference).
    """
    kroner = _by_rate([*(row.gross for row in rows), rounding], rate)
    wanted, theirs = stated_vat(totals), _vat(rows, kroner)
    if wanted is None or theirs == wanted:
        return kroner
    taxed = [at for at, row in enumerate(rows) if row.percent > 0]
    # In its own currency the VAT of each rate is rounded to a cent, and in kroner that of each row to an øre.
    rounded = (len({row.percent for row in rows}) * rate + len(taxed) + 1) * ORE / 2
    if taxed and abs(wanted - theirs) <= rounded:
        at = max(taxed, key=lambda one: abs(kroner[one]))
        _give(kroner, at, rows[at].percent, wanted - theirs)
    compare_vat(_vat(rows, kroner), totals, {}, "Nothing is booked.")
    return kroner


def _give(kroner: list[Decimal], at: int, percent: Decimal, vat: Decimal) -> None:
    """Change a row by so much that its VAT is so much more."""
    wanted = tax_of(kroner[at], percent) + vat
    near = kroner[at] + round2(vat * (100 + percent) / percent)
    kroner[at] = next((one for ore in MOVES if tax_of(one := near + ore * ORE, percent) == wanted), kroner[at])


def _vat(rows: Sequence[Income], kroner: Sequence[Decimal]) -> Decimal:
    """The VAT that Tripletex will make of these amounts."""
    return sum((tax_of(one, row.percent) for one, row in zip(kroner, rows, strict=False)), _ZERO)


def stated_vat(totals: Totals) -> Decimal | None:
    """The VAT in kroner that a document in another currency states; None: it states none."""
    return totals.stated_vat if totals.vat_currency == NOK and totals.currency != NOK else None


def compare_vat(theirs: Decimal, totals: Totals, where: Mapping[str, str], stands: str) -> None:
    """Raises `Stop` (`totals-differ`) where a document states another VAT in kroner than Tripletex has."""
    ours = stated_vat(totals)
    if ours is None or theirs == ours:
        return
    raise vat_differs(
        theirs,
        ours,
        where,
        stands,
        "The document is issued: book it in Tripletex by hand, with the VAT that it states, and link that voucher"
        " (--link 2027/1043); or have the rate in Tripletex mended, and retry.",
    )


def vat_differs(theirs: Decimal, ours: Decimal, where: Mapping[str, str], stands: str, do: str) -> Stop:
    """What stops a document whose VAT in kroner (BT-111) is not what Tripletex books; `stands`: how far it has come."""
    return Stop(
        f"Tripletex books VAT of {theirs} {NOK}, the document states {ours} {NOK}: a difference of"
        f" {abs(theirs - ours)}. {stands}",
        code="totals-differ",
        do=do,
        where={**where, "field": "totals.tax_in_accounting_currency"},
        details={
            "currency": NOK,
            "ours": {"vat": str(ours)},
            "theirs": {"vat": str(theirs)},
            "difference": str(abs(theirs - ours)),
        },
    )


def _by_rate(amounts: Sequence[Decimal], rate: Decimal) -> list[Decimal]:
    """Each amount by the rate, so that together they are their sum by the rate, to the øre."""
    made, so_far, gone = [], _ZERO, _ZERO
    for amount in amounts:
        so_far += amount
        until = round2(so_far * rate)
        made.append(until - gone)
        gone = until
    return made
