"""Open items per customer and their sum, held against the receivable account: before the first sync, and after it.

A first sync books nothing, so what customers owe in the ledger is the same before and after; what of it is known here
may not be. What is apart is shown, and never evened out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.store import Tx, documents, first_sync, links
from connector.store.documents import Document
from connector.sync.spokes import Linked, Spoke

_ZERO = Decimal(0)
CURRENCY = "NOK"
"""The accounting currency: a customer who owes in another one is not compared here, item by item."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer: what is open in the ledger before and after, and what is known here. None: not told, or not known
    here at all.
    """

    vendor_id: str
    name: str | None
    before: Decimal | None
    after: Decimal | None
    here: Decimal | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What customers owe, in the accounting currency. `before` and `after`: the balance of the receivable account, the
    sum of its open items, and those that name no customer; None where the system does not tell.
    """

    before: Mapping[str, Decimal] | None
    after: Mapping[str, Decimal] | None
    customers: tuple[Customer, ...]
    here: Decimal

    @property
    def apart(self) -> list[str]:
        """What does not agree, in words; empty where everything does."""
        said = []
        for when, sums in (("before", self.before), ("after", self.after)):
            if sums is not None and sums["account"] != (items := sums["open"] + sums["loose"]):
                said.append(f"{when}: the account shows {sums['account']}, its open items come to {items}")
        if self.after is None and self.here:
            said.append(f"{self.here} is open here, and the ledger does not tell what its customers owe")
        if self.before is not None and self.after is not None and self.before != self.after:
            said.append(f"the account showed {self.before['account']} before and shows {self.after['account']} after")
        said += [
            f"{one.name or one.vendor_id}: {one.after} open in the ledger, {one.here} here"
            for one in self.customers
            if one.here is not None and one.after is not None and one.here != one.after
        ]
        return said

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return {
            "before": _texts(self.before),
            "after": _texts(self.after),
            "here": str(self.here),
            "apart": self.apart,
            "customers": [
                {
                    "vendor_id": one.vendor_id,
                    "name": one.name,
                    **{name: _text(getattr(one, name)) for name in ("before", "after", "here")},
                }
                for one in self.customers
            ],
        }


def totals(tx: Tx, spoke: Spoke, before: Any, after: Any) -> Totals:
    """What customers owe, from two readings of the ledger (`reading.shown`) and from what is known here now."""
    was, is_ = _open(before), _open(after)
    here: dict[str, Decimal] = {}
    foreign: set[str] = set()
    names: dict[str, str | None] = {}
    for document in _documents(tx, spoke):
        link = _customer(tx, spoke, document)
        if link is None:
            continue
        sign = 1 if document.kind == "invoice" else -1
        here[link] = here.get(link, _ZERO) + sign * (document.open_amount or _ZERO)
        names[link] = document.counterparty_name
        if document.currency not in (None, CURRENCY):
            foreign.add(link)
    customers = []
    for id in sorted({*was, *is_, *here}):
        known = id not in foreign and links.by_vendor_id(tx, spoke.id, "customer", id) is not None
        mine = here.get(id, _ZERO) if known else None
        name = names.get(id) or _name(tx, spoke, id)
        customers.append(Customer(id, name, _one(before, was, id), _one(after, is_, id), mine))
    return Totals(_sums(before), _sums(after), tuple(customers), sum(here.values(), _ZERO))


def _documents(tx: Tx, spoke: Spoke) -> Iterator[Document]:
    """What is open here of what is in that ledger."""
    for kind in ("invoice", "credit_note", "payment"):
        after = None
        while page := documents.find(tx, spoke.tenant, kind=kind, after=after, limit=500):
            for head in page:
                if head.open_amount and head.direction != "incoming" and links.of(tx, head.id, spoke.id) is not None:
                    yield head
            after = page[-1].id


def _customer(tx: Tx, spoke: Spoke, document: Document) -> str | None:
    """What a document's customer is called there."""
    for row in documents.relations(tx, spoke.tenant, document.id):
        if row.document == document.id and row.kind == "customer":
            link = links.of(tx, row.other, spoke.id, "customer")
            return link.vendor_id if link else None
    return None


def _name(tx: Tx, spoke: Spoke, vendor_id: str) -> str | None:
    row = first_sync.of_record(tx, spoke.id, "customer", vendor_id)
    if row is not None and row.record is not None:
        party = spoke.mapping["customer"].into(row.record["body"], Linked(tx, spoke.id, {})).get("party") or {}
        return party.get("name")
    link = links.by_vendor_id(tx, spoke.id, "customer", vendor_id)
    there = documents.peek(tx, spoke.tenant, link.document) if link else None
    return there.counterparty_name if there else None


def _open(said: Any) -> dict[str, Decimal]:
    return {id: Decimal(amount) for id, amount in (said or {}).get("open", {}).items()}


def _one(said: Any, opened: Mapping[str, Decimal], id: str) -> Decimal | None:
    return None if said is None else opened.get(id, _ZERO)


def _sums(said: Any) -> dict[str, Decimal] | None:
    if said is None:
        return None
    opened = sum(_open(said).values(), _ZERO)
    return {"account": Decimal(said["account"]), "open": opened, "loose": Decimal(said["loose"])}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _texts(sums: Mapping[str, Decimal] | None) -> dict[str, str] | None:
    return None if sums is None else {name: str(amount) for name, amount in sums.items()}
