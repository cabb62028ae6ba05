"""Where a field of the model is in what was posted, and in the system that it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from connector.ehf import locating

Form = Literal["xml", "json"]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_LISTS = frozenset(
    {"lines", "payment_means", "vat_breakdown", "allowances_charges", "preceding_invoices", "attachments", "notes"}
    | {"identifiers", "classifications", "attributes", "free"}
)


def place(form: Form, field: str, document_type: str) -> Mapping[str, Any]:
    """Where a field of the model stands, or should: XPath and business term of an EHF, pointer (RFC 6901) of JSON."""
    found = locating.place(field, document_type)
    said = {"xpath": found.xpath} if form == "xml" else {"pointer": pointer(field)}
    return {**said, **({"term": found.term} if found.term else {})} if field else {}


def pointer(field: str) -> str:
    """`lines[2].vat_code` as `/lines/2/vat_code`; it ends before a list of which no item is named."""
    steps = [name or number for name, number in _STEP.findall(field)]
    kept: list[str] = []
    for at, step in enumerate(steps):
        kept.append(step)
        if step in _LISTS and at + 1 < len(steps) and not steps[at + 1].isdigit():
            break
    return "".join(f"/{step}" for step in kept)


def vendors(field: str, fields: Mapping[str, str]) -> str | None:
    """The source system's field that makes a field of the model, or the whole that it is a part of.

    Args:
        fields: path in the model -> path in the system's record (`Mapper.their_fields`).
    """
    path = re.sub(r"\[\d+\]", "", field)
    while path and path not in fields:
        path = path.rpartition(".")[0]
    if not path:
        return None
    theirs, lines = fields[path], fields.get("lines")
    item = re.match(r"lines(\[\d+\])", field)
    if item and lines and theirs.startswith(lines):
        return f"{lines}{item[1]}{theirs[len(lines) :]}"
    return theirs
