"""Which version of its mapping a connection works with: the one in force, whatever its files say since.

Where nothing was ever applied, what the files say is. Files that have been changed and not applied change nothing until
somebody applies them. They are pointed out by a service that starts (in its log), by `/health/ready`, `connector sync`,
`mappings check` and `mappings versions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from connector.errors import BadInput
from connector.mapping import Mapping as SystemMapping
from connector.mapping import TenantConnection, versions
from connector.ports import AccountingPlugin
from connector.store import Store, Tx, audit, mapping_versions
from connector.store.connections import Connection
from connector.store.mapping_versions import Applied, Did

log = structlog.get_logger(__name__)

CONNECTOR = "connector"
"""Who puts a version in force that nobody has to decide about."""

DO = "Look at what it would change (connector mappings preview), then: connector mappings apply."


@dataclass(frozen=True, slots=True)
class Unapplied:
    """A connection whose files say something else than the version in force."""

    tenant: str
    connection: str
    in_force: str
    files: str


async def chosen(
    store: Store, row: Connection, said: TenantConnection, plugins: Mapping[str, AccountingPlugin]
) -> SystemMapping:
    """The mapping that a connection works with.

    Raises:
        Misconfigured: the version in force cannot be used by this program (`mapping-version-unusable`).
    """
    now = await store.read(lambda tx: mapping_versions.in_force(tx, row.id))
    if now is None:
        now = await store.write(lambda tx: put_in_force(tx, row, said.mapping, who=CONNECTOR, did="first"))
    if now.version == said.mapping.version:
        return said.mapping
    held = await kept(store, row, now.version, plugins)
    if held.version == said.mapping.version:
        # The same lines, of which this program makes another hash: nobody has changed anything.
        await store.write(lambda tx: put_in_force(tx, row, said.mapping, who=CONNECTOR))
        return said.mapping
    return held


async def kept(store: Store, row: Connection, version: str, plugins: Mapping[str, AccountingPlugin]) -> SystemMapping:
    """A version of a connection's mapping that the store keeps.

    Raises:
        Missing: it does not (`mapping-version-unknown`).
        Misconfigured: this program cannot use it (`mapping-version-unusable`).
    """
    layers = await store.read(lambda tx: mapping_versions.layers(tx, row.id, version))
    return versions.rebuilt(row.system, version, layers, plugins)


def put_in_force(
    tx: Tx, row: Connection, mapping: SystemMapping, *, who: str, did: Did = "apply", details: object = None
) -> Applied:
    """Keep a mapping and put it in force. `did="first"`: only where nothing is in force yet. What holds then."""
    before = mapping_versions.in_force(tx, row.id)
    if before is not None and (did == "first" or before.version == mapping.version):
        return before
    mapping_versions.keep(
        tx, tenant=row.tenant, connection=row.id, version=mapping.version, layers=versions.kept(mapping)
    )
    made = mapping_versions.apply(tx, tenant=row.tenant, connection=row.id, version=mapping.version, who=who, did=did)
    note(tx, made, before.version if before else None, details)
    return made


def note(tx: Tx, made: Applied, before: str | None, details: object = None) -> None:
    """Write into the audit and the feed that another version is in force."""
    said = {"version": made.version, "before": before, "did": made.did}
    audit.note(
        tx,
        tenant=made.tenant,
        who=made.who,
        did=f"mapping-{made.did}",
        about=f"connection:{made.connection}",
        details=said | ({"preview": details} if details else {}),
    )
    if made.did != "first":  # what was there from the beginning is no news
        tx.emit(made.tenant, "mapping.applied", connection=made.connection, data=said)


def log_unapplied(unapplied: Sequence[Unapplied]) -> None:
    """Have the log say, once, which files say something else than the versions that are worked with."""
    if unapplied:
        said = [f"{one.tenant}/{one.connection}: {one.in_force}, files {one.files}" for one in unapplied]
        log.warning("mapping-not-applied", connections=said, do=DO)


def shown(unapplied: Iterable[Unapplied]) -> list[dict[str, object]]:
    """Files that are not applied, as health shows them."""
    return [asdict(one) | {"do": DO} for one in unapplied]


FILES, IN_FORCE = "files", "applied"
"""Words for the version that the files say, and for the one in force."""


async def meant(store: Store, row: Connection, said: str, plugins: Mapping[str, AccountingPlugin]) -> SystemMapping:
    """The version of a connection's mapping that a person means.

    Args:
        said: `files`; `applied`; the hash of a version that is kept, or its beginning; a folder of mapping files; or
            one file: it stands in the place of the one of the same layer and name.

    Raises:
        Missing: there is nothing of that name (`mapping-version-unknown`).
        BadInput: several versions begin so (`mapping-version-unclear`).
        Misconfigured: it cannot be used; what is wrong with the files is in `details`.
    """
    if said == FILES:
        return versions.of_files(row.tenant, row.name, plugins)
    if said == IN_FORCE:
        now = await store.read(lambda tx: mapping_versions.in_force(tx, row.id))
        return await kept(store, row, now.version, plugins) if now else versions.of_files(row.tenant, row.name, plugins)
    fitting = await store.read(lambda tx: mapping_versions.known(tx, row.id, said)) if _HASH.fullmatch(said) else []
    if len(fitting) > 1:
        raise BadInput(
            f"Several versions begin with {said}: {', '.join(fitting)}.",
            code="mapping-version-unclear",
            do="Give more of the hash.",
        )
    if fitting:
        return await kept(store, row, fitting[0], plugins)
    return versions.of_files(row.tenant, row.name, plugins, versions.in_place_of(Path(said)))


_HASH = re.compile(r"[0-9a-f]{4,16}")
