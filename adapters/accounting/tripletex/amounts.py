"""The amounts of a payment record: what it settles, what came to the account, what was kept on the way. No calls.

    in kroner                        amount settles; amount - deductions came to the account
    in another currency              amountCurrency settles; amount (kroner) came to a kroner account
    in another currency, no amount   amountCurrency settles; amountCurrency - deductions came to an account in it

What was kept is valued by the payment's own rate, so that the bank account moves by what came to it, to the øre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.errors import Refused
from connector.model.money import round2

NOK = "NOK"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a payment is in figures.

    `settled` is in `currency` (empty where the record leaves it to the invoice); `gross` (what the payment type is
    told), and `kept` by account number are in `account_currency`. `kroner`: what `settled` is in kroner by the
    payment's own figures; None where only the ledger's rate says it.
    """

    currency: str
    settled: Decimal
    account_currency: str
    gross: Decimal
    kept: Mapping[str, Decimal]
    kept_currency: Mapping[str, Decimal]
    """As `kept`, in `currency`."""

    @property
    def arrived(self) -> Decimal:
        """What came to the account, or left it, in its currency."""
        return self.gross - sum(self.kept.values(), Decimal(0))

    @property
    def foreign(self) -> bool:
        """Whether it settles something in another currency than kroner."""
        return self.currency != NOK

    @property
    def kroner(self) -> Decimal | None:
        """What it settles, in kroner."""
        return self.gross if self.account_currency == NOK else None


def amounts(record: Mapping[str, Any]) -> Amounts:
    """The amounts of a payment record. Raises `Refused` (`payment-not-positive`, `fee-exceeds-payment`)."""
    foreign, plain = record.get("amountCurrency"), record.get("amount")
    currency = NOK if foreign is None else str((record.get("currency") or {}).get("code") or "")
    settled = Decimal(plain or 0) if foreign is None else Decimal(foreign)
    in_account = currency if plain is None else NOK
    if settled <= 0 or (plain is not None and Decimal(plain) <= 0):
        raise Refused("A payment is more than 0.", code="payment-not-positive", where={"field": "amount"})
    kept: dict[str, Decimal] = {}
    for one in record.get("deductions") or ():
        if Decimal(one["amount"]):
            kept[str(one["account"])] = kept.get(str(one["account"]), Decimal(0)) + Decimal(one["amount"])
    total = sum(kept.values(), Decimal(0))
    if total >= settled or any(value < 0 for value in kept.values()):
        raise Refused(
            f"{total} was kept of a payment of {settled}.",
            code="fee-exceeds-payment",
            do="State the fee in the payment's currency, and the payment with the fee in it.",
            where={"field": "deductions"},
        )
    if in_account != currency:  # kroner came, and another currency is settled
        arrived = Decimal(plain or 0)
        valued = {account: round2(value * arrived / (settled - total)) for account, value in kept.items()}
        gross = arrived + sum(valued.values(), Decimal(0))
        return Amounts(currency, settled, NOK, gross, valued, kept)
    return Amounts(currency, settled, in_account, settled, kept, kept)
