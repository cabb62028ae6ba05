"""A connection is written into a tenant's file, where the rest of it stays as people wrote it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from connector.errors import Clash

SECTIONS = ("connections", "access_points")
"""Where a tenant's file has what is outside; a name is in one of them."""


def with_connection(text: str, name: str, said: Mapping[str, Any], *, file: str, section: str = "connections") -> str:
    """The text of a tenant's file with one more connection or access point; comments and order stay.

    Args:
        said: what a connection says: system, settings, secrets.
        section: of `SECTIONS`.
        file: the name of the file, for errors.

    Raises:
        Clash: `connection-exists`.
    """
    yaml = _yaml()
    tenant = yaml.load(text)
    if any(name in (tenant.get(one) or ()) for one in SECTIONS):
        raise Clash(
            f"{file} has a connection or an access point {name} already.",
            code="connection-exists",
            do="Choose another with --name; or change the one there in the file.",
            where={"connection": name, "file": file},
        )
    if section not in tenant:
        tenant[section] = CommentedMap()
        tenant.yaml_set_comment_before_after_key(section, before="\n")
    if not tenant[section]:
        tenant[section] = tenant[section] or CommentedMap()
        tenant[section].fa.set_block_style()  # `{}` is nothing to go on with
    # Access points are tried in their order; of connections, the last one may carry the comment of what comes after it.
    place = len(tenant[section]) if section == "access_points" else 0
    tenant[section].insert(place, name, dict(said))
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
