"""What a sync would do at a connection, shown before it is done; and the asking for it. What is shown and what is asked
for come from the same look at each document. Looking writes nothing and calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from connector.errors import ConnectorError, Stop
from connector.model import Invoice
from connector.ports import Kind
from connector.store import Tx, attention, documents, first_sync, links
from connector.store import work as works
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import coded, effects, registers
from connector.sync.balance import ALLOCATION
from connector.sync.basis import basis_of
from connector.sync.canonical import model_of
from connector.sync.differences import CONFLICT, about, disputed
from connector.sync.external import form_of, operation
from connector.sync.identity import CODED, REGISTERS
from connector.sync.intake import SOURCE
from connector.sync.parts import parts
from connector.sync.postings import push_payment
from connector.sync.push import behind, related
from connector.sync.settlements import OURS, closed_by, push_settlements
from connector.sync.spokes import Linked, Spoke, Spokes, check_can, reaches
from connector.sync.withdrawing import cancelled

PAGE = 200

DOES = ("create", "change", "pay", "credit", "settle", "reverse")
"""Actions that do something there; the others say why nothing is done."""
_ACTION = {
    Kind.CREDIT_NOTE.value: "credit",
    Kind.PAYMENT.value: "pay",
    Kind.SETTLEMENT.value: "settle",
    Kind.REVERSAL.value: "reverse",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a sync would do at a connection, or why it would not.

    `action`: one of `DOES` (with the record it would make, or the fields it would change); `wait` (work is under way or
    waits for a person); `stop` (it cannot be mapped; `reason` says why and `do` what helps); `leave` (it is there as it
    should be, or is not to be told there). `part`: which row of a payment that is several there. `basis`: what this was
    decided by: digests of the document and of what is known of it there, and the version of the mapping.
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
    part: int = 0
    basis: Mapping[str, str | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The step as programs read it."""
        return asdict(self)


def plan(
    tx: Tx, spokes: Spokes, spoke: Spoke, *, after: str | None = None, limit: int = PAGE, leave: bool = False
) -> list[Step]:
    """What a sync would do at a connection, as far as is known now: at least `limit` steps where there are so many, all
    of a document together. `after`: the document of the last step seen; `leave`: also what it would leave as it is.
    """
    steps: dict[tuple[str, int], Step] = {}  # a customer that two invoices need is made once
    routes = routes_to(spokes, spoke)
    for head in _heads(tx, spoke, after):
        for step in of_document(tx, spoke, head, routes):
            if leave or step.action != "leave":
                steps.setdefault((step.document, step.part), step)
        if len(steps) >= limit:
            break
    return list(steps.values())


def of_document(tx: Tx, spoke: Spoke, head: Document, routes: set[str]) -> Iterator[Step]:
    """The steps that concern a document; of an invoice also those for its customer, which comes with it."""
    under_way = effects.live(tx, spoke, head.id)
    if under_way:
        state = under_way[-1].state
        if state in ("parked", "unknown"):
            yield _step(spoke, head, "wait", f"work on it is {state}", "See `connector attention`.")
        else:
            yield _asked(tx, spoke, head, f"it is asked for already ({state})")
        return
    if links.of(tx, head.id, spoke.id, form_of(spoke, head)) is None and decided(tx, spoke, head):
        yield _step(spoke, head, "leave", "so it was decided at the first sync")
        return
    if head.kind == Kind.PAYMENT.value:
        yield from _payment(tx, spoke, head, routes)
        return
    if head.kind == Kind.SETTLEMENT.value:
        if comes_along(tx, spoke, head):
            yield _made(tx, spoke, head, "it comes with its invoice")
        return
    link = links.of(tx, head.id, spoke.id, form_of(spoke, head))
    if link is not None:
        yield _there(tx, spoke, head, link)
    elif registers.makes(spoke, head) or belongs(tx, spoke, head, routes):
        yield from _first(tx, spoke, head)
        yield _made(tx, spoke, head, "it is not there")


def _payment(tx: Tx, spoke: Spoke, head: Document, routes: set[str]) -> Iterator[Step]:
    # Born or matched in a ledger, a payment is one row there whatever it settles: where one is, nothing is missing.
    if links.of(tx, head.id, spoke.id) is not None:
        yield _step(spoke, head, "leave", "it is there already")
        return
    document = documents.get(tx, spoke.tenant, head.id)
    for number in range(len(parts(tx, document)) if belongs(tx, spoke, head, routes) else 0):
        if cancelled(tx, document, number):
            yield _step(spoke, head, "leave", "a person has cancelled it", part=number)
        else:
            yield _made(tx, spoke, head, "it is not there", part=number)


def _there(tx: Tx, spoke: Spoke, head: Document, link: Link) -> Step:
    if head.kind not in REGISTERS or head.kind not in spoke.mapping:
        return _step(spoke, head, "leave", f"it is there already ({link.number or link.vendor_id})")
    document = documents.get(tx, spoke.tenant, head.id)
    changed = registers.pending(tx, spoke, document, link)
    open_ = disputed(tx, spoke, document)
    fields = {path: value for path, value in changed.items() if path not in open_}
    if fields:
        return _made(tx, spoke, head, f"changed here: {', '.join(sorted(fields))}", fields=fields)
    if open_:
        return _step(spoke, head, "wait", "both sides changed it", "See `connector attention`.")
    return _step(spoke, head, "leave", "what is there is what is here")


def _asked(tx: Tx, spoke: Spoke, head: Document, reason: str) -> Step:
    """What is asked for already, as it would be decided now."""
    link = links.of(tx, head.id, spoke.id, form_of(spoke, head))
    if link is None or head.kind not in REGISTERS or head.kind not in spoke.mapping:
        return _made(tx, spoke, head, reason)
    document = documents.get(tx, spoke.tenant, head.id)
    fields = registers.pending(tx, spoke, document, link)
    if not fields:
        return _step(spoke, head, "leave", f"{reason}; what is there is what is here")
    return _made(tx, spoke, head, reason, fields=fields)


def _first(tx: Tx, spoke: Spoke, head: Document) -> Iterator[Step]:
    """The customer or supplier that must be there before a document."""
    for kind, id in related(tx, head).items():
        if kind in (Kind.CUSTOMER.value, Kind.SUPPLIER.value) and links.of(tx, id, spoke.id) is None:
            party = documents.get(tx, spoke.tenant, id)
            if not registers.makes(spoke, party) and not effects.live(tx, spoke, id):
                yield _made(tx, spoke, party, f"{head.kind.replace('_', ' ')} {head.number or head.id} needs it")


def comes_along(tx: Tx, spoke: Spoke, head: Document) -> bool:
    """Whether a settlement of ours is brought to a system together with the invoice that it closes."""
    if head.source != OURS or head.state == "reversed" or links.of(tx, head.id, spoke.id) is not None:
        return False
    if (Kind.SETTLEMENT, "create") not in spoke.accounting.capabilities:
        return False
    return any(links.of(tx, invoice, spoke.id) is None for invoice in closed_by(tx, head))


def _made(
    tx: Tx, spoke: Spoke, head: Document, reason: str, *, part: int = 0, fields: Mapping[str, Any] | None = None
) -> Step:
    document = documents.get(tx, spoke.tenant, head.id)
    kind = form_of(spoke, document)
    basis = basis_of(tx, spoke, document)
    try:
        model, linked = behind(tx, spoke, document, part)
        canonical, context = model.model_dump(), Promised(tx, spoke.id, linked.related, linked.kinds)
        if fields is not None:
            check_can(spoke, kind, "update")
            record = spoke.mapping[kind].update(canonical, set(fields), context)
            return _step(spoke, head, "change", reason, record=record, basis=basis)
        check_can(spoke, kind, operation(spoke, document))
        record = spoke.mapping[kind].out(canonical, context)
    except ConnectorError as error:
        return _step(spoke, head, "stop", error.said, error.do, part=part, basis=basis)
    action = _ACTION.get(head.kind, "create")
    return _step(spoke, head, action, reason, record=record, part=part, basis=basis)


def _step(spoke: Spoke, head: Document, action: str, reason: str, do: str = "", **more: Any) -> Step:
    payable = None if head.payable is None else str(head.payable)
    name = head.counterparty_name
    return Step(head.kind, head.id, head.number, name, payable, head.currency, action, reason, do, **more)


def look_ahead(tx: Tx, spoke: Spoke, page: Sequence[Document]) -> None:
    """Read in one go what a plan asks about each of these documents, and about what they refer to."""
    if tx.ahead is None:
        return
    tenant, ids = spoke.tenant, [head.id for head in page]
    others = documents.relations_ahead(tx, tenant, (head.id for head in page if head.kind not in REGISTERS))
    both = [*ids, *others]
    documents.ahead(tx, tenant, both)
    links.ahead(tx, both)
    first_sync.ahead(tx, spoke.id, both)
    works.ahead(tx, both)
    attention.ahead(tx, (about(CONFLICT, spoke, head.id) for head in page if head.kind in REGISTERS))


def _heads(tx: Tx, spoke: Spoke, after: str | None) -> Iterator[Document]:
    tenant = spoke.tenant
    while True:
        page = documents.find(tx, tenant, after=after, limit=PAGE)
        look_ahead(tx, spoke, page)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def routes_to(spokes: Spokes, spoke: Spoke) -> set[str]:
    """Names of the routes that lead to a connection."""
    return {route.name for route in spokes.tenant(spoke.tenant).routes.values() if spoke.name in route.to}


def decided(tx: Tx, spoke: Spoke, document: Document) -> bool:
    """Whether the first sync has decided that it is there already, or shall not be: it, or all that it pays."""
    if not first_sync.any_of(tx, spoke.id):
        return False
    if document.kind != Kind.PAYMENT.value:
        return first_sync.settled(tx, spoke.id, document.id)
    rows = [row for row in documents.relations(tx, document.tenant, document.id) if row.document == document.id]
    pays = [row for row in rows if row.kind == ALLOCATION] or rows
    return bool(pays) and all(first_sync.left_here(tx, spoke.id, row.other) for row in pays)


def belongs(tx: Tx, spoke: Spoke, document: Document, routes: set[str]) -> bool:
    """Whether a document is to be in a system: it came in on one of the routes that lead there, or another system has
    issued it and a route brings it; a payment follows its invoice, also to the system that issued that.
    """
    if document.kind in (Kind.INVOICE.value, Kind.CREDIT_NOTE.value):
        return document.source in routes or reaches(spoke, document)
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
        return any(
            one.source in (spoke.id, *routes)
            or reaches(spoke, one)
            or (one.kind != "invoice" and belongs(tx, spoke, one, routes))
            for one in settled
        )
    return False


def ask(tx: Tx, spoke: Spoke, head: Document, *, planned: Mapping[str, str | None] | None = None) -> list[str]:
    """Have a document brought to a system, after what it refers to; the work that does it. `planned`: by what a plan
    has decided it (`connector.sync.basis`).
    """
    document = documents.get(tx, spoke.tenant, head.id)
    if document.kind == Kind.PAYMENT.value:
        return push_payment(tx, [spoke], document, planned=planned)
    first = related(tx, document)
    if document.kind == Kind.SETTLEMENT.value:
        return [work for invoice in closed_by(tx, document) for work in push_settlements(tx, spoke, invoice)]
    needs: tuple[str, ...] = ()
    if document.kind in (Kind.INVOICE.value, Kind.CREDIT_NOTE.value):
        invoice = model_of(document.kind, document.body)
        assert isinstance(invoice, Invoice)
        needs += coded.needs(tx, spoke, document, invoice)
    for kind in (Kind.CUSTOMER.value, Kind.SUPPLIER.value, Kind.INVOICE.value):
        if kind in first and kind != document.kind:
            needs += effects.need(tx, spoke, document, kind, first[kind])
    made = effects.push(tx, spoke, document.kind, document.id, needs=needs, planned=planned)
    asked = [made] if made else []
    if document.kind == Kind.INVOICE.value:
        asked += push_settlements(tx, spoke, document.id)
    return asked


class Promised(Linked):
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
