"""Fiken: accounting system, API v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from adapters.accounting.fiken import wire
from adapters.accounting.fiken.formalities import FORMALITIES
from connector.oauth import OAuth
from connector.options import Choice, chooses
from connector.ports import Accounting, ConnectionConfig, Formality, Kind, StandIn

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to Fiken."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str = "https://api.fiken.no/api/v2"
    """Address of the API; Fiken has no test environment but demo companies."""
    company: str = ""
    """The company's slug as in its address in Fiken (`fjord-as`); empty: the only one that the sign-in reaches."""
    sign_in_url: str = "https://fiken.no/oauth"
    """Where people sign in, with `/authorize` and `/token` below it."""
    user: str = ""
    """E-mail address of the Fiken user who signs in, where one user opens several connections: Fiken takes one call at
    a time from a user, whichever companies the calls are about."""
    payment_account: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Code (`1920:10001`) or number of the bank account of payments that name none."""
    invoice_account: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Code or number of the bank account that invoices ask to be paid to; left out: the only one there is."""
    incoming: Literal["off", "inbox", "book"] = "off"
    """What is done with incoming invoices: laid into the inbox for a person to book, or booked as purchases. `off`:
    purchases are not touched."""
    incoming_account: str | None = Field(default=None, json_schema_extra=chooses(Choice.ACCOUNT))
    """Code of the account that purchases are booked on."""
    spacing: float = Field(default=0.25, ge=0, le=60)
    """Least seconds between two calls. Fiken slows down, and bans, who calls faster: less is for sandboxes only."""
    open_hours: float = Field(default=1.0, ge=0, le=720)
    """Hours after which what is open is looked at again, whatever Fiken calls changed: so late a payment is seen at
    most where Fiken does not call its sale changed. A look is a call for each hundred open invoices, and for as many
    sales."""
    attachment_mb: int = Field(default=10, ge=1, le=100)
    """Largest file that is sent, in MB; Fiken does not publish its own limit."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that one step of a push may take, its answer included; a worker's lease must be longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a search that does not find what may have been made is believed."""


class Secrets(BaseModel):
    """What Fiken gives for access."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    token: SecretStr | None = None
    """A personal token, made by the user in Fiken (Rediger konto, API): for a company's own integration only. Else
    people sign in, and `client_id` and `client_secret` are needed."""
    client_id: SecretStr | None = None
    """Ours: Fiken gives it to an app that was registered there."""
    client_secret: SecretStr | None = None
    """Ours, with `client_id`."""

    @model_validator(mode="after")
    def _one_way(self) -> Secrets:
        ours = (self.client_id is not None, self.client_secret is not None)
        if (self.token is not None, *ours) not in {(True, False, False), (False, True, True)}:
            raise PydanticCustomError(
                "one-way-in",
                "give either token (a personal token), or client_id and client_secret for people who sign in",
            )
        return self


class FikenPlugin:
    """What the entry point names."""

    name = "fiken"
    title = "Fiken"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = None
    wire: Mapping[Kind, type[BaseModel]] = {
        Kind.CUSTOMER: wire.Customer,
        Kind.SUPPLIER: wire.Supplier,
        Kind.PRODUCT: wire.Product,
        Kind.PROJECT: wire.Project,
        Kind.INVOICE: wire.Invoice,
        Kind.CREDIT_NOTE: wire.CreditNote,
        Kind.EXTERNAL_INVOICE: wire.ExternalInvoice,
        Kind.PAYMENT: wire.Payment,
        Kind.SETTLEMENT: wire.Settlement,
        Kind.SUPPLIER_INVOICE: wire.SupplierInvoice,
    }
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> Accounting:
        """An open connection to one company's books; makes no call yet."""
        from adapters.accounting.fiken.adapter import Fiken

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return Fiken(connection, settings, secrets, http)

    def oauth(self, settings: BaseModel, secrets: BaseModel) -> OAuth | None:
        """Where people sign in; None where a personal token opens the connection."""
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        if secrets.client_id is None or secrets.client_secret is None:
            return None
        return OAuth(
            f"{settings.sign_in_url}/authorize",
            f"{settings.sign_in_url}/token",
            secrets.client_id.get_secret_value(),
            secrets.client_secret,
            pkce=False,
            repeats_state=True,
        )

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and a personal token."""
        from adapters.accounting.fiken.sandbox import TOKEN, Sandbox, serve
        from adapters.accounting.fiken.sandbox.desk import BANK_NUMBER

        def told(box: Sandbox) -> None:
            # Not spaced: the sandbox bans whoever calls in parallel, and nobody for calling soon.
            waits = {"spacing": 0, "open_hours": 0, "timeout": 8, "settle": 1}
            ready(StandIn({"base_url": box.url, "invoice_account": BANK_NUMBER, **waits}, {"token": TOKEN}))

        serve(port=port, latency=latency, ready=told)


plugin = FikenPlugin()
