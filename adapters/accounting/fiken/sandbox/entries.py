"""Free entries (fri postering): booked as one transaction, and taken back as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.store import Thing


def book(books: Books, text: str, entries: Sequence[Mapping[str, Any]]) -> Thing:
    """The transaction; customers and bank accounts are booked on by their own numbers. Raises `SandboxError`."""
    made = []
    for entry in entries:
        books.open_on(entry["date"])
        rows = []
        for line in entry["lines"]:
            if line.get("debitVatCode") or line.get("creditVatCode"):
                raise invalid("mva-koder på frie posteringer støttes ikke her")
            for side, sign in (("debitAccount", 1), ("creditAccount", -1)):
                if side in line:
                    rows.append((_account(books, line[side]), sign * line["amount"]))
        if not rows or sum(amount for _, amount in rows):
            raise invalid("Posteringen går ikke i balanse")
        books.vouchers.append(rows)
        lines = [{"account": code, "amount": amount, "vatCode": "0"} for code, amount in rows]
        made.append(books.add("journalEntry", journalEntryNumber=len(books.vouchers), date=entry["date"],
                              description=entry["description"], lines=lines))  # fmt: skip
    whole = books.add("transaction", description=text, type="Fri postering", deleted=False,
                      _entries=[one["_id"] for one in made])  # fmt: skip
    for one in made:
        one["transactionId"] = whole["_id"]
    return whole


def take_back(books: Books, transaction: Thing) -> None:
    """Book the opposite of a transaction. Raises `SandboxError` (400)."""
    if transaction["deleted"]:
        raise invalid("Transaksjonen er allerede slettet")
    opposite = books.add("transaction", description=f"Sletting: {transaction['description']}", type="Fri postering",
                         deleted=False, _entries=[])  # fmt: skip
    for id in transaction["_entries"]:
        entry = books.things["journalEntry"][id]
        books.vouchers.append([(line["account"], -line["amount"]) for line in entry["lines"]])
        books.touch(entry, offsetTransactionId=opposite["_id"])
    books.touch(transaction, deleted=True)


def _account(books: Books, code: str) -> str:
    if code in ("1500", "1920", "2400"):
        raise invalid(f"Konto {code} krever reskontro")
    if code.startswith("1920:"):
        return str(books.bank(code)["accountCode"])
    people = {one.get(f"{who}AccountCode") for one in books.all("contact") for who in ("customer", "supplier")}
    if ":" in code and code not in people:
        raise invalid(f"Konto {code} finnes ikke")
    return books.account(code)
