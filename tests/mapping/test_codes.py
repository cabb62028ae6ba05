"""Codes that a mapping leads to, against what a ledger has: with file and line, and nothing said of what is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import Mapping, load, load_tenant
from connector.mapping.codes import of_settings, problems, uses
from connector.mapping.layers import Origin
from connector.options import Choice, DimensionOptions, Option, Options

CHANGES = """\
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
"""
VAT = Option(code="3"), Option(code="31"), Option(code="33"), *(Option(code=one) for one in ("5", "51", "52", "6", "7"))
ACCOUNTS = ("3000", "3001", "3002", "3003", "3100", "3150", "3200", "3051", "7740", "7770")
LEDGER = Options(lists={
    Choice.VAT_CODE: VAT,
    Choice.ACCOUNT: (*(Option(code=one) for one in ACCOUNTS), Option(code="7830", active=False)),
})  # fmt: skip


@pytest.fixture(scope="module")
def mapping() -> Any:
    return load("tripletex", plugins=plugins.accounting())


def whole(mapping: Any) -> dict[str, tuple[Option, ...]]:
    """Lists that have everything the mapping leads to."""
    found: dict[str, dict[str, Option]] = {}
    for use in uses(mapping):
        found.setdefault(use.choice, {})[use.code] = Option(code=use.code)
    return {choice: tuple(options.values()) for choice, options in found.items()}


def test_it_leads_to_codes_of_several_lists(mapping: Any) -> None:
    lists = whole(mapping)
    assert {"vat-code", "purchase-vat-code", "account"} <= set(lists)
    assert {"3", "33", "52"} <= {one.code for one in lists["vat-code"]}
    assert {"3000", "7740"} <= {one.code for one in lists["account"]}
    assert "8060" not in {one.code for one in lists["account"]}, "a table that is only read leads nowhere"


def test_nothing_is_missing_where_all_is_there_or_nothing_is_known(mapping: Any) -> None:
    assert problems(uses(mapping), Options(lists=whole(mapping))) == []
    assert problems(uses(mapping), Options()) == []


@pytest.mark.parametrize(("choice", "code"), [("vat-code", "33"), ("account", "3002"), ("account", "7740")])
def test_what_is_missing_is_named_with_its_line(mapping: Any, choice: str, code: str) -> None:
    lists = whole(mapping)
    lists[choice] = tuple(one for one in lists[choice] if one.code != code)
    found = problems(uses(mapping), Options(lists=lists))
    assert found
    for problem in found:
        assert problem.code == "code-not-in-ledger"
        assert problem.severity == "warning", "it is a row as shipped"
        assert code in Path(problem.file).read_text().splitlines()[problem.line - 1] or code == "7740"
    closed = Option(code=code, active=False)
    [*_, problem] = problems(uses(mapping), Options(lists=lists | {choice: (*lists[choice], closed)}))
    assert problem.code == "code-inactive"
    kinds = problems(uses(mapping, ("customer",)), Options(lists=lists))
    assert kinds == []


def test_settings_name_codes_too() -> None:
    model = plugins.accounting()["tripletex"].settings
    lines = {"payment_type": Origin("tenant acme", "acme.yaml", 9), "base_url": Origin("tenant acme", "acme.yaml", 8)}
    [use] = of_settings(model, {"payment_type": "1920", "base_url": "http://x"}, lines)
    assert (use.choice, use.code, use.origin.line) == ("payment-type", "1920", 9)
    known = Options(lists={"payment-type": (Option(code="Bank", also=("1920",)),)})
    assert known.find("payment-type", "bank") is known.find("payment-type", "1920")
    assert known.find("payment-type", "1921") is None


def test_options_of_a_free_dimension_are_found_by_its_name() -> None:
    known = Options(dimensions=(DimensionOptions(kind="dimension", name="Kampanje"),))
    assert known.dimension("dimension", "Kampanje") is not None
    assert known.dimension("dimension", "Butikk") is None
    assert known.dimension("project") is None


@pytest.fixture
def of_tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acme: Any) -> Mapping:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(acme(CHANGES))
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    return load_tenant("acme", plugins=plugins.accounting()).connections["books"].mapping


def test_what_a_tenant_says_and_the_ledger_lacks_is_an_error_on_its_line(of_tenant: Mapping) -> None:
    own = [one for one in problems(uses(of_tenant), LEDGER) if one.file.endswith("acme.yaml")]
    assert {(one.code, one.line, one.severity) for one in own} == {
        ("code-not-in-ledger", line, "error") for line in (12, 15, 19)
    }
    words = {one.line: str(one) for one in own}
    assert "The table `vat-code` leads to VAT code 34" in words[12]
    assert "Did you mean" in words[15]
    assert "account 7777" in words[19]
