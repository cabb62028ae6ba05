"""Compiled mappers: what they write and read, what they leave alone, and where they stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import Stop
from connector.mapping.laws import creating_is_updating, holds, reading_gives_back, writing_changes_nothing
from connector.mapping.lenses import Conversion, Lens
from connector.mapping.mapper import Mapper

Build = Callable[..., Any]
LINE = {"name": "Råd", "quantity": Decimal(8), "price": Decimal("10.20"), "vat_code": "3"}
DOCUMENT: dict[str, Any] = {
    "issue_date": date(2027, 1, 15),
    "due_date": date(2027, 1, 29),
    "number": "10017",
    "buyer": {"name": "c-7"},
    "buyer_reference": None,
    "notes": ("en", "to"),
    "lines": ({**LINE, "vat_category": "S", "vat_rate": Decimal("25.00")},),
}
RECORD: dict[str, Any] = {
    "day": "2027-01-15",
    "dueDay": "29.01.2027",
    "number": 10017,
    "customer": {"id": 7},
    "comment": "en / to",
    "state": "OPEN",
    "lines": [{"text": "Råd", "count": Decimal(8), "priceInOre": 1020, "code": "high"}],
}


@pytest.fixture
def mapper(built: Build) -> Mapper:
    mapping, problems = built()
    assert problems == []
    made: Mapper = mapping["invoice"]
    return made


def test_out_writes_what_is_there_and_leaves_out_what_is_empty(mapper: Mapper, links: Any) -> None:
    assert mapper.out(DOCUMENT, links) == RECORD


def test_into_reads_it_back(mapper: Mapper, links: Any) -> None:
    read = mapper.into(RECORD, links)
    assert read == {
        **{name: DOCUMENT[name] for name in ("issue_date", "due_date", "number", "buyer", "notes")},
        "currency": "NOK",
        "lines": ({**LINE, "vat_category": "S", "vat_rate": Decimal(25)},),
    }


def test_missing_is_unknown_and_null_is_empty(mapper: Mapper, links: Any) -> None:
    assert mapper.into({"day": "2027-01-15"}, links) == {"issue_date": date(2027, 1, 15), "currency": "NOK"}
    read = mapper.into({"dueDay": None, "comment": None, "references": [], "number": None, "lines": None}, links)
    assert read == {
        "due_date": None, "notes": (), "buyer_reference": None, "number": None, "lines": (), "currency": "NOK",
    }  # fmt: skip
    assert mapper.into({"comment": ""}, links)["notes"] == ()


def test_update_record_says_what_is_empty(mapper: Mapper, links: Any) -> None:
    record = mapper.update_record({"due_date": None, "buyer_reference": None, "notes": ()}, links)
    assert record == {"dueDay": None, "comment": None, "references": []}


def test_update_sends_the_changed_fields_alone(mapper: Mapper, links: Any) -> None:
    document = {**DOCUMENT, "due_date": None}
    assert mapper.update(document, ["due_date", "number"], links) == {"dueDay": None, "number": 10017}
    assert mapper.update(document, ["buyer.name"], links) == {"customer": {"id": 7}}
    assert mapper.update(document, ["lines"], links) == {"lines": RECORD["lines"]}
    assert mapper.update({**document, "buyer_reference": "5"}, ["buyer_reference"], links) == {
        "references": [{"id": 5}]
    }
    assert mapper.update(document, ["buyer_reference"], links) == {"references": []}
    assert mapper.update(document, [], links) == {}


def test_what_is_set_once_is_never_changed(mapper: Mapper, links: Any) -> None:
    assert mapper.out({}, links) == {"state": "OPEN"}
    assert mapper.update_record(DOCUMENT, links).get("state") is None


def test_a_field_of_ours_that_is_set_once(built: Build, links: Any) -> None:
    mapper = built(("date: DD.MM.YYYY}", "date: DD.MM.YYYY, on: create}"))[0]["invoice"]
    assert mapper.out(DOCUMENT, links)["dueDay"] == "29.01.2027"
    assert mapper.update(DOCUMENT, ["due_date", "number"], links) == {"number": 10017}


def test_view_is_flat_and_compares_lists_by_what_goes_both_ways(mapper: Mapper, links: Any) -> None:
    ours, theirs = mapper.view(DOCUMENT), mapper.view(mapper.into(RECORD, links))
    assert ours == {
        "issue_date": date(2027, 1, 15), "due_date": date(2027, 1, 29), "number": "10017", "notes": ("en", "to"),
        "buyer_reference": None, "lines": (LINE,),
    }  # fmt: skip
    assert theirs == {**{k: v for k, v in ours.items() if k != "buyer_reference"}, "currency": "NOK"}


def test_merge_sets_flat_fields_and_keeps_the_rest(mapper: Mapper, links: Any) -> None:
    document = {**DOCUMENT, "seller": {"name": "S"}}
    merged = mapper.merge(document, {"number": "10018", "lines": ({"name": "Nytt"}, {"name": "Til"})})
    assert merged["number"] == "10018"
    assert merged["seller"] == {"name": "S"}
    assert merged["lines"] == ({**document["lines"][0], "name": "Nytt"}, {"name": "Til"})
    assert document["number"] == "10017"


def test_default_and_otherwise_fill_what_the_document_does_not_state(mapper: Mapper, links: Any) -> None:
    line = {"name": "x", "vat_category": "S", "vat_rate": Decimal("15.0"), "vat_code": None}
    made = mapper.out({"lines": (line, {**line, "vat_code": "5"})}, links)["lines"]
    assert made == [{"text": "x", "count": 1, "code": "middle"}, {"text": "x", "count": 1, "code": "zero"}]


@pytest.mark.parametrize(
    ("change", "code", "field", "line"),
    [
        ({"lines": (LINE, {**LINE, "vat_code": "99"})}, "code-not-in-table", "lines[1].vat_code", 4),
        ({"lines": ({"vat_category": "S", "vat_rate": Decimal(24)},)}, "code-not-in-table", "lines[0].vat_code", None),
        ({"lines": ({**LINE, "price": Decimal("0.001")},)}, "amount-too-fine", "lines[0].price", None),
        ({"number": "007"}, "digits-malformed", "number", None),
        ({"notes": ("a / b",)}, "join-ambiguous", "notes", None),
        ({"issue_date": "2027-01-15"}, "record-malformed", "issue_date", None),
    ],
)
def test_a_document_that_cannot_go_out_stops_with_place_file_and_line(
    mapper: Mapper, links: Any, change: dict[str, Any], code: str, field: str, line: int | None
) -> None:
    for write in (mapper.out, mapper.update_record):
        with pytest.raises(Stop) as stopped:
            write({**DOCUMENT, **change}, links)
        error = stopped.value
        assert error.code == code
        assert error.where["field"] == field
        assert error.where["file"].endswith("toy.yaml")
        assert isinstance(error.where["line"], int)
        assert line is None or error.where["line"] == line
        assert error.do


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"lines": [{"code": "unheard of"}]}, "code-not-in-table", "lines[0].vat_code"),
        ({"number": "12"}, "record-malformed", "number"),
        ({"number": 12.0}, "record-malformed", "number"),
        ({"dueDay": "2027-01-29"}, "date-malformed", "due_date"),
        ({"day": 20270115}, "record-malformed", "issue_date"),
        ({"references": [{"id": 1}, {"id": 2}]}, "several-values", "references[only]"),
        ({"lines": [{"priceInOre": Decimal("1.5")}]}, "record-malformed", "lines[0].price"),
        ({"lines": 5}, "record-malformed", "lines"),
        ({"lines": [{}, "x"]}, "record-malformed", "lines[1]"),
        ({"customer": "7"}, "record-malformed", "customer"),
        ({"references": "7"}, "record-malformed", "references"),
    ],
)
def test_an_answer_that_is_not_what_its_description_says_stops(
    mapper: Mapper, links: Any, change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Stop) as stopped:
        mapper.into({**RECORD, **change}, links)
    assert (stopped.value.code, stopped.value.where["field"]) == (code, field)


def test_what_the_context_raises_gets_the_place(mapper: Mapper) -> None:
    class Unlinked:
        def vendor_id(self, kind: str, ours: Any) -> str:
            raise Stop("no", code="link-missing", where={"kind": "customer"})

    with pytest.raises(Stop) as stopped:
        mapper.out(DOCUMENT, Unlinked())  # type: ignore[arg-type]
    assert stopped.value.code == "link-missing"
    assert stopped.value.where["field"] == "buyer"
    assert stopped.value.where["kind"] == "customer"


def test_fields_say_direction_owner_and_line(mapper: Mapper) -> None:
    found = {info.ours: info for info in mapper.fields()}
    assert found[("number",)].only is None
    assert found[("currency",)].only == "in"
    assert found[("lines.vat_category", "lines.vat_rate")].theirs == ("lines.code",)
    assert found[("buyer",)].object_link
    assert mapper.explain("dueDay")[0].ours == ("due_date",)
    assert mapper.explain("lines.price")[0].origin.line > 0
    assert mapper.explain("unheard of") == []
    assert mapper.loses["lines.note"] == ""


TAXED, OUTSIDE = {**LINE, "vat_category": "S"}, {**LINE, "vat_category": "O"}


def test_the_laws_find_a_lens_that_breaks_them(mapper: Mapper, links: Any) -> None:
    lines = list(mapper.bound.shape.lines)
    place = next(number for number, line in enumerate(lines) if line.name == "number")
    wrong = Lens("wrong", Conversion("int({v}) + 1"), Conversion("str({v})"))
    lines[place] = replace(lines[place], lens=wrong)
    broken = Mapper(replace(mapper.bound, shape=replace(mapper.bound.shape, lines=tuple(lines))), "x")
    given = reading_gives_back(broken, DOCUMENT, links)
    assert [(one.field, one.was, one.became) for one in given] == [("number", "10017", "10018")]
    unchanged = writing_changes_nothing(broken, RECORD, links)
    assert [(one.field, one.was, one.became) for one in unchanged] == [("number", 10017, 10018)]
    assert "toy.yaml" in str(given[0])
    inner = next(line for line in mapper.bound.shape.lines if line.each)
    assert inner.each is not None
    text = replace(inner.each.lines[0], lens=Lens("wrong", Conversion("{v} + '!'"), Conversion("{v}")))
    shape = replace(inner.each, lines=(text, *inner.each.lines[1:]))
    lines = [replace(line, each=shape) if line is inner else line for line in mapper.bound.shape.lines]
    broken = Mapper(replace(mapper.bound, shape=replace(mapper.bound.shape, lines=tuple(lines))), "x")
    assert [one.field for one in reading_gives_back(broken, DOCUMENT, links)] == ["lines[0].name"]
    assert [one.field for one in writing_changes_nothing(broken, RECORD, links)] == ["lines[0].text"]


# --- constructs that the good file does not have ----------------------------------------------------------------------

SPLIT = ("name: text", 'name: {theirs: [first, last], join: ", "}')
INNER = (
    "            name: text\n",
    "            name: text\n            attributes: {theirs: tags, each: {fields: {name: key, value: value}}}\n",
)
PICKED = (
    "      number:",
    "      'seller.identifiers[scheme=0088].value': 'tags[key=GLN].value'\n"
    "      'seller.identifiers[scheme=0192].value': 'tags[key=ORG].value'\n      number:",
)


def test_several_fields_of_theirs_make_one_of_ours(built: Build, links: Any) -> None:
    mapper = built(SPLIT)[0]["invoice"]
    document = {"lines": ({"name": "Kari, Nordmann"}, {"name": "Ola"})}
    made = mapper.out(document, links)["lines"]
    assert made == [{"first": "Kari", "last": "Nordmann", "count": 1}, {"first": "Ola", "count": 1}]
    assert [one["name"] for one in mapper.into({"lines": made}, links)["lines"]] == ["Kari, Nordmann", "Ola"]
    assert mapper.into({"lines": [{"first": None, "last": None}]}, links)["lines"] == ({"name": None},)
    assert (
        writing_changes_nothing(mapper, {"lines": [{"first": "A", "last": None}, {"first": "A", "last": "B"}]}, links)
        == []
    )
    assert reading_gives_back(mapper, document, links) == []


def test_lists_inside_lists(built: Build, links: Any) -> None:
    mapping, problems = built(INNER, ("attributes: '', ", ""))
    assert problems == []
    mapper = mapping["invoice"]
    document = {"lines": ({"attributes": ({"name": "farge", "value": "rød"}, {"name": "str", "value": "M"})},)}
    made = mapper.out(document, links)["lines"]
    assert made == [{"count": 1, "tags": [{"key": "farge", "value": "rød"}, {"key": "str", "value": "M"}]}]
    assert reading_gives_back(mapper, document, links) == []
    assert mapper.view(mapper.into(mapper.update_record(document, links), links))["lines"] == (
        {"attributes": document["lines"][0]["attributes"]},
    )
    with pytest.raises(Stop) as stopped:
        mapper.into({"lines": [{}, {"tags": [{"key": "a"}, {"key": 5}]}]}, links)
    assert stopped.value.where["field"] in ("lines[1].attributes[1].name", "lines[1].tags[1].key")


def test_items_chosen_by_a_field(built: Build, links: Any) -> None:
    mapping, problems = built(PICKED)
    assert [problem.code for problem in problems if problem.severity == "error"] == []
    mapper = mapping["invoice"]
    both = ({"scheme": "0192", "value": "923609016"}, {"scheme": "0088", "value": "7080000000001"})
    document = {"seller": {"identifiers": both}}
    made = mapper.out(document, links)["tags"]
    assert made == [{"key": "GLN", "value": "7080000000001"}, {"key": "ORG", "value": "923609016"}]
    assert mapper.out({"seller": {"identifiers": both[:1]}}, links)["tags"] == made[1:]
    assert "tags" not in mapper.out({"seller": {"identifiers": ()}}, links)
    read = mapper.into({"tags": [*made, {"key": "DUNS", "value": "1"}]}, links)["seller"]["identifiers"]
    assert sorted(read, key=str) == sorted(both, key=str)
    assert reading_gives_back(mapper, document, links) == []
    assert writing_changes_nothing(mapper, {"tags": made}, links) == []
    assert mapper.update(document, ["seller.identifiers[scheme=0088].value"], links) == {"tags": made}


REFUSING = "    refuse:\n      rule: {when: {ours: %s}, says: No.}\n    loses: {kind"


@pytest.mark.parametrize(
    ("condition", "document", "stops"),
    [
        ("{currency: NOK}", {"currency": "NOK"}, True),
        ("{currency: [EUR, NOK]}", {"currency": "NOK"}, True),
        ("{currency: EUR}", {"currency": "NOK"}, False),
        ("{currency: [EUR, null]}", {}, True),
        ("{currency: {differs: NOK}}", {}, False),
        ("{currency: {differs: NOK}}", {"currency": "EUR"}, True),
        ("{totals.prepaid: {differs: 0}}", {"totals": {"prepaid": Decimal("0.00")}}, False),
        ("{totals.prepaid: {above: 0}}", {"totals": {"prepaid": Decimal("0.01")}}, True),
        ("{totals.prepaid: {below: 0}}", {"totals": None}, False),
        ("{payee: {present: true}}", {"payee": {"name": "F"}}, True),
        ("{payee: {present: true}}", {"payee": None}, False),
        ("{allowances_charges: {present: false}}", {"allowances_charges": ()}, True),
        ("{'payment_means[first].code': '30'}", {"payment_means": ({"code": "30"}, {"code": "31"})}, True),
        ("{'payment_means[first].code': '30'}", {"payment_means": ()}, False),
        ("{lines: {any: {vat_category: O}}}", {"lines": ({"vat_category": "S"}, {"vat_category": "O"})}, True),
        ("{lines: {every: {vat_category: O}}}", {"lines": (TAXED, OUTSIDE)}, False),
        ("[{lines: {any: {vat_category: O}}}, {lines: {any: {vat_category: S}}}]",
         {"lines": (OUTSIDE,)}, False),
        ("{lines: {any: {allowances_charges: {any: {is_charge: true}}}}}",
         {"lines": ({"allowances_charges": ({"is_charge": True},)},)}, True),
    ],
)  # fmt: skip
def test_refusals_stop_what_the_system_cannot_express(
    built: Build, links: Any, condition: str, document: dict[str, Any], stops: bool
) -> None:
    mapping, problems = built(("    loses: {kind", REFUSING % condition))
    assert [p for p in problems if p.severity == "error"] == []
    mapper = mapping["invoice"]
    refusal = mapper.bound.shape.refusals[0]
    assert holds(refusal.when, document) is stops
    if not stops:
        mapper.out(document, links)
        return
    with pytest.raises(Stop) as stopped:
        mapper.out(document, links)
    assert stopped.value.code == "not-expressible"
    assert stopped.value.where["rule"] == "rule"


@pytest.mark.parametrize("way", ["out", "update", "into", "view"])
def test_the_compiled_text_holds_nothing_of_the_file_but_field_names(mapper: Mapper, way: Any) -> None:
    assert "toy" not in mapper.source(way)
    assert "middle" not in mapper.source(way)


@contextmanager
def suppress_stop(code: str) -> Iterator[None]:
    """Some generated texts cannot be taken apart; they stop, and nothing else may."""
    try:
        yield
    except Stop as stop:
        if stop.code != code:
            raise


# --- the laws, on documents of any shape ------------------------------------------------------------------------------

OURS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.none() | st.integers(0, 10**9).map(str),
    "buyer": st.integers(1, 99).map(lambda n: {"name": f"c-{n}"}),
    "buyer_reference": st.none() | st.integers(0, 99).map(str),
    "notes": st.lists(st.text("ab", min_size=1, max_size=3), max_size=3).map(tuple),
    "lines.vat_code": st.sampled_from(["3", "31", "5"]),
}
THEIRS: dict[str, st.SearchStrategy[Any]] = {
    "dueDay": st.none() | st.dates(date(1000, 1, 1)).map(lambda d: f"{d:%d.%m.%Y}"),
    "lines.code": st.none() | st.sampled_from(["high", "middle", "zero", ""]),
    "comment": st.none() | st.text("ab /", max_size=9).map(str.strip),
}
QUICK = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))


@QUICK
@given(data=st.data())
def test_the_laws_hold_for_documents(any_of: Any, mapper: Mapper, links: Any, data: st.DataObject) -> None:
    document = data.draw(any_of(mapper.bound.shape, vendor=False, special=OURS))
    assert reading_gives_back(mapper, document, links) == []
    assert creating_is_updating(mapper, document, links)


@QUICK
@given(data=st.data())
def test_the_laws_hold_for_records(any_of: Any, mapper: Mapper, links: Any, data: st.DataObject) -> None:
    record = data.draw(any_of(mapper.bound.shape, vendor=True, special=THEIRS))
    with suppress_stop("join-ambiguous"):
        assert writing_changes_nothing(mapper, record, links) == []
