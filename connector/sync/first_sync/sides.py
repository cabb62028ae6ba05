"""What stands on either side, as the matching sees it: documents without a link there, records without a link here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connector.errors import ConnectorError
from connector.mapping import Mapping as SystemMapping
from connector.mapping.match import Certainty, MatchRule
from connector.ports import Kind, Record
from connector.store import Tx, documents, first_sync, links, onboarding
from connector.store.documents import Document
from connector.sync import registers
from connector.sync.arriving import record_of
from connector.sync.external import form_of
from connector.sync.first_sync.matching import Action, Line, Thing, propose
from connector.sync.first_sync.status import GO_LIVE, KINDS
from connector.sync.identity import OF_DIMENSION, REGISTERS
from connector.sync.plan import belongs
from connector.sync.spokes import Spoke, Spokes

PAGE = 500


def lines(tx: Tx, spokes: Spokes, spoke: Spoke, *, accept: Certainty = "certain") -> list[Line]:
    """The proposal: every kind that both sides keep, in the order in which they refer to each other."""
    ours, theirs = _ours(tx, spokes, spoke), _theirs(tx, spoke)
    found: list[Line] = []
    for kind in KINDS:
        if kind in spoke.mapping:
            found += propose(ours.get(kind, []), theirs.get(kind, []), rules_of(spoke.mapping, kind), accept=accept)
    return found


def rules_of(mapping: SystemMapping, kind: str) -> Sequence[MatchRule]:
    """By what things of a kind may be the same."""
    return mapping[kind].matching if kind in mapping else ()


# --- ours -------------------------------------------------------------------------------------------------------------


def _ours(tx: Tx, spokes: Spokes, spoke: Spoke) -> dict[str, list[Thing]]:
    found: dict[str, list[Thing]] = {}
    routes = {route.name for route in spokes.tenant(spoke.tenant).routes.values() if spoke.name in route.to}
    for kind in KINDS:
        if kind not in spoke.mapping:
            continue
        for head in _every(tx, spoke.tenant, kind):
            if links.of(tx, head.id, spoke.id) is None and head.direction != "incoming":
                document = documents.get(tx, spoke.tenant, head.id)
                found.setdefault(kind, []).append(_thing(tx, spoke, document, routes))
    return found


def _every(tx: Tx, tenant: str, kind: str) -> Iterator[Document]:
    after = None
    while page := documents.find(tx, tenant, kind=kind, after=after, limit=PAGE):
        yield from page
        after = page[-1].id


def _thing(tx: Tx, spoke: Spoke, document: Document, routes: set[str]) -> Thing:
    amount = document.payable if document.open_amount is None else document.open_amount
    return Thing(
        document.id,
        document.kind,
        document.body or {},
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
    return "create" if belongs(tx, document, routes) and day is not None and day >= _first_day(tx, spoke) else "leave"


def _first_day(tx: Tx, spoke: Spoke) -> date:
    """What is dated before it stays where it was booked: the day of the cut-over, where it is agreed already."""
    agreed = onboarding.get(tx, spoke.id, GO_LIVE)
    return date.fromisoformat(agreed.details["date"]) if agreed is not None else spoke.start


def may_create(spoke: Spoke, document: Document) -> bool:
    """Whether the system lets a document of ours be made there, and the mapping does."""
    if (Kind(form_of(spoke, document)), "create") not in spoke.accounting.capabilities:
        return document.kind == "invoice" and (Kind.INVOICE, "register") in spoke.accounting.capabilities
    return document.kind not in REGISTERS or spoke.mapping[document.kind].bound.register.creates != "never"


# --- theirs -----------------------------------------------------------------------------------------------------------


def _theirs(tx: Tx, spoke: Spoke) -> dict[str, list[Thing]]:
    records: dict[str, list[Record]] = {}
    for row in first_sync.every(tx, spoke.id, state=("read", "decided")):
        if row.vendor_id is not None and links.by_vendor_id(tx, spoke.id, row.kind, row.vendor_id) is None:
            records.setdefault(row.kind, []).append(record_of(row.record, row.kind))
    named = Named({(kind, one.id): one for kind, some in records.items() for one in some}, spoke)
    return {kind: [_shown(spoke, one, named) for one in some] for kind, some in records.items()}


class Named:
    """What stands behind a record's references, among the records that were read themselves: nothing is linked yet."""

    def __init__(self, records: Mapping[tuple[str, str], Record], spoke: Spoke) -> None:
        self.records = records
        self.spoke = spoke

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """Nothing is written."""
        return None

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """A party for a customer that was read, a code for what people know by one, else that it is not known."""
        record = self.records.get((kind, vendor_id))
        if record is None:
            return {} if kind in ("customer", "supplier") else None
        fields = self.spoke.mapping[kind].into(record.body, self)
        if kind in ("customer", "supplier"):
            return fields.get("party") or {}
        if kind in (*OF_DIMENSION.values(), "product"):
            return fields.get("code") or fields.get("number")
        return {"document_id": vendor_id}


def _shown(spoke: Spoke, record: Record, named: Named) -> Thing:
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
    return Thing(record.id, kind, fields, number and str(number), name, amount, "create", record.body)
