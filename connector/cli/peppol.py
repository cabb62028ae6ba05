"""`connector peppol`: who can take what in Peppol."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from connector.cli.common import Exit, Format, FormatOption, fail, out, settings_of_here, watched
from connector.errors import ConnectorError
from connector.peppol.identifiers import Participant
from connector.service.peppol import discovery, look_up

app = typer.Typer(help="Peppol: who can take what, and where.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _peppol() -> None:
    """Peppol: who can take what, and where."""


@app.command()
def lookup(
    receiver: Annotated[
        str, typer.Argument(metavar="ORGNR", help="Organisation number, or a participant: 0192:923609016, 0088:…")
    ],
    format: FormatOption = Format.text,
) -> None:
    """Ask Peppol what a receiver can take, and why not.

    Asks the name servers where the receiver's entry is, and the publisher there what it says; its signature is verified
    against the certificates in CONNECTOR_PEPPOL_TRUST. Nothing is kept: this asks now.

    Exit status: 0 it takes invoices and credit notes, 1 it does not, 2 it is not known now or the question is wrong.
    """
    try:
        participant = Participant.read(receiver if ":" in receiver else f"0192:{''.join(receiver.split())}")
        looks = discovery(settings_of_here())
        with watched(f"Asking about {participant}"):
            answers = asyncio.run(look_up(looks, participant))
    except ConnectorError as error:
        fail(error)
    if format is Format.json:
        out.print(json.dumps([answer.as_json() for answer in answers], indent=2), markup=False)
    else:
        marks = {"yes": "yes", "no": "no", "unknown": "?"}
        for answer in answers:
            out.print(f"{marks[answer.can]:<4}{answer.service.title:<28}{answer.said}", markup=False)
            if answer.endpoint is not None:
                out.print(f"{'':<32}delivered to {answer.endpoint.address}", markup=False)
        for do in dict.fromkeys(answer.do for answer in answers[:2] if answer.do):
            out.print(do, markup=False)
    cans = {answer.can for answer in answers[:2]}  # invoices and credit notes come first
    raise typer.Exit(Exit.FINE if cans == {"yes"} else Exit.UNUSABLE if "unknown" in cans else Exit.WRONG)
