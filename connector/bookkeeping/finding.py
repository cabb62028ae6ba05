"""What a rule found, and what each rule says: its paragraph, and words in Norwegian (bokmål) and English."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one place of a document breaks.

    `field` is a path in `connector.model.Invoice` (`lines[2].name`); `law` the paragraph; `values` what clashes, by
    name; `message` and `fix` are by language, `nb` and `en`.
    """

    rule: str
    severity: Severity
    field: str
    law: str
    message: Mapping[str, str]
    fix: Mapping[str, str]
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every rule by its id: `law`, `nb`, `nb-fix`, `en`, `en-fix`."""
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


def finding(rule: str, severity: Severity, field: str, **values: Any) -> Finding:
    """A finding with the rule's words. `values` fill the placeholders in them; those for one language end in it."""
    text = catalogue()[rule]
    shown = {name: str(value) for name, value in values.items()}
    message = {language: text[language].format_map(shown) for language in ("nb", "en")}
    fix = {language: text[f"{language}-fix"].format_map(shown) for language in ("nb", "en")}
    told = {name: value for name, value in shown.items() if not name.endswith(("_nb", "_en"))}
    return Finding(rule, severity, field, text["law"], message, fix, told)
