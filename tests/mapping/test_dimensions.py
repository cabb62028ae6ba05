"""Dimension rules: derived, required, forbidden; both ways; through all layers; found where they cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import plugins
from connector.errors import Stop
from connector.mapping.check import check
from connector.mapping.laws import reading_gives_back
from connector.mapping.mapper import Mapper
from connector.mapping.problems import Problem

FIRST = 9
"""Lines above what the tenant's mapping says."""
RULES = """\
tables:
  department-of-project: {only: out, rows: {P1: "10", P2: "10", P3: "20"}}
  shop-of-department: {only: out, rows: {"10": Oslo, "20": Bergen}}
kinds:
  invoice:
    dimensions:
      shop: {derive: location, from: dimensions.department, table: shop-of-department}
      department: {derive: department, from: dimensions.project, table: department-of-project}
      project-needed: {require: project, when: {buyer_reference: INTERN}, do: Ask who the work was for.}
      no-seller: {forbid: seller}
    refuse: {location: null, seller-unit: null}
    loses: {dimensions.seller: Never stated.}
"""
PROJECTS = {"P1": "10", "P2": "10", "P3": "20"}
SHOPS = {"10": "Oslo", "20": "Bergen"}


class Codes:
    """Every department and project has its own code as id, in the ten thousands."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        return "1" + str(ours).replace("P", "9").rjust(4, "0")

    def our_id(self, kind: str, vendor_id: str) -> Any:
        code = vendor_id[1:].lstrip("0")
        return code.replace("9", "P") if kind == "project" else code


@pytest.fixture
def checked(tmp_path: Path, acme: Any) -> Callable[[str], tuple[Any, list[Problem]]]:
    def make(said: str) -> tuple[Any, list[Problem]]:
        path = tmp_path / "acme.yaml"
        path.write_text(acme(said))
        report = check([path], plugins=plugins.accounting())
        return (report.mappings[0][1] if report.mappings else None), report.problems

    return make


@pytest.fixture
def invoice(checked: Any) -> Mapper:
    mapping, problems = checked(RULES)
    assert [str(problem) for problem in problems] == []
    found: Mapper = mapping["invoice"]
    return found


def document(**dimensions: Any) -> dict[str, Any]:
    return {"issue_date": date(2027, 1, 15), "dimensions": dimensions}


def test_what_follows_is_filled_in_where_it_is_not_stated(invoice: Mapper) -> None:
    made = invoice.out(document(project="P3"), Codes())["order"]
    assert made["project"] == {"id": 1_0093}
    assert made["department"] == {"id": 1_0020}


def test_what_is_stated_holds_where_the_system_can_say_it(invoice: Mapper) -> None:
    made = invoice.out(document(project="P3", department="10"), Codes())["order"]
    assert made["department"] == {"id": 1_0010}


def test_what_the_system_cannot_say_comes_back_by_the_rule(invoice: Mapper) -> None:
    record = invoice.out(document(project="P1"), Codes())
    assert "Oslo" not in str(record)
    read = invoice.into(record, Codes())
    assert read["dimensions"] == {"project": "P1", "department": "10", "location": "Oslo"}


def test_another_value_than_follows_would_be_lost_and_stops(invoice: Mapper) -> None:
    invoice.out(document(department="10", location="Oslo"), Codes())
    with pytest.raises(Stop) as stopped:
        invoice.out(document(department="10", location="Bergen"), Codes())
    error = stopped.value
    assert error.code == "dimension-contradicted"
    assert error.where["field"] == "dimensions.location"
    assert error.where["rule"] == "shop"
    assert (error.where["file"].endswith("acme.yaml"), error.where["line"]) == (True, FIRST + 7)
    assert "is Bergen, and by the mapping it is Oslo" in error.said


def test_a_code_that_the_rules_table_does_not_know_stops_with_its_line(invoice: Mapper) -> None:
    with pytest.raises(Stop) as stopped:
        invoice.out(document(project="P9"), Codes())
    assert stopped.value.code == "code-not-in-table"
    assert stopped.value.where["line"] == FIRST + 2
    assert stopped.value.where["field"] == "dimensions.department"


def test_what_is_required_is_asked_for_under_its_condition(invoice: Mapper) -> None:
    said = document(department="10")
    invoice.out({**said, "buyer_reference": "Kari"}, Codes())
    with pytest.raises(Stop) as stopped:
        invoice.out({**said, "buyer_reference": "INTERN"}, Codes())
    error = stopped.value
    assert (error.code, error.where["field"], error.do) == (
        "dimension-required",
        "dimensions.project",
        "Ask who the work was for.",
    )


def test_what_is_forbidden_is_found_on_the_document_and_on_its_lines(invoice: Mapper) -> None:
    with pytest.raises(Stop) as stopped:
        invoice.out(document(seller="Kari"), Codes())
    assert stopped.value.where["field"] == "dimensions.seller"
    lines = ({"dimensions": {}, "vat_code": "3"}, {"dimensions": {"seller": "Ola"}, "vat_code": "3"})
    with pytest.raises(Stop) as stopped:
        invoice.out({**document(), "lines": lines}, Codes())
    assert stopped.value.code == "dimension-forbidden"
    assert stopped.value.where["field"] == "lines[1].dimensions.seller"


def test_a_requirement_is_met_by_every_line_or_the_whole_document(checked: Any) -> None:
    mapping, problems = checked(
        "kinds:\n  invoice:\n    dimensions: {all: {require: department}}\n"
        "    fields: {lines: {each: {refuse: {dimensions-of-line: null}, loses: {dimensions: Test.}}}}\n"
    )
    assert [str(problem) for problem in problems] == []

    def lines(*codes: str | None) -> dict[str, Any]:
        return {**document(), "lines": tuple({"vat_code": "3", "dimensions": {"department": code}} for code in codes)}

    mapping["invoice"].out(lines("10", "20"), Codes())
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].out(lines("10", None), Codes())
    assert stopped.value.where["field"] == "lines[1].dimensions.department"
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].out(lines(None, None), Codes())
    assert stopped.value.where["field"] == "dimensions.department"


def test_rules_of_a_line_take_what_the_document_says_for_said(checked: Any) -> None:
    each = "{refuse: {dimensions-of-line: null}, loses: {dimensions: Test.}, dimensions: {d: {require: department}}}"
    mapping, problems = checked(f"kinds:\n  invoice:\n    fields: {{lines: {{each: {each}}}}}\n")
    assert [str(problem) for problem in problems] == []
    line = {"vat_code": "3", "dimensions": {}}
    mapping["invoice"].out({**document(department="10"), "lines": (line,)}, Codes())
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].out({**document(), "lines": (line,)}, Codes())
    assert stopped.value.where["field"] == "lines[0].dimensions.department"


def test_a_rule_of_what_is_read(checked: Any) -> None:
    mapping, problems = checked("kinds:\n  invoice:\n    dimensions: {d: {require: department, only: in}}\n")
    assert [str(problem) for problem in problems] == []
    mapping["invoice"].out(document(), Codes())
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].into({"order": {}}, Codes())
    assert stopped.value.code == "dimension-required"
    mapping["invoice"].into({"order": {"department": {"id": 10010}}}, Codes())


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory, acme: Any) -> Mapper:
    path = tmp_path_factory.mktemp("tenant") / "acme.yaml"
    path.write_text(acme(RULES))
    found: Mapper = check([path], plugins=plugins.accounting()).mappings[0][1]["invoice"]
    for way in (found.out, found.update_record, found.into):  # compiled before time is taken
        way(document(), Codes())
    return found


CODES = st.none() | st.sampled_from(["10", "20"])


@given(
    project=st.none() | st.sampled_from(sorted(PROJECTS)),
    department=CODES,
    location=st.none() | st.sampled_from(sorted(SHOPS.values())),
)
def test_reading_gives_back_what_was_written_with_all_rules(
    bound: Mapper, project: str | None, department: str | None, location: str | None
) -> None:
    said = document(project=project, department=department, location=location)
    follows = SHOPS.get(department or PROJECTS.get(project or "", ""))
    if location not in (None, follows):
        with pytest.raises(Stop, match="cannot say another"):
            bound.out(said, Codes())
        return
    assert reading_gives_back(bound, said, Codes()) == []
    back = bound.into(bound.update_record(said, Codes()), Codes())["dimensions"]
    assert (back or {}).get("location") == follows


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "word"),
    [
        ("derive: location", "derive: lokation", "path-unknown", 7, "`location`"),
        ("from: dimensions.department", "from: dimensions.departmint", "path-unknown", 7, "`department`"),
        ("table: shop-of-department}", "table: shop-of-departmant}", "table-unknown", 7, "`shop-of-department`"),
        ("derive: department, from: dimensions.project", "derive: department, from: dimensions.location",
         "dimension-circle", 8, "circle"),
        ("{forbid: seller}", "{forbid: seller, require: seller}", "dimension-rule-unclear", 10, "one thing"),
        ("{forbid: seller}", "{derive: seller}", "dimension-rule-unclear", 10, "follows from"),
        ("{forbid: seller}", "{forbid: seller, table: x}", "dimension-rule-unclear", 10, "belong to `derive`"),
        ("{forbid: seller}", "{forbid: department}\n      need: {require: department}", "dimension-rules-clash", 11,
         "contradict"),
        ("{forbid: seller}", "{derive: department, constant: \"30\"}", "dimension-rules-clash", 10, "contradict"),
        ("{forbid: seller}", "{derive: seller, from: currency_rate}", "path-unknown", 10, "currency"),
        ("{forbid: seller}", "{derive: seller, from: issue_date}", "type-mismatch", 10, "table"),
        ("{forbid: seller}", "{derive: free, constant: x}", "dimension-unfit", 10, "name=Region"),
        ("buyer_reference: INTERN", "buyer_referense: INTERN", "path-unknown", 9, "`buyer_reference`"),
        ("{P1: \"10\", P2: \"10\", P3: \"20\"}", "[{ours: [P1, x], theirs: \"10\"}]", "table-row-shape", 2, "1 value"),
        ("{require: project,", "{requires: project,", "key-unknown", 9, "`require`"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_hold_is_found_on_its_line(
    checked: Any, old: str, new: str, code: str, line: int, word: str
) -> None:
    assert old in RULES
    _, problems = checked(RULES.replace(old, new, 1))
    found = [problem for problem in problems if problem.code == code]
    assert [problem.line for problem in found] == [FIRST + line], [str(problem) for problem in problems]
    assert word in str(found[0])


def test_a_record_without_dimensions_has_no_such_rules(checked: Any) -> None:
    _, problems = checked("kinds:\n  payment:\n    dimensions: {d: {require: department}}\n")
    assert [(problem.code, problem.line) for problem in problems] == [("dimension-unfit", FIRST + 3)]


def test_explain_says_which_rules_speak_of_a_field(invoice: Mapper) -> None:
    said = {sentence: (at.layer, at.line) for sentence, at in invoice.rules("dimensions.department")}
    assert said["dimensions.department follows from dimensions.project by table department-of-project where it is not"
                " stated (department)"] == ("tenant acme", FIRST + 8)  # fmt: skip
    assert any(sentence.startswith("dimensions.location follows") for sentence in said)
    assert any("matched by the same number" in sentence for sentence, _ in invoice.rules("number"))
    assert any(sentence.startswith("refused (payee)") for sentence, _ in invoice.rules("payee"))
