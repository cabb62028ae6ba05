"""Scenario A, issued elsewhere, with its books in Fiken: a sale with the document attached, and payments on it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.ehf import write
from connector.model import Draft, compose

sys.path.append(str(Path(__file__).parent))
from fiken_company import FEBRUARY, OWN_ACCOUNT, TENANT, balance, kroner, paid, received
from fiken_company import INVOICE as ISSUED_THERE

NUMBER, KID = "10017", "0000100172"
INVOICE: dict[str, Any] = ISSUED_THERE | {
    "number": NUMBER,
    "payment_means": [{"code": "30", "payment_id": KID, "account": {"id": OWN_ACCOUNT}}],
}


@pytest.fixture
async def fjord(founded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A company whose invoices are issued elsewhere."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    async with partial(founded, books=Sandbox, tenant=TENANT)(issues="source") as made:
        yield made


async def booked(fjord: Any, body: Any = INVOICE, **by: str) -> Any:
    answer = await fjord.post("/v1/invoices", body)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    done = await fjord.get(answer.headers["location"])
    assert done["state"] == "done", (done, await fjord.get("/v1/attention"))
    return await fjord.document(kind="invoice", **by)


async def test_1_it_is_booked_under_its_own_number(fjord: Any) -> None:
    document = await booked(fjord)
    (sale,) = fjord.box.books.all("sale")
    assert (sale["kind"], sale["saleNumber"], sale["kid"]) == ("external_invoice", NUMBER, KID)
    assert sorted(fjord.box.books.vouchers[0]) == [
        ("1500:10001", 1250000), ("2700", -204000), ("2701", -30000), ("3000", -816000), ("3000", -200000),
    ]  # fmt: skip
    assert [file.content[:4] for file in sale["_files"]] == [b"%PDF"]
    assert (document.number, document.kid, Decimal(document.open)) == (NUMBER, KID, kroner("12 500,00"))
    for _ in range(2):
        await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_1_an_ehf_is_booked_as_it_states_its_vat(fjord: Any) -> None:
    """Three lines of 33.33: the sum's VAT is an øre more than the lines' own."""
    lines = [{"id": str(n), "name": "Øre", "quantity": "1", "unit_code": "C62", "price": "33.33",
              "vat_category": "S", "vat_rate": "25"} for n in (1, 2, 3)]  # fmt: skip
    draft = Draft.model_validate(INVOICE | {"lines": lines})
    await booked(fjord, write(compose(draft)))
    assert balance(fjord.box, "1500") == kroner("124,99")
    assert balance(fjord.box, "2700") == kroner("-25,00")


async def test_2_payments_both_ways(fjord: Any) -> None:
    await booked(fjord)
    assert (await paid(fjord, KID, "5000.00"))["state"] == "done"
    (sale,) = fjord.box.books.all("sale")
    fjord.box.books.pay(sale, FEBRUARY.isoformat(), "1920:10001", 250000)
    for _ in range(3):
        await fjord.poll()
    assert [Decimal(one["open"]) for one in await received(fjord)] == [kroner("7 500,00"), kroner("5 000,00")]
    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == kroner("5 000,00")
    assert await fjord.get("/v1/attention") == []


async def test_6_what_is_written_off_in_fiken_is_a_loss(fjord: Any) -> None:
    await booked(fjord)
    assert (await paid(fjord, KID, "5000.00"))["state"] == "done"
    (sale,) = fjord.box.books.all("sale")
    fjord.box.books.write_off(sale, "2027-03-12")
    for _ in range(2):
        await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == 0
    loss = await fjord.document(kind="settlement")
    assert (loss.body["kind"], loss.body["allocations"][0]["amount"]) == ("loss", "7500.00")
    assert await fjord.get("/v1/attention") == []


async def test_a_credit_note_that_was_issued_elsewhere_is_refused_in_words(fjord: Any) -> None:
    await booked(fjord)
    note = {**INVOICE, "type_code": "381", "number": "K-1", "source_id": "credit-1", "issue_date": "2027-03-10",
            "preceding_invoices": [{"number": NUMBER, "issue_date": "2027-01-15"}], "payment_means": []}  # fmt: skip
    answer = await fjord.post("/v1/invoices", note)
    await fjord.work(within=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "operation-not-supported"), answer.text
    assert len(fjord.box.books.vouchers) == 1
