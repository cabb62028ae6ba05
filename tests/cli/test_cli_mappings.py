"""`connector mappings` as a person and a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.cli.mappings import app
from connector.mapping import files


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The shipped file with two mistakes in it."""
    text = (files.shipped("mappings") / "systems" / "tripletex.yaml").read_text(encoding="utf-8")
    path = tmp_path / "tripletex.yaml"
    path.write_text(
        text.replace("due_date: invoice.invoiceDueDate", "due_date: invoice.invoiceDueDat"), encoding="utf-8"
    )
    return path


def test_check_says_that_all_is_well() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "0 problems" in result.output


def test_check_shows_file_line_and_suggestion(broken: Path) -> None:
    result = run("check", str(broken))
    assert result.exit_code == 1
    number = next(n for n, row in enumerate(broken.read_text(encoding="utf-8").splitlines(), 1) if "DueDat" in row)
    assert f"{broken}:{number}: error path-unknown" in result.output
    assert "`invoiceDueDate`" in result.output
    result = run("check", str(broken), "--format", "json")
    said = json.loads(result.output)
    assert (said["problems"][0]["code"], said["problems"][0]["line"]) == ("path-unknown", number)


def test_check_tells_programs_what_a_round_trip_loses() -> None:
    said = json.loads(run("check", "--format", "json").output)
    losses = {path for one in said["mappings"] for path in one["losses"]["invoice"]}
    assert {"attachments", "lines.unit_code"} <= losses


def test_check_of_what_is_not_there() -> None:
    result = run("check", "nowhere.yaml")
    assert result.exit_code == 1
    assert "There is no such file." in result.output


def test_examples_are_run() -> None:
    result = run("test")
    assert result.exit_code == 0
    assert "Hours and lunches, two rates" in result.output
    said = json.loads(run("test", "--format", "json").output)
    assert all(example["holds"] for example in said["examples"])


def test_an_example_that_does_not_hold_fails(tmp_path: Path) -> None:
    text = (files.shipped("mappings") / "systems" / "tripletex.yaml").read_text(encoding="utf-8")
    path = tmp_path / "tripletex.yaml"
    path.write_text(text.replace("invoicesDueIn: 14", "invoicesDueIn: 15"), encoding="utf-8")
    result = run("test", str(path))
    assert result.exit_code == 1
    assert "`invoicesDueIn` is 14, not 15" in result.output


def test_explain_names_the_line_and_the_layer() -> None:
    result = run("explain", "tripletex", "invoiceDueDate")
    assert result.exit_code == 0
    assert "due_date ↔ invoice.invoiceDueDate" in result.output
    assert "tripletex.yaml:" in result.output
    assert "(system)" in result.output
    said = json.loads(run("explain", "demo/books", "lines.vat_code", "--format", "json").output)
    assert said["lines"][0]["theirs"] == ["order.orderLines.vatType.number"]


def test_explain_says_why_a_field_is_not_carried() -> None:
    result = run("explain", "tripletex", "unit_code")
    assert result.exit_code == 0
    assert "Units belong to products" in result.output


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("tripletex", "unheard_of"), 1, "unheard_of"),
        (("nosuch",), 2, "tripletex"),
        (("demo/nosuch",), 2, "books"),
        (("nobody/books",), 2, "nobody"),
    ],
)
def test_explain_of_what_is_not_there(arguments: tuple[str, ...], status: int, word: str) -> None:
    result = run("explain", *arguments)
    assert result.exit_code == status
    assert word in result.output


def test_the_fields_a_line_may_name_are_listed() -> None:
    said = run("fields", "tripletex", "payment").output
    assert "paymentDate" in said
    assert next(row for row in said.splitlines() if row.startswith("paymentDate ")).endswith("day, required")
    assert "posting.voucher.id" in said
    assert next(row for row in said.splitlines() if row.startswith("posting.voucher.id ")).endswith("read-only")
    found = json.loads(run("fields", "ours", "invoice", "--like", "lines[].vat", "--format", "json").output)
    assert {one["path"] for one in found} >= {"lines[].vat_code", "lines[].vat_rate"}
    assert "invoice" in run("fields", "tripletex").output.splitlines()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("tripletx",), "`tripletex`"),
        (("tripletex", "invoise"), "`invoice`"),
        (("ours", "invoice", "--like", "unheard"), "unheard"),
    ],
)
def test_fields_of_what_is_not_there(arguments: tuple[str, ...], word: str) -> None:
    result = run("fields", *arguments)
    assert result.exit_code == 2
    assert word in result.output
