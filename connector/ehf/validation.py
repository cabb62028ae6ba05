"""The layers of a validation, one after the other: XML, XSD, then every rule of EN 16931 and Peppol at once."""

from __future__ import annotations

import datetime
import gc
from functools import cache
from typing import Final

from lxml import etree

from connector.ehf import flat, xsd
from connector.ehf.report import Finding, Outcome, Report, Severity
from connector.ehf.report import Layer as LayerName
from connector.ehf.rules import releases
from connector.ehf.rules.engine import MAX_FINDINGS_PER_RULE, Document, RuleSet
from connector.ehf.rules.judging import judge, judge_flat
from connector.ehf.texts import explain
from connector.ehf.xml import CBC, CREDIT_NOTE, INVOICE, line_of, parse, parted_texts, path_of
from connector.errors import BadInput

_DOCUMENT_TYPES: Final = {f"{{{INVOICE}}}Invoice": "Invoice", f"{{{CREDIT_NOTE}}}CreditNote": "CreditNote"}
_SELF_BILLING: Final = "poacc:selfbilling:"


def validate(data: bytes, *, rules: str | None = None, all_layers: bool = False) -> Report:
    """Judge a UBL invoice or credit note as a Peppol receiver would.

    A public interface. The layers are XML, XSD (UBL 2.1), EN 16931 and Peppol BIS Billing 3.0 with the national rules
    (or Peppol BIS Self-Billing, by the customisation id). A document that is no XML, no invoice or fails the XSD goes
    no further; otherwise all findings come at once. The rule ids and verdicts are the official ones.

    Args:
        data: the document as it came, bytes in the encoding it declares.
        rules: the release of BIS Billing to judge by, `3.0.21`; by default the one in force on the document's issue
            date (`connector.ehf.rules.releases`).
        all_layers: run the rules also on what fails the XSD.

    Returns:
        The report. Whatever is wrong with the document is a finding in it.

    Raises:
        BadInput: `unknown-rules-version`, a release that we do not have.
        Misconfigured: `xsd-files`, the schema files are missing.
    """
    release = releases.named(rules) if rules is not None else None
    # No garbage collection meanwhile: thousands of short-lived objects, no cycles among them.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _validate(data, release, all_layers)
    finally:
        if collects:
            gc.enable()


def _validate(data: bytes, release: releases.Release | None, all_layers: bool) -> Report:
    return _quickly(data, release) or _thoroughly(data, release, all_layers)


def _quickly(data: bytes, release: releases.Release | None) -> Report | None:
    """The report on a document that can be read without a tree and passes the XSD; None for all others."""
    document = flat.read(data)
    if document is None:
        return None
    release = release or releases.in_force(_date(document.first("IssueDate")))
    rule_set = rules_for(release.version, _SELF_BILLING in (document.first("CustomizationID") or ""))
    doc = judge_flat(document, lambda: parse(data), rule_set)
    return None if doc is None else _report(doc, [], {"xml": "passed", "xsd": "passed"})


def _thoroughly(data: bytes, release: releases.Release | None, all_layers: bool) -> Report:
    try:
        root = parse(data)
    except BadInput as error:
        return Report(None, None, (_unreadable(error),), _layers("xml", "failed"))
    kind = _DOCUMENT_TYPES.get(root.tag)
    if kind is None:
        return Report(etree.QName(root).localname, None, (_other(root),), _layers("xsd", "failed"))
    wrong = xsd.errors(root, kind)
    findings = [_finding(error.rule, "fatal", "xsd", error.path, error.line, error.values) for error in wrong]
    release = release or releases.in_force(_issue_date(root))
    if wrong and not all_layers:
        return Report(kind, None, tuple(findings), _layers("xsd", "failed"))
    rule_set = rules_for(release.version, _is_self_billing(root))
    try:
        doc = judge(root, rule_set, kind, typed=not wrong, parted=parted_texts(data, root))
    except BadInput as error:
        return Report(kind, None, (_unreadable(error),), _layers("xml", "failed"))
    return _report(doc, findings, {"xml": "passed", "xsd": "failed" if wrong else "passed"})


def _report(doc: Document, findings: list[Finding], layers: dict[LayerName, Outcome]) -> Report:
    """What the rules found, after what the layers before them did."""
    rule_set = doc.rules
    for layer in rule_set.layers:
        layers[layer.name] = "passed"
    if doc.found or doc.broke_off:
        for finding in _findings(doc, rule_set):
            findings.append(finding)
            if finding.severity == "fatal":
                layers[finding.layer] = "failed"
    unlisted = {
        rule: times - MAX_FINDINGS_PER_RULE for rule, times in doc.fired.items() if times > MAX_FINDINGS_PER_RULE
    }
    return Report(doc.kind, rule_set.release, tuple(findings), layers, unlisted)


@cache
def rules_for(version: str, self_billing: bool = False) -> RuleSet:
    """The rule set of a release of BIS Billing, made at the first use and kept."""
    from connector.ehf.rules import catalogue

    return catalogue.rule_set(version, self_billing=self_billing)


def _findings(doc: Document, rule_set: RuleSet) -> list[Finding]:
    order = {layer.name: place for place, layer in enumerate(rule_set.layers)}
    found = []
    for rule, element, values in doc.found:
        severity, layer = rule_set.entries[rule]
        found.append(_finding(rule, severity, layer, path_of(element), line_of(element), values))
    for layer, (element, reason) in doc.broke_off.items():
        values = {"reason": reason}
        found.append(_finding("rule-not-evaluable", "fatal", layer, path_of(element), line_of(element), values))
    found.sort(key=lambda finding: (order[finding.layer], finding.line or 0))
    return found


def _finding(
    rule: str, severity: Severity, layer: LayerName, path: str, line: int | None, values: dict[str, str]
) -> Finding:
    text = explain(rule, layer)
    return Finding(rule, severity, layer, path, line, text.term, values, text.message, text.fix)


def _unreadable(error: BadInput) -> Finding:
    values = {name: str(value) for name, value in error.where.items()} | {"reason": error.said}
    return _finding(error.code, "fatal", "xml", "", error.where.get("line"), values)


def _other(root: etree._Element) -> Finding:
    """A document of another kind: an order, a UBL 2.0 or CII invoice, a web page."""
    namespace = etree.QName(root).namespace or ""
    values = {"element": etree.QName(root).localname, "namespace": namespace}
    return _finding("xsd-other-document", "fatal", "xsd", path_of(root), line_of(root), values)


_ORDER: Final[tuple[LayerName, ...]] = ("xml", "xsd", "en16931", "peppol")


def _layers(reached: LayerName, outcome: Outcome) -> dict[LayerName, Outcome]:
    """Passed up to `reached`, that one as it came out, skipped after it."""
    at = _ORDER.index(reached)
    return {
        layer: "passed" if place < at else outcome if place == at else "skipped" for place, layer in enumerate(_ORDER)
    }


def _issue_date(root: etree._Element) -> datetime.date | None:
    return _date(root.findtext(f"{{{CBC}}}IssueDate"))


def _date(text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None


def _is_self_billing(root: etree._Element) -> bool:
    return _SELF_BILLING in (root.findtext(f"{{{CBC}}}CustomizationID") or "")
