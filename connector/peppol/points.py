"""What Peppol's room knows of the outside: tenants, their access points, and what the rooms beside it do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from connector.mapping import Tenant
from connector.peppol.discovery import Discovery
from connector.ports import AccessPoint
from connector.store import Store, Tx
from connector.store.documents import Document


@dataclass(frozen=True, slots=True)
class Point:
    """One account of a tenant at an access point, open.

    `id` is the store's, `name` the one in the tenant's file; `lane` the key of what the vendor counts together.
    """

    id: str
    name: str
    tenant: str
    access_point: AccessPoint
    lane: str
    gives_up: timedelta = timedelta(minutes=15)
    """How long it is tried before the next one is."""
    webhooks: str | None = None
    """Where its calls to us shall come to, where they shall."""


class Points(Protocol):
    """Every tenant and every access point that is open, and what the house does with what comes in."""

    lookups: Discovery | None
    """Looks receivers up in Peppol; None where whose signatures count is not said: then the access point is asked."""

    def tenant(self, name: str) -> Tenant:
        """The tenant's file, checked. Raises `Missing`."""

    def point(self, connection: str) -> Point:
        """An access point by the store's id. Raises `Misconfigured` where the file no longer has it."""

    def points(self, tenant: str | None = None) -> Sequence[Point]:
        """All access points, of one tenant where named: in the order in which they are tried."""

    def bought(self, tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, **said: Any) -> None:
        """Somebody has sent the company an invoice or credit note: it goes the way of incoming invoices. `message` is
        the envelope's InstanceIdentifier, by which it is one however often it comes.

        Raises:
            Stop: nobody receives here, or not this service.
        """

    def sold(self, tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, **said: Any) -> None:
        """A buyer has written the invoice for our sale (self-billing): it goes the way of sales issued by the
        counterparty.

        Raises:
            Stop: no route takes them (`self-billing`).
        """

    def note(self, tx: Tx, document: Document, *, code: str, key: str, title: str, text: str) -> None:
        """Have those who keep the books see what has become of a document; `code` says it to programs. The same `code`
        and `key` again is the same note.
        """


class Handler:
    """What the handlers of reads and effects stand on."""

    def __init__(self, store: Store, points: Points) -> None:
        self.store = store
        self.points = points


def data_of(**said: Any) -> Mapping[str, Any]:
    """Facts for an event, without those that nobody knows."""
    return {name: value for name, value in said.items() if value not in (None, "", [], ())}
