"""`connector attention`: what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.common import (
    FieldOption,
    Format,
    FormatOption,
    TenantOption,
    fields_of,
    out,
    show,
    tenant_of,
    with_house,
)
from connector.cli.telling import differing
from connector.errors import Missing
from connector.lanes import Verb
from connector.service.house import House
from connector.store import Tx, arrivals, attention
from connector.store.attention import Item
from connector.sync import answers

app = typer.Typer(help="What waits for a person: one list, and what can be answered.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """What waits for a person: one list, and what can be answered."""
    if context.invoked_subcommand is None:
        list_items()


@app.command("list")
def list_items(
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(help="Most items shown.")] = 100,
    format: FormatOption = Format.text,
) -> None:
    """Everything that waits, oldest first."""

    async def use(house: House) -> list[Item]:
        name = tenant_of(house, tenant)
        return await house.store.read(lambda tx: attention.find(tx, tenant=name, limit=limit))

    found = with_house(use)
    value = [
        {name: getattr(item, name) for name in ("id", "code", "said", "do", "verbs", "since", "document", "connection",
         "amount", "currency", "due_date", "details")}
        for item in found
    ]  # fmt: skip
    if format is Format.json:
        show(format, value, (), (), "")
        return
    for item in found:
        amount = f"  {item.amount} {item.currency}" if item.amount is not None else ""
        due = f"  due {item.due_date}" if item.due_date else ""
        out.print(f"{item.id}  {item.since:%Y-%m-%d %H:%M}  {item.code}{amount}{due}", style="bold", markup=False)
        out.print(f"  {item.said}", markup=False)
        for line in differing(item.details):
            out.print(f"    {line}", markup=False)
        out.print(f"  {item.do}\n  answers: {', '.join(item.verbs)}", markup=False)
    if not found:
        out.print("Nothing waits for a person.")


@app.command("show")
def show_what_came(
    item: Annotated[str, typer.Argument(help="Id of the item.")],
    to: Annotated[Path | None, typer.Option("--to", help="File to write what came to, byte for byte.")] = None,
    tenant: TenantOption = None,
) -> None:
    """Show what came, where an item is about something that came in: as text, or into a file."""

    async def use(house: House) -> bytes:
        name = tenant_of(house, tenant)

        def read(tx: Tx) -> bytes:
            found = attention.get(tx, name, item)
            if found.arrival is None:
                raise Missing(
                    "This item is about nothing that came in by itself.",
                    code="no-arrival",
                    do=f"See its document: connector documents explain {found.document or 'ID'}",
                )
            return arrivals.get(tx, name, found.arrival).body

        return await house.store.read(read)

    body = with_house(use)
    if to is not None:
        to.write_bytes(body)
        out.print(f"{len(body)} bytes in {to}", markup=False)
    else:
        out.print(body.decode("utf-8", "replace"), markup=False, highlight=False)


@app.command("resolve")
def settle(
    item: Annotated[str, typer.Argument(help="Id of the item.")],
    verb: Annotated[Verb, typer.Argument(help="The answer.")],
    vendor_id: Annotated[
        str | None, typer.Option(help="With `happened` and `link`: what it is called in the system.")
    ] = None,
    field: FieldOption = None,
    who: Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
) -> None:
    """Answer an item. It is audited."""
    fields = fields_of(field)

    async def use(house: House) -> None:
        name = tenant_of(house, tenant)
        await house.store.write(
            lambda tx: answers.answer(tx, house, name, item, verb, vendor_id=vendor_id, fields=fields, who=who)
        )

    with_house(use)
    out.print(f"Settled: {verb}.")
