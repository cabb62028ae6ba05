"""Scenario A issued elsewhere, with the departments of its lines, and with projects and free dimensions."""

from __future__ import annotations

from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

_spec = spec_from_file_location("external_for_dimensions", Path(__file__).parent / "test_a_external.py")
assert _spec is not None
assert _spec.loader is not None
external = module_from_spec(_spec)
_spec.loader.exec_module(external)
a, kroner, booked, fjord = external.a, external.kroner, external.booked, external.fjord

OF_LINES = [{"dimensions": {"department": "10"}}, {"dimensions": {"department": "20"}}]
INVOICE = external.INVOICE | {
    "lines": [line | said for line, said in zip(external.INVOICE["lines"], OF_LINES, strict=True)]
}
CAMPAIGN = {"free": [{"name": "Kampanje", "code": "K1"}]}


def departments(box: Any, *numbers: str) -> None:
    for number in numbers:
        box.books.add("department", name=f"Avdeling {number}", departmentNumber=number, isInactive=False)


def campaign(box: Any, *values: str) -> None:
    box.books.add("accountingDimensionName", dimensionName="Region", dimensionIndex=1, active=True)
    box.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=2, active=True)
    for value in values:
        box.books.add("accountingDimensionValue", displayName=value, number=value, dimensionIndex=2, active=True)


def analysed(box: Any, voucher: Any) -> set[tuple[int, Decimal, str | None]]:
    """Account, amount and department of a voucher's rows."""
    find = box.books.find
    return {
        (find(row["account"])["number"], row["amount"],
         find(row["department"])["departmentNumber"] if row.get("department") else None)
        for row in map(find, voucher["postings"])
    }  # fmt: skip


async def test_1_to_3_each_row_has_the_department_of_its_lines(fjord: Any) -> None:
    box = fjord.box
    departments(box, "10", "20")
    await booked(fjord, INVOICE)
    assert analysed(box, external.vouchers(box)[0]) == {
        (a.RECEIVABLE, kroner("12 500,00"), None),
        (3000, kroner("-8 160,00"), "10"), (2700, kroner("-2 040,00"), "10"),
        (3001, kroner("-2 000,00"), "20"), (2701, kroner("-300,00"), "20"),
    }  # fmt: skip

    note = external.credit()
    note["lines"] = [line | said for line, said in zip(note["lines"], OF_LINES, strict=True)]
    await booked(fjord, note, "credit_note")
    assert analysed(box, external.vouchers(box)[1]) == {
        (a.RECEIVABLE, kroner("-3 125,00"), None),
        (3000, kroner("2 040,00"), "10"), (2700, kroner("510,00"), "10"),
        (3001, kroner("500,00"), "20"), (2701, kroner("75,00"), "20"),
    }  # fmt: skip
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_7_ore_of_three_departments_on_one_account(fjord: Any) -> None:
    """Three times 33,33 at 25 %: the VAT of 25,00 is shared, and no øre is lost."""
    box = fjord.box
    departments(box, "10", "20", "30")
    lines = [
        line | {"dimensions": {"department": number}}
        for line, number in zip(a.ORE["lines"], ("10", "20", "30"), strict=True)
    ]
    await booked(fjord, external.INVOICE | {"lines": lines, "round_payable_to": "1"})
    (voucher,) = external.vouchers(box)
    rows = [row for row in analysed(box, voucher) if row[0] == 3000]
    assert (len(rows), {department for _, _, department in rows}) == (3, {"10", "20", "30"})
    sums = {account: sum(amount for number, amount, _ in analysed(box, voucher) if number == account)
            for account in (a.RECEIVABLE, 3000, 2700, 7740)}  # fmt: skip
    assert sums == {a.RECEIVABLE: kroner("125,00"), 3000: kroner("-99,99"), 2700: kroner("-25,00"),
                    7740: kroner("-0,01")}  # fmt: skip


async def test_what_the_document_says_is_of_every_line_that_says_no_other(fjord: Any) -> None:
    box, find = fjord.box, fjord.box.books.find
    departments(box, "10", "20")
    campaign(box, "K1", "K2")
    project = box.books.add("project", name="Bro", number="P-7", isClosed=False)
    first, second = external.INVOICE["lines"]
    said = [{"dimensions": {"free": [{"name": "Kampanje", "code": "K2"}]}}, {"dimensions": {"department": "20"}}]
    whole = {"department": "10", "project": "P-7"} | CAMPAIGN
    await booked(fjord, external.INVOICE | {"lines": [first | said[0], second | said[1]], "dimensions": whole})
    (voucher,) = external.vouchers(box)
    rows = {find(row["account"])["number"]: row for row in map(find, voucher["postings"])}
    assert {rows[number]["project"].id for number in (3000, 3001)} == {project["id"]}
    shown = {
        number: (find(rows[number]["department"])["departmentNumber"],
                 find(rows[number]["freeAccountingDimension2"])["number"])
        for number in (3000, 3001)
    }  # fmt: skip
    assert shown == {3000: ("10", "K2"), 3001: ("20", "K1")}
    assert not rows[a.RECEIVABLE].get("department")
    assert await fjord.get("/v1/attention") == []


async def test_what_all_lines_share_is_of_a_charge_on_the_document_too(fjord: Any) -> None:
    box = fjord.box
    departments(box, "10")
    charge = {"is_charge": True, "amount": "100.00", "reason": "Frakt", "vat_category": "S", "vat_rate": "25"}
    lines = [line | {"dimensions": {"department": "10"}} for line in external.INVOICE["lines"]]
    await booked(fjord, external.INVOICE | {"lines": lines, "allowances_charges": [charge]})
    rows = analysed(box, external.vouchers(box)[0])
    assert {row for row in rows if row[0] in (3000, 3001)} == {
        (3000, kroner("-8 260,00"), "10"), (3001, kroner("-2 000,00"), "10"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("demand", "code"), [("requiresDepartment", "department-missing"), ("requiresProject", "project-missing")]
)
async def test_an_account_that_demands_it_stops_before_anything_is_booked(fjord: Any, demand: str, code: str) -> None:
    fjord.box.books.find(fjord.box.books.account(3001))[demand] = True
    item = await external.waiting(fjord, external.INVOICE, code)
    assert "3001" in item["said"]


@pytest.mark.parametrize(
    ("said", "named"), [({"location": "Bergen"}, "dimensions.location"), ({"seller": "7"}, "dimensions.seller")]
)
@pytest.mark.parametrize("where", ["document", "line"])
async def test_what_a_voucher_cannot_carry_is_refused_by_name(
    fjord: Any, said: dict[str, str], named: str, where: str
) -> None:
    first, second = external.INVOICE["lines"]
    of_line = external.INVOICE | {"lines": [first | {"dimensions": said}, second]}
    item = await external.waiting(
        fjord, of_line if where == "line" else external.INVOICE | {"dimensions": said}, "not-expressible"
    )
    assert named in item["said"]
    assert "external_invoice" in item["do"]


async def test_it_is_booked_without_where_the_mapping_declares_it_lost(founded: Any) -> None:
    lost = '{refuse: {location: null}, loses: {dimensions.location: "Kept in the till."}'
    mapping = "{kinds: {external_invoice: " + lost + ", fields: {lines: {each: " + lost + "}}}}}}"
    async with founded(issues="source", mapping=mapping) as fjord:
        first, second = external.INVOICE["lines"]
        await booked(fjord, external.INVOICE | {"lines": [first | {"dimensions": {"location": "Bergen"}}, second]})
        assert len(external.vouchers(fjord.box)) == 1


async def test_a_value_of_a_free_dimension_that_is_not_there(fjord: Any) -> None:
    campaign(fjord.box, "K2")
    await external.waiting(fjord, external.INVOICE | {"dimensions": CAMPAIGN}, "dimension-unknown")


async def test_a_value_of_a_free_dimension_is_made_where_the_mapping_says_so(founded: Any) -> None:
    async with founded(issues="source", mapping="{kinds: {dimension: {creates: needed}}}") as fjord:
        campaign(fjord.box)
        await booked(fjord, external.INVOICE | {"dimensions": CAMPAIGN})
        (value,) = fjord.box.books.all("accountingDimensionValue")
        assert (value["number"], value["dimensionIndex"]) == ("K1", 2)


async def test_products_are_on_the_rows_where_the_mapping_carries_them(founded: Any) -> None:
    line = "{product: {ours: seller_item_id, theirs: product.id, link: product, only: out}}"
    mapping = (
        "{kinds: {external_invoice: {fields: {lines: {each: {fields: " + line + ", loses: {seller_item_id: null}}}}}}}"
    )
    async with founded(issues="source", mapping=mapping) as fjord:
        lines = [
            line | {"seller_item_id": number}
            for line, number in zip(external.INVOICE["lines"], ("RAD", "LUN"), strict=True)
        ]
        await booked(fjord, external.INVOICE | {"lines": lines})
        find, (voucher,) = fjord.box.books.find, external.vouchers(fjord.box)
        products = {
            find(row["account"])["number"]: find(row["product"])["number"]
            for row in map(find, voucher["postings"])
            if row.get("product")
        }
        assert products == {3000: "RAD", 3001: "LUN"}
