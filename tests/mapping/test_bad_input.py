"""Files that are no files of ours: an error with file and line, in good time, and nothing is applied."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConnectorError
from connector.mapping import load, load_tenant
from connector.mapping.check import check

TENANT = """\
layer: tenant
tenant: %s
title: Acme AS
start: 2026-01-01
connections:
  %s:
    system: toy
    secrets: {token: env:TOKEN_%s}
routes:
  sales:
    to: %s
    issues: %s
    takes_bank_money: %s
"""
OFFICE = "layer: office\nsystem: toy\noffice: %s\nextends: %s\n"


def laughs() -> str:
    rows = "".join(f"  {b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    return f"tables:\n  a: &a [ha, ha]\n{rows}"


SYSTEM = [
    # what it is, what is replaced in the good system's file, by what, the code, the line
    ("no YAML", "tables:\n", "tables: [\n", "not-yaml", 3),
    ("a quote that never ends", "system: toy", "system: 'toy", "not-yaml", 2),
    ("a binary file", "layer: system", "\x00\x01", "not-yaml", 1),
    ("a key twice", "  codes:\n", "  codes:\n    rows: {}\n", "duplicate-key", 6),
    ("a tab", "kinds:\n", "kinds:\n\tinvoice: {}\n", "tab", 12),
    ("an anchor", "  codes:\n", "  codes: &c\n", "anchor", 4),
    ("an alias", "join: \" / \"", "join: *c", "anchor", 18),
    ("a merge", "  codes:\n", "  <<: {x: null}\n  codes:\n", "merge", 4),
    ("a tag that would run", "system: toy", "system: !!python/object/apply:os.system [id]", "tag", 2),
    ("twenty thousand entries", "rows: {\"3\"", "rows: {" + ", ".join(f"x{n}: y{n}" for n in range(20_500))
     + ", \"3\"", "file-too-large", 5),
    ("a billion laughs", "tables:\n", laughs(), "anchor", 4),
    ("a thousand lists in each other", "join: \" / \"", "join: " + "[" * 1000 + "]" * 1000, "nested-too-deeply", 18),
    ("a hundred thousand conditions in each other", "join: \" / \"", "when: " + "{ours: " * 3000 + "1" + "}" * 3000,
     "nested-too-deeply", 18),
    ("two values for one code", '{"3": high, "31": middle, "5": zero}',
     "[{ours: 3, theirs: high}, {ours: '3', theirs: low}]", "table-two-values", 5),
    ("two codes for one value", '"31": middle', '"31": high', "table-not-invertible", 5),
    ("a path into a list", "issue_date: day", "issue_date: lines.text", "path-into-list", 14),
    ("a path of a thousand steps", "issue_date: day", "issue_date: " + ".".join(["lines"] * 999), "path-into-list", 14),
    ("a system that is not installed", "system: toy", "system: nowhere", "system-not-installed", 2),
]  # fmt: skip


@cache
def a_while() -> float:
    """Seconds of ten million additions on this machine as it is now: what "in good time" is measured against."""
    began = time.process_time()
    total = 0
    for n in range(10_000_000):
        total += n
    return time.process_time() - began


@pytest.mark.parametrize(("what", "old", "new", "code", "line"), SYSTEM, ids=[case[0] for case in SYSTEM])
def test_a_bad_system_file(
    folder: Path, toy: Any, good: str, what: str, old: str, new: str, code: str, line: int
) -> None:
    assert old in good
    path = folder / "systems" / "toy.yaml"
    path.write_text(good.replace(old, new, 1))
    began = time.process_time()
    report = check([path], plugins={"toy": toy})
    assert time.process_time() - began < 10 * a_while()
    assert (code, "mappings/systems/toy.yaml", line) in [(p.code, p.file, p.line) for p in report.problems], [
        str(problem)[:200] for problem in report.problems
    ]
    assert report.mappings == []
    with pytest.raises(ConnectorError):
        load("toy", plugins={"toy": toy})


def test_ten_thousand_entries_that_are_in_order_are_taken_in_good_time(folder: Path, toy: Any, good: str) -> None:
    rows = ", ".join(f'"{n}": y{n}' for n in range(100, 9_000))
    path = folder / "systems" / "toy.yaml"
    path.write_text(good.replace('{"3": high,', f'{{{rows}, "3": high,', 1))
    began = time.process_time()
    assert check([path], plugins={"toy": toy}).problems == []
    assert time.process_time() - began < 20 * a_while()


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["one"], {("one", 4)}),
        (["one", "two", "three"], {("one", 4), ("two", 4), ("three", 4)}),
    ],
)
def test_layers_in_a_circle(folder: Path, toy: Any, names: list[str], lines: set[tuple[str, int]]) -> None:
    for name, below in zip(names, [*names[1:], names[0]], strict=True):
        (folder / "offices" / f"{name}.yaml").write_text(OFFICE % (name, below))
    report = check([folder / "offices"], plugins={"toy": toy})
    assert {problem.code for problem in report.problems} == {"layers-circle"}
    told = {(Path(problem.file).stem, problem.line) for problem in report.problems}
    assert told <= lines
    assert report.mappings == []


def acme(**instead: str) -> str:
    said = {
        "tenant": "acme",
        "id": "books",
        "secret": "A",
        "to": "books",
        "issues": "books",
        "bank": "books",
        **instead,
    }
    return TENANT % (said["tenant"], said["id"], said["secret"], said["to"], said["issues"], said["bank"])


@pytest.mark.parametrize(
    ("text", "code", "line", "word"),
    [
        (acme(to="ledger", issues="ledger"), "connection-unknown", 11, "no connection of this tenant"),
        (acme(to="other/ledger"), "connection-unknown", 11, "another tenant"),
        (acme(issues="other/ledger"), "duty-owner-unknown", 12, "another tenant"),
        (acme(bank="other/ledger"), "duty-owner-unknown", 13, "another tenant"),
        (acme(tenant="other"), "tenant-misnamed", 2, "acme.yaml"),
    ],
)
def test_a_tenant_never_reaches_another_ones_connection(
    folder: Path, toy: Any, text: str, code: str, line: int, word: str
) -> None:
    other = TENANT % ("other", "ledger", "B", "ledger", "ledger", "ledger")
    (folder / "tenants" / "other.yaml").write_text(other)
    (folder / "tenants" / "acme.yaml").write_text(text)
    assert check([folder / "tenants" / "other.yaml"], plugins={"toy": toy}).problems == []
    report = check([folder / "tenants" / "acme.yaml"], plugins={"toy": toy})
    found = [problem for problem in report.problems if problem.code == code]
    assert [problem.line for problem in found] == [line], [str(problem) for problem in report.problems]
    assert word in found[0].said
    assert report.mappings == []
    with pytest.raises(ConnectorError):
        load_tenant("acme", plugins={"toy": toy})


def test_a_tenant_of_a_system_that_is_not_installed(folder: Path, toy: Any) -> None:
    (folder / "tenants" / "acme.yaml").write_text(acme().replace("system: toy", "system: toys"))
    report = check([folder / "tenants"], plugins={"toy": toy})
    first = report.problems[0]
    assert (first.code, first.line, first.do) == ("system-not-installed", 7, "Did you mean `toy`?")
