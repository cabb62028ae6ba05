"""The sandbox as a server on loopback: sessions, companies, rate limits, faults and latency around `rest`."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import formatdate
from typing import Any, Self

from adapters.accounting.tripletex.sandbox import behind, forms, rest
from adapters.accounting.tripletex.sandbox.access import Access
from adapters.accounting.tripletex.sandbox.books import OSLO, Books, Rules
from adapters.accounting.tripletex.sandbox.desk import Desk
from adapters.accounting.tripletex.sandbox.subscriptions import Deliverer
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid
from adapters.loopback import Answer, Loopback, Refused, Request

CONSUMER_TOKEN = "sandbox-consumer"  # noqa: S105 - opens nothing but this sandbox
EMPLOYEE_TOKEN = "sandbox-employee"  # noqa: S105
ACCOUNTANT_TOKEN = "sandbox-accountant"  # noqa: S105
_ID_SPACE = 500_000_000
"""So far apart are the ids of two companies."""
_FOR_ALL = {"/company/>withLoginAccess", "/token/session/>whoAmI"}
"""What an accountant's token reaches as user 0."""


class Sandbox(Loopback):
    """Tripletex on loopback: one company, and an accountant's clients where asked; `async with` starts and stops it.

    Args:
        host, port, latency, keep: see `Loopback`.
        rate_limit: calls per `rate_period` seconds and employee token, or None.
        result_limit: how many things a list call may match.
        clients: names of companies that `ACCOUNTANT_TOKEN` reaches, each with its own books.
        rules: see `Rules`: `rounding="line"`, `bank_account=False` … They hold for every company.
    """

    prefix = "/v2"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        keep: int = 20_000,
        rate_limit: int | None = None,
        rate_period: float = 60.0,
        result_limit: int = rest.RESULT_LIMIT,
        clients: Iterable[str] = (),
        **rules: Any,
    ) -> None:
        super().__init__(host=host, port=port, latency=latency, keep=keep)
        self.books = Books(Rules(**rules))
        self.desk = Desk(self.books)
        self.companies: dict[int, Books] = {}
        """Books by the company's id; `books` are those of `EMPLOYEE_TOKEN`."""
        self.access: dict[str, Access] = {}
        """What each employee token may see and do."""
        self._found(self.books)
        own = self.books.company["id"]
        self.access[EMPLOYEE_TOKEN] = Access([own], own)
        if names := list(clients):
            made = [self._company(f"{name}", at, rules) for at, name in enumerate(["Regnskapskontoret AS", *names], 1)]
            office, *reached = (books.company["id"] for books in made)
            self.access[ACCOUNTANT_TOKEN] = Access(reached, office, office=True)
        self.rate_limit = rate_limit
        self.rate_period = rate_period
        self.result_limit = result_limit
        self.sessions: dict[str, datetime] = {}
        self._tokens: dict[str, str] = {}
        self._periods: dict[str, tuple[float, int]] = {}
        self.webhooks = {id: Deliverer(books, self.url) for id, books in self.companies.items()}
        """Who tells the subscribers, by the company's id."""

    def _found(self, books: Books) -> Books:
        self.companies[books.company["id"]] = books
        return books

    def _company(self, name: str, at: int, rules: dict[str, Any]) -> Books:
        number = str(999_999_000 + at)
        return self._found(
            Books(Rules(**rules), name=name, organisation_number=number, first_id=2_147_001 + at * _ID_SPACE)
        )

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Listen, and tell subscribers what happens."""
        await super().start()
        for webhooks in self.webhooks.values():
            webhooks.base = self.url
            await webhooks.start()
        return self

    async def stop(self) -> None:
        """Listen no more, cut what is open, and tell nobody any more."""
        await super().stop()
        for webhooks in self.webhooks.values():
            await webhooks.stop()

    # --- behind the caller's back: what people do in the program itself -----------------------------------------------

    def client(self, name: str) -> Books:
        """The books of a client of the accountant. Raises KeyError."""
        return next(books for books in self.companies.values() if books.company["name"] == name)

    def fault(self, calls: str, kind: str, **more: Any) -> None:
        """Switch a fault on (see `adapters.loopback.faults`); `expire` ends all sessions at once."""
        if kind == "expire":
            self.sessions.clear()
        else:
            super().fault(calls, kind, **more)

    def payment(
        self,
        invoice_id: int,
        amount: Decimal,
        day: date,
        *,
        reference: str | None = None,
        account: int = 1920,
        fee: Decimal = Decimal(0),
        fee_account: int = 7770,
    ) -> Thing:
        """Somebody books a payment (kroner for invoices in kroner, else the invoice's currency); gives its voucher.
        `fee`: what the bank kept of it, booked in the same voucher.
        """
        if not fee:
            return self.payments([(invoice_id, amount)], day, reference=reference, account=account)
        invoice = self.books.find(Link("invoice", invoice_id))
        rate = self.books.rate(invoice["currency"])
        kept = (self.books.account(fee_account), round(fee * rate, 2), fee)
        paid = [(invoice, round(amount * rate, 2), amount)]
        return self.books.pay(day, paid, self.books.account(account), reference=reference, fee=kept)

    def payments(
        self, paid: list[tuple[int, Decimal]], day: date, *, reference: str | None = None, account: int = 1920
    ) -> Thing:
        """Several payments in one voucher, as a bank file makes them."""
        rows = []
        for invoice_id, amount in paid:
            invoice = self.books.find(Link("invoice", invoice_id))
            rows.append((invoice, round(amount * self.books.rate(invoice["currency"]), 2), amount))
        return self.books.pay(day, rows, self.books.account(account), reference=reference)

    def payment_on(
        self, posting_id: int, amount: Decimal, day: date, *, reference: str | None = None, typed: bool = True,
        fee: Decimal | None = None,
    ) -> Thing:  # fmt: skip
        """Somebody books a payment on an open row of a customer that is of no invoice of the register, in the row's
        currency. `fee`: what the bank kept of it.
        """
        row, debit = self.books.find(Link("posting", posting_id)), self.books.account(1920)
        kept = (self.books.account(7770), fee) if fee else None
        return self.books.pay_row(row, amount, day, debit, reference=reference, typed=typed, fee=kept)

    def shrink(self, *rights: str, token: str = EMPLOYEE_TOKEN) -> None:
        """Somebody takes rights away from a token, at once for its sessions too (see `chart.ENTITLEMENTS`)."""
        self.access[token].shrink(rights)

    def hide(self, type: str, *ids: int, token: str = EMPLOYEE_TOKEN) -> None:
        """Records of a type are kept from a token from now on."""
        self.access[token].hidden.setdefault(type, set()).update(ids)

    def state(self) -> dict[str, Any]:
        """How much of everything there is, and the balance of every account (they sum to zero)."""
        return behind.state(self.books)

    # --- one request --------------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As the vendor answers; `since`: what was made after that is not seen."""
        limits: dict[str, str] = {}
        try:
            if path == "/token/session/:create":
                return self._create_session(request)
            token, user = self._check_session(request)
            limits = self._count_call(token)
            if path.startswith("/token/session/") and request.method == "DELETE":
                self.sessions.pop(path.rpartition("/")[2], None)
                return self._answer(204, None, limits)
            books = self._entered(token, user, path)
            reached = [self.companies[id].company for id in self.access[token].companies]
            call = rest.Call(books, self.access[token], self.url, request.query, request.body, request.headers,
                             limit=self.result_limit, token=token, companies=reached)  # fmt: skip
            books.hide_since = since
            try:
                reply = rest.answer(call, request.method, path)
            finally:
                books.hide_since = None
            return self._answer(reply.status, reply.body, limits)
        except SandboxError as error:
            return self.failed(error, limits)

    def _create_session(self, request: Request) -> Answer:
        said = request.body if request.method == "POST" else request.query
        if request.method not in {"POST", "PUT"} or not isinstance(said, dict):
            raise SandboxError(422, 16000, "Feil i forespørselen.", ("", "Et objekt var ventet."))
        employee = said.get("employeeToken")
        if said.get("consumerToken") != CONSUMER_TOKEN or employee not in self.access:
            raise SandboxError(401, 3000, "Ugyldig token.")
        until = forms.day(said.get("expirationDate"), "expirationDate")
        if until <= datetime.now(OSLO).date():
            raise invalid("expirationDate", "Må være senere enn i dag.")
        token = secrets.token_urlsafe(24)
        # It dies at midnight, Norwegian time, when that day begins.
        self.sessions[token] = datetime(until.year, until.month, until.day, tzinfo=OSLO).astimezone(UTC)
        self._tokens[token] = str(employee)
        value = {"id": len(self.sessions), "version": 1, "token": token, "expirationDate": until.isoformat()}
        return self._answer(201 if request.method == "POST" else 200, {"value": value}, {})

    def _check_session(self, request: Request) -> tuple[str, str]:
        """The employee token of the session, and the company asked for (empty: the employee's own)."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, session = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            user = session = ""
        until = self.sessions.get(session)
        if scheme.lower() != "basic" or until is None or until <= datetime.now(UTC):
            raise SandboxError(401, 3000, "Ugyldig sesjon.")
        return self._tokens[session], user.removeprefix("0") if user == "0" else user

    def _entered(self, token: str, user: str, path: str) -> Books:
        """The books that a call is about."""
        access = self.access[token]
        if not user:
            if access.office and path not in _FOR_ALL:
                raise SandboxError(403, 9000, "Ingen tilgang til selskapet.")
            return self.companies[access.home]
        if not user.isdigit() or int(user) not in {*access.companies, access.home}:
            raise SandboxError(403, 9000, "Ingen tilgang til selskapet.")
        return self.companies[int(user)]

    def _count_call(self, token: str) -> dict[str, str]:
        """Calls are counted by employee token, over all companies it reaches."""
        if self.rate_limit is None:
            return {}
        now = time.monotonic()
        ends, left = self._periods.get(token, (0.0, 0))
        if now >= ends:
            ends, left = now + self.rate_period, self.rate_limit
        self._periods[token] = (ends, left - 1)
        reset = {
            "X-Rate-Limit-Limit": str(self.rate_limit),
            "X-Rate-Limit-Remaining": str(max(0, left - 1)),
            "X-Rate-Limit-Reset": str(int(ends - now) + 1),
        }
        if left < 1:
            # The reset may be missing on the 429 itself.
            raise SandboxError(429, 0, "For mange kall.")
        return reset

    def _answer(self, status: int, body: Any, headers: dict[str, str]) -> Answer:
        said = {"Date": formatdate(usegmt=True), "x-tlx-request-id": secrets.token_hex(8), **headers}
        return Answer(status, body, said)

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """An error as it goes back."""
        assert isinstance(error, SandboxError)
        answer = self._answer(error.status, None, headers or {})
        answer.body = error.body(answer.headers["x-tlx-request-id"])
        return answer

    def unread(self, why: ValueError) -> Refused:
        """What is said of a body that is no JSON, and of a form that is none."""
        return SandboxError(422, 22000, "Ugyldig JSON.")

    def broken(self) -> Refused:
        """An internal error."""
        return SandboxError(500, 1000, "Intern feil.")

    def too_many(self, seconds: float | None) -> tuple[Refused, dict[str, str]]:
        """Too many calls; the reset may be missing."""
        reset = {} if seconds is None else {"X-Rate-Limit-Reset": f"{seconds:.0f}"}
        return SandboxError(429, 0, "For mange kall."), reset

    def own(self, request: Request) -> Any:
        """The sandbox's own calls, see `behind`."""
        return behind.call(self, f"{request.method} {request.path}", request)
