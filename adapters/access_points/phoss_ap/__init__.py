"""phoss-ap: self-hosted Peppol access point, open source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from adapters.access_points.phoss_ap.formalities import FORMALITIES
from connector.ports import AccessPoint, ConnectionConfig, Formality, StandIn

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to phoss-ap."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str
    """Address of the server, without `/api`: `https://ap.example`."""
    country: str = Field(default="NO", pattern="^[A-Z]{2}$")
    """Where the company is that receives through this connection, ISO 3166-1 alpha-2: the access point reports it."""
    hook_header: str = Field(default="X-Hook-Secret", pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")
    """Name of the fixed header by which phoss-ap proves itself when it hands over what came."""
    parallel: int = Field(default=4, ge=1, le=64)
    """How many calls may run at a time. Each document is sent while its call waits, which takes seconds."""
    largest_mb: int | None = Field(default=None, ge=1, le=1024)
    """Largest document that is sent, in MB, where the server has a limit."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that a call may take, its answer included; a worker's lease must be longer. The server makes its first
    attempt meanwhile: an answer that comes later is lost, and looked for."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which a document that is not found is believed not to have arrived."""
    follow_after: float = Field(default=60.0, ge=0, le=86400)
    """Seconds after sending from which on it is worth asking what has become of it."""


class Secrets(BaseModel):
    """What opens phoss-ap, and what it opens us with."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    token: SecretStr
    """Its `phase4.api.requiredtoken`, sent as `X-Token`."""
    hook_secret: SecretStr | None = Field(default=None, min_length=16)
    """What stands in the fixed header of its calls to us, at least 16 characters; left out: it hands over nothing."""


class PhossApPlugin:
    """What the entry point names."""

    name = "phoss-ap"
    title = "phoss-ap (self-hosted)"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "hook_secret"  # noqa: S105 - its name
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection; makes no call yet."""
        from adapters.access_points.phoss_ap.adapter import PhossAp

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return PhossAp(connection, settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address and token."""
        from adapters.access_points.phoss_ap.sandbox import HOOK_SECRET, TOKEN, Sandbox, serve

        def told(box: Sandbox) -> None:
            settings = {"base_url": box.url, "timeout": 8, "settle": 1, "follow_after": 0}
            ready(StandIn(settings, {"token": TOKEN, "hook_secret": HOOK_SECRET}))

        serve(port=port, latency=latency, ready=told)


plugin = PhossApPlugin()
