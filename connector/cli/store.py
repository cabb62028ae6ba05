"""`connector store`: the database: bring it up to date, rotate its keys, say that it was restored."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from connector.cli.common import fail, out, settings_of_here
from connector.errors import ConnectorError
from connector.store import meta, open_store
from connector.store.rotation import rotate as seal_anew

T = TypeVar("T")

app = typer.Typer(
    help="The store: bring its tables up to date, rotate its keys, restore it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def upgrade() -> None:
    """Bring the tables up to date. SQLite does it by itself; PostgreSQL is asked when you want it."""

    async def run() -> None:
        store = await open_store(settings_of_here().database, migrate=True)
        await store.close()

    _run(run())
    out.print("The tables are up to date.")


@app.command()
def rotate() -> None:
    """Seal everything with the newest key (the first of CONNECTOR_KEYS); then the older ones can be taken away."""

    async def run() -> int:
        store = await open_store(settings_of_here().database)
        try:
            return await seal_anew(store)
        finally:
            await store.close()

    out.print(f"{_run(run())} value(s) sealed with the newest key.")


@app.command()
def restored() -> None:
    """Say that the store was restored from a backup.

    Feed cursors of before expire (410), and no effect is started until `connector store go-on`: what was sent after the
    backup was made is not known here and must not be sent again on a guess.
    """

    async def run() -> None:
        store = await open_store(settings_of_here().database)
        try:
            await store.write(meta.restored)
        finally:
            await store.close()

    _run(run())
    out.print("Effects are held. Compare with the systems (connector sync --full), then: connector store go-on")


@app.command("go-on")
def go_on() -> None:
    """Start effects again after a restore."""

    async def run() -> None:
        store = await open_store(settings_of_here().database)
        try:
            await store.write(lambda tx: meta.hold_effects(tx, None))
        finally:
            await store.close()

    _run(run())
    out.print("Effects are started again.")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except ConnectorError as error:
        fail(error)
