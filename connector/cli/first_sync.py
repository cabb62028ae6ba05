"""`connector first-sync`: join two filled systems: propose, approve as a file, apply, undo."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.common import Exit, Format, FormatOption, TenantOption, out, show, tenant_of, watched, with_house
from connector.service import first_sync
from connector.service.house import House
from connector.store import Tx
from connector.sync.first_sync import deciding, words
from connector.sync.first_sync.matching import Line
from connector.sync.first_sync.totals import Totals
from connector.sync.spokes import Spoke

app = typer.Typer(
    help="Join two filled systems: see what belongs together, decide line by line, link or create, and take it back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

WHO = "command line"
Name = Annotated[str, typer.Argument(help="Name of the connection in the tenant's file.")]
Here = Annotated[Path | None, typer.Option("--file", "-o", help="The file; first-sync-NAME.csv where not said.")]


class Accept(StrEnum):
    """From how certain a pair on it is proposed to be linked."""

    certain = "certain"
    likely = "likely"


@app.command()
def propose(
    name: Name,
    file: Here = None,
    accept: Annotated[
        Accept, typer.Option(help="Pairs so certain are proposed to be linked; the others are questions.")
    ] = Accept.certain,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there already.")] = False,
    limit: Annotated[int, typer.Option(help="Most lines shown here; the file has them all.")] = 40,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Read both sides, and write what belongs together as a CSV file that a person edits and approves.

    Nothing is linked and nothing is written to the ledger. Until the file is applied nothing of this connection is read
    and matched by itself. Exit status 0: no question is open; 1: lines wait for an answer (`?` in the file).
    """

    async def use(house: House) -> tuple[deciding.Proposal, bytes]:
        spoke = house.named(tenant_of(house, tenant), name)
        with watched(f"Reading {name}"):
            found = await first_sync.propose(house, spoke, accept=accept.value, who=WHO)
        return found, deciding.as_sheet(found, spoke, f"{house.store.clock():%Y-%m-%d %H:%M} UTC")

    path = file or Path(f"first-sync-{name}.csv")
    if path.exists() and not force:
        raise typer.BadParameter(f"{path} is there already; what somebody wrote into it would be lost. Use --force.")
    found, content = with_house(use)
    path.write_bytes(content)
    asked = sum(line.action is None for line in found.lines)
    counts = {action: sum(line.action == action for line in found.lines) for action in words.ACTIONS}
    if format is Format.json:
        value = {"proposal": found.id, "file": str(path), "questions": asked, **counts,
                 "lines": [_json(line) for line in found.lines]}  # fmt: skip
        show(format, value, (), (), "")
    else:
        shown = sorted(found.lines, key=lambda line: line.action is not None)[:limit]
        columns = ("Kind", "Action", "Certainty", "Ours", "Theirs", "Why")
        show(format, None, columns, map(_row, shown), "Nothing on either side is without its counterpart.")
        if len(found.lines) > limit:
            out.print(f"… and {len(found.lines) - limit} more")
        said = ", ".join(f"{number} {action}" for action, number in counts.items())
        out.print(f"{len(found.lines)} lines: {said}, {asked} question(s). Written to {path}", markup=False)
        out.print(f"Edit the column `handling`, then: connector first-sync apply {name} {path}", markup=False)
    raise typer.Exit(Exit.WRONG if asked else Exit.FINE)


@app.command()
def apply(
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The edited file; none: go on where it stopped.")
    ] = None,
    undo: Annotated[
        Path | None, typer.Option(help="Where the undo file is written; first-sync-undo-NAME.csv where not said.")
    ] = None,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Do what the file says, each line once: link, create, leave. The file is checked first, as a whole.

    Broken off, it goes on with `connector first-sync apply NAME`. What is to be made in a connection that only observes
    is made at the cut-over. Exit status 0: done, and open items agree with the receivable account; 1: something waits
    for a person, or is apart; 2: the file is wrong (nothing has been done).
    """

    async def use(house: House) -> tuple[Totals, bytes, list[str]]:
        spoke = house.named(tenant_of(house, tenant), name)
        content = file.read_bytes() if file is not None else None
        with watched(f"Joining {name}") as say:
            done = 0

            def told(begun: int) -> None:
                nonlocal done
                done += begun
                say(f"Joining {name}: {done} lines")

            def noted(things: int, of: int) -> None:
                say(f"Noting what was decided for {name}: {things} of {of}")

            totals = await first_sync.apply(house, spoke, content, file=str(file), who=WHO, told=told, noted=noted)
        return totals, *await house.store.read(lambda tx: first_sync.undo_sheet(tx, spoke))

    totals, content, waiting = with_house(use)
    path = undo or Path(f"first-sync-undo-{name}.csv")
    path.write_bytes(content)
    _show_totals(totals, format, {"undo_file": str(path), "waiting": waiting})
    if format is Format.text:
        for one in waiting[:20]:
            out.print(f"  not done: {one}", markup=False)
        out.print(f"To take it back: connector first-sync undo {name} {path}", markup=False)
    raise typer.Exit(Exit.WRONG if waiting or totals.apart else Exit.FINE)


@app.command("undo")
def take_back(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="The undo file that `apply` wrote; none: all of it."),
    ] = None,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Take a first sync back, as far as what it did is still as it was: links are dropped, documents get back what they
    said, what was made in the ledger is closed there. Lines that are taken out of the file stay as they are. Afterwards
    the first sync is open again: nothing of the connection is read until it is decided anew.

    Exit status 0: all of it; 1: some of it could not be taken back, and why.
    """

    async def use(house: House) -> tuple[int, list[str]]:
        spoke = house.named(tenant_of(house, tenant), name)
        content = file.read_bytes() if file is not None else (await house.store.read(partial(_all, spoke=spoke)))
        return await first_sync.undo(house, spoke, content, file=str(file or name), who=WHO)

    undone, kept = with_house(use)
    if format is Format.json:
        show(format, {"undone": undone, "kept": kept}, (), (), "")
    else:
        out.print(f"{undone} line(s) taken back.")
        for one in kept:
            out.print(f"  kept: {one}", markup=False)
    raise typer.Exit(Exit.WRONG if kept else Exit.FINE)


def _all(tx: Tx, spoke: Spoke) -> bytes:
    return first_sync.undo_sheet(tx, spoke)[0]


@app.command("totals")
def count(name: Name, tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """What customers owe: open items per customer against the receivable account, before the first sync and after it.

    Exit status 0: everything agrees; 1: something is apart.
    """

    async def use(house: House) -> Totals:
        spoke = house.named(tenant_of(house, tenant), name)
        return await house.store.read(lambda tx: first_sync.counted(tx, spoke))

    totals = with_house(use, connected=True)
    _show_totals(totals, format, {})
    raise typer.Exit(Exit.WRONG if totals.apart else Exit.FINE)


def _show_totals(totals: Totals, format: Format, more: dict[str, Any]) -> None:
    if format is Format.json:
        show(format, totals.as_json() | more, (), (), "")
        return
    rows = [(one.name or one.vendor_id, one.before, one.after, one.here) for one in totals.customers]
    show(format, None, ("Customer", "Open before", "Open after", "Open here"), rows[:40], "Nobody owes anything there.")
    for when, one in (("before", totals.before), ("after", totals.after)):
        if one is not None:
            out.print(f"Receivable account {when}: {one['account']}; its open items: {one['open'] + one['loose']}")
    for said in totals.apart[:40]:
        out.print(f"  apart: {said}", markup=False)


def _row(line: Line) -> Sequence[Any]:
    return (
        line.kind,
        line.action or words.QUESTION,
        line.certainty,
        _thing(line.ours),
        _thing(line.theirs),
        words.why(line, "en"),
    )


def _thing(thing: Any) -> str:
    return "" if thing is None else " ".join(str(part) for part in (thing.number, thing.name, thing.amount) if part)


def _json(line: Line) -> dict[str, Any]:
    def side(thing: Any) -> Any:
        if thing is None:
            return None
        amount = None if thing.amount is None else str(thing.amount)
        return {"id": thing.id, "number": thing.number, "name": thing.name, "amount": amount}

    return {
        "kind": line.kind,
        "action": line.action,
        "certainty": line.certainty,
        "ours": side(line.ours),
        "theirs": side(line.theirs),
        "why": words.why(line, "en"),
    }
