"""Put what the files say in force: only after check, test and preview have passed, for all connections or for none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.errors import Misconfigured, Stop
from connector.mapping import Mapping as SystemMapping
from connector.mapping.check import check
from connector.mapping.comparing import Change, changes
from connector.mapping.problems import errors
from connector.mapping.versions import of_files
from connector.ports import AccountingPlugin
from connector.service import mappings
from connector.store import Store, Tx, documents, mapping_versions
from connector.store.connections import Connection
from connector.sync import preview
from connector.sync.preview import Preview
from connector.sync.spokes import Spoke, Spokes

NAMED = 20
"""How many of what stops anew a refusal names."""

Told = Callable[[int, int], None]
"""Told how many of how many documents have been looked at."""


@dataclass(slots=True)
class Counted:
    """What a preview has found. `anew`: the first of those that would stop and do not under the version in force."""

    looked_at: int = 0
    differ: int = 0
    stop: int = 0
    stop_anew: int = 0
    anew: list[Preview] = field(default_factory=list)

    def add(self, found: Sequence[Preview], looked_at: int) -> None:
        """Count a page."""
        self.looked_at += looked_at
        for one in found:
            self.differ += bool(one.differs)
            self.stop += one.made.stop is not None
            if one.against is not None and one.stops_anew:
                self.stop_anew += 1
                if len(self.anew) < NAMED:
                    self.anew.append(one)

    def as_json(self) -> dict[str, int]:
        """The figures."""
        names = ("looked_at", "differ", "stop", "stop_anew")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Ready:
    """A version that may come into force, and what it would change. `counted` is None where nothing could be compared:
    the version in force cannot be used any more.
    """

    row: Connection
    mapping: SystemMapping
    before: str | None
    changes: Sequence[Change] = ()
    counted: Counted | None = None


async def ready(
    store: Store,
    spokes: Spokes,
    row: Connection,
    plugins: Mapping[str, AccountingPlugin],
    *,
    spoke: Spoke | None,
    last: timedelta | None,
    accept_stops: bool = False,
    told: Told = lambda done, of: None,
) -> Ready:
    """What the files say of a connection, once it has passed check, test and preview.

    Args:
        spoke: the open connection; None where its version in force cannot be used: then nothing is previewed.
        last: only documents that came within this time are previewed; None: all.
        accept_stops: whether documents may stop that do not under the version in force.

    Raises:
        Misconfigured: the files are not right (`mapping-not-fine`, all of it in `details`), or changed meanwhile
            (`mapping-moved`).
        Stop: documents would stop anew (`mapping-stops`), the first of them in `details`.
    """
    mapping = of_files(row.tenant, row.name, plugins)
    report = check([Path(layer.source.file) for layer in mapping.stack.layers], plugins=plugins)
    wrong = errors(report.problems)
    if wrong:
        raise Misconfigured(
            f"The files of {row.name} have {len(wrong)} fault(s); nothing is applied.",
            code="mapping-not-fine",
            do="Mend them: connector mappings check.",
            details=[problem.as_json() for problem in wrong],
        )
    if all(one.version != mapping.version for _, one in report.mappings):
        raise Misconfigured(
            "The files were changed while they were checked; nothing is applied.", code="mapping-moved", do="Try again."
        )
    now = await store.read(lambda tx: mapping_versions.in_force(tx, row.id))
    if spoke is None or now is None or now.version == mapping.version:
        return Ready(row, mapping, now.version if now else None)
    counted = await counted_over(store, spokes, spoke, mapping, spoke.mapping, last=last, told=told)
    if counted.stop_anew and not accept_stops:
        raise Stop(
            f"Under the new version {counted.stop_anew} document(s) of {counted.looked_at} would stop that do not now;"
            " nothing is applied.",
            code="mapping-stops",
            do="Mend the mapping; or where that is what you want, apply it with --accept-stops.",
            where={"connection": row.name},
            details=[_said(one) for one in counted.anew],
        )
    return Ready(row, mapping, now.version, changes(spoke.mapping, mapping), counted)


async def counted_over(
    store: Store,
    spokes: Spokes,
    spoke: Spoke,
    mapping: SystemMapping,
    against: SystemMapping | None,
    *,
    last: timedelta | None,
    told: Told = lambda done, of: None,
    each: Callable[[Preview], None] | None = None,
) -> Counted:
    """Preview a connection's documents, those of the last so long; each is given to `each` and then forgotten."""
    start = None if last is None else preview.since(store.clock() - last)
    of = await store.read(lambda tx: documents.count(tx, spoke.tenant, after=start))
    counted, after = Counted(), start

    def page(tx: Tx) -> tuple[list[Preview], int, str | None]:
        return preview.page(tx, spokes, spoke, mapping, against, after=after)

    while True:
        found, looked_at, after = await store.read(page)
        counted.add(found, looked_at)
        for one in found if each is not None else ():
            each(one)  # type: ignore[misc]
        del found  # before the next page is made
        told(counted.looked_at, of)
        if after is None:
            return counted


def apply(tx: Tx, found: Sequence[Ready], *, who: str) -> list[dict[str, Any]]:
    """Put them in force, in one transaction. Raises `Stop` (`mapping-moved`)."""
    done = []
    for one in found:
        details = one.counted.as_json() if one.counted else None
        now = mapping_versions.in_force(tx, one.row.id)
        if (now.version if now else None) != one.before:
            raise Stop(
                f"Another version of {one.row.name} came into force meanwhile; nothing is applied.",
                code="mapping-moved",
                do="Look again: connector mappings versions.",
            )
        made = mappings.put_in_force(tx, one.row, one.mapping, who=who, details=details)
        done.append(
            {
                "connection": one.row.name,
                "version": made.version,
                "before": one.before,
                "changes": [change.as_json() for change in one.changes],
                "preview": details,
            }
        )
    return done


async def rollback(
    store: Store, row: Connection, plugins: Mapping[str, AccountingPlugin], *, who: str, to: str | None = None
) -> dict[str, Any]:
    """Put the version before in force again, or the one whose hash begins so.

    Raises:
        BadInput, Missing: as `mapping_versions.before`.
        Misconfigured: this program cannot use it (`mapping-version-unusable`); nothing is changed.
    """
    target = await store.read(lambda tx: mapping_versions.before(tx, row.id, to))
    await mappings.kept(store, row, target.version, plugins)

    def write(tx: Tx) -> dict[str, Any]:
        now = mapping_versions.in_force(tx, row.id)
        made = mapping_versions.rollback(tx, target, who=who)
        mappings.note(tx, made, now.version if now else None)
        return {"connection": row.name, "version": made.version, "before": now.version if now else None}

    return await store.write(write)


def _said(one: Preview) -> dict[str, Any]:
    stop = one.made.stop or {}
    return {
        "document": one.number or one.document,
        "kind": one.kind,
        "way": {"out": "written", "in": "read"}[one.way],
        "message": stop.get("message"),
        "do": stop.get("do"),
    }
