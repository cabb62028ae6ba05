"""Tripletex: accounting system, API v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from adapters.accounting.tripletex import wire
from connector.ports import Accounting, ConnectionConfig, Kind

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to Tripletex."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str = "https://tripletex.no/v2"
    """Address of the API; the test environment is `https://api-test.tripletex.tech/v2`."""
    company: int = Field(default=0, ge=0)
    """Company id where the employee token is an accountant's and the company a client; 0: the employee's own."""
    width: int = Field(default=4, ge=1, le=32)
    """Calls that may run at a time with this employee token."""
    payment_type: str | None = None
    """Description of the payment type for payments that name none, or the number of the account it debits."""
    project_manager: str | None = None
    """Employee number or e-mail address of who leads projects that are made here; left out: the key's employee."""
    poll_days: int = Field(default=400, ge=31, le=3660)
    """Days back that a poll looks for new and changed invoices and payments; the nightly comparison sees the rest."""
    timeout: float = Field(default=30.0, ge=1, le=300)
    """Seconds that one step of a push may take, its answer included; a worker's lease must be longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a search that does not find what may have been made is believed. Reads of the real Tripletex
    can lag behind writes: less is for sandboxes only."""
    session_days: int = Field(default=2, ge=1, le=90)
    """Days a session is asked for."""
    legacy_session: bool = False
    """Begin sessions by `PUT` with the tokens in the address, for environments that do not take `POST`."""


class Secrets(BaseModel):
    """What Tripletex gives for access."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    consumer_token: SecretStr
    """Ours: one for all customers."""
    employee_token: SecretStr
    """The customer's: made under "API-tilgang" for our application, shown once."""


class TripletexPlugin:
    """What the entry point names."""

    name = "tripletex"
    title = "Tripletex"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    wire: Mapping[Kind, type[BaseModel]] = {
        Kind.CUSTOMER: wire.Customer,
        Kind.PRODUCT: wire.Product,
        Kind.DEPARTMENT: wire.Department,
        Kind.PROJECT: wire.Project,
        Kind.DIMENSION: wire.DimensionValue,
        Kind.INVOICE: wire.InvoiceRecord,
        Kind.CREDIT_NOTE: wire.CreditNoteRecord,
        Kind.PAYMENT: wire.PaymentRecord,
        Kind.REVERSAL: wire.ReversalRecord,
    }

    def open(self, connection: ConnectionConfig, http: Http) -> Accounting:
        """An open connection to one company's books; makes no call yet."""
        from adapters.accounting.tripletex.adapter import Tripletex

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return Tripletex(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[str], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and tokens."""
        from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox, serve

        def told(box: Sandbox) -> None:
            ready(f"{box.url}, consumer_token {CONSUMER_TOKEN}, employee_token {EMPLOYEE_TOKEN}")

        serve(port=port, latency=latency, ready=told)


plugin = TripletexPlugin()
