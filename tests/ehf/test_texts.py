"""Every rule is explained in both languages, in our own words, by terms that exist."""

from __future__ import annotations

import ast
import difflib
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from connector.ehf import report, texts
from connector.ehf.report import Layer
from connector.ehf.rules import catalogue, releases
from connector.ehf.texts import LANGUAGES, Text, explain

SHARED = Path(os.environ.get("CONNECTOR_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
BIS = SHARED / "standards" / "peppol-bis-3" / "schematron"
RULE_FILES = (
    SHARED / "standards" / "en16931" / "schematron" / "EN16931-UBL-validation-preprocessed.sch",
    BIS / "PEPPOL-EN16931-UBL.sch",
    BIS / "PEPPOL-EN16931-UBL-SB.sch",
    *(
        BIS / "previous" / version / f"{name}-EN16931-UBL.sch"
        for version in ("3.0.19", "3.0.20")
        for name in ("CEN", "PEPPOL")
    ),
)
SCHEMATRON = "{http://purl.oclc.org/dsdl/schematron}"
OWN_CODES = re.compile(r'"((?:xml|xsd|rule)-[a-z-]+)"')
NOT_FINDINGS = {"xsd-files"}  # an error of the installation, not of a document
LONGEST = 320

ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """the and of invoice shall must should with not is are amount line lines buyer seller missing value if or has
        have which that this from than an only without date name number charge allowance address payment when where its
        they there here write state use give remove""",
    )
)
NORWEGIAN = frozenset(
    re.findall(
        r"\w+",
        """og ikke fakturaen faktura skal må beløp beløpet linje linjen kjøper kjøpers selger selgers eller mangler uten
        med som det den er av til på hvis når mva satsen koden bort""",
    )
)
TWINS = {("UBL-CR-628", "UBL-CR-631")}
"""Official rules that say the same; the second was withdrawn for that."""


@cache
def official() -> dict[str, set[str]]:
    """Rule id to the official messages of all releases."""
    found: dict[str, set[str]] = {}
    for file in RULE_FILES:
        for assertion in ElementTree.parse(file).iter(f"{SCHEMATRON}assert"):
            said = " ".join("".join(assertion.itertext()).split())
            found.setdefault(assertion.attrib["id"], set()).add(re.sub(r"^\[[^\]]*\]\s*-?\s*", "", said))
    return found


def flags(file: Path) -> list[tuple[str, str]]:
    """Rule id and severity of each assertion of an official file."""
    return [(a.attrib["id"], a.attrib["flag"]) for a in ElementTree.parse(file).iter(f"{SCHEMATRON}assert")]


@pytest.fixture(scope="module")
def official_rules() -> dict[str, set[str]]:
    if not RULE_FILES[0].is_file():
        pytest.skip(f"the official rule files are not under {SHARED} (set CONNECTOR_SHARED)")
    return official()


def every_text() -> list[tuple[str, Text]]:
    layers = ("", "self-billing")
    return [
        (rule, text)
        for rule in texts.rules()
        for text in {id(t): t for t in (explain(rule, x) for x in layers)}.values()
    ]


def words(text: str) -> set[str]:
    """The words of running text: without paths, quotations and what stands in capitals."""
    text = re.sub(r"«[^»]*»|\S*:\S*", " ", text)
    return {word.lower() for word in re.findall(r"[^\W\d_]+", text) if not (word.isupper() and len(word) > 1)}


def test_every_official_rule_is_explained(official_rules: dict[str, set[str]]) -> None:
    assert len(official_rules) > 1_100
    assert set(official_rules) - set(texts.rules()) == set()


def test_every_rule_of_the_engine_is_explained() -> None:
    for release in releases.RELEASES:
        for self_billing in (False, True):
            entries = catalogue.rule_set(release.version, self_billing=self_billing).entries
            assert entries
            for rule, (_, layer) in entries.items():
                assert explain(rule, layer).message["nb"]


def test_every_code_of_our_own_layers_is_explained() -> None:
    package = Path(texts.__file__).parents[1]
    used = {code for file in package.glob("*.py") for code in OWN_CODES.findall(file.read_text("utf-8"))} - NOT_FINDINGS
    assert {"xml-empty", "xsd-invalid"} <= used
    assert used == {rule for rule in texts.rules() if rule.islower()}


def test_nothing_is_explained_that_does_not_exist(official_rules: dict[str, set[str]]) -> None:
    own = {rule for rule in texts.rules() if rule.islower()}
    assert set(texts.rules()) - own - set(official_rules) == set()


def test_a_rule_without_text_is_named() -> None:
    for rule in ("BR-999", "xml-nothing", "?"):
        with pytest.raises(KeyError, match=re.escape(rule)):
            explain(rule)


def test_a_rule_may_mean_something_else_in_another_layer() -> None:
    billing, self_billing = (explain("PEPPOL-EN16931-P0100", layer) for layer in ("peppol", "self-billing"))
    assert "380" in billing.fix["nb"]
    assert "389" in self_billing.fix["nb"]
    assert billing.term == self_billing.term == "BT-3"


def test_families_fill_in_their_rows() -> None:
    assert explain("BR-IC-05").message["nb"].startswith("En fakturalinje med mva-kode K (salg mellom EU-land)")
    assert "cac:InvoiceLine/cac:Item/cbc:BrandName" in explain("UBL-CR-569").message["en"]
    assert explain("BR-DEC-17").message == {
        "nb": "Øreavrundingen har mer enn to desimaler.",
        "en": "The rounding amount has more than two decimals.",
    }


def test_the_files_have_no_keys_that_nobody_reads() -> None:
    text_keys = {"term"} | {f"{language}{part}" for language in LANGUAGES for part in ("", "-fix")}
    needed = text_keys - {"term"}
    for file in Path(texts.__file__).parent.glob("*.toml"):
        data = tomllib.loads(file.read_text("utf-8"))
        rows, families = data.pop("rows", {}), data.pop("family", [])
        for family in families:
            assert needed <= set(family) <= text_keys | {"rule", "rows", "of"}, (file.name, family)
        assert {family["rows"] for family in families} == set(rows), file.name
        for rule, entry in data.items():
            variants = {key: value for key, value in entry.items() if isinstance(value, dict)}
            assert set(variants) <= set(get_args(Layer)), rule
            assert needed <= set(entry) - set(variants) <= text_keys, rule
            assert all(set(variant) <= text_keys for variant in variants.values()), rule


def test_both_languages_say_what_is_wrong_and_what_to_do() -> None:
    for rule, text in every_text():
        assert set(text.message) == set(text.fix) == set(LANGUAGES), rule
        for language in LANGUAGES:
            message, fix = text.message[language], text.fix[language]
            for said in (message, fix):
                assert 10 <= len(said) <= LONGEST, (rule, language, len(said))
                assert said == said.strip(), rule
                assert said[0].isupper() or said[0] == "«", (rule, said)
                assert said.endswith((".", "?")), (rule, said)
                assert not re.search(r"  |\{|\}|\.\.| ,| \.(?!\w)", said), (rule, said)
            assert message != fix, rule
        assert text.message["nb"] != text.message["en"], rule
        assert text.fix["nb"] != text.fix["en"], rule


def test_no_language_slips_into_the_other() -> None:
    for rule, text in every_text():
        for said in (text.message["nb"], text.fix["nb"]):
            assert words(said) & ENGLISH == set(), (rule, said)
        for said in (text.message["en"], text.fix["en"]):
            assert words(said) & NORWEGIAN == set(), (rule, said)


def test_terms_exist_in_en_16931() -> None:
    for rule, text in every_text():
        if text.term is not None:
            for term in text.term.split(", "):
                assert re.fullmatch(r"(BG-\d+/)?BT-\d+|BG-\d+", term), (rule, text.term)
        for said in (text.term or "", *text.message.values(), *text.fix.values()):
            assert all(1 <= int(number) <= 165 for number in re.findall(r"BT-(\d+)", said)), (rule, said)
            assert all(1 <= int(number) <= 32 for number in re.findall(r"BG-(\d+)", said)), (rule, said)


def test_both_languages_name_the_same_terms() -> None:
    for rule, text in every_text():
        for said in (text.message, text.fix):
            named = [sorted(set(re.findall(r"B[TG]-\d+", said[language]))) for language in LANGUAGES]
            assert named[0] == named[1], (rule, said)


def test_the_term_is_one_the_official_message_names(official_rules: dict[str, set[str]]) -> None:
    for rule, messages in official_rules.items():
        named = {term for said in messages for term in re.findall(r"BT-\d+|BG-\d+", said)}
        ours = set(re.findall(r"BT-\d+|BG-\d+", explain(rule).term or ""))
        assert not named or named & ours, (rule, explain(rule).term, named)


def test_only_warnings_are_said_not_to_reject(official_rules: dict[str, set[str]]) -> None:
    fatal = {rule for file in RULE_FILES for rule, flag in flags(file) if flag == "fatal"}
    assert len(fatal) > 400
    for rule in official_rules:
        message = explain(rule).message
        says_harmless = ("avvises ikke" in message["nb"], "not rejected" in message["en"])
        assert says_harmless in ((False, False), (True, True)), rule
        assert not (says_harmless[0] and rule in fatal), rule


def test_no_two_rules_say_the_same() -> None:
    said: dict[tuple[str, str], str] = {}
    for rule, text in every_text():
        pair = (text.message["nb"], text.fix["nb"])
        first = said.setdefault(pair, rule)
        assert first == rule or (first, rule) in TWINS


def test_the_words_are_our_own(official_rules: dict[str, set[str]]) -> None:
    def plain(text: str) -> str:
        return re.sub(r"\W+", " ", text).lower()

    for rule, messages in official_rules.items():
        ours = plain(explain(rule).message["en"])
        for theirs in messages:
            matcher = difflib.SequenceMatcher(None, ours, plain(theirs), autojunk=False)
            alike = matcher.real_quick_ratio() > 0.8 and matcher.quick_ratio() > 0.8 and matcher.ratio()
            assert alike < 0.8, (rule, ours, theirs)


def _validating() -> list[Path]:
    """The source of what makes findings: all of the room but reading and writing invoices."""
    room = Path(report.__file__).parent
    return [*room.glob("*.py"), *(room / "rules").rglob("*.py")]


def value_names() -> set[str]:
    """The names of values that the code hands to findings, read from its source."""
    names: set[str] = set()
    for path in _validating():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            fires = ("fire", "fire_once", "fires")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in fires:
                names |= {each.arg for each in node.keywords if each.arg}
            if isinstance(node, ast.Call):
                given = [each.value for each in node.keywords if each.arg == "where"]
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                own = isinstance(target, ast.Name) and target.id in ("values", "where")
                given = [node.value] if own and node.value else []
                of_values = isinstance(target, ast.Subscript) and ast.unparse(target.value) == "values"
                if of_values and isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    names.add(str(target.slice.value))
            else:
                given = []
            for each in (inner for one in given for inner in ast.walk(one) if isinstance(inner, ast.Dict)):
                names |= {str(key.value) for key in each.keys if isinstance(key, ast.Constant)}
    return names


def test_every_name_of_a_value_has_a_word_in_both_languages() -> None:
    names = value_names()
    assert {"stated", "reason", "element", "namespace", "column", "attribute", "official"} <= names
    assert report.WORDS["nb"].keys() == report.WORDS["en"].keys()
    assert names - {"file"} <= report.WORDS["nb"].keys()  # a schema file that is missing is no finding
