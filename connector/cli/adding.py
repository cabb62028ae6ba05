"""`connector connections add`: a connection from nothing: written down, its secrets kept, tried."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from connector import plugins
from connector.cli.common import Exit, TenantOption, err, fail, out, with_house
from connector.cli.signing_in import sign_in, worked
from connector.errors import BadInput, ConnectorError
from connector.mapping import files, load_tenant
from connector.mapping.adding import new_tenant, with_connection
from connector.ports import AccessPointPlugin, AccountingPlugin, Probe
from connector.service.house import House
from connector.store import Tx, audit, connections


def add(
    system: Annotated[str, typer.Argument(help="The system: a plugin's name, as tripletex.")],
    tenant: TenantOption = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", "--as", help="What it is called in the tenant's file; books, or ap where it is an access point."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of it, any number.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The company's name, where the tenant is new.")] = None,
    number: Annotated[str | None, typer.Option(help="Its organisation number, where the tenant is new.")] = None,
    webhooks: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where the system reaches this service from outside, to tell or hand over."),
    ] = None,
) -> None:
    """Add a connection or an access point to a tenant's file, keep its secrets in the vault, and try it.

    What the system needs is asked for; a program gives the secrets on standard input, a line each: KEY=VALUE. A tenant
    that has no file yet gets one. Nothing is written to the system: books begin as ones that are only observed, and are
    on no route yet; through an access point goes what a route lets `connector` send. Where people sign in at the
    system, this says where, and waits. Exit status 0: it works; 1: it does not yet, and what to do is said; 2: nothing
    was added.
    """
    try:
        plugin = _plugin(system)
        outward = system in plugins.access_points()
        name = name or ("ap" if outward else "books")
        owner, path, before = _file(tenant, title, number)
        said: dict[str, Any] = {"system": system}
        if given := _settings(plugin.settings, settings or []):
            said["settings"] = given
        kept = _secrets(plugin.secrets, [plugin.hook_secret] if webhooks and plugin.hook_secret else [])
        said["secrets"] = {key: f"vault:{name}_{key}" for key in kept}
        said |= {"webhooks": webhooks} if webhooks else {}
        there = before or _new(owner, title, number)
        section = "access_points" if outward else "connections"
        _write(path, before, with_connection(there, name, said, file=path.name, section=section), owner)
    except ConnectorError as error:
        fail(error)
    out.print(f"{path}: {name} ({plugin.title}) is written.", markup=False)
    with_house(lambda house: _keep(house, owner, name, {f"{name}_{key}": value for key, value in kept.items()}),
               connected=False)  # fmt: skip
    for step in plugin.formalities:
        out.print(f"  {step.title} ({step.who}, {step.takes})", markup=False)

    async def use(house: House) -> Probe | ConnectorError | None:
        spoke = house.outside(owner, name)
        if spoke.webhooks:
            out.print(f"It calls us at {spoke.webhooks}", markup=False)
        if spoke.id in house.signs_in:
            return None
        try:
            return await house.probe(spoke)
        except ConnectorError as error:
            return error

    found = with_house(use)
    if outward:
        out.print("Let a route send and receive through it: `sends: connector`, `receives: connector`.", markup=False)
    else:
        out.print(f"The whole way from here: connector onboard {owner}/{name}", markup=False)
    if found is None:
        sign_in(name, owner)  # ends this
    raise typer.Exit(Exit.FINE if found is not None and worked(name, found) else Exit.WRONG)


def _plugin(system: str) -> AccountingPlugin | AccessPointPlugin:
    known: dict[str, AccountingPlugin | AccessPointPlugin] = {**plugins.accounting(), **plugins.access_points()}
    if system not in known:
        raise BadInput(
            f"There is no plugin for {system}.", code="system-unknown", do=f"Installed are: {', '.join(sorted(known))}."
        )
    return known[system]


def _file(tenant: str | None, title: str | None, number: str | None) -> tuple[str, Path, str | None]:
    """Whose file is meant, and what it says; None where there is none yet."""
    there = files.names("tenant")
    if tenant is None and len(there) != 1:
        raise BadInput("Whose connection is it?", code="tenant-unclear", do="Say it with --tenant NAME.")
    owner = tenant or there[0]
    if owner in there:
        path = files.find("tenant", owner)
        return owner, path, path.read_text(encoding="utf-8")
    if title is None:
        raise BadInput(
            f"There is no file for {owner} yet.",
            code="tenant-unknown",
            do="Say its company's name with --title (and --number, its organisation number): then one is made.",
        )
    return owner, files.own() / "tenants" / f"{owner}.yaml", None


def _new(owner: str, title: str | None, number: str | None) -> str:
    return new_tenant(owner, title or owner, number, date.today().replace(day=1).isoformat())  # noqa: DTZ011


def _settings(model: type[BaseModel], said: list[str]) -> dict[str, str]:
    given = {}
    for one in said:
        key, equals, value = one.partition("=")
        if not equals or key not in model.model_fields:
            raise BadInput(
                f"{one}: there is no such setting.",
                code="setting-unknown",
                do=f"Use KEY=VALUE; there are: {', '.join(model.model_fields)}.",
            )
        given[key] = value
    for key, field in model.model_fields.items():
        if field.is_required() and key not in given:
            given[key] = _asked(f"{key} ({field.description or 'needed'})")
    return given


def _secrets(model: type[BaseModel], more: Sequence[str]) -> dict[str, str]:
    """Every secret that is needed, and `more`, asked for; or what standard input says."""
    needed = [key for key, field in model.model_fields.items() if field.default is PydanticUndefined or key in more]
    if sys.stdin.isatty():
        return {key: typer.prompt(key, hide_input=True) for key in needed}
    given = dict(line.strip().partition("=")[::2] for line in sys.stdin if "=" in line)
    if wrong := given.keys() - model.model_fields.keys() | {key for key in needed if not given.get(key)}:
        raise BadInput(
            f"Standard input does not say what is needed, or something unknown: {', '.join(sorted(wrong))}.",
            code="secrets-wrong",
            do=f"Give a line KEY=VALUE for each of: {', '.join(needed)}.",
        )
    return given


def _asked(what: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"Nothing says {what}.", code="setting-missing", do="Give it with --set KEY=VALUE.")
    return str(typer.prompt(what))


def _write(path: Path, before: str | None, text: str, owner: str) -> None:
    """Write the file, if what it says then is right; else it stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".yaml.new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)
    try:
        load_tenant(owner, plugins=plugins.accounting())
    except ConnectorError:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
        raise


async def _keep(house: House, owner: str, name: str, kept: dict[str, str]) -> None:
    def write(tx: Tx) -> None:
        row = connections.named(tx, owner, name)
        connections.change(tx, row.id, secrets={**row.secrets, **kept})
        audit.note(tx, tenant=owner, who="command line", did="add", about=f"connection:{row.id}")

    await house.store.write(write)
    if not kept:
        err.print("It needs no secrets.")
