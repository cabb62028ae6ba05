"""Scenario B issued elsewhere: in euro, with VAT stated in kroner, with an advance, dated in a closed period."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _beside(name: str) -> ModuleType:
    spec = spec_from_file_location(f"{name}_for_b_external", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


external, b1, b2, b3, b4 = map(
    _beside, ("test_a_external", "test_b_currency", "test_b_vat_in_kroner", "test_b_advance", "test_b_periods")
)
a, kroner, balance, booked, fjord = external.a, external.kroner, external.balance, external.booked, external.fjord
NUMBERED = {name: external.INVOICE[name] for name in ("number", "payment_means")}
EXPORT, IN_EURO, WITH_ADVANCE = b1.EXPORT | NUMBERED, b2.IN_EURO | NUMBERED, b3.WITH_ADVANCE | NUMBERED
FEBRUARY = date(2027, 2, 15)


async def opened(fjord: Any) -> Decimal:
    return await external.opened(fjord, kind="invoice", number=external.NUMBER)


async def settled(fjord: Any) -> None:
    """Everything is read, nothing waits, nothing differs, and what is open is what the customer owes."""
    for _ in range(3):
        await fjord.poll()
    assert await fjord.get("/v1/attention") == []
    assert not [kind for kind in await fjord.events() if kind.endswith(".drift")]


def all_matched(fjord: Any) -> bool:
    return all(row.get("closeGroup") for row in external.customer_rows(fjord.box))


# --- 1 ----------------------------------------------------------------------------------------------------------------


async def test_1_an_export_in_euro_is_paid_in_two_parts_with_a_fee(founded: Any) -> None:
    async with founded(issues="source", mapping=b1.NAMED) as fjord:
        box = fjord.box
        document = await booked(fjord, EXPORT)
        (voucher,) = external.vouchers(box)
        shown = {(box.books.find(row["account"])["number"], row["amount"], row["amountCurrency"])
                 for row in map(box.books.find, voucher["postings"])}  # fmt: skip
        assert shown == {(a.RECEIVABLE, kroner("11 500,00"), kroner("1 000,00")),
                         (3150, kroner("-11 500,00"), kroner("-1 000,00"))}  # fmt: skip
        assert (document.payable, document.open) == ("1000.00", "1000.00")

        first = await b1.paid(fjord, b1.euro("bank-1", "600,00", document, "6 930,00", rate="11.55"))
        assert first["state"] == "done", first
        assert (await opened(fjord), external.groups(box)) == (kroner("400,00"), [])
        second = await b1.paid(fjord, b1.euro("bank-2", "400,00", document, "4 526,70", fee="5.00", rate="11.46"))
        assert second["state"] == "done", second
        await settled(fjord)

        assert await opened(fjord) == balance(box, a.RECEIVABLE) == 0
        assert (await fjord.document(kind="invoice")).state == "paid"
        assert all_matched(fjord)
        # As where the ledger issues: what came is on the bank account, and agio is the ledger's own.
        assert balance(box, a.BANK) == kroner("6 930,00") + kroner("4 526,70")
        assert balance(box, b1.FEE) == kroner("57,30")
        assert balance(box, b1.AGIO) == kroner("-14,00")
        assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 2


async def test_1_booked_there_it_comes_back_with_what_the_bank_kept(founded: Any) -> None:
    async with founded(issues="source", mapping=b1.NAMED) as fjord:
        box = fjord.box
        document = await booked(fjord, EXPORT)
        row = int(document.links[0]["vendor_id"])
        box.books.rates["EUR"] = Decimal("11.40")
        box.payment_on(row, kroner("600,00"), FEBRUARY)
        await fjord.poll()
        assert await opened(fjord) == kroner("400,00")
        box.payment_on(row, kroner("400,00"), FEBRUARY, fee=kroner("5,00"))
        await settled(fjord)

        assert await opened(fjord) == balance(box, a.RECEIVABLE) == 0
        assert balance(box, b1.DISAGIO) == kroner("100,00")
        found = (await fjord.get("/v1/documents", kind="payment"))["documents"]
        bodies = [(await fjord.get(f"/v1/documents/{one['id']}"))["body"] for one in found]
        shown = {(one["amount"], one.get("fee"), one["account_amount"]) for one in bodies}
        assert shown == {("600.00", None, "6840.00"), ("400.00", "5.00", "4503.00")}
        assert len(external.vouchers(box)) == 4, "ours, two payments, and agio: nothing is written back"


async def test_1_a_part_is_credited_and_the_rest_paid_in_euro(fjord: Any) -> None:
    box = fjord.box
    document = await booked(fjord, EXPORT)
    line = EXPORT["lines"][0] | {"price": "250.00"}
    box.books.rates["EUR"] = Decimal("11.70")
    note = await booked(fjord, external.credit(currency="EUR", lines=[line]), "credit_note")
    assert (note.payable, note.open, await opened(fjord)) == ("250.00", "0.00", kroner("750,00"))
    assert balance(box, a.RECEIVABLE) == kroner("11 500,00") - kroner("2 925,00")
    await b1.paid(fjord, b1.euro("bank-1", "750,00", document, "8 700,00"))
    await settled(fjord)
    assert await opened(fjord) == balance(box, a.RECEIVABLE) == 0
    assert all_matched(fjord)


# --- 2 ----------------------------------------------------------------------------------------------------------------


async def test_2_a_ledger_with_another_rate_is_stopped_before_anything_is_booked(fjord: Any) -> None:
    books = fjord.box.books
    books.rates["EUR"] = Decimal("11.523")
    item = await external.waiting(fjord, IN_EURO, "totals-differ")
    for figure in ("2880.75", "2875.00", "5.75"):
        assert figure in item["said"]
    assert item["details"]["details"]["difference"] == "5.75"

    books.rates["EUR"] = Decimal("11.50")
    await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
    await fjord.work(within=2)
    assert len(external.vouchers(fjord.box)) == 1
    assert balance(fjord.box, 2700) == kroner("-2 875,00")
    await settled(fjord)


async def test_2_without_a_statement_in_kroner_the_rate_is_the_ledgers_own(fjord: Any) -> None:
    fjord.box.books.rates["EUR"] = Decimal("11.523")
    await booked(fjord, {name: value for name, value in IN_EURO.items() if not name.startswith("tax_")})
    assert balance(fjord.box, 2700) == kroner("-2 880,75")
    assert await opened(fjord) == kroner("1 250,00")
    await settled(fjord)


async def test_2_rounding_is_no_difference(fjord: Any) -> None:
    """33,33 euro: 8,33 of VAT are 95,80 kroner by 11,50, and 41,66 with VAT are 479,09, of which a fifth is 95,82."""
    line = IN_EURO["lines"][0] | {"price": "33.33"}
    await booked(fjord, IN_EURO | {"lines": [line], "tax_in_accounting_currency": "95.80"})
    assert balance(fjord.box, 2700) == kroner("-95,80")
    await settled(fjord)


# --- 3 ----------------------------------------------------------------------------------------------------------------


async def earlier(fjord: Any) -> Any:
    """An invoice by which the customer is known; paid."""
    document = await booked(fjord, external.INVOICE | {"number": "10016", "source_id": "earlier"}, number="10016")
    await b3.paid(fjord, "bank-0", "12 500,00", document)
    return document


async def test_3_the_receivable_is_the_whole_less_the_credit(fjord: Any) -> None:
    box = fjord.box
    await earlier(fjord)
    await b3.paid(fjord, "bank-1", "4 000,00", None, date="2027-01-10", customer=b3.BUYER)
    document = await booked(fjord, WITH_ADVANCE, number=external.NUMBER)

    assert Decimal(document.payable) == kroner("12 500,00")
    assert balance(box, a.RECEIVABLE) == await opened(fjord) == kroner("8 500,00")
    assert external.rows(box, external.vouchers(box)[-1])[0] == (a.RECEIVABLE, kroner("12 500,00"))
    assert Decimal((await fjord.document(kind="payment", source_id="bank-1")).open) == 0
    bank = balance(box, a.BANK)
    await b3.paid(fjord, "bank-2", "8 500,00", document)
    await settled(fjord)
    assert await opened(fjord) == balance(box, a.RECEIVABLE) == 0
    assert all_matched(fjord)
    assert external.groups(box)[-1] == [kroner("-8 500,00"), kroner("-4 000,00"), kroner("12 500,00")]
    assert balance(box, a.BANK) == bank + kroner("8 500,00")
    assert (await fjord.events()).count("settlement.matched") == 1


async def test_3_the_rest_paid_in_the_ledger_matches_it_too(fjord: Any) -> None:
    await earlier(fjord)
    await b3.paid(fjord, "bank-1", "4 000,00", None, customer=b3.BUYER)
    document = await booked(fjord, WITH_ADVANCE, number=external.NUMBER)
    fjord.box.payment_on(int(document.links[0]["vendor_id"]), kroner("8 500,00"), FEBRUARY)
    await settled(fjord)
    assert await opened(fjord) == balance(fjord.box, a.RECEIVABLE) == 0
    assert all_matched(fjord)


async def test_3_without_credit_it_stops_before_anything_is_booked(fjord: Any) -> None:
    item = await external.waiting(fjord, WITH_ADVANCE, "prepaid-without-credit")
    assert "kinds.settlement" in item["do"]


async def test_3_an_advance_that_stands_on_an_account_of_the_ledger(founded: Any) -> None:
    async with founded(issues="source", mapping=b3.ON_AN_ACCOUNT) as fjord:
        box = fjord.box
        document = await booked(fjord, WITH_ADVANCE)
        await fjord.work(within=1)
        assert balance(box, b3.ADVANCES) == kroner("4 000,00")
        assert balance(box, a.RECEIVABLE) == await opened(fjord) == kroner("8 500,00")
        assert {row["invoiceNumber"] for row in external.customer_rows(box)} == {external.NUMBER}
        await b3.paid(fjord, "bank-1", "8 500,00", document)
        await settled(fjord)
        assert balance(box, b3.ADVANCES) == kroner("4 000,00")
        assert balance(box, a.RECEIVABLE) == await opened(fjord) == 0
        assert all_matched(fjord)


async def test_3_an_advance_in_euro(fjord: Any) -> None:
    """Credit and rest came by other rates than the invoice: what is left in kroner is agio."""
    box = fjord.box
    await earlier(fjord)
    credit = b3.money("bank-1", "400,00", None, currency="EUR", customer=b3.BUYER)
    assert (await b1.paid(fjord, credit | {"account_amount": "4560.00", "account_currency": "NOK"}))["state"] == "done"
    document = await booked(fjord, EXPORT | {"prepaid": "400.00"}, number=external.NUMBER)
    assert await opened(fjord) == kroner("600,00")
    await b1.paid(fjord, b1.euro("bank-2", "600,00", document, "6 930,00"))
    await settled(fjord)
    assert await opened(fjord) == balance(box, a.RECEIVABLE) == 0
    assert balance(box, b1.AGIO) + balance(box, b1.DISAGIO) == kroner("10,00")
    assert all_matched(fjord)


async def test_3_ore_that_are_left_are_rounded_away_where_the_mapping_says_so(founded: Any) -> None:
    async with founded(issues="source", mapping=b3.ROUNDED) as fjord:
        box = fjord.box
        document = await booked(fjord)
        await b3.paid(fjord, "bank-1", "12 499,50", document)
        await settled(fjord)
        assert ((await fjord.document(kind="invoice")).state, await opened(fjord)) == ("paid", 0)
        assert (balance(box, a.RECEIVABLE), balance(box, b3.ROUNDING)) == (0, kroner("0,50"))
        assert all_matched(fjord)


# --- 4 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
async def test_4_an_invoice_waits_with_choices_and_is_never_re_dated(fjord: Any, known: bool) -> None:
    """Whether the ledger shows the closed period, or refuses by a VAT term that shows nowhere."""
    books = fjord.box.books
    if known:
        books.closed_months.add(b4.JANUARY)
    else:
        books.rules.vat_closed_until = date(2027, 2, 28)
    item = await external.waiting(fjord, external.INVOICE, "period-closed")
    assert {"retry", "cancel"} <= set(item["verbs"])
    if known:
        assert item["details"]["details"]["first_open_day"] == "2027-02-01"
    assert bool(
        [one for one in fjord.box.requests if one.path.endswith("/ledger/voucher") and one.method == "POST"]
    ) != (known)
    books.closed_months.clear()
    books.rules.vat_closed_until = None
    await b4.retried(fjord, item)
    await fjord.work(within=1)
    (voucher,) = external.vouchers(fjord.box)
    assert voucher["date"] == "2027-01-15"
    assert await fjord.get("/v1/attention") == []


async def test_4_a_payment_is_booked_on_the_first_open_day_where_the_mapping_says_so(founded: Any) -> None:
    async with founded(issues="source", mapping=b4.FIRST_OPEN_DAY) as fjord:
        document = await booked(fjord)
        fjord.box.books.closed_months |= {b4.JANUARY, b4.FEBRUARY}
        await fjord.post("/v1/payments", b4.payment(document))
        await fjord.work(within=1)
        await settled(fjord)
        (_, voucher) = external.vouchers(fjord.box)
        assert voucher["date"] == "2027-03-01"
        assert "2027-01-29" in voucher["description"]
        kept = await fjord.document(kind="payment")
        assert kept.body["date"] == "2027-01-29"
        assert await opened(fjord) == kroner("7 500,00")
