"""What a sync would do, shown before it is done: nothing here writes or calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from connector.errors import ConnectorError, Stop
from connector.model import Invoice
from connector.ports import Kind
from connector.store import Tx, documents, first_sync, links
from connector.store.documents import Document
from connector.sync import coded, effects, registers
from connector.sync.balance import ALLOCATION
from connector.sync.canonical import model_of
from connector.sync.external import form_of
from connector.sync.identity import CODED
from connector.sync.intake import SOURCE
from connector.sync.postings import push_payment
from connector.sync.push import behind, operation, related
from connector.sync.settlements import push_settlements
from connector.sync.spokes import Linked, Spoke, Spokes, check_can

PAGE = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a sync would do at a connection, or why it would not.

    `action`: `create` (and the record it would make), `wait` (work is under way or waits for a person), `stop` (it
    cannot be mapped; `reason` says why and `do` what helps).
    """

    kind: str
    document: str
    number: str | None
    counterparty: str | None
    payable: str | None
    currency: str | None
    action: str
    reason: str
    do: str = ""
    record: Any = None

    def as_json(self) -> dict[str, Any]:
        """The step as programs read it."""
        return asdict(self)


def plan(tx: Tx, spokes: Spokes, spoke: Spoke, *, after: str | None = None, limit: int = PAGE) -> list[Step]:
    """What would be pushed to a connection, page by page (`after`: the document of the last step seen)."""
    steps: list[Step] = []
    for document in wanted(tx, spokes, spoke, after=after):
        steps.append(_step(tx, spoke, document))
        if len(steps) == limit:
            break
    return steps


def wanted(tx: Tx, spokes: Spokes, spoke: Spoke, *, after: str | None = None) -> Iterator[Document]:
    """Documents that belong in this system by their route and are not there; a customer comes with its invoice."""
    routes = {route.name for route in spokes.tenant(spoke.tenant).routes.values() if spoke.name in route.to}
    while True:
        page = documents.find(tx, spoke.tenant, kind=None, after=after, limit=PAGE)
        for document in page:
            wanted = registers.makes(spoke, document) or belongs(tx, document, routes)
            there = links.of(tx, document.id, spoke.id, form_of(spoke, document)) is not None
            if wanted and not there and not _settled(tx, spoke, document):
                yield document
        if len(page) < PAGE:
            return
        after = page[-1].id


def _settled(tx: Tx, spoke: Spoke, document: Document) -> bool:
    """Whether a person has said that it is there already, or shall not be: it, or what it pays."""
    if not first_sync.any_of(tx, spoke.id):
        return False
    if document.kind != Kind.PAYMENT.value:
        return first_sync.settled(tx, spoke.id, document.id)
    rows = documents.relations(tx, document.tenant, document.id)
    return any(first_sync.left_here(tx, spoke.id, row.other) for row in rows if row.document == document.id)


def belongs(tx: Tx, document: Document, routes: set[str]) -> bool:
    """Whether a document came in on one of these routes; a payment follows its invoice."""
    if document.kind in (Kind.INVOICE.value, Kind.CREDIT_NOTE.value):
        return document.source in routes
    if document.kind == Kind.SUPPLIER_INVOICE.value:
        return document.source in routes and document.state == "received"
    if document.kind == Kind.PAYMENT.value:
        if document.state == "reversed":
            return False
        settled = [
            documents.get(tx, document.tenant, row.other)
            for row in documents.relations(tx, document.tenant, document.id)
            if row.document == document.id and row.kind == ALLOCATION
        ]
        if not settled:
            return document.source == SOURCE
        return any(one.source in routes or (one.kind != "invoice" and belongs(tx, one, routes)) for one in settled)
    return False


def catch_up(tx: Tx, spokes: Spokes, spoke: Spoke) -> int:
    """Ask for everything that a connection lacks, when it is activated or on demand; how much was asked for."""
    return sum(bring(tx, spoke, document) for document in list(wanted(tx, spokes, spoke)))


def bring(tx: Tx, spoke: Spoke, document: Document) -> int:
    """Ask for a document to be brought to a connection, after what it refers to; how much was asked for. Nothing where
    it is on its way, or nothing is written there.
    """
    if effects.live(tx, spoke, document.id):
        return 0
    if document.kind == Kind.PAYMENT.value:
        return len(push_payment(tx, [spoke], documents.get(tx, document.tenant, document.id)))
    first = related(tx, document)
    needs: tuple[str, ...] = ()
    if document.kind in (Kind.INVOICE.value, Kind.CREDIT_NOTE.value):
        invoice = model_of(document.kind, documents.get(tx, document.tenant, document.id).body)
        assert isinstance(invoice, Invoice)
        needs += coded.needs(tx, spoke, form_of(spoke, document), invoice)
    for kind in (Kind.CUSTOMER.value, Kind.SUPPLIER.value, Kind.INVOICE.value):
        if kind in first and kind != document.kind:
            needs += effects.need(tx, spoke, kind, first[kind])
    asked = int(effects.push(tx, spoke, document.kind, document.id, needs=needs) is not None)
    if document.kind == Kind.INVOICE.value:
        asked += len(push_settlements(tx, spoke, document.id))
    return asked


def _step(tx: Tx, spoke: Spoke, head: Document) -> Step:
    def step(action: str, reason: str, do: str = "", record: Any = None) -> Step:
        payable = None if head.payable is None else str(head.payable)
        name = head.counterparty_name
        return Step(head.kind, head.id, head.number, name, payable, head.currency, action, reason, do, record)

    live = effects.live(tx, spoke, head.id)
    if live:
        state = live[-1].state
        return step("wait", f"work on it is {state}", "" if state != "parked" else "See `connector attention`.")
    document = documents.get(tx, spoke.tenant, head.id)
    try:
        kind = form_of(spoke, document)
        check_can(spoke, kind, operation(spoke, document))
        model, linked = behind(tx, spoke, document)
        fields, context = model.model_dump(), _Promised(tx, spoke.id, linked.related, linked.kinds)
        record = spoke.mapping[kind].out(fields, context)
    except ConnectorError as error:
        return step("stop", error.said, error.do)
    return step("create", "it is not there", record=record)


class _Promised(Linked):
    """As when it runs, but for things that will have been made just before."""

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The vendor's id, or a zero where the thing is made first."""
        if self.other(kind):
            return None
        if kind in CODED and isinstance(ours, str):
            try:
                return super().vendor_id(kind, ours)
            except Stop as stop:
                if stop.code != "link-missing":
                    raise
                return "0"
        document = self.related.get(kind)
        link = links.of(self.tx, document, self.connection, self.kinds.get(kind, kind)) if document else None
        return link.vendor_id if link else "0"
