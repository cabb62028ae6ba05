"""Storecove: access point with a JSON API, v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from adapters.access_points.storecove.formalities import FORMALITIES
from connector.ports import AccessPoint, ConnectionConfig, Formality, StandIn

if TYPE_CHECKING:
    from connector.http import Http


class Settings(BaseModel):
    """Settings of a connection to Storecove."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str = "https://api.storecove.com/api/v2"
    """Address of the API; the sandbox lies at the same one and has keys of its own."""
    legal_entity: int = Field(ge=1)
    """The company's LegalEntity id at Storecove."""
    tenant_id: str | None = None
    """The tenant id that was given to the LegalEntity, where one key serves several companies: an event that carries
    another one is left to the other's connection."""
    parse: bool = True
    """Whether Storecove reads the document and writes one of its own from it, as it asks for by default. `false`: ours
    is sent as it is, where Storecove has opened that for the account."""
    schemes: Mapping[str, str] = Field(default_factory=dict)
    """Storecove's name for the scheme of a receiver (`"0216": "FI:OVT"`), beside those known here: 0192 and 0088."""
    evidence: Literal["evidence", "evidence/sending"] = "evidence"
    """The end of the address where proof of sending is asked for; newer descriptions of the API have the longer one."""
    inbox_minutes: float = Field(default=1.0, ge=0.01, le=60)
    """How often the queue is read. It also tells what could not be sent, so it is always read."""
    follow_after: float = Field(default=60.0, ge=0, le=86400)
    """How long after sending it is looked at first whether there is proof."""
    largest_mb: float | None = Field(default=None, gt=0)
    """Largest document that is sent, in MB; Storecove names a limit (10 MB) for attachments only."""
    parallel: int = Field(default=4, ge=1, le=16)
    """How many calls may run at a time."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that sending may take, the answer included; a worker's lease must be longer."""
    settle: float = Field(default=30.0, ge=0, le=3600)
    """Seconds after a lost answer until the call is made again, under the same key."""


class Secrets(BaseModel):
    """What Storecove gives for access, and what we give it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    api_key: SecretStr
    """The API key of the account."""
    hook_secret: SecretStr | None = Field(default=None, min_length=16)
    """Ours, for webhooks about what was sent: the password of basic authentication, as it is entered at Storecove."""


class StorecovePlugin:
    """What the entry point names."""

    name = "storecove"
    title = "Storecove"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = "hook_secret"  # noqa: S105 - the name of it
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection to one company's account; makes no call yet."""
        from adapters.access_points.storecove.adapter import Storecove

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        return Storecove(settings, secrets, http)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted; `ready` is told its address, the company and a key."""
        from adapters.access_points.storecove.sandbox import API_KEY, LEGAL_ENTITY, Sandbox, serve

        def told(box: Sandbox) -> None:
            waits = {"inbox_minutes": 0.05, "follow_after": 1, "timeout": 8, "settle": 1}
            settings = {"base_url": box.url, "legal_entity": LEGAL_ENTITY, **waits}
            ready(StandIn(settings, {"api_key": API_KEY}))

        serve(port=port, latency=latency, ready=told)


plugin = StorecovePlugin()
