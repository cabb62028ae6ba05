"""Scenario C, step 1 on Fiken: an incoming EHF is booked there once or laid into the inbox, and followed there."""

from __future__ import annotations

import sys
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox, purchases

sys.path.append(str(Path(__file__).parent))
from fiken_company import TENANT, balance, kroner
from incoming_ehf import KNOWN, OTHER, ehf, paid_to
from test_c_incoming import inside

STATED = {"net": "10000.00", "vat": "2499.99"}


@pytest.fixture
def founded_in_fiken(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with founded_in_fiken("book") as fjord`: a company whose incoming invoices are treated so."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    tenant = TENANT.replace("receives: nobody", "receives: connector")

    def opened(way: str) -> Any:
        said = f'incoming: {way}, incoming_account: "4300"'
        return partial(founded, books=Sandbox, tenant=tenant)(settings=said)

    return opened


async def deliver(fjord: Any, body: bytes) -> dict[str, Any]:
    answer = await fjord.post("/v1/incoming-invoices", body)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    return await fjord.get(answer.headers["location"])


def bought(fjord: Any) -> list[dict[str, Any]]:
    return list(fjord.box.books.all("purchase"))


async def by_hand(fjord: Any, amount: int = 1000000, vat: int = 249999) -> dict[str, Any]:
    """Somebody books the invoice in Fiken itself."""
    books = fjord.box.books
    known = [one for one in books.all("contact") if one["name"] == "Selger AS"]
    supplier = known[0] if known else books.add_contact(
        {"name": "Selger AS", "organizationNumber": "974760673", "supplier": True}
    )  # fmt: skip
    line = {"description": "Varer", "netPrice": amount, "vat": vat, "account": "4300", "vatType": "HIGH"}
    return purchases.book(books, {"kind": "supplier", "paid": False, "identifier": "F-7", "date": "2027-01-10",
                                  "currency": "NOK", "supplierId": supplier["_id"], "lines": [line]})  # fmt: skip


async def test_c1_booked_as_stated_once_with_the_ehf_in_its_page_and_paid(founded_in_fiken: Any) -> None:
    async with founded_in_fiken("book") as fjord:
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "done", await fjord.get("/v1/attention")
        document = await fjord.document(kind="supplier_invoice")
        assert (document.number, document.payable, document.state) == ("F-7", "12499.99", "booked")
        assert [balance(fjord.box, account) for account in ("4300", "2710", "2400")] == [
            kroner(amount) for amount in ("10 000,00", "2 499,99", "-12 499,99")
        ]
        (row,) = bought(fjord)
        (file,) = row["_files"]
        assert ehf(**STATED) in inside(file.content)
        path = f"/v1/documents/{document.id}/page"
        assert (await fjord.client.get(path, params={"wait": 0})).status_code == 202
        await fjord.work()
        assert (await fjord.client.get(path, params={"wait": 0})).content == file.content

        for amount, open_amount, state in ((500000, "7499.99", "booked"), (749999, "0", "paid")):
            said = {"date": fjord.box.books.day(), "account": "1920:10001", "amount": amount}
            purchases.pay(fjord.box.books, row, said)
            await fjord.poll()
            document = await fjord.document(kind="supplier_invoice")
            assert (Decimal(document.open), document.state) == (Decimal(open_amount), state)
        assert len(bought(fjord)) == 1
        assert balance(fjord.box, "2400") == 0
        assert (await fjord.events()).count("supplier_invoice.paid") == 2
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("read", [False, True])
async def test_c1_fiken_has_it_already(founded_in_fiken: Any, read: bool) -> None:
    async with founded_in_fiken("book") as fjord:
        await by_hand(fjord)
        if read:
            await fjord.poll()
            assert (await fjord.document(kind="supplier_invoice")).state == "booked"
        assert (await deliver(fjord, ehf(**STATED)))["state"] == ("waiting" if read else "done")
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "ledger-has-it"
        verb = {"verb": "refuse" if read else "ignore"}  # it is the same one
        await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json=verb)
        await fjord.poll()
        found = (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]
        (there,) = [one["id"] for one in found if one["state"] != "replaced"]
        document = SimpleNamespace(**await fjord.get(f"/v1/documents/{there}"))
        assert (document.state, len(bought(fjord))) == ("booked", 1)
        assert document.body["lines"][0]["name"] == "Varer"
        assert len((await fjord.get("/v1/documents", kind="supplier"))["documents"]) == 1
        assert await fjord.get("/v1/attention") == []


async def test_c1_another_amount_there_is_for_a_person(founded_in_fiken: Any) -> None:
    async with founded_in_fiken("book") as fjord:
        await by_hand(fjord, 900000, 225000)
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "waiting"
        (item,) = await fjord.get("/v1/attention")
        assert (item["code"], len(bought(fjord))) == ("invoice-in-ledger-differs", 1)


async def test_c1_another_bank_account_is_held_also_where_fiken_knows_the_first(founded_in_fiken: Any) -> None:
    async with founded_in_fiken("book") as fjord:
        known = {"name": "Selger AS", "organizationNumber": "974760673", "supplier": True, "bankAccountNumber": KNOWN}
        fjord.box.books.add_contact(known)
        await fjord.poll()
        assert (await deliver(fjord, ehf("F-8", **paid_to(OTHER))))["state"] == "waiting"
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "bank-account-changed"
        assert KNOWN in item["said"]
        assert bought(fjord) == []
        answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "accept"})
        assert answer.status_code == 204, answer.text
        await fjord.work(within=2)
        assert len(bought(fjord)) == 1
        assert {one.get("bankAccountNumber") for one in fjord.box.books.all("contact")} == {KNOWN}


async def test_c1_in_the_inbox_and_what_a_person_books_of_it_takes_its_place(founded_in_fiken: Any) -> None:
    async with founded_in_fiken("inbox") as fjord:
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "done"
        delivered = await fjord.document(kind="supplier_invoice")
        (laid,) = fjord.box.books.all("inbox")
        assert (delivered.state, delivered.links[0]["vendor_id"]) == ("delivered", f"inbox/{laid['_id']}")
        assert ehf(**STATED) in inside(laid["_files"][0].content)

        made = await by_hand(fjord)
        laid["status"] = True
        await fjord.poll()
        document = await fjord.document(kind="supplier_invoice")
        assert (document.id, document.state, document.open) == (delivered.id, "booked", "12499.99")
        assert [one["vendor_id"] for one in document.links] == [str(made["_id"])]
        assert len(list(fjord.box.books.all("inbox"))) == 1
        assert await fjord.get("/v1/attention") == []

        await by_hand(fjord)  # and once more: now it is there twice
        await fjord.poll()
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "supplier-invoice-twice"
