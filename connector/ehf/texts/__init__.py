"""What each validation rule means and how to mend it, in Norwegian (bokmål) and English.

The texts are data: the `.toml` files beside this module, one per family of rules, so that only what fired is read.
A rule is a table of its own:

    [BR-02]
    term = "BT-1"
    nb = "Fakturaen mangler fakturanummer."
    nb-fix = "Sett inn …"
    en = "The invoice has no invoice number."
    en-fix = "Enter …"

Rules that differ in one word only are a `[[family]]`: a text with `{placeholders}` and the name of a table under
`[rows]` that has one row per rule (`of` picks some of the rows). A row is a text, filled in as `{value}`, or a table
whose `nb` and `en` are filled in as `{name}` and everything else by its own key.

    [[family]]
    rule = "BR-{id}-05"
    of = "Z E"
    rows = "categories"
    nb = "Linjen har mva-kode {code} ({name}) …"

A rule that means something else in another layer has a sub-table named after the layer, with the keys that differ.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("nb", "en")
"""The languages every text has: Norwegian bokmål and English (BCP 47)."""

# Which file has a rule: the first pattern that fits its id.
_FILES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("unused", r"UBL-CR-"),
        ("syntax", r"UBL-"),
        ("codes", r"BR-CL-|PEPPOL-EN16931-(CL|P)"),
        ("vat", r"BR-(S|Z|E|AE|IC|G|O|AF|AG|B)-"),
        ("sums", r"BR-(CO|DEC)-"),
        ("en16931", r"BR-"),
        ("peppol", r"PEPPOL-"),
        ("national", r"[A-Z]{2}-"),
        ("xml", r"[a-z]"),
    )
)


@dataclass(frozen=True, slots=True)
class Text:
    """One rule, explained. The texts are the same for every finding of the rule; values stand in the finding.

    Attributes:
        term: the business terms (BT) and groups (BG) of EN 16931 that the rule speaks of, e.g. ``BT-10`` or
            ``BG-23/BT-116``, several separated by comma and blank; None when it is about no term.
        message: what is wrong, by language (`LANGUAGES`), one or two sentences.
        fix: how to mend it, by language.
    """

    term: str | None
    message: Mapping[str, str]
    fix: Mapping[str, str]


@cache
def explain(rule: str, layer: str = "") -> Text:
    """The explanation of a rule.

    Args:
        rule: its id, as in a finding: ``BR-CO-15``, ``PEPPOL-EN16931-R003``, ``xml-empty``.
        layer: the finding's layer; matters only where one id means different things (``self-billing``).

    Raises:
        KeyError: there is no text for this rule; the error names it.
    """
    found = _file_of(rule).get(rule)
    if found is None:
        raise KeyError(f"no explanation for rule {rule}")
    entry, row = found
    entry = {**entry, **entry.get(layer, {})}
    filled = {language: _values(row, language) for language in LANGUAGES}
    return Text(
        term=entry["term"].format_map(filled["en"]) if entry.get("term") else None,
        message={language: entry[language].format_map(filled[language]) for language in LANGUAGES},
        fix={language: entry[f"{language}-fix"].format_map(filled[language]) for language in LANGUAGES},
    )


def rules() -> Iterator[str]:
    """The ids of all rules that have a text, file by file. Reads all files."""
    for name, _ in _FILES:
        yield from _load(name)


def _file_of(rule: str) -> Mapping[str, tuple[dict[str, Any], Any]]:
    for name, pattern in _FILES:
        if pattern.match(rule):
            return _load(name)
    return {}


@cache
def _load(name: str) -> Mapping[str, tuple[dict[str, Any], Any]]:
    """A file as rule id -> (texts, row). Texts are put together when they are asked for."""
    data = tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    rows, families = data.pop("rows", {}), data.pop("family", [])
    found: dict[str, tuple[dict[str, Any], Any]] = {rule: (entry, {}) for rule, entry in data.items()}
    for family in families:
        table = rows[family["rows"]]
        for key in family["of"].split() if "of" in family else table:
            rule = family["rule"].format(id=key)
            if rule in found:
                raise ValueError(f"{name}.toml explains {rule} twice")
            found[rule] = (family, table[key])
    return found


def _values(row: Any, language: str) -> dict[str, str]:
    """What a row fills in, in one language."""
    if isinstance(row, str):
        return {"value": row}
    return {"name": row.get(language, ""), **{key: value for key, value in row.items() if key not in LANGUAGES}}
