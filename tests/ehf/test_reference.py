"""Reference mode: the official files through our own compiler say what the official evaluation says."""

import json
import random

import pytest
from lxml import etree

from connector.ehf import reference, schematron, validate
from connector.errors import BadInput, Misconfigured
from tests.ehf.proof_oracle import STANDARDS, need_shared

SHADOWS = """<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
  <let name="limit" value="2"/>
  <pattern id="p" abstract="true">
    <rule context="$where"><assert id="$id" flag="fatal" test="false()">Never here</assert></rule>
  </pattern>
  <pattern>
    <rule abstract="true" id="short">
      <assert id="SHORT" flag="warning" test="string-length() &lt;= $limit">Too long</assert>
    </rule>
    <rule context="a[@x]"><assert id="FIRST" test="false()">With x</assert></rule>
    <rule context="a | b">
      <let name="one" value="1"/><extends rule="short"/><report id="SECOND" test="$one = 1">All</report>
    </rule>
  </pattern>
  <pattern is-a="p"><param name="where" value="b"/><param name="id" value="OTHER"/></pattern>
</schema>"""


@pytest.fixture
def standards(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("saxonche")
    monkeypatch.setenv(reference.DIRECTORY_SETTING, str(need_shared()))


def test_first_rule_that_fits_wins_in_a_pattern_and_not_across_patterns(tmp_path) -> None:
    pytest.importorskip("saxonche")
    file = tmp_path / "rules.sch"
    file.write_text(SHADOWS)
    found = reference.RuleFile(file).judge("<r><a x='1'>long</a><a>long</a><b>ok</b></r>")
    assert [(one.rule, one.severity, one.path) for one in found] == [
        ("FIRST", "fatal", "/Q{}r[1]/Q{}a[1]"),
        ("SHORT", "warning", "/Q{}r[1]/Q{}a[2]"),
        ("SECOND", "fatal", "/Q{}r[1]/Q{}a[2]"),
        ("SECOND", "fatal", "/Q{}r[1]/Q{}b[1]"),
        ("OTHER", "fatal", "/Q{}r[1]/Q{}b[1]"),
    ]


@pytest.mark.parametrize("source", [b"<a/>", b"<a", SHADOWS.replace('rule="short"', 'rule="none"').encode()])
def test_what_is_no_rule_file_is_a_clear_error(source: bytes) -> None:
    with pytest.raises(BadInput) as error:
        schematron.compile_rules(source)
    assert error.value.code == "schematron-unreadable"


@pytest.mark.usefixtures("standards")
def test_agrees_with_the_official_answers() -> None:
    said = json.loads((STANDARDS / "expectations.json").read_text("utf-8"))
    names = [name for name, verdict in said.items() if "en16931" in verdict]
    for name in random.Random(1).sample(names, 60):
        report = reference.validate((STANDARDS / name).read_bytes(), rules="3.0.21", all_layers=True)
        for layer, rule_set in (("en16931", "en16931"), ("peppol", "peppol"), ("self-billing", "peppol-self-billing")):
            for flag in ("fatal", "warning"):
                ids = {f.rule for f in report.findings if f.layer == layer and f.severity == flag}
                assert ids == set(said[name].get(rule_set, {}).get(flag, ())), name
        assert report.valid == said[name]["valid"], name


@pytest.mark.usefixtures("standards")
@pytest.mark.parametrize("release", ["3.0.19", "3.0.20", "3.0.21"])
def test_both_engines_point_to_the_same_places(release: str) -> None:
    names = ("Allowance-example.xml", "base-creditnote-correction.xml", "vat-category-O.xml")
    for name in names:
        root = etree.parse(str(STANDARDS / "peppol-bis-3/examples" / name)).getroot()
        for element in root.iter("{*}Percent", "{*}EndpointID", "{*}Country"):
            element.getparent().remove(element)
        data = etree.tostring(root)
        theirs, mine = (judge(data, rules=release, all_layers=True) for judge in (reference.validate, validate))
        assert theirs.rules_version == mine.rules_version == release
        assert theirs.findings
        assert {(f.rule, f.severity) for f in theirs.findings} == {(f.rule, f.severity) for f in mine.findings}


def test_setting_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(reference.DIRECTORY_SETTING, raising=False)
    with pytest.raises(Misconfigured) as error:
        reference.directory()
    assert error.value.code == "schematron-directory"
