"""What a mapping says of registers: making, closing, deleting; layered like all else, refused where it fits not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import load
from connector.mapping.bound import Limits, Register
from connector.mapping.check import check


def test_what_is_shipped_makes_customers_and_products_and_never_dimensions() -> None:
    mapping = load("tripletex", plugins=plugins.accounting())
    made = {kind: mapper.bound.register.creates for kind, mapper in mapping.mappers.items()}
    assert {kind for kind, creates in made.items() if creates == "never"} == {"department", "project", "dimension"}
    assert mapping["customer"].bound.register == Register("needed", "follow", "ask")
    assert mapping["customer"].limits == Limits(Decimal(5), None)


def test_a_tenant_changes_what_it_says_and_leaves_the_rest(tmp_path: Path, acme: Any) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(
        acme("kinds:\n  department: {creates: needed, deleted: ignore, deleted_at_most: 12.5, changed_at_most: 30}")
    )
    report = check([path], plugins=plugins.accounting())
    assert [str(problem) for problem in report.problems] == []
    mapping = report.mappings[0][1]
    assert mapping["department"].bound.register == Register("needed", "follow", "ignore")
    assert mapping["department"].limits == Limits(Decimal("12.5"), Decimal(30))
    assert mapping.version != load("tripletex", plugins=plugins.accounting()).version


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("invoice: {creates: never}", "no-register"),
        ("payment: {deleted: follow}", "no-register"),
        ("product: {creates: sometimes}", "value-unknown"),
        ("product: {deleted_at_most: 101}", "value-type"),
        ("invoice: {deleted_at_most: 10}", "no-register"),
        ("invoice: {changed_at_most: mange}", "value-type"),
        ("product: {delete: ask}", "key-unknown"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(tmp_path: Path, acme: Any, said: str, code: str) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(acme(f"kinds:\n  {said}"))
    (problem,) = check([path], plugins=plugins.accounting()).problems
    assert problem.line == 11
    assert problem.code == code
