"""Our verdict is the official one: the same fatal and the same warning rules on every official document at hand."""

import json
from functools import cache
from typing import Any

import pytest

from connector.ehf.rules import releases
from tests.ehf.proof_oracle import RULE_SETS, STANDARDS, VERSIONS, need_shared, ours

FOLDERS = (
    "en16931/tests/Invoice-unit-UBL",
    "en16931/tests/CreditNote-unit-UBL",
    "en16931/tests/testfiles",
    "en16931/examples",
    "en16931/xrechnung",
    "peppol-bis-3/tests",
    "peppol-bis-3/examples",
    "ehf/examples/billing",
)


@cache
def expectations() -> dict[str, Any]:
    """What the official rules say of every Invoice and CreditNote that is billing or self-billing."""
    said = json.loads((need_shared() / "expectations.json").read_text("utf-8"))
    return {name: verdict for name, verdict in said.items() if RULE_SETS.keys() & verdict.keys()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_same_rules_fire(folder: str) -> None:
    need_shared()
    judged = 0
    wrong = []
    for name, expected in expectations().items():
        if not name.startswith(folder + "/"):
            continue
        judged += 1
        mine = ours((STANDARDS / name).read_bytes())
        if mine.xsd != expected["xsd"] or mine.valid != expected["valid"]:
            wrong.append((name, "valid", mine.valid, "xsd", mine.xsd))
        for rule_set in RULE_SETS:
            said = expected.get(rule_set)
            own = mine.fired[rule_set]
            if said is None:
                wrong += [(name, rule_set, "does not apply")] if own.fatal | own.warning else []
            elif "error" in said:
                wrong += [(name, rule_set, "valid, although the official evaluation breaks off")] if mine.valid else []
            else:
                wrong += [
                    (name, rule_set, flag, "missing", set(said[flag]) - ids, "too much", ids - set(said[flag]))
                    for flag, ids in (("fatal", own.fatal), ("warning", own.warning))
                    if set(said[flag]) != ids
                ]
    assert judged, f"no document in {folder}"
    assert not wrong, wrong[:10]


def test_every_document_is_in_a_folder() -> None:
    need_shared()
    assert not [name for name in expectations() if not name.startswith(tuple(folder + "/" for folder in FOLDERS))]


def test_every_release_is_compared() -> None:
    assert [release.version for release in releases.RELEASES] == sorted(VERSIONS)
