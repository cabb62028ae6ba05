"""The desk: what a bookkeeper does in the program itself, said the same way in every sandbox.

    POST /_desk/invoice    {buyer, organisation_number, net, day}   issue one, 25 % VAT on top: {number, gross}
    POST /_desk/payment    {number, amount, day}                    money that came for an invoice, by its number
    GET  /_desk/books                                               see `Books`
    POST /_desk/fill       {invoices, customers, day, days}         so many invoices over so many days, each paid

So whoever shows or measures several systems side by side needs to know none of them. Amounts are kroner.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice by its number, and what is to be paid."""

    number: str
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Books:
    """What stands in the books: kroner that customers owe and that came to the bank, and how many invoices and payments
    there are on customers' accounts.
    """

    owed: Decimal
    bank: Decimal
    invoices: int
    payments: int


class Desk(Protocol):
    """A bookkeeper at work in one company's books."""

    def issue(self, buyer: str, organisation_number: str, net: Decimal, day: date) -> Issued:
        """Issue an invoice of one line; the customer is made where there is none with this number."""

    def pay(self, number: str, amount: Decimal, day: date) -> None:
        """Register money that came for an invoice. Raises `LookupError` where there is none with this number."""

    def books(self) -> Books:
        """What stands in the books now."""


def call(desk: Desk, what: str, said: dict[str, Any]) -> Any:
    """Do what is asked of a desk. Raises `LookupError`, and what the desk and wrong values raise."""
    match what:
        case "POST /_desk/invoice":
            day = date.fromisoformat(said["day"])
            return asdict(desk.issue(said["buyer"], said["organisation_number"], Decimal(said["net"]), day))
        case "POST /_desk/payment":
            desk.pay(str(said["number"]), Decimal(said["amount"]), date.fromisoformat(said["day"]))
            return {}
        case "POST /_desk/fill":
            fill(desk, said["invoices"], said["customers"], date.fromisoformat(said["day"]), said["days"])
            return asdict(desk.books())
        case "GET /_desk/books":
            return asdict(desk.books())
    raise LookupError(f"{what} is nothing that a desk knows")


def fill(desk: Desk, invoices: int, customers: int, first: date, days: int) -> None:
    """Books that are full: invoices to so many customers, spread over the days from `first` on, each paid that day."""
    for n in range(invoices):
        day = first + timedelta(days=n * days // invoices)
        issued = desk.issue(f"Kunde {n % customers} AS", organisation_number(n % customers), Decimal(100), day)
        desk.pay(issued.number, issued.gross, day)


def organisation_number(n: int) -> str:
    """One of many that are well formed (MOD11), beginning with 9."""
    for digits in (f"9{n * 10 + last:07d}" for last in range(10)):
        check = -sum(int(digit) * weight for digit, weight in zip(digits, (3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
    raise AssertionError("of ten numbers, one has a check digit")
