"""Codes that a mapping writes and the connected ledger does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import plugins
from connector.mapping import Mapping, load_tenant
from connector.mapping.codes import codes_missing
from connector.options import Choice, Option, Options

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
VAT = Option(code="3"), Option(code="31"), Option(code="33"), *(Option(code=one) for one in ("5", "51", "52", "6", "7"))
ACCOUNTS = ("3000", "3001", "3002", "3003", "3100", "3150", "3200", "3051", "7740", "7770")
LEDGER = Options(lists={
    Choice.VAT_CODE: VAT,
    Choice.ACCOUNT: (*(Option(code=one) for one in ACCOUNTS), Option(code="7830", active=False)),
})  # fmt: skip


@pytest.fixture
def mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    return load_tenant("acme", plugins=plugins.accounting()).connections["books"].mapping


def test_what_a_tenant_says_and_the_ledger_lacks_is_an_error_on_its_line(mapping: Mapping) -> None:
    own = [one for one in codes_missing(mapping, LEDGER) if one.file.endswith("acme.yaml")]
    assert {(one.code, one.line, one.severity) for one in own} == {
        ("code-not-in-ledger", line, "error") for line in (12, 15, 19)
    }
    words = {one.line: str(one) for one in own}
    assert "The table `vat-code` leads to VAT code 34" in words[12]
    assert "Did you mean" in words[15]
    assert "account 7777" in words[19]


def test_what_is_shipped_and_the_ledger_lacks_or_has_closed_is_a_warning(mapping: Mapping) -> None:
    shipped = [one for one in codes_missing(mapping, LEDGER) if not one.file.endswith("acme.yaml")]
    assert {one.severity for one in shipped} == {"warning"}
    told = {Path(one.file).read_text().splitlines()[one.line - 1].split(":")[0].strip() for one in shipped}
    assert '"32"' in told
    assert '"3"' not in told


def test_what_is_not_known_of_a_ledger_is_not_judged(mapping: Mapping) -> None:
    assert codes_missing(mapping, Options()) == []
