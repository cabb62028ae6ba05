"""Everything that belongs to one running service, opened together and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time
from functools import cached_property, partial
from typing import Any

import structlog

from connector import plugins
from connector.errors import ConnectorError, Misconfigured, Missing, Stop
from connector.http import Http
from connector.lanes import Handlers, Schedule, Worker
from connector.mapping import Mapping as Mappings
from connector.mapping import Tenant, TenantConnection
from connector.mapping.tenants import TenantAccessPoint
from connector.oauth import OAuth
from connector.peppol import fail_over, looking_up, receiving, sending
from connector.peppol.handlers import handlers as peppol_handlers
from connector.ports import AccessPointPlugin, Accounting, AccountingPlugin, ConnectionConfig, Lane, Probe
from connector.preflight import Preflight
from connector.service import mappings, reading
from connector.service import tenants as companies
from connector.service.access_points import AccessPoints
from connector.service.secrets import revealed, validated
from connector.service.settings import Settings, load
from connector.service.signing_in import Granted
from connector.store import Store, Tx, attention, connections, mapping_versions, open_store
from connector.store.bell import ANY
from connector.store.connections import Connection
from connector.store.documents import Document
from connector.store.engine import TROUBLE
from connector.sync import hints, options, reads
from connector.sync.effects import ACTIVE, OBSERVE
from connector.sync.handlers import handlers
from connector.sync.onboarding import observing
from connector.sync.spokes import Outside, Spoke

log = structlog.get_logger(__name__)

FOLLOWS = 5.0
"""Seconds after which a process that hears nothing looks whether another version of a mapping is in force."""

NIGHT = time(2, 30)
"""When everything is compared, Norwegian time: after the day's bookkeeping, before the next."""

MORNING = time(5, 0)
"""When it is told what a connection that only observes would have been told: after the comparison."""


class House:
    """The service: `async with open_house() as house`. Also what sync knows of the outside (`sync.spokes.Spokes`)."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        tenants: Mapping[str, Tenant],
        stopped: Mapping[str, ConnectorError] | None = None,
        known: Mapping[str, AccountingPlugin] | None = None,
        points: Mapping[str, AccessPointPlugin] | None = None,
    ) -> None:
        self.settings = settings
        self.known = plugins.accounting() if known is None else known
        """Accounting systems by name: those that are installed, unless others are given."""
        self.store = store
        self.tenants = dict(tenants)
        self.stopped = dict(stopped or {})
        """Tenants that have a file and are not served, with the reason."""
        self.access_points = AccessPoints(self, points)
        """Access points of all tenants, by which documents go into Peppol and come out of it."""
        self.handlers: Handlers = handlers(store, self)
        self.peppol: Handlers = peppol_handlers(store, self.access_points)
        self._spokes: dict[str, Spoke] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._closed: dict[str, str] = {}
        """Connections of stopped tenants, with the tenant's name."""
        self.signs_in: dict[str, OAuth] = {}
        """Where people sign in to give a connection access, by its id."""
        self._https: list[Http] = []
        self._said: dict[str, tuple[Connection, Mappings]] = {}
        """By connection: its row, and the mapping that its files say."""
        self._taken: dict[str, str] = {}
        """By connection: the version that was taken over last while this runs."""

    def tenant(self, name: str) -> Tenant:
        """The tenant's file. Raises `Missing`; `TryLater` (`tenant-stopped`) where it is not served."""
        try:
            return self.tenants[name]
        except KeyError:
            if name in self.stopped:
                raise companies.refusal(name, self.stopped[name]) from None
            raise Missing(
                f"There is no tenant {name}.",
                code="tenant-unknown",
                do=f"Write tenants/{name}.yaml, or name one of: {', '.join(self.tenants) or 'none yet'}.",
            ) from None

    def spoke(self, connection: str) -> Spoke:
        """An open connection by its id. Raises `Misconfigured` where the files no longer have it, `TryLater` where its
        tenant is not served.
        """
        try:
            return self._spokes[connection]
        except KeyError:
            self.served(connection)
            raise Misconfigured(
                "This connection is not in any tenant's file any more.",
                code="connection-not-in-file",
                do="Put it back into the tenant's file, or cancel what waits for it.",
                where={"connection": connection},
            ) from None

    def has(self, connection: str) -> bool:
        """As `Spokes.has`."""
        return not self.access_points.has(connection)

    def served(self, connection: str) -> None:
        """Raises `TryLater` (`tenant-stopped`) where a connection's tenant is not served."""
        if (owner := self._closed.get(connection)) is not None:
            raise companies.refusal(owner, self.stopped[owner])

    def issued(self, tx: Tx, document: Document) -> None:
        """As `Spokes.issued`: it goes into Peppol."""
        try:
            sending.begin(tx, self.access_points, document)
        except Stop as reason:
            about = f"{reason.code}:{document.id}"
            attention.ask(
                tx, tenant=document.tenant, about=about, reason=reason, verbs=("ignore",), document=document.id
            )

    def hooked(self, connection: str) -> Spoke:
        """An open connection by the id that a system's webhook names. Raises `Missing`, and `TryLater` as `spoke`."""
        if connection in self._spokes or connection in self._closed:
            return self.spoke(connection)
        raise Missing("Nobody listens here.", code="hook-unknown", do="Post to the address that was subscribed with.")

    def named(self, tenant: str, name: str) -> Spoke:
        """An open connection by its name in the tenant's file."""
        self.tenant(tenant)
        try:
            return self._spokes[self._ids[tenant, name]]
        except KeyError:
            known = ", ".join(other for owner, other in self._ids if owner == tenant) or "none"
            do = f"There is: {known}."
            if self.access_points.named(tenant, name) is not None:
                do = f"{name} is an access point, which keeps no books: connector connections test {name} tries it."
            raise Missing(f"{tenant} has no connection {name}.", code="connection-not-found", do=do) from None

    def system(self, spoke: Spoke) -> str:
        """The name of the system that a connection is to."""
        return self._said[spoke.id][0].system

    def names(self, tenant: str) -> dict[str, str]:
        """The names of a tenant's connections and access points, by their ids."""
        points = {point.id: point.name for point in self.access_points.points(tenant)}
        return points | {spoke.id: spoke.name for spoke in self.spokes(tenant)}

    def spokes(self, tenant: str | None = None) -> list[Spoke]:
        """All open connections, of one tenant where named."""
        return [spoke for spoke in self._spokes.values() if tenant in (None, spoke.tenant)]

    def lane(self, key: str) -> Lane | None:
        """How many calls may run in a lane, and how far apart: the strictest of the connections that share it."""
        if key == looking_up.LANE.key:
            return looking_up.LANE
        lanes = [spoke.accounting.lane for spoke in self._spokes.values() if spoke.lane == key]
        if not lanes:
            return self.access_points.lane(key)
        return Lane(key, min(lane.width for lane in lanes), max(lane.spacing for lane in lanes))

    async def register(self) -> list[tuple[Tenant, TenantConnection | TenantAccessPoint, Connection]]:
        """Have a row in the store for every connection and access point of every tenant's file."""
        return [
            (tenant, said, await self.store.write(lambda tx, t=tenant, s=said: _row(tx, t, s)))  # type: ignore[misc]
            for tenant in self.tenants.values()
            for said in (*tenant.connections.values(), *tenant.access_points.values())
        ]

    async def connect(self) -> None:
        """Open every connection of every tenant's file. No call is made yet. A tenant of which one cannot be opened is
        stopped, with all of them.
        """
        opened = await self.register()
        self.access_points.begin()
        for name in list(self.tenants):
            mine = [(said, row) for tenant, said, row in opened if tenant.name == name]
            ids = {said.id: row.id for said, row in mine}
            made: list[Spoke] = []
            try:
                for said, row in mine:
                    if isinstance(said, TenantAccessPoint):
                        self.access_points.open(self.tenants[name], said, row)
                        continue
                    plugin, mapping = self.known[said.system], await mappings.chosen(self.store, row, said, self.known)
                    made.append(self._opened(self.tenants[name], said, row, plugin, mapping, ids))
                    self._said[row.id] = row, said.mapping
            except ConnectorError as error:
                companies.stop(self.stopped, name, error)
                del self.tenants[name]
                for spoke in made:
                    await spoke.accounting.close()
                await self.access_points.leave(name)
                continue
            for spoke in made:
                self._ids[name, spoke.name] = spoke.id
                self._spokes[spoke.id] = spoke
        rows = await self.store.read(lambda tx: connections.find(tx))
        self._closed = {row.id: row.tenant for row in rows if row.tenant in self.stopped}

    def _opened(
        self,
        tenant: Tenant,
        said: TenantConnection,
        row: Connection,
        plugin: AccountingPlugin,
        mapping: Mappings,
        ids: Mapping[str, str],
    ) -> Spoke:
        place = {"file": tenant.file, "line": said.line}
        settings = validated(plugin.settings, said.said.settings, f"settings of {said.id}", place)
        secrets = validated(plugin.secrets, revealed(tenant, said, row), f"secrets of {said.id}", place)
        http = Http(str(getattr(settings, "base_url", "")))
        self._https.append(http)
        grant = None
        if (server := plugin.oauth(settings, secrets)) is not None:
            self.signs_in[row.id], grant = server, Granted(self.store, row.id, said.id, server)
        accounting: Accounting = plugin.open(ConnectionConfig(row.id, tenant.name, settings, secrets, grant), http)
        sources = (other for route in tenant.routes.values() if said.id in route.to for other in route.takes)
        taken = frozenset(ids[other] for other in sources if other in ids and other != said.id)
        return Spoke(
            id=row.id,
            name=said.id,
            tenant=tenant.name,
            start=row.start_date or tenant.start,
            mapping=mapping,
            accounting=accounting,
            lane=accounting.lane.key,
            elsewhere=taken | {route.name for route in tenant.routes.values() if route.numbered},
            taken=taken,
            webhooks=f"{said.said.webhooks.rstrip('/')}/v1/hooks/{row.id}" if said.said.webhooks else None,
        )

    def unapplied(self) -> list[mappings.Unapplied]:
        """Connections whose files said something else at the start than the version they work with."""
        return [
            mappings.Unapplied(row.tenant, row.name, self._spokes[id].mapping.version, files.version)
            for id, (row, files) in self._said.items()
            if id in self._spokes and files.version != self._spokes[id].mapping.version
        ]

    async def follow(self) -> None:
        """Take over versions of mappings that are put in force while this runs, by any process, until cancelled.

        What is being decided or read ends with the version it began with, and says so; the next begins with the new.
        """
        ear = self.store.bell.ear()
        while True:
            heard = await ear.wait(FOLLOWS)  # nobody may be watching the store here: then nothing is heard
            if heard and not heard & {ANY, mapping_versions.TOPIC}:
                continue
            try:
                await self.take_over()
            except TROUBLE as error:
                log.error("mappings-not-followed", error=type(error).__name__)
            await asyncio.sleep(1.0)  # with SQLite the bell rings for whatever another process commits

    async def take_over(self) -> None:
        """Have every connection work with the version that is in force now."""
        for id, version in (await self.store.read(mapping_versions.all_in_force)).items():
            spoke = self._spokes.get(id)
            if spoke is None or version in (spoke.mapping.version, self._taken.get(id)):
                continue
            row, mapping = self._said[id]
            try:
                if mapping.version != version:
                    mapping = await mappings.kept(self.store, row, version, self.known)
            except ConnectorError as error:
                log.error("mapping-not-taken-over", connection=spoke.name, code=error.code, said=error.said)
                continue
            self._spokes[id], self._taken[id] = replace(spoke, mapping=mapping), version
            log.info("mapping-in-force", tenant=spoke.tenant, connection=spoke.name, version=version)

    async def tell(self) -> None:
        """Have those who wait for a person know which tenants are not served, and why."""
        await self.store.write(lambda tx: companies.tell(tx, self.tenants, self.stopped))

    async def work(self) -> None:
        """Do what waits, poll and compare in the background, until `stop`."""
        schedule = Schedule(self.store)
        for spoke in self._spokes.values():
            for one in spoke.followed:
                what = f"{spoke.id} {one.kind}"
                schedule.every(f"poll {what}", one.every, partial(reads.poll, spoke=spoke, kind=one.kind))
            schedule.daily(f"compare {spoke.id}", NIGHT, partial(reads.compare, spoke=spoke))
            schedule.daily(f"options {spoke.id}", NIGHT, partial(options.ask_nightly, spoke=spoke))
            schedule.daily(f"observe {spoke.id}", MORNING, partial(observing.tell, spokes=self, spoke=spoke))
            if spoke.accounting.hooks is not None:
                schedule.every(f"webhooks {spoke.id}", hints.EVERY, partial(hints.keep, spoke=spoke))
        for point in self.access_points.points():
            if (every := point.access_point.inbox_every) is not None:
                schedule.every(f"inbox {point.id}", every, partial(receiving.collect, point=point))
            if point.access_point.callbacks is not None:
                schedule.every(f"callbacks {point.id}", receiving.EVERY, partial(receiving.keep, point=point))
        if any(len(self.access_points.points(tenant)) > 1 for tenant in self.tenants):
            schedule.every("fail over", fail_over.EVERY, partial(fail_over.fail_over, points=self.access_points))
        schedule.start()
        try:
            await self.worker.run()
        finally:
            schedule.stop()

    async def work_until_idle(self, *, within: float = 0.0) -> None:
        """Do what waits until nothing is due, nor will be within so many seconds."""
        await self._worker().run_until_idle(within=within)

    def stop(self) -> None:
        """Have `work` return at a safe point."""
        self.worker.stop()

    def outside(self, tenant: str, name: str) -> Outside:
        """A connection or access point by its name in the tenant's file. Raises as `named`."""
        return self.access_points.named(tenant, name) or self.named(tenant, name)

    async def try_out(self, connection: str) -> Probe:
        """As `Spokes.try_out`."""
        if self.access_points.has(connection):
            return await self.access_points.point(connection).access_point.probe()
        spoke = self.spoke(connection)
        probe = await spoke.accounting.probe()
        await reads.check_company(spoke, self)
        return probe

    async def probe(self, spoke: Outside, *, wait: float = 60.0) -> Probe:
        """Make a connection's test call in its lane: by whoever serves that, else by a worker that only looks; also
        where the connection is paused. What it found is kept for the checklist (`connector onboard`).

        Args:
            wait: seconds to wait until it has been made.

        Raises:
            TryLater: it has not been made in that time (`connection-untried`), or by a service that does not know the
                connection yet (`connection-not-known-yet`).
            NeedsPerson: the books are another company's (`company-differs`), or what the plugin raises.
            VendorError: why it failed otherwise.
        """
        return await reading.probe(self, spoke, wait=wait)

    async def options(
        self, spoke: Spoke, *, refresh: bool = False, wait: float = 30.0, alone: bool = False
    ) -> options.Known:
        """What a connection's ledger takes: as kept, where that is young enough, else read now through its lane.

        Args:
            refresh: read now in any case.
            wait: seconds to wait until it has been read; whoever serves the lane reads it.
            alone: perhaps nobody serves it: then it is read here, by a worker that only looks.

        Raises:
            TryLater: it has not been read in that time (`options-unread`).
            ConnectorError: why it cannot be read.
        """
        return await reading.options(self, spoke, refresh=refresh, wait=wait, alone=alone)

    async def preflight(self, tenant: str, **asked: Any) -> Preflight:
        """A preflight of documents for a route of a tenant: what its connections take is read, or taken as kept.

        Args:
            asked: as `connector.service.reading.preflight` says.
        """
        return await reading.preflight(self, tenant, **asked)

    @cached_property
    def worker(self) -> Worker:
        """The worker of this process."""
        return self._worker()

    def looker(self) -> Worker:
        """A worker that reads and changes nothing anywhere, for a command that needs an answer."""
        return self._worker(looks=True)

    def _worker(self, *, looks: bool = False) -> Worker:
        own, peppol = self.handlers, self.peppol
        return Worker(
            self.store,
            arrivals={**own.arrivals, **peppol.arrivals},
            effects={**own.effects, **peppol.effects},
            reads={**own.reads, **peppol.reads},
            lanes=self.lane,
            lease=self.settings.lease,
            looks=looks,
        )

    async def close(self) -> None:
        """End all sessions and close the store."""
        for spoke in self._spokes.values():
            try:
                await spoke.accounting.close()
            except Exception as error:  # nothing may keep the store from being closed
                log.warning("close-failed", connection=spoke.name, error=str(error))
        await self.access_points.close()
        for http in self._https:
            await http.aclose()
        await self.store.close()


@asynccontextmanager
async def open_house(
    settings: Settings | None = None,
    *,
    clock: Any = None,
    connected: bool = True,
    known: Mapping[str, AccountingPlugin] | None = None,
    points: Mapping[str, AccessPointPlugin] | None = None,
) -> AsyncIterator[House]:
    """The service from its settings (the environment) and files, closed at the end.

    Args:
        connected: open the connections; without that their secrets need not be there yet.
        known: accounting systems by name, instead of those that are installed.
        points: access points by name, likewise.

    A tenant whose file or secrets are not right is stopped (`House.stopped`), and the others are served.

    Raises:
        Misconfigured: the store or the folder of mapping files is not right; or no tenant is left, then as the first of
            them says, with all its problems in `details`.
    """
    settings = settings or load()
    known = plugins.accounting() if known is None else known
    tenants, stopped = companies.load(known)
    more = {"clock": clock} if clock else {}
    house = House(settings, await open_store(settings.database, **more), tenants, stopped, known, points)
    try:
        await (house.connect() if connected else house.register())
        if house.stopped and not house.tenants:
            raise next(iter(house.stopped.values()))
        yield house
    finally:
        await house.close()


def _row(tx: Tx, tenant: Tenant, said: TenantConnection | TenantAccessPoint) -> Connection:
    """The store's row of a connection; made when the file is seen for the first time: books are only observed then, an
    access point takes what it is given.
    """
    mode = ACTIVE if isinstance(said, TenantAccessPoint) else OBSERVE
    try:
        return connections.named(tx, tenant.name, said.id)
    except Missing:
        return connections.add(
            tx,
            tenant=tenant.name,
            system=said.system,
            name=said.id,
            settings={},
            secrets={},
            start_date=tenant.start,
            mode=mode,
        )
