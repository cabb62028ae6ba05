"""What the commands share: formats, errors as a person reads them, the open service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connector.errors import ConnectorError
from connector.service.logs import configure
from connector.service.settings import Settings, load

if TYPE_CHECKING:
    from connector.service.house import House

T = TypeVar("T")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class Format(StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME=SIDE",
        help="With merge: whose value of a field holds; repeatable.",
    ),
]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Tenant; not needed where there is only one.")]


class Exit:
    """Exit statuses."""

    FINE = 0
    WRONG = 1
    UNUSABLE = 2


def fail(error: ConnectorError, status: int = Exit.UNUSABLE) -> NoReturn:
    """Say what is wrong and what helps, on standard error, and end."""
    err.print(f"[bold]{error.code}[/]: ", end="")
    err.print(error.said, markup=False)
    faults = error.details if isinstance(error.details, list) else []
    for fault in faults[:50]:
        err.print("  - " + (_fault(fault) if isinstance(fault, dict) else str(fault)), markup=False)
    place = ", ".join(f"{name} {value}" for name, value in error.where.items())
    if place:
        err.print("  at " + place, markup=False)
    if error.do:
        err.print("  " + error.do, markup=False)
    raise typer.Exit(status)


def _fault(fault: Mapping[str, Any]) -> str:
    """One of many faults: as sentences at its place, else all that is known of it."""
    place = fault.get("step") or (fault.get("file") and f"{fault['file']}:{fault.get('line') or ''}".rstrip(":"))
    said = [fault[name] for name in ("said", "message", "do") if fault.get(name)]
    if place and said:
        return f"{place}: " + " ".join(map(str, said))
    return "; ".join(f"{name}: {value}" for name, value in fault.items() if value)


def settings_of_here() -> Settings:
    """The settings of this environment; what is wrong with them is said as a person reads it."""
    try:
        return load()
    except ConnectorError as error:
        fail(error)


def with_house(use: Callable[[House], Awaitable[T]], *, connected: bool = True) -> T:
    """Open the service, use it, close it; errors are said as a person reads them."""
    from connector.service.house import open_house  # loads everything: not for commands that need nothing of it

    async def run() -> T:
        async with open_house(connected=connected) as house:
            return await use(house)

    settings = settings_of_here()
    configure(settings.log_level if settings.log_level != "info" else "warning", "text")
    try:
        return asyncio.run(run())
    except ConnectorError as error:
        fail(error)


@contextmanager
def watched(said: str) -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being done, and for how long; gives what changes its words."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        line = progress.add_task(said)
        yield lambda now: progress.update(line, description=now)


def tenant_of(house: House, name: str | None) -> str:
    """The tenant that is meant: the one named, else the only one."""
    if name is not None:
        return house.tenant(name).name
    names = [*house.tenants, *house.stopped]
    if len(names) == 1:
        return house.tenant(names[0]).name
    known = ", ".join(sorted(names)) or "none yet: write mappings/tenants/NAME.yaml"
    raise typer.BadParameter(f"Say which tenant with --tenant. There is: {known}.")


def fields_of(said: list[str] | None) -> dict[str, str]:
    """What `FieldOption` says: side by field."""
    pairs = [one.partition("=") for one in said or ()]
    for name, _, side in pairs:
        if not name or side not in ("ours", "theirs"):
            raise typer.BadParameter("Say a field and a side, as in --field party.name=theirs.")
    return {name: side for name, _, side in pairs}


def show(format: Format, value: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """A list as a table for people, or as JSON for programs."""
    if format is Format.json:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
        return
    table = table_of(*columns)
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    if table.row_count:
        print_table(table)
    else:
        out.print(empty)


def table_of(*columns: str) -> Table:
    """An empty table. Where it is too narrow, cells go on in the next line: what is cut off cannot be copied."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        whole = column == "Id"
        table.add_column(column, overflow="fold", no_wrap=whole, min_width=_ID if whole else None)
    return table


_ID = 32
"""Letters of an id."""
_WIDE = 400


def print_table(table: Table) -> None:
    """A table, as wide as it needs to be where no terminal sets bounds: `| grep` finds whole lines."""
    console = out if out.is_terminal else Console(width=_WIDE, soft_wrap=True, highlight=False)
    console.print(table)
