"""Settings and secrets of a connection, from the tenant's file, the environment and the vault."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from connector.errors import Misconfigured
from connector.mapping import Tenant, TenantConnection
from connector.mapping.tenants import TenantAccessPoint
from connector.store.connections import Connection


def revealed(tenant: Tenant, said: TenantConnection | TenantAccessPoint, row: Connection) -> dict[str, str]:
    """The secrets that a file refers to, from environment or vault. Raises `Misconfigured` (`secret-missing`)."""
    found: dict[str, str] = {}
    for name, reference in said.said.secrets.items():
        kind, _, key = reference.partition(":")
        value = os.environ.get(key) if kind == "env" else row.secrets.get(key)
        if not value:
            place = f"environment variable {key}" if kind == "env" else f"vault entry {key}"
            line = said.secret_lines.get(name, said.line)
            raise Misconfigured(
                f"{tenant.file}:{line}: The connection {said.id} needs {name}, and the {place} is not there.",
                code="secret-missing",
                do=f"Set {key} before starting."
                if kind == "env"
                else f"Store it: connector connections secret {said.id} {key} --tenant {tenant.name}",
                where={"connection": said.id, "secret": name, "file": tenant.file, "line": line},
            )
        found[name] = str(value)
    return found


def validated(model: type[BaseModel], said: Mapping[str, Any], what: str, place: Mapping[str, Any]) -> BaseModel:
    """Settings or secrets as the plugin's model has them. Raises `Misconfigured` (`settings-wrong`)."""
    try:
        return model.model_validate(dict(said))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Misconfigured(
            f"{place['file']}:{place['line']}: {what}: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            code="settings-wrong",
            where=place,
        ) from None
