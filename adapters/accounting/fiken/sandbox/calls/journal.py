"""Free entries (fri postering), and the transactions they stand in."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.entries import book, take_back
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes

FLAG = "Fri postering registrert via API: "
"""What Fiken puts before every text."""


@route("POST", "/generalJournalEntries")
def add_entries(call: Call) -> Reply:
    """Entries in a transaction; what answers names the transaction."""
    said = forms.read(call.body, forms.GENERAL_ENTRY)
    if len(FLAG + said.get("description", "")) > 200:
        raise invalid("description er for lang")
    entries = [forms.read(one, forms.ENTRY, "journalEntries.") for one in said["journalEntries"]]
    if not entries:
        raise invalid("journalEntries må fylles ut")
    made = book(call.books, FLAG + said.get("description", ""), [
        {**entry, "description": FLAG + entry["description"],
         "lines": [forms.read(line, forms.ENTRY_LINE, "lines.") for line in entry["lines"]]}
        for entry in entries
    ])  # fmt: skip
    return call.made("/transactions", made["_id"])


@route("GET", "/journalEntries", f"{PAGING} {days('date', 'lastModified', 'createdDate')}")
def entries(call: Call) -> Reply:
    """Entries."""
    found = call.dated(call.books.all("journalEntry"), date="date", lastModified="lastModifiedDate",
                       createdDate="createdDate")  # fmt: skip
    return call.page(found, Shapes(call.books, call.base).entry)


@route("GET", "/journalEntries/{id}")
def entry(call: Call) -> Reply:
    """One entry."""
    return Reply(200, Shapes(call.books, call.base).entry(call.books.find("journalEntry", call.ids[0])))


@route("PATCH", "/transactions/{id}/delete", "description")
def delete_transaction(call: Call) -> Reply:
    """It is reversed, and says so."""
    if not call.query.get("description"):
        raise invalid("description må fylles ut")
    there = call.books.find("transaction", call.ids[0])
    take_back(call.books, there)
    return Reply(200, Shapes(call.books, call.base).transaction(there))
