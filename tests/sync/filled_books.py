"""Ledgers that are filled already, and the file of a first sync as a person answers it."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import Sandbox
from adapters.accounting.tripletex.sandbox.orders import create_order
from adapters.accounting.tripletex.sandbox.registers import REGISTERS, create
from connector.model.identifiers import OrganisationNumber

START, PAID = date(2026, 2, 1), date(2026, 5, 4)


def organisation_numbers(count: int) -> list[str]:
    """Valid ones, always the same."""
    found, number = [], 910_000_000
    while len(found) < count:
        number += 7
        if OrganisationNumber.valid(str(number)):
            found.append(str(number))
    return found


NUMBERS = organisation_numbers(400)


def customer(box: Sandbox, name: str, **more: Any) -> int:
    return int(create(box.books, REGISTERS["customer"], {"name": name, **more})["id"])


def product(box: Sandbox, number: str, name: str) -> int:
    return int(create(box.books, REGISTERS["product"], {"name": name, "number": number})["id"])


def invoice(box: Sandbox, of: int, net: str, *, number: int, day: date, due: int = 14) -> Any:
    vat = next(one["id"] for one in box.books.things["vatType"].values() if one["number"] == "3")
    line = {"description": "Arbeid", "count": 1, "unitPriceExcludingVatCurrency": Decimal(net), "vatType": {"id": vat}}
    said = {"customer": {"id": of}, "orderDate": str(day), "deliveryDate": str(day), "orderLines": [line]}
    return box.books.charge(create_order(box.books, said), day, number=number, due=day + timedelta(days=due))


def active(box: Sandbox, type: str) -> list[Any]:
    return [one for one in box.books.things.get(type, {}).values() if not one.get("isInactive")]


def issued(box: Sandbox) -> int:
    return sum(1 for one in box.books.things.get("invoice", {}).values() if one["isCharged"])


def lines_of(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    return rows[0], [dict(zip(rows[1], row, strict=True)) for row in rows[2:]]


def answered(content: bytes, answer: Any) -> bytes:
    """The file with every line as `answer(line)` says; what it says nothing about stays."""
    title, lines = lines_of(content)
    return sheet_of(title, [{**line, "handling": answer(line) or line["handling"]} for line in lines])


def sheet_of(title: list[str], lines: list[dict[str, str]]) -> bytes:
    """A file of these lines."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";")
    rows.writerow(title)
    rows.writerow(list(lines[0]))
    rows.writerows(line.values() for line in lines)
    return out.getvalue().encode()


def left(line: dict[str, str]) -> str | None:
    """Who answers every question with: leave it."""
    return "la stå" if line["handling"] == "?" else None


def fill(shop: Sandbox, books: Sandbox, equal: int = 100) -> None:
    """Both filled: `equal` customers, products and invoices that are the same, and every kind of near and twice."""
    for at in range(equal):
        day, net, number = START + timedelta(days=at % 60), f"{100 + at}.00", 20_000 + at
        for box in (shop, books):
            of = customer(box, f"Kunde {at} AS", organizationNumber=NUMBERS[at])
            made = invoice(box, of, net, number=number, day=day)
            if at % 10 == 0:  # some are paid in part, or in whole; the same money in both
                box.payment(made["id"], Decimal(25) if at % 20 else made["amountCurrency"], PAID)
            product(box, f"V{at}", f"Vare {at}")
    # Only on one side.
    for at in range(10):
        of = customer(shop, f"Bare butikk {at}", email=f"butikk{at}@eksempel.no")
        invoice(shop, of, "50.00", number=30_000 + at, day=START)
        of = customer(books, f"Bare regnskap {at}", email=f"regnskap{at}@eksempel.no")
        invoice(books, of, "60.00", number=40_000 + at, day=START)
        product(shop, f"B{at}", f"Bare butikk {at}")
        product(books, f"R{at}", f"Bare regnskap {at}")
    # Near: an e-mail address, a name; an invoice with another amount.
    for at in range(10):
        of = customer(shop, f"Nær {at}", invoiceEmail=f"post{at}@naer.no")
        invoice(shop, of, "70.00", number=50_000 + at, day=START)
        of = customer(books, f"Naer {at} AS", invoiceEmail=f"post{at}@naer.no")
        made = invoice(books, of, "71.00", number=50_000 + at, day=START)
        books.payment(made["id"], made["amountCurrency"], PAID)
    # Twice: two in the ledger for one of ours, and one in the ledger for two of ours.
    for at in range(5):
        number = NUMBERS[200 + at]
        customer(shop, f"Dobbel {at}", organizationNumber=number)
        for _ in range(2):
            of = customer(books, f"Dobbel {at}", organizationNumber=number)
        invoice(books, of, "80.00", number=60_000 + at, day=START)
        for _ in range(2):
            of = customer(books, f"Alene dobbel {at}", organizationNumber=NUMBERS[300 + at])
        invoice(books, of, "90.00", number=70_000 + at, day=START)
        for _ in range(2):
            customer(shop, f"Tvilling {at}{_}", email=f"tvilling{at}@eksempel.no")
        customer(books, f"Tvilling {at}", email=f"tvilling{at}@eksempel.no")
