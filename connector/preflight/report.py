"""The report: a `Problem` for each thing that is wrong, a `Checked` for each document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from connector.preflight.labels import label

Severity = Literal["error", "warning"]
Layer = Literal[
    "xml", "xsd", "en16931", "peppol", "self-billing", "model", "totals", "no-bok", "route", "mapping", "ledger"
]
"""What says it: the official EHF layers, then ours. `model`: the posted form; `totals`: its figures; `no-bok`: rules of
Norwegian bookkeeping; `route`: what is here already, and the way it takes; `mapping` and `ledger`: of a connection."""
Language = Literal["nb", "en"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document, or with what it is to go to.

    `code` is a rule's id or a stable code of ours, the one that the real attempt would end with. `field` is the path in
    the model; `place` says where it is in what was posted: `pointer` (JSON), or `xpath` and `term` (EHF), with the
    `line` of the file where it is known. `source_field`: the field of the source system that makes it. `connection`:
    whose mapping or ledger says so. `law`: the paragraph of a bookkeeping rule. `file`, `file_line`: of a mapping.
    """

    code: str
    severity: Severity
    layer: Layer
    message: Mapping[str, str]
    fix: Mapping[str, str]
    field: str = ""
    place: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    source_field: str | None = None
    connection: str | None = None
    law: str | None = None
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    file: str | None = None
    file_line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The problem as programs read it; what is not known is left out."""
        said: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "layer": self.layer,
            "field": self.field,
            "place": dict(self.place),
            "source_field": self.source_field,
            "connection": self.connection,
            "law": self.law,
            "values": dict(self.values),
            "mapping": f"{self.file}:{self.file_line}" if self.file else None,
            "message": dict(self.message),
            "fix": dict(self.fix),
        }
        return {name: value for name, value in said.items() if value not in (None, {}, "")}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one document. `name`: what it came under; `facts`: what is known of it, number and receiver
    among them; `usable`: whether it could be read at all.
    """

    name: str
    problems: Sequence[Problem]
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    usable: bool = True

    @property
    def fine(self) -> bool:
        """Whether nothing stands in its way; warnings do not."""
        return self.usable and not any(one.severity == "error" for one in self.problems)

    def as_json(self) -> dict[str, Any]:
        """The document's part of the report as programs read it."""
        problems = [one.as_json() for one in self.problems]
        return {"name": self.name, "fine": self.fine, "usable": self.usable, **self.facts, "problems": problems}


WORDS: Mapping[Language, Mapping[str, str]] = {
    "nb": {
        "fine": "i orden",
        "wrong": "IKKE I ORDEN",
        "unusable": "KAN IKKE LESES",
        "error": "feil",
        "warning": "advarsel",
        "fix": "Slik retter du",
        "field": "felt",
        "source": "felt i kildesystemet",
        "law": "hjemmel",
        "mapping": "mapping",
        "line": "linje",
    },
    "en": {
        "fine": "fine",
        "wrong": "NOT FINE",
        "unusable": "CANNOT BE READ",
        "error": "error",
        "warning": "warning",
        "fix": "How to mend it",
        "field": "field",
        "source": "field in the source system",
        "law": "rule",
        "mapping": "mapping",
        "line": "line",
    },
}


def as_text(name: str, problems: Sequence[Problem], head: str, language: Language) -> str:
    """A part of the report as a person reads it: a paragraph for each problem, the worst first."""
    return "\n".join([f"{name}: {WORDS[language][head]}", *_paragraphs(problems, language)])


def text_of(checked: Checked, language: Language) -> str:
    """A document's part of the report."""
    head = "fine" if checked.fine else "wrong" if checked.usable else "unusable"
    return as_text(checked.name, checked.problems, head, language)


def _paragraphs(problems: Sequence[Problem], language: Language) -> Iterable[str]:
    words = WORDS[language]
    for one in sorted(problems, key=lambda one: one.severity != "error"):
        of = f" [{one.connection}]" if one.connection else ""
        term = f" ({one.place['term']})" if one.place.get("term") else ""
        line = f", {words['line']} {one.place['line']}" if one.place.get("line") else ""
        where = one.place.get("xpath") or one.place.get("pointer") or ""
        yield f"  {words[one.severity]} {one.code}{term}{of}  {where}{line}".rstrip()
        yield f"    {one.message.get(language, '')}"
        for key, said in (
            ("field", label(one.field) if language == "nb" else one.field),
            ("source", one.source_field),
            ("law", one.law),
            ("mapping", f"{one.file}:{one.file_line}" if one.file else None),
            ("fix", one.fix.get(language)),
        ):
            if said:
                yield f"    {words[key]}: {said}"
