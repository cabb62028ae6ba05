"""`connector connections`: what is connected, in which state, and the switches."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from connector.cli.adding import add
from connector.cli.common import Exit, Format, FormatOption, TenantOption, out, show, tenant_of, watched, with_house
from connector.cli.comparing import compare
from connector.cli.options import options, verify
from connector.cli.signing_in import sign_in
from connector.errors import NeedsPerson, VendorError
from connector.service.house import House
from connector.store import Tx, audit, connections, onboarding
from connector.sync.catching_up import catch_up
from connector.sync.effects import ACTIVE, OBSERVE
from connector.sync.first_sync import status
from connector.sync.onboarding import ready
from connector.sync.spokes import Spoke

app = typer.Typer(
    help="Connections to ledgers: try them, activate them, pause them.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(help="Name of the connection in the tenant's file.")]


@app.command("list")
def list_connections(tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """All connections: system, mode (observe or active), how each stands, and why one is paused.

    States: new (it is read at most), active, needs-keys (the system does not take those it has), needs-sign-in,
    missing-right (or a module), paused.
    """

    async def use(house: House) -> list[connections.Connection]:
        name = tenant_of(house, tenant)
        return await house.store.read(lambda tx: connections.find(tx, tenant=name))

    found = with_house(use, connected=False)
    names = ("id", "name", "system", "mode", "state", "paused", "paused_said", "paused_do")
    value = [{name: getattr(one, name) for name in names} | {"paused_do": one.do} for one in found]
    rows = ((one.name, one.system, one.mode, one.state, one.paused_said or "", one.do or "") for one in found)
    heads = ("Name", "System", "Mode", "State", "Why", "What helps")
    show(format, value, heads, rows, "No connection in the tenant's file.")


@app.command("test")
def try_connection(name: Name, tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """Make the cheapest calls: whose books these are, which others the same secrets open (an accountant's), and what
    rights are missing. Exit status 1: it does not work, or the books are another company's than the tenant.
    """

    async def use(house: House) -> dict[str, Any]:
        spoke = house.outside(tenant_of(house, tenant), name)
        try:
            found = await house.probe(spoke)
        except VendorError as error:
            return {"works": False, "error": error.as_json()}
        return {
            "works": True,
            "company": found.company,
            "organisation_number": found.organisation_number,
            "missing": list(found.missing),
            "needs": list(found.needs),
            "reaches": [asdict(one) for one in found.reaches],
            "webhooks": spoke.webhooks,
        }

    said = with_house(use)
    if format is Format.json:
        show(format, said, (), (), "")
    elif said["works"]:
        out.print(f"{name} works: {said['company']} ({said['organisation_number'] or 'no organisation number'})")
        if said["webhooks"]:
            out.print(f"  it calls us at {said['webhooks']}", markup=False)
        for missing in said["missing"]:
            out.print(f"  missing: {missing}", markup=False)
        if said["missing"] and said["needs"]:
            out.print("  It needs:")
            for right in said["needs"]:
                out.print(f"    {right}", markup=False)
        for one in said["reaches"]:
            out.print(f"  its secrets also open: {one['name']} (id {one['id']}, {one['organisation_number'] or '-'})")
    else:
        out.print(f"{name} does not work: {said['error']['message']}\n  {said['error']['do']}", markup=False)
        for one in _companies(said["error"].get("details")):
            out.print(f"  {one['id']}  {one['name']} ({one.get('organisation_number') or '-'})", markup=False)
    raise typer.Exit(Exit.FINE if said["works"] else Exit.WRONG)


@app.command()
def activate(
    name: Name,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Although steps of its checklist are open: which, and who says so, is written down."
        ),
    ] = False,
    who: Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
) -> None:
    """Let this connection be written to: from now on documents are pushed, those that waited too.

    Look first what that would be: `connector plan --connection NAME`. Rights that are missing are told; another
    company's books are refused. So is a connection that is led through the checklist (`connector onboard`) while a step
    is open. Exit status 0: done; 2: refused.
    """

    async def use(house: House) -> tuple[Spoke, int, list[str], bool]:
        spoke = house.named(tenant_of(house, tenant), name)
        await house.store.read(lambda tx: status.check_decided(tx, spoke))
        missing = await tried(house, spoke)
        await house.store.write(lambda tx: ready.activate(tx, house, spoke, who=who, anyway=anyway))
        with watched(f"Asking for what {name} lacks") as say:

            def told(seen: int, asked: int) -> None:
                say(f"{name}: {seen} documents looked at, {asked} to be pushed")

            asked = await catch_up(house.store, house, spoke, told=told)
        return spoke, asked, missing, await house.store.read(lambda tx: ready.BEGUN in onboarding.states(tx, spoke.id))

    spoke, asked, missing, led = with_house(use)
    out.print(f"{name}: {ACTIVE}." + (f" {asked} document(s) will now be pushed." if asked else ""))
    for right in missing:
        out.print(f"  missing: {right}", markup=False)
    if not led:
        out.print(f"  What is wise to see to was not asked: connector onboard {spoke.tenant}/{name} lists it.")


@app.command()
def observe(name: Name, tenant: TenantOption = None) -> None:
    """Only read from this connection; write nothing there."""
    _change(name, tenant, OBSERVE, lambda tx, id: connections.change(tx, id, mode=OBSERVE))
    out.print(f"{name}: {OBSERVE}.")


app.command()(compare)
app.command()(options)
app.command()(verify)
app.command()(add)
app.command("sign-in")(sign_in)


def _companies(details: Any) -> list[dict[str, Any]]:
    return [one for one in details if isinstance(one, dict) and "id" in one] if isinstance(details, list) else []


@app.command()
def pause(name: Name, tenant: TenantOption = None) -> None:
    """Do nothing with this connection until it is resumed; what is to be done waits."""
    by_hand = NeedsPerson(
        "Paused by a person.", code="paused", do=f"Go on with it: connector connections resume {name}"
    )
    _change(name, tenant, "pause", lambda tx, id: connections.pause(tx, id, by_hand))
    out.print(f"{name} is paused.")


@app.command()
def resume(name: Name, tenant: TenantOption = None) -> None:
    """Go on with a connection that was paused, by a person or because it needed one."""
    _change(name, tenant, "resume", connections.resume)
    out.print(f"{name} goes on.")


@app.command("secret")
def keep_secret(
    name: Name,
    key: Annotated[str, typer.Argument(help="Name after `vault:` in the tenant's file.")],
    tenant: TenantOption = None,
) -> None:
    """Keep a secret in the vault, for a reference `vault:KEY` in the tenant's file.

    It is asked for, or read from standard input; never an argument, which others could see.
    """
    asks = sys.stdin.isatty()
    value = typer.prompt(f"{key} of {name}", hide_input=True) if asks else sys.stdin.readline().strip()
    if not value:
        raise typer.BadParameter("Nothing was given on standard input.")

    def write(tx: Tx, id: str) -> None:
        row = connections.get(tx, id)
        connections.change(tx, id, secrets={**row.secrets, key: value})

    _change(name, tenant, "secret", write)
    out.print(f"Kept {key}.")


async def tried(house: House, spoke: Spoke) -> list[str]:
    """What is missing at a connection, by a test call: rights, or the access itself, which is asked for again before
    anything is read. Another company's books are refused.
    """
    try:
        return list((await house.probe(spoke)).missing)
    except VendorError as error:
        if error.code in ("company-differs", "company-unclear"):
            raise
        return [f"the test call ({error.said})"]


def _change(name: str, tenant: str | None, did: str, change: Any) -> None:
    async def use(house: House) -> None:
        owner = tenant_of(house, tenant)

        def write(tx: Tx) -> None:
            row = connections.named(tx, owner, name)
            change(tx, row.id)
            audit.note(tx, tenant=owner, who="command line", did=did, about=f"connection:{row.id}")

        await house.store.write(write)

    with_house(use, connected=False)
