"""`connector sync` and `plan`: do what is to be done now, or show it first and do exactly that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connector.cli.common import (
    Exit,
    Format,
    FormatOption,
    TenantOption,
    err,
    out,
    show,
    tenant_of,
    watched,
    with_house,
)
from connector.cli.connections import tried
from connector.errors import BadInput
from connector.model.json import dumps
from connector.peppol import receiving
from connector.service import mappings
from connector.service.house import House
from connector.store import Tx, attention
from connector.sync import planned, reads
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan
from connector.sync.planned import Saved
from connector.sync.spokes import Spoke

Connection = Annotated[str | None, typer.Option("--connection", "-c", help="Only this connection.")]

GLANCE = 0.3
"""Seconds between two looks at how far it is."""
ALL = 1_000_000
"""Most steps of a plan that is saved."""


def commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("sync")(sync)
    app.command("plan")(show_plan)


def sync(
    tenant: TenantOption = None,
    connection: Connection = None,
    full: Annotated[
        bool, typer.Option("--full", "--compare", help="Also compare everything, as the nightly run does.")
    ] = False,
    planned_in: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Do exactly this plan, or nothing.", dir_okay=False)
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="With --plan: let an observing connection be written to, with the plan.")
    ] = False,
    who: Annotated[
        str, typer.Option(help="Who has it done; written down with --plan.", envvar="USER")
    ] = "command line",
    format: FormatOption = Format.text,
) -> None:
    """Read what changed and what has come, push and send what is missing, and end when nothing is left to do.

    With --plan only the steps of a plan that was saved are asked for, once each has been held against the world: where
    one has moved, all that have are told and nothing is done. Exit status 0: all sides agree as far as can be (the plan
    is done); 1: something waits for a person (`connector attention`); 2: nothing was done.
    """
    if planned_in is not None:
        _do(planned_in, tenant, connection, activate=activate, who=who, format=format)

    async def use(house: House) -> dict[str, Any]:
        name = tenant_of(house, tenant)
        spokes = [one for one in house.spokes(name) if connection in (None, one.name)]
        points = [one for one in house.access_points.points(name) if connection in (None, one.name)]
        names = [*(spoke.name for spoke in spokes), *(point.name for point in points)]
        _say_unapplied(house, spokes)
        with watched(f"Syncing {', '.join(names)}") as say:
            for point in points:
                await house.store.write(lambda tx, p=point: receiving.collect(tx, p))  # type: ignore[misc]
            for spoke in spokes:
                for reading in spoke.followed:
                    await house.store.write(lambda tx, s=spoke, r=reading: reads.poll(tx, s, r.kind))  # type: ignore[misc]
                if full:
                    await house.store.write(lambda tx, s=spoke: reads.compare(tx, s))  # type: ignore[misc]
                await catch_up(house.store, house, spoke, told=partial(_looked_through, say, spoke))
            say("Reading and writing")
            await house.work_until_idle()
        waiting = await house.store.read(lambda tx: attention.count(tx, name))
        return {"tenant": name, "connections": names, "attention": waiting}

    done = with_house(use)
    if format is Format.json:
        show(format, done, (), (), "")
    else:
        out.print(f"Synced {', '.join(done['connections']) or 'nothing'} of {done['tenant']}.")
        if done["attention"]:
            out.print(f"{done['attention']} thing(s) wait for a person: connector attention list")
    raise typer.Exit(Exit.WRONG if done["attention"] else Exit.FINE)


def _looked_through(say: Callable[[str], None], spoke: Spoke, seen: int, asked: int) -> None:
    say(f"{spoke.name}: {seen} documents looked at, {asked} thing(s) asked for")


def show_plan(
    connection: Annotated[str, typer.Option("--connection", "-c", help="Connection by its name.")],
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(help="Most steps shown.", min=1)] = 200,
    all_of_it: Annotated[bool, typer.Option("--all", help="Also what would be left as it is, and why.")] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Keep the plan, for `connector sync --plan FILE`.")
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Show what a sync would create, change, pay, credit or leave at a connection, and why, as far as is known now.

    Nothing is written or called. `connector sync` reads first what has changed there: an observing connection is only
    read. Exit status 0: it can all be done; 1: something stops or waits for a person.
    """

    async def use(house: House) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        spoke = house.named(tenant_of(house, tenant), connection)

        def read(tx: Tx) -> tuple[list[dict[str, Any]], dict[str, Any]]:
            steps = plan(tx, house, spoke, limit=ALL if save else limit, leave=all_of_it)
            return [step.as_json() for step in steps], planned.save(tx, spoke, steps) if save else {}

        return await house.store.read(read)

    steps, saved = with_house(use)
    if save is not None:
        save.write_bytes(dumps(saved) + b"\n")
        err.print(f"{len(steps)} step(s) are kept in {save}.", markup=False)
    rows = (
        (s["action"], s["kind"], s["number"] or s["document"][:8], s["counterparty"], s["payable"], s["currency"],
         " ".join(filter(None, (s["reason"], s["do"]))))
        for s in steps[:limit]
    )  # fmt: skip
    columns = ("Action", "Kind", "Document", "Counterparty", "Amount", "", "Why")
    show(format, steps, columns, rows, "Nothing is missing there.")
    if any(step["action"] in ("stop", "wait") for step in steps):
        raise typer.Exit(Exit.WRONG)


def _do(file: Path, tenant: str | None, connection: str | None, *, activate: bool, who: str, format: Format) -> None:
    """Do a plan that was saved; ends the command."""

    async def use(house: House) -> dict[str, Any]:
        saved = planned.read(_bytes(file))
        if connection not in (None, saved.connection):
            raise BadInput(f"The plan is of {saved.connection}, not of {connection}.", code="plan-of-another")
        spoke = house.named(tenant_of(house, tenant or saved.tenant), saved.connection)
        _say_unapplied(house, [spoke])
        if activate:
            await tried(house, spoke)
        await house.store.write(lambda tx: planned.do(tx, house, spoke, saved, who=who, activate=activate))
        counts = await _watched(house, spoke.id, saved)
        waiting = await house.store.read(lambda tx: attention.count(tx, spoke.tenant))
        return {"tenant": spoke.tenant, "connection": spoke.name, **counts, "attention": waiting}

    done = with_house(use)
    if format is Format.json:
        show(format, done, (), (), "")
    else:
        out.print(f"{done['done']} step(s) of the plan are done at {done['connection']}.")
        if done["cancelled"]:
            out.print(f"{done['cancelled']} were cancelled by a person.")
        if done["waiting"] or done["open"]:
            out.print(
                f"{done['waiting']} wait for a person (connector attention), {done['open']} are still to be done."
            )
    raise typer.Exit(Exit.WRONG if done["waiting"] or done["open"] else Exit.FINE)


def _say_unapplied(house: House, spokes: Sequence[Spoke]) -> None:
    """Say whose files are not what is worked with; beside the answer, which programs read."""
    meant = {(spoke.tenant, spoke.name) for spoke in spokes}
    if names := [one.connection for one in house.unapplied() if (one.tenant, one.connection) in meant]:
        err.print(f"The files of {', '.join(names)} say something else than is in force. {mappings.DO}", markup=False)


async def _watched(house: House, connection: str, saved: Saved) -> dict[str, int]:
    """Work until nothing is due, with a bar; how far the plan is then."""
    work = asyncio.create_task(house.work_until_idle(within=2.5))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task(f"Doing the plan at {saved.connection}", total=len(saved.does))
        while True:
            over = work.done()
            counts = await house.store.read(lambda tx: planned.outcome(tx, house.spoke(connection), saved))
            progress.update(bar, completed=len(saved.does) - counts["open"])
            if over:
                await work
                return counts
            await asyncio.wait({work}, timeout=GLANCE)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", code="plan-malformed") from None
