"""e-invoice.be: access point with a REST API, v1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from adapters.access_points.e_invoice_be.formalities import FORMALITIES
from connector.ports import AccessPoint, ConnectionConfig, Formality, StandIn

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to e-invoice.be."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str = "https://api.e-invoice.be"
    """Address of the API; `https://api-dev.e-invoice.be` for trials."""
    inbox_minutes: float = Field(default=5.0, ge=0, le=1440)
    """How often it is looked for what has come; 0: nothing is received through this connection."""
    receive_since: date | None = None
    """What e-invoice.be received before this day (UTC) is left alone; left out: what it received before the day on
    which the connection first looks."""
    overlap_minutes: float = Field(default=60.0, ge=1, le=1440)
    """How far back each look reaches into the time before the last one, for what is shown late; and how long a document
    that cannot be fetched yet is waited for."""
    follow_after: float = Field(default=60.0, ge=0, le=86400)
    """How long after sending the status is looked at first."""
    largest_mb: float | None = Field(default=None, gt=0)
    """Largest document that is sent, in MB; e-invoice.be does not publish its limit."""
    parallel: int = Field(default=4, ge=1, le=16)
    """How many calls may run at a time."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that each of the two steps of sending may take, their answers included; a worker's lease must be
    longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a look is believed that shows nothing of what may have been done."""


class Secrets(BaseModel):
    """What e-invoice.be gives for access, and what it signs its calls with."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    api_key: SecretStr
    """The API key of the company's account."""
    hook_secret: SecretStr | None = Field(default=None, min_length=1)
    """The secret that e-invoice.be made for the webhook. Without it there are no calls, and everything is found by
    looking."""


class EInvoiceBePlugin:
    """What the entry point names."""

    name = "e-invoice-be"
    title = "e-invoice.be"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "hook_secret"  # noqa: S105 - the name of it
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection to one company's account; makes no call yet."""
        from adapters.access_points.e_invoice_be.adapter import EInvoiceBe

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return EInvoiceBe(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and a key."""
        from adapters.access_points.e_invoice_be.sandbox import API_KEY, Sandbox, serve

        def told(box: Sandbox) -> None:
            waits = {"inbox_minutes": 0.05, "follow_after": 1, "timeout": 8, "settle": 1}
            ready(StandIn({"base_url": box.url, **waits}, {"api_key": API_KEY}))

        serve(port=port, latency=latency, ready=told)


plugin = EInvoiceBePlugin()
