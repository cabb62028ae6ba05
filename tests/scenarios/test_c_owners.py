"""Scenario C, steps 2 to 4: two owners of one duty, what the ledger has sent itself, and payments that are equal."""

from __future__ import annotations

import base64
import importlib.util
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import registers
from adapters.accounting.tripletex.sandbox.calls.sales import send
from connector.api.examples import PAYMENT
from connector.errors import Misconfigured
from connector.service.house import open_house
from connector.service.settings import Settings

_spec = importlib.util.spec_from_file_location("scenario_a", Path(__file__).with_name("test_a_domestic_invoice.py"))
assert _spec is not None
assert _spec.loader is not None
scenario_a = importlib.util.module_from_spec(_spec)
sys.modules["scenario_a"] = scenario_a
_spec.loader.exec_module(scenario_a)

kroner, sold, balance, RECEIVABLE, BANK = (
    scenario_a.kroner, scenario_a.sold, scenario_a.balance, scenario_a.RECEIVABLE, scenario_a.BANK
)  # fmt: skip
FEBRUARY = date(2027, 2, 1)
OWN_ACCOUNT = "15032080119"

SOURCE_OWNS = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{url}", payment_type: Betalt til bank, timeout: 5, settle: {settle}}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
routes:
  sales:
    takes: api
    to: books
    issues: {issues}
    sends: nobody
    reminds: nobody
    takes_bank_money: source
"""
"""Somebody else reads the bank: a payment that the ledger shows is one of theirs."""


async def paid(fjord: Any, amount: str, *, row: str, **more: Any) -> Any:
    """A program tells of a payment of the invoice."""
    body = PAYMENT | {
        "source_id": row,
        "amount": amount,
        "allocations": [{"document": {"source_id": "sale-10017"}, "amount": amount}],
        **more,
    }
    return await fjord.post("/v1/payments", body)


async def payments(fjord: Any) -> list[Any]:
    return (await fjord.get("/v1/documents", kind="payment"))["documents"]


def rows(box: Any) -> list[Decimal]:
    """What the ledger shows as received, row by row."""
    return [
        -posting["amount"] for posting in box.books.things.get("posting", {}).values()
        if posting.get("type") == "INCOMING_PAYMENT"
    ]  # fmt: skip


# --- 2: two systems are said to own the bank money of one account -----------------------------------------------------


@pytest.mark.parametrize(
    ("sales", "web"),
    [
        ('{"15032080119": books}', '{"15032080119": source}'),
        ('{"15032080119": books}', '{"NO50 1503 2080 119": source}'),
        ("books", '{"15032080119": source}'),
        ('{"15032080119": [books, source]}', "nobody"),
    ],
    ids=["the same number", "as an IBAN", "all accounts and one", "on one line"],
)
async def test_2_two_owners_of_an_account_are_refused_with_file_and_line(
    sales: str, web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SOURCE_OWNS.format(url="http://127.0.0.1:1/v2", settle=1, issues="books").replace(
        "    takes_bank_money: source\n",
        f"    takes_bank_money: {sales}\n"
        f"  web:\n    takes: api\n    to: books\n    issues: books\n    takes_bank_money: {web}\n",
    )
    file = tmp_path / "mappings" / "tenants" / "fjord.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path / "mappings"))
    monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(32)).decode())
    first = text.splitlines().index(f"    takes_bank_money: {sales}") + 1
    second = text.splitlines().index(f"    takes_bank_money: {web}") + 1

    with pytest.raises(Misconfigured) as refused:
        async with open_house(Settings(database=f"sqlite:///{tmp_path}/c.db")):
            pass

    assert refused.value.code == "duty-two-owners"
    assert refused.value.where["file"] == str(file)
    assert refused.value.where["line"] == (first if web == "nobody" else second)
    assert "books" in refused.value.said
    assert "source" in refused.value.said


# --- 3: issued and sent by Tripletex itself ---------------------------------------------------------------------------


def issued_there(box: Any, *, sent: bool = True) -> Any:
    """Somebody invoices 1 000,00 + 250,00 in Tripletex itself, and sends it as EHF there."""
    books = box.books
    customer = registers.create_customer(
        books, {"name": "Eksempel AS", "organizationNumber": "974760673", "invoiceSendMethod": "EHF"}
    )
    line = {
        "description": "Rådgivning",
        "count": 1,
        "unitPriceExcludingVatCurrency": Decimal(1000),
        "vatType": {"id": 3},
    }
    day = "2027-01-15"
    order = registers.create_order(
        books, {"customer": {"id": customer["id"]}, "orderDate": day, "deliveryDate": day, "orderLines": [line]}
    )
    invoice = books.charge(order, date.fromisoformat(day))
    if sent:
        send_there(box, invoice)
    return invoice


def send_there(box: Any, invoice: Any) -> None:
    send(SimpleNamespace(books=box.books, query={}), invoice, "EHF")  # type: ignore[arg-type]


async def test_3_it_is_read_and_mirrored_and_not_sent_again(fjord: Any) -> None:
    invoice = issued_there(fjord.box)

    await fjord.poll()

    document = await fjord.document(kind="invoice", number=str(invoice["invoiceNumber"]))
    assert document.state == "issued"
    assert Decimal(document.payable) == kroner("1 250,00")
    assert [link["dispatch"] for link in document.links] == ["sent"]
    (told,) = [e["data"] for e in (await fjord.get("/v1/changes"))["events"] if e["kind"] == "invoice.sent"]
    assert told == {
        "connection": "books", "by": "books", "channel": "ehf", "said": "SENT", "number": document.number,
    }  # fmt: skip
    story = await fjord.get(f"/v1/documents/{document.id}/story")
    assert "invoice.sent" in [entry["what"] for entry in story]

    fjord.box.payment(invoice["id"], Decimal(250), FEBRUARY)  # it changes, and is still the same one that was sent
    await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice", number=document.number)).open) == kroner("1 000,00")
    assert len(fjord.box.books.outbox) == 1
    assert (await fjord.events()).count("invoice.sent") == 1
    assert not [r for r in fjord.box.requests if r.path.endswith("/:send")]


async def test_3_what_we_had_issued_there_and_a_person_sends_there_is_known_as_sent(fjord: Any) -> None:
    document = await sold(fjord)
    await fjord.poll()
    assert "dispatch" not in document.links[0]
    (invoice,) = scenario_a.issued(fjord.box)

    send_there(fjord.box, invoice)
    await fjord.poll()

    document = await fjord.document(kind="invoice", source_id="sale-10017")
    assert document.links[0]["dispatch"] == "sent"
    assert (await fjord.events()).count("invoice.sent") == 1


async def test_3_a_receiver_that_was_not_found_is_told(fjord: Any) -> None:
    invoice = issued_there(fjord.box, sent=False)
    fjord.box.books.touch(fjord.box.books.find(invoice["customer"]), organizationNumber="")
    send_there(fjord.box, invoice)

    await fjord.poll()

    document = await fjord.document(kind="invoice", number=str(invoice["invoiceNumber"]))
    assert document.links[0]["dispatch"] == "failed"
    assert (await fjord.events()).count("invoice.not_sent") == 1


async def test_3_money_for_it_comes_from_where_bank_money_is_owned(founded: Any) -> None:
    async with founded() as fjord:
        invoice = issued_there(fjord.box)
        await fjord.poll()
        document = await fjord.document(kind="invoice", number=str(invoice["invoiceNumber"]))

        body = PAYMENT | {"allocations": [{"document": {"document_id": document.id}, "amount": "1250.00"}]}
        refused = await fjord.post("/v1/payments", body | {"amount": "1250.00", "bank_account": "86011117947"})
        assert (refused.status_code, refused.json()["code"]) == (422, "bank-money-elsewhere")

        taken = await fjord.post("/v1/payments", body | {"amount": "1250.00", "bank_account": OWN_ACCOUNT})
        assert taken.status_code == 202
        await fjord.work()
        assert rows(fjord.box) == [kroner("1 250,00")]


# --- 4: equal payments ------------------------------------------------------------------------------------------------


async def test_4_two_equal_instalments_on_a_day_are_two_and_our_own_seen_again_is_none(fjord: Any) -> None:
    await sold(fjord)

    for row in ("bank-1", "bank-2"):
        assert (await paid(fjord, "1000.00", row=row)).status_code == 202
    await fjord.work()
    await fjord.poll()
    await fjord.poll()

    assert len(await payments(fjord)) == 2
    assert rows(fjord.box) == [kroner("1 000,00")] * 2
    document = await fjord.document(kind="invoice", source_id="sale-10017")
    assert Decimal(document.open) == kroner("10 500,00") == balance(fjord.box, RECEIVABLE)


async def test_4_two_equal_instalments_in_the_ledger_are_two(fjord: Any) -> None:
    await sold(fjord)
    (invoice,) = scenario_a.issued(fjord.box)

    fjord.box.payment(invoice["id"], Decimal(1000), FEBRUARY)
    fjord.box.payment(invoice["id"], Decimal(1000), FEBRUARY)
    await fjord.poll()

    assert len(await payments(fjord)) == 2
    document = await fjord.document(kind="invoice", source_id="sale-10017")
    assert Decimal(document.open) == kroner("10 500,00")


async def test_4_a_payment_seen_where_bank_money_is_not_owned_is_matched_not_copied(founded: Any) -> None:
    async with founded(tenant=SOURCE_OWNS) as fjord:
        await sold(fjord)
        (invoice,) = scenario_a.issued(fjord.box)
        fjord.box.payment(invoice["id"], Decimal(1000), FEBRUARY)
        await fjord.poll()
        assert await payments(fjord) == []
        assert Decimal((await fjord.document(kind="invoice", source_id="sale-10017")).open) == kroner("12 500,00")

        answer = await paid(fjord, "1000.00", row="bank-1")
        await fjord.work(within=2.5)

        assert rows(fjord.box) == [kroner("1 000,00")], "what was there is not registered a second time"
        (payment,) = await payments(fjord)
        assert [link["connection"] for link in (await fjord.document(kind="payment")).links] == ["books"]
        assert Decimal((await fjord.document(kind="invoice", source_id="sale-10017")).open) == kroner("11 500,00")
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"

        # A second instalment, equal to the first: told by the owner only, so it is registered there.
        await paid(fjord, "1000.00", row="bank-2")
        await fjord.work(within=2.5)
        await fjord.poll()
        assert rows(fjord.box) == [kroner("1 000,00")] * 2
        assert len(await payments(fjord)) == 2
        assert Decimal((await fjord.document(kind="invoice", source_id="sale-10017")).open) == kroner("10 500,00")


async def test_4_money_that_its_owner_never_tells_of_waits_for_a_person(founded: Any, monkeypatch: Any) -> None:
    async with founded(tenant=SOURCE_OWNS) as fjord:
        await sold(fjord)
        (invoice,) = scenario_a.issued(fjord.box)
        fjord.box.payment(invoice["id"], Decimal(1000), FEBRUARY)
        monkeypatch.setattr("connector.sync.bank_money.TELLS_WITHIN", timedelta(0))
        await fjord.poll()

        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "bank-money-unmatched"
        assert await payments(fjord) == []

        await paid(fjord, "1000.00", row="bank-1")
        await fjord.work(within=2.5)
        assert await fjord.get("/v1/attention") == []
        assert rows(fjord.box) == [kroner("1 000,00")]
        assert len(await payments(fjord)) == 1


async def test_4_nothing_is_pushed_that_exceeds_what_is_freshly_read_as_open(founded: Any) -> None:
    async with founded(tenant=SOURCE_OWNS) as fjord:
        await sold(fjord)
        (invoice,) = scenario_a.issued(fjord.box)
        fjord.box.payment(invoice["id"], kroner("12 000,00"), FEBRUARY)  # not read here yet

        await paid(fjord, "1000.00", row="bank-1")
        await fjord.work()

        assert rows(fjord.box) == [kroner("12 000,00")]
        assert "exceeds-open-amount" in [item["code"] for item in await fjord.get("/v1/attention")]
