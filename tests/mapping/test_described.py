"""docs/mapping.md: what it shows is what the program takes."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from connector import plugins
from connector.mapping import fields, files, format, rules, source
from connector.mapping.check import check
from connector.mapping.load import CANONICAL

TEXT = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")


def blocks(heading: str) -> list[str]:
    """The indented blocks below a heading, each as it would stand in a file."""
    below = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [dedent(found) for found in re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", below, re.MULTILINE)]


HEADINGS = [
    "A whole file",
    "A line",
    "Lenses",
    "Conditions",
    "What a system cannot say",
    "Dimension rules",
    "Joining filled books",
    "Money beside the payment",
    "Kinds",
    "Layers",
    "Tenants",
    "Examples",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_example_is_plain_yaml(heading: str) -> None:
    found = blocks(heading)
    assert found
    for block in found:
        for part in block.replace("{…}", "{}").replace("[…]", "[]").replace("name: …", "name: a").split("…\n"):
            _, problems = source.parse(part, "docs/mapping.md")
            assert [str(problem) for problem in problems] == [], part


def test_every_key_of_a_line_and_every_test_is_described() -> None:
    for part in (format.Line, format.Test, format.Row, format.Refusal, format.Table, format.KindSpec, format.Example,
                 format.MappingFile, format.SharedFile, format.TenantFile, format.Connection, format.AccessPoint,
                 format.Route, rules.Matching, rules.DimensionRule):  # fmt: skip
        for name in ((info.alias or name) for name, info in part.model_fields.items()):
            assert re.search(rf"\b{name}\b", TEXT), f"{part.__name__}.{name}"


def test_the_file_that_is_shown_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "tripletex.yaml"
    path.write_text(blocks("A whole file")[0])
    report = check([path], plugins=plugins.accounting())
    assert [str(problem) for problem in report.problems] == []
    assert set(report.mappings[0][1].mappers) == {"customer"}


def test_the_layer_that_is_shown_can_be_put_on_what_is_shipped(tmp_path: Path) -> None:
    tenant = (files.shipped("mappings") / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    path = tmp_path / "demo.yaml"
    path.write_text(
        tenant.replace(
            "\naccess_points:", "\n    mapping:\n" + indent(blocks("Layers")[0], " " * 6) + "\naccess_points:"
        )
    )
    report = check([path], plugins=plugins.accounting())
    assert [str(problem) for problem in report.problems] == []
    mapper = report.mappings[0][1]["invoice"]
    assert mapper.loses["dimensions.free"]
    assert [info.does for info in mapper.explain("buyer_reference")] == ["the same value"]


def test_the_tenant_that_is_shown_is_one(tmp_path: Path) -> None:
    text = blocks("Tenants")[0].replace("{kinds: {…}, tables: {…}}", "{}").replace("[…]", "[]")
    text = re.sub(r"^ *office: north.*\n", "", text, flags=re.MULTILINE)
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    report = check([path], plugins=plugins.accounting())
    assert [str(problem) for problem in report.problems] == []


def test_our_fields_are_those_of_the_models() -> None:
    assert fields.written_into(TEXT) == TEXT, "run: python -m connector.mapping"


EVERY = [(heading, number) for heading in HEADINGS for number in range(len(blocks(heading)))]
KINDS = set(CANONICAL)


def shown(heading: str, number: int) -> dict[str, Any]:
    text = blocks(heading)[number]
    found, problems = source.parse(text, "docs")
    assert found is not None, (text, problems)
    return found.data


@pytest.mark.parametrize(("heading", "number"), EVERY)
def test_what_is_shown_for_a_kind_can_be_put_on_what_is_shipped(heading: str, number: int, tmp_path: Path) -> None:
    """What speaks of whole kinds or tables is put into a tenant's file as it stands; a line alone has its form."""
    text = blocks(heading)[number]
    if "…" in text or heading == "Layers":
        return
    data = shown(heading, number)
    whole = data.keys() <= {"kinds", "tables"} and "kinds" in data
    if "layer" in data or data.keys() <= {"examples", "refuse", "loses", "rows"}:
        return
    if not whole and not data.keys() <= KINDS:
        for name, line in data.items():
            if name != "tables" and not (isinstance(line, dict) and "rows" in line):
                format.Line.model_validate(line)
        return
    body = text if whole else "kinds:\n" + indent(text, "  ")
    tenant = (files.shipped("mappings") / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    path = tmp_path / "demo.yaml"
    mapping = "\n    mapping:\n" + indent(body, " " * 6)
    path.write_text(tenant.replace("\naccess_points:", f"{mapping}\naccess_points:"))
    problems = check([path], plugins=plugins.accounting()).problems
    known = {"copies-below"}  # what is shipped is shown as well
    assert [str(problem) for problem in problems if problem.code not in known] == []
