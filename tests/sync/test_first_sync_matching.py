"""What could be the same, and what a file says about it: pure, with every kind of near, twice and wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import plugins
from connector.errors import BadInput
from connector.mapping import load, paths
from connector.mapping.layers import Origin
from connector.mapping.match import MatchRule
from connector.sync.first_sync import sheet
from connector.sync.first_sync.matching import COMMON, Line, Thing, of_ours, of_theirs, propose
from connector.sync.onboarding import cutting

ORG = "923609016"
SHIPPED = load("tripletex", plugins=plugins.accounting())


def party(id: str, number: str | None = None, email: str | None = None, name: str = "Fjord AS", **more: Any) -> Thing:
    fields: dict[str, Any] = {"party": {"name": name}, **more}
    if number:
        fields["party"]["legal_id"] = {"value": number, "scheme": "0192"}
    if email:
        fields["invoice_email"] = email
    return Thing(id, "customer", of_ours(fields, SHIPPED["customer"].matching), None, name, None, "create")


def bill(id: str, number: str, amount: str, day: str = "2026-03-01") -> Thing:
    fields = {"number": number, "issue_date": day, "totals": {"payable": Decimal(amount)}}
    return Thing(id, "invoice", of_ours(fields, SHIPPED["invoice"].matching), number, "Fjord AS", Decimal(amount))


def said(ours: list[Thing], theirs: list[Thing], **more: Any) -> list[tuple[str | None, str | None, str | None]]:
    kind = [*ours, *theirs][0].kind
    lines = propose(ours, theirs, SHIPPED[kind].matching, **more)
    return [(line.ours and line.ours.id, line.theirs and line.theirs.id, line.action) for line in lines]


def test_the_organisation_number_is_certain_however_it_is_written() -> None:
    assert said([party("a", ORG)], [party("1", "923 609 016", name="FJORD")]) == [("a", "1", "link")]


def test_an_email_address_is_likely_and_a_question_unless_it_is_accepted() -> None:
    ours, theirs = [party("a", email="Post@Fjord.no", name="A")], [party("1", email="post@fjord.no", name="B")]
    assert said(ours, theirs) == [("a", "1", None)]
    assert said(ours, theirs, accept="likely") == [("a", "1", "link")]


def test_another_organisation_number_is_another_company_whatever_else_is_equal() -> None:
    ours, theirs = [party("a", ORG, "post@x.no")], [party("1", "974760673", "post@x.no")]
    assert said(ours, theirs, accept="likely") == [("a", None, "create"), (None, "1", "create")]


def test_two_for_one_are_questions_and_none_is_chosen() -> None:
    one, two = [party("a", ORG)], [party("1", ORG), party("2", ORG)]
    assert said(one, two) == [("a", "1", None), ("a", "2", None)]
    assert said(two, one) == [("1", "a", None), ("2", "a", None)]
    assert said(one, two, accept="likely") == [("a", "1", None), ("a", "2", None)]


def test_what_resembles_a_thing_that_has_its_pair_is_a_question() -> None:
    ours, theirs = [party("a", ORG, "post@x.no")], [party("1", ORG), party("2", email="post@x.no", name="X")]
    assert said(ours, theirs) == [("a", "1", "link"), (None, "2", None)]


def test_what_one_side_has_twice_is_a_question_and_not_made_twice() -> None:
    assert said([], [party("1", ORG), party("2", ORG, name="X"), party("3", name="Y")]) == [
        (None, "1", None),
        (None, "2", None),
        (None, "3", "create"),
    ]


def test_an_invoice_is_known_by_number_amount_and_date_together() -> None:
    assert said([bill("a", "10", "125.00")], [bill("1", "10", "125")]) == [("a", "1", "link")]
    assert said([bill("a", "10", "125.00")], [bill("1", "10", "126")]) == [("a", "1", None)]
    assert said([bill("a", "10", "125.00")], [bill("1", "10", "125", "2026-03-02")]) == [("a", "1", None)]
    assert said([bill("a", "10", "125.00")], [bill("1", "11", "125")])[0] == ("a", None, "leave")


def test_an_address_that_many_share_tells_nobody_apart() -> None:
    many = [party(f"a{at}", email="post@regnskap.no", name=f"A{at}") for at in range(COMMON + 1)]
    assert {line[2] for line in said(many, [party("1", email="post@regnskap.no", name="B")])} == {"create"}


def test_a_rule_may_name_a_field_as_the_vendor_has_it() -> None:
    by, there = paths.parse("party.legal_id.value"), paths.parse("organizationNumber")
    by_their_name = MatchRule("own", "certain", (by,), (there,), (), Origin("tenant", "t.yaml", 1))
    rules = [by_their_name]
    ours = Thing("a", "customer", of_ours({"party": {"legal_id": {"value": ORG}}}, rules))
    theirs = Thing("1", "customer", of_theirs({}, {"organizationNumber": ORG}, rules))
    (line,) = propose([ours], [theirs], rules)
    assert line.action == "link"


THINGS = st.lists(
    st.tuples(st.sampled_from([None, ORG, "974760673", "991825827"]), st.sampled_from([None, "a@x.no", "b@x.no"]),
              st.sampled_from(["A", "B", "C"])),
    max_size=6,
)  # fmt: skip


@given(THINGS, THINGS)
def test_every_thing_stands_in_the_proposal_and_nothing_is_linked_twice(left: Any, right: Any) -> None:
    ours = [party(f"a{at}", *values[:2], name=values[2]) for at, values in enumerate(left)]
    theirs = [party(f"{at}", *values[:2], name=values[2]) for at, values in enumerate(right)]
    lines = propose(ours, theirs, SHIPPED["customer"].matching, accept="likely")
    for side, things in (("ours", ours), ("theirs", theirs)):
        named = [thing.id for line in lines if (thing := getattr(line, side)) is not None]
        assert set(named) == {thing.id for thing in things}
        linked = [getattr(line, side).id for line in lines if line.action == "link"]
        assert len(set(linked)) == len(linked)
        # What is linked or made stands in no other line.
        decided = [thing.id for line in lines if line.action and (thing := getattr(line, side)) is not None]
        assert all(named.count(id) == 1 for id in decided)


@given(THINGS, THINGS)
def test_the_order_in_which_things_come_says_nothing(left: Any, right: Any) -> None:
    ours = [party(f"a{at}", *values[:2], name=values[2]) for at, values in enumerate(left)]
    theirs = [party(f"{at}", *values[:2], name=values[2]) for at, values in enumerate(right)]

    def shown(lines: list[Line]) -> set[Any]:
        return {(line.ours and line.ours.id, line.theirs and line.theirs.id, line.action) for line in lines}

    assert shown(propose(ours, theirs, SHIPPED["customer"].matching)) == shown(
        propose(ours[::-1], theirs[::-1], SHIPPED["customer"].matching)
    )


# --- the file ---------------------------------------------------------------------------------------------------------


def written() -> str:
    ours, theirs = [party("a", ORG), party("b", name="=cmd|' /C calc'!A0")], [party("1", ORG)]
    lines = propose(ours, theirs, SHIPPED["customer"].matching)
    return sheet.write(lines, id="P1", connection="books", made="now").decode("utf-8-sig")


def test_the_file_comes_back_as_it_was_written() -> None:
    lines = sheet.read(written().encode(), id="P1", file="f.csv")
    assert [(one.kind, one.action, one.ours, one.theirs) for one in lines] == [
        ("customer", "link", "a", "1"),
        ("customer", "create", "b", None),
    ]


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_it_may_be_saved_as_spreadsheets_save_it(form: str, separator: str) -> None:
    text = written().replace("opprett", "la stå").replace(";", separator)
    lines = sheet.read(text.encode(form), id="P1", file="f.csv")
    assert [one.action for one in lines] == ["link", "leave"]


def test_a_name_is_never_a_formula() -> None:
    assert ";'=cmd|" in written()
    found = [cutting.Written(datetime.now(UTC), "customer", "create", "1", "=cmd|' /C calc'!A0", None, "7")]
    assert b";'=cmd|" in cutting.as_sheet(found)


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        ("Forslag;P1", "Forslag;P0", "proposal-another", 1),
        ("Forslag", "Noe annet", "proposal-malformed", 1),
        ("handling", "hva", "proposal-malformed", 2),
        ("koble", "kobbel", "proposal-wrong", 3),
        ("kunde;opprett", "gubbe;opprett", "proposal-wrong", 4),
        (";d-b;", ";;", "proposal-wrong", 4),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(before: str, after: str, code: str, line: int) -> None:
    text = written()
    assert before in text
    with pytest.raises(BadInput) as wrong:
        sheet.read(text.replace(before, after, 1).encode(), id="P1", file="f.csv")
    assert (wrong.value.code, wrong.value.where["line"]) == (code, line)
    assert f"f.csv:{line}" in wrong.value.said


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04zip", b"Forslag;P1\n", b'"' * 1000])
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput) as wrong:
        sheet.read(content, id="P1", file="f.xlsx")
    assert wrong.value.code.startswith("proposal-")
