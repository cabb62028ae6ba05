"""What `connector mappings check` says beside the files: which of them are not in force here."""

from __future__ import annotations

import os

from connector import plugins
from connector.errors import ConnectorError
from connector.mapping import load_tenant, tenants
from connector.store.looking import versions_in_force
from connector.store.opening import DEFAULT_URL


def unapplied() -> list[dict[str, str]]:
    """Connections of the store of this place whose files say something else than the version in force.

    Empty where there is no store, or it cannot be read: files are checked without one, too. Nothing is written.
    """
    held = versions_in_force(os.environ.get("CONNECTOR_DATABASE") or DEFAULT_URL)
    found = []
    for name in tenants() if held else ():
        try:
            said = load_tenant(name, plugins=plugins.accounting()).connections
        except ConnectorError:
            continue  # the check says what is wrong with it
        for connection, one in said.items():
            now = held.get((name, connection))
            if now is not None and now != one.mapping.version:
                found.append({"tenant": name, "connection": connection, "in_force": now, "files": one.mapping.version})
    return found
