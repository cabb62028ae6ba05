"""`connector serve`, `worker`, `health`: the long-running roles."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import Exit, err, fail, settings_of_here
from connector.errors import ConnectorError
from connector.service import mappings
from connector.service.house import House, open_house
from connector.service.logs import configure
from connector.service.settings import Settings

if TYPE_CHECKING:
    import uvicorn

Host = Annotated[str | None, typer.Option(help="Address to listen on; CONNECTOR_HOST, else 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; CONNECTOR_PORT, else 8080.")]


def commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(serve)
    app.command()(worker)
    app.command()(health)


def serve(
    host: Host = None,
    port: Port = None,
    with_worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Also do the work in this process; off where workers run apart."),
    ] = True,
) -> None:
    """Serve the API, and do the work beside it.

    One process is all a single host needs. With PostgreSQL, run `serve --no-worker` and as many `worker` as you like.
    """
    settings = settings_of_here()
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    _run(settings.model_copy(update=changes), serves=True, works=with_worker)


def worker() -> None:
    """Do the work only: arrivals, effects, polls. Stop it at any time; nothing is lost and nothing is done twice."""
    _run(settings_of_here(), serves=False, works=True)


def health(host: Host = None, port: Port = None) -> None:
    """Ask a running service whether it is ready. Exit status 0: ready, 1: not."""
    settings = settings_of_here()
    address = f"http://{host or settings.host}:{port or settings.port}/health/ready"
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            typer.echo(answer.read().decode())
    except (urllib.error.URLError, OSError) as error:
        err.print(f"not ready: {error}")
        raise typer.Exit(Exit.WRONG) from None


def _run(settings: Settings, *, serves: bool, works: bool) -> None:
    configure(settings.log_level, settings.log_format)
    try:
        asyncio.run(_serve(settings, serves=serves, works=works))
    except ConnectorError as error:
        fail(error)


async def _serve(settings: Settings, *, serves: bool, works: bool) -> None:
    async with open_house(settings) as house:
        await house.tell()
        mappings.log_unapplied(house.unapplied())
        ends = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, ends.set)
        following = asyncio.create_task(house.follow())
        running = [following]
        server = api_server(house, settings) if serves else None
        if server is not None:
            running.append(asyncio.create_task(server.serve()))
        if works:
            running.append(asyncio.create_task(house.work()))
        waiting = asyncio.create_task(ends.wait())
        await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        following.cancel()
        if server is not None:
            server.should_exit = True
        house.stop()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def api_server(house: House, settings: Settings) -> uvicorn.Server:
    """A server of the API over an open house, not started yet."""
    import uvicorn

    from connector.api.app import create_app

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self):  # type: ignore[no-untyped-def]
            """Signals are ours: the worker ends with the server."""
            yield

    app = create_app(house)
    return Server(uvicorn.Config(app, settings.host, settings.port, log_config=None, access_log=False))
