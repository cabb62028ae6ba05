"""Reference mode: the official rule files themselves, run by Saxon, so that anyone can compare for himself.

The files are not part of this program. Point `CONNECTOR_SCHEMATRON_DIR` at any folder that holds them, at any depth:

    EN16931-UBL-validation-preprocessed.sch   EN 16931 for UBL (github.com/ConnectingEurope/eInvoicing-EN16931), or
    CEN-EN16931-UBL.sch                       the same file as Peppol publishes it
    PEPPOL-EN16931-UBL.sch                    Peppol BIS Billing (github.com/OpenPEPPOL/peppol-bis-invoice-3)
    PEPPOL-EN16931-UBL-SB.sch                 Peppol BIS Self-Billing

Several releases may lie there: each file says in its first lines which it is, and a document is judged by the release
that `rules` names, or by the one in force on its date. The file for self-billing does not say; the one nearest to the
top is taken.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from lxml import etree

from connector.ehf import schematron, validation
from connector.ehf.report import Finding, Outcome, Report, Severity
from connector.ehf.report import Layer as LayerName
from connector.ehf.rules import releases
from connector.ehf.texts import explain
from connector.ehf.xml import line_of, path_of
from connector.errors import Misconfigured

DIRECTORY_SETTING: Final = "CONNECTOR_SCHEMATRON_DIR"
FILES: Final[dict[LayerName, tuple[str, ...]]] = {
    "en16931": ("EN16931-UBL-validation-preprocessed.sch", "CEN-EN16931-UBL.sch"),
    "peppol": ("PEPPOL-EN16931-UBL.sch",),
    "self-billing": ("PEPPOL-EN16931-UBL-SB.sch",),
}
"""Layer of our findings, and the names its rule file goes by."""

_VERSIONS: Final[dict[LayerName, re.Pattern[bytes]]] = {
    "en16931": re.compile(rb"Schematron version ([0-9.]*[0-9])"),
    "peppol": re.compile(rb"release ([0-9.]*[0-9])"),
}
_HEADER: Final = 2000


@dataclass(frozen=True, slots=True)
class Failed:
    """One assertion that the official evaluation failed."""

    rule: str
    severity: str
    path: str
    """XPath as Saxon writes it: `/Q{namespace}Invoice[1]/…`."""
    text: str


class BrokeOff(Exception):
    """The official evaluation ended in an error (a cast that failed): there is no verdict."""


def directory() -> Path:
    """The folder that the setting names.

    Raises:
        Misconfigured: the setting is missing or names no folder.
    """
    said = os.environ.get(DIRECTORY_SETTING, "")
    if not said or not Path(said).is_dir():
        raise Misconfigured(
            f"{DIRECTORY_SETTING} names no folder" if said else f"{DIRECTORY_SETTING} is not set",
            code="schematron-directory",
            do=f"Set {DIRECTORY_SETTING} to a folder that holds the official files {', '.join(_all_names())}.",
        )
    return Path(said)


def rule_file(folder: Path, layer: LayerName, release: releases.Release) -> Path:
    """The rule file of a layer in that release; of several the one nearest to the top.

    Raises:
        Misconfigured: there is none.
    """
    found = [path for name in FILES[layer] for path in folder.rglob(name) if _is_of(path, layer, release)]
    if not found:
        version = {"en16931": f" {release.en16931}", "peppol": f" {release.version}"}.get(layer, "")
        raise Misconfigured(
            f"There is no {' or '.join(FILES[layer])}{version} in {folder}.",
            code="schematron-directory",
            do="Put the official file of that release there, or name another release with `--rules`.",
        )
    return min(found, key=lambda path: (len(path.parts), str(path)))


def _is_of(path: Path, layer: LayerName, release: releases.Release) -> bool:
    """Whether the file says that it is of this release."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
    said = _VERSIONS[layer].search(head) if layer in _VERSIONS else None
    wanted = release.en16931 if layer == "en16931" else release.version
    return layer not in _VERSIONS or (said is not None and said[1].decode() == wanted)


class RuleFile:
    """One official rule file, compiled once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run = (
            _processor()
            .new_xslt30_processor()
            .compile_stylesheet(stylesheet_text=schematron.compile_rules(path.read_bytes()))
        )

    def judge(self, document: str) -> list[Failed]:
        """Every assertion that fails on the document, in the file's order of patterns.

        Args:
            document: well-formed XML as text, without an encoding declaration.

        Raises:
            BrokeOff: the evaluation ended in an error.
        """
        node = _processor().new_document_builder().parse_xml(xml_text=document)
        self._run.set_global_context_item(xdm_item=node)
        self._run.set_initial_match_selection(xdm_value=node)
        try:
            said = self._run.apply_templates_returning_string() or ""
        except _saxon().PySaxonApiError as error:
            raise BrokeOff(str(error)) from error
        return [Failed(*line.split(schematron.SEPARATOR, 3)) for line in said.splitlines() if line]


@cache
def compiled(path: Path) -> RuleFile:
    """The rule file at that path, compiled at its first use in this process."""
    return RuleFile(path)


@cache
def _saxon() -> Any:
    try:
        import saxonche
    except ImportError as error:
        raise Misconfigured(
            "the official rules need Saxon, which is not installed",
            code="schematron-extra-missing",
            do="Install the optional part: pip install 'connector[schematron]'.",
        ) from error
    return saxonche


@cache
def _processor() -> Any:
    return _saxon().PySaxonProcessor(license=False)


def validate(data: bytes, *, rules: str | None = None, all_layers: bool = False) -> Report:
    """Judge a document as `connector.ehf.validate` does, with the official files in place of our own rules.

    The layers XML and XSD, and which release judges, are the same. A finding has the official text among its `values`
    (`official`) and no values of its own. Where the official evaluation breaks off, the finding `rule-not-evaluable`
    says why.

    Raises:
        Misconfigured: `schematron-directory` or `schematron-extra-missing`.
        BadInput: `unknown-rules-version`.
    """
    ours = validation.validate(data, rules=rules, all_layers=all_layers)
    if ours.rules_version is None:
        return ours
    release = releases.named(ours.rules_version)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(data, parser)
    document = etree.tostring(root, encoding="unicode")
    layers: dict[LayerName, Outcome] = {"xml": "passed", "xsd": ours.layers["xsd"]}
    findings = [finding for finding in ours.findings if finding.layer == "xsd"]
    folder = directory()
    for layer in (layer for layer in ours.layers if layer not in layers):
        file = compiled(rule_file(folder, layer, release))
        try:
            found = [_finding(failed, layer, root) for failed in file.judge(document)]
        except BrokeOff as reason:
            found = [_finding(Failed("rule-not-evaluable", "fatal", "", str(reason)), layer, root)]
        findings += found
        layers[layer] = "failed" if any(finding.severity == "fatal" for finding in found) else "passed"
    return Report(ours.document_type, release.version, tuple(findings), layers)


def _finding(failed: Failed, layer: LayerName, root: etree._Element) -> Finding:
    element = root.find(element_path(failed.path))
    element = root if element is None else element
    try:
        text = explain(failed.rule, layer)
        term, message, fix = text.term, text.message, text.fix
    except KeyError:  # a rule newer than our texts
        term, message, fix = None, {"nb": failed.text, "en": failed.text}, {"nb": "", "en": ""}
    severity: Severity = "fatal" if failed.severity == "fatal" else "warning"
    values = {"official": failed.text}
    return Finding(failed.rule, severity, layer, path_of(element), line_of(element), term, values, message, fix)


def _all_names() -> list[str]:
    return [names[0] for names in FILES.values()]


def element_path(saxon_path: str) -> str:
    """Saxon's path below the root in the form that `lxml` finds: `{namespace}Party[1]/…` ("." for the root)."""
    steps = re.findall(r"/Q(\{[^}]*\}[^/\[]+)(\[\d+\])", saxon_path)
    return "/".join(name.removeprefix("{}") + place for name, place in steps[1:]) or "."
