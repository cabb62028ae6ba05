"""Versions of a mapping: kept as text and read again; what two of them say differently, in words, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import plugins
from connector.errors import Misconfigured, Missing
from connector.mapping import Mapping
from connector.mapping.comparing import changes
from connector.mapping.versions import in_place_of, kept, of_files, rebuilt

TENANT = """\
layer: tenant
tenant: demo
title: Demo AS
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {}
    secrets: {consumer_token: env:A, employee_token: env:B}
    mapping: MAPPING
routes:
  sales: {takes: api, to: books, issues: books, sends: nobody, takes_bank_money: books}
"""
CHANGED = """
      tables:
        vat-code: {rows: {"33": null, "31": "31x"}}
        own: {rows: {A: B}, only: out}
      kinds:
        customer: {creates: never}
        department: null
        invoice:
          refuse: {free-dimensions: null}
          loses: {dimensions.free: Kept elsewhere., notes: We print none.}
          fields:
            notes[only]: null
            due_date: {owner: ours, note: As agreed.}
            lines: {each: {fields: {quantity: {default: 1}}}}
"""


def mapped(folder: Path, mapping: str) -> Mapping:
    """The mapping of a tenant in this folder, whose file changes this."""
    (folder / "tenants").mkdir(parents=True, exist_ok=True)
    (folder / "tenants" / "demo.yaml").write_text(TENANT.replace("MAPPING", mapping.rstrip()))
    return of_files("demo", "books", plugins.accounting(), in_place_of(folder))


def test_what_is_kept_makes_the_same_again(tmp_path: Path) -> None:
    for said in ("{}", "{kinds: {invoice: {fields: {due_date: {owner: ours}}}}}"):
        mapping = mapped(tmp_path, said)
        again = rebuilt("tripletex", mapping.version, kept(mapping), plugins.accounting())
        assert again.version == mapping.version
        assert [layer.name for layer in again.stack.layers] == [layer.name for layer in mapping.stack.layers]
        assert changes(mapping, again) == []
    due = next(one for one in again["invoice"].fields() if one.ours == ("due_date",))
    assert due.changed[0].file.endswith(f"demo.yaml@{mapping.version}")


def test_what_cannot_be_used_any_more_says_so(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, "{}")
    layers = kept(mapping)
    (system,) = [one for one in layers if one["layer"] == "system"]
    system["text"] = system["text"].replace("theirs: order.orderLines", "theirs: order.lines")
    with pytest.raises(Misconfigured) as unusable:
        rebuilt("tripletex", mapping.version, layers, plugins.accounting())
    assert unusable.value.code == "mapping-version-unusable"
    assert mapping.version in unusable.value.said
    assert unusable.value.details


def test_all_that_is_said_otherwise_is_told_with_its_line(tmp_path: Path) -> None:
    before = mapped(tmp_path / "a", "{}")
    after = mapped(tmp_path / "b", CHANGED)
    lines = (tmp_path / "b" / "tenants" / "demo.yaml").read_text().splitlines()
    found = {(one.where, one.name): one for one in changes(before, after)}
    expected = {
        ("table vat-code", '"31"'): ("changed", '"31" was "31" there, is "31x"', '"31": "31x"'),
        ("table vat-code", '"33"'): ("removed", "it stops", None),
        ("table own", "own"): ("added", "1 rows", "own:"),
        ("customer", "creates"): ("added", "is now never", "creates"),
        ("department", "department"): ("removed", "mapped no more", None),
        ("invoice", "free-dimensions"): ("removed", "refused no more", None),
        ("invoice", "dimensions.free"): ("added", "may get lost now: Kept elsewhere.", "loses"),
        ("invoice", "notes"): ("added", "may get lost now", "loses"),
        ("invoice", "notes[only]"): ("removed", "carried no more", "notes[only]: null"),
        ("invoice", "due_date"): ("changed", "who wins where both have changed it is now ours", "due_date"),
        ("invoice lines", "quantity"): ("changed", "where empty is now 1", "quantity"),
    }
    assert found.keys() == expected.keys()
    for place, (what, says, line) in expected.items():
        one = found[place]
        assert (one.what, says in one.says) == (what, True), one
        if line is not None:
            assert line in lines[one.line - 1], one
            assert one.layer == "tenant demo"
    assert {(one.where, one.name) for one in changes(after, before)} == found.keys()


def test_a_note_or_another_way_of_writing_is_no_change(tmp_path: Path) -> None:
    before = mapped(tmp_path / "a", "{kinds: {invoice: {fields: {due_date: {owner: ours}}}}}")
    after = mapped(tmp_path / "b", '{kinds: {"invoice": {fields: {due_date: {note: Why., owner: "ours"}}}}}')
    assert (before.version, changes(before, after)) == (after.version, [])


def test_one_file_stands_in_the_place_of_its_namesake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = mapped(tmp_path / "a", "{}")
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path / "a"))
    system = tmp_path / "other.yaml"
    (shipped,) = [layer.source.text for layer in before.stack.layers if layer.name == "system"]
    system.write_text(
        shipped.replace("delivery.day: order.deliveryDate", "delivery.day: {theirs: order.deliveryDate, only: out}", 1)
    )
    after = of_files("demo", "books", plugins.accounting(), in_place_of(system))
    (one,) = changes(before, after)
    assert (one.where, one.name, "was both ways, is only written" in one.says) == ("invoice", "delivery.day", True)
    with pytest.raises(Missing):
        in_place_of(tmp_path / "nothing.yaml")
    (tmp_path / "bad.yaml").write_text("layer: [")
    with pytest.raises(Misconfigured):
        in_place_of(tmp_path / "bad.yaml")
