"""Which records are the same: the rules of a mapping, their check, and what they propose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import plugins
from connector.mapping import load
from connector.mapping.match import Pairing, pair
from connector.model import Customer

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


def customer(name: str, **more: Any) -> dict[str, Any]:
    number, email = more.pop("orgnr", None), more.pop("email", None)
    party: dict[str, Any] = {"name": name, "contact": {"email": email}}
    if number:
        party["legal_id"] = {"value": number, "scheme": "0192"}
    return Customer.model_validate({"party": party, **more}).model_dump()


@cache
def shipped(kind: str) -> Any:
    return load("tripletex", plugins=plugins.accounting())[kind].matching


def joined(ours: dict[str, Any], theirs: dict[str, Any]) -> Pairing:
    read = {
        id: (fields, {"customerNumber": int(fields["number"] or 0), "name": fields["party"]["name"]})
        for id, fields in theirs.items()
    }
    return pair(shipped("customer"), ours, read)


def test_two_filled_registers_of_customers_are_joined_as_shipped() -> None:
    ours = {
        "a": customer("Eksempel AS", orgnr="923609016", number="10001"),
        "b": customer("Kari  Nordmann", number="10002"),
        "c": customer("Ola", email="OLA@example.no"),
        "d": customer("Dobbel AS", orgnr="974760673"),
        "e": customer("Ny AS", number="10009"),
        "f": customer("Fra butikken", source_id="77"),
    }
    theirs = {
        "1": customer("EKSEMPEL AS OSLO", orgnr="923609016", number="10002"),
        "2": customer("Kari Nordmann", number="10002"),
        "3": customer("Ola Hansen", email="ola@example.no", number="10003"),
        "4": customer("Dobbel", orgnr="974760673", number="10004"),
        "5": customer("Dobbel AS", orgnr="974760673", number="10005"),
        "6": customer("Annen AS", number="10009"),
        "7": customer("Fra butikken", number="77"),
    }
    found = joined(ours, theirs)
    assert {(one.ours, one.theirs, one.rule.certainty) for one in found.pairs} == {
        ("a", "1", "certain"),
        ("b", "2", "likely"),
        ("c", "3", "likely"),
        ("f", "7", "likely"),
        ("e", "6", "weak"),
    }
    assert [(one.ours, one.theirs) for one in found.unclear] == [(("d",), ("4", "5"))]
    assert (found.ours_left, found.theirs_left) == ((), ())


def test_another_organisation_number_speaks_against_the_same_address() -> None:
    ours = {"a": customer("Konsern AS", orgnr="923609016", email="faktura@konsern.no")}
    theirs = {"1": customer("Konsern Drift AS", orgnr="974760673", email="faktura@konsern.no", number="1")}
    found = joined(ours, theirs)
    assert found.pairs == ()
    assert (found.ours_left, found.theirs_left) == (("a",), ("1",))


def test_invoices_are_the_same_by_number_date_and_amount_not_by_number_alone() -> None:
    def invoice(number: str, amount: str, day: int = 15) -> dict[str, Any]:
        return {"number": number, "issue_date": date(2027, 1, day), "totals": {"payable": Decimal(amount)}}

    ours = {"a": invoice("10017", "1250.00"), "b": invoice("10018", "99"), "c": invoice("10019", "5.00", 1)}
    theirs = {"1": invoice("10017", "1250"), "2": invoice("10018", "98"), "3": invoice("10019", "5", 2)}
    found = pair(shipped("invoice"), ours, {id: (fields, {}) for id, fields in theirs.items()})
    assert [(one.ours, one.theirs, one.rule.certainty) for one in found.pairs] == [
        ("a", "1", "certain"),
        ("c", "3", "likely"),
    ]
    assert (found.ours_left, found.theirs_left) == (("b",), ("2",))


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    shipped("customer")


SIDES = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.tuples(st.sampled_from("123"), st.booleans()))


@given(SIDES, SIDES)
def test_every_record_is_in_one_place_only(left: Any, right: Any) -> None:
    def made(side: Any) -> dict[str, Any]:
        return {id: customer(f"N{n}", **({"number": n} if numbered else {})) for id, (n, numbered) in side.items()}

    found = joined(made(left), made(right))
    ours = [*(one.ours for one in found.pairs), *found.ours_left, *(id for one in found.unclear for id in one.ours)]
    theirs = [*(p.theirs for p in found.pairs), *found.theirs_left, *(i for one in found.unclear for i in one.theirs)]
    assert sorted(ours) == sorted(left)
    assert sorted(theirs) == sorted(right)
