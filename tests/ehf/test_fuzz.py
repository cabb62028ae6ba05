"""Spoilt documents get the official verdict: a few in every run, many in `make proof`, and all that was ever found."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from benchmarks.invoices import invoice
from connector.ehf import validate
from connector.ehf.rules.peppol import lines
from tests.ehf.proof_fuzz import disagreement, hunt, shrink
from tests.ehf.proof_oracle import VERSIONS, differences, need_shared, official, ours

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
FOUND = Path(__file__).parent / "found"
VERDICTS: dict[str, dict[str, Any]] = json.loads((FOUND / "verdicts.json").read_text("utf-8"))


@pytest.mark.proof
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("release", VERSIONS)
@pytest.mark.parametrize("seed", range(4 if FULL else 1))
def test_no_disagreement(release: str, seed: int) -> None:
    need_shared()
    found = hunt(release, 7000 + seed, count=12_000 if FULL else 120)
    assert not found, "\n".join(f"{'; '.join(one.about)}\n{one.document.decode()}" for one in found)


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_what_was_found_stays_mended(name: str) -> None:
    expected = VERDICTS[name]
    release = expected.get("release", VERSIONS[0])
    mine = ours((FOUND / name).read_bytes(), release)
    if expected.get("broke_off"):
        assert not mine.valid
    for rule_set, said in expected["fired"].items():
        assert sorted(mine.fired[rule_set].fatal) == said["fatal"], rule_set
        assert sorted(mine.fired[rule_set].warning) == said["warning"], rule_set


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_what_was_found_is_the_official_verdict(name: str) -> None:
    need_shared()
    data = (FOUND / name).read_bytes()
    release = VERDICTS[name].get("release", VERSIONS[0])
    theirs = official().verdict(data, release)
    assert differences(theirs, ours(data, release)) == []
    for rule_set, said in VERDICTS[name]["fired"].items():
        assert sorted(theirs.fired[rule_set].fatal) == said["fatal"]
        assert sorted(theirs.fired[rule_set].warning) == said["warning"]
    assert bool(VERDICTS[name].get("broke_off")) == any(fired.broke_off for fired in theirs.fired.values())


def test_every_found_document_has_a_verdict() -> None:
    assert {path.name for path in FOUND.glob("*.xml")} == set(VERDICTS)


@pytest.mark.parametrize("text", ["2026<!-- -->-05-31", "<?x y?>2026-05-31", "2026-05-<?x?>31", "2026-05-31<!---->"])
def test_a_comment_in_a_date_is_never_valid_where_the_official_evaluation_breaks_off(text: str) -> None:
    need_shared()
    data = invoice().replace(b"<cbc:DueDate>2026-05-31", f"<cbc:DueDate>{text}".encode())
    theirs = official().verdict(data)
    assert validate(data, rules=VERSIONS[0]).valid == theirs.valid
    assert etree.fromstring(data) is not None


def test_a_comment_in_the_customisation_id_does_not_change_which_rules_apply() -> None:
    need_shared()
    data = invoice().replace(
        b"poacc:billing:3.0</cbc:CustomizationID>", b"po<!--x-->acc:selfbilling:3.0</cbc:CustomizationID>"
    )
    assert b"selfbilling" in data
    theirs, mine = official().verdict(data), ours(data)
    assert differences(theirs, mine) == []
    assert theirs.fired["peppol-self-billing"].broke_off
    assert not mine.valid


def test_a_broken_rule_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    need_shared()
    document = invoice().replace(b'<cbc:PriceAmount currencyID="NOK">13.50', b'<cbc:PriceAmount currencyID="NOK">13.51')
    assert disagreement(document, VERSIONS[0]) == []
    monkeypatch.setattr(lines, "SLACK", Decimal("0.5"))  # instead of 0.02
    about = "peppol: PEPPOL-EN16931-R120 fatal missing"
    assert about in disagreement(document, VERSIONS[0])
    smallest = shrink(document, lambda trial: about in disagreement(trial, VERSIONS[0]), patience=20)
    assert len(etree.fromstring(smallest).findall(".//*")) < 12
