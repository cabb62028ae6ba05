"""Reference mode: the official rule files themselves, run by Saxon, so that anyone can compare for himself.

The files are not part of this program. Point `CONNECTOR_SCHEMATRON_DIR` at any folder that holds them; they are looked
for by name, the file nearest to the top first:

    EN16931-UBL-validation-preprocessed.sch   EN 16931 for UBL (github.com/ConnectingEurope/eInvoicing-EN16931)
    PEPPOL-EN16931-UBL.sch                    Peppol BIS Billing (github.com/OpenPEPPOL/peppol-bis-invoice-3)
    PEPPOL-EN16931-UBL-SB.sch                 Peppol BIS Self-Billing

An older release lies in a folder named after it, `3.0.20/` say, with its EN 16931 file (there also called
`CEN-EN16931-UBL.sch`) beside the Peppol one; `rules="3.0.20"` then takes that folder's files only.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from connector.ehf import schematron
from connector.errors import Misconfigured

DIRECTORY_SETTING: Final = "CONNECTOR_SCHEMATRON_DIR"
FILES: Final = {
    "en16931": ("EN16931-UBL-validation-preprocessed.sch", "CEN-EN16931-UBL.sch"),
    "peppol": ("PEPPOL-EN16931-UBL.sch",),
    "self-billing": ("PEPPOL-EN16931-UBL-SB.sch",),
}
"""Layer of our findings, and the names its rule file goes by."""


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


def rule_file(folder: Path, layer: str, release: str | None = None) -> Path:
    """The rule file of a layer: of the named release, or the one nearest to the top.

    Raises:
        Misconfigured: there is none.
    """
    found = [path for name in FILES[layer] for path in folder.rglob(name)]
    if release is not None:
        found = [path for path in found if release in path.relative_to(folder).parts]
    if not found:
        wanted = " or ".join(FILES[layer]) + (f" below a folder {release}/" if release else "")
        raise Misconfigured(
            f"no {wanted} in {folder}",
            code="schematron-directory",
            do="Fetch the official rule files and put them there; their names and sources are in `connector.ehf.reference`.",
        )
    return min(found, key=lambda path: (len(path.parts), str(path)))


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


def _all_names() -> list[str]:
    return [names[0] for names in FILES.values()]


def element_path(saxon_path: str) -> str:
    """Saxon's path below the root in the form that `lxml` finds: `{namespace}Party[1]/…` ("." for the root)."""
    steps = re.findall(r"/Q(\{[^}]*\}[^/\[]+)(\[\d+\])", saxon_path)
    return "/".join(name.removeprefix("{}") + place for name, place in steps[1:]) or "."
