"""What stopped, and was booked in the ledger by hand: a person says which one it is, and it is linked, never made."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import orders, registers
from adapters.accounting.tripletex.sandbox import vouchers as by_hand
from adapters.accounting.tripletex.sandbox.things import Link
from connector.model import Draft, compose
from connector.ports import Kind
from connector.sync import reads


def _scenario(name: str) -> Any:
    spec = spec_from_file_location(name, Path(__file__).parent / f"test_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


c = _scenario("c_incoming")
e = _scenario("a_external")
a, kroner, balance, RECEIVABLE = e.a, e.kroner, e.balance, e.RECEIVABLE
OWED = kroner("12 499,99")


@pytest.fixture
async def fjord(founded: Any) -> AsyncIterator[Any]:
    """A company whose invoices are issued elsewhere."""
    async with founded(issues="source") as made:
        yield made


def an_oere_less() -> dict[str, Any]:
    """2 499,99 is stated of 10 000,00 at 25 %: the ledger would book 2 500,00."""
    stated = compose(Draft.model_validate(e.INVOICE | {"lines": [a.ORE["lines"][0] | {"price": "10000.00"}]}))
    totals = stated.totals
    assert totals is not None
    less = {"tax": Decimal("2499.99"), "tax_inclusive": OWED, "payable": OWED}
    vat = stated.vat_breakdown[0].model_copy(update={"tax_amount": less["tax"]})
    body = stated.model_copy(update={"vat_breakdown": (vat,), "totals": totals.model_copy(update=less)})
    said: dict[str, Any] = body.model_dump(mode="json", exclude_defaults=True)
    return said


def booked_by_hand(box: Any, amount: Decimal = OWED, customer: int | None = None, day: str = "2027-01-15") -> Any:
    """A bookkeeper books it: so much of income with VAT that the VAT is as stated, and the øre that is left without."""
    books = box.books
    if customer is None:
        (customer,) = [one["id"] for one in books.things["customer"].values()]

    def row(number: int, gross: Decimal, **more: Any) -> dict[str, Any]:
        return {"account": {"id": books.account(number).id}, "amountGross": gross, "amountGrossCurrency": gross, **more}

    taxed = Decimal("12499.95")
    vat = next(one["id"] for one in books.things["vatType"].values() if one["number"] == "3")
    rows = [
        row(RECEIVABLE, amount, customer={"id": customer}),
        row(3000, -taxed, vatType={"id": vat}),
        row(3000, taxed - amount),
    ]
    postings = [{"row": at, **one} for at, one in enumerate(rows, 1)]
    return by_hand.create(books, {"date": day, "description": "Faktura 10017", "postings": postings}, send=True)


def voucher_of(made: Any) -> str:
    return f"{made['year']}/{made['number']}"


async def stopped(fjord: Any, body: Any, code: str) -> tuple[dict[str, Any], str]:
    """It waits; what waits, and where its operation is."""
    answer = await fjord.post("/v1/invoices", body)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    (item,) = await fjord.get("/v1/attention")
    assert (item["code"], "link" in item["verbs"]) == (code, True), item
    return item, answer.headers["location"]


async def link(fjord: Any, named: str, *, status: int = 204) -> Any:
    """A person answers what waits, of several the one that offers it."""
    item = next(one for one in await fjord.get("/v1/attention") if "link" in one["verbs"])
    answer = await fjord.client.post(
        f"/v1/attention/{item['id']}/resolve", json={"verb": "link", "vendor_id": named} if named else {"verb": "link"}
    )
    assert answer.status_code == status, answer.text
    await fjord.work(within=1)
    return answer


# --- issued elsewhere -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("polled", [False, True])
@pytest.mark.parametrize("by_id", [False, True])
async def test_booked_by_hand_and_linked(fjord: Any, polled: bool, by_id: bool) -> None:
    """By voucher or by id, before or after the ledger was read: one document, and its payment finds it."""
    _, operation = await stopped(fjord, an_oere_less(), "vat-differs")
    voucher = booked_by_hand(fjord.box)
    if polled:
        await fjord.poll()
        assert len(await fjord.get("/v1/attention")) == 2, "nobody knows yet what the row on the account is"
    await link(fjord, str(voucher["id"]) if by_id else voucher_of(voucher))
    assert (await fjord.get(operation))["state"] == "done"
    document = await fjord.document(kind="invoice")
    assert (document.state, document.open, document.number) == ("issued", "12499.99", "10017")
    assert [one["voucher"] for one in document.links] == [voucher_of(voucher)]
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []
    assert len(e.vouchers(fjord.box)) == 1, "nothing was booked by us"

    assert (await e.paid(fjord, "bank-1", "12 499,99")).state == "booked"
    assert (await fjord.document(kind="invoice")).state == "paid"
    assert balance(fjord.box, RECEIVABLE) == 0
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_paid_in_the_ledger_after_it_was_linked(fjord: Any) -> None:
    """The bank's row there is matched with the voucher's: the invoice is paid here, too."""
    await stopped(fjord, an_oere_less(), "vat-differs")
    voucher = booked_by_hand(fjord.box)
    await link(fjord, voucher_of(voucher))
    box = fjord.box
    row = next(one for one in e.customer_rows(box) if one["amount"] == OWED)
    box.books.pay_row(row, OWED, date(2027, 2, 1), box.books.account(1920))
    (paid,) = [one for one in e.customer_rows(box) if one["amount"] == -OWED]
    if not row.get("closeGroup"):
        box.books.close([Link("posting", row["id"]), Link("posting", paid["id"])], date(2027, 2, 1))
    await fjord.poll()
    document = await fjord.document(kind="invoice")
    assert (document.state, document.open) == ("paid", "0.00")
    assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("wrong", ["amount", "customer", "unknown", "nonsense", "2027/x"])
async def test_what_is_not_it_is_not_linked(fjord: Any, wrong: str) -> None:
    """Another amount or customer, or nothing at all: it says so, and waits on; the right one is linked afterwards."""
    _, operation = await stopped(fjord, an_oere_less(), "vat-differs")
    amount, customer = OWED, None
    if wrong == "amount":
        amount += 1
    if wrong == "customer":
        customer = registers.create(fjord.box.books, registers.REGISTERS["customer"], {"name": "Annen AS"})["id"]
    named = voucher_of(booked_by_hand(fjord.box, amount, customer)) if wrong in ("amount", "customer") else wrong
    await link(fjord, "2027/999999" if wrong == "unknown" else named)
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == ("link-differs" if wrong in ("amount", "customer") else "link-not-found")
    assert (await fjord.document(kind="invoice")).links == []
    (ours, *_) = [one["id"] for one in fjord.box.books.things["customer"].values() if one["name"] != "Annen AS"]
    await link(fjord, voucher_of(booked_by_hand(fjord.box, customer=ours)))
    assert (await fjord.get(operation))["state"] == "done"


async def test_retry_after_a_link_that_did_not_fit(fjord: Any) -> None:
    """It is decided anew, as if nobody had linked: here it comes to the same stop; and nothing is booked."""
    await stopped(fjord, an_oere_less(), "vat-differs")
    await link(fjord, "2027/999999")
    (item,) = await fjord.get("/v1/attention")
    await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
    await fjord.work(within=1)
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "vat-differs"
    assert e.vouchers(fjord.box) == []


async def test_a_link_needs_a_name(fjord: Any) -> None:
    await stopped(fjord, an_oere_less(), "vat-differs")
    answer = await link(fjord, "", status=422)
    assert answer.json()["code"] == "vendor-id-missing"


async def test_one_voucher_is_one_document(fjord: Any) -> None:
    """What is linked to one document is not linked to another."""
    await stopped(fjord, an_oere_less(), "vat-differs")
    first, second = booked_by_hand(fjord.box), booked_by_hand(fjord.box)
    await link(fjord, voucher_of(first))
    await stopped(fjord, an_oere_less() | {"number": "10018", "source_id": "another"}, "vat-differs")
    await link(fjord, voucher_of(first))
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "linked-to-another"
    await link(fjord, voucher_of(second))
    assert await fjord.get("/v1/attention") == []
    assert (await fjord.document(kind="invoice", number="10018")).links[0]["voucher"] == voucher_of(second)


async def connector(*said: str) -> str:
    """What a person types; it must end well."""
    program = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("connector"), *said, stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await program.communicate()
    assert program.returncode == 0, shown
    return shown.decode()


async def test_on_the_command_line(fjord: Any) -> None:
    await stopped(fjord, an_oere_less(), "vat-differs")
    voucher = booked_by_hand(fjord.box)
    document = await fjord.document(kind="invoice")
    shown = await connector("documents", "explain", document.id)
    assert f"connector documents resolve {document.id} --link VENDOR_ID" in shown
    await connector("documents", "resolve", document.id, "--link", voucher_of(voucher))
    await fjord.work(within=1)
    assert (await fjord.document(kind="invoice")).links[0]["voucher"] == voucher_of(voucher)


# --- the ledger's own invoices, and incoming ones ---------------------------------------------------------------------


async def test_an_invoice_made_there_by_hand(founded: Any) -> None:
    """It stopped, somebody makes the invoice there, and it is read as one of the ledger's own; a person says that it is
    ours: one document, the mirrored one gives way.
    """
    async with founded() as fjord:
        books = fjord.box.books
        books.rules.bank_account = False
        _, operation = await stopped(fjord, a.INVOICE, "bank-account-missing")
        books.rules.bank_account = True
        order = next(iter(books.things["order"].values()))
        made = books.charge(order, date(2027, 1, 15))
        await fjord.poll()
        found = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
        assert len(found) == 2, "read as the ledger's own"
        await link(fjord, str(made["id"]))
        assert (await fjord.get(operation))["state"] == "done", await fjord.get("/v1/attention")
        found = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
        ours = next(one for one in found if one["state"] != "replaced")
        (mirrored,) = [one for one in found if one["state"] == "replaced"]
        assert (ours["number"], ours["open"]) == (str(made["invoiceNumber"]), "12500.00")
        assert mirrored["open"] == "0.00"
        fjord.box.payment(made["id"], kroner("12 500,00"), date(2027, 2, 1))
        await fjord.poll()
        assert (await fjord.get(f"/v1/documents/{ours['id']}"))["state"] == "paid"
        assert await fjord.get("/v1/attention") == []


async def test_what_we_have_made_there_before_it_stopped_is_ours(founded: Any) -> None:
    """Invoiced, and then a person is asked: what is read of it is not taken for an invoice of the ledger's own; another
    invoice is. A person links ours.
    """
    line = "rounding-account: {theirs: roundingAccount.number, constant: '7745', only: out}"
    async with founded(whole_kroner=True, mapping=f"{{kinds: {{invoice: {{fields: {{{line}}}}}}}}}") as fjord:
        _, operation = await stopped(fjord, a.ORE | {"round_payable_to": "1"}, "rounding-account-differs")
        (ours,) = a.issued(fjord.box)
        (customer,) = fjord.box.books.things["customer"].values()
        lines = [{"description": "x", "count": 1, "unitPriceExcludingVatCurrency": 1, "vatType": {"id": 3}}]
        said = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14"}
        order = orders.create_order(fjord.box.books, said | {"orderLines": lines})
        theirs = fjord.box.books.charge(order, date(2027, 1, 15))
        (spoke,) = fjord.house.spokes()
        for kind in (Kind.CUSTOMER, Kind.INVOICE):
            await fjord.house.store.write(lambda tx, k=kind: reads.poll(tx, spoke, k))
            await fjord.work(within=0.5)
        found = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
        assert {one.get("number") for one in found} == {None, str(theirs["invoiceNumber"])}
        await link(fjord, str(ours["id"]))
        assert (await fjord.get(operation))["state"] == "done"
        await fjord.poll()
        found = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
        assert {one["number"] for one in found} == {str(one["invoiceNumber"]) for one in (ours, theirs)}
        assert {one["state"] for one in found} == {"issued"}
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("polled", [False, True])
async def test_an_incoming_invoice_registered_by_hand(founded: Any, polled: bool) -> None:
    """Registered over another amount: it is not the same by itself; a person says that it is, and both figures stand
    there.
    """
    async with founded() as fjord:
        body = c.ehf(**c.STATED)
        said = {"organizationNumber": "974760673", "name": "Selger AS", "invoiceNumber": "F-7", "date": "2027-01-10"}
        c.behind(fjord.box, "_sandbox/ehf", said | {"dueDate": "2027-02-10", "amount": "12500.00"})
        c.register(fjord.box, "12500.00")
        if polled:
            await fjord.poll()
        operation = await c.deliver(fjord, body)
        items = await fjord.get("/v1/attention")
        if polled:
            twice = next(one for one in items if one["code"] == "invoice-twice")
            await c.settle(fjord, twice, "accept")
        (voucher,) = e.vouchers(fjord.box)
        assert any(one["code"] == "invoice-in-ledger-differs" for one in await fjord.get("/v1/attention"))
        await link(fjord, voucher_of(voucher))
        assert (await fjord.get(f"/v1/operations/{operation['id']}"))["state"] == "done"
        await fjord.poll()
        found = (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]
        (ours,) = [one for one in found if one["state"] != "replaced"]
        assert (ours["payable"], ours["open"], ours["state"]) == ("12499.99", "12500.00", "booked")
        codes = {one["code"] for one in await fjord.get("/v1/attention")}
        assert "drift" in codes
        assert codes <= {"drift", "balance-unexplained"}
