"""The official verdict beside ours: one Saxon process, every release of the rules, and what to compare.

The official artefacts are not part of the project. They are looked for in `CONNECTOR_SHARED` (default: the folder
`shared` beside the project); tests that need them skip with a reason when they are not there.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

import connector.ehf

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CONNECTOR_SHARED", ROOT.parent / "shared"))
STANDARDS = SHARED / "standards"
VERSIONS = ("3.0.21", "3.0.20", "3.0.19")
RULE_SETS = {"en16931": "en16931", "peppol": "peppol", "peppol-self-billing": "self-billing"}
"""Name of a rule set in the expectations, and the layer of our findings."""


def need_shared() -> Path:
    """The folder of the official artefacts, or a skipped test."""
    if not STANDARDS.is_dir():
        pytest.skip(f"the official rules and documents are not at {STANDARDS} (set CONNECTOR_SHARED)")
    return STANDARDS


@dataclass(frozen=True, slots=True)
class Fired:
    """Ids of one rule set, each once; `broke_off` when the evaluation ended in an error and there is no verdict."""

    fatal: frozenset[str] = frozenset()
    warning: frozenset[str] = frozenset()
    broke_off: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says of one document."""

    valid: bool
    xsd: bool
    fired: dict[str, Fired]


@functools.cache
def oracle_module() -> ModuleType:
    """The official rules' runner, loaded from where it stands."""
    pytest.importorskip("saxonche")
    path = need_shared().parent / "tools" / "schematron_oracle.py"
    spec = importlib.util.spec_from_file_location("schematron_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Official:
    """The official rules of every release, compiled once."""

    def __init__(self) -> None:
        self.oracle: Any = oracle_module().Oracle(need_shared())

    def rule_sets(self, data: bytes, version: str) -> list[tuple[str, Path]]:
        """The rule files of a release. There is no earlier file for self-billing here: then only EN 16931 is compared.

        Which apply says the customisation id as XPath sees it: a comment in the middle does not end it.
        """
        if version == VERSIONS[0]:
            plain = etree.XMLParser(
                resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
            )
            chosen: list[tuple[str, Path]] = self.oracle.scenario(etree.fromstring(data, plain))
            return chosen
        folder = STANDARDS / "peppol-bis-3/schematron/previous" / version
        files = [("en16931", folder / "CEN-EN16931-UBL.sch")]
        if b"poacc:selfbilling:" not in data:
            files.append(("peppol", folder / "PEPPOL-EN16931-UBL.sch"))
        return files

    def verdict(self, data: bytes, version: str = VERSIONS[0]) -> Verdict:
        """The official verdict on well-formed UBL of an Invoice or CreditNote."""
        said = self.oracle.check(data, self.rule_sets(data, version))
        fired = {}
        for name in said["rulesets"]:
            ids: dict[str, set[str]] = {"fatal": set(), "warning": set()}
            for one in said["fired"]:
                if one["ruleset"] == name:
                    ids[one["flag"]].add(one["id"])
            error = said["errors"].get(name, "")
            fired[name] = Fired(frozenset(ids["fatal"]), frozenset(ids["warning"]), error)
        return Verdict(said["valid"], said["xsd"], fired)


@functools.cache
def official() -> Official:
    """One process-wide Saxon."""
    return Official()


def ours(data: bytes, version: str | None = None) -> Verdict:
    """Our own verdict, all layers whether the XSD passed or not."""
    report = connector.ehf.validate(data, rules=version or VERSIONS[0], all_layers=True)
    fired = {}
    for name, layer in RULE_SETS.items():
        here = [f for f in report.findings if f.layer == layer]
        fired[name] = Fired(
            frozenset(f.rule for f in here if f.severity == "fatal"),
            frozenset(f.rule for f in here if f.severity == "warning"),
        )
    return Verdict(report.valid, all(f.layer != "xsd" for f in report.findings), fired)


def differences(theirs: Verdict, mine: Verdict) -> list[str]:
    """Where the two judges disagree, in words that sort: rule set, id, who fires it alone."""
    found = []
    if theirs.xsd != mine.xsd:
        found.append(f"xsd: officially {'passed' if theirs.xsd else 'failed'}")
    complete = {"en16931", "peppol"} <= set(theirs.fired) or {"en16931", "peppol-self-billing"} <= set(theirs.fired)
    if complete and theirs.valid != mine.valid:
        found.append(f"valid: officially {theirs.valid}")
    for name, fired in theirs.fired.items():
        own = mine.fired[name]
        if fired.broke_off:  # no official verdict to agree with, but a valid one it must not be
            if mine.valid:
                found.append(f"{name}: valid, although the official evaluation breaks off")
            continue
        for flag, official_ids, own_ids in (
            ("fatal", fired.fatal, own.fatal),
            ("warning", fired.warning, own.warning),
        ):
            found += [f"{name}: {rule} {flag} missing" for rule in sorted(official_ids - own_ids)]
            found += [f"{name}: {rule} {flag} too much" for rule in sorted(own_ids - official_ids)]
    for name in set(RULE_SETS) - set(theirs.fired) if complete else ():
        own = mine.fired[name]
        found += [f"{name}: {rule} of a rule set that does not apply" for rule in sorted(own.fatal | own.warning)]
    return found
