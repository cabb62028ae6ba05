"""Scenario A, steps 4 and 6, and C.4, as a bookkeeper does them in the ledger: it comes to the hub."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from adapters.accounting.tripletex.sandbox import vouchers
from connector.sync import control


def _scenario(name: str) -> Any:
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


a, money = _scenario("test_a_domestic_invoice"), _scenario("test_a_credit")
kroner, balance, sold = a.kroner, a.balance, a.sold
LOSS, BANK, CUSTOMERS, ODD = 7830, a.BANK, a.RECEIVABLE, 8050
MARCH = date(2027, 3, 12)


def there(fjord: Any, document: Any) -> Any:
    """The invoice in the books."""
    return fjord.box.books.things["invoice"][int(document.links[0]["vendor_id"])]


def paid_there(fjord: Any, document: Any, amount: str, day: date = MARCH) -> None:
    fjord.box.payment(there(fjord, document)["id"], kroner(amount), day)


def booked(fjord: Any, document: Any, against: int, amount: str, **more: Any) -> Any:
    """A voucher that lowers what the customer of an invoice owes; the row on the customer's account."""
    books, value = fjord.box.books, kroner(amount)
    rows = [(against, value, {}), (CUSTOMERS, -value, {"customer": {"id": there(fjord, document)["customer"].id}})]
    said = [{"row": at, "account": {"id": books.account(number).id}, "amountGross": amount, **other, **more}
            for at, (number, amount, other) in enumerate(rows, 1)]  # fmt: skip
    voucher = vouchers.create(books, {"date": MARCH.isoformat(), "postings": said}, send=True)
    return next(one for link in voucher["postings"] if (one := books.find(link)).get("customer"))


def matched(fjord: Any, *rows: Any) -> Any:
    return fjord.box.books.close(list(rows), MARCH)


def open_rows(fjord: Any, document: Any) -> list[Any]:
    return list(fjord.box.books.open_items(there(fjord, document)["id"]))


async def read(fjord: Any) -> None:
    """Twice: what the second read finds is news, and there is none."""
    await fjord.poll()
    before = await fjord.events()
    await fjord.poll()
    assert await fjord.events() == before


async def invoice(fjord: Any, source_id: str = a.INVOICE["source_id"]) -> tuple[str, Decimal]:
    found = await fjord.document(kind="invoice", source_id=source_id)
    return found.state, Decimal(found.open)


async def settled(fjord: Any) -> list[tuple[str, str]]:
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    return [(one["data"]["kind"], one["data"]["amount"]) for one in events if one["kind"] == "invoice.settled"]


async def codes(fjord: Any) -> list[str]:
    return [item["code"] for item in await fjord.get("/v1/attention")]


# --- 4: paid twice, and refunded ------------------------------------------------------------------------------------


async def test_4_paid_twice_and_refunded_by_a_bookkeeper(fjord: Any) -> None:
    document = await sold(fjord)
    paid_there(fjord, document, "12 500,00")
    await read(fjord)
    assert await invoice(fjord) == ("paid", 0)
    paid_there(fjord, document, "4 375,00", date(2027, 3, 15))
    await read(fjord)
    (credit,) = [one for one in await payments(fjord) if Decimal(one["open"]) > 0]
    assert Decimal(credit["open"]) == kroner("4 375,00")

    refund = booked(fjord, document, BANK, "-4 375,00")
    await read(fjord)
    assert [Decimal(one["open"]) for one in await payments(fjord)] == [0, 0, 0]
    matched(fjord, *open_rows(fjord, document), refund)
    await read(fjord)

    assert balance(fjord.box, CUSTOMERS) == 0
    assert [Decimal(one["open"]) for one in await payments(fjord)] == [0, 0, 0]
    assert [Decimal(one["payable"]) for one in await payments(fjord)] == [12500, 4375, 4375]
    assert await invoice(fjord) == ("paid", 0)
    assert (await fjord.events()).count("payment.refunded") == 1
    assert await codes(fjord) == []


async def payments(fjord: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await fjord.get("/v1/documents", kind="payment"))["documents"]
    return found


async def test_4_two_equal_instalments_are_two_and_our_own_is_none(fjord: Any) -> None:
    """C.4."""
    document = await sold(fjord)
    for _ in range(2):
        paid_there(fjord, document, "1 000,00")
    await fjord.post("/v1/payments", money.money("bank-1", "1 000,00", document))
    await fjord.work(within=2)
    await read(fjord)
    assert len(await payments(fjord)) == 3
    assert await invoice(fjord) == ("issued", kroner("9 500,00"))
    assert balance(fjord.box, BANK) == kroner("3 000,00")


async def test_4_a_payment_that_is_reversed_is_open_again(fjord: Any) -> None:
    document = await sold(fjord)
    paid_there(fjord, document, "12 500,00")
    await read(fjord)
    books = fjord.box.books
    row = next(one for one in books.all("posting") if one.get("type") == "INCOMING_PAYMENT")
    books.reverse(books.find(row["voucher"]), date(2027, 3, 20))
    await read(fjord)
    (payment,) = await payments(fjord)
    assert (payment["state"], Decimal(payment["open"])) == ("reversed", 0)
    reversal = await fjord.document(kind="reversal")
    assert (reversal.body["of"], reversal.body["of_id"]) == ("payment", payment["source_id"])
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    assert (await fjord.events()).count("payment.reversed") == 1
    assert await codes(fjord) == []


async def test_4_a_payment_of_ours_that_is_reversed_there_is_open_again(fjord: Any) -> None:
    document = await sold(fjord)
    await fjord.post("/v1/payments", money.money("bank-1", "12 500,00", document))
    await fjord.work(within=2)
    books = fjord.box.books
    row = next(one for one in books.all("posting") if one.get("type") == "INCOMING_PAYMENT")
    books.reverse(books.find(row["voucher"]), date(2027, 3, 20))
    await read(fjord)
    assert (await fjord.document(kind="payment")).state == "reversed"
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    assert balance(fjord.box, BANK) == 0
    assert await codes(fjord) == []


async def test_4_a_negative_payment_takes_back_the_one_it_fits(fjord: Any) -> None:
    """Of two equal ones nobody can say which: then it is money that went back, and the invoice is owed again."""
    document = await sold(fjord)
    paid_there(fjord, document, "5 000,00")
    paid_there(fjord, document, "-5 000,00")
    await read(fjord)
    (payment,) = await payments(fjord)
    assert payment["state"] == "reversed"
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    for amount in ("1 000,00", "1 000,00", "-1 000,00"):
        paid_there(fjord, document, amount)
    await read(fjord)
    assert await invoice(fjord) == ("issued", kroner("11 500,00"))
    assert [one["state"] for one in await payments(fjord)] == ["reversed", "received", "received", "booked"]
    assert await codes(fjord) == []


# --- 6: written off -------------------------------------------------------------------------------------------------


async def test_6_the_ledger_writes_the_rest_off(fjord: Any) -> None:
    document = await sold(fjord)
    paid_there(fjord, document, "8 125,00", a.FEBRUARY)
    await read(fjord)
    bank = balance(fjord.box, BANK)
    loss = booked(fjord, document, LOSS, "4 375,00")
    await read(fjord)
    assert await invoice(fjord) == ("issued", kroner("4 375,00")), "it is on the account, and closes nothing yet"
    matched(fjord, *open_rows(fjord, document), loss)
    await read(fjord)

    assert await invoice(fjord) == ("written_off", 0)
    assert await settled(fjord) == [("loss", "4375.00")]
    row = await fjord.document(kind="settlement", source_id=str(loss["id"]))
    assert (row.body["kind"], row.body["account"], Decimal(row.open)) == ("loss", "7830", 0)
    assert balance(fjord.box, CUSTOMERS) == 0
    assert balance(fjord.box, LOSS) == kroner("4 375,00")
    assert balance(fjord.box, BANK) == bank == kroner("8 125,00"), "no bank account is touched anywhere"
    assert len(await payments(fjord)) == 1
    assert await codes(fjord) == []


async def test_6_a_write_off_that_is_reversed_is_owed_again(fjord: Any) -> None:
    document = await sold(fjord)
    loss = booked(fjord, document, LOSS, "12 500,00")
    matched(fjord, *open_rows(fjord, document), loss)
    await read(fjord)
    assert await invoice(fjord) == ("written_off", 0)
    books = fjord.box.books
    books.reverse(books.find(loss["voucher"]), date(2027, 3, 20))
    await read(fjord)
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    assert (await fjord.document(kind="settlement", source_id=str(loss["id"]))).state == "reversed"
    assert balance(fjord.box, CUSTOMERS) == kroner("12 500,00")
    assert await codes(fjord) == []


async def test_6_an_account_that_nobody_knows_waits_for_a_person(fjord: Any, tmp_path: Path) -> None:
    """Never a guess: one item, and everything follows once the mapping says what it is."""
    document = await sold(fjord)
    odd = booked(fjord, document, ODD, "12 500,00")
    matched(fjord, *open_rows(fjord, document), odd)
    await fjord.poll()
    await fjord.poll()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "settlement-unexplained"
    assert "8050" in item["said"]
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    assert (await fjord.get("/v1/documents", kind="settlement"))["documents"] == []


# --- what is matched ------------------------------------------------------------------------------------------------


async def test_credit_on_account_is_matched_and_the_match_taken_apart(fjord: Any) -> None:
    document = await sold(fjord)
    row = booked(fjord, document, BANK, "12 500,00")
    await read(fjord)
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    group = matched(fjord, *open_rows(fjord, document), row)
    await read(fjord)
    assert await invoice(fjord) == ("paid", 0)
    assert await settled(fjord) == [("on_account", "12500.00")]
    assert len(await payments(fjord)) == 1
    fjord.box.books.reopen(group, MARCH)
    await read(fjord)
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    (payment,) = await payments(fjord)
    assert Decimal(payment["open"]) == kroner("12 500,00")
    assert await codes(fjord) == []


async def test_a_credit_note_is_applied_to_the_invoice_it_is_matched_with(founded: Any) -> None:
    async with founded(credit_notes_apply=False) as fjord:
        await sold(fjord)
        other = await sold(fjord, a.INVOICE | {"source_id": "sale-2"})
        own = await fjord.document(kind="invoice", source_id="sale-10017")
        books = fjord.box.books
        note = books.credit(there(fjord, own), MARCH, None)
        await read(fjord)
        group = matched(fjord, *open_rows(fjord, other), *books.open_items(note["id"]))
        await read(fjord)
        assert await invoice(fjord, "sale-2") == ("credited", 0)
        assert await invoice(fjord) == ("issued", kroner("12 500,00"))
        assert Decimal((await fjord.document(kind="credit_note")).open) == 0
        assert await settled(fjord) == [("credit_note", "12500.00")]
        books.reopen(group, MARCH)
        await read(fjord)
        assert await invoice(fjord, "sale-2") == ("issued", kroner("12 500,00"))
        assert Decimal((await fjord.document(kind="credit_note")).open) == kroner("12 500,00")
        assert (await fjord.document(kind="settlement")).state == "reversed", "nothing is replaced or taken away"
        assert await codes(fjord) == []


async def test_what_shows_again_what_it_showed_before_is_news(founded: Any) -> None:
    """Matched and taken apart, again and again: the same figures come back, and nothing but them has changed."""
    async with founded(credit_notes_apply=False) as fjord:
        document = await sold(fjord)
        books = fjord.box.books
        note = books.credit(there(fjord, document), MARCH, None)
        await read(fjord)
        for _ in range(3):
            group = matched(fjord, *open_rows(fjord, document), *books.open_items(note["id"]))
            await read(fjord)
            assert await invoice(fjord) == ("credited", 0)
            books.reopen(group, MARCH)
            await read(fjord)
            assert await invoice(fjord) == ("issued", kroner("12 500,00"))
            assert await codes(fjord) == []


# --- the control total ----------------------------------------------------------------------------------------------


async def test_a_balance_that_nobody_can_explain_is_one_item_and_settles_itself(fjord: Any) -> None:
    document = await sold(fjord)
    await read(fjord)
    made = there(fjord, document)
    row = fjord.box.books.items(made["id"])[0]
    row["amount"] = row["amountCurrency"] = kroner("10 000,00")  # what no row tells of
    await fjord.poll()
    await fjord.poll()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "balance-unexplained"
    said = item["details"]["details"]
    assert {name: Decimal(said[name]) for name in said} == {"ours": 12500, "theirs": 10000, "difference": 2500}
    assert await invoice(fjord) == ("issued", kroner("12 500,00")), "no payment is ever made from a balance"
    assert await payments(fjord) == []
    await fjord.poll()
    assert len(await fjord.get("/v1/attention")) == 1

    row["amount"] = row["amountCurrency"] = kroner("12 500,00")
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_a_row_that_vanished_counts_after_a_second_look(fjord: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(control, "SETTLES", 0.2)
    document = await sold(fjord)
    paid_there(fjord, document, "5 000,00")
    await read(fjord)
    books = fjord.box.books
    row = next(one for one in books.all("posting") if one.get("type") == "INCOMING_PAYMENT")
    voucher = books.find(row["voucher"])
    books._items[there(fjord, document)["id"]].remove(row)
    for link in voucher["postings"]:
        books.remove(books.find(link))
    books.remove(voucher)
    await fjord.poll()
    await fjord.poll()
    (payment,) = await payments(fjord)
    assert payment["state"] == "reversed", "it stays, and counts no more"
    assert await invoice(fjord) == ("issued", kroner("12 500,00"))
    assert await codes(fjord) == []


async def test_a_row_that_a_right_hides_has_not_vanished(fjord: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(control, "SETTLES", 0.2)
    document = await sold(fjord)
    paid_there(fjord, document, "5 000,00")
    await read(fjord)
    row = next(one for one in fjord.box.books.all("posting") if one.get("type") == "INCOMING_PAYMENT")
    access = next(iter(fjord.box.access.values()))
    access.hidden["posting"] = {row["id"]}
    await read(fjord)
    (payment,) = await payments(fjord)
    assert payment["state"] == "received"
    assert await invoice(fjord) == ("issued", kroner("7 500,00"))


# --- a command that ends in parts -----------------------------------------------------------------------------------


async def test_parts_go_on_alone_and_the_command_ends_with_the_last(fjord: Any) -> None:
    """One invoice was paid in the books meanwhile: its part waits for a person, the other is booked."""
    first, second = await sold(fjord), await sold(fjord, a.INVOICE | {"source_id": "sale-2"})
    paid_there(fjord, first, "12 500,00")
    both = [{"document": {"document_id": one.id}, "amount": "12500.00"} for one in (first, second)]
    answer = await fjord.post("/v1/payments", money.money("bank-1", "25 000,00", None, allocations=both))
    await fjord.work(within=2)
    assert there(fjord, second)["amountOutstanding"]() == 0
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "exceeds-open-amount"
    assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"
    settled = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
    assert settled.status_code == 204, settled.text
    assert (await fjord.get(answer.headers["location"]))["state"] == "rejected"
    await read(fjord)
    assert await invoice(fjord) == await invoice(fjord, "sale-2") == ("paid", 0)
    assert balance(fjord.box, BANK) == kroner("25 000,00")
    assert balance(fjord.box, CUSTOMERS) == 0
    assert await codes(fjord) == []


async def test_a_payment_that_was_cancelled_is_corrected_under_its_own_name(fjord: Any) -> None:
    document = await sold(fjord)
    paid_there(fjord, document, "10 000,00")
    wrong = money.money("bank-1", "5 000,00", document)
    answer = await fjord.post("/v1/payments", wrong)
    await fjord.work(within=2)
    (item,) = await fjord.get("/v1/attention")
    corrected = money.money("bank-1", "2 500,00", document)
    assert (await fjord.post("/v1/payments", corrected)).status_code == 409, "while it waits it is what was said"
    await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
    assert (await fjord.get(answer.headers["location"]))["state"] == "rejected"
    assert await invoice(fjord) == ("issued", kroner("12 500,00")), "what was rejected has no effect"

    again = await fjord.post("/v1/payments", wrong)
    assert again.headers["location"] == answer.headers["location"], "the same again is the same command"
    answer = await fjord.post("/v1/payments", corrected)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert (await fjord.post("/v1/payments", wrong)).headers["location"] != answer.headers["location"]
    await read(fjord)
    assert await invoice(fjord) == ("paid", 0)
    assert balance(fjord.box, BANK) == kroner("12 500,00")
    assert await codes(fjord) == []


async def test_a_posting_that_was_refused_and_cancelled_is_corrected_too(fjord: Any) -> None:
    """It never became a payment: more is refunded than there is."""
    document = await sold(fjord)
    paid_there(fjord, document, "12 600,00")
    await fjord.poll()
    refund = {"kind": "refund", "direction": "out", "customer": money.BUYER}
    await fjord.post("/v1/payments", money.money("bank-1", "1 000,00", None, **refund))
    await fjord.work(within=1)
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "refund-exceeds-credit"
    await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
    answer = await fjord.post("/v1/payments", money.money("bank-1", "100,00", None, **refund))
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done", await fjord.get("/v1/attention")
    assert balance(fjord.box, BANK) == kroner("12 500,00")
