"""Layers: each changes lines of the one below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Misconfigured, Missing, Stop
from connector.mapping import files, load, load_tenant
from connector.mapping.check import check

OFFICE = """\
layer: office
system: toy
office: %s
%s
"""


@pytest.fixture
def tenant(folder: Path, toy: Any, acme: Any) -> Callable[[str], Any]:
    """The mapping of a tenant that changes these lines."""

    def make(changes: str) -> Any:
        (folder / "tenants" / "acme.yaml").write_text(acme(changes, system="toy"))
        return load_tenant("acme", plugins={"toy": toy}).connections["books"].mapping

    return make


def test_a_line_changes_the_keys_it_names_and_nothing_else(tenant: Any, toy: Any, links: Any) -> None:
    mapping = tenant('kinds: {invoice: {fields: {notes: {join: "; "}}}}')
    assert mapping["invoice"].out({"notes": ("a", "b")}, links) == {"comment": "a; b", "state": "OPEN"}
    notes = mapping["invoice"].explain("notes")[0]
    assert notes.origin.layer == "system"
    assert [(o.layer, o.file, o.line) for o in notes.changed] == [("tenant acme", "mappings/tenants/acme.yaml", 10)]
    assert mapping.version != load("toy", plugins={"toy": toy}).version


def test_taking_a_line_away_makes_a_loss_that_must_be_declared(tenant: Any) -> None:
    with pytest.raises(Misconfigured) as raised:
        tenant("kinds: {invoice: {fields: {buyer_reference: null}}}")
    assert raised.value.code == "loss-undeclared"
    assert raised.value.where == {"file": "mappings/tenants/acme.yaml", "line": 10}
    with pytest.raises(Misconfigured) as raised:
        tenant("kinds: {invoice: {fields: {issue_date: null}, loses: {issue_date: Not used here.}}}")
    assert (raised.value.code, raised.value.where["file"]) == ("required-unfilled", "mappings/tenants/acme.yaml")
    tenant("kinds: {invoice: {fields: {buyer_reference: null}, loses: {buyer_reference: Not used here.}}}")


def test_lines_inside_lists_and_rows_of_tables_are_changed_too(tenant: Any, links: Any) -> None:
    mapping = tenant(
        "tables: {codes: {rows: {'33': low, '5': null}}, by-rate: {rows: [{ours: [Z, 0]}]}}\n"
        "kinds: {invoice: {fields: {lines: {each: {fields: {quantity: {default: null}}}}}}}"
    )
    made = mapping["invoice"].out({"lines": ({"vat_code": "33"}, {"vat_code": "31"})}, links)
    assert made["lines"] == [{"code": "low"}, {"code": "middle"}]
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].out({"lines": ({"vat_code": "5"},)}, links)
    assert stopped.value.code == "code-not-in-table"


def test_a_tenant_adds_refusals_and_takes_them_away(tenant: Any, links: Any) -> None:
    mapping = tenant('kinds: {invoice: {refuse: {no-notes: {when: {ours: {notes: {present: true}}}, says: "No."}}}}')
    with pytest.raises(Stop) as stopped:
        mapping["invoice"].out({"notes": ("x",)}, links)
    assert stopped.value.where["file"] == "mappings/tenants/acme.yaml"


@pytest.mark.parametrize(
    ("changes", "code", "line"),
    [
        ("kinds: {invoice: {fields: {nots: {join: x}}}}", "theirs-missing", 10),
        ("kinds: {invoice: {fields: {nots: null}}}", "nothing-to-take-away", 10),
        ("tables:\n  codes: {rows: {'77': null}}", "nothing-to-take-away", 11),
        ("tables:\n  cods: null", "nothing-to-take-away", 11),
        ("tables:\n  codes:\n    rows:\n      '33': high", "table-not-invertible", 13),
        ("kinds:\n  invoice:\n    fields:\n      notes: {theirs: commnt}", "path-unknown", 13),
        ("kinds:\n  customer: {}", "kind-unknown", 11),
    ],
)
def test_mistakes_of_an_upper_layer_stand_in_its_file(tenant: Any, changes: str, code: str, line: int) -> None:
    with pytest.raises(Misconfigured) as raised:
        tenant(changes)
    found = [(p["code"], p["file"], p["line"]) for p in raised.value.details]
    assert (code, "mappings/tenants/acme.yaml", line) in found


def test_copying_a_line_of_the_layer_below_is_told(tenant: Any, toy: Any, folder: Path) -> None:
    tenant("kinds: {invoice: {fields: {issue_date: day}}}")
    problems = check([folder / "tenants" / "acme.yaml"], plugins={"toy": toy}).problems
    assert [(p.code, p.severity, p.line) for p in problems] == [("copies-below", "warning", 10)]


def test_the_version_is_of_what_is_said_not_of_how(folder: Path, toy: Any, good: str) -> None:
    def version(text: str) -> str:
        (folder / "systems" / "toy.yaml").write_text(text)
        return load("toy", plugins={"toy": toy}).version

    before = version(good)
    assert version("# a comment\n" + good.replace("issue_date: day", "issue_date: {theirs: day, note: why}")) == before
    assert version(good.replace("DD.MM.YYYY", "DD-MM-YYYY")) != before
    assert version(good.replace('"31": middle', '"31": mid')) != before


def test_offices_stand_between_system_and_tenant(folder: Path, toy: Any, links: Any) -> None:
    lines = '  invoice: {fields: {notes: {join: "%s"}}}'
    (folder / "offices" / "base.yaml").write_text(OFFICE % ("base", "kinds:\n" + lines % "+"))
    (folder / "offices" / "north.yaml").write_text(OFFICE % ("north", "extends: base\nkinds:\n" + lines % "|"))
    assert (
        load("toy", plugins={"toy": toy}, office="base")["invoice"].out({"notes": ("a", "b")}, links)["comment"]
        == "a+b"
    )
    mapping = load("toy", plugins={"toy": toy}, office="north")
    assert mapping["invoice"].out({"notes": ("a", "b")}, links)["comment"] == "a|b"
    assert len(mapping["invoice"].explain("notes")[0].changed) == 2
    assert check([folder], plugins={"toy": toy}).problems == []


def test_a_circle_of_offices_and_an_office_that_is_not_there(folder: Path, toy: Any) -> None:
    (folder / "offices" / "one.yaml").write_text(OFFICE % ("one", "extends: two"))
    (folder / "offices" / "two.yaml").write_text(OFFICE % ("two", "extends: one"))
    (folder / "offices" / "three.yaml").write_text(OFFICE % ("three", "extends: nobody"))
    found = {(p.code, p.line) for p in check([folder / "offices"], plugins={"toy": toy}).problems}
    assert found == {("layers-circle", 4), ("office-unknown", 4)}
    with pytest.raises(Misconfigured):
        load("toy", plugins={"toy": toy}, office="one")


def test_files_are_looked_for_in_the_own_folder_then_in_the_shipped_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert files.roots()[0] == folder
    assert files.find("system", "toy") == folder / "systems" / "toy.yaml"
    assert files.find("system", "tripletex").parent == files.shipped("mappings") / "systems"
    assert files.names("tenant") == []
    (tmp_path / "secret.yaml").write_text("")
    with pytest.raises(Missing):
        files.find("system", "../../secret")
    other = tmp_path / "other"
    (other / "tenants").mkdir(parents=True)
    (other / "tenants" / "x.yaml").write_text("")
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(other))
    assert files.names("tenant") == ["x"]
    for name in ("nobody", "", "A"):
        with pytest.raises(Missing) as missing:
            files.find("system", name)
        assert missing.value.code == "system-unknown"
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path / "nowhere"))
    with pytest.raises(Misconfigured):
        files.roots()


def test_three_layers_each_change_what_they_name_and_nothing_else(
    folder: Path, toy: Any, links: Any, acme: Any
) -> None:
    """System, an office's standard on another office's, and a tenant: lines, rows, refusals, losses, rules, limits."""
    base = """\
tables:
  codes: {rows: {"33": low}}
kinds:
  invoice:
    changed_at_most: 10
    fields: {notes: {join: "+"}, due_date: {date: YYYY-MM-DD}}
    refuse: {no-date: {when: {ours: {issue_date: {present: false}}}, says: A date.}}
    matching: {number: {by: number, certainty: weak}, due: {by: due_date, certainty: weak}}
"""
    north = """\
extends: base
kinds:
  invoice:
    changed_at_most: 20
    fields: {notes: {join: "|"}, lines: {each: {fields: {quantity: {default: 2}}}}}
    matching: {number: {by: number, certainty: certain}}
"""
    (folder / "offices" / "base.yaml").write_text(OFFICE % ("base", base))
    (folder / "offices" / "north.yaml").write_text(OFFICE % ("north", north))
    mine = """\
tables:
  codes: {rows: {"33": lowest, "5": null}}
kinds:
  invoice:
    fields: {notes: {join: "; "}}
    refuse: {no-date: null}
    matching: {due: null}
"""
    text = acme(mine, system="toy").replace("system: toy\n", "system: toy\n    office: north\n")
    (folder / "tenants" / "acme.yaml").write_text(text)
    assert [str(problem) for problem in check([folder], plugins={"toy": toy}).problems] == []
    mapper = load_tenant("acme", plugins={"toy": toy}).connections["books"].mapping["invoice"]

    made = mapper.out({"notes": ("a", "b"), "due_date": date(2027, 1, 9), "lines": ({"vat_code": "33"},)}, links)
    assert made["comment"] == "a; b"  # the tenant's, over both offices'
    assert made["dueDay"] == "2027-01-09"  # the lower office's
    assert made["lines"] == [{"code": "lowest", "count": Decimal(2)}]  # the tenant's row, the upper office's default
    assert [(rule.name, rule.certainty) for rule in mapper.matching] == [("number", "certain")]
    assert mapper.limits.changed_at_most == 20
    layers = [change.layer for change in mapper.explain("notes")[0].changed]
    assert layers == ["office", "office", "tenant acme"]
    office = load("toy", plugins={"toy": toy}, office="north")["invoice"]
    assert [info.name for info in office.bound.shape.refusals] == ["no-date"]
    assert [(rule.name, rule.certainty) for rule in office.matching] == [("number", "certain"), ("due", "weak")]
