"""The access points of all tenants, open; and what the house does with what comes in through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connector import plugins
from connector.errors import Misconfigured
from connector.http import Http
from connector.mapping import Tenant
from connector.mapping.tenants import TenantAccessPoint
from connector.peppol.discovery import Discovery
from connector.peppol.points import Point
from connector.ports import AccessPointPlugin, ConnectionConfig, Lane
from connector.service import peppol
from connector.service.secrets import revealed, validated
from connector.store import Tx
from connector.store.connections import Connection
from connector.store.documents import Document
from connector.sync import incoming, notes, self_billing

if TYPE_CHECKING:
    from connector.service.house import House

SOURCE = "peppol"
"""Source of what came through Peppol, whichever access point brought it: a message is one however often it comes."""


class AccessPoints:
    """What Peppol's room knows of the outside (`connector.peppol.points.Points`)."""

    def __init__(self, house: House, known: Mapping[str, AccessPointPlugin] | None = None) -> None:
        self._house = house
        self.known = plugins.access_points() if known is None else known
        """Access points by name: those that are installed, unless others are given."""
        self._points: dict[str, Point] = {}
        self._of: dict[str, list[Point]] = {}
        self._https: list[Http] = []
        self.lookups: Discovery | None = None

    def begin(self) -> None:
        """Read whose signatures count, where it is said. Raises `Misconfigured` (`trust-store-wrong`)."""
        if self._house.settings.peppol_trust is not None:
            self.lookups = peppol.discovery(self._house.settings, self._house.store)

    def tenant(self, name: str) -> Tenant:
        """As `House.tenant`."""
        return self._house.tenant(name)

    def point(self, connection: str) -> Point:
        """An open access point by the store's id. Raises `Misconfigured` where the file no longer has it, `TryLater`
        where its tenant is not served.
        """
        try:
            return self._points[connection]
        except KeyError:
            self._house.served(connection)
            raise Misconfigured(
                "This access point is not in any tenant's file any more.",
                code="connection-not-in-file",
                do="Put it back into the tenant's file, or cancel what waits for it.",
                where={"connection": connection},
            ) from None

    def points(self, tenant: str | None = None) -> Sequence[Point]:
        """All that are open, or one tenant's, in the order of its file."""
        return list(self._points.values()) if tenant is None else self._of.get(tenant, [])

    def named(self, tenant: str, name: str) -> Point | None:
        """A tenant's access point by its name."""
        return next((one for one in self.points(tenant) if one.name == name), None)

    def has(self, connection: str) -> bool:
        """Whether an access point has this id."""
        return connection in self._points

    def lane(self, key: str) -> Lane | None:
        """As `House.lane`, of access points."""
        lanes = [one.access_point.lane for one in self._points.values() if one.lane == key]
        return Lane(key, min(one.width for one in lanes), max(one.spacing for one in lanes)) if lanes else None

    def open(self, tenant: Tenant, said: TenantAccessPoint, row: Connection) -> None:
        """Open one; no call is made yet. Raises `Misconfigured`."""
        plugin = self.known[said.system]
        place = {"file": tenant.file, "line": said.line}
        settings = validated(plugin.settings, said.said.settings, f"settings of {said.id}", place)
        secrets = validated(plugin.secrets, revealed(tenant, said, row), f"secrets of {said.id}", place)
        # Some speak no HTTP and have no address; what they are given then they never call.
        http = Http(str(getattr(settings, "base_url", "http://none.invalid")))
        self._https.append(http)
        opened = plugin.open(ConnectionConfig(row.id, tenant.name, settings, secrets), http)
        hooks = said.said.webhooks
        point = Point(
            id=row.id,
            name=said.id,
            tenant=tenant.name,
            access_point=opened,
            lane=opened.lane.key,
            gives_up=timedelta(seconds=said.said.gives_up_after),
            webhooks=f"{hooks.rstrip('/')}/v1/hooks/{row.id}" if hooks else None,
        )
        self._points[row.id] = point
        self._of.setdefault(tenant.name, []).append(point)

    async def leave(self, tenant: str) -> None:
        """Close those of a tenant that is not served."""
        for point in self._of.pop(tenant, []):
            await self._points.pop(point.id).access_point.close()

    async def close(self) -> None:
        """Free all sockets."""
        for tenant in list(self._of):
            await self.leave(tenant)
        for http in self._https:
            await http.aclose()

    # --- what comes in goes the way of the rooms beside it

    def bought(self, tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, **said: Any) -> None:
        """As `Points.bought`."""
        incoming.receive(tx, tenant, source=SOURCE, message=message, body=body, through=source, **said)

    def sold(self, tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, **said: Any) -> None:
        """As `Points.sold`."""
        self_billing.receive_sale(tx, tenant, source=SOURCE, message=message, body=body, through=source, **said)

    def note(self, tx: Tx, document: Document, *, code: str, key: str, title: str, text: str) -> None:
        """As `Points.note`."""
        notes.note(tx, self._house, document.tenant, document.id, code=code, key=key, title=title, text=text)
