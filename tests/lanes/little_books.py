"""Books on loopback for the lanes' tests: a real HTTP server that keeps what took effect and fails when told to; the
handlers that write to it through `connector.http`; and a worker that runs as a process of its own:

    python little_books.py DATABASE_URL BOOKS_URL LEASE_SECONDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connector.errors import NeedsPerson, Refused
from connector.http import Http
from connector.lanes import Found, Patience, Turn, Work, Worker, submit
from connector.ports import Goal, Kind, Lane, Proof, Run, Step
from connector.store import Store, Tx, connections, documents, links, open_store

KEYS = [bytes(range(32))]
LANE = "books"


class Books:
    """What took effect: rows by kind. `faults` says what to do with the next calls of a path (`drop`: no answer after
    it took effect; `refuse`, `busy`, `sign-in`, `slow`, `before`: no answer before it took effect).
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"order": [], "invoice": [], "payment": []}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list[str]] = {}
        self.latency = 0.0
        self.hide_for = 0.0
        self.lock = threading.Lock()
        self.running = 0
        self.most_running = 0
        self.starts: list[float] = []
        books = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                books.answer(self, "GET", {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                books.answer(self, "POST", body)

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None: ...  # callers are killed in the middle of a call

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def markers(self, kind: str) -> Counter[str]:
        with self.lock:
            return Counter(row["marker"] for row in self.rows[kind])

    def answer(self, request: BaseHTTPRequestHandler, method: str, body: dict[str, Any]) -> None:
        url = urlsplit(request.path)
        kind = url.path.strip("/")
        with self.lock:
            self.calls[f"{method} {kind}"] += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.starts.append(time.monotonic())
            faults = self.faults.get(f"{method} {kind}", [])
            fault = faults.pop(0) if faults else ""
        try:
            time.sleep(self.latency)
            self._answer(request, method, kind, body, parse_qs(url.query), fault)
        finally:
            with self.lock:
                self.running -= 1

    def _answer(
        self,
        request: BaseHTTPRequestHandler,
        method: str,
        kind: str,
        body: dict[str, Any],
        query: Mapping[str, list[str]],
        fault: str,
    ) -> None:
        if fault == "before":
            request.close_connection = True
            request.connection.close()
            return
        if fault == "busy":
            self._send(request, 429, {}, retry_after="1")
            return
        if fault in ("refuse", "sign-in"):
            self._send(request, 422 if fault == "refuse" else 401, {"message": "nei"})
            return
        if method == "POST":
            with self.lock:
                row = body | {"id": str(len(self.rows[kind]) + 1), "at": time.monotonic()}
                self.rows[kind].append(row)
            answer: Any = row
        else:
            now = time.monotonic()
            with self.lock:
                answer = [row for row in self.rows[kind] if now - row["at"] >= self.hide_for]
            if "marker" in query:
                answer = [row for row in answer if row["marker"] == query["marker"][0]]
        if fault == "slow":
            time.sleep(1.5)
        if fault == "drop":
            request.close_connection = True
            request.connection.close()
            return
        if fault == "error":
            self._send(request, 500, {})
            return
        self._send(request, 200, answer)

    def _send(self, request: BaseHTTPRequestHandler, status: int, answer: Any, retry_after: str | None = None) -> None:
        data = json.dumps(answer).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Length", str(len(data)))
            request.send_header("Content-Type", "application/json")
            if retry_after:
                request.send_header("Retry-After", retry_after)
            request.end_headers()
            request.wfile.write(data)
        except OSError:
            pass  # the caller was killed


@dataclass
class Writer:
    """An effect handler: an order, an invoice from it, both with a marker; or a payment, which can carry none."""

    http: Http
    settle: float = 0.6
    timeout: float = 3.0
    decisions: int = 0
    done_before: list[str] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)

    async def decide(self, work: Work) -> Goal:
        self.decisions += 1
        kind = Kind.PAYMENT if work.kind == "pay" else Kind.INVOICE
        return Goal(kind, "create", f"m-{work.document}", work.task or {"amount": 1})

    def answers(self, work: Work) -> Sequence[str]:
        return ()

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        if work.kind == "pay":
            return [
                Step("pay", self._pay, self._look_payment, self._payments, timeout=self.timeout, settle=self.settle)
            ]
        return [self._step("order"), self._step("invoice"), Step("read back", self._read_back, timeout=self.timeout)]

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        proof = proofs["pay"] if work.kind == "pay" else proofs["invoice"]
        links.put(
            tx,
            tenant=work.tenant,
            document=work.document or "",
            connection=work.connection or "",
            kind="payment" if work.kind == "pay" else "invoice",
            vendor_id=proof.id,
        )
        tx.emit(work.tenant, "issued", document=work.document)

    def _step(self, kind: str) -> Step:
        async def call(run: Run) -> Proof:
            return await self._post(kind, {"marker": run.goal.marker})

        async def look(run: Run) -> list[Proof]:
            found = await self.http.call("GET", f"/{kind}", params={"marker": run.goal.marker})
            return [Proof(row["id"]) for row in found.json()]

        return Step(kind, call, look, timeout=self.timeout, settle=self.settle)

    async def _post(self, kind: str, row: dict[str, Any]) -> Proof:
        self.begun.append(time.monotonic())
        answer = await self.http.call("POST", f"/{kind}", json=row)
        if answer.status == 401:
            raise NeedsPerson("The session is over.", code="sign-in-again", do="Sign in.", status=401)
        if answer.status >= 400:
            raise Refused("It said no.", status=answer.status, said_by_vendor="nei")
        return Proof(answer.json()["id"])

    async def _read_back(self, run: Run) -> Proof:
        self.begun.append(time.monotonic())
        found = await self.http.call("GET", "/invoice", params={"marker": run.goal.marker})
        return Proof(found.json()[0]["id"], {"found": len(found.json())})

    async def _pay(self, run: Run) -> Proof:
        return await self._post("payment", {"marker": "none", **run.goal.record})

    async def _payments(self, run: Run) -> list[str]:
        return [row["id"] for row in (await self.http.call("GET", "/payment")).json()]

    async def _look_payment(self, run: Run) -> list[Proof]:
        rows = (await self.http.call("GET", "/payment")).json()
        return [
            Proof(row["id"])
            for row in rows
            if row["id"] not in run.witness and row["amount"] == run.goal.record["amount"]
        ]


@dataclass
class Reader:
    """A read handler: pages of a kind, noted in the cursor."""

    http: Http
    pages: int = 1
    turns: list[tuple[str, int]] = field(default_factory=list)

    async def read(self, work: Work) -> Found:
        await self.http.call("GET", "/order")
        self.turns.append((work.kind, work.turn))
        name = f"{work.kind} {work.merge}"

        def write(tx: Tx) -> None:
            page = int(connections.cursor(tx, work.connection or "", name) or 0) + 1
            connections.put_cursor(tx, work.connection or "", name, str(page))

        done = len([one for one in self.turns if one[0] == work.kind])
        return Found(write, again=done < self.pages)


class World:
    """A store, the books, one connection; documents to be issued, and workers."""

    def __init__(self, store: Store, url: str, connection: str) -> None:
        self.store = store
        self.url = url
        self.connection = connection
        self.http = Http(url)
        self.writer = Writer(self.http)
        self.reader = Reader(self.http)
        self.width = 4
        self.spacing = 0.0

    @classmethod
    async def make(cls, store: Store, url: str) -> World:
        def add(tx: Tx) -> str:
            there = connections.find(tx, tenant="a")
            if there:
                return there[0].id
            return connections.add(tx, tenant="a", system="books", name="books", settings={}, secrets={}).id

        return cls(store, url, await store.write(add))

    def worker(self, store: Store | None = None, **more: Any) -> Worker:
        more.setdefault("patience", Patience(first=0.1, longest=1.0))
        return Worker(
            store or self.store,
            arrivals=more.pop("arrivals", {}),
            effects={"issue": self.writer, "pay": self.writer},
            reads={"poll": self.reader, "hint": self.reader, "sweep": self.reader},
            lanes=lambda key: Lane(key, self.width, self.spacing),
            **more,
        )

    def document(self, tx: Tx, key: str) -> str:
        return documents.insert(
            tx, tenant="a", kind="invoice", business_key=key, body={"key": key}, state="received"
        ).id

    def issue(self, tx: Tx, key: str, kind: str = "issue", **more: Any) -> tuple[str, str]:
        """A document, and the work of issuing it."""
        document = self.document(tx, key)
        more = {"turn": Turn.EFFECT, "lane": LANE, "subject": f"{document} {self.connection}"} | more
        return document, submit(tx, tenant="a", kind=kind, connection=self.connection, document=document, **more)

    async def issue_many(self, count: int, prefix: str = "k") -> list[tuple[str, str]]:
        return await self.store.write(lambda tx: [self.issue(tx, f"{prefix}{n}") for n in range(count)])

    async def close(self) -> None:
        await self.http.aclose()


async def _main(database: str, books: str, lease: str) -> None:
    store = await open_store(database, keys=KEYS)
    world = await World.make(store, books)
    print("working", flush=True)
    await world.worker(lease=int(lease)).run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:4]))
