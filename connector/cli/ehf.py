"""`connector ehf`: judge EHF documents from the command line, and list the rules."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.ehf import Report

app = typer.Typer(
    help="EHF and Peppol BIS Billing documents: judge them, list the rules.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

STANDARD_INPUT = "-"
FORMAT_HELP = "text for people, json for programs: one object per line."
CHUNK = 16
"""Files that a worker process takes at a time."""
MANY = 64
"""From this many files on, all cores judge and a progress bar is shown."""


class Format(StrEnum):
    """How a report is written."""

    text = "text"
    json = "json"


class Language(StrEnum):
    """The languages of the texts."""

    nb = "nb"
    en = "en"


class Engine(StrEnum):
    """What judges: our own rules, or the official files through Saxon."""

    native = "native"
    schematron = "schematron"


class Exit:
    """Exit statuses. The worst one that occurs is the command's."""

    VALID = 0
    INVALID = 1
    UNREADABLE = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to judge and how to say it: what a worker process needs to know."""

    format: Format
    language: Language
    rules: str | None
    all_layers: bool
    engine: Engine


@dataclass(frozen=True, slots=True)
class Judged:
    """One document's report as text, or why it could not be read, and what that means for the exit status."""

    report: str
    trouble: str
    status: int


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
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes for many files. Default: one for each core.")
    ] = None,
) -> None:
    """Judge invoices and credit notes as a Peppol receiver would.

    Four layers: well-formed XML, the UBL 2.1 schema, EN 16931, Peppol BIS Billing 3.0 with the Norwegian and other
    national rules. Every finding has the official rule id, the place, the values that clash and how to mend it.

    Exit status 0: all are valid (warnings are allowed). 1: some are not. 2: something could not be read at all.

    Examples:
      connector ehf validate faktura.xml

      connector ehf validate --format json utboks/ > reports.jsonl

      curl … | connector ehf validate --language en -
    """
    wanted = Wanted(format, language, rules, all_layers, engine)
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


def expand(names: Iterable[str]) -> Iterator[str]:
    """The files that the arguments mean: a folder stands for its *.xml files at any depth, in order of their names."""
    for name in names:
        if name != STANDARD_INPUT and os.path.isdir(name):
            for folder, folders, files in os.walk(name):
                folders.sort()
                yield from (os.path.join(folder, file) for file in sorted(files) if file.lower().endswith(".xml"))
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


def _report(files: list[str], wanted: Wanted, jobs: int) -> int:
    if not files:
        _complain("There is no *.xml file in the folders named.")
        return Exit.UNREADABLE
    worst = Exit.VALID
    counts = [0, 0, 0]
    with _progress(len(files)) as advance:
        for judged in _judge_all(files, wanted, jobs):
            if judged.report:
                sys.stdout.write(judged.report + "\n")
            if judged.trouble:
                _complain(judged.trouble)
            counts[judged.status] += 1
            worst = max(worst, judged.status)
            advance()
    if len(files) > 1 and wanted.format is Format.text:
        valid, invalid, unreadable = counts
        words = {
            Language.nb: f"{valid} gyldige, {invalid} ugyldige, {unreadable} uleselige",
            Language.en: f"{valid} valid, {invalid} invalid, {unreadable} unreadable",
        }
        typer.echo(words[wanted.language], err=True)
    return worst


def _judge_all(files: list[str], wanted: Wanted, jobs: int) -> Iterator[Judged]:
    """Every file's answer, in the order of the files; only a few chunks at a time are under way."""
    if jobs == 1 or len(files) < MANY:
        for file in files:
            yield judge(file, wanted)
        return
    import connector.ehf  # noqa: F401 (loaded once, before the processes part)

    waiting = iter(files)
    running: deque[Future[list[Judged]]] = deque()
    with ProcessPoolExecutor(jobs) as pool:
        while True:
            while len(running) < 4 * jobs and (chunk := [*islice(waiting, CHUNK)]):
                if STANDARD_INPUT in chunk:  # the workers have none of it
                    done: Future[list[Judged]] = Future()
                    done.set_result(judge_chunk(chunk, wanted))
                    running.append(done)
                else:
                    running.append(pool.submit(judge_chunk, chunk, wanted))
            if not running:
                return
            yield from running.popleft().result()


def judge_chunk(files: list[str], wanted: Wanted) -> list[Judged]:
    """Judge some files, in a worker process."""
    return [judge(file, wanted) for file in files]


def judge(file: str, wanted: Wanted) -> Judged:
    """Judge one file (`-` for standard input)."""
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        return Judged("", f"{file}: {error.strerror or error}", Exit.UNREADABLE)
    report = _judging(wanted.engine)(data, rules=wanted.rules, all_layers=wanted.all_layers)
    status = Exit.VALID if report.valid else Exit.INVALID if report.readable else Exit.UNREADABLE
    if wanted.format is Format.json:
        return Judged(json.dumps(report.as_json(file), ensure_ascii=False), "", status)
    return Judged(report.as_text(file, wanted.language.value), "", status)


def _judging(engine: Engine) -> Callable[..., Report]:
    if engine is Engine.schematron:
        from connector.ehf import reference

        return reference.validate
    from connector.ehf import validate as native

    return native


class _progress:
    """A progress bar on stderr when there is much to do and somebody to see it."""

    def __init__(self, total: int) -> None:
        self.total = total if total >= MANY and sys.stderr.isatty() and not sys.stdout.isatty() else 0

    def __enter__(self) -> Callable[[], None]:
        if not self.total:
            return lambda: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self.bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self.bar.start()
        task = self.bar.add_task("", total=self.total)
        return lambda: self.bar.advance(task)

    def __exit__(self, *error: object) -> None:
        if self.total:
            self.bar.stop()


def _complain(text: str) -> None:
    typer.echo(f"connector ehf: {text}", err=True)
