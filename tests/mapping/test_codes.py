"""Codes that a mapping leads to, against what a ledger has: with file and line, and nothing said of what is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import load
from connector.mapping.codes import codes_missing, of_settings, uses
from connector.mapping.layers import Origin
from connector.options import DimensionOptions, Option, Options


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
    assert codes_missing(mapping, Options(lists=whole(mapping))) == []
    assert codes_missing(mapping, Options()) == []


@pytest.mark.parametrize(("choice", "code"), [("vat-code", "33"), ("account", "3002"), ("account", "7740")])
def test_what_is_missing_is_named_with_its_line(mapping: Any, choice: str, code: str) -> None:
    lists = whole(mapping)
    lists[choice] = tuple(one for one in lists[choice] if one.code != code)
    problems = codes_missing(mapping, Options(lists=lists))
    assert problems
    for problem in problems:
        assert problem.code == "code-not-in-ledger"
        assert problem.severity == "warning", "it is a row as shipped"
        assert code in Path(problem.file).read_text().splitlines()[problem.line - 1] or code == "7740"
    closed = Option(code=code, active=False)
    [*_, problem] = codes_missing(mapping, Options(lists=lists | {choice: (*lists[choice], closed)}))
    assert problem.code == "code-inactive"
    kinds = codes_missing(mapping, Options(lists=lists), kinds=("customer",))
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
