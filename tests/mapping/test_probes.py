"""Files as they come from hurried people and worse: each mistake told once, at its place, in good time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.errors import Misconfigured, Stop
from connector.mapping import files, load, load_tenant
from connector.mapping.check import check
from connector.mapping.laws import holds
from connector.model import Invoice, Party
from connector.model.dimension import Dimensions

Build = Callable[..., Any]


def codes(problems: Any) -> list[str]:
    return [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("due_date: {", "due_dat: {"),  # a typo in our path is not a lost due_date besides
        ('"references[only].id"', '"referencs[only].id"'),
        ("customer.id, link", "customer.idd, link"),
        ("loses: {kind", "loses: {knd"),
    ],
)
def test_a_typo_is_one_problem(built: Build, old: str, new: str) -> None:
    assert codes(built((old, new))[1]) == ["path-unknown"]


def test_an_object_that_is_gone_as_a_whole_is_one_problem(built: Build) -> None:
    _, problems = built(("      buyer: {theirs: customer.id, link: customer}\n", ""))
    assert codes(problems) == ["loss-undeclared"]
    assert "`buyer`" in problems[0].said


def test_a_field_the_vendor_makes_itself_is_not_written(built: Build) -> None:
    _, problems = built(("number: {theirs: number, digits: true}", "number: {theirs: id, digits: true}"))
    assert codes(problems) == ["writes-read-only"]
    assert "only: in" in problems[0].do
    _, problems = built(("number: {theirs: number, digits: true}", "number: {theirs: id, digits: true, only: in}"))
    assert problems == []


def test_a_link_to_a_kind_that_there_is_not(built: Build) -> None:
    _, problems = built(("link: customer", "link: custmer"))
    assert codes(problems) == ["link-unknown"]
    assert "`customer`" in problems[0].do


def test_a_refusal_of_one_value_does_not_cover_the_others(built: Build) -> None:
    said = "    refuse: {r: {when: {ours: {%s}}, says: No.}}\n    loses: {kind: ''"
    for test in ("payee: {present: true}", "payee.name: {differs: X}"):
        mapping, problems = built(("payee: '', ", ""), ("    loses: {kind: ''", said % test))
        assert [p.said for p in problems if "payee.name" in p.said or "`payee`" in p.said] == []
    mapping, problems = built(("tax_currency: '', ", ""), ("    loses: {kind: ''", said % "tax_currency: EUR"))
    assert codes(problems) == ["loss-undeclared"]
    assert mapping is None


TENANT = """\
layer: tenant
tenant: acme
title: Acme AS
start: 2027-01-01
connections: {books: {system: toy, secrets: {token: env:T}}}
routes: {sales: {to: books, issues: books, takes_bank_money: books}}
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("start: 2027-01-01", "start: 2027-13-01", [("value-type", 4)]),
        ("start: 2027-01-01\n", "", [("key-missing", 1)]),
        ("start: 2027-01-01", "start: soon\nstrat: 1", [("value-type", 4), ("key-unknown", 5)]),
        ("env:T", "hemmelig", [("secret-written", 5)]),
        ("env:T", "'env:T S'", [("secret-written", 5)]),
        ("env:T", "'env:'", [("secret-written", 5)]),
        ("env:T", "vault:acme/books-1", []),
        ("layer: tenant\n", "", [("key-missing", 1)]),
        ("layer: tenant", "layer: tenat", [("value-unknown", 1)]),
        ("layer: tenant", "layer: [tenant]", [("value-unknown", 1)]),
        ("start: 2027-01-01", "start: x\nrouts: {}", [("value-type", 4), ("key-unknown", 5)]),
        ("2027-01-01\nconnections", "x\nconnections", [("value-type", 4)]),
        ("title: Acme AS\nstart: 2027-01-01", "start: x", [("key-missing", 1), ("value-type", 3)]),
        ("issues: books,", "issues: boks,", [("duty-owner-unknown", 6)]),
        ("2027-01-01\n", "x\norganisation_number: '1'\n", [("value-type", 4), ("organisation-number-invalid", 5)]),
    ],
)
def test_a_mistake_in_a_tenants_file_is_told_once(
    folder: Path, toy: Any, old: str, new: str, found: list[tuple[str, int]]
) -> None:
    path = folder / "tenants" / "acme.yaml"
    assert old in TENANT
    path.write_text(TENANT.replace(old, new))
    problems = check([path], plugins={"toy": toy}).problems
    assert [(problem.code, problem.line) for problem in problems] == found, list(map(str, problems))


def test_ten_thousand_mistakes_are_told_in_good_time(folder: Path, toy: Any) -> None:
    path = folder / "systems" / "toy.yaml"

    def seconds(count: int) -> float:
        rows = "".join(f"      f{number}: g{number}\n" for number in range(count))
        path.write_text("layer: system\nsystem: toy\nkinds:\n  invoice:\n    fields:\n" + rows)
        begun = time.thread_time()
        assert len(check([path], plugins={"toy": toy}).problems) > 2 * count
        return time.thread_time() - begun

    assert seconds(8000) < 20 * seconds(1000)


def test_a_file_with_anything_wrong_never_breaks_the_check(tmp_path: Path) -> None:
    """Lines of the shipped files taken away, doubled, moved, cut and filled with nonsense."""
    chance = random.Random(20270115)
    installed = plugins.accounting()
    shipped = [
        (files.shipped("mappings") / "systems" / "tripletex.yaml").read_text(),
        (files.shipped("mappings") / "tenants" / "demo.yaml").read_text(),
    ]
    values = ["null", "[]", "{}", '""', "-1", "{a: b}", "[[null]]", "0.5", "true", "only: in", "{present: true}"]
    for number in range(60):
        rows = shipped[number % 2].split("\n")
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(rows))
            match chance.randrange(6):
                case 0:
                    del rows[at]
                case 1:
                    rows.insert(chance.randrange(len(rows)), rows[at])
                case 2:
                    rows[at] = rows[at].partition(": ")[0] + ": " + chance.choice(values)
                case 3:
                    rows[at] = chance.choice(["  ", ""]) + rows[at][chance.choice([0, 2]) :]
                case 4:
                    cut = chance.randrange(len(rows[at]) + 1)
                    rows[at] = rows[at][:cut] + chance.choice("{}[]:,&*!#'\"-\t01az") + rows[at][cut + 1 :]
                case _:
                    other = chance.randrange(len(rows))
                    rows[at], rows[other] = rows[other], rows[at]
        path = tmp_path / ("tripletex.yaml", "demo.yaml")[number % 2]
        path.write_text("\n".join(rows))
        for problem in check([path], plugins=installed).problems:
            assert problem.line >= 1
            assert problem.said
            assert len(str(problem)) < 1500


def test_a_value_that_is_no_number_is_no_cell(built: Build) -> None:
    for value in ("NaN", "sNaN", "Infinity", "1e999999999", "-1e-999999999"):
        _, problems = built(("- {ours: [S, 15]", f"- {{ours: [S, '{value}']"))
        assert "value-type" in codes(problems), value


# --- the place that an error names ------------------------------------------------------------------------------------


def stopped(run: Callable[[], Any]) -> Stop:
    with pytest.raises(Stop) as caught:
        run()
    return caught.value


def test_several_values_are_told_where_they_are(built: Build, links: Any) -> None:
    mapper = built(('notes: {theirs: comment, join: " / "}', "'notes[only]': comment"))[0]["invoice"]
    document = {"issue_date": date(2027, 1, 15), "number": "1", "notes": ("a", "b")}
    stop = stopped(lambda: mapper.out(document, links))
    assert (stop.code, stop.where["field"]) == ("several-values", "notes[only]")
    assert stop.where["line"] == mapper.explain("notes")[0].origin.line
    stop = stopped(lambda: mapper.into({"references": [{"id": 1}, {"id": 2}]}, links))
    assert (stop.code, stop.where["field"]) == ("several-values", "references[only]")


def test_a_condition_that_cannot_be_asked_names_its_line(built: Build, links: Any) -> None:
    said = "    refuse: {r: {when: {ours: {'notes[only]': x}}, says: No.}}\n    loses: {kind: ''"
    mapper = built(("    loses: {kind: ''", said))[0]["invoice"]
    stop = stopped(lambda: mapper.out({"notes": ("a", "b")}, links))
    assert stop.code == "several-values"
    assert stop.where["line"] == mapper.bound.shape.refusals[0].origin.line
    condition = "date: DD.MM.YYYY, when: {ours: {currency: NOK}, theirs: {number: {above: 5}}}}"
    mapper = built(("date: DD.MM.YYYY}", condition))[0]["invoice"]
    stop = stopped(lambda: mapper.into({"day": "2027-01-15", "number": "7"}, links))
    assert (stop.code, stop.where["field"]) == ("record-malformed", "due_date")


def test_braces_in_a_choice_are_no_placeholders(built: Build, links: Any) -> None:
    lines = "      'seller.identifiers[scheme={0}{x}].value': 'tags[key={y}].value'\n      number:"
    mapper = built(("      number:", lines))[0]["invoice"]
    document = {"seller": {"identifiers": ({"scheme": "{0}{x}", "value": "7"},)}}
    assert mapper.out(document, links)["tags"] == [{"key": "{y}", "value": "7"}]
    stop = stopped(lambda: mapper.into({"tags": [{"key": "{y}", "value": 7}]}, links))
    assert "{" in stop.where["field"] or stop.where["field"].startswith("tags")


# --- an object that says nothing is none ------------------------------------------------------------------------------

EMPTY_PARTY = Party().model_dump()


@pytest.mark.parametrize(
    ("condition", "document", "stops"),
    [
        ("{dimensions: {present: true}}", {"dimensions": Dimensions().model_dump()}, False),
        ("{dimensions: {present: true}}", {"dimensions": Dimensions(project="7").model_dump()}, True),
        ("{dimensions: {present: true}}", {"dimensions": {"free": ({"name": "a", "code": "b"},)}}, True),
        ("{payee: {present: true}}", {"payee": EMPTY_PARTY}, False),
        ("{payee: {present: false}}", {"payee": EMPTY_PARTY}, True),
        ("{payee: {present: true}}", {"payee": {**EMPTY_PARTY, "address": {"city": "Oslo"}}}, True),
        ("{totals: {present: true}}", {"totals": {"prepaid": Decimal(0)}}, True),
        ("{'payment_means[first]': {present: true}}", {"payment_means": ()}, False),
        ("{'payment_means[first]': {present: true}}", {"payment_means": ({"code": "30"},)}, True),
        ("{'notes[first]': {present: false}}", {"notes": ("",)}, True),
        ("{'notes[first]': {present: true}}", {"notes": ()}, False),
        ("{'notes[first]': {present: true}}", {"notes": ("a",)}, True),
    ],
)
def test_what_is_present(built: Build, links: Any, condition: str, document: dict[str, Any], stops: bool) -> None:
    said = "    refuse: {rule: {when: {ours: %s}, says: No.}}\n    loses: {kind: ''" % condition  # noqa: UP031
    mapper = built(("    loses: {kind: ''", said))[0]["invoice"]
    assert holds(mapper.bound.shape.refusals[0].when, document) is stops
    if not stops:
        mapper.out(document, links)
        return
    assert stopped(lambda: mapper.out(document, links)).code == "not-expressible"


# --- what the shipped mapping of Tripletex does not let go in silence -------------------------------------------------


@pytest.mark.parametrize(
    ("change", "line", "rule"),
    [
        ({}, {}, None),
        ({"dimensions": Dimensions(location="Bergen")}, {}, "location"),
        ({}, {"dimensions": Dimensions(project="7")}, "dimensions-of-line"),
        ({}, {"vat_code": None, "vat_category": None, "vat_rate": None}, "vat-unsaid"),
        ({}, {"vat_category": None, "vat_rate": None}, None),
        ({}, {"vat_code": None}, None),
    ],
)
def test_bookkeeping_does_not_get_lost(links: Any, change: Any, line: Any, rule: str | None) -> None:
    one = {"id": "1", "name": "Råd", "quantity": 1, "price": 1, "vat_code": "3", "vat_category": "S", "vat_rate": 25}
    seller, buyer = Party.norwegian("923609016", "Selger AS"), Party(name="c-7")
    draft = {"issue_date": date(2027, 1, 15), "currency": "NOK", "seller": seller, "buyer": buyer}
    document = Invoice.model_validate({**draft, "lines": ({**one, **line},), **change}).model_dump()
    mapper = load("tripletex", plugins=plugins.accounting())["invoice"]
    if rule is None:
        assert mapper.out(document, links)["order"]["orderLines"][0]["vatType"] == {"number": "3"}
        return
    stop = stopped(lambda: mapper.out(document, links))
    assert (stop.code, stop.where["rule"]) == ("not-expressible", rule)
    assert stop.where["field"] == ("" if rule == "location" else "lines[0]")
    assert stop.where["line"] > 1
    assert stop.do


def tenant(*routes: str) -> str:
    """The tenant's file with these owners of bank money, a route each."""
    rows = "".join(
        f"\n  r{number}: {{to: books, issues: source, takes_bank_money: {owner}}}"
        for number, owner in enumerate(routes)
    )
    return TENANT.partition("routes:")[0] + "routes:" + rows + "\n"


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        (["books", "books", "nobody"], []),
        (["books", "connector"], [("duty-two-owners", 8)]),
        (["{'15032080119': connector, '*': books}"], []),
        (["{'15032080119': connector, '*': books}", "books"], [("duty-two-owners", 8)]),
        (["books", "{'15032080119': connector}"], [("duty-two-owners", 8)]),
        (["{'15032080119': connector}", "books"], [("duty-two-owners", 8)]),
        (["{'15032080119': connector}", "{'15032080119': books}"], [("duty-two-owners", 8)]),
        (["{'15032080119': connector}", "{'15032080127': books}"], []),
        (["{'15032080119': [connector, books]}"], [("duty-two-owners", 7)]),
        (["{'15032080118': books}"], [("account-invalid", 7)]),
        (["{'NO9386011117947': books}"], []),
    ],
)
def test_bank_money_has_one_owner_for_each_account(
    folder: Path, toy: Any, routes: list[str], found: list[tuple[str, int]]
) -> None:
    path = folder / "tenants" / "acme.yaml"
    path.write_text(tenant(*routes))
    problems = check([path], plugins={"toy": toy}).problems
    assert [(problem.code, problem.line) for problem in problems] == found, list(map(str, problems))


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("layer: office\noffice: toy\nsystem: toy\n", "system"),
        ("layer: system\nsystem: tripletex\n", "system"),
        ("layer: office\noffice: other\nsystem: toy\n", "office"),
        ("layer: system\nsystem: toy\n", "office"),
    ],
)
def test_a_file_is_of_the_layer_it_is_used_for(folder: Path, toy: Any, text: str, layer: str) -> None:
    name = "systems/toy.yaml" if layer == "system" else "offices/north.yaml"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    with pytest.raises(Misconfigured) as caught:
        load("toy", plugins={"toy": toy}, office="north" if layer == "office" else None)
    assert caught.value.code == "layer-wrong"
    assert caught.value.where["file"].endswith(name)


def test_a_tenant_is_not_loaded_and_all_that_is_wrong_is_told(folder: Path, toy: Any) -> None:
    text = TENANT.replace("start: 2027-01-01", "start: x").replace("issues: books", "issues: boks")
    (folder / "tenants" / "acme.yaml").write_text(text)
    with pytest.raises(Misconfigured) as caught:
        load_tenant("acme", plugins={"toy": toy})
    assert [(one["code"], one["line"]) for one in caught.value.details] == [
        ("value-type", 4),
        ("duty-owner-unknown", 6),
    ]
