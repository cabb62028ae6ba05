"""Issued elsewhere, and it cannot be booked as it is: it stops with a reason, and nothing is booked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import EMPLOYEE_TOKEN, orders, registers
from connector.model import Draft, compose

_spec = spec_from_file_location("scenario_a_external", Path(__file__).parent / "test_a_external.py")
assert _spec is not None
assert _spec.loader is not None
external = module_from_spec(_spec)
_spec.loader.exec_module(external)
a, fjord = external.a, external.fjord
INVOICE, KID, booked, waiting, vouchers, groups = (
    external.INVOICE, external.KID, external.booked, external.waiting, external.vouchers, external.groups,
)  # fmt: skip


async def test_vat_that_the_ledger_would_compute_otherwise(fjord: Any) -> None:
    """2 499,99 is stated of 10 000,00 at 25 %, which the rules of EHF allow: the ledger would book 2 500,00."""
    stated = compose(Draft.model_validate(INVOICE | {"lines": [a.ORE["lines"][0] | {"price": "10000.00"}]}))
    totals = stated.totals
    assert totals is not None
    body = stated.model_copy(
        update={
            "vat_breakdown": (stated.vat_breakdown[0].model_copy(update={"tax_amount": Decimal("2499.99")}),),
            "totals": totals.model_copy(
                update={"tax": Decimal("2499.99"), "tax_inclusive": Decimal("12499.99"), "payable": Decimal("12499.99")}
            ),
        }
    )
    item = await waiting(fjord, body.model_dump(mode="json", exclude_defaults=True), "vat-differs")
    assert "2499.99" in item["said"]
    assert "2500.00" in item["said"]


async def test_a_number_that_tripletex_has_given_itself(fjord: Any) -> None:
    books = fjord.box.books
    customer = registers.create(books, registers.REGISTERS["customer"], {"name": "Annen AS"})
    lines = [{"description": "x", "count": 1, "unitPriceExcludingVatCurrency": 1, "vatType": {"id": 3}}]
    order = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14"}
    books.charge(orders.create_order(books, order | {"orderLines": lines}), date(2027, 1, 15))
    await waiting(fjord, INVOICE, "number-taken")


async def test_an_account_that_is_not_there(fjord: Any) -> None:
    del fjord.box.books.things["account"][fjord.box.books.account(3001).id]
    item = await waiting(fjord, INVOICE, "account-unknown")
    assert "3001" in item["said"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"currency": "GBP"}, "currency-unknown"),
        ({"prepaid": "100.00"}, "prepaid-without-credit"),
        ({"dimensions": {"department": "10"}}, "department-unknown"),
        ({"dimensions": {"location": "Bergen"}}, "not-expressible"),
        ({"dimensions": {"seller": "7"}}, "not-expressible"),
    ],
)
async def test_what_is_not_booked(fjord: Any, change: dict[str, Any], code: str) -> None:
    await waiting(fjord, INVOICE | change, code)


async def test_without_the_right_to_send_to_the_ledger(fjord: Any) -> None:
    fjord.box.shrink("advanced_voucher")
    (spoke,) = fjord.house.spokes()
    probe = await fjord.house.probe(spoke)
    assert list(probe.missing) == ["Advanced Voucher (Avansert bilag)"]
    assert any("Advanced Voucher" in one for one in probe.needs)
    await fjord.post("/v1/invoices", INVOICE)
    await fjord.work(within=1)
    assert vouchers(fjord.box) == []
    (item,) = await fjord.get("/v1/attention")
    assert (item["code"], item["verbs"]) == ("right-missing", ["resume"])
    assert "Advanced Voucher" in item["do"]
    fjord.box.access[EMPLOYEE_TOKEN].rights.add("advanced_voucher")
    solved = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "resume"})
    assert solved.status_code == 204
    await fjord.work(within=1)
    assert len(vouchers(fjord.box)) == 1


async def test_matching_that_the_ledger_refuses_waits_for_a_person(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        books = fjord.box.books
        await booked(fjord)
        books.unclosable = lambda rows: "Nei."
        answer = await fjord.post(
            "/v1/payments",
            {"source_id": "bank-1", "direction": "in", "date": "2027-02-01", "amount": "12500.00", "currency": "NOK",
             "bank_account": a.OWN_ACCOUNT, "kid": KID},
        )  # fmt: skip
        await fjord.work(within=2)
        (item,) = await fjord.get("/v1/attention")
        assert (item["code"], "Nei." in item["said"]) == ("not-matched", True)
        del books.unclosable
        solved = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        assert solved.status_code == 204
        await fjord.work(within=2)
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert len(vouchers(fjord.box)) == 2
        assert len(groups(fjord.box)) == 1
