"""`connector preflight`: everything that can be known of documents before anything is numbered or sent."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.common import Exit, Format, FormatOption, TenantOption, err, tenant_of, with_house
from connector.cli.ehf import expand, progress
from connector.cli.judging import STANDARD_INPUT, Language
from connector.preflight import Checked, Posted, Preflight, Problem, Target, read_posted
from connector.preflight.report import as_text, text_of
from connector.service.house import House

SUFFIXES = (".xml", ".json")


def commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("preflight")(preflight)


def preflight(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="EHF, or JSON as posted to /v1/invoices; folders of them (*.xml, *.json, at any depth), or - for"
            " standard input.",
        ),
    ],
    tenant: TenantOption = None,
    route: Annotated[
        str | None, typer.Option(metavar="NAME", help="Route they would take; the only one if left out.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Their numbers mean nothing, and would be dropped.")] = False,
    system: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="System (tripletex …) or connection they were made in: names the field there too."
        ),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Read from the ledger now what it takes.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Call no ledger: what is kept of it must do.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the text report.")] = Language.nb,
    format: FormatOption = Format.text,
) -> None:
    """Check documents before they are posted: all problems of all of them in one report, and nothing is written.

    Form, totals, EHF rules, Norwegian bookkeeping rules (NO-BOK-*), the mapping of every connection on the route,
    codes, dimensions and closed periods of its ledger, what the company's books require, what is here already. Every
    problem names the field of the source to be mended. With --format json there is one object a line: each connection,
    each document, gaps in their numbers (`series`), then the sums.

    Exit status 0: nothing stands in their way (warnings are allowed). 1: something does. 2: something cannot be read.

    For example:

      connector preflight faktura.xml

      connector preflight --format json --system fjord utboks/ > report.jsonl
    """
    names = [*expand(files, SUFFIXES)]
    if not names:
        err.print("There is no *.xml or *.json file in the folders named.")
        raise typer.Exit(Exit.UNUSABLE)

    async def use(house: House) -> int:
        asked = {"route": route, "system": system, "refresh": refresh, "offline": offline}
        judges = await house.preflight(tenant_of(house, tenant), alone=True, **asked)
        worst = _connections(judges, format, language)
        counts: Counter[str] = Counter()
        with progress(len(names)) as advance:
            for posted in _read(names, draft=draft):
                if posted is None:
                    counts["unusable"] += 1
                    worst = Exit.UNUSABLE
                    advance(1)
                    continue
                checked = await house.store.read(partial(judges.check, posted=posted))
                _tell(checked, format, language)
                status = Exit.FINE if checked.fine else Exit.WRONG if checked.usable else Exit.UNUSABLE
                counts[("fine", "wrong", "unusable")[status]] += 1
                worst = max(worst, status)
                advance(1)
        _series(await house.store.read(judges.series), format, language)
        _sums(counts, format, language)
        return worst

    raise typer.Exit(with_house(use))


def _read(names: list[str], *, draft: bool) -> Iterator[Posted | None]:
    """One after the other: only one document is held at a time. None: the file cannot be read, which has been said."""
    for name in names:
        try:
            body = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        except OSError as error:
            err.print(f"{name}: {error.strerror or error}", markup=False)
            yield None
            continue
        kind = "application/xml" if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "application/json"
        yield read_posted(name, body, kind, draft=draft)


def _connections(judges: Preflight, format: Format, language: Language) -> int:
    """What is wrong with the connections themselves, once."""
    worst = Exit.FINE
    for target in judges.targets:
        if format is Format.json:
            typer.echo(json.dumps(target.as_json(), ensure_ascii=False))
        elif target.problems():
            head = "wrong" if _wrong(target) else "fine"
            typer.echo(as_text(target.spoke.name, target.problems(), head, language.value))
        worst = max(worst, Exit.WRONG if _wrong(target) else Exit.FINE)
    return worst


def _wrong(target: Target) -> bool:
    return any(one.severity == "error" for one in target.problems())


def _tell(checked: Checked, format: Format, language: Language) -> None:
    if format is Format.json:
        typer.echo(json.dumps(checked.as_json(), ensure_ascii=False))
    else:
        typer.echo(text_of(checked, language.value))


def _series(problems: list[Problem], format: Format, language: Language) -> None:
    if problems and format is Format.json:
        typer.echo(json.dumps({"series": [one.as_json() for one in problems]}, ensure_ascii=False))
    elif problems:
        name = {Language.nb: "Alle dokumentene", Language.en: "All documents"}[language]
        typer.echo(as_text(name, problems, "fine", language.value))


def _sums(counts: Counter[str], format: Format, language: Language) -> None:
    fine, wrong, unusable = (counts[name] for name in ("fine", "wrong", "unusable"))
    if format is Format.json:
        sums = {"documents": counts.total(), "fine": fine, "wrong": wrong, "unusable": unusable}
        typer.echo(json.dumps(sums))
    elif counts.total() > 1:
        words = {
            Language.nb: f"{fine} i orden, {wrong} ikke i orden, {unusable} uleselige",
            Language.en: f"{fine} fine, {wrong} not fine, {unusable} unreadable",
        }
        err.print(words[language], markup=False)
