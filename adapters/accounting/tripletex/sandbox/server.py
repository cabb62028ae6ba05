"""The sandbox as a server on loopback: sessions, rate limits, faults and latency around `rest`.

HTTP/1.1 is spoken by a small protocol of its own: it can cut a connection after the work is done, which servers for
daily use cannot, and it is quick, so that benchmarks measure the caller.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from adapters.accounting.tripletex.sandbox import registers, rest
from adapters.accounting.tripletex.sandbox.books import OSLO, Books, Rules
from adapters.accounting.tripletex.sandbox.faults import Fault, Faults
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid
from connector.model.json import dumps, loads

CONSUMER_TOKEN = "sandbox-consumer"  # noqa: S105 - opens nothing but this sandbox
EMPLOYEE_TOKEN = "sandbox-employee"  # noqa: S105


@dataclass(slots=True)
class Request:
    """A request that came, for tests to read; `status` is None when it got no answer."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    status: int | None = None


@dataclass(slots=True)
class Answer:
    """What goes back; `body` None is an empty one."""

    status: int
    body: Any
    headers: dict[str, str]


class Sandbox:
    """One company's Tripletex on loopback; `async with` starts and stops it.

    Args:
        host, port: where it listens; port 0 takes a free one.
        latency: seconds every answer takes at least.
        rate_limit: calls per `rate_period` seconds, or None.
        result_limit: how many things a list call may match.
        keep: how many requests are kept for tests to read.
        rules: see `Rules`: `rounding="line"`, `bank_account=False` …
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        rate_limit: int | None = None,
        rate_period: float = 60.0,
        result_limit: int = rest.RESULT_LIMIT,
        keep: int = 20_000,
        **rules: Any,
    ) -> None:
        self.books = Books(Rules(**rules))
        self.faults = Faults()
        self.requests: deque[Request] = deque(maxlen=keep)
        self.latency = latency
        self.rate_limit = rate_limit
        self.rate_period = rate_period
        self.result_limit = result_limit
        self.sessions: dict[str, datetime] = {}
        self._period_ends = 0.0
        self._calls_left = 0
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    # --- life ---------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the API begins."""
        return f"http://{self._host}:{self._port}/v2"

    async def start(self) -> Sandbox:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, self._connections), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Listen no more and cut what is open."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.cut()

    async def __aenter__(self) -> Sandbox:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- behind the caller's back: what people do in the program itself -----------------------------------------------

    def fault(self, calls: str, kind: str, **more: Any) -> None:
        """Switch a fault on (see `faults`); `expire` ends all sessions at once."""
        if kind == "expire":
            self.sessions.clear()
        else:
            self.faults.active.append(Fault(calls, kind, **more))

    def payment(
        self, invoice_id: int, amount: Decimal, day: date, *, reference: str | None = None, account: int = 1920
    ) -> Thing:
        """Somebody books a payment (kroner for invoices in kroner, else the invoice's currency); gives its voucher."""
        return self.payments([(invoice_id, amount)], day, reference=reference, account=account)

    def payments(
        self, paid: list[tuple[int, Decimal]], day: date, *, reference: str | None = None, account: int = 1920
    ) -> Thing:
        """Several payments in one voucher, as a bank file makes them."""
        rows = []
        for invoice_id, amount in paid:
            invoice = self.books.find(Link("invoice", invoice_id))
            rows.append((invoice, round(amount * self.books.rate(invoice["currency"]), 2), amount))
        return self.books.pay(day, rows, self.books.account(account), reference=reference)

    def invoice_numbered(self, number: int) -> Thing:
        """The invoice with this number; 404 where there is none."""
        for invoice in self.books.things.get("invoice", {}).values():
            if invoice["invoiceNumber"] == number and invoice["isCharged"]:
                return invoice
        raise SandboxError(404, 6000, "Fakturaen finnes ikke.")

    def state(self) -> dict[str, Any]:
        """How much of everything there is, and the balance of every account (they sum to zero)."""
        balances: dict[int, Decimal] = {}
        for posting in self.books.things.get("posting", {}).values():
            number = self.books.things["account"][posting["account"].id]["number"]
            balances[number] = balances.get(number, Decimal(0)) + posting["amount"]
        counts = {type: len(things) for type, things in self.books.things.items()}
        counts["invoice"] = sum(1 for one in self.books.things.get("invoice", {}).values() if one["isCharged"])
        return {"counts": counts, "balances": {str(number): sum_ for number, sum_ in sorted(balances.items())}}

    # --- one request --------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> tuple[Answer | None, float]:
        """Do what a request asks. What goes back (None: the connection is cut), and after how many seconds."""
        if not request.path.startswith("/v2/"):
            return self._own(request), 0.0
        path, seconds = request.path.removeprefix("/v2"), self.latency
        fault = self.faults.strike(f"{request.method} {path}")
        kind = fault.kind if fault else ""
        if kind == "no-answer-before":
            return None, seconds
        if kind == "500-before":
            return self._failed(SandboxError(500, 1000, "Intern feil.")), seconds
        if kind.startswith("429"):
            reset = {"X-Rate-Limit-Reset": f"{fault.seconds:.0f}"} if fault and kind == "429" else {}
            return self._failed(SandboxError(429, 0, "For mange kall."), reset), seconds
        if kind == "stale" and fault and request.method == "GET":
            self.books.hide_since = fault.since
        try:
            answer = self._vendor(request, path)
        finally:
            self.books.hide_since = None
        if kind == "no-answer":
            return None, seconds
        if kind == "500-after":
            return self._failed(SandboxError(500, 1000, "Intern feil.")), seconds
        if kind == "garbled":
            answer.body = "<html>Bad gateway</html>"
        if kind == "slow" and fault:
            seconds += fault.seconds
        return answer, seconds

    def _vendor(self, request: Request, path: str) -> Answer:
        """As the vendor answers."""
        limits: dict[str, str] = {}
        try:
            if path == "/token/session/:create":
                return self._create_session(request)
            self._check_session(request)
            limits = self._count_call()
            if path.startswith("/token/session/") and request.method == "DELETE":
                self.sessions.pop(path.rpartition("/")[2], None)
                return self._answer(204, None, limits)
            reply = rest.answer(
                self.books, request.method, path, request.query, request.body, request.headers, self.url,
                self.result_limit,
            )  # fmt: skip
            return self._answer(reply.status, reply.body, limits)
        except SandboxError as error:
            return self._failed(error, limits)

    def _create_session(self, request: Request) -> Answer:
        said = request.body if request.method == "POST" else request.query
        if request.method not in {"POST", "PUT"} or not isinstance(said, dict):
            raise SandboxError(422, 16000, "Feil i forespørselen.", ("", "Et objekt var ventet."))
        if said.get("consumerToken") != CONSUMER_TOKEN or said.get("employeeToken") != EMPLOYEE_TOKEN:
            raise SandboxError(401, 3000, "Ugyldig token.")
        until = registers.day(said.get("expirationDate"), "expirationDate")
        if until <= datetime.now(OSLO).date():
            raise invalid("expirationDate", "Må være senere enn i dag.")
        token = secrets.token_urlsafe(24)
        # It dies at midnight, Norwegian time, when that day begins.
        self.sessions[token] = datetime(until.year, until.month, until.day, tzinfo=OSLO).astimezone(UTC)
        value = {"id": len(self.sessions), "version": 1, "token": token, "expirationDate": until.isoformat()}
        return self._answer(201 if request.method == "POST" else 200, {"value": value}, {})

    def _check_session(self, request: Request) -> None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            user = token = ""
        until = self.sessions.get(token)
        if scheme.lower() != "basic" or until is None or until <= datetime.now(UTC):
            raise SandboxError(401, 3000, "Ugyldig sesjon.")
        if user not in {"", "0", str(self.books.company["id"])}:
            raise SandboxError(403, 9000, "Ingen tilgang til selskapet.")

    def _count_call(self) -> dict[str, str]:
        if self.rate_limit is None:
            return {}
        now = time.monotonic()
        if now >= self._period_ends:
            self._period_ends, self._calls_left = now + self.rate_period, self.rate_limit
        self._calls_left -= 1
        reset = {
            "X-Rate-Limit-Limit": str(self.rate_limit),
            "X-Rate-Limit-Remaining": str(max(0, self._calls_left)),
            "X-Rate-Limit-Reset": str(int(self._period_ends - now) + 1),
        }
        if self._calls_left < 0:
            # The reset may be missing on the 429 itself.
            raise SandboxError(429, 0, "For mange kall.")
        return reset

    def _answer(self, status: int, body: Any, headers: dict[str, str]) -> Answer:
        said = {"Date": formatdate(usegmt=True), "x-tlx-request-id": secrets.token_hex(8), **headers}
        return Answer(status, body, said)

    def _failed(self, error: SandboxError, headers: dict[str, str] | None = None) -> Answer:
        answer = self._answer(error.status, None, headers or {})
        answer.body = error.body(answer.headers["x-tlx-request-id"])
        return answer

    # --- the sandbox's own calls --------------------------------------------------------------------------------------

    def _own(self, request: Request) -> Answer:
        try:
            return Answer(200, self._own_call(f"{request.method} {request.path}", request), {})
        except SandboxError as error:
            return self._failed(error)
        except (KeyError, TypeError, ValueError, ArithmeticError) as exc:
            return Answer(422, {"message": f"{type(exc).__name__}: {exc}"}, {})

    def _own_call(self, call: str, request: Request) -> Any:
        said, books = request.body or {}, self.books
        if call == "GET /fault":
            return [fault.as_json() for fault in self.faults.active]
        if call == "POST /fault":
            self.fault(**{"calls": "", **said})
            return [fault.as_json() for fault in self.faults.active]
        if call == "DELETE /fault":
            self.faults.active.clear()
            return []
        if call == "GET /_sandbox/state":
            return self.state()
        if call == "GET /_sandbox/outbox":
            return books.outbox
        if call == "GET /_sandbox/requests":
            return [{"method": r.method, "path": r.path, "query": r.query, "status": r.status} for r in self.requests]
        if call == "POST /_sandbox/payment":
            parts = said.get("payments", [said])
            paid = [(int(self.invoice_numbered(one["invoiceNumber"])["id"]), Decimal(one["amount"])) for one in parts]
            voucher = self.payments(paid, date.fromisoformat(said["date"]), reference=said.get("reference"))
            return {"voucher": voucher["id"], "number": voucher["number"], "year": voucher["year"]}
        kind, _, id = call.rpartition("/")
        if kind == "PUT /_sandbox/customer":
            return {"id": registers.change_customer(books, int(id), said)["id"]}
        if kind == "DELETE /_sandbox/customer":
            registers.delete_customer(books, int(id))
            return {}
        raise SandboxError(404, 6000, "Ressursen finnes ikke.")


class _Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive, one request at a time."""

    def __init__(self, sandbox: Sandbox, all: set[_Connection]) -> None:
        self._sandbox, self._all = sandbox, all
        self._came = bytearray()
        self._busy = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self)

    def cut(self) -> None:
        """Break the connection off."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._came += data
        self._next()

    def _next(self) -> None:
        end = self._came.find(b"\r\n\r\n")
        if self._busy or end < 0:
            return
        first, *lines = self._came[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if "transfer-encoding" in headers or length > 32 * 2**20:
            self.cut()
            return
        if len(self._came) < end + 4 + length:
            return
        body = bytes(self._came[end + 4 : end + 4 + length])
        del self._came[: end + 4 + length]
        self._busy = True
        method, target, _ = first.split(" ", 2)
        path, _, query = target.partition("?")
        request = Request(method, unquote(path), dict(parse_qsl(query, keep_blank_values=True)), None, headers)
        answer: Answer | None
        try:
            request.body = loads(body) if body else None
            answer, seconds = self._sandbox.handle(request)
        except ValueError:
            answer, seconds = self._sandbox._failed(SandboxError(422, 22000, "Ugyldig JSON.")), 0.0
        request.status = answer.status if answer else None
        self._sandbox.requests.append(request)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: Answer | None) -> None:
        self._busy = False
        if self._transport.is_closing():
            return
        if answer is None:
            self.cut()
            return
        body = b"" if answer.body is None else answer.body
        if not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else dumps(body)
        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        kind = "Content-Type: application/json\r\n" if body else ""
        # 204 and 304 have no body and say no length (RFC 9110, 8.6).
        length = "" if answer.status in {204, 304} else f"Content-Length: {len(body)}\r\n"
        self._transport.write(f"HTTP/1.1 {answer.status} -\r\n{kind}{length}{headers}\r\n".encode("latin-1") + body)
        self._next()
