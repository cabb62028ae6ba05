"""What is open follows from the facts, whatever order they came in."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.store.documents import Relation
from connector.sync.balance import (
    ALLOCATION,
    REVERSAL,
    REVERSES,
    SETTLEMENT,
    allot,
    open_amount,
    shares,
    taken_back,
    used,
)

ORE = st.integers(1, 2_000_00).map(lambda ore: Decimal(ore).scaleb(-2))
PAYABLE = Decimal("1250.00")


class Books:
    """Facts as they come in, applied one by one, each by what is open at that moment."""

    def __init__(self, invoices: int) -> None:
        self.payable = {f"i{n}": PAYABLE for n in range(invoices)}
        self.rows: list[Relation] = []
        self.money: dict[str, Decimal] = {}
        self.live: dict[str, Decimal] = {}

    def open(self, document: str) -> Decimal:
        payable = self.payable.get(document, self.money.get(document, Decimal(0)))
        return open_amount(document, payable, self.rows)

    def pay(self, fact: str, amount: Decimal, invoices: list[str]) -> None:
        given, left = allot(amount, [(one, amount) for one in invoices], {one: self.open(one) for one in invoices})
        assert sum(given.values(), left) == amount
        self.money[fact] = self.live[fact] = amount
        self.rows += [Relation(fact, ALLOCATION, one, part) for one, part in given.items()]

    def lose(self, fact: str, amount: Decimal, invoice: str) -> None:
        amount = min(amount, self.open(invoice))
        if amount:
            self.live[fact] = amount
            self.rows.append(Relation(fact, SETTLEMENT, invoice, amount))

    def refund(self, fact: str, payment: str) -> None:
        amount = self.open(payment)
        if amount:
            self.live[fact] = -amount
            self.rows.append(Relation(fact, ALLOCATION, payment, amount))

    def reverse(self, fact: str) -> None:
        if taken_back(fact, self.rows) or used(fact, self.rows) or fact not in self.live:
            return
        left = self.open(fact) if fact in self.money else Decimal(0)
        for row in [one for one in self.rows if one.document == fact]:
            self.rows.append(Relation(f"v-{fact}", REVERSAL, row.other, row.amount))
        self.rows.append(Relation(f"v-{fact}", REVERSES, fact, left))
        del self.live[fact]


def _happens(data: st.DataObject, books: Books, fact: str) -> None:
    invoices, facts = sorted(books.payable), sorted(books.money) or ["none"]
    match data.draw(st.sampled_from(["pay", "pay", "lose", "refund", "reverse"])):
        case "pay":
            books.pay(fact, data.draw(ORE), data.draw(st.lists(st.sampled_from(invoices), unique=True)))
        case "lose":
            books.lose(fact, data.draw(ORE), data.draw(st.sampled_from(invoices)))
        case "refund":
            books.refund(fact, data.draw(st.sampled_from(facts)))
        case _:
            books.reverse(data.draw(st.sampled_from(sorted(books.live) or ["none"])))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_happens_the_sums_hold(data: st.DataObject) -> None:
    books = Books(data.draw(st.integers(1, 3)))
    for number in range(data.draw(st.integers(1, 14))):
        _happens(data, books, f"f{number}")
        owed = {one: books.open(one) for one in books.payable}
        credit = {one: books.open(one) for one in books.money}
        assert all(amount >= 0 for amount in (*owed.values(), *credit.values()))
        # The customer's account: what was invoiced, less what was paid or given up, and what went back.
        account = sum(books.payable.values(), Decimal(0)) - sum(books.live.values(), Decimal(0))
        assert sum(owed.values()) - sum(credit.values()) == account
    shuffled = data.draw(st.permutations(books.rows))
    for document in (*books.payable, *books.money):
        payable = books.payable.get(document, books.money.get(document, Decimal(0)))
        assert open_amount(document, payable, shuffled) == books.open(document)


@given(ORE, st.lists(ORE, min_size=1, max_size=6))
def test_shares_are_exactly_the_total(total: Decimal, parts: list[Decimal]) -> None:
    made = shares(total, parts)
    assert sum(made) == total
    assert all(part >= 0 and part == round(part, 2) for part in made)


def test_rows_of_other_kinds_say_nothing() -> None:
    rows = [Relation("i", "customer", "c", None), Relation("cn", "credits", "i", Decimal(5))]
    assert open_amount("i", Decimal(10), rows) == 10
