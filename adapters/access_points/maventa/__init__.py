"""Maventa (Visma AutoInvoice): access point in the Nordic countries, API v1 (AutoXChange)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from adapters.access_points.maventa.formalities import FORMALITIES
from connector.ports import AccessPoint, ConnectionConfig, Formality, StandIn

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to Maventa."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str = "https://ax.maventa.com"
    """Address of the API; `https://ax-stage.maventa.com` for trials."""
    company: str
    """The company's UUID in Maventa (Innstillinger, Firmadetaljer)."""
    inbox_minutes: float = Field(default=5.0, ge=0, le=1440)
    """How often it is looked for what has come; 0: nothing is received through this connection."""
    receive_since: date | None = None
    """What Maventa received before this day (UTC) is left alone; left out: what it received before the day on which
    the connection first looks."""
    overlap_minutes: float = Field(default=60.0, ge=1, le=1440)
    """How far back each look reaches into the time before the last one, for what Maventa shows late."""
    follow_after: float = Field(default=60.0, ge=0, le=86400)
    """How long after sending the status is looked at first."""
    largest_mb: float | None = Field(default=None, gt=0)
    """Largest document that is sent, in MB; Maventa does not publish its limit."""
    parallel: int = Field(default=4, ge=1, le=16)
    """How many calls may run at a time."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that sending may take, the answer included; a worker's lease must be longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a search that does not find what may have been sent is believed."""


class Secrets(BaseModel):
    """What Maventa gives for access, and what we give it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    api_key: SecretStr
    """The user's API key (user settings in Maventa)."""
    vendor_api_key: SecretStr
    """The partner's key, of the software that calls (Software API keys)."""
    hook_secret: SecretStr | None = Field(default=None, min_length=16)
    """Ours, for Maventa's calls to us: it becomes the password in the address that Maventa calls. Without it there are
    no calls, and everything is found by looking."""


class MaventaPlugin:
    """What the entry point names."""

    name = "maventa"
    title = "Maventa (Visma AutoInvoice)"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "hook_secret"  # noqa: S105 - the name of it
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection to one company's account; makes no call yet."""
        from adapters.access_points.maventa.adapter import Maventa

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return Maventa(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address, the company and its keys."""
        from adapters.access_points.maventa.sandbox import API_KEY, COMPANY, VENDOR_API_KEY, Sandbox, serve

        def told(box: Sandbox) -> None:
            waits = {"inbox_minutes": 0.05, "follow_after": 1, "timeout": 8, "settle": 1}
            settings = {"base_url": box.url, "company": COMPANY, **waits}
            ready(StandIn(settings, {"api_key": API_KEY, "vendor_api_key": VENDOR_API_KEY}))

        serve(port=port, latency=latency, ready=told)


plugin = MaventaPlugin()
