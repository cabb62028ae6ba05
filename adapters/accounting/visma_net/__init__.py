"""Visma Net ERP: accounting system, API v1/v2 (`api.finance.visma.net`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from adapters.accounting.visma_net import wire
from adapters.accounting.visma_net.formalities import FORMALITIES
from connector.options import Choice, chooses
from connector.ports import Accounting, ConnectionConfig, Formality, Kind, StandIn

if TYPE_CHECKING:
    from connector.http import Http
    from connector.oauth import OAuth


class Settings(BaseModel):
    """Settings of a connection to Visma Net ERP."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    tenant_id: str = Field(min_length=1)
    """The company's tenant id in Visma Connect. The id of the customer's contract yields a token that opens nothing."""
    base_url: str = "https://api.finance.visma.net"
    """Address of the API."""
    token_url: str = "https://connect.visma.com/connect/token"  # noqa: S105 - an address
    """Where Visma Connect gives tokens."""
    width: int = Field(default=4, ge=1, le=32)
    """Calls that may run at a time with this client in this company."""
    cash_account: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Number of the cash account for payments in kroner that name none."""
    cash_accounts: dict[str, str] = {}
    """The same for payments in other currencies, by currency (`{EUR: "1921"}`): Visma Net books a payment in the
    currency of its cash account."""
    fee_entry_type: str | None = None
    """Entry type of the cash accounts by which what a bank keeps of a payment is booked; without it such payments are
    refused."""
    payment_method: str | None = None
    """Payment method for payments that name none, for instance `1` or `BANK`."""
    branch: str | None = None
    """Number of the branch whose documents these are; left out, Visma Net takes the client's own."""
    dimensions: dict[str, Annotated[int, Field(ge=1)] | Literal["branch", "project"]] = {}
    """Where dimensions stand, by name (`department`, `project`, `location`, or the name of one of the company's own):
    the number of a segment of the subaccount, `branch`, or, for projects, `project` (Visma Net's own)."""
    empty_segments: dict[int, str] = {}
    """What stands in a segment of the subaccount where a line has no value, by the segment's number; left out, Visma
    Net takes what the customer, the item or the account says."""
    receivable_accounts: tuple[str, ...] = ()
    """Numbers of the accounts that customers' debts stand on; left out, those that the customer ledger controls."""
    item_class: str | None = None
    """Item class of products that are made here."""
    own_numbers: bool = False
    """The number series of invoices in Visma Net allow manual numbering on import (CS201010): what was issued elsewhere
    is kept there under its own number."""
    incoming: Literal["off", "hold", "release"] = "off"
    """What is done with incoming invoices: made on hold for a person to finish, or released. `off`: purchases are not
    touched."""
    incoming_account: str | None = Field(default=None, json_schema_extra=chooses(Choice.ACCOUNT))
    """Number of the account that purchases are booked on."""
    attachment_mb: int = Field(default=10, ge=1, le=30)
    """Largest file that is sent, in MB; Visma does not publish its own limit."""
    timeout: float = Field(default=30.0, ge=1, le=240)
    """Seconds that one step of a push may take, its answer included; a worker's lease must be longer. Visma Net cuts
    every call after four minutes."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a search that does not find what may have been made is believed."""
    release_hours: float = Field(default=24.0, gt=0, le=72)
    """Hours that a release may stay queued before a person is asked."""

    @model_validator(mode="after")
    def _places(self) -> Settings:
        places = list(self.dimensions.values())
        if twice := sorted({str(place) for place in places if places.count(place) > 1}):
            raise ValueError(f"dimensions: {', '.join(twice)} is said of two; one value cannot be both.")
        if [name for name, place in self.dimensions.items() if place == "project" and name != "project"]:
            raise ValueError("dimensions: only `project` stands in Visma Net's projects.")
        if "seller" in self.dimensions:
            raise ValueError("dimensions: sellers are not carried to Visma Net.")
        return self


class Secrets(BaseModel):
    """What Visma gives for access."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    client_id: SecretStr
    """Ours: name of the service client, `isv_…`; one for all customers."""
    client_secret: SecretStr
    """Ours: made in the Visma Developer Portal."""
    webhook_secret: SecretStr | None = Field(default=None, min_length=8)
    """The key that webhooks are signed with, as the Visma Developer Portal has it; needed where the connection has
    `webhooks`."""


class VismaNetPlugin:
    """What the entry point names."""

    name = "visma-net"
    title = "Visma Net ERP"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "webhook_secret"  # noqa: S105 - the name of it
    wire: Mapping[Kind, type[BaseModel]] = {
        Kind.CUSTOMER: wire.Customer,
        Kind.PRODUCT: wire.Item,
        Kind.DEPARTMENT: wire.DimensionValue,
        Kind.PROJECT: wire.DimensionValue,
        Kind.DIMENSION: wire.DimensionValue,
        Kind.SUPPLIER: wire.Supplier,
        Kind.SUPPLIER_INVOICE: wire.SupplierInvoice,
        Kind.INVOICE: wire.Invoice,
        Kind.CREDIT_NOTE: wire.CreditNote,
        Kind.PAYMENT: wire.Payment,
        Kind.SETTLEMENT: wire.Settlement,
        Kind.REVERSAL: wire.Reversal,
    }
    formalities: Sequence[Formality] = FORMALITIES

    def oauth(self, settings: BaseModel, secrets: BaseModel) -> OAuth | None:
        """Nobody signs in: the company connects our client in Visma App Store, and its secrets open it."""
        return None

    def open(self, connection: ConnectionConfig, http: Http) -> Accounting:
        """An open connection to one company's books; makes no call yet."""
        from adapters.accounting.visma_net.adapter import VismaNet

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return VismaNet(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and secrets."""
        from adapters.accounting.visma_net.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox, serve
        from adapters.accounting.visma_net.sandbox.desk import BANK, METHOD

        def told(box: Sandbox) -> None:
            settings = {
                "base_url": box.url, "token_url": box.token_url, "tenant_id": TENANT_ID,
                "cash_account": BANK, "payment_method": METHOD, "timeout": 8, "settle": 1,
            }  # fmt: skip
            ready(StandIn(settings, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}))

        serve(port=port, latency=latency, ready=told)


plugin = VismaNetPlugin()
