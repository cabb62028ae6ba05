"""Settings of a running service: environment variables beginning with CONNECTOR_, each with a sane default."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are and how the service behaves. `connector --help` lists them."""

    model_config = SettingsConfigDict(env_prefix="CONNECTOR_", extra="ignore")

    data: Path = Field(
        default=Path("var"),
        description="Folder of the embedded store and of the key file (made on first start).",
    )
    database_url: str | None = Field(
        default=None,
        description="postgresql://… for many workers; without it the embedded store in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8080, description="Port the API listens on.")
    lease: float = Field(default=60.0, gt=0, description="Seconds a worker holds a lane before it must renew.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "text"] = Field(default="json", description="One JSON object a line, or for people.")

    def store_url(self) -> str:
        """The store's address; makes the data folder where the embedded store lives there."""
        if self.database_url:
            return self.database_url
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return f"sqlite:///{(self.data / 'connector.sqlite3').resolve()}"
