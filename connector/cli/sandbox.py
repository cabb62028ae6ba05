"""`connector sandbox`: a local stand-in of a vendor, for trying and for tests."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from connector import plugins
from connector.cli.common import Format, FormatOption, fail, out
from connector.errors import Missing
from connector.ports import StandIn


def commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("sandbox")(sandbox)


def sandbox(
    system: Annotated[str, typer.Argument(help="System, by the name of its plugin.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8700,
    latency: Annotated[float, typer.Option(help="Milliseconds that every answer takes longer.", min=0)] = 0,
    format: FormatOption = Format.text,
) -> None:
    """Run a local server that behaves as the vendor's does: state, refusals, limits, and faults one can switch on.

    Once it listens, it says what a connection to it is given in a tenant's file (as JSON: one line, `settings` and
    `secrets`). It keeps everything in memory and forgets it when it ends.

    Beside the vendor's calls it has its own, alike in all sandboxes: GET|POST|DELETE /fault switches faults on and off
    ({"calls": "POST /invoice", "kind": "no-answer"}), POST /_desk/invoice, POST /_desk/payment and GET /_desk/books are
    what a bookkeeper does in the program; at an access point GET /_desk/arrived counts what its receivers got, and POST
    /_desk/incoming lets a document come (curl -H 'Content-Type: application/xml' --data-binary @faktura.xml).
    """
    ledgers, points = plugins.accounting(), plugins.access_points()
    if system not in ledgers and system not in points:
        there = ", ".join((*ledgers, *points))
        fail(Missing(f"No system {system} is installed.", code="system-not-installed", do=f"There is: {there}."))
    plugin = ledgers[system] if system in ledgers else points[system]

    def told(given: StandIn) -> None:
        if format is Format.json:
            typer.echo(json.dumps({"settings": dict(given.settings), "secrets": dict(given.secrets)}))
        else:
            out.print(f"{plugin.title} sandbox. A connection to it, for a tenant's file:\n", markup=False)
            section, name = ("connections", "books") if system in ledgers else ("access_points", "ap")
            out.print(f"{section}:\n{connection(system, given, name)}", markup=False)
            for name, value in variables(system, given).items():
                out.print(f"export {name}={value}", markup=False)
            out.print("\nIt forgets everything when it ends (Ctrl-C).", markup=False)

    try:
        plugin.serve_sandbox(port, latency / 1000, told)
    except OSError as error:
        fail(
            Missing(f"Port {port} cannot be listened on: {error.strerror}.", code="port-taken", do="Name another one.")
        )


def connection(system: str, given: StandIn, name: str = "books", variable: str = "DEMO") -> str:
    """A connection to a sandbox as a tenant's file says it; its secrets are in `variables`."""
    lines = [f"  {name}:", f"    system: {system}", "    settings:"]
    lines += [f"      {key}: {json.dumps(value)}" for key, value in given.settings.items()]
    lines += ["    secrets:"]
    lines += [f"      {key}: env:{_variable(variable, system, key)}" for key in given.secrets]
    return "\n".join(lines) + "\n"


def variables(system: str, given: StandIn, variable: str = "DEMO") -> dict[str, str]:
    """The environment that `connection` names, with its secrets."""
    return {_variable(variable, system, key): value for key, value in given.secrets.items()}


def _variable(prefix: str, system: str, secret: str) -> str:
    return f"{prefix}_{system}_{secret}".upper().replace("-", "_")
