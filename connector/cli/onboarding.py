"""`connector onboard`: from the first key to the day from which a ledger is written to, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connector.cli.common import Exit, Format, FormatOption, TenantOption, out, show, tenant_of, watched, with_house
from connector.errors import BadInput
from connector.service import onboarding
from connector.service.house import House
from connector.sync.onboarding import cutting, observing
from connector.sync.onboarding.checklist import Step
from connector.sync.spokes import Spoke

WHO = "command line"


class _Checklist(TyperGroup):
    """A group whose command is `checklist` where none is named: `connector onboard acme/books`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["checklist", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Checklist,
    help="Lead a connection from its first key to the day from which it is written to, and back.\n\n"
    "connector onboard TENANT[/CONNECTION] shows the checklist: what is done, open or blocked, who does what, how long"
    " it takes. It can be left and taken up again at any time.",
    rich_markup_mode=None,
)
Target = Annotated[
    str | None, typer.Argument(metavar="[TENANT[/CONNECTION]]", help="Which connection, or all of them.")
]
Only = Annotated[
    str | None, typer.Option("--connection", "-c", help="Connection by its name; not needed where there is one.")
]


@app.command()
def checklist(
    target: Target = None,
    offline: Annotated[bool, typer.Option("--offline", help="Make no test call: show what is known.")] = False,
    format: FormatOption = Format.text,
) -> None:
    """Show each step, done, open or blocked, with what a person must do and how long it takes.

    A test call shows whether keys, rights and modules are there. A connection that was never read rests from now on,
    until its first sync is decided. Exit status 0: all is done; 1: something is open or blocked.
    """

    async def use(house: House) -> list[tuple[Spoke, list[Step]]]:
        found = _meant(house, target, None)
        return [(spoke, await onboarding.look(house, spoke, call=not offline, who=WHO)) for spoke in found]

    shown = with_house(use)
    if format is Format.json:
        value = [
            {"tenant": spoke.tenant, "connection": spoke.name, "steps": [step.as_json() for step in steps]}
            for spoke, steps in shown
        ]
        show(format, value, (), (), "")
    else:
        for spoke, steps in shown:
            _print(spoke, steps)
    done = all(step.state == "done" for _, steps in shown for step in steps)
    raise typer.Exit(Exit.FINE if done else Exit.WRONG)


_MARKS = {"done": "[x]", "open": "[ ]", "blocked": "[-]"}


def _print(spoke: Spoke, steps: list[Step]) -> None:
    out.print(f"{spoke.tenant}/{spoke.name}", style="bold")
    for step in steps:
        out.print(f"  {_MARKS[step.state]} {step.name}: {step.title}", markup=False)
        if step.said:
            out.print(f"        {step.said}", markup=False)
        if step.state == "blocked":
            out.print(f"        first: {', '.join(step.after)}", markup=False)
        elif step.state == "open":
            out.print(f"        {step.do}", markup=False)
            out.print(f"        by: {step.who}; takes: {step.takes}", markup=False)
    done = sum(step.state == "done" for step in steps)
    out.print(f"  {done} of {len(steps)} steps are done.")


@app.command()
def confirm(
    step: Annotated[str, typer.Argument(help="Name of the step, as the checklist shows it.")],
    note: Annotated[str, typer.Option(help="What a colleague should know of it.")] = "",
    day: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The day, for go-live.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back: it is not done.")] = False,
    connection: Only = None,
    tenant: TenantOption = None,
) -> None:
    """Say that a step is done, which only a person knows."""

    async def use(house: House) -> tuple[Spoke, bool]:
        spoke = _one(house, tenant, connection)
        if withdraw:
            return spoke, await house.store.write(lambda tx: onboarding.withdraw(tx, house, spoke, step, who=WHO))
        when = day.date() if day else None
        await house.store.write(lambda tx: onboarding.confirm(tx, house, spoke, step, note=note, day=when, who=WHO))
        return spoke, True

    spoke, changed = with_house(use)
    said = "is open again" if withdraw and changed else "was not confirmed" if not changed else "is done"
    out.print(f"{spoke.tenant}/{spoke.name}: {step} {said}.", markup=False)


@app.command()
def report(
    nights: Annotated[int, typer.Option(help="How many nights.", min=1)] = 7,
    now: Annotated[bool, typer.Option("--now", help="What a sync would do now; it is not kept.")] = False,
    connection: Only = None,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Show, for each night of observing, what a sync would have done. Nothing is written anywhere.

    Exit status 0: nothing would have stopped; 1: something would have, or there is no report yet.
    """

    async def use(house: House) -> list[observing.Report]:
        spoke = _one(house, tenant, connection)
        if now:
            return [await house.store.read(lambda tx: observing.observed(tx, house, spoke))]
        return (await house.store.read(lambda tx: observing.reports(tx, spoke)))[-nights:]

    found = with_house(use)
    rows = [
        (one.at[:16], kind, actions.get("create", 0), _money(one.amounts.get(kind)), actions.get("wait", 0),
         actions.get("stop", 0))
        for one in found
        for kind, actions in (one.would or {"(nothing)": {}}).items()
    ]  # fmt: skip
    columns = ("Night (UTC)", "Kind", "Would be made", "Over", "Waits", "Would stop")
    show(format, [one.as_json() for one in found], columns, rows, "No night has been observed yet.")
    if format is Format.text and found:
        for stop in found[-1].stops[:20]:
            words = f"{stop['kind']} {stop['number'] or stop['document'][:8]}: {stop['reason']} {stop['do']}"
            out.print(f"  would stop: {words}", markup=False)
    raise typer.Exit(Exit.FINE if found and not found[-1].count("stop") else Exit.WRONG)


def _money(sums: dict[str, str] | None) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in (sums or {}).items())


_DOING = {
    "leaving": "leaving out what is older",
    "making": "having made what the first sync said",
    "asking": "asking for what is lacking",
    "live": "written to",
}


@app.command("cut-over")
def cut_over(
    go_live: Annotated[
        datetime | None,
        typer.Option("--go-live", formats=["%Y-%m-%d"], help="The day: what is dated before it stays where it is."),
    ] = None,
    connection: Only = None,
    tenant: TenantOption = None,
) -> None:
    """From now on the connection is written to. Refused, with all reasons, while a step of the checklist is open.
    Broken off, it goes on where it stopped when it is run again.

    Exit status 0: done; 2: refused.
    """

    async def use(house: House) -> tuple[Spoke, cutting.Cut]:
        spoke = _one(house, tenant, connection)
        await onboarding.look(house, spoke, who=WHO)
        day = go_live.date() if go_live else None
        with watched(f"Cutting over {spoke.name}") as say:

            def told(cut: cutting.Cut) -> None:
                say(f"{spoke.name}: {_DOING[cut.state]}: {cut.seen} looked at, {cut.left} left, {cut.asked} asked for")

            return spoke, await cutting.cut_over(house.store, house, spoke, go_live=day, who=WHO, told=told)

    spoke, cut = with_house(use)
    out.print(f"{spoke.tenant}/{spoke.name} is written to from now on, for what is dated {cut.day} or later.")
    out.print(f"{cut.asked} thing(s) will now be pushed; {cut.left} older document(s) stay where they were booked.")


@app.command()
def back(
    file: Annotated[
        Path | None, typer.Option("--file", "-o", help="The list; written-NAME.csv where not said.")
    ] = None,
    connection: Only = None,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Write nothing more: the connection is paused and only observes. What was written since the cut-over is listed,
    with the vendor's ids and how each is undone. Doing it again lists it again.
    """

    async def use(house: House) -> tuple[Spoke, list[cutting.Written]]:
        spoke = _one(house, tenant, connection)
        return spoke, await onboarding.back(house, spoke, who=WHO)

    spoke, found = with_house(use)
    path = file or Path(f"written-{spoke.name}.csv")
    path.write_bytes(cutting.as_sheet(found))
    value = {"file": str(path), "written": [asdict(one) for one in found]}
    rows = [(f"{one.at:%Y-%m-%d %H:%M}", one.kind, one.step, one.name, one.number, one.vendor_id) for one in found]
    columns = ("When (UTC)", "Kind", "Step", "Name", "Number", "Vendor's id")
    show(format, value, columns, rows, "Nothing was written since the cut-over.")
    if format is Format.text:
        out.print(f"{spoke.tenant}/{spoke.name} is paused. The list is in {path}", markup=False)


def _meant(house: House, target: str | None, tenant: str | None) -> list[Spoke]:
    """The connections that are meant by TENANT, TENANT/CONNECTION or nothing."""
    name, _, connection = (target or "").partition("/")
    owner = tenant_of(house, name or tenant)
    if connection:
        return [house.named(owner, connection)]
    found = house.spokes(owner)
    if not found:
        raise BadInput(f"{owner} has no connection.", code="connection-not-found", do="Add one to the tenant's file.")
    return found


def _one(house: House, tenant: str | None, connection: str | None) -> Spoke:
    found = _meant(house, f"{tenant or tenant_of(house, None)}/{connection}" if connection else tenant, tenant)
    if len(found) > 1:
        names: Any = ", ".join(spoke.name for spoke in found)
        raise BadInput("Which connection?", code="connection-unclear", do=f"Name it with --connection: {names}.")
    return found[0]
