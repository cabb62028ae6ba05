"""The two laws, for every lens."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import lenses
from connector.mapping.lenses import Lens, LensStop, Unfit
from connector.mapping.paths import Slot

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
DAYS = st.dates(date(1, 1, 1))
CODES = {"3": "high", "31": "middle", "5": "zero"}
PAIRS = {("S", Decimal(25)): "3", ("S", Decimal("11.11")): "32", ("O", None): "7"}


class Doubled:
    """Links where the vendor's id of our 7 is 14."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        return str(2 * ours)

    def our_id(self, kind: str, vendor_id: str) -> Any:
        return int(vendor_id) // 2


def inverse(table: dict[Any, Any]) -> dict[Any, Any]:
    return {value: key for key, value in table.items()}


def copy(form: Any) -> Lens:
    return lenses.copy(Slot(form), Slot(form))


def table(name: str, codes: dict[Any, Any]) -> tuple[str, Lens, st.SearchStrategy[Any], st.SearchStrategy[Any]]:
    lens = lenses.table(name, codes, inverse(codes))
    return name, lens, st.sampled_from(list(codes)), st.sampled_from(list(codes.values()))


PARTS = st.none() | st.text(", ab", max_size=5)
TEXTS = lenses.copy(Slot("list", item="text"), Slot("list", item="text"))
CASES: list[tuple[str, Lens, st.SearchStrategy[Any], st.SearchStrategy[Any]]] = [
    ("text", copy("text"), TEXT, TEXT),
    ("boolean", copy("boolean"), st.booleans(), st.booleans()),
    ("integer", copy("integer"), st.integers(), st.integers()),
    ("number", copy("number"), st.decimals(allow_nan=False, allow_infinity=False), st.integers() | st.decimals(-5, 5)),
    ("date", copy("date"), DAYS, DAYS.map(date.isoformat)),
    ("texts", TEXTS, st.lists(TEXT).map(tuple), st.lists(TEXT)),
    table("table", CODES),
    table("pairs", PAIRS),
    (
        "chain",
        lenses.chain([lenses.table("a", CODES, inverse(CODES)), lenses.table("b", inverse(CODES), CODES)]),
        st.sampled_from(list(CODES)),
        st.sampled_from(list(CODES)),
    ),
    ("link", lenses.link("customer", Slot("integer")), st.integers(), st.integers().map(lambda n: 2 * n)),
    ("øre", lenses.minor_units(2), st.decimals(-10**9, 10**9, places=2), st.integers()),
    ("mills", lenses.minor_units(3), st.decimals(-10**9, 10**9, places=3), st.integers()),
    ("iso", lenses.day("iso"), DAYS, DAYS.map(date.isoformat)),
    ("dotted", lenses.day("DD.MM.YYYY"), DAYS, DAYS.map(lambda d: f"{d.day:02}.{d.month:02}.{d.year:04}")),
    ("packed", lenses.day("YYYYMMDD"), DAYS, DAYS.map(lambda d: f"{d.year:04}{d.month:02}{d.day:02}")),
    ("digits", lenses.digits(), st.integers(0, 10**17).map(str) | TEXT, st.integers(0)),
    ("join", lenses.join(", ", 3), st.tuples(*[PARTS] * 3), st.text(", ab")),
    ("join list", lenses.join_list("\n"), st.lists(st.text("\nab")).map(tuple), st.text("ab\n", min_size=1)),
]  # fmt: skip


@pytest.mark.parametrize(("lens", "ours"), [case[1:3] for case in CASES], ids=[case[0] for case in CASES])
@given(data=st.data())
def test_reading_what_was_written_gives_it_back(lens: Lens, ours: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(ours)
    if value in ((), (None, None, None)) or (isinstance(value, tuple) and value[:1] == ("",) and len(value) == 3):
        return  # nothing to write; and an empty first text is no text of ours
    try:
        written = lens.out.apply(value, Doubled())
    except LensStop:
        return
    assert lens.into.apply(written, Doubled()) == value


@pytest.mark.parametrize(("lens", "theirs"), [(c[1], c[3]) for c in CASES], ids=[case[0] for case in CASES])
@given(data=st.data())
def test_writing_what_was_read_changes_nothing(lens: Lens, theirs: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(theirs)
    try:
        assert lens.out.apply(lens.into.apply(value, Doubled()), Doubled()) == value
    except LensStop:
        return


@pytest.mark.parametrize(
    ("lens", "value", "code"),
    [
        (lenses.minor_units(2), Decimal("0.001"), "amount-too-fine"),
        (lenses.digits(), "007", "digits-malformed"),
        (lenses.digits(), "1a", "digits-malformed"),
        (lenses.digits(), "٣", "digits-malformed"),
        (lenses.join(", ", 2), ("a, b", "c"), "join-ambiguous"),
        (lenses.join(", ", 2), (None, "c"), "join-gap"),
        (lenses.join_list("\n"), ("a\nb",), "join-ambiguous"),
    ],
)
def test_what_could_not_come_back_is_a_stop(lens: Lens, value: Any, code: str) -> None:
    with pytest.raises(LensStop) as stopped:
        lens.out.apply(value)
    assert stopped.value.code == code


@pytest.mark.parametrize(
    ("lens", "value"),
    [
        (copy("number"), 1.5),
        (copy("number"), True),
        (copy("number"), "12"),
        (copy("integer"), Decimal(1)),
        (copy("boolean"), 1),
        (copy("date"), "15.01.2027"),
        (copy("date"), 20270115),
        (lenses.minor_units(2), Decimal("1.5")),
        (lenses.digits(), "12"),
    ],
)
def test_a_vendor_value_of_another_form_is_never_taken(lens: Lens, value: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        lens.into.apply(value)


def test_one_way_joins_lose_freely() -> None:
    assert lenses.join_list("\n", both_ways=False).out.apply(("a\nb", "c")) == "a\nb\nc"
    assert lenses.join(" ", 3, both_ways=False).out.apply((None, "b c", "d")) == "b c d"


@pytest.mark.parametrize("pattern", ["", "DD.MM", "DD.MM.YYYY.DD", "yyyy-mm-dd", "%Y"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(Unfit):
        lenses.day(pattern)
