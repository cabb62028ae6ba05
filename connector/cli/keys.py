"""`connector keys`: API keys of programs."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import Format, FormatOption, TenantOption, out, show, tenant_of, with_house
from connector.service.house import House
from connector.store import keys
from connector.store.keys import ApiKey

app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True, rich_markup_mode=None)

SCOPES = ("read", "write", "settle")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for: webshop, accountant …")],
    scope: Annotated[list[str], typer.Option(help="What it may do: read, write, settle. May be repeated.")] = ["read"],  # noqa: B006
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """Make a key. It is shown once, and only its hash is kept."""
    unknown = set(scope) - set(SCOPES)
    if unknown:
        raise typer.BadParameter(f"No such scope: {', '.join(sorted(unknown))}. There is: {', '.join(SCOPES)}.")

    async def use(house: House) -> tuple[ApiKey, str]:
        owner = tenant_of(house, tenant)
        return await house.store.write(lambda tx: keys.create(tx, tenant=owner, name=name, scopes=scope))

    key, secret = with_house(use)
    if format is Format.json:
        show(format, {"id": key.id, "name": key.name, "scopes": sorted(key.scopes), "secret": secret}, (), (), "")
    else:
        out.print(f"{secret}\nKeep it now: it is not shown again. Revoke it by: connector keys revoke {key.id}")


@app.command("list")
def list_keys(tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """All keys of a tenant, without their secrets."""

    async def use(house: House) -> list[ApiKey]:
        owner = tenant_of(house, tenant)
        return await house.store.read(lambda tx: keys.of(tx, owner))

    found = with_house(use)
    value = [
        {n: getattr(k, n) for n in ("id", "name", "created", "revoked")} | {"scopes": sorted(k.scopes)} for k in found
    ]
    rows = (
        (k.id, k.name, " ".join(sorted(k.scopes)), f"{k.created:%Y-%m-%d}", "revoked" if k.revoked else "")
        for k in found
    )
    show(
        format,
        value,
        ("Id", "Name", "Scopes", "Made", ""),
        rows,
        "No keys yet: connector keys create NAME --scope write",
    )


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="Id of the key.")], tenant: TenantOption = None) -> None:
    """Take a key back, at once."""

    async def use(house: House) -> None:
        owner = tenant_of(house, tenant)
        await house.store.write(lambda tx: keys.revoke(tx, owner, id))

    with_house(use)
    out.print("Revoked.")
