"""From a template and what it shows to an archival PDF; the same input always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Literal

import typst

_HERE = Path(__file__).parent
_ONE_AT_A_TIME = Lock()
"""A compiler that two threads ask at once raises `RuntimeError`."""


@cache
def _compiler(template: str) -> typst.Compiler:
    """One compiler of a template for the process: the fonts inside the library are read once."""
    return typst.Compiler(str(_HERE / template), ignore_system_fonts=True)


def compiled(template: str, inputs: Mapping[str, str], *, dated: date, standard: Literal["a-2b", "a-3b"]) -> bytes:
    """The PDF of a template in this folder. `dated`: the day it says it was made. Threads may call it."""
    stamp = int(datetime(dated.year, dated.month, dated.day, tzinfo=UTC).timestamp())
    with _ONE_AT_A_TIME:
        made = _compiler(template).compile(
            format="pdf", sys_inputs=dict(inputs), pdf_standards=[standard], timestamp=stamp
        )
    if not isinstance(made, bytes):  # pragma: no cover - typst gives a list only for several pictures
        raise TypeError("typst gave no single PDF")
    return made
