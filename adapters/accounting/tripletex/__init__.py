"""Tripletex: accounting system, API v2."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from adapters.accounting.tripletex import wire
from adapters.accounting.tripletex.formalities import FORMALITIES
from connector.addresses import WebAddress
from connector.options import Choice, chooses
from connector.ports import Accounting, ConnectionConfig, Formality, Kind, StandIn

if TYPE_CHECKING:
    from connector.http import Http
    from connector.oauth import OAuth


_EMPLOYEE = re.compile(r"[0-9]+|[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Settings(BaseModel):
    """Settings of a connection to Tripletex."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: WebAddress = "https://tripletex.no/v2"
    """Address of the API; the test environment is `https://api-test.tripletex.tech/v2`."""
    company: int = Field(default=0, ge=0)
    """Company id where the employee token is an accountant's and the company a client; 0: the employee's own."""
    width: int = Field(default=4, ge=1, le=32)
    """Calls that may run at a time with this employee token."""
    payment_type: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Description of the payment type for payments that name none, or the number of the account it debits."""
    external_invoices: Literal["voucher", "invoice"] = "voucher"
    """How an invoice that was issued elsewhere is kept: as a voucher, or among Tripletex' own invoices under the number
    it has. The second needs numbers that are whole numbers, and `nothing_invoiced_here`."""
    nothing_invoiced_here: bool = False
    """The customer has confirmed that nothing is invoiced inside Tripletex: a number of ours that its own series
    reaches would block it."""
    project_manager: str | None = None
    """Employee number or e-mail address of who leads projects that are made here; left out: the key's employee."""
    poll_days: int = Field(default=400, ge=31, le=3660)
    """Days back that a poll looks for new and changed invoices and payments; the nightly comparison sees the rest."""
    incoming: Literal["off", "pdf", "ehf", "inbox", "nonPosted", "ledger"] = "pdf"
    """How incoming invoices are delivered: their page into the voucher reception (`pdf`), the EHF itself (`ehf`, by
    agreement with Tripletex), or by `/incomingInvoice` into the reception, among the drafts or booked (`inbox`,
    `nonPosted`, `ledger`; pilot customers). `off`: purchases are not touched."""
    incoming_account: int | None = Field(default=None, ge=1000, le=99999, json_schema_extra=chooses(Choice.ACCOUNT))
    """Number of the account that `ledger` books purchases on, and that drafts propose."""
    attachment_mb: int = Field(default=15, ge=1, le=100)
    """Largest file that is sent, in MB; Tripletex does not publish its own limit."""
    timeout: float = Field(default=30.0, ge=1, le=300)
    """Seconds that one step of a push may take, its answer included; a worker's lease must be longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a search that does not find what may have been made is believed. Reads of the real Tripletex
    can lag behind writes: less is for sandboxes only."""
    session_days: int = Field(default=2, ge=1, le=90)
    """Days a session is asked for."""
    legacy_session: bool = False
    """Begin sessions by `PUT` with the tokens in the address, for environments that do not take `POST`."""

    @field_validator("project_manager")
    @classmethod
    def _somebody(cls, given: str | None) -> str | None:
        if given is not None and not _EMPLOYEE.fullmatch(given):
            raise PydanticCustomError(
                "employee-unclear",
                "`{given}` is neither an employee number nor an e-mail address",
                {"given": given[:80], "do": 'Write "17" or "kari@example.no", or leave it out.'},
            )
        return given

    @model_validator(mode="after")
    def _confirmed(self) -> Settings:
        if self.external_invoices == "invoice" and not self.nothing_invoiced_here:
            raise PydanticCustomError(
                "not-confirmed",
                "external_invoices: invoice puts numbers of another series among Tripletex' own, which stops its own"
                " numbering where it meets one. Have the customer confirm that nothing is invoiced inside Tripletex"
                " (nothing_invoiced_here: true), or leave it at voucher",
            )
        return self


class Secrets(BaseModel):
    """What Tripletex gives for access."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    consumer_token: SecretStr
    """Ours: one for all customers."""
    employee_token: SecretStr
    """The customer's: made under "API-tilgang" for our application, shown once. An accountant's opens many."""
    webhook_secret: SecretStr | None = None
    """Ours: Tripletex signs its webhooks with it. At least 8 characters; needed where the connection has `webhooks`."""

    @field_validator("webhook_secret")
    @classmethod
    def _long(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and len(given.get_secret_value()) < 8:
            raise ValueError("a secret of at least 8 characters is needed")
        return given


class TripletexPlugin:
    """What the entry point names."""

    name = "tripletex"
    title = "Tripletex"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "webhook_secret"  # noqa: S105 - the name of it
    wire: Mapping[Kind, type[BaseModel]] = {
        Kind.CUSTOMER: wire.Customer,
        Kind.PRODUCT: wire.Product,
        Kind.DEPARTMENT: wire.Department,
        Kind.PROJECT: wire.Project,
        Kind.DIMENSION: wire.DimensionValue,
        Kind.INVOICE: wire.InvoiceRecord,
        Kind.CREDIT_NOTE: wire.CreditNoteRecord,
        Kind.PAYMENT: wire.PaymentRecord,
        Kind.SETTLEMENT: wire.SettlementRecord,
        Kind.REVERSAL: wire.ReversalRecord,
        Kind.EXTERNAL_INVOICE: wire.ExternalInvoiceRecord,
        Kind.EXTERNAL_CREDIT_NOTE: wire.ExternalCreditNoteRecord,
        Kind.SUPPLIER: wire.Supplier,
        Kind.SUPPLIER_INVOICE: wire.SupplierInvoiceRecord,
    }
    formalities: Sequence[Formality] = FORMALITIES

    def oauth(self, settings: BaseModel, secrets: BaseModel) -> OAuth | None:
        """Nobody signs in: its keys are made inside Tripletex."""
        return None

    def open(self, connection: ConnectionConfig, http: Http) -> Accounting:
        """An open connection to one company's books; makes no call yet."""
        from adapters.accounting.tripletex.adapter import Tripletex

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return Tripletex(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and tokens."""
        from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox, serve

        def told(box: Sandbox) -> None:
            settings = {"base_url": box.url, "payment_type": "Betalt til bank", "timeout": 8, "settle": 1}
            ready(StandIn(settings, {"consumer_token": CONSUMER_TOKEN, "employee_token": EMPLOYEE_TOKEN}))

        serve(port=port, latency=latency, ready=told)


plugin = TripletexPlugin()
