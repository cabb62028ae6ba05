"""`connector documents remap` and `show`: which version of a mapping made what, and to have it redone."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule

from connector import plugins
from connector.cli.common import (
    Exit,
    Format,
    FormatOption,
    TenantOption,
    err,
    out,
    print_table,
    show,
    table_of,
    tenant_of,
    with_house,
)
from connector.errors import ConnectorError, Missing
from connector.mapping import Mapping
from connector.model.json import dumps
from connector.service import mappings
from connector.service.house import House
from connector.store import Tx, audit, connections, links
from connector.sync import remapping
from connector.sync.remapping import Remap
from connector.sync.spokes import Spoke

log = structlog.get_logger(__name__)

_FATES = {
    "push": "is written there again",
    "take": "is read again",
    "drift": "differs, and stays: it is issued, or a fact",
    "same": "is the same under both",
    "leave": "stays as it is",
    "wait": "has work under way",
}


def remap(
    connection: Annotated[str, typer.Option("--connection", "-c", help="Connection by its name.")],
    made_by: Annotated[
        str | None, typer.Option(help="Only what this version made (its hash, or how it begins).")
    ] = None,
    do: Annotated[bool, typer.Option("--do", help="Redo it; without, it is only shown.")] = False,
    who: Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Show what documents made by another version of the mapping would be under the one in force, field by field.

    With --do it is redone by the ordinary path: records of registers are written or read again; what has been issued,
    or is a fact, is never changed: a difference is told as drift. It may be broken off and run again; nothing is done
    twice. JSON is one object a line, with the figures on the last. Exit status 0: nothing differs (any more); 1:
    something does.
    """
    counts: dict[str, int] = {}

    async def use(house: House) -> None:
        spoke = house.named(tenant_of(house, tenant), connection)
        makers = await house.store.read(lambda tx: links.makers(tx, spoke.id))
        kept, only, total = await _older(house, spoke, makers, made_by)
        if do:
            await house.store.write(lambda tx: _note(tx, spoke, who, only))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as progress:
            bar = progress.add_task("Redoing" if do else "Comparing", total=total)
            after: str | None = None
            while found := await house.store.read(
                lambda tx, last=after: remapping.page(tx, spoke, kept.get, made_by=only, after=last)  # type: ignore[misc]
            ):
                after = found[-1].link
                for one in found:
                    now = await _redone(house, spoke, kept, one) if do else one
                    counts[now.fate] = counts.get(now.fate, 0) + 1
                    _shown(now, spoke.mapping, format)
                progress.update(bar, advance=len(found))
        if do:
            await house.work_until_idle(within=2.5)

    with_house(use)
    if format is Format.json:
        typer.echo(dumps({"summary": counts}).decode())
    else:
        for fate, count in counts.items():
            out.print(f"{count} {_FATES[fate]}.")
        if not counts:
            out.print("Everything there was made by the version in force.")
    differ = counts.keys() - {"same"} - ({"push", "take"} if do else set())
    raise typer.Exit(Exit.WRONG if differ else Exit.FINE)


async def _older(
    house: House, spoke: Spoke, makers: dict[str, int], made_by: str | None
) -> tuple[dict[str, Mapping], str | None, int]:
    """The older versions that are kept, the one that is meant where one is, and how much there is of them."""
    others = {version: count for version, count in makers.items() if version != spoke.mapping.version}
    fitting = [version for version in others if made_by and version.startswith(made_by)]
    if made_by is not None and len(fitting) != 1:
        known = ", ".join(version for version in others if version) or "none"
        raise Missing(
            f"{'Several versions' if fitting else 'No other version'} that made something there begin with {made_by}.",
            code="mapping-version-unknown",
            do=f"Others than the one in force that made something: {known}.",
        )
    row = await house.store.read(lambda tx: connections.get(tx, spoke.id))
    kept: dict[str, Mapping] = {}
    for version in filter(None, fitting or others):
        try:
            kept[version] = await mappings.kept(house.store, row, version, plugins.accounting())
        except ConnectorError as error:
            log.warning("mapping-version-unusable", version=version, code=error.code)
    only = fitting[0] if fitting else None
    return kept, only, others[only] if only is not None else sum(others.values())


async def _redone(house: House, spoke: Spoke, kept: dict[str, Mapping], one: Remap) -> Remap:
    try:
        return await house.store.write(lambda tx: remapping.redo(tx, house, spoke, kept.get, one))
    except ConnectorError as error:
        return Remap(one.link, one.made_by, "leave", one.preview, one.fields, error.said)


def _note(tx: Tx, spoke: Spoke, who: str, only: str | None) -> None:
    said = {"version": spoke.mapping.version, "made_by": only}
    audit.note(tx, tenant=spoke.tenant, who=who, did="remap", about=f"connection:{spoke.id}", details=said)


def _shown(one: Remap, now: Mapping, format: Format) -> None:
    if format is Format.json:
        typer.echo(dumps(one.as_json()).decode())
        return
    if one.fate == "same":
        return
    seen = one.preview
    name = f"{seen.kind.replace('_', ' ')} {seen.number or (seen.document or '')[:8]} {seen.counterparty or ''}".strip()
    out.print(Rule(f"{name} {_FATES[one.fate]}", align="left"))
    if one.why:
        out.print(one.why, markup=False)
    table = table_of("Field", f"as made by {one.made_by or '?'}", f"under {now.version}")
    for differs in seen.differs:
        sides = ("–" if side is None else str(side) for side in (differs.against, differs.now))
        table.add_row(*map(escape, (differs.field or seen.kind, *sides)))
    if table.row_count:
        print_table(table)


def show_document(
    document: Annotated[str, typer.Argument(help="Id of the document, or its number or source id.")],
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Show one document: its figures, where it is, and which version of the mapping made it, in each direction."""
    from connector.cli.documents import the_document

    async def use(house: House) -> dict[str, Any]:
        name = tenant_of(house, tenant)
        names = {spoke.id: (spoke.name, spoke.mapping.version) for spoke in house.spokes(name)}

        def read(tx: Tx) -> dict[str, Any]:
            found = the_document(tx, name, document)
            said = ("id", "kind", "state", "number", "source_id", "kid", "counterparty_name", "issue_date", "due_date",
                    "payable", "open_amount", "currency", "mapping_version")  # fmt: skip
            return {field: getattr(found, field) for field in said} | {
                "body": found.body,
                "links": [
                    {
                        "connection": names.get(link.connection, (link.connection, None))[0],
                        "vendor_id": link.vendor_id,
                        "number": link.number,
                        "voucher": link.voucher,
                        "written_by": link.written_by,
                        "read_by": link.read_by,
                        "in_force": names.get(link.connection, ("", None))[1],
                    }
                    for link in links.all_of(tx, found.id)
                ],
            }

        return await house.store.read(read)

    found = with_house(use)
    rows = [(name, value) for name, value in found.items() if name not in ("body", "links") and value is not None]
    for link in found["links"]:
        made = [
            f"{word} by {link[key]}" + ("" if link[key] == link["in_force"] else " (not the version in force)")
            for word, key in (("written", "written_by"), ("read", "read_by"))
            if link[key]
        ]
        rows.append(
            (f"in {link['connection']}", f"{link['number'] or link['vendor_id']}, {', '.join(made) or 'linked'}")
        )
    show(format, found, ("", ""), rows, "")
