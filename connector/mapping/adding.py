"""A connection is written into a tenant's file, where the rest of it stays as people wrote it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from connector.errors import Clash


def with_connection(text: str, name: str, said: Mapping[str, Any], *, file: str) -> str:
    """The text of a tenant's file with one more connection; comments and order stay.

    Args:
        said: what a connection says: system, settings, secrets.
        file: the name of the file, for errors.

    Raises:
        Clash: `connection-exists`.
    """
    yaml = _yaml()
    tenant = yaml.load(text)
    if tenant.get("connections") is None:
        tenant["connections"] = CommentedMap()
    if name in tenant["connections"]:
        raise Clash(
            f"{file} has a connection {name} already.",
            code="connection-exists",
            do="Choose another with --name; or change the one there in the file.",
            where={"connection": name, "file": file},
        )
    if not tenant["connections"]:
        tenant["connections"].fa.set_block_style()  # `{}` is nothing to go on with
    tenant["connections"].insert(0, name, dict(said))  # the last one may carry the comment of what comes after it
    out = io.StringIO()
    yaml.dump(tenant, out)
    return out.getvalue()


def new_tenant(name: str, title: str, organisation_number: str | None, start: str) -> str:
    """The text of a file for a new tenant, without connections and routes. `start`: a day, as ISO text."""
    out = io.StringIO()
    said = {"layer": "tenant", "tenant": name, "title": title}
    said |= {"organisation_number": organisation_number} if organisation_number else {}
    _yaml().dump(said, out)
    return (
        f"{out.getvalue()}start: {start}      # documents dated from this day on are kept alike\n\n"
        "connections: {}\n\n"
        "routes: {}      # which documents go where, and who does what: docs/mapping.md\n"
    )


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    return yaml
