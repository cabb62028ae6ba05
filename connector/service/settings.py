"""Settings of a running service: environment variables that begin with CONNECTOR_, each with a sane default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connector.errors import Misconfigured
from connector.peppol.sml import PRODUCTION, TEST


class Settings(BaseSettings):
    """How the service behaves. Mapping files are found by CONNECTOR_MAPPINGS, keys by CONNECTOR_KEYS."""

    model_config = SettingsConfigDict(env_prefix="CONNECTOR_", extra="ignore")

    database: str = Field(
        default="sqlite:///connector.db",
        description="sqlite:///file (embedded, one host) or postgresql://user:password@host/database (many workers).",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port the API listens on.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+",
        description="Address at which people and systems reach the API; they come back to it after signing in.",
    )
    lease: int = Field(
        default=60, ge=10, description="Seconds after which others take over from a worker that is silent."
    )
    options_age: int = Field(
        default=3600,
        ge=0,
        description="Seconds for which what a ledger takes (codes, accounts, periods) is believed; 0: read every time.",
    )
    peppol_zone: str = Field(
        default=PRODUCTION,
        description=f"Zone of Peppol's name servers; {TEST} for trials. The two never mix.",
    )
    peppol_trust: str | None = Field(
        default=None,
        description="Folder with the certificates of Peppol's SMP authority and its root, and revocation lists.",
    )
    peppol_name_servers: str = Field(
        default="",
        description="Addresses of name servers to ask instead of the machine's own, with blanks: 192.0.2.1:5353.",
    )
    peppol_loopback: bool = Field(
        default=False, description="Take http and private addresses from publishers: for trying on one machine only."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "text"] = Field(default="json", description="One JSON object a line, or for people.")


def load() -> Settings:
    """The settings of this environment.

    Raises:
        Misconfigured: a variable has a value that it cannot have (code `settings-wrong`).
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"CONNECTOR_{str(one['loc'][0]).upper()}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise Misconfigured(
            faults[0], code="settings-wrong", do="Mend the environment variable named.", details=faults
        ) from None
