"""`connector sandbox`: a local stand-in of a vendor, for trying and for tests."""

from __future__ import annotations

from typing import Annotated

import typer

from connector import plugins
from connector.cli.common import fail, out
from connector.errors import Missing


def commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("sandbox")(sandbox)


def sandbox(
    system: Annotated[str, typer.Argument(help="System, by the name of its plugin.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8700,
    latency: Annotated[float, typer.Option(help="Milliseconds that every answer takes longer.")] = 0,
) -> None:
    """Run a local server that behaves as the vendor's does: state, refusals, limits, and faults one can switch on.

    Its address, access and switches are printed. It keeps everything in memory and forgets it when it ends.
    """
    known = plugins.accounting()
    if system not in known:
        fail(
            Missing(
                f"No system {system} is installed.", code="system-not-installed", do=f"There is: {', '.join(known)}."
            )
        )
    plugin = known[system]
    plugin.serve_sandbox(
        port, latency / 1000, lambda about: out.print(f"{plugin.title} sandbox: {about}", markup=False)
    )
