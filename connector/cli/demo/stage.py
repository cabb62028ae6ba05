"""What the demo stands on: programs of our own on loopback, the files of its companies, and the service they use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from connector import plugins
from connector.cli.sandbox import connection, variables
from connector.errors import ConnectorError
from connector.ports import AccessPointPlugin, AccountingPlugin, Kind, StandIn
from connector.service.house import House
from connector.store import Tx, keys
from connector.sync import reads
from connector.sync.onboarding import ready

PATIENCE = 45.0
"""Seconds that a step of the demo may take before it is given up."""
AGAIN = 10.0
"""Seconds after which it is read once more where nothing has come back."""
GLANCE = 0.05
"""Seconds between two looks at whether a step is done."""
POINT = "ap"
"""Name of the access point in a company's file."""
SELLER = "923609016"
"""The organisation number of all companies of the demo."""


class Failed(ConnectorError):
    """A step of the demo did not come about."""

    default_code = "demo-failed"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that runs, a ledger's or an access point's: `root` is where its own calls lie."""

    system: str
    title: str
    given: StandIn
    client: httpx.AsyncClient

    @property
    def root(self) -> str:
        """Scheme, host and port of the sandbox."""
        place = urlsplit(str(self.given.settings["base_url"]))
        return f"{place.scheme}://{place.netloc}"

    async def desk(self, what: str, said: Mapping[str, Any] | bytes | None = None, **query: Any) -> Any:
        """What a bookkeeper does in the program, or the network around an access point, see the sandbox's `/_desk/…`.

        Args:
            said: what is done, a document as its bytes; None: it is only looked at.
        """
        place, xml = f"{self.root}/_desk/{what}", {"Content-Type": "application/xml"}
        if said is None:
            answer = await self.client.get(place, params=query)
        elif isinstance(said, bytes):
            answer = await self.client.post(place, params=query, content=said, headers=xml)
        else:
            answer = await self.client.post(place, params=query, json=said)
        answer.raise_for_status()
        return json.loads(answer.content, parse_float=str)

    async def fault(self, **said: Any) -> None:
        """Have something go wrong there."""
        (await self.client.post(f"{self.root}/fault", json=said)).raise_for_status()

    async def faults(self) -> list[Any]:
        """The faults that have not struck yet."""
        found: list[Any] = (await self.client.get(f"{self.root}/fault")).json()
        return found


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant of the demo, as a program of it sees the API."""

    tenant: str
    ledgers: Mapping[str, Sandbox]
    """By the names of its connections."""
    api: httpx.AsyncClient
    takes_bills: bool
    """Whether one of its ledgers takes incoming invoices."""

    async def get(self, path: str, **params: Any) -> Any:
        """Read something from the API."""
        answer = await self.api.get(path, params=params)
        answer.raise_for_status()
        return answer.json()

    async def post(self, ehf: bytes) -> httpx.Response:
        """Post an EHF without a number."""
        headers = {"Content-Type": "application/xml", "Idempotency-Key": uuid.uuid4().hex}
        return await self.api.post("/v1/invoices?draft=true", content=ehf, headers=headers)

    async def finished(self, operation: str) -> dict[str, Any]:
        """The document of an operation, once that has ended with proof."""

        async def ended() -> bool:
            now = await self.get(f"/v1/operations/{operation}")
            if now["state"] in ("waiting", "rejected"):
                why = [one["said"] for one in await self.get("/v1/attention")]
                raise Failed(f"Operation {operation} is {now['state']}.", details=why)
            return bool(now["state"] == "done")

        await until(ended, f"the end of operation {operation}")
        done = await self.get(f"/v1/operations/{operation}")
        return dict(await self.get(f"/v1/documents/{done['document']}"))

    async def sent(self, document: str, state: str = "sent") -> dict[str, Any]:
        """The one way of a document through Peppol, once it has come so far."""

        async def so_far() -> bool:
            ways = (await self.get(f"/v1/documents/{document}")).get("transmissions", ())
            if any(one["state"] in ("refused", "failed", "withdrawn") for one in ways):
                raise Failed(f"It was not sent: {ways[0]['state']}, {ways[0].get('said')}.")
            return [one["state"] for one in ways] in ([state], ["delivered"])

        await until(so_far, f"a document in Peppol that is {state}")
        (way,) = (await self.get(f"/v1/documents/{document}"))["transmissions"]
        return dict(way)

    async def told(self, document: str, event: str, what: str) -> dict[str, Any]:
        """What an event of a document says, once it has been told."""
        found: list[dict[str, Any]] = []

        async def so() -> bool:
            found[:] = [one["data"]["data"] for one in await self._events(document) if one["what"] == event]
            return bool(found)

        await until(so, what)
        return found[0]

    async def story(self, document: str) -> list[str]:
        """The events of a document."""
        return [one["what"] for one in await self._events(document)]

    async def _events(self, document: str) -> list[dict[str, Any]]:
        return [one for one in await self.get(f"/v1/documents/{document}/story") if one["kind"] == "event"]


class Stage:
    """The programs of one run, their folder, and the service as the demo itself uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{_free_port()}"
        self.stack = contextlib.AsyncExitStack()
        self.services: list[asyncio.subprocess.Process] = []
        self.sandboxes: list[asyncio.subprocess.Process] = []
        self.client = httpx.AsyncClient(timeout=20)
        self.env = dict(os.environ) | {
            "CONNECTOR_MAPPINGS": str(folder / "mappings"),
            "CONNECTOR_DATABASE": f"sqlite:///{folder}/connector.db",
            "CONNECTOR_HOST": "127.0.0.1",
            "CONNECTOR_PORT": self.address.rsplit(":", 1)[1],
            "CONNECTOR_LOG_LEVEL": "error",
        }
        (folder / "mappings" / "tenants").mkdir(parents=True)

    async def __aenter__(self) -> Stage:
        await self.stack.enter_async_context(self.client)
        self.stack.push_async_callback(_end, self.sandboxes)
        self.stack.push_async_callback(_end, self.services)  # first those that call the others
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    # --- programs

    async def spawn(self, *words: str, says: bool = False) -> asyncio.subprocess.Process:
        """Start a program of our own that ends with the demo. `says`: a sandbox, which says how one connects to it."""
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "connector", *words, env=self.env,
            stdout=asyncio.subprocess.PIPE if says else asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        (self.sandboxes if says else self.services).append(program)
        return program

    async def command(self, *words: str) -> None:
        """Do a command of our own, as somebody at a keyboard would. Raises `Failed`."""
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "connector", *words, env=self.env,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = await program.communicate()
        finally:
            await _end([program])
        if program.returncode:
            raise Failed(f"`connector {' '.join(words)}` ended with {program.returncode}.", details=said.decode())

    async def sandbox(self, system: str) -> Sandbox:
        """Start a system's sandbox, on a port of its own."""
        program = await self.spawn("sandbox", system, "--port", "0", "--format", "json", says=True)
        assert program.stdout is not None
        said = await program.stdout.readline()
        if not said:
            raise Failed(f"The sandbox of {system} did not start.")
        given = StandIn(**json.loads(said))
        self.env |= variables(system, given)
        known: Mapping[str, AccountingPlugin | AccessPointPlugin] = {**plugins.accounting(), **plugins.access_points()}
        return Sandbox(system, known[system].title, given, self.client)

    async def serve(self) -> None:
        """Start the API; it is ready when this returns."""
        await self.spawn("serve", "--no-worker")

        async def ready() -> bool:
            return (await self.client.get(f"{self.address}/health/ready")).status_code == 200

        await until(ready, "the API")

    # --- companies

    def found(
        self, tenant: str, title: str, ledgers: Mapping[str, Sandbox], route: str, point: Sandbox | None = None
    ) -> None:
        """Write a company's file: a connection to each of its ledgers, perhaps to an access point, and one route."""
        text = f'layer: tenant\ntenant: {tenant}\ntitle: {title}\norganisation_number: "{SELLER}"\nstart: 2026-01-01\n'
        text += "connections:\n" + "".join(connection(one.system, one.given, name) for name, one in ledgers.items())
        if point is not None:
            text += f"access_points:\n{connection(point.system, point.given, POINT)}    webhooks: {self.address}\n"
        text += f"routes:\n{route}"
        (self.folder / "mappings" / "tenants" / f"{tenant}.yaml").write_text(text, encoding="utf-8")

    async def enter(self, house: House, tenant: str, ledgers: Mapping[str, Sandbox]) -> Company:
        """Activate a company's connections, and give its program a key."""
        for spoke in house.spokes(tenant):
            await house.store.write(lambda tx, s=spoke: ready.activate(tx, house, s, who="demo"))  # type: ignore[misc]
        _, secret = await house.store.write(
            lambda tx: keys.create(tx, tenant=tenant, name="demo", scopes=("read", "write"))
        )
        headers = {"Authorization": f"Bearer {secret}"}
        api = httpx.AsyncClient(base_url=self.address, headers=headers, timeout=20)
        await self.stack.enter_async_context(api)
        takes = any((Kind.SUPPLIER_INVOICE, "create") in one.accounting.capabilities for one in house.spokes(tenant))
        return Company(tenant, ledgers, api, takes)


async def sync(house: House, tenant: str) -> None:
    """Have everything read that a company's connections follow, as `connector sync` does; the worker reads it."""
    for spoke in house.spokes(tenant):

        def ask(tx: Tx, spoke: Any = spoke) -> None:
            for reading in spoke.followed:
                reads.poll(tx, spoke, reading.kind)

        await house.store.write(ask)


async def until(
    holds: Callable[[], Awaitable[bool]], what: str, *, again: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait until something holds; `again`: done now and then meanwhile, as the service reads by itself every quarter of
    an hour. Raises `Failed`.
    """
    end, next_time = time.monotonic() + PATIENCE, time.monotonic() + AGAIN
    while True:
        with contextlib.suppress(httpx.TransportError):
            if await holds():
                return
        if again is not None and time.monotonic() > next_time:
            next_time += AGAIN
            await again()
        if time.monotonic() > end:
            raise Failed(f"This did not come about in {PATIENCE:.0f} seconds: {what}.")
        await asyncio.sleep(GLANCE)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables for as long as it lasts, then those that were there."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.asynccontextmanager
async def at_once(stories: Sequence[AsyncIterator[str]]) -> AsyncIterator[list[AsyncIterator[str]]]:
    """Let stories happen at the same time, and have their lines one story after the other."""

    async def follow(story: AsyncIterator[str], lines: asyncio.Queue[str | None]) -> None:
        try:
            async for line in story:
                lines.put_nowait(line)
        finally:
            lines.put_nowait(None)

    async def lines_of(lines: asyncio.Queue[str | None], task: asyncio.Task[None]) -> AsyncIterator[str]:
        while (line := await lines.get()) is not None:
            yield line
        await task

    queues: list[asyncio.Queue[str | None]] = [asyncio.Queue() for _ in stories]
    tasks = [asyncio.create_task(follow(story, lines)) for story, lines in zip(stories, queues, strict=True)]
    try:
        yield [lines_of(lines, task) for lines, task in zip(queues, tasks, strict=True)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(programs: Sequence[asyncio.subprocess.Process]) -> None:
    """End programs, all at once."""
    running = [one for one in programs if one.returncode is None]
    for one in running:
        with contextlib.suppress(ProcessLookupError):
            one.terminate()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.gather(*(one.wait() for one in running))
    finally:
        for one in running:
            if one.returncode is None:
                one.kill()
                await one.wait()


def _free_port() -> int:
    """A port for the API, which listens a while later: none of those that systems give to whoever asks for any, or a
    sandbox or a connection would have it by then.
    """
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Failed("No port is free.")
