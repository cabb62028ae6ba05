"""A document as it was posted, read without a store: EHF with the official verdict, or JSON of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector import ehf
from connector.ehf.report import Finding
from connector.ehf.source import TERMS, source_field
from connector.errors import BadInput
from connector.model import Invoice
from connector.preflight.places import Form, place, pointer
from connector.preflight.report import Layer, Problem, Severity
from connector.preflight.words import said_by
from connector.sync import intake

_OURS: Mapping[str, str] = {path: path for path in TERMS.values()}


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted: the invoice, where it could be read, and what is wrong with its form.

    `stated`: its totals came with it. `judged`: whether the official rules have judged its own bytes. `size`: bytes.
    """

    name: str
    form: Form
    invoice: Invoice | None
    problems: tuple[Problem, ...] = ()
    stated: bool = False
    judged: bool = False
    document_type: str = "Invoice"
    size: int = 0


def read_posted(name: str, body: bytes, content_type: str, *, draft: bool = False) -> Posted:
    """Read one. Whatever is wrong with it is in its problems.

    Args:
        name: what it is called in the report.
        content_type: `application/xml` is EHF, anything else JSON.
        draft: its number means nothing and is dropped.
    """
    if content_type in intake.XML:
        return _ehf(name, body, draft)
    posted = Posted(name, "json", None, size=len(body))
    try:
        invoice = intake.read_invoice(body, content_type, drop_number=draft)
        stated = intake.states_totals(body, content_type)
    except BadInput as error:
        return replace(posted, problems=tuple(_faults(error)))
    kind = "CreditNote" if invoice.is_credit_note else "Invoice"
    return replace(posted, invoice=invoice, stated=stated, document_type=kind)


def _ehf(name: str, body: bytes, draft: bool) -> Posted:
    report = ehf.validate(body)
    kind = report.document_type or "Invoice"
    problems = [of_finding(one, "error" if one.severity == "fatal" else "warning") for one in report.findings]
    posted = Posted(name, "xml", None, tuple(problems), stated=True, judged=True, document_type=kind, size=len(body))
    try:
        return replace(posted, invoice=intake.read_invoice(body, "application/xml", drop_number=draft))
    except BadInput as error:
        if problems and not report.valid:  # said already, with the place
            return posted
        where: dict[str, Any] = {key: error.where[key] for key in ("xpath", "line") if key in error.where}
        said = said_by(error)
        return replace(posted, problems=(*problems, Problem(error.code, "error", "model", *said, place=where)))


def of_finding(one: Finding, severity: Severity, *, form: Form = "xml") -> Problem:
    """A finding of the official rules, at its place in what was posted."""
    ours = source_field(one.term, one.path, _OURS) or ""
    first = ours.split(", ")[0].replace("[]", "")
    where: dict[str, Any] = {"xpath": one.path, "term": one.term, "line": one.line}
    if form == "json":
        where = {"pointer": pointer(first), "term": one.term}
    return Problem(
        one.rule,
        severity,
        _LAYERS[one.layer],
        dict(one.message),
        dict(one.fix),
        field=first,
        place={name: value for name, value in where.items() if value is not None},
        values=dict(one.values),
    )


_LAYERS: Mapping[str, Layer] = {
    "xml": "xml",
    "xsd": "xsd",
    "en16931": "en16931",
    "peppol": "peppol",
    "self-billing": "self-billing",
}


def _faults(error: BadInput) -> Iterator[Problem]:
    """Each fault that the model found in a JSON body."""
    faults = error.details if isinstance(error.details, list) else []
    for fault in faults:
        field = _indexed(str(fault["field"]))
        one = BadInput(fault["message"], code=fault["code"], do=error.do, where={"field": field})
        # What cannot be computed is one code, as when it is posted; its words are those of each reason.
        code = error.code if error.code == "not-composable" else fault["code"]
        yield Problem(
            code, "error", "model", *said_by(one, "model"), field=field, place=place("json", field, "Invoice")
        )
    if not faults:
        yield Problem(error.code, "error", "model", *said_by(error))


def _indexed(path: str) -> str:
    """`lines.0.price` as `lines[0].price`."""
    made = ""
    for part in path.split("."):
        made += f"[{part}]" if part.isdigit() else f".{part}" if made else part
    return made
