"""Codes that a mapping writes and the connected ledger does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector import plugins
from connector.cli.mappings import app
from connector.mapping import load
from connector.mapping.check import check
from connector.mapping.ledger_codes import codes_missing

TENANT = """\
layer: tenant
tenant: acme
title: Acme AS
start: 2027-01-01
connections:
  books:
    system: tripletex
    secrets: {consumer_token: env:A, employee_token: env:B}
    mapping:
      tables:
        vat-code:
          rows: {"33": "34"}
        income-account:
          rows:
            "31": 3050
      kinds:
        external_invoice:
          fields:
            rounding-account: {constant: 7777}
routes: {}
"""
VAT = ["3", "31", "33", "5", "51", "52", "6", "7", "0", "1", "11", "13"]
LEDGER: dict[str, Any] = {
    "vatType.number": VAT,
    "account.number": ["3000", "3001", "3002", "3003", "3100", "3150", "3200", "3051", "7740", "7770"],
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "acme.yaml"
    found.write_text(TENANT)
    return found


def test_what_a_tenant_says_and_the_ledger_lacks_is_an_error_on_its_line(path: Path) -> None:
    report = check([path], plugins=plugins.accounting(), options={"acme/books": LEDGER})
    own = [(p.code, p.line, p.severity) for p in report.problems if p.file == "acme.yaml"]
    assert own == [("code-not-in-ledger", line, "error") for line in (12, 15, 19)]
    assert not report.fine
    words = {problem.line: str(problem) for problem in report.problems if problem.file == "acme.yaml"}
    assert 'The table `vat-code` writes "34" into' in words[12]
    assert "Did you mean" in words[15]
    assert 'The line writes "7777" into `roundoff.account.number`' in words[19]


def test_what_is_shipped_and_the_ledger_lacks_is_a_warning_on_its_line(path: Path) -> None:
    mapping = load("tripletex", plugins=plugins.accounting())
    found = codes_missing(mapping, {"vatType.number": VAT})
    assert {problem.severity for problem in found} == {"warning"}
    shipped = {file: Path(file).read_text().splitlines() for file in {problem.file for problem in found}}
    told = [shipped[problem.file][problem.line - 1].split(":")[0].strip() for problem in found]
    assert set(told) == {f'"{code}"' for code in (32, 12, 14, 15, 20, 21, 22, *range(81, 90), 91, 92)}


def test_what_is_not_known_of_a_ledger_is_not_judged(path: Path) -> None:
    assert check([path], plugins=plugins.accounting()).problems == []
    assert codes_missing(load("tripletex", plugins=plugins.accounting()), {}) == []


def test_the_command_takes_a_file_of_codes(path: Path, tmp_path: Path) -> None:
    codes = tmp_path / "codes.json"
    codes.write_text(json.dumps({"acme/books": LEDGER}))
    ran = CliRunner().invoke(app, ["check", str(path), "--codes", str(codes), "--format", "json"])
    assert ran.exit_code == 1
    assert {p["line"] for p in json.loads(ran.stdout)["problems"] if p["file"] == "acme.yaml"} == {12, 15, 19}
    codes.write_text("[1]")
    assert CliRunner().invoke(app, ["check", str(path), "--codes", str(codes)]).exit_code == 2
