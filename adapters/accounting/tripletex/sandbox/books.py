"""The books of one company in the sandbox: sales, purchases, ledger, registers."""

from __future__ import annotations

import itertools

from adapters.accounting.tripletex.sandbox import chart
from adapters.accounting.tripletex.sandbox.ledger import ore
from adapters.accounting.tripletex.sandbox.purchases import Purchases
from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.sales import Sales, mod10
from adapters.accounting.tripletex.sandbox.store import OSLO, wall_time

__all__ = ["OSLO", "Books", "Rules", "mod10", "ore", "wall_time"]


class Books(Sales, Purchases):
    """One company's books.

    Args:
        rules: how its Tripletex behaves.
        first_invoice_number: where its invoice numbers begin.
        name, organisation_number: whose they are.
        first_id: where the ids of its things begin.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        first_invoice_number: int = 10017,
        *,
        name: str = "Prøvebedriften AS",
        organisation_number: str = "999999928",
        first_id: int = 2_147_001,
    ) -> None:
        super().__init__(rules, first_id=first_id, first_invoice_number=first_invoice_number)
        self.customer_numbers: dict[int, int] = {}
        """Ids of customers by number."""
        self._customer_numbers = itertools.count(10001)
        chart.seed(self, name, organisation_number)

    def next_customer_number(self) -> int:
        """A customer number that nobody has."""
        return next(number for number in self._customer_numbers if number not in self.customer_numbers)
