"""What stands on either side, as the matching sees it: documents without a link there, records without a link here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from connector.errors import ConnectorError
from connector.mapping import Mapping as SystemMapping
from connector.mapping.match import Certainty, MatchRule
from connector.ports import Record
from connector.store import Tx, documents, first_sync, links, onboarding
from connector.store.documents import Document
from connector.store.kept import record_of
from connector.sync import registers
from connector.sync.external import takes
from connector.sync.first_sync.matching import Action, Line, Thing, of_ours, of_theirs, propose
from connector.sync.first_sync.status import GO_LIVE, KINDS
from connector.sync.identity import OF_DIMENSION, REGISTERS
from connector.sync.plan import belongs
from connector.sync.spokes import REPLACED, Spoke, Spokes

PAGE = 500
HELD = 1000
"""Of how many records what they are called is remembered while others refer to them."""


def lines(tx: Tx, spokes: Spokes, spoke: Spoke, *, accept: Certainty = "certain") -> list[Line]:
    """The proposal: every kind that both sides keep, in the order in which they refer to each other.

    Both sides are read by pages; of each thing only what a line shows of it is kept, and digests of what is compared.
    """
    found: list[Line] = []
    for kind in KINDS:
        if kind in spoke.mapping:
            rules = rules_of(spoke.mapping, kind)
            ours, theirs = [*_ours(tx, spokes, spoke, kind, rules)], [*_theirs(tx, spoke, kind, rules)]
            found += propose(ours, theirs, rules, accept=accept)
    return found


def rules_of(mapping: SystemMapping, kind: str) -> Sequence[MatchRule]:
    """By what things of a kind may be the same."""
    return mapping[kind].matching if kind in mapping else ()


# --- ours -------------------------------------------------------------------------------------------------------------


def _ours(tx: Tx, spokes: Spokes, spoke: Spoke, kind: str, rules: Sequence[MatchRule]) -> Iterator[Thing]:
    routes = {route.name for route in spokes.tenant(spoke.tenant).routes.values() if spoke.name in route.to}
    for head in _every(tx, spoke.tenant, kind):
        if links.of(tx, head.id, spoke.id) is None and head.direction != "incoming" and head.state != REPLACED:
            yield _thing(tx, spoke, documents.get(tx, spoke.tenant, head.id), routes, rules)


def _every(tx: Tx, tenant: str, kind: str) -> Iterator[Document]:
    after = None
    while page := documents.find(tx, tenant, kind=kind, after=after, limit=PAGE):
        ids = [head.id for head in page]
        links.ahead(tx, ids)
        documents.ahead(tx, tenant, ids)
        yield from page
        after = page[-1].id


def _thing(tx: Tx, spoke: Spoke, document: Document, routes: set[str], rules: Sequence[MatchRule]) -> Thing:
    amount = document.payable if document.open_amount is None else document.open_amount
    return Thing(
        document.id,
        document.kind,
        of_ours(document.body or {}, rules),
        document.number,
        document.counterparty_name,
        amount,
        _alone(tx, spoke, document, routes),
    )


def _alone(tx: Tx, spoke: Spoke, document: Document, routes: set[str]) -> Action:
    """What the ordinary sync would do with a document that is not there."""
    if document.kind in REGISTERS:
        open_ = (document.body or {}).get("active", True)
        return "create" if open_ and registers.makes(spoke, document) else "leave"
    day = document.issue_date
    return (
        "create"
        if belongs(tx, spoke, document, routes) and day is not None and day >= _first_day(tx, spoke)
        else "leave"
    )


def _first_day(tx: Tx, spoke: Spoke) -> date:
    """What is dated before it stays where it was booked: the day of the cut-over, where it is agreed already."""
    agreed = onboarding.get(tx, spoke.id, GO_LIVE)
    return date.fromisoformat(agreed.details["date"]) if agreed is not None else spoke.start


def may_create(spoke: Spoke, document: Document) -> bool:
    """Whether the system lets a document of ours be made there, and the mapping does."""
    if not takes(spoke, document):
        return False
    return document.kind not in REGISTERS or spoke.mapping[document.kind].bound.register.creates != "never"


# --- theirs -----------------------------------------------------------------------------------------------------------


def _theirs(tx: Tx, spoke: Spoke, kind: str, rules: Sequence[MatchRule]) -> Iterator[Thing]:
    named = Named(spoke, partial(_read, tx, spoke))
    for row in first_sync.every(tx, spoke.id, state=("read", "decided"), kind=kind):
        if row.vendor_id is not None and links.by_vendor_id(tx, spoke.id, kind, row.vendor_id) is None:
            yield _shown(spoke, record_of(row.record, kind), named, rules)


def _read(tx: Tx, spoke: Spoke, kind: str, id: str) -> Record | None:
    """A record that was read, by its id; none of what is linked already."""
    row = first_sync.of_record(tx, spoke.id, kind, id)
    open_ = row is not None and row.state in ("read", "decided") and links.by_vendor_id(tx, spoke.id, kind, id) is None
    return record_of(row.record, kind) if row is not None and open_ else None


class Named:
    """What stands behind a record's references, among the records that were read themselves: nothing is linked yet.

    Args:
        find: a record by kind and id, None where it was not read.
    """

    def __init__(self, spoke: Spoke, find: Callable[[str, str], Record | None] = lambda kind, id: None) -> None:
        self.spoke = spoke
        self.find = find
        self._known = lru_cache(maxsize=HELD)(self._behind)

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """Nothing is written."""
        return None

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """A party for a customer that was read, a code for what people know by one, else that it is not known."""
        return self._known(kind, vendor_id)

    def _behind(self, kind: str, vendor_id: str) -> Any:
        record = self.find(kind, vendor_id)
        if record is None:
            return {} if kind in ("customer", "supplier") else None
        fields = self.spoke.mapping[kind].into(record.body, self)
        if kind in ("customer", "supplier"):
            return fields.get("party") or {}
        if kind in (*OF_DIMENSION.values(), "product"):
            return fields.get("code") or fields.get("number")
        return {"document_id": vendor_id}


def _shown(spoke: Spoke, record: Record, named: Named, rules: Sequence[MatchRule]) -> Thing:
    kind = record.kind.value
    try:
        fields = spoke.mapping[kind].into(record.body, named)
    except ConnectorError:  # what cannot be read shows when it is handled; here it is matched by nothing
        fields = {}
    party = fields.get("buyer") if kind not in REGISTERS else fields.get("party")
    name = (party or {}).get("name") or fields.get("name")
    number = fields.get("number") or fields.get("code")
    amount = record.open_amount
    if amount is None and (payable := (fields.get("totals") or {}).get("payable")) is not None:
        amount = Decimal(payable)
    compared = of_theirs(fields, record.body, rules)
    return Thing(record.id, kind, compared, number and str(number), name, amount, "create")
