"""What fields and kinds are called in Norwegian (bokmål), for who reads a report and no model."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_PART = re.compile(r"(?P<name>\w+)(?:\[(?P<at>[^\]]*)\])?")
_ITSELF = ("value", "party")
"""Parts of a path that say nothing to a person."""

KINDS: Mapping[str, str] = {
    "customer": "kunde",
    "supplier": "leverandør",
    "product": "produkt",
    "department": "avdeling",
    "project": "prosjekt",
    "dimension": "dimensjonsverdi",
    "invoice": "faktura",
    "credit_note": "kreditnota",
    "external_invoice": "faktura utstedt et annet sted",
    "external_credit_note": "kreditnota utstedt et annet sted",
    "supplier_invoice": "leverandørfaktura",
    "payment": "betaling",
    "settlement": "utligning",
    "reversal": "tilbakeføring",
}
"""What a kind is called."""


def label(path: str) -> str:
    """A path in the model as a person says it: `lines[2].vat_code` is `linje 3, mva-kode`. A name that is not known
    stays.

    Args:
        path: as `Problem.field` has it; the first of a list is 0.
    """
    said: list[str] = []
    for part in _PART.finditer(path):
        name, at = part["name"], part["at"]
        if name in _ITSELF and said:
            continue
        word = _fields().get(name, name)
        said.append(f"{word} {int(at) + 1}" if at and at.isdigit() else word)
    return ", ".join(said)


@cache
def _fields() -> Mapping[str, str]:
    found: Mapping[str, str] = tomllib.loads(files(__package__).joinpath("fields.toml").read_text(encoding="utf-8"))
    return found
