"""Everything that stops a document comes at once, and is what the mapper itself says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.api.examples import INVOICE_DRAFT
from connector.errors import ConnectorError, Stop
from connector.mapping import Mapper, load, load_tenant
from connector.model import Draft, compose


class Links:
    """A customer that is there, and one department."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        if kind == "department" and ours != "10":
            raise Stop(f"There is no department {ours}.", code="link-missing")
        return "1"

    def our_id(self, kind: str, vendor_id: str) -> Any:
        raise AssertionError


@pytest.fixture(scope="module")
def mapping() -> Any:
    return load("tripletex", plugins=plugins.accounting())


def document(**changes: Any) -> dict[str, Any]:
    return compose(Draft.model_validate(copy.deepcopy(INVOICE_DRAFT) | changes)).model_dump()


def found(mapper: Mapper, said: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one.code, one.where["field"]) for one in mapper.problems(said, Links())}


def test_a_document_that_passes_has_none(mapping: Any) -> None:
    assert mapping["invoice"].problems(document(), Links()) == []


def test_all_of_them_with_their_fields(mapping: Any) -> None:
    line = INVOICE_DRAFT["lines"][0]
    said = document(
        payee={"name": "Factoring AS"},
        dimensions={"department": "99", "location": "B"},
        notes=["en", "to"],
        lines=[
            line,
            line | {"id": "2", "vat_code": "88"},
            line | {"id": "3", "base_quantity": "10", "dimensions": {"project": "P"}},
            {k: v for k, v in line.items() if k != "vat_code"} | {"id": "4", "vat_rate": "24"},
        ],
    )
    mapper = mapping["invoice"]
    assert found(mapper, said) == {
        ("not-expressible", "payee"),
        ("not-expressible", "dimensions.location"),
        ("link-missing", "dimensions.department"),
        ("several-values", "notes"),
        ("code-not-in-table", "lines[1].vat_code"),
        ("not-expressible", "lines[2].base_quantity"),
        ("not-expressible", "lines[2].dimensions"),
        ("code-not-in-table", "lines[3].vat_code"),
    }
    with pytest.raises(ConnectorError) as first:
        mapper.out(said, Links())
    assert first.value.code in {code for code, _ in found(mapper, said)}
    for one in mapper.problems(said, Links()):
        assert one.where["file"].endswith(("tripletex.yaml", "saf-t-vat.yaml")) or one.code == "link-missing"
        assert one.where["line"]
    [wrong] = [one for one in mapper.problems(said, Links()) if one.where["field"] == "lines[1].vat_code"]
    assert wrong.said.startswith("lines[1].vat_code: ")


def test_lists_whose_condition_does_not_hold_are_not_tried(mapping: Any) -> None:
    mapper = mapping["supplier_invoice"]
    said = document(direction="incoming", number="7", seller={"name": "Säljare AB", "address": {"country": "SE"}})
    said["vat_breakdown"] = ({**said["vat_breakdown"][0], "category": "S", "rate": 24},)
    mapper.out(said, Links())
    assert mapper.problems(said, Links()) == []
    assert list(every_of(mapper, said)) == []


def every_of(mapper: Mapper, said: dict[str, Any]) -> list[ConnectorError]:
    from connector.mapping import every

    return list(every.problems(mapper._pieces, said, Links()))


def test_taken_apart_a_mapping_says_nothing_that_it_does_not_say_whole(mapping: Any) -> None:
    for said in (document(), document(due_date=None, notes=[]), document(lines=INVOICE_DRAFT["lines"][:1] * 1)):
        assert every_of(mapping["invoice"], said) == []


RULES = """\
kinds:
  invoice:
    dimensions:
      usual: {derive: department, constant: "10"}
      project-needed: {require: project}
      no-seller: {forbid: seller, when: {buyer_reference: INTERN}}
    refuse: {seller-unit: null}
    loses: {dimensions.seller: Never stated.}
"""


def test_dimension_rules_are_among_them_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acme: Any) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(acme(RULES))
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    mapper = load_tenant("acme", plugins=plugins.accounting()).connections["books"].mapping["invoice"]
    said = document(buyer_reference="INTERN", dimensions={"seller": "7"}, payee={"name": "Factoring AS"})
    told = mapper.problems(said, Links())
    assert sorted((one.code, one.where["field"]) for one in told) == [
        ("dimension-forbidden", "dimensions.seller"),
        ("dimension-required", "dimensions.project"),
        ("not-expressible", "payee"),
    ]
    assert {one.where["line"] for one in told if one.code.startswith("dimension")} == {14, 15}
    assert [one.code for one in mapper.problems(document(), Links())] == ["dimension-required"]
