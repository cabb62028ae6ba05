"""The sandbox as a server on loopback: sign-in, companies, one call at a time, faults and latency around `routing`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.sandbox import behind, calls, routing  # calls: enters them into the table
from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.desk import Desk
from adapters.accounting.fiken.sandbox.errors import SandboxError
from adapters.accounting.fiken.sandbox.oauth import Access
from adapters.accounting.fiken.sandbox.rules import Rules
from adapters.accounting.fiken.sandbox.store import Thing
from adapters.loopback import Answer, Loopback, Refused, Request

__all__ = ["Sandbox", "calls"]

SLUG = "fjord-as"


class Sandbox(Loopback):
    """Fiken on loopback: one company, and further ones where asked; `async with` starts and stops it.

    Args:
        host, port, latency, keep: see `Loopback`.
        companies: names of further companies that the same user reaches.
        rules: see `Rules`: `rounding="document"`, `touches=True` … They hold for every company.
    """

    prefix = "/api/v2"
    beside = "/oauth"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        keep: int = 20_000,
        companies: Iterable[str] = (),
        **rules: Any,
    ) -> None:
        super().__init__(host=host, port=port, latency=latency, keep=keep)
        self.rules = Rules(**rules)
        self.companies: dict[str, Books] = {}
        """Books by slug; `books` are those of the first."""
        for at, name in enumerate(("Fjord AS", *companies)):
            slug = re.sub(r"\W+", "-", name.lower())
            number = "923609016" if not at else str(999_999_000 + at)
            self.companies[slug] = Books(self.rules, slug=slug, name=name, organisation_number=number)
        self.books = self.companies[SLUG]
        self.desk = Desk(self.books)
        self.access = Access(list(self.companies))
        self.parallel: dict[str, int] = {}
        """How many calls of a user came while another was running."""
        self.banned: set[str] = set()
        self.starts: list[float] = []
        """When calls came, by a clock of seconds."""
        self._busy_until: dict[str, float] = {}

    @property
    def sign_in_url(self) -> str:
        """Where people sign in."""
        return self.url.removesuffix(self.prefix) + str(self.beside)

    # --- behind the caller's back: what people do in Fiken itself -----------------------------------------------------

    def payment(
        self, invoice_id: int, amount: Decimal, day: date, *, account: str = "1920:10001", fee: Decimal = Decimal(0)
    ) -> Thing:
        """Somebody books a payment of an invoice, in its currency."""
        invoice = self.books.find("invoice", invoice_id)
        sale = self.books.find("sale", invoice["_sale"])
        return self.books.pay(sale, day.isoformat(), account, int(amount * 100), fee=int(fee * 100))

    def state(self) -> dict[str, Any]:
        """How much of everything there is."""
        return behind.state(self.books)

    def fault(self, calls: str, kind: str, **more: Any) -> None:
        """Switch a fault on (see `adapters.loopback.faults`); `expire` ends all access tokens, `ban` bans all users."""
        if kind == "expire":
            self.access.expire()
        elif kind == "ban":
            self.banned |= {"kari", "ola"}
        else:
            super().fault(calls, kind, **more)

    # --- one request --------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> tuple[Answer | None, float]:
        """As every sandbox does it; a call goes on until its answer is out, whoever still listens."""
        answer, seconds = super().handle(request)
        user = self._user(request)
        if user is not None:
            self._busy_until[user] = max(self._busy_until.get(user, 0.0), time.monotonic() + seconds)
        return answer, seconds

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As the vendor answers; `since`: what was made after that is not seen."""
        try:
            if path.startswith("/oauth/"):
                return self.access.answer(request)
            self.starts.append(time.monotonic())
            grant = self.access.grant(request.headers)
            self._one_at_a_time(grant.user)
            reply = self._called(grant.companies, request, path, since)
            return Answer(reply.status, reply.body, dict(reply.headers))
        except SandboxError as error:
            return self.failed(error)

    def _user(self, request: Request) -> str | None:
        try:
            return self.access.grant(request.headers).user
        except SandboxError:
            return None

    def _one_at_a_time(self, user: str) -> None:
        if user in self.banned:
            raise SandboxError(429, "Too many requests. Contact support.", word="too_many_requests")
        if time.monotonic() < self._busy_until.get(user, 0.0):
            self.parallel[user] = self.parallel.get(user, 0) + 1
            if self.parallel[user] >= self.rules.ban_after:
                self.banned.add(user)
            raise SandboxError(429, "Concurrent requests are not allowed", word="too_many_requests")

    def _called(self, reached: list[str], request: Request, path: str, since: datetime | None) -> routing.Reply:
        if request.method == "GET" and path == "/user":
            return routing.Reply(200, {"name": "Kari Nordmann", "email": "kari@example.no"})
        if request.method == "GET" and path == "/companies":
            call = routing.Call(self.books, self.url, request.query, None)
            companies: list[Thing] = [self.companies[slug].company for slug in reached]
            return call.page(companies, dict)
        found = re.match(r"/companies/([^/]+)(/.*)?$", path)
        if not found:
            raise SandboxError(404, "Not Found", shape="text")
        slug, below = found[1], found[2] or ""
        if slug not in reached:
            raise SandboxError(403, f"Ingen tilgang til selskapet {slug}", word="access_denied")
        books = self.companies[slug]
        if request.method == "GET" and not below:
            return routing.Reply(200, books.company)
        if not books.company["hasApiAccess"]:
            raise SandboxError(403, "Selskapet har ikke API-modulen", word="access_denied")
        books.hide_since = since
        try:
            call = routing.Call(books, f"{self.url}/companies/{slug}", request.query, request.body)
            return routing.answer(call, request.method, below)
        finally:
            books.hide_since = None

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """An error as it goes back."""
        assert isinstance(error, SandboxError)
        return Answer(error.status, error.body(), headers or {})

    def unread(self, why: ValueError) -> Refused:
        """What is said of a body that is no JSON, and of a form that is none."""
        return SandboxError(400, "Malformed JSON", shape="text")

    def broken(self) -> Refused:
        """An internal error."""
        return SandboxError(500, "Internal Server Error", shape="text")

    def too_many(self, seconds: float | None) -> tuple[Refused, dict[str, str]]:
        """Too many calls; when to come back is never told."""
        return SandboxError(429, "Too many requests", word="too_many_requests"), {}

    def own(self, request: Request) -> Any:
        """The sandbox's own calls, see `behind`."""
        return behind.call(self.books, f"{request.method} {request.path}", request)
