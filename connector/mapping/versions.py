"""Versions of a connection's mapping: its layers as text that can be kept and read again, and where others come from.

What a version is, its content hash says: tables and kinds as they hold with all layers. Settings, routes and duties of
a tenant are no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from connector.errors import Misconfigured, Missing
from connector.mapping import files, reading, source
from connector.mapping.format import Content, SharedFile, TenantFile
from connector.mapping.layers import Find, Layer
from connector.mapping.load import Mapping, Plugins, build
from connector.mapping.problems import stop_on
from connector.mapping.tenants import load_tenant


def kept(mapping: Mapping) -> list[dict[str, Any]]:
    """The layers of a mapping, lowest first, as they are kept: name, file, place in the file, and the file's text."""
    return [
        {"layer": layer.name, "file": layer.source.file, "at": list(layer.at), "text": layer.source.text}
        for layer in mapping.stack.layers
    ]


def rebuilt(system: str, version: str, layers: Sequence[Map[str, Any]], plugins: Plugins) -> Mapping:
    """The mapping that these layers made when they were kept as this version. Its files are named `FILE@VERSION`.

    Raises:
        Misconfigured: this program can no longer use it (`mapping-version-unusable`), with all that is wrong with it.
    """
    try:
        found = [_layer(said, version) for said in layers]
        mapping, problems = build(system, found, plugins)
        stop_on(problems)
    except Misconfigured as error:
        raise Misconfigured(
            f"The mapping that is in force (version {version}) cannot be used by this program: {error.said}",
            code="mapping-version-unusable",
            do="Mend the files (connector mappings check), then put them in force: connector mappings apply.",
            where={"version": version, **error.where},
            details=error.details,
        ) from None
    assert mapping is not None
    return mapping


def _layer(said: Map[str, Any], version: str) -> Layer:
    file, at = f"{said['file']}@{version}", tuple(said["at"])
    text, problems = source.parse(said["text"], file)
    stop_on(problems)
    assert text is not None
    found, problems = reading.of_source(text, Path(said["file"]))
    stop_on(problems)
    assert found is not None
    if isinstance(found.content, TenantFile):
        content: Content | None = found.content.connections[at[1]].mapping
    elif isinstance(found.content, SharedFile):
        content = Content(tables=found.content.tables)
    else:
        content = found.content
    assert content is not None
    return Layer(said["layer"], content, text, at)


def of_files(tenant: str, connection: str, plugins: Plugins, find: Find = files.find) -> Mapping:
    """The mapping of a connection as the files say it.

    Raises:
        Misconfigured: anything wrong with the tenant's file or one below it, all of it in `details`.
        Missing: there is no such file (`tenant-unknown`), or connection (`connection-not-found`).
    """
    connections = load_tenant(tenant, plugins=plugins, find=find).connections
    if connection not in connections:
        known = ", ".join(connections) or "none"
        raise Missing(
            f"{tenant} has no connection {connection}.", code="connection-not-found", do=f"There is: {known}."
        )
    return connections[connection].mapping


def in_place_of(path: Path) -> Find:
    """Where files are when those of a folder, or one file, stand in the place of those of the same layer and name.

    Raises:
        Misconfigured: the file is none of a mapping; what is wrong with it is in `details`.
        Missing: there is no such file or folder (`mapping-version-unknown`).
    """
    if path.is_dir():
        return partial(files.find, folders=[path, *files.roots()])
    if not path.is_file():
        raise Missing(
            f"{path} is no version that is kept, and there is no such file or folder.",
            code="mapping-version-unknown",
            do="Name `files`, `applied`, a hash (connector mappings versions), a file or a folder.",
        )
    found, problems = reading.any_file(path)
    stop_on(problems)
    assert found is not None
    said = found.content
    if isinstance(said, TenantFile):
        meant = ("tenant", said.tenant)
    elif isinstance(said, SharedFile):
        meant = ("shared", said.shared)
    else:
        meant = ("office", said.office) if said.office else ("system", said.system)
    return lambda layer, name: path if (layer, name) == meant else files.find(layer, name)
