"""The code lists that rules allow, as data: the JSON files in `codes/`, with source and version of each list.

A list has its codes as they stand in the oldest release we know, and per later release what came and what went.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

from connector.ehf.rules import releases

FILES: Final = ("en16931", "peppol")


@cache
def lists() -> dict[str, Any]:
    """Every list by name, as it stands in the files."""
    folder = resources.files(__package__) / "codes"
    found: dict[str, Any] = {}
    for name in FILES:
        if (file := folder / f"{name}.json").is_file():
            found |= json.loads(file.read_text("utf-8"))
    return found


@cache
def in_order(name: str, release: str) -> tuple[str, ...]:
    """The codes of the list `name` in that release of BIS Billing. KeyError when there is no such list."""
    entry = lists()[name]
    codes: list[str] = entry["codes"].split()
    for change in entry.get("changes", ()):
        if releases.rank(change["since"]) <= releases.rank(release):
            gone = change.get("without", "").split()
            codes = [code for code in codes if code not in gone] + change.get("with", "").split()
    return tuple(codes)


def code_list(name: str, release: str) -> frozenset[str]:
    """The same as a set."""
    return frozenset(in_order(name, release))
