"""`connector connections compare`: the full comparison, now, with its report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connector.cli.common import Exit, Format, FormatOption, TenantOption, err, out, show, tenant_of, with_house
from connector.ports import Kind
from connector.service.house import House
from connector.store import Tx
from connector.sync import reads
from connector.sync.comparison import Comparison, reports, under_way
from connector.sync.spokes import Spoke

GLANCE = 0.3
"""Seconds between two looks at how far it is."""


def compare(
    name: Annotated[str, typer.Argument(help="Name of the connection in the tenant's file.")],
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Compare everything in these books with what is here, now, as the nightly run does; what was missed is read.

    The report says what neither a poll nor a webhook had brought. Exit status 0: nothing; 1: something had been missed,
    or it could not be compared to the end.
    """

    async def use(house: House) -> dict[str, Any]:
        spoke = house.named(tenant_of(house, tenant), name)
        began = house.store.clock()
        kinds = await house.store.write(lambda tx: reads.compare(tx, spoke))
        found = await _watched(house, spoke, kinds, began)
        compared = [one.as_json() for one in found]
        return {"connection": name, "complete": len(found) == len(kinds), "compared": compared}

    said = with_house(use)
    if format is Format.json:
        show(format, said, (), (), "")
    else:
        rows = [(one["kind"], one["read"], one["new"], one["changed"]) for one in said["compared"]]
        show(format, said, ("Kind", "Read", "Missed: new", "Missed: changed"), rows, "Nothing was compared.")
        for row in (row for one in said["compared"] for row in one["named"]):
            out.print(f"  {row['kind']} {row['id']}: {row['was'] or 'not here'} -> {row['is']}", markup=False)
        if not said["complete"]:
            out.print("Not compared to the end: see `connector attention list` and `connector connections list`.")
    fine = said["complete"] and not any(one["missed"] for one in said["compared"])
    raise typer.Exit(Exit.FINE if fine else Exit.WRONG)


async def _watched(house: House, spoke: Spoke, kinds: Sequence[Kind], began: datetime) -> list[Comparison]:
    """Work until it is over, with a bar for each kind; the reports of what was compared to the end."""
    before = {one.kind: one.read for one in await house.store.read(lambda tx: reports(tx, spoke.id, kinds))}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    work = asyncio.create_task(house.work_until_idle(within=2.5))
    with Progress(*columns, console=err) as progress:
        bars = {kind: progress.add_task(kind, total=before.get(kind)) for kind in kinds}
        while True:
            over = work.done()
            ended, going = await house.store.read(lambda tx: _stands(tx, spoke, kinds, began))
            for kind, bar in bars.items():
                if kind in ended:
                    progress.update(bar, completed=ended[kind].read, total=ended[kind].read)
                elif kind in going:
                    progress.update(bar, completed=going[kind].read)
            if over:
                await work
                return list(ended.values())
            await asyncio.wait({work}, timeout=GLANCE)


def _stands(
    tx: Tx, spoke: Spoke, kinds: Sequence[Kind], began: datetime
) -> tuple[dict[str, Comparison], dict[str, Comparison]]:
    """By kind: those that have ended since a moment, and how far the others are."""
    last = reports(tx, spoke.id, kinds)
    ended = {one.kind: one for one in last if one.ended and datetime.fromisoformat(one.ended) >= began}
    going = {str(kind): found for kind in kinds if (found := under_way(tx, spoke.id, kind)) is not None}
    return ended, going
