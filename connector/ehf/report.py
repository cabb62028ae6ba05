"""What a validation found: `Finding`s in a `Report`, as objects, as JSON and as text.

Findings are values, not exceptions: a report is made for every document, also for one that is no XML at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from connector.ehf.source import source_field

Severity = Literal["fatal", "warning"]
Layer = Literal["xml", "xsd", "en16931", "peppol", "self-billing"]
Outcome = Literal["passed", "failed", "skipped"]
Language = Literal["nb", "en"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one place in the document breaks.

    `rule` is the official id (`BR-CO-10`, `PEPPOL-EN16931-R120`, `NO-R-001`), or ours (`xml-…`, `xsd-…`) in the
    layers that have none. `path` is an XPath with positions, in the prefixes `cac` and `cbc`, `line` the line in the
    file (from 1; None where there is no place). `term` is the business term (`BT-131`), None where EN 16931 knows
    none. `values` are the values that clash, by name; a calculation rule has `stated`, `expected` and `calculation`
    (`80.00 + 19.99 = 99.99`). `message` says what is wrong and `fix` how to mend it, each in `nb` and `en`.
    `source_field` is the field in the source system, where that is known (`Report.in_source`).
    """

    rule: str
    severity: Severity
    layer: Layer
    path: str
    line: int | None
    term: str | None
    values: Mapping[str, str]
    message: Mapping[str, str]
    fix: Mapping[str, str]
    source_field: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as programs read it: the keys of the documented form, and `source_field` when there is one."""
        said: dict[str, Any] = {
            "rule": self.rule,
            "severity": self.severity,
            "layer": self.layer,
            "path": self.path,
            "line": self.line,
            "term": self.term,
            "values": dict(self.values),
            "message": dict(self.message),
            "fix": dict(self.fix),
        }
        if self.source_field is not None:
            said["source_field"] = self.source_field
        return said


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one document.

    `document_type` is the local name of the document element (`Invoice`, `CreditNote`, or what else came), None when it
    is no XML. `rules_version` is the release of Peppol BIS Billing that judged it (`3.0.21`), None when no rules ran.
    `layers` says of each layer whether it passed, failed (a fatal finding) or was skipped, in the order they run.
    `unlisted` counts, by rule, what is not among the findings because one rule fired very often.
    """

    document_type: str | None
    rules_version: str | None
    findings: tuple[Finding, ...] = ()
    layers: Mapping[Layer, Outcome] = field(default_factory=dict)
    unlisted: Mapping[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether the document may be sent: every layer was reached, nothing fatal was found. Warnings never reject."""
        return bool(self.layers) and all(outcome == "passed" for outcome in self.layers.values())

    @property
    def readable(self) -> bool:
        """Whether it is well-formed XML that we can read at all."""
        return self.layers.get("xml") == "passed"

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings that make the document invalid."""
        return tuple(finding for finding in self.findings if finding.severity == "fatal")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def in_source(self, fields: Mapping[str, str]) -> Report:
        """The same report, each finding with the field in the source system that the document was made from.

        `fields` are the mapping's, path in the model -> path in the system's record: `Mapper.their_fields`.
        """
        found = (replace(one, source_field=source_field(one.term, one.path, fields)) for one in self.findings)
        return replace(self, findings=tuple(found))

    def as_json(self, file: str | None = None) -> dict[str, Any]:
        """The report as programs read it (command line and API alike); `file` is the name the document came under."""
        said: dict[str, Any] = {
            "file": file,
            "document_type": self.document_type,
            "rules_version": self.rules_version,
            "valid": self.valid,
            "layers": dict(self.layers),
            "findings": [finding.as_json() for finding in self.findings],
        }
        if self.unlisted:
            said["unlisted"] = dict(self.unlisted)
        return said

    def as_text(self, file: str | None = None, language: Language = "nb") -> str:
        """The report as a person reads it, in `nb` or `en`: one paragraph per finding, the worst first."""
        return "\n".join(_paragraphs(self, file, language))


WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "nb": {
        "valid": "gyldig",
        "invalid": "UGYLDIG",
        "fatal": "feil",
        "warning": "advarsel",
        "line": "linje",
        "in the file": "linje {} i filen",
        "InvoiceLine": "fakturalinje {}",
        "CreditNoteLine": "kreditnotalinje {}",
        "skipped": "ikke kontrollert",
        "rules": "regler",
        "fix": "Slik retter du",
        "stated": "oppgitt",
        "expected": "forventet",
        "calculation": "utregning",
        "value": "verdi",
        "allowed": "tillatt",
        "source": "felt i kildesystemet",
        "more": "til, som ikke er listet",
        "category": "mva-kategori",
        "rate": "sats",
        "currency": "valuta",
        "count": "antall",
        "element": "element",
        "attribute": "attributt",
        "namespace": "navnerom",
        "reason": "årsak",
        "start": "fra",
        "end": "til",
        "date": "dato",
        "code": "kode",
        "column": "kolonne",
        "path": "sted",
        "official": "den offisielle teksten",
    },
    "en": {
        "valid": "valid",
        "invalid": "INVALID",
        "fatal": "error",
        "warning": "warning",
        "line": "line",
        "in the file": "line {} of the file",
        "InvoiceLine": "invoice line {}",
        "CreditNoteLine": "credit note line {}",
        "skipped": "not checked",
        "rules": "rules",
        "fix": "How to mend it",
        "stated": "stated",
        "expected": "expected",
        "calculation": "calculation",
        "value": "value",
        "allowed": "allowed",
        "source": "field in the source system",
        "more": "more, not listed",
        "category": "VAT category",
        "rate": "rate",
        "currency": "currency",
        "count": "count",
        "element": "element",
        "attribute": "attribute",
        "namespace": "namespace",
        "reason": "reason",
        "start": "from",
        "end": "to",
        "date": "date",
        "code": "code",
        "column": "column",
        "path": "place",
        "official": "the official text",
    },
}
"""What a text report says by itself, and a word for every name that a finding's `values` may have."""


def _paragraphs(report: Report, file: str | None, language: Language) -> Iterable[str]:
    words = WORDS[language]
    head = words["valid"] if report.valid else words["invalid"]
    kind = report.document_type or "?"
    rules = f", {words['rules']} {report.rules_version}" if report.rules_version else ""
    yield f"{f'{file}: ' if file else ''}{head} ({kind}{rules})"
    for finding in sorted(report.findings, key=lambda finding: finding.severity != "fatal"):
        term = f" ({finding.term})" if finding.term else ""
        yield f"  {words[finding.severity]} {finding.rule}{term}  {_place(finding, words)}".rstrip()
        yield f"    {finding.message.get(language, '')}"
        if finding.values:
            yield "    " + "; ".join(f"{words[name]}: {value}" for name, value in finding.values.items())
        if finding.source_field:
            yield f"    {words['source']}: {finding.source_field}"
        if fix := finding.fix.get(language):
            yield f"    {words['fix']}: {fix}"
    for rule, count in report.unlisted.items():
        yield f"  {rule}: {count} {words['more']}"
    skipped = [layer for layer, outcome in report.layers.items() if outcome == "skipped"]
    if skipped:
        yield f"  {words['skipped']}: {', '.join(skipped)}"


_LINE: Final = re.compile(r"/[A-Za-z]+/cac:(InvoiceLine|CreditNoteLine)(?:\[(\d+)\])?")


def _place(finding: Finding, words: Mapping[str, str]) -> str:
    """Where it is: which line of the invoice, which line of the file, the path."""
    line = _LINE.match(finding.path)
    told = [words[line[1]].format(line[2] or 1)] if line else []
    if finding.line:
        told.append(words["in the file"].format(finding.line))
    return ": ".join(part for part in (", ".join(told), finding.path) if part)
