"""Tables that several systems use: the standard VAT codes are the middle between documents and systems."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.errors import Misconfigured
from connector.mapping import files, load, load_tenant
from connector.mapping.check import check

HEAD = "layer: system\nsystem: toy\n"
SHARED = """\
layer: shared
shared: standard
tables:
  by-rate:
    rows:
      - {ours: [S, 25], theirs: "3"}
      - {ours: [S, 15], theirs: "31"}
      - {ours: [Z, 0], theirs: "5"}
  spare: {rows: {a: b}}
"""
ROOT = Path(__file__).resolve().parents[2]
FACTS = Path(os.environ.get("CONNECTOR_SHARED", ROOT.parent / "shared")) / "facts" / "norway.md"


@pytest.fixture
def using(folder: Path, good: str) -> Callable[..., Path]:
    """The good system's file with its table of rates in a shared file."""

    def make(shared: str = SHARED, uses: str = "standard", tables: str = "") -> Path:
        (folder / "shared").mkdir(exist_ok=True)
        (folder / "shared" / "standard.yaml").write_text(shared)
        own = re.sub(r"  by-rate:\n(    .*\n)+", tables, good)
        assert own != good
        path = folder / "systems" / "toy.yaml"
        path.write_text(own.replace(HEAD, f"{HEAD}uses: {uses}\n"))
        return path

    return make


def vat(mapping: Any, links: Any, rate: str) -> Any:
    line = {"vat_category": "S", "vat_rate": Decimal(rate)}
    return mapping["invoice"].out({"lines": (line,)}, links)["lines"][0]["code"]


def test_a_system_stands_on_the_tables_it_uses_and_changes_their_rows(using: Any, toy: Any, links: Any) -> None:
    path = using(tables='  by-rate: {rows: [{ours: [S, 15], theirs: "5"}, {ours: [Z, 0]}]}\n')
    assert [str(problem) for problem in check([path.parents[1]], plugins={"toy": toy}).problems] == []
    mapping = load("toy", plugins={"toy": toy})
    assert (vat(mapping, links, "25"), vat(mapping, links, "15")) == ("high", "zero")


def test_what_is_shared_and_not_used_changes_no_version(using: Any, toy: Any) -> None:
    using()
    before = load("toy", plugins={"toy": toy}).version
    using(shared=SHARED.replace("{a: b}", "{a: c}"))
    assert load("toy", plugins={"toy": toy}).version == before
    using(shared=SHARED.replace('[S, 15], theirs: "31"', '[S, 15], theirs: "5"').replace("- {ours: [Z, 0]", "# "))
    assert load("toy", plugins={"toy": toy}).version != before


def test_a_code_that_a_shared_table_lacks_is_told_with_its_file(using: Any, toy: Any, links: Any) -> None:
    using()
    with pytest.raises(Exception, match="code") as stopped:
        vat(load("toy", plugins={"toy": toy}), links, "12")
    assert stopped.value.where["file"] == "mappings/shared/standard.yaml"
    assert stopped.value.where["line"] == 4


@pytest.mark.parametrize(
    ("shared", "uses", "code", "file", "line"),
    [
        (SHARED, "standart", "shared-unknown", "systems/toy.yaml", 3),
        (SHARED.replace("shared: standard", "shared: standerd"), "standard", "shared-misnamed",
         "shared/standard.yaml", 2),
        (SHARED.replace("[S, 15]", "[S, 25]"), "standard", "table-two-values", "shared/standard.yaml", 7),
        (SHARED.replace('"31"', '"3"'), "standard", "table-not-invertible", "shared/standard.yaml", 7),
        (SHARED.replace("[S, 15]", "[S, femten]"), "standard", "value-type", "shared/standard.yaml", 7),
        (SHARED + "kinds: {}\n", "standard", "key-unknown", "shared/standard.yaml", 10),
        (SHARED.replace("rows: {a: b}", "row: {a: b}"), "standard", "key-unknown", "shared/standard.yaml", 9),
    ],
)  # fmt: skip
def test_a_mistake_in_what_is_shared_stands_in_its_file(
    using: Any, toy: Any, shared: str, uses: str, code: str, file: str, line: int
) -> None:
    path = using(shared, uses)
    report = check([path], plugins={"toy": toy})
    assert (code, f"mappings/{file}", line) in [(p.code, p.file, p.line) for p in report.problems]
    with pytest.raises(Misconfigured):
        load("toy", plugins={"toy": toy})


def test_a_shared_file_alone_is_checked_too(using: Any, toy: Any, folder: Path) -> None:
    using(SHARED.replace("[S, 15]", "[S, 25]"))
    report = check([folder / "shared"], plugins={"toy": toy})
    assert [(problem.code, problem.line) for problem in report.problems] == [("table-two-values", 7)]


def test_a_tenant_changes_a_row_of_the_standard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acme: Any) -> None:
    (tmp_path / "tenants").mkdir()
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    (tmp_path / "tenants" / "acme.yaml").write_text(
        acme('tables: {vat-by-category: {rows: [{ours: [E, 0], theirs: "7"}, {ours: [O, null]}]}}')
    )
    books = load_tenant("acme", plugins=plugins.accounting()).connections["books"].mapping
    rows = {tuple(row.ours): row.theirs for row, _ in books.stack.tables["vat-by-category"].rows.values()}
    assert rows["E", 0] == ["7"]
    assert ("O", None) not in rows
    assert rows["S", 25] == ["3"]


def test_every_standard_code_has_its_place() -> None:
    """Against the Tax Administration's list: no code is missing, none is made up."""
    if not FACTS.is_file():
        pytest.skip("the facts are not here")
    listed = set()
    for row in re.findall(r"^\| ([0-9, –/]+) \| .*$", FACTS.read_text(encoding="utf-8"), re.MULTILINE):
        for part in re.split(r"[,/ ]+", row):
            first, _, last = part.partition("–")
            if first:
                listed |= {str(code) for code in range(int(first), int(last or first) + 1)}
    listed = {code for code in listed if int(code) < 100}
    tables = load("tripletex", plugins=plugins.accounting()).stack.tables
    sold = {row.ours[0] for row, _ in tables["vat-code"].rows.values()}
    bought = {row.ours[0] for row, _ in tables["vat-code-of-purchase"].rows.values()}
    assert sold | bought == listed
    assert not sold & bought
    assert {row.theirs[0] for row, _ in tables["vat-by-category"].rows.values()} == sold
    assert {row.theirs[0] for row, _ in tables["vat-of-purchase"].rows.values()} <= bought
    assert files.find("shared", "saf-t-vat").is_file()
