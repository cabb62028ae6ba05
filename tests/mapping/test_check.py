"""Planted mistakes: each is found, on its line, with a suggestion; all of them at once; and nothing is applied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Misconfigured
from connector.mapping import load
from connector.mapping.check import check

Build = Callable[..., Any]

PLANTED = [
    # what is replaced, by what, the code, a word of the suggestion or message
    ("issue_date: day", "issue_dat: day", "path-unknown", "`issue_date`"),
    ("issue_date: day", "issue_date: daay", "path-unknown", "`day`"),
    ("\"references[only].id\"", "references.id", "path-into-list", "each"),
    ("issue_date: day", "issue_date: lines.text", "path-into-list", "each"),
    ("issue_date: day", "issue_date: 'day[only]'", "path-malformed", "no list"),
    ("issue_date: day", "issue_date: 'day..x'", "path-malformed", "no path"),
    ("\"references[only].id\"", "\"references[numer=1].id\"", "path-unknown", "`id`"),
    ("issue_date: day", "buyer.nme: day", "path-unknown", "`name`"),
    ("date: DD.MM.YYYY}", "dat: DD.MM.YYYY}", "key-unknown", "`date`"),
    ("date: DD.MM.YYYY}", "date: DD.MM.YY}", "date-pattern", "YYYY"),
    ("number: {theirs: number, digits: true}", "number: number", "type-mismatch", "digits"),
    ("price: {theirs: priceInOre, minor_units: 2}", "price: priceInOre", "type-mismatch", "minor_units"),
    ("due_date: {theirs: dueDay, date: DD.MM.YYYY}", "due_date: dueDay", "type-mismatch", "date"),
    ("quantity: {theirs: count, default: 1}", "quantity: text", "type-mismatch", "number"),
    ("quantity: {theirs: count, default: 1}", "quantity: {theirs: count, default: en}", "value-type", "a number"),
    ("name: text", "name: {theirs: text, minor_units: 2}", "type-mismatch", "a number"),
    ("constant: OPEN, on", "constant: OPN, on", "value-unknown", "OPEN"),
    ("name: text", "name: {theirs: text, minor_units: 0}", "value-type", "greater"),
    ("only: in}\n      open", "only: both}\n      open", "value-unknown", "in"),
    ("table: codes, otherwise", "table: cods, otherwise", "table-unknown", "`codes`"),
    ("table: codes, otherwise", "table: codes, digits: true, otherwise", "lens-several", "one thing"),
    ('"31": middle', '"31": high', "table-not-invertible", "only: out"),
    ("rows: {\"3\": high, \"31\": middle, \"5\": zero}", "rows: [{ours: 3, theirs: high}, {ours: '3', theirs: low}]",
     "table-two-values", "Keep one"),
    ("- {ours: [S, 15]", "- {ours: [S, 15, x]", "table-row-shape", "2 value"),
    ("- {ours: [S, 15]", "- {ours: [S, femten]", "value-type", "a number"),
    ("join: \" / \"", "join: \"\"", "join-empty", "separator"),
    ("join: \" / \"", "join: \" / \", when: {ours: {currency: NOK}}", "condition-one-sided", "only: out"),
    ("notes: {theirs: comment, join: \" / \"}", "notes: {theirs: comment}", "type-mismatch", "list"),
    ("  codes:\n", "  codes:\n    only: out\n", "table-one-way", "only: out"),
    ("      issue_date: day\n", "", "required-unfilled", "`day`"),
    ("      issue_date: day\n", "", "loss-undeclared", "`issue_date`"),
    ("note: '', ", "", "loss-undeclared", "`note`"),
    ("loses: {kind", "loses: {typ_code: '', kind", "path-unknown", "`type_code`"),
    ("      issue_date: day\n", "      issue_date: day\n      tax_point_date: day\n", "written-twice", "only: in"),
    ("  invoice:\n", "  invoic:\n", "kind-unknown", "`invoice`"),
    ("issue_date: day", "issue_date: {note: x}", "theirs-missing", "theirs"),
    ("name: text", "name: {theirs: text, each: {}}", "each-without-list", "none"),
    ("theirs: lines\n", "theirs: text\n", "path-unknown", "no field"),
    ("link: customer}", "link: customer, when: {theirs: {customer.idd: 1}}}", "path-unknown", "`id`"),
    ("only: in}\n      open", "only: in, when: {theirs: {day: {above: 1}}}}\n      open", "condition-unfit", "number"),
    ("only: in}\n      open", "only: in, when: {theirs: {urgent: maybe}}}\n      open", "value-type", "true or false"),
    ("system: toy", "system: toy\nsistem: toy", "key-unknown", "`system`"),
    ("layer: system", "layer: sytem", "value-unknown", "`system`"),
    ("system: toy\n", "", "key-missing", "system"),
    ("tables:\n", "tables:\n\t", "tab", "spaces"),
    ("issue_date: day", "issue_date: day\n      issue_date: dueDay", "duplicate-key", "Keep one"),
    ("state, constant", "number, constant", "value-type", "whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "word"), PLANTED, ids=[f"{p[2]}-{n}" for n, p in enumerate(PLANTED)])
def test_a_planted_mistake_is_found_on_its_line(
    built: Build, good: str, tmp_path: Path, old: str, new: str, code: str, word: str
) -> None:
    mapping, problems = built((old, new))
    found = [problem for problem in problems if problem.code == code]
    assert found, [str(problem) for problem in problems]
    assert any(word in f"{problem.said} {problem.do}" for problem in found), [str(problem) for problem in found]
    assert mapping is None
    text = (tmp_path / "toy.yaml").read_text()
    place = next((n for n, (a, b) in enumerate(zip(text, good, strict=False)) if a != b), len(good))
    first = text[:place].count("\n") + 1
    last = first + new.count("\n") + 1
    # What is not there stands on no line; a table that goes one way is told where it is used.
    elsewhere = {"required-unfilled", "loss-undeclared", "key-missing", "table-one-way"}
    if code not in elsewhere:
        assert any(first - 1 <= problem.line <= last for problem in found), ([p.line for p in found], first)
    assert all(problem.line > 0 for problem in problems)


def test_all_mistakes_are_shown_at_once(folder: Path, toy: Any, good: str) -> None:
    for old, new in (
        ("issue_date: day", "issue_dat: day"),
        ("date: DD.MM.YYYY", "dat: DD.MM.YYYY"),
        ("digits: true}\n      buyer:", "only: both}\n      buyer:"),
        ("name: text", "naem: text"),
        ("table: codes, ", "table: cods, "),
        ("- {ours: [S, 15]", "- {our: [S, 15]"),
    ):
        assert old in good
        good = good.replace(old, new, 1)
    path = folder / "systems" / "toy.yaml"
    path.write_text(good)
    found = [(p.line, p.code) for p in check([path], plugins={"toy": toy}).problems]
    assert {(9, "key-unknown"), (14, "path-unknown"), (15, "key-unknown"), (16, "value-unknown")} <= set(found)
    assert {code for line, code in found if line == 26} == {"path-unknown"}
    assert found == sorted(found, key=lambda problem: problem[0])


def test_warnings_keep_nothing_from_being_used(built: Build) -> None:
    mapping, problems = built(("tables:\n", "tables:\n  spare: {rows: {a: b}}\n"))
    assert mapping is not None
    assert [(p.code, p.severity, p.line) for p in problems] == [("table-unused", "warning", 4)]


def test_a_row_that_only_goes_out_lets_two_codes_share_one(built: Build) -> None:
    rows = '[{ours: "3", theirs: high}, {ours: "31", theirs: high, only: out}, {ours: "5", theirs: zero}]'
    mapping, problems = built(('{"3": high, "31": middle, "5": zero}', rows))
    assert [str(p) for p in problems] == []
    assert mapping is not None


def test_load_raises_with_file_and_line_and_all_problems(folder: Path, toy: Any, good: str) -> None:
    path = folder / "systems" / "toy.yaml"
    path.write_text(good.replace("issue_date: day", "issue_dat: day").replace("DD.MM.YYYY", "DD.MM"))
    with pytest.raises(Misconfigured) as raised:
        load("toy", plugins={"toy": toy})
    error = raised.value
    assert error.code == "path-unknown"
    assert error.where == {"file": "mappings/systems/toy.yaml", "line": 14}
    assert {problem["code"] for problem in error.details} >= {"path-unknown", "date-pattern"}


def test_a_system_that_is_not_installed(folder: Path, toy: Any) -> None:
    report = check([folder / "systems" / "toy.yaml"], plugins={"tuy": toy})
    assert [(p.code, p.line) for p in report.problems] == [("system-not-installed", 2)]
    assert "`tuy`" in report.problems[0].do


EXAMPLE = """\
examples:
  - name: good
    kind: invoice
    links: [{kind: customer, ours: {name: Kari}, theirs: 7}]
    ours: {issue_date: "2027-01-15", buyer: {name: Kari}, lines: [{name: x, quantity: 2, price: 1.50, vat_code: 3}]}
    theirs:
      day: "2027-01-15"
      customer: {id: 7}
      state: OPEN
      lines: [{text: x, count: 2, priceInOre: 150, code: high}]
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "word"),
    [
        ("", "", None, 0, ""),
        ("priceInOre: 150", "priceInOre: 151", "example-differs", 6, "lines[0].priceInOre"),
        ("state: OPEN\n", "state: OPEN\n      comment: hei\n", "example-differs", 6, "comment"),
        ("kind: invoice", "kind: invoise", "kind-unknown", 3, "`invoice`"),
        ("name: x,", "nam: x,", "path-unknown", 5, "`name`"),
        ("2027-01-15", "15.01.2027", "value-type", 5, "a date"),
        ("vat_code: 3", "vat_code: 9", "example-stopped", 2, "code-not-in-table"),
        ("theirs: 7", "theirs: 8", "example-differs", 6, "customer.id"),
        ("{name: Kari}, theirs", "{name: Ola}, theirs", "example-stopped", 2, "link-missing"),
        ("kind: invoice\n", "kind: invoice\n    stops: not-expressible\n", "example-did-not-stop", 4, "went through"),
        ("vat_code: 3}]}", "vat_code: 9}]}\n    stops: code-not-in-table", None, 0, ""),
        ("vat_code: 3}]}", "vat_code: 9}]}\n    stops: link-missing", "example-stopped", 6, "instead of"),
        ("kind: invoice\n", "kind: invoice\n    only: in\n", "example-differs", 6, "vat_category"),
    ],
)
def test_examples_are_tests(
    folder: Path, toy: Any, good: str, old: str, new: str, code: str | None, line: int, word: str
) -> None:
    assert old in EXAMPLE
    path = folder / "systems" / "toy.yaml"
    path.write_text(good + EXAMPLE.replace(old, new, 1))
    report = check([path], plugins={"toy": toy})
    if code is None:
        assert report.problems == []
        assert [(outcome.name, outcome.problems) for outcome in report.outcomes] == [("good", ())]
        return
    problem = report.problems[0]
    assert problem.code == code
    assert word in str(problem)
    assert problem.line == good.count("\n") + line or code == "example-differs"


def test_a_law_that_does_not_hold_is_found_on_an_example(folder: Path, toy: Any, good: str) -> None:
    """Written where the invoice is in kroner, read where it is urgent: these conditions do not belong together."""
    when = "when: {ours: {currency: NOK}, theirs: {urgent: true}}"
    path = folder / "systems" / "toy.yaml"
    example = EXAMPLE.replace("ours: {issue_date", 'ours: {currency: NOK, due_date: "2027-01-29", issue_date')
    example = example.replace("      state: OPEN\n", "      state: OPEN\n      dueDay: 29.01.2027\n")
    path.write_text(good.replace("date: DD.MM.YYYY}", f"date: DD.MM.YYYY, {when}}}") + example)
    report = check([path], plugins={"toy": toy})
    assert [problem.code for problem in report.problems] == ["law-broken"]
    problem = report.problems[0]
    assert problem.line == good.count("\n") + 2
    assert "reading what was written gives it back: `due_date` was datetime.date(2027, 1, 29)" in problem.said
    assert "came back as nothing" in problem.said
