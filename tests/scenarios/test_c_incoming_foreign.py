"""Scenario C.1 in another currency: an incoming invoice in euro that states its VAT in kroner, too (BT-111)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox.things import Link
from adapters.accounting.tripletex.sandbox.uploads import Upload
from connector.ehf import read, validate, write

_spec = spec_from_file_location("scenario_c_incoming", Path(__file__).parent / "test_c_incoming.py")
assert _spec is not None
assert _spec.loader is not None
c = module_from_spec(_spec)
_spec.loader.exec_module(c)

EURO, OWED, IN_KRONER = Link("currency", 5), Decimal("1250.00"), Decimal("2891.25")
"""250,00 EUR of VAT at 11,5650, the supplier's own rate; the ledger's is 11,50."""


def invoice(in_kroner: Decimal | None = IN_KRONER) -> bytes:
    """EUR 1 000,00 and 250,00 of VAT; BT-6 and BT-111 where the VAT is stated in kroner."""
    made = c.purchase(net="1000.00", currency="EUR")
    assert made.totals is not None
    if in_kroner is not None:
        totals = made.totals.model_copy(update={"tax_in_accounting_currency": in_kroner})
        made = made.model_copy(update={"tax_currency": "NOK", "totals": totals})
    return write(made)


def payable(box: Any) -> Any:
    """The supplier's rows on account 2400."""
    rows = box.books.things.get("posting", {}).values()
    return [row for row in rows if box.books.find(row["account"])["number"] == 2400]


def registered(box: Any) -> Any:
    """Somebody registers what lies in the reception, in euro, by the ledger's own rate."""
    books = box.books
    (voucher,) = c.reception(box)
    supplier = next(iter(books.things["supplier"].values()))
    made = books.supplier_invoice(voucher, supplier, "F-7", date(2027, 1, 10), date(2027, 2, 10), OWED, currency=EURO)
    kroner = round(OWED * books.rate(EURO), 2)
    vat = next(one["id"] for one in books.all("vatType") if one["number"] == "1")
    line = {"account": books.account(6800), "amountGross": kroner, "amountGrossCurrency": OWED}
    line["vatType"] = Link("vatType", vat)
    books.register(voucher, made, [line])
    return made


async def test_it_is_kept_as_stated_and_followed_in_euro(founded: Any) -> None:
    """Both statements of VAT are kept and go along; what is booked, open and paid is followed in euro: the ledger's
    rate is its own, and neither it nor the supplier's is drift.
    """
    async with founded() as fjord:
        body = invoice()
        assert validate(body).valid, validate(body).fatal
        assert (await c.deliver(fjord, body))["state"] == "done"
        document = await fjord.document(kind="supplier_invoice")
        assert (document.currency, document.payable, document.state) == ("EUR", "1250.00", "delivered")
        assert document.body["tax_currency"] == "NOK"
        assert document.body["totals"]["tax_in_accounting_currency"] == "2891.25"
        page = next(iter(c.reception(fjord.box)))["attachment"]
        (embedded,) = [one for one in c.inside(fjord.box.books.find(page)["_uploads"][0].content) if b"<Invoice" in one]
        totals = read(embedded, direction="incoming").totals
        assert totals is not None
        assert totals.tax_in_accounting_currency == IN_KRONER

        made = registered(fjord.box)
        await fjord.poll()
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open, document.currency) == ("booked", "1250.00", "EUR")
        how = next(iter(fjord.box.books.all("paymentTypeOut")))
        fjord.box.books.pay_supplier(made, date(2027, 2, 1), Decimal("400.00"), how)
        await fjord.poll()
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open) == ("booked", "850.00")
        fjord.box.books.pay_supplier(made, date(2027, 2, 10), Decimal("850.00"), how)
        await fjord.poll()
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open) == ("paid", "0.00")
        events = (await fjord.get("/v1/changes", limit=1000))["events"]
        told = [one["data"]["payments"] for one in events if one["kind"] == "supplier_invoice.paid"]
        assert [[Decimal(one["amount"]) for one in payments] for payments in told] == [[400], [400, 850]]
        assert await fjord.get("/v1/attention") == []
        assert not [one for one in events if one["kind"].endswith(".drift")]


@pytest.mark.parametrize("in_kroner", [Decimal("2875.00"), Decimal("2875.01"), None])
async def test_straight_to_the_ledger_it_is_booked_in_euro(founded: Any, in_kroner: Decimal | None) -> None:
    """The VAT in kroner is what the ledger comes to by its own rate, but for an øre of rounding, or is not stated."""
    async with founded(settings="incoming: ledger, incoming_account: 4300") as fjord:
        fjord.box.books.rules.incoming_pilot = True
        assert (await c.deliver(fjord, invoice(in_kroner)))["state"] == "done"
        (row,) = payable(fjord.box)
        assert (row["amountCurrency"], row["currency"]) == (-OWED, EURO)
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open, document.currency) == ("booked", "1250.00", "EUR")


async def test_straight_to_the_ledger_another_vat_in_kroner_stops_before_anything_is_booked(founded: Any) -> None:
    """The supplier's rate is not the ledger's; what may be deducted is what is stated: by hand, and linked."""
    async with founded(settings="incoming: ledger, incoming_account: 4300") as fjord:
        fjord.box.books.rules.incoming_pilot = True
        operation = await c.deliver(fjord, invoice())
        (item,) = await c.waiting(fjord)
        assert (operation["state"], item["code"], item["details"]["details"]["difference"]) == (
            "waiting", "totals-differ", "16.25",
        )  # fmt: skip
        assert payable(fjord.box) == []
        books = fjord.box.books
        voucher = books.receive(Upload(b"%PDF-1.4", "f.pdf"), "Faktura", date(2027, 1, 10))
        registered(fjord.box)
        voucher = books.find(Link("voucher", voucher["id"]))
        said = {"verb": "link", "vendor_id": f"{voucher['year']}/{voucher['number']}"}
        answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json=said)
        assert answer.status_code == 204, answer.text
        await fjord.work(within=1)
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open) == ("booked", "1250.00")
        await fjord.poll()
        assert await c.waiting(fjord) == []
        assert len((await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]) == 1
