"""`connector mappings preview | diff | apply | rollback | versions`: look before a version is in force, and go back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connector import plugins
from connector.cli import previewing
from connector.cli.common import (
    Exit,
    Format,
    FormatOption,
    TenantOption,
    err,
    fail,
    out,
    settings_of_here,
    show,
    tenant_of,
    with_house,
)
from connector.errors import ConnectorError
from connector.mapping.comparing import changes
from connector.service import applying, mappings
from connector.service.house import House
from connector.store import Tx, connections, mapping_versions, open_store
from connector.store.connections import Connection
from connector.store.mapping_versions import Applied

Only = Annotated[str | None, typer.Option("--connection", "-c", help="Only this connection; all of them unless said.")]
Which = Annotated[str, typer.Option("--connection", "-c", help="Connection by its name in the tenant's file.")]
Who = Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")]
_MEANT = "`files`, `applied`, a hash, a file or a folder"


def commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (preview, diff, apply, rollback, versions):
        app.command()(command)


def preview(
    connection: Which,
    version: Annotated[str, typer.Option(help=f"What is previewed: {_MEANT}.")] = mappings.FILES,
    against: Annotated[str | None, typer.Option(help=f"Show only what this makes otherwise: {_MEANT}.")] = None,
    document: Annotated[str | None, typer.Option(help="Only this one: id, number or source id.")] = None,
    last: Annotated[str, typer.Option(help="Documents that came in the last so long: 30d, 12h, or all.")] = "30d",
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Show side by side what a mapping makes of a connection's own documents, and of the records it has shown.

    Nothing is written and the system is not called. JSON is one object a line, with the figures on the last. Exit
    status 0: all can be made; 1: something stops (with --against: that does not stop there).
    """
    within = _within(last)

    async def use(house: House) -> applying.Counted:
        spoke = house.named(tenant_of(house, tenant), connection)
        row, known = await house.store.read(lambda tx: connections.get(tx, spoke.id)), plugins.accounting()
        new = await mappings.meant(house.store, row, version, known)
        old = await mappings.meant(house.store, row, against, known) if against else None
        shown = previewing.Shown(format, new, old)
        if document is not None:
            counted = applying.Counted()
            found = await house.store.read(lambda tx: previewing.one(tx, spoke, new, old, document))
            counted.add(found, 1)
            for one in found:
                shown.add(one)
            return counted
        with _progress("Previewing") as told:
            return await applying.counted_over(
                house.store, house, spoke, new, old, last=within, told=told, each=shown.add
            )

    counted = with_house(use)
    previewing.summary(format, counted, against)
    wrong = counted.stop_anew if against else counted.stop
    raise typer.Exit(Exit.WRONG if wrong else Exit.FINE)


def diff(
    a: Annotated[str, typer.Argument(help=f"{_MEANT}.")] = mappings.IN_FORCE,
    b: Annotated[str, typer.Argument(help="Likewise.")] = mappings.FILES,
    connection: Only = None,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Say what B says otherwise than A: each line, row and rule, with the layer, file and line that says it.

    Exit status 0: nothing; 1: something; 2: one of them cannot be used.
    """

    async def use(house: House) -> list[dict[str, Any]]:
        found = []
        for row in await _rows(house, tenant, connection):
            old, new = [await mappings.meant(house.store, row, said, plugins.accounting()) for said in (a, b)]
            said = [change.as_json() for change in changes(old, new)]
            found.append({"connection": row.name, "a": old.version, "b": new.version, "changes": said})
        return found

    found = with_house(use, connected=False)
    if format is Format.json:
        show(format, found, (), (), "")
    else:
        for one in found:
            out.print(f"{one['connection']}: {one['a']} → {one['b']}", style="bold", markup=False)
            _tell_changes(one["changes"])
    raise typer.Exit(Exit.WRONG if any(one["changes"] for one in found) else Exit.FINE)


def apply(
    connection: Only = None,
    last: Annotated[str, typer.Option(help="Preview the documents of the last so long: 90d, or all.")] = "90d",
    accept_stops: Annotated[
        bool, typer.Option("--accept-stops", help="Apply it although documents would stop that do not now.")
    ] = False,
    who: Who = "command line",
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Put what the files say in force, once check, test and preview have passed; for all connections or for none.

    A running service takes it over within seconds. What fails is shown, and nothing is applied. Exit status 0: applied,
    or in force already; 2: nothing was applied.
    """
    within = _within(last)

    async def use(house: House) -> list[dict[str, Any]]:
        name = tenant_of(house, tenant)
        rows = await _rows(house, name, connection)
        await house.connect()
        stopped = house.stopped.get(name)
        if stopped is not None and stopped.code != "mapping-version-unusable":
            raise stopped
        found = []
        for row in rows:
            spoke = None if stopped else house.spoke(row.id)
            with _progress(f"Previewing {row.name}") as told:
                found.append(
                    await applying.ready(
                        house.store, house, row, plugins.accounting(),
                        spoke=spoke, last=within, accept_stops=accept_stops, told=told,
                    )
                )  # fmt: skip
        return await house.store.write(lambda tx: applying.apply(tx, found, who=who))

    done = with_house(use, connected=False)
    if format is Format.json:
        show(format, done, (), (), "")
        return
    for one in done:
        if one["version"] == one["before"]:
            out.print(f"{one['connection']}: {one['version']} is in force already.")
            continue
        out.print(f"{one['connection']}: {one['version']} is in force; it was {one['before'] or 'none'}.", style="bold")
        _tell_changes(one["changes"])
        if one["preview"]:
            out.print("  previewed: {looked_at} documents, {differ} of what is made differs".format(**one["preview"]))


def rollback(
    connection: Which,
    to: Annotated[str | None, typer.Option(help="This version (its hash, or how it begins).")] = None,
    who: Who = "command line",
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Return to the version that was in force before; twice goes back twice. The files stay as they are.

    What was made meanwhile stays as it is and says by which version: `connector documents remap` shows it.
    """

    async def run() -> dict[str, Any]:
        store = await open_store(settings.database)
        try:
            row = await store.read(lambda tx: _row(tx, tenant, connection))
            return await applying.rollback(store, row, plugins.accounting(), who=who, to=to)
        finally:
            await store.close()

    settings = settings_of_here()
    try:
        done = asyncio.run(run())  # from the store alone: it works also where the files do not
    except ConnectorError as error:
        fail(error)
    if format is Format.json:
        show(format, done, (), (), "")
    else:
        out.print(f"{done['connection']}: {done['version']} is in force again; it was {done['before']}.")


def versions(connection: Only = None, tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """List what has been in force, newest first, with who put it there, and whether the files say something else."""

    async def use(house: House) -> list[dict[str, Any]]:
        found = []
        for row in await _rows(house, tenant, connection):
            log = await house.store.read(lambda tx, id=row.id: mapping_versions.history(tx, id))  # type: ignore[misc]
            files = house.tenants[row.tenant].connections[row.name].mapping.version
            found.append({"connection": row.name, "files": files, "log": log})
        return found

    found = with_house(use, connected=False)
    value = [one | {"log": [_entry(entry) for entry in one["log"]]} for one in found]
    rows = [
        (one["connection"], entry.version, entry.did, entry.who, f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}",
         "in force" if entry is one["log"][0] else "")
        for one in found
        for entry in one["log"]
    ]  # fmt: skip
    columns = ("Connection", "Version", "How", "Who", "When", "")
    show(format, value, columns, rows, "Nothing has been applied yet: the first start applies what the files say.")
    for one in found if format is Format.text else ():
        if one["log"] and one["log"][0].version != one["files"]:
            err.print(f"{one['connection']}: the files say {one['files']}, which is not applied. {mappings.DO}")


async def _rows(house: House, tenant: str | None, connection: str | None) -> list[Connection]:
    """The connections that are meant: the one named, else all of the tenant's file."""
    name = tenant_of(house, tenant)
    names = list(house.tenants[name].connections)
    if connection is not None and connection not in names:
        raise typer.BadParameter(f"{name} has no connection {connection}. There is: {', '.join(names)}.")
    wanted = [connection] if connection else names

    def read(tx: Tx) -> list[Connection]:
        return [connections.named(tx, name, one) for one in wanted]

    return await house.store.read(read)


def _row(tx: Tx, tenant: str | None, connection: str) -> Connection:
    """A connection that the store knows, whatever the files say."""
    tenants = sorted({row.tenant for row in connections.find(tx)})
    if tenant is None and len(tenants) > 1:
        raise typer.BadParameter(f"Say which tenant with --tenant. There is: {', '.join(tenants)}.")
    return connections.named(tx, tenant or "".join(tenants), connection)


def _entry(entry: Applied) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("version", "did", "who", "at", "seq", "before")}


def _tell_changes(said: list[dict[str, Any]]) -> None:
    for one in said:
        sign = {"added": "+", "removed": "-", "changed": "~"}[one["what"]]
        out.print(f"  {sign} {one['where']}: {one['says']}", markup=False)
        out.print(f"      {one['file']}:{one['line']} ({one['layer']})", style="dim", markup=False)
    if not said:
        out.print("  They say the same.")


def _within(said: str) -> timedelta | None:
    """How far back: `30d`, `12h`; `all` has no end."""
    if said == "all":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dh])", said)
    if found is None:
        raise typer.BadParameter(f"{said} is no time: write 30d, 12h or all.")
    return timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])})


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(bar, completed=done, total=max(of, done))
