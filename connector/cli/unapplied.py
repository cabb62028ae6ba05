"""What `connector mappings check` says beside the files: which of them are not in force here."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from connector import plugins
from connector.errors import ConnectorError
from connector.mapping import load_tenant, tenants
from connector.store import Tx, connections, mapping_versions, open_store
from connector.store.opening import DEFAULT_URL


def unapplied() -> list[dict[str, str]]:
    """Connections of the store of this place whose files say something else than the version in force.

    Empty where there is no store, or it cannot be opened: files are checked without one, too. Nothing is migrated.
    """
    url = os.environ.get("CONNECTOR_DATABASE", DEFAULT_URL)
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).exists():
        return []
    try:
        return asyncio.run(_unapplied(url))
    except ConnectorError:
        return []


async def _unapplied(url: str) -> list[dict[str, str]]:
    store = await open_store(url, migrate=False)
    try:
        rows, held = await store.read(_read)
    finally:
        await store.close()
    found = []
    for name in tenants():
        try:
            said = load_tenant(name, plugins=plugins.accounting()).connections
        except ConnectorError:
            continue  # the check says what is wrong with it
        for connection, one in said.items():
            now = held.get(rows.get((name, connection), ""))
            if now is not None and now != one.mapping.version:
                found.append({"tenant": name, "connection": connection, "in_force": now, "files": one.mapping.version})
    return found


def _read(tx: Tx) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    rows = {(row.tenant, row.name): row.id for row in connections.find(tx)}
    return rows, mapping_versions.all_in_force(tx)
