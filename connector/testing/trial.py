"""The real service in front of one bench: its API, its lanes and a store of its own, with a proxy before the vendor."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

import httpx

from connector.api.app import create_app
from connector.ports import Accounting, Kind
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import Tx, connections, grants, keys, operations
from connector.sync import reads
from connector.sync.notes import note
from connector.sync.spokes import Spoke
from connector.testing import samples
from connector.testing.bench import Bench, Entry, Failing
from connector.testing.proxy import Proxy

T = TypeVar("T")
Issuer = Literal["books", "source"]
"""Who numbers the invoices: the system itself, or somebody else."""

TENANT = "kit"
SOON = 5.0
"""Seconds: what is due within them is waited for."""
LONG = 60.0
"""Seconds after which a command that is neither done, nor refused, nor waiting for a person has been forgotten."""
OVER = ("done", "rejected", "waiting")


class Trial:
    """One company whose books are the bench's; `secrets`: what opens them."""

    def __init__(
        self, bench: Bench, proxy: Proxy, house: House, client: httpx.AsyncClient, secrets: frozenset[str]
    ) -> None:
        self.bench, self.proxy, self.house, self._client, self.secrets = bench, proxy, house, client, secrets
        self._next = 0.0

    @property
    def spoke(self) -> Spoke:
        """The connection."""
        return self.house.named(TENANT, "books")

    @property
    def accounting(self) -> Accounting:
        """The open connection, as the house uses it."""
        return self.spoke.accounting

    async def ask(self, call: Awaitable[T]) -> T:
        """Call the adapter past the service, as far from the last such call as its lane wants."""
        await asyncio.sleep(self._next - time.monotonic())
        self._next = max(self._next, time.monotonic()) + self.accounting.lane.spacing
        return await call

    # --- as a program -------------------------------------------------------------------------------------------------

    async def post(self, path: str, body: dict[str, Any] | bytes) -> str:
        """Post a document; where to ask what became of it."""
        kind = "application/xml" if isinstance(body, bytes) else "application/json"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": kind}
        answer = await self._client.post(path, content=content, headers=headers)
        if answer.status_code != 202:
            raise Failing(f"POST {path} was answered with {answer.status_code}: {answer.text}")
        return answer.headers["location"]

    async def get(self, path: str, **params: Any) -> Any:
        """What the API says."""
        answer = await self._client.get(path, params=params)
        if answer.status_code != 200:
            raise Failing(f"GET {path} was answered with {answer.status_code}: {answer.text}")
        return answer.json()

    async def note(self, document: str) -> str:
        """Have a note put on a document, as when a customer refuses it; where to ask what became of it."""

        def ask(tx: Tx) -> str:
            command = operations.accept(tx, tenant=TENANT, kind="note", document=document)
            if not note(tx, self.house, TENANT, document, **samples.NOTE):
                operations.move(tx, command, "rejected", result=tx.events[-1].data)
            return command.id

        return f"/v1/operations/{await self.house.store.write(ask)}"

    async def over(self, operation: str) -> dict[str, Any]:
        """What became of a command, once it is done, rejected, or waits for a person."""
        end = time.monotonic() + LONG
        while True:
            await self.house.work_until_idle(within=SOON)
            said: dict[str, Any] = await self.get(operation)
            if said["state"] in OVER:
                return said
            if time.monotonic() > end:
                raise Failing(f"After {LONG:g} s a command is still {said['state']}: {said}")
            await asyncio.sleep(0.2)  # what is due later than `SOON` is due later

    async def done(self, path: str, body: dict[str, Any] | bytes) -> None:
        """Post a document, and have it take effect."""
        said = await self.over(await self.post(path, body))
        if said["state"] != "done":
            raise Failing(f"POST {path} is {said['state']}: {said} {await self.attention()}")

    async def document(self, **by: str) -> dict[str, Any]:
        """The one document that fits."""
        found = (await self.get("/v1/documents", **by))["documents"]
        if len(found) != 1:
            raise Failing(f"There are {len(found)} documents with {by}, not one.")
        said: dict[str, Any] = await self.get(f"/v1/documents/{found[0]['id']}")
        return said

    async def attention(self) -> list[dict[str, Any]]:
        """What waits for a person."""
        said: list[dict[str, Any]] = await self.get("/v1/attention")
        return said

    async def resolve(self, item: Mapping[str, Any], verb: str) -> None:
        """Answer what waits for a person."""
        answer = await self._client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": verb})
        if answer.status_code != 204:
            raise Failing(f"{verb} was answered with {answer.status_code}: {answer.text}")

    async def poll(self) -> None:
        """Read what changed, of all kinds."""
        for reading in self.accounting.readings:
            await self.house.store.write(lambda tx, kind=reading.kind: reads.poll(tx, self.spoke, kind))  # type: ignore[misc]
        await self.house.work_until_idle(within=SOON)

    async def everything_said(self) -> str:
        """All that the service says to people: attention, connections, the story of every document."""
        documents = (await self.get("/v1/documents", limit=500))["documents"]
        stories = [await self.get(f"/v1/documents/{one['id']}/story") for one in documents]
        return json.dumps([await self.attention(), await self.get("/v1/connections"), stories], ensure_ascii=False)

    # --- in the books -------------------------------------------------------------------------------------------------

    async def there(self, kinds: Sequence[Kind]) -> dict[Kind, dict[str, Entry]]:
        """What is in the books of these kinds, by id."""
        return {kind: {one.id: one for one in await self.bench.there(kind)} for kind in kinds}

    async def only(self, kind: Kind) -> Entry:
        """The one thing of a kind in the books."""
        found = await self.bench.there(kind)
        if len(found) != 1:
            raise Failing(f"There are {len(found)} of {kind} in the books, not one.")
        return found[0]


@asynccontextmanager
async def trial(make: Callable[[], Bench], issues: Issuer = "books") -> AsyncIterator[Trial]:
    """A company with new books, the service active in front of them; everything is gone afterwards."""
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(make())
        proxy = await stack.enter_async_context(Proxy(bench.url))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="adapter-kit-")))
        secrets = {f"ADAPTER_KIT_{name.upper()}": value for name, value in bench.secrets().items()}
        key = base64.b64encode(os.urandom(32)).decode()
        stack.enter_context(_environment(CONNECTOR_MAPPINGS=str(folder), CONNECTOR_KEYS=key, **secrets))
        _write_files(folder, bench, proxy, issues)
        house = await stack.enter_async_context(
            open_house(Settings(database=f"sqlite:///{folder}/kit.db"), known={bench.plugin.name: bench.plugin})
        )
        id, tokens = house.named(TENANT, "books").id, await bench.signed_in()
        if tokens is not None:
            await house.store.write(lambda tx: grants.put(tx, id, tokens.as_json(), who="kit"))
        await house.store.write(lambda tx: connections.change(tx, id, mode="active"))
        _, secret = await house.store.write(
            lambda tx: keys.create(tx, tenant=TENANT, name="kit", scopes=("read", "write", "settle"))
        )
        transport = httpx.ASGITransport(app=create_app(house))
        headers = {"Authorization": f"Bearer {secret}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://kit", headers=headers)
        )
        known = {*bench.secrets().values(), *((tokens.access, tokens.refresh or "") if tokens else ())} - {""}
        yield Trial(bench, proxy, house, client, frozenset(known))


def _write_files(folder: Path, bench: Bench, proxy: Proxy, issues: Issuer) -> None:
    name = bench.plugin.name
    tenant = {
        "layer": "tenant",
        "tenant": TENANT,
        "title": "Selskapet AS",
        "organisation_number": bench.organisation_number,
        "start": "2026-01-01",
        "connections": {
            "books": {
                "system": name,
                "settings": dict(bench.settings(proxy.url)),
                "secrets": {secret: f"env:ADAPTER_KIT_{secret.upper()}" for secret in bench.secrets()},
            }
        },
        "routes": {
            "sales": {
                "takes": "api",
                "to": "books",
                "issues": issues,
                "sends": "nobody",
                "reminds": "nobody",
                "receives": "connector",
                "hold_new_suppliers": False,
                "takes_bank_money": {samples.LEDGER_ACCOUNT: "books", samples.SOURCE_ACCOUNT: "source"},
            }
        },
    }
    (folder / "tenants").mkdir()
    (folder / "tenants" / f"{TENANT}.yaml").write_text(json.dumps(tenant, indent=2))  # JSON is YAML
    if bench.mapping is not None:
        (folder / "systems").mkdir()
        shutil.copy(bench.mapping, folder / "systems" / f"{name}.yaml")


@contextmanager
def _environment(**said: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
