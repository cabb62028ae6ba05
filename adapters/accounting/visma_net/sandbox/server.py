"""The sandbox: Visma Connect and the API on loopback, as truthful as the vendor's description and its users tell."""

from __future__ import annotations

import secrets
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net.sandbox import balance_calls, calls, purchase_calls, register_calls, routing
from adapters.accounting.visma_net.sandbox.asking import Said, SandboxError
from adapters.accounting.visma_net.sandbox.books import Books
from adapters.accounting.visma_net.sandbox.desk import Desk
from adapters.accounting.visma_net.sandbox.rules import RELEASES, Rules
from adapters.accounting.visma_net.sandbox.store import OSLO, Row
from adapters.accounting.visma_net.wrapping import wrapped
from adapters.loopback import Answer, Loopback, Refused, Request

CLIENT_ID, CLIENT_SECRET = "isv_sandbox", "sandbox-secret"
TENANT_ID, CONTRACT_ID = "sandbox-company", "sandbox-contract"
"""Of the company, and of the customer's contract: the latter yields a token that opens nothing."""
CALLS = (calls, purchase_calls, register_calls, balance_calls)
"""What enters its calls into the table of `routing`."""


class Sandbox(Loopback):
    """Visma Net for one company.

    Args:
        life: seconds that a token is good for.
        limit: calls in an hour (None: not counted).
        window: seconds in that hour.
        host, port, latency, keep: as every sandbox.
        rules: see `Rules`.
    """

    prefix = "/api"

    def __init__(
        self, *, life: int = 3600, limit: int | None = None, window: float = 3600.0, host: str = "127.0.0.1",
        port: int = 0, latency: float = 0.0, keep: int = 20_000, **rules: Any,
    ) -> None:  # fmt: skip
        super().__init__(host=host, port=port, latency=latency, keep=keep)
        self.books = Books(Rules(**rules))
        self.desk = Desk(self.books)
        self.life, self.limit, self.window = life, limit, window
        self.tokens: dict[str, tuple[str, float]] = {}
        """Tenant and end of each token that was given."""
        self._counted, self._resets = 0, 0.0

    @property
    def token_url(self) -> str:
        """Where tokens are given."""
        return f"{self.url}/connect/token"

    # --- what a bookkeeper does in the program --------------------------------------------------------------------

    def pays(
        self, *given: tuple[str, Any], day: date, amount: Any = None, customer: str | None = None,
        account: str = "1920", fee: Any = None, type: str = "Payment", lost: Any = None, reason: str = "TAP",
    ) -> Row:  # fmt: skip
        """A payment that somebody registers: (invoice, amount) each, `amount` the whole of it where that is more, `fee`
        what the bank kept of it, all in the currency of the cash account; `lost` of the first invoice is written off.
        """
        lines: list[dict[str, Any]]
        lines = [{"operation": "Insert", "documentType": "Invoice", "refNbr": number, "amountPaid": Decimal(paid)}
                 for number, paid in given]  # fmt: skip
        customer = customer or self.books.tables["invoice"][given[0][0]]["customer"]["number"]
        charges = [{"operation": "Insert", "entryType": "BANKGEBYR", "amount": Decimal(fee)}] if fee else []
        whole = sum((line["amountPaid"] for line in lines), Decimal(0)) if amount is None else Decimal(amount)
        body = {
            "type": type, "hold": False, "customer": customer, "paymentMethod": "1", "cashAccount": account,
            "currency": self.books.tables["cashaccount"][account]["currency"],
            "applicationDate": f"{day}T00:00:00", "paymentRef": "Manuell", "paymentAmount": whole,
            "paymentLines": lines,
            "financeCharges": charges,
        }  # fmt: skip
        row = self.books.add_payment(Said(wrapped(body)))
        if lost is not None:
            row["paymentLines"][0] |= {"balanceWriteOff": Decimal(lost), "writeOffReasonCode": {"id": reason}}
        self.books.release_payment(row)
        return row

    def voids(self, number: str, *, day: date, type: str = "Payment") -> Row:
        """A payment or refund that somebody takes back."""
        row = self.books.void_payment(type, number, day)
        self.books.release_void(row)
        return row

    def close_period(self, period: str, shut: bool = True) -> None:
        """Close or open a month, `YYYYMM`."""
        self.books.touch(self.books.tables["period"][period], closedInCustomerLedger=shut)

    def own(self, request: Request) -> Any:
        """`GET|POST /rules`: how releases behave; `POST /pay`: register a payment; `POST /void`; `POST /period`."""
        body = request.body or request.query
        match request.method, request.path:
            case "GET", "/rules":
                return {"release": self.books.rules.release, "releases": list(RELEASES)}
            case "POST", "/rules":
                if body["release"] not in RELEASES:
                    raise ValueError(f"There is {', '.join(RELEASES)}.")
                self.books.rules.release = body["release"]
                return {"release": self.books.rules.release}
            case "POST", "/pay":
                day = date.fromisoformat(body["date"])
                return {"payment": self.pays((str(body["invoice"]), body["amount"]), day=day)["refNbr"]}
            case "POST", "/void":
                return {"payment": self.voids(str(body["payment"]), day=datetime.now(OSLO).date())["refNbr"]}
            case "POST", "/period":
                self.close_period(str(body["period"]), bool(body.get("closed", True)))
                return {"period": body["period"]}
        raise SandboxError(404, "The sandbox has no such call: /fault, /rules, /pay, /void, /period.")

    # --- one request ----------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """The vendor's answer."""
        if path == "/connect/token":
            return self._connect(request)
        headers: dict[str, str] = {}
        self.books.hide_since = since
        try:
            self._enter(request)
            headers = self._count()
            self.books.releases.tick()
            call = routing.Call(self.books, self.url, request.query, request.headers, request.body)
            reply = routing.answer(call, request.method, path)
        except SandboxError as error:
            if error.status == 400:
                error.status = self.books.rules.faults_as
            return self.failed(error, headers)
        finally:
            self.books.hide_since = None
        return Answer(reply.status, reply.body, {**headers, **reply.headers})

    def _connect(self, request: Request) -> Answer:
        said = request.body if isinstance(request.body, dict) else {}
        if request.method != "POST" or said.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"}, {})
        if (said.get("client_id"), said.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Answer(400, {"error": "invalid_client"}, {})
        if said.get("tenant_id") not in (TENANT_ID, CONTRACT_ID):
            error = {"error": "invalid_request", "error_description": "The tenant has no integration with the client."}
            return Answer(400, error, {})
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (said["tenant_id"], time.monotonic() + self.life)
        body = {"access_token": token, "expires_in": self.life, "token_type": "Bearer", "scope": said.get("scope", "")}
        return Answer(200, body, {"Cache-Control": "no-store"})

    def _enter(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        tenant, until = self.tokens.get(token, ("", 0.0))
        if scheme != "Bearer" or until <= time.monotonic() or tenant != TENANT_ID:
            raise SandboxError(401, "Unauthorized.")

    def _count(self) -> dict[str, str]:
        """Calls are counted in windows of an hour."""
        if self.limit is None:
            return {}
        now = time.monotonic()
        if now >= self._resets:
            self._counted, self._resets = 0, now + self.window
        self._counted += 1
        left = self.limit - self._counted
        reset = str(int(self._resets - now) + 1)
        if left < 0:
            raise _TooMany(reset)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": reset,
        }

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """An error as it goes back."""
        assert isinstance(error, SandboxError)
        if isinstance(error, _TooMany):
            headers = {"Retry-After": error.reset}
        return Answer(error.status, error.body(), headers or {})

    def unread(self, why: ValueError) -> Refused:
        """What is said of a body that cannot be read."""
        return SandboxError(400, "The request is invalid.")

    def broken(self) -> Refused:
        """An internal error."""
        return SandboxError(500, "An error has occurred.")

    def too_many(self, seconds: float | None) -> tuple[Refused, dict[str, str]]:
        """Too many calls."""
        return SandboxError(429, "Too many requests."), {} if seconds is None else {"Retry-After": f"{seconds:.0f}"}


class _TooMany(SandboxError):
    def __init__(self, reset: str) -> None:
        super().__init__(429, "Too many requests.")
        self.reset = reset
