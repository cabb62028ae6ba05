"""`connector demo`: the main job from end to end, for real, on loopback: nothing is left running, nothing is kept."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.rule import Rule

from connector import plugins
from connector.cli.common import Exit, err, fail, out
from connector.errors import ConnectorError, Missing
from connector.service.logs import configure


def commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo(
    systems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM]...", help="Only these, by the names of their plugins; else all."),
    ] = None,
) -> None:
    r"""Show the main job end to end on loopback, with every system that is installed: sandboxes, the service, real EHF.

    \b
    1. A company for each system, its ledger a sandbox; an access point with a small Peppol behind it; the API and a
       worker as programs, the store in one file.
    2. Each posts an invoice as EHF. The ledger numbers and books it; number and KID come back, and it leaves as EHF,
       once. A bookkeeper registers a payment in the ledger, and it comes back, once.
    3. One company issues in one ledger and keeps its books in another: the invoice moves over under its number, it is
       paid there, and the payment comes back, once.
    4. An invoice leaves although the access point's answer is lost, is followed to its receiver, and rejected by its
       buyer: a person hears of it, and it stands on the invoice in the ledger.
    5. A supplier's invoice comes, goes into the ledger, and is answered.
    6. An invoice that does not add up is explained, and goes nowhere.
    7. The worker is killed while ledgers are answering it, another takes over, and nothing happens twice.
    8. The whole story of one of these invoices.

    Takes under a minute. Nothing is left running and nothing is left behind; run it as often as you like, also twice at
    a time. Exit status 0: all of it came about; 1: something did not, and what; 2: a system is not installed.

    \b
    Go on by hand with:
      connector sandbox SYSTEM           a ledger of your own to try with, and how to connect to it
      connector connections add SYSTEM   a real one
    """
    from connector.cli.demo.show import Show  # loads everything, which the help does not need

    known = plugins.accounting()
    if unknown := [name for name in systems or () if name not in known]:
        do = f"There is: {', '.join(known)}."
        fail(Missing(f"No system {', '.join(unknown)} is installed.", code="system-not-installed", do=do))
    started = time.monotonic()
    configure("error", "text")  # what goes wrong on purpose is told by the demo

    async def run() -> None:
        itself = asyncio.current_task()
        assert itself is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, itself.cancel)
        with tempfile.TemporaryDirectory(prefix="connector-demo-", ignore_cleanup_errors=True) as folder:
            await Show(Path(folder), list(dict.fromkeys(systems or sorted(known)))).run()

    try:
        asyncio.run(run())
    except ConnectorError as error:
        fail(error, Exit.WRONG)
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print("\nStopped; nothing is left running.")
        raise typer.Exit(Exit.WRONG) from None
    out.print()
    out.print(Rule(f"done in {time.monotonic() - started:.0f} seconds; nothing is left running", align="left"))
