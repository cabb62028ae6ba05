"""Rows on customers' accounts, read back: what we have booked is ours, what people book beside it is theirs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import vouchers


def _scenario(name: str) -> Any:
    spec = spec_from_file_location(name, Path(__file__).with_name(f"test_{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


a, outside, advances = _scenario("a_domestic_invoice"), _scenario("a_external"), _scenario("b_advance")
kroner = a.kroner
LOSS, FEE, OFFICE, UNKNOWN = 7830, 7770, 6800, 2050
FEBRUARY = date(2027, 2, 1)
FEE_LINE = '{kinds: {payment: {fields: {fee: "deductions[account=7770].amount"}, refuse: {fee: null}}}}'
OTHER = FEE_LINE.replace("7770", "6800").replace(
    "fee: null",
    'fee: null, other-deduction: {when: {theirs: {deductions: {any: {account: {differs: "6800"}}}}}, says: Not fees}',
)


def book(fjord: Any, *rows: tuple[int, str, dict[str, Any]]) -> Any:
    """A voucher of somebody's; gives its row on the customer's account."""
    books = fjord.box.books
    said = [
        {"row": at, "account": {"id": books.account(number).id}, "amountGross": kroner(amount), **more}
        for at, (number, amount, more) in enumerate(rows, 1)
    ]
    made = vouchers.create(books, {"date": str(FEBRUARY), "postings": said}, send=True)
    return next(one for link in made["postings"] if (one := books.find(link)).get("customer"))


def customer(fjord: Any) -> dict[str, Any]:
    return {"customer": {"id": outside.customer_rows(fjord.box)[0]["customer"].id}}


async def read(fjord: Any) -> None:
    for _ in range(3):
        await fjord.poll()


async def settlements(fjord: Any) -> list[dict[str, Any]]:
    found = (await fjord.get("/v1/documents", kind="settlement"))["documents"]
    return [(await fjord.get(f"/v1/documents/{one['id']}"))["body"] for one in found]


@pytest.mark.parametrize("account", [2900, UNKNOWN])
async def test_an_advance_of_ours_is_read_back_as_ours(founded: Any, account: int) -> None:
    """Whatever account it stands on; also where it has lost its match, which is made anew with the next money."""
    async with founded(mapping=advances.ON_AN_ACCOUNT.replace("2900", str(account))) as fjord:
        document = await a.sold(fjord, advances.WITH_ADVANCE)
        await fjord.work(within=1)
        await read(fjord)
        assert [one["kind"] for one in await settlements(fjord)] == ["on_account"]
        assert await advances.owed(fjord) == Decimal((await advances.invoice(fjord)).open) == kroner("8 500,00")
        await advances.paid(fjord, "bank-1", "8 500,00", document)
        await read(fjord)
        assert advances.all_matched(fjord)
        (group,) = fjord.box.books.all("closeGroup")
        fjord.box.books.reopen(group, FEBRUARY)
        await read(fjord)
        assert Decimal((await advances.invoice(fjord)).open) == 0
        assert [one["kind"] for one in await settlements(fjord)] == ["on_account"]
        assert await fjord.get("/v1/attention") == []


async def test_a_loss_closes_an_invoice_that_was_issued_elsewhere(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        await outside.booked(fjord)
        (owed,) = outside.customer_rows(fjord.box)
        lost = book(fjord, (LOSS, "12 500,00", {}), (a.RECEIVABLE, "-12 500,00", customer(fjord)))
        fjord.box.books.close([owed, lost], FEBRUARY)
        await read(fjord)
        document = await fjord.document(kind="invoice")
        assert (Decimal(document.open), document.state) == (0, "written_off")
        assert {one["kind"] for one in await settlements(fjord)} == {"loss"}
        assert await fjord.get("/v1/attention") == []


async def test_the_rows_of_what_was_issued_elsewhere_are_no_settlements(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        await outside.booked(fjord)
        await outside.booked(fjord, outside.credit(), "credit_note")
        await read(fjord)
        assert [one["kind"] for one in await settlements(fjord)] == ["credit_note"]  # what is applied of it
        assert len(outside.customer_rows(fjord.box)) == 2
        assert await fjord.get("/v1/attention") == []


async def test_a_voucher_of_an_invoice_that_is_reversed_waits_for_a_person(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        document = await outside.booked(fjord)
        (voucher,) = outside.vouchers(fjord.box)
        fjord.box.books.reverse(voucher, FEBRUARY)
        await read(fjord)
        items = await fjord.get("/v1/attention")
        assert [item["code"] for item in items] == ["document-reversed"]
        assert Decimal((await fjord.document(kind="invoice")).open) == Decimal(document.open)


@pytest.mark.parametrize(
    ("mapping", "account", "code"),
    [
        (FEE_LINE, FEE, None),
        ("{}", FEE, "not-expressible"),
        (FEE_LINE, OFFICE, "not-expressible"),
        (OTHER, OFFICE, None),
        (OTHER, FEE, "not-expressible"),
        (FEE_LINE, LOSS, "settlement-unexplained"),
    ],
)
async def test_what_stands_beside_money_is_a_fee_or_waits(
    founded: Any, mapping: str, account: int, code: str | None
) -> None:
    async with founded(mapping=mapping) as fjord:
        await a.sold(fjord)
        book(fjord, (a.BANK, "990,00", {}), (account, "10,00", {}), (a.RECEIVABLE, "-1 000,00", customer(fjord)))
        await read(fjord)
        assert [item["code"] for item in await fjord.get("/v1/attention")] == ([code] if code else [])
        found = (await fjord.get("/v1/documents", kind="payment"))["documents"]
        assert len(found) == (code is None)
        for one in found:
            body = (await fjord.get(f"/v1/documents/{one['id']}"))["body"]
            assert (Decimal(body["amount"]), Decimal(body["fee"])) == (kroner("1 000,00"), kroner("10,00"))
