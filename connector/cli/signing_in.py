"""`connector connections sign-in`: a person gives a connection access by signing in at the system."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import typer

from connector.cli.common import Exit, TenantOption, err, out, tenant_of, with_house
from connector.cli.serving import api_server
from connector.errors import ConnectorError
from connector.ports import Probe
from connector.service import signing_in
from connector.service.house import House
from connector.store import grants

GLANCE = 0.5
"""Seconds between two looks whether somebody has signed in."""


def sign_in(
    name: Annotated[str, typer.Argument(help="Name of the connection in the tenant's file.")],
    tenant: TenantOption = None,
    port: Annotated[
        int, typer.Option(help="Where this command listens for the way back, where CONNECTOR_PUBLIC_URL is not set.")
    ] = 8765,
) -> None:
    """Give a connection access: prints the address at which somebody signs in at the system, and waits for it.

    The person comes back to /v1/oauth/SYSTEM/callback of the served API (CONNECTOR_PUBLIC_URL); where that is not set,
    to http://127.0.0.1:PORT, on which this command listens: then the browser must run on this machine. The system has
    to know that address. Exit status 1: nobody signed in in time, or the connection does not work.
    """

    async def use(house: House) -> Probe | ConnectorError | None:
        spoke = house.named(tenant_of(house, tenant), name)
        public = house.settings.public_url
        redirect = signing_in.way_back(public or f"http://127.0.0.1:{port}", house.system(spoke))
        begun = await signing_in.begin(house, spoke, redirect=redirect, who="command line")
        async with contextlib.nullcontext() if public else _listening(house, port):
            out.print("Open this address with a browser, and sign in:\n", markup=False)
            out.print(begun.url, markup=False, soft_wrap=True)
            out.print(f"\nThe way back: {redirect} (the system must know it).", markup=False)
            if not await _granted(house, spoke.id, begun.ends):
                return None
        try:
            return await house.probe(spoke)
        except ConnectorError as error:
            return error

    found = with_house(use)
    if found is None:
        err.print("Nobody has signed in in time. Begin again.")
    raise typer.Exit(Exit.FINE if found is not None and worked(name, found) else Exit.WRONG)


def worked(name: str, found: Probe | ConnectorError) -> bool:
    """Say how a test call went; whether it succeeded."""
    if isinstance(found, ConnectorError):
        err.print(f"{name} does not work yet: {found.said}\n  {found.do}", markup=False)
        return False
    out.print(f"{name} works: {found.company} ({found.organisation_number or 'no organisation number'})")
    for missing in found.missing:
        out.print(f"  missing: {missing}", markup=False)
    return True


async def _granted(house: House, connection: str, ends: datetime) -> bool:
    """Whether somebody signs in, here or at another process, before that moment."""
    before = await house.store.read(lambda tx: grants.get(tx, connection))
    while house.store.clock() < ends:
        now = await house.store.read(lambda tx: grants.get(tx, connection))
        if now is not None and (before is None or now.created != before.created):
            return True
        await asyncio.sleep(GLANCE)
    return False


@asynccontextmanager
async def _listening(house: House, port: int) -> AsyncIterator[None]:
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise typer.BadParameter(f"Port {port} cannot be listened on ({error.strerror}); choose another.") from None
    server = api_server(house, house.settings)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
