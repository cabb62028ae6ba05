"""What a problem says in Norwegian (bokmål) and English: an error's own English words, and the table of texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from connector.errors import ConnectorError
from connector.preflight.labels import KINDS, label
from connector.preflight.report import Layer, Problem, Severity

Words = tuple[Mapping[str, str], Mapping[str, str]]
"""Message and fix, each by language."""


def own(
    code: str, severity: Severity, layer: Layer, /, *, field: str = "", connection: str | None = None, **values: Any
) -> Problem:
    """A problem that is said here, in the table's words; `values` fill its placeholders, `…_nb` the Norwegian ones."""
    text, shown = catalogue()[code], {name: str(value) for name, value in values.items()}
    told = {**shown, "connection": connection or ""}
    message = {language: text[language].format_map(told) for language in ("nb", "en")}
    fix = {language: text[f"{language}-fix"].format_map(told) for language in ("nb", "en")}
    values = {name: value for name, value in shown.items() if not name.endswith("_nb")}
    return Problem(code, severity, layer, message, fix, field=field, connection=connection, values=values)


def said_by(error: ConnectorError, of: str = "") -> Words:
    """The words of an error: its own in English; in Norwegian its own where it brings them, else the table's.

    `of`: what it speaks of, where one code means several things.
    """
    text = catalogue().get(f"{of}-{error.code}") or catalogue().get(error.code) or catalogue()["other"]
    where = {name: _plain(value) for name, value in error.where.items()}
    shown = _Shown({**where, **_norwegian(error.where), "said": error.said, "do": error.do})
    own = error.details.get("nb") if isinstance(error.details, Mapping) else None
    if own:
        shown |= {"said": own["says"], "do": own["do"]}
    message = {"nb": text["nb"].format_map(shown), "en": error.said}
    return message, {"nb": text["nb-fix"].format_map(shown).strip(), "en": error.do}


def _norwegian(where: Mapping[str, Any]) -> dict[str, str]:
    """What is called otherwise in Norwegian: fields and kinds; `at` is the field in brackets, where there is one."""
    field = label(str(where.get("field") or ""))
    words = {"field": field, "at": f" ({field})"} if field else {"at": ""}
    return words | ({"kind": KINDS.get(str(where["kind"]), str(where["kind"]))} if where.get("kind") else {})


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every text by its code: `nb`, `nb-fix`; `en`, `en-fix` where no error brings its own."""
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


class _Shown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
