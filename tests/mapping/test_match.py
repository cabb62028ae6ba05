"""Which records are the same: the rules of a mapping, their check, and what they compare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import load, paths
from connector.mapping.check import check
from connector.mapping.layers import Origin
from connector.mapping.match import MatchRule

Build = Callable[..., Any]
RULES = """\
    matching:
      order: {by: buyer_reference, certainty: weak}
      number: {by: [number, issue_date], certainty: certain}
      due: {by: due_date, certainty: likely, unless_differs: number}
"""


def with_rules(built: Build, good: str, rules: str = RULES) -> Any:
    return built(text=good + rules)


def test_the_surest_rules_come_first_whatever_the_order_in_the_file(built: Build, good: str) -> None:
    mapping, problems = with_rules(built, good)
    assert [str(problem) for problem in problems] == []
    rules = mapping["invoice"].matching
    assert [(rule.name, rule.certainty) for rule in rules] == [
        ("number", "certain"),
        ("due", "likely"),
        ("order", "weak"),
    ]
    assert rules[1].sentence == "the same due_date, unless number differs: likely"
    assert rules[0].origin.line == good.count("\n") + 3


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "word"),
    [
        ("by: buyer_reference", "by: buyer_referense", "path-unknown", 2, "`buyer_reference`"),
        ("by: buyer_reference", "by: lines.name", "path-into-list", 2, "each"),
        ("by: buyer_reference", "by: lines", "matching-unfit", 2, "a list"),
        ("by: buyer_reference", "by: buyer", "matching-unfit", 2, "an object"),
        ("by: buyer_reference", "by: accounting_cost", "matching-unread", 2, "no line reads"),
        ("unless_differs: number", "unless_differs: numbr", "path-unknown", 4, "`number`"),
        ("certainty: certain", "certainty: sure", "value-unknown", 3, "certain"),
        ("certainty: certain", "theirs: number, certainty: certain", "matching-uneven", 3, "2 of our paths"),
        ("by: due_date, certainty", "by: due_date, theirs: dueDai, certainty", "path-unknown", 4, "`dueDay`"),
        ("by: due_date, ", "", "key-missing", 4, "by"),
    ],
)
def test_a_rule_that_cannot_hold_is_found_on_its_line(
    built: Build, good: str, old: str, new: str, code: str, line: int, word: str
) -> None:
    assert old in RULES
    _, problems = with_rules(built, good, RULES.replace(old, new, 1))
    assert [(problem.code, problem.line) for problem in problems] == [(code, good.count("\n") + line)]
    assert word in str(problems[0])


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("923609016", "923 609 016", True),
        ("Kari  Nordmann", "KARI NORDMANN", True),
        ("10 A", "10A", False),
        (Decimal("10.00"), Decimal(10), True),
        (date(2027, 1, 15), "2027-01-15", True),
        ("", "", None),
        (None, "x", None),
    ],
)
def test_values_are_compared_as_people_write_them(ours: Any, theirs: Any, same: bool | None) -> None:
    rule = MatchRule("number", "certain", (paths.parse("number"),), None, (), Origin("system", "x.yaml", 1))
    mine, yours = rule.ours({"number": ours}), rule.of_theirs({"number": theirs}, {})
    assert same is None or mine is not None
    assert (mine == yours if mine is not None and yours is not None else None) is same


def test_what_speaks_against_it_is_compared_as_it_is_said() -> None:
    (rule,) = [one for one in shipped("customer") if one.name == "email"]
    number = {"party": {"legal_id": {"value": "923609016"}}}
    assert rule.apart(number) == ("923609016",)
    assert rule.apart({"party": {"legal_id": {"value": "974 760 673"}}}) == ("974760673",)
    assert rule.apart({"party": {}}) == ("",), "what is not said speaks against nothing"


def test_as_shipped_registers_and_issued_documents_have_a_certain_rule() -> None:
    for kind in ("customer", "supplier", "product", "department", "project", "dimension", "invoice", "credit_note"):
        assert shipped(kind)[0].certainty == "certain", kind


CHANGES = """\
kinds:
  customer:
    fields: {invoice_email: null}
    loses: {invoice_email: Not used.}
    %s
"""


@pytest.mark.parametrize(("own", "codes"), [("", []), ("matching: {mine: {by: invoice_email, certainty: weak}}", [14])])
def test_a_line_that_a_tenant_takes_away_takes_a_shipped_rule_with_it_and_no_rule_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acme: Any, own: str, codes: list[int]
) -> None:
    (tmp_path / "acme.yaml").write_text(acme(CHANGES % own))
    monkeypatch.chdir(tmp_path)
    report = check([tmp_path / "acme.yaml"], plugins=plugins.accounting())
    assert [one.line for one in report.problems if one.code == "matching-unread"] == codes
    assert len(report.problems) == len(codes)
    for _, mapping in report.mappings if not codes else ():
        assert "invoice-email" not in {rule.name for rule in mapping["customer"].matching}


def shipped(kind: str) -> Any:
    return load("tripletex", plugins=plugins.accounting())[kind].matching
