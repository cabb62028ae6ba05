"""`connector sync` and `plan`: do what is to be done now, or show it first."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from connector.cli.common import Exit, Format, FormatOption, TenantOption, err, out, show, tenant_of, with_house
from connector.service.house import House
from connector.store import attention
from connector.sync import reads
from connector.sync.plan import catch_up, plan

Connection = Annotated[str | None, typer.Option("--connection", "-c", help="Only this connection.")]


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
    format: FormatOption = Format.text,
) -> None:
    """Read what changed, push what is missing, and end when nothing is left to do.

    Exit status 0: all sides agree as far as can be; 1: something waits for a person (`connector attention`).
    """

    async def use(house: House) -> dict[str, Any]:
        name = tenant_of(house, tenant)
        spokes = [one for one in house.spokes(name) if connection in (None, one.name)]
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
            progress.add_task(f"Syncing {', '.join(spoke.name for spoke in spokes)}")
            for spoke in spokes:
                for reading in spoke.followed:
                    await house.store.write(lambda tx, s=spoke, r=reading: reads.poll(tx, s, r.kind))  # type: ignore[misc]
                if full:
                    await house.store.write(lambda tx, s=spoke: reads.compare(tx, s))  # type: ignore[misc]
                await house.store.write(lambda tx, s=spoke: catch_up(tx, house, s))  # type: ignore[misc]
            await house.work_until_idle()
        waiting = await house.store.read(lambda tx: attention.count(tx, name))
        return {"tenant": name, "connections": [spoke.name for spoke in spokes], "attention": waiting}

    done = with_house(use)
    if format is Format.json:
        show(format, done, (), (), "")
    else:
        out.print(f"Synced {', '.join(done['connections']) or 'nothing'} of {done['tenant']}.")
        if done["attention"]:
            out.print(f"{done['attention']} thing(s) wait for a person: connector attention list")
    raise typer.Exit(Exit.WRONG if done["attention"] else Exit.FINE)


def show_plan(
    connection: Annotated[str, typer.Option("--connection", "-c", help="Connection by its name.")],
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(help="Most steps shown.")] = 200,
    format: FormatOption = Format.text,
) -> None:
    """Show what a sync would push to a connection, and why something would stop. Nothing is written or called."""

    async def use(house: House) -> list[dict[str, Any]]:
        spoke = house.named(tenant_of(house, tenant), connection)
        steps = await house.store.read(lambda tx: plan(tx, house, spoke, limit=limit))
        return [step.as_json() for step in steps]

    steps = with_house(use)
    rows = (
        (s["action"], s["kind"], s["number"] or s["document"][:8], s["counterparty"], s["payable"], s["currency"],
         " ".join(filter(None, (s["reason"], s["do"]))))
        for s in steps
    )  # fmt: skip
    columns = ("Action", "Kind", "Document", "Counterparty", "Amount", "", "Why")
    show(format, steps, columns, rows, "Nothing is missing there.")
