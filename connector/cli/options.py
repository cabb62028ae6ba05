"""`connector connections options` and `verify`: what a ledger takes now, and whether the mapping fits it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from connector import plugins
from connector.cli.common import Exit, Format, FormatOption, TenantOption, out, show, tenant_of, with_house
from connector.mapping import versions
from connector.mapping.codes import WORDS, problems
from connector.mapping.problems import Problem
from connector.options import Option, Options
from connector.service.house import House
from connector.store import attention
from connector.sync import guard, offers
from connector.sync.options import Known

Name = Annotated[str, typer.Argument(help="Name of the connection in the tenant's file.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Read it from the ledger now, however young what is kept is.")]


def options(
    name: Name, tenant: TenantOption = None, refresh: Refresh = False, format: FormatOption = Format.text
) -> None:
    """Show what may be posted to this ledger now: VAT codes, accounts, payment types, currencies, dimension values and
    which of them are required, closed periods; and what could not be read. Nothing is written.

    --format json gives JSON Schema (2020-12) of an invoice as this ledger takes it.

    Read through the connection's lane and kept for CONNECTOR_OPTIONS_AGE seconds (3600). Exit status 2: it cannot be
    read.
    """

    async def use(house: House) -> tuple[Known, dict[str, Any]]:
        spoke = house.named(tenant_of(house, tenant), name)
        known = await house.options(spoke, refresh=refresh, alone=True)
        return known, offers.schema(spoke, known, house.tenant(spoke.tenant))

    known, schema = with_house(use)
    if format is Format.json:
        typer.echo(json.dumps(schema, ensure_ascii=False, indent=2))
        return
    show(format, None, ("What", "Code", "Name", "Besides"), _rows(known.options), "Nothing could be read.")
    out.print(f"Read {known.read:%Y-%m-%d %H:%M} UTC.", markup=False)
    for right in known.options.missing:
        out.print(f"  missing: {right}", markup=False)
    for what in known.options.unknown:
        out.print(f"  could not be read: {what}", markup=False)


def verify(name: Name, tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """Read what the ledger takes, and compare it with every code that the mapping and the settings lead to.

    What is gone waits for a person (`connector attention`) until it is mended, here or there; the same is done every
    night. Exit status 0: all is there (warnings: rows as shipped that this company never had); 1: something is missing;
    2: the ledger cannot be read.
    """

    async def use(house: House) -> tuple[list[dict[str, Any]], int]:
        owner = tenant_of(house, tenant)
        spoke = house.named(owner, name)
        known = await house.options(spoke, refresh=True, alone=True)
        waiting = await house.store.read(lambda tx: attention.open_of(tx, spoke.id, guard.GONE))
        gone = [one.as_json() for one in problems(guard.all_uses(house, spoke), known.options)]
        return gone, len(waiting)

    gone, waits = with_house(use)
    if format is Format.json:
        show(format, {"connection": name, "problems": gone, "attention": waits}, (), (), "")
    else:
        for one in gone:
            said = f"{one['file']}:{one['line']}: {one['severity']} {one['code']}: {one['message']} {one['do']}"
            out.print(said, markup=False)
        out.print(f"{name}: {len(gone)} code(s) are not there; {waits} wait for a person.", markup=False)
    raise typer.Exit(Exit.WRONG if waits else Exit.FINE)


def missing_in(named: str) -> list[Problem]:
    """The codes that the files of TENANT/CONNECTION lead to, applied or not, and the ledger lacks, by line."""

    async def use(house: House) -> list[Problem]:
        tenant, _, name = named.partition("/")
        spoke = house.named(tenant, name)
        known = await house.options(spoke, alone=True)
        checked = replace(spoke, mapping=versions.of_files(tenant, name, plugins.accounting()))
        return problems(guard.all_uses(house, checked), known.options)

    return with_house(use)


def _rows(options: Options) -> Iterator[Sequence[str]]:
    for choice, values in options.lists.items():
        for one in values:
            yield WORDS.get(choice, choice), one.code, one.name, _besides(one)
    for dimension in options.dimensions:
        for one in dimension.values:
            yield dimension.name or dimension.kind, one.code, one.name, _besides(one)
    for period in options.closed or ():
        yield "closed", f"{period.start} – {period.end}", period.name, ""


def _besides(one: Option) -> str:
    said = (
        f"{one.rate.normalize():f} %" if one.rate is not None else "",
        one.currency or "",
        f"needs {' and '.join(one.requires)}" if one.requires else "",
        f"also {', '.join(one.also)}" if one.also else "",
        "" if one.active else "closed",
    )
    return ", ".join(part for part in said if part)
