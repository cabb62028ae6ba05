"""`connector ehf`: judge EHF documents from the command line, and list the rules."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import typer

from connector.cli.judging import MANY, STANDARD_INPUT, Engine, Exit, Format, Language, Wanted, judge_all
from connector.errors import ConnectorError

app = typer.Typer(
    help="EHF and Peppol BIS Billing documents: judge them, list the rules.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


SELDOM = 0.2
"""Seconds between two looks of the progress bar: drawing it takes time from judging."""


@app.command()
def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="UBL documents, folders of them (*.xml, at any depth), or - for standard input."
        ),
    ],
    format: Annotated[
        Format, typer.Option(help="text for people, json for programs: one object per line.")
    ] = Format.text,
    rules: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="Release of BIS Billing, e.g. 3.0.21. Default: in force on the issue date."
        ),
    ] = None,
    all_layers: Annotated[bool, typer.Option("--all-layers", help="Run the rules even if the XSD fails.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the text report.")] = Language.nb,
    engine: Annotated[
        Engine,
        typer.Option(help="native, or schematron: the official files in CONNECTOR_SCHEMATRON_DIR, through Saxon."),
    ] = Engine.native,
    system: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="System (tripletex …) or TENANT/CONNECTION it came from: names the field there too."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes for many files. Default: one for each core.")
    ] = None,
) -> None:
    """Judge invoices and credit notes as a Peppol receiver would.

    Four layers: well-formed XML, the UBL 2.1 schema, EN 16931, Peppol BIS Billing 3.0 with the Norwegian and other
    national rules. Every finding has the official rule id, the place, the values that clash and how to mend it.

    Exit status 0: all are valid (warnings are allowed). 1: some are not. 2: something could not be read at all.

    For example:

      connector ehf validate faktura.xml

      connector ehf validate --format json utboks/ > reports.jsonl

      curl … | connector ehf validate --language en -
    """
    wanted = Wanted(format, language, rules, all_layers, engine, _source(system))
    try:
        _check(wanted)
        status = _report([*expand(files)], wanted, jobs or os.cpu_count() or 1)
    except ConnectorError as error:
        _complain(f"{error.said} {error.do}".strip())
        status = Exit.UNREADABLE
    except BrokenPipeError:  # whoever read our answers (`head`) has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = Exit.VALID
    raise typer.Exit(status)


@app.command("rules")
def list_rules(
    format: Annotated[
        Format, typer.Option(help="text for people, json for programs: one object per line.")
    ] = Format.text,
    language: Annotated[Language, typer.Option(help="Language of the text.")] = Language.nb,
) -> None:
    """List every rule: id, severity, layer, the releases that have it, and what it means."""
    from connector.ehf.rules import catalogue

    for rule in catalogue.rules():
        said = rule.as_json()
        if format is Format.json:
            typer.echo(json.dumps(said, ensure_ascii=False))
        else:
            versions = ", ".join(
                version if severity == rule.severity else f"{version} ({severity})"
                for version, severity in rule.severities.items()
            )
            typer.echo(f"{rule.rule}  {rule.severity}  {rule.layer}  {versions}\n    {said['message'][language.value]}")


def expand(names: Iterable[str], suffixes: tuple[str, ...] = (".xml",)) -> Iterator[str]:
    """The files that the arguments mean: a folder stands for its *.xml files at any depth (or those with other
    suffixes), in order of their names.
    """
    for name in names:
        if name != STANDARD_INPUT and os.path.isdir(name):
            for folder, folders, files in os.walk(name):
                folders.sort()
                yield from (os.path.join(folder, file) for file in sorted(files) if file.lower().endswith(suffixes))
        else:
            yield name


def _check(wanted: Wanted) -> None:
    """What is wrong with the options is said once, before anything is judged."""
    if wanted.rules is not None:
        from connector.ehf.rules import releases

        releases.named(wanted.rules)
    if wanted.engine is Engine.schematron:
        from connector.ehf import reference

        reference.directory()


def _source(system: str | None) -> dict[str, dict[str, str]]:
    """By type of document, what makes the model's fields in the system that is named."""
    if system is None:
        return {}
    from connector.cli.mappings import mapping_named

    mapping = mapping_named(system)
    kinds = {"Invoice": "invoice", "CreditNote": "credit_note"}
    return {kind: mapping[name].their_fields for kind, name in kinds.items() if name in mapping}


def _report(files: list[str], wanted: Wanted, jobs: int) -> int:
    if not files:
        _complain("There is no *.xml file in the folders named.")
        return Exit.UNREADABLE
    worst = Exit.VALID
    counts = [0, 0, 0]
    with progress(len(files)) as advance:
        for judged in judge_all(files, wanted, jobs):
            sys.stdout.write(judged.reports)
            for trouble in judged.troubles:
                _complain(trouble)
            for status in judged.statuses:
                counts[status] += 1
            worst = max(worst, *judged.statuses)
            advance(len(judged.statuses))
    if len(files) > 1 and wanted.format is Format.text:
        valid, invalid, unreadable = counts
        words = {
            Language.nb: f"{valid} gyldige, {invalid} ugyldige, {unreadable} uleselige",
            Language.en: f"{valid} valid, {invalid} invalid, {unreadable} unreadable",
        }
        typer.echo(words[wanted.language], err=True)
    return worst


class progress:
    """A progress bar on stderr when there is much to do and somebody to see it."""

    def __init__(self, total: int) -> None:
        self.total = total if total >= MANY and sys.stderr.isatty() and not sys.stdout.isatty() else 0

    def __enter__(self) -> Callable[[int], None]:
        if not self.total:
            return lambda files: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        # No refreshing by itself: that takes a thread, and processes part from this one.
        self.bar = Progress(
            *columns,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.bar.start()
        task = self.bar.add_task("", total=self.total)

        drawn = 0.0

        def advance(files: int) -> None:
            nonlocal drawn
            self.bar.update(task, advance=files)
            if time.monotonic() - drawn > SELDOM or self.bar.finished:
                self.bar.refresh()
                drawn = time.monotonic()

        return advance

    def __exit__(self, *error: object) -> None:
        if self.total:
            self.bar.stop()


def _complain(text: str) -> None:
    typer.echo(f"connector ehf: {text}", err=True)
