"""What sync knows of the outside: tenants with their routes, and connections with their mapping and their port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from connector.errors import Stop
from connector.mapping import Mapping, Tenant
from connector.mapping.tenants import TenantRoute
from connector.ports import Accounting, Kind, Operation, Probe, Reading
from connector.store import Store, Tx, connections, documents, first_sync, links
from connector.store.documents import Document
from connector.store.work import Work
from connector.sync.identity import CODED, by_code


@dataclass(frozen=True, slots=True)
class Spoke:
    """One connection: a tenant's books in one system.

    `id` is the store's, `name` the one in the tenant's file; `lane` the key of what the vendor counts together.
    `elsewhere` are the sources of documents that come with their numbers: the tenant's routes on which the source or
    the buyer issues, and the connections (by id) whose documents a route brings here.
    """

    id: str
    name: str
    tenant: str
    start: date
    mapping: Mapping
    accounting: Accounting
    lane: str
    elsewhere: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    """Those of `elsewhere` that are connections: what they issue is brought here."""
    webhooks: str | None = None
    """Where the system's webhooks shall come to, where they shall."""

    @property
    def followed(self) -> list[Reading]:
        """What is read of it: the kinds that its mapping speaks of."""
        return [reading for reading in self.accounting.readings if reading.kind in self.mapping]


REPLACED = "replaced"
"""State of a document that was mirrored from a system and turned out to be another one that is here."""


def reaches(spoke: Spoke, document: Document) -> bool:
    """Whether what another system has issued is brought to this one: a route does so, it is not from before its start,
    and it is a document of its own.
    """
    if document.state == REPLACED:
        return False
    return document.source in spoke.taken and (document.issue_date is None or document.issue_date >= spoke.start)


def check_can(spoke: Spoke, kind: str, operation: Operation) -> None:
    """Whether the system can be told this, by its own table. Raises `Stop` (`operation-not-supported`)."""
    table = spoke.accounting.capabilities
    if (Kind(kind), operation) in table:
        return
    words = ", ".join(f"{known} ({what})" for known, what in table)
    raise Stop(
        f"{spoke.name} cannot {operation} a {kind.replace('_', ' ')}.",
        code="operation-not-supported",
        do=f"Do it in the system itself, or take it off the route. It can: {words}.",
        where={"connection": spoke.id, "kind": kind, "operation": operation},
    )


class Outside(Protocol):
    """What a connection to books and an access point have in common."""

    @property
    def id(self) -> str:
        """The store's."""

    @property
    def name(self) -> str:
        """The one in the tenant's file."""

    @property
    def tenant(self) -> str:
        """Whose it is."""

    @property
    def lane(self) -> str:
        """Key of what the vendor counts together."""

    @property
    def webhooks(self) -> str | None:
        """Where its calls to us shall come to, where they shall."""


class Spokes(Protocol):
    """Every tenant and every connection that is open."""

    def tenant(self, name: str) -> Tenant:
        """The tenant's file, checked. Raises `Missing`."""

    def spoke(self, connection: str) -> Spoke:
        """A connection by the store's id. Raises `Misconfigured` where the file no longer has it."""

    def has(self, connection: str) -> bool:
        """Whether this is the id of books, and not of an access point."""

    def named(self, tenant: str, name: str) -> Spoke:
        """A connection by its name in the tenant's file."""

    def spokes(self, tenant: str | None = None) -> list[Spoke]:
        """All connections, of one tenant where named."""

    async def try_out(self, connection: str) -> Probe:
        """Make the test call of a connection, books or access point.

        Raises:
            Misconfigured: the file no longer has it.
            NeedsPerson: the books are another company's (`company-differs`), or what the plugin raises.
            VendorError: why it failed otherwise.
        """

    def issued(self, tx: Tx, document: Document) -> None:
        """A document that this service sends to its receiver has its number. Told twice, it is sent once."""


class Handler:
    """What the handlers of reads and effects stand on (`lanes.ReadHandler`, `lanes.EffectHandler`)."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    def spoke(self, work: Work) -> Spoke:
        """The connection that a work is about; raises as `Spokes.spoke`."""
        return self.spokes.spoke(work.connection or "")


def route_of(tenant: Tenant, name: str | None, source: str) -> TenantRoute:
    """The route a document takes: the one named, else the only one that takes documents from this source.

    Raises:
        Stop: none or several fit (code `route-unclear`), with the names there are.
    """
    fitting = [route for route in tenant.routes.values() if source in route.takes and name in (None, route.name)]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(route.name for route in tenant.routes.values() if source in route.takes) or "none"
    raise Stop(
        f"Which route? {'None' if not fitting else 'Several'} of {tenant.name}'s routes fit.",
        code="route-unclear",
        do=f"Name the route; those that take documents from `{source}`: {known}.",
        where={"tenant": tenant.name, "file": tenant.file},
    )


LEFT = "left-out"
"""Code of what refers to something that a person left out at the first sync: it is left out, too."""
_INSTEAD = {"invoice": ("external_invoice",), "external_invoice": ("invoice",)}
"""A payment settles one or the other; a mapping has a line for each."""


class Linked:
    """The mapping's view of links, for one document and one connection, inside one transaction.

    `related` names, by kind, the hub's document that stands behind a reference of this one (its customer, the invoice a
    payment settles): a reference is never guessed from its text. `kinds`: of which kind the link of a related document
    is, where that is another than its own.
    """

    def __init__(self, tx: Tx, connection: str, related: dict[str, str], kinds: dict[str, str] | None = None) -> None:
        self.tx = tx
        self.connection = connection
        self.related = related
        self.kinds = kinds or {}

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The vendor's id of the related document of this kind, or of what people call by this code; None where a
        document of another kind stands there.
        """
        if self.other(kind):
            return None
        if kind in CODED and isinstance(ours, str):
            return self._of_code(kind, ours)
        document = self.related.get(kind)
        link = links.of(self.tx, document, self.connection, self.kinds.get(kind, kind)) if document else None
        if link is None:
            raise Stop(
                f"The {kind} of this document has no counterpart in the system yet.",
                code="link-missing",
                do=f"It goes on by itself when the {kind} is there; look at `connector documents explain {document}`.",
                where={"kind": kind, "related": document},
            )
        return link.vendor_id

    def other(self, kind: str) -> bool:
        """Whether what stands behind the reference is known, and is of another kind."""
        return kind not in self.related and any(one in self.related for one in _INSTEAD.get(kind, ()))

    def _of_code(self, kind: str, code: str) -> str:
        key = ("tenant of", self.connection)
        if key not in self.tx.memo:
            self.tx.memo[key] = connections.get(self.tx, self.connection).tenant
        document = by_code(self.tx, str(self.tx.memo[key]), kind, code)
        link = links.of(self.tx, document.id, self.connection, kind) if document else None
        if document is not None and not (document.body or {}).get("active", True):
            raise Stop(
                f"The {kind} {code} is closed for new documents.",
                code=f"{kind}-inactive",
                do="Use another, or make it active again and retry.",
                where={"kind": kind, "code": code, "related": document.id},
            )
        if link is None:
            raise Stop(
                f"The {kind} {code} of this document has no counterpart in the system yet.",
                code="link-missing",
                do=f"Make it there, or mend the document; then retry. `connector documents find --kind {kind}` shows"
                " what is known.",
                where={"kind": kind, "code": code},
            )
        return link.vendor_id

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """The hub's document behind a vendor's record: a party for a customer, a code for what people know by one (None
        where it is not known), a document key for the rest.
        """
        if kind in CODED:
            link = links.by_vendor_id(self.tx, self.connection, kind, vendor_id)
            there = documents.peek(self.tx, link.tenant, link.document) if link else None
            return there.number if there else None
        key = ("document of", self.connection, kind, vendor_id)
        if key not in self.tx.memo:
            link = links.by_vendor_id(self.tx, self.connection, kind, vendor_id)
            if link is None:  # a second record of the same customer is the same customer
                link = links.part(self.tx, self.connection, kind, vendor_id)
            if link is None and first_sync.left(self.tx, self.connection, kind, vendor_id):
                raise Stop(
                    f"The {kind} {vendor_id} of the system was left out at the first sync.",
                    code=LEFT,
                    do="Join it after all: connector first-sync propose.",
                    where={"kind": kind, "vendor_id": vendor_id},
                )
            if link is None:
                raise Stop(
                    f"The {kind} {vendor_id} of the system is not known here yet.",
                    code="link-missing",
                    do=f"It goes on by itself when the {kind} has been read.",
                    where={"kind": kind, "vendor_id": vendor_id},
                )
            self.tx.memo[key] = link.document
        return {"document_id": self.tx.memo[key]}
