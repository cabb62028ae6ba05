"""Judging files for `connector ehf validate`: one by one, or many at a time on all cores. Prints nothing."""

from __future__ import annotations

import gc
import json
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.ehf import Report

STANDARD_INPUT = "-"
MANY = 64
"""From this many files on, all cores judge and a progress bar is shown."""
CHUNK = 32
"""The most files that a process takes at a time; fewer when there are not so many, so that all finish together."""


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
    source: Mapping[str, Mapping[str, str]]
    """By type of document: the fields of the system that made it (`Report.in_source`); empty where none is named."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What some files came to: their reports as they will be printed, why files could not be read, each exit status."""

    reports: str
    troubles: tuple[str, ...]
    statuses: bytes


def judge_all(files: list[str], wanted: Wanted, jobs: int) -> Iterator[Judged]:
    """Every file's answer, in the order of the files; only a few chunks at a time are under way.

    Raises:
        ConnectorError: `process-lost`, somebody (the system, for lack of memory) ended one of the processes.
    """
    waiting = iter(files)
    if len(files) < MANY:
        yield from (judge([file], wanted) for file in waiting)
        return
    size = max(1, min(CHUNK, len(files) // (16 * jobs)))
    chunks = iter(lambda: [*islice(waiting, size)], [])
    # What is loaded and learnt for the first ones (schemas, rules, shapes) is there when the processes part.
    yield judge(next(chunks), wanted)
    yield from (judge(chunk, wanted) for chunk in chunks) if jobs == 1 else _on_all_cores(chunks, wanted, jobs)


def _on_all_cores(chunks: Iterable[list[str]], wanted: Wanted, jobs: int) -> Iterator[Judged]:
    gc.freeze()  # so that no collection writes to memory that the processes share
    running: deque[Future[Judged]] = deque()
    try:
        with ProcessPoolExecutor(
            jobs, multiprocessing.get_context("fork" if sys.platform == "linux" else None)
        ) as pool:
            for chunk in chunks:
                if STANDARD_INPUT in chunk:  # the workers have none of it
                    done: Future[Judged] = Future()
                    done.set_result(judge(chunk, wanted))
                    running.append(done)
                else:
                    running.append(pool.submit(judge, chunk, wanted))
                if len(running) >= 4 * jobs:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    except BrokenProcessPool as error:
        raise ConnectorError(
            "A process that judged was ended from outside; what was printed is right, the rest was not judged.",
            code="process-lost",
            do="If memory is short, use fewer processes: --jobs 1.",
        ) from error


def judge(files: Iterable[str], wanted: Wanted) -> Judged:
    """Judge some files (`-` is standard input)."""
    validate = _judging(wanted.engine)
    reports: list[str] = []
    troubles: list[str] = []
    statuses = bytearray()
    for file in files:
        try:
            data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
        except OSError as error:
            troubles.append(f"{file}: {error.strerror or error}")
            statuses.append(Exit.UNREADABLE)
            continue
        report = validate(data, rules=wanted.rules, all_layers=wanted.all_layers)
        if wanted.source:
            report = report.in_source(wanted.source.get(report.document_type or "", {}))
        statuses.append(Exit.VALID if report.valid else Exit.INVALID if report.readable else Exit.UNREADABLE)
        if wanted.format is Format.json:
            reports.append(json.dumps(report.as_json(file), ensure_ascii=False) + "\n")
        else:
            reports.append(report.as_text(file, wanted.language.value) + "\n")
    return Judged("".join(reports), tuple(troubles), bytes(statuses))


def _judging(engine: Engine) -> Callable[..., Report]:
    if engine is Engine.schematron:
        from connector.ehf import reference

        return reference.validate
    from connector.ehf import validate as native

    return native
