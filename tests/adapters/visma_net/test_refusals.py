"""What Visma Net refuses, in our words, with its own text beside it; and what is refused before anything is sent."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import ConnectorError, Refused, Stop, VendorError
from connector.ports import Goal, Kind, Run

sys.path.append(str(Path(__file__).parent))
from visma_driving import customer_goal, invoice_goal, line, opened, payment_goal, reach


async def refused(goal: Goal, system: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as exc:
        await reach(system, goal)
    return exc.value


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"documentDate": "2031-01-15", "documentDueDate": "2031-01-29"}, "period-closed"),
        ({"invoiceLines": [line("Vare", 1, "1.00", "99")]}, "vat-code-unknown"),
        ({"invoiceLines": [line("Vare", 1, "1.00", "3", "9999")]}, "account-inactive"),
        ({"invoiceLines": [line("Vare", 1, "1.00", "3", "3200")]}, "account-inactive"),
        ({"currencyId": "XXX"}, "currency-unknown"),
    ],
)
async def test_what_the_vendor_refuses(more: dict[str, Any], code: str) -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        box.books.tables["account"]["3200"]["active"] = False
        error = await refused(invoice_goal(id, **more), system)
        assert isinstance(error, Refused)
        assert (error.code, error.status) == (code, 400)
        assert error.said_by_vendor
        assert "VismaId" not in error.said_by_vendor
        assert error.do
        assert box.books.tables.get("invoice", {}) == {}


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"payment_method": "9"}, "payment-type-unknown"), ({"cash_account": "9"}, "payment-type-unknown")],
)
async def test_payments_that_the_vendor_refuses(settings: dict[str, Any], code: str) -> None:
    async with Sandbox() as box:
        system = opened(box, **settings)
        id = (await reach(system, customer_goal()))["read"].id
        assert (await refused(payment_goal(id, amount="10.00"), system)).code == code


async def test_an_inactive_customer() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        box.books.tables["customer"]["10001"]["status"] = "Inactive"
        assert (await refused(invoice_goal(id), system)).code == "customer-inactive"
        assert (await refused(customer_goal("m-2"), system)).code == "customer-inactive"


async def test_more_than_is_open_is_not_paid() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        made = (await reach(system, invoice_goal(id)))["read"].id
        error = await refused(payment_goal(id, (made, "12500.01")), system)
        assert isinstance(error, Stop)
        assert (error.code, error.details["open"]) == ("exceeds-open-amount", "12500.00")
        assert box.books.tables.get("payment", {}) == {}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"paymentAmount": Decimal("10.001")}, "too-many-decimals"),
        ({"paymentAmount": Decimal("0")}, "payment-not-positive"),
        ({"paymentAmount": "ti"}, "amount-malformed"),
        ({"applicationDate": None}, "date-missing"),
        ({"applicationDate": "i dag"}, "date-malformed"),
    ],
)
async def test_what_is_refused_before_anything_is_sent(record: dict[str, Any], code: str) -> None:
    async with Sandbox() as box:
        goal = payment_goal("4101", amount="10.00")
        assert (await refused(Goal(Kind.PAYMENT, "create", "m", {**goal.record, **record}), opened(box))).code == code
        assert not box.requests


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"documentDate": None}, "date-missing"),
        ({"documentDueDate": "2027-01-01"}, "due-before-invoice"),
        ({"invoiceLines": [line("Vare", 1, "1.00", "")]}, "vat-code-missing"),
        ({"invoiceLines": [line("Vare", 1, "1.00", "3", "")]}, "account-missing"),
    ],
)
async def test_an_invoice_that_says_too_little(more: dict[str, Any], code: str) -> None:
    async with Sandbox() as box:
        assert (await refused(invoice_goal("4101", **more), opened(box))).code == code
        assert not box.requests


async def test_what_cannot_be_done_is_said_so() -> None:
    async with Sandbox() as box:
        system = opened(box)
        for kind, operation in (
            (Kind.SETTLEMENT, "create"),
            (Kind.INVOICE, "update"),
            (Kind.EXTERNAL_INVOICE, "create"),
        ):
            assert (kind, operation) not in system.capabilities
            assert (await refused(Goal(kind, operation, "m", {}), system)).code == "operation-not-supported"


async def test_customers_that_are_there_twice() -> None:
    async with Sandbox() as box:
        system = opened(box)
        await reach(system, customer_goal())
        row = dict(box.books.tables["customer"]["10001"], number="10002", internalId=9)
        box.books.tables["customer"]["10002"] = row
        error = await refused(customer_goal("m-2"), system)
        assert (error.code, error.answers) == ("customer-duplicates", ("happened",))


async def test_a_customer_changed_by_somebody_else_is_decided_anew() -> None:
    async with Sandbox() as box:
        system = opened(box)
        record = (await reach(system, customer_goal()))["read"].record
        box.books.tables["customer"]["10001"]["name"] = "Kjøper Norge AS"
        goal = Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Kjøper II AS"}, target=record.id, seen=record.body)
        assert (await reach(system, goal))["made"].facts["moved"] is True
        assert box.books.tables["customer"]["10001"]["name"] == "Kjøper Norge AS"


async def test_an_invoice_somebody_has_deleted_before_its_release() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        create, release, _ = system.flow(invoice_goal(id))
        proofs = {"document": await create.call(Run(invoice_goal(id), {}))}
        box.books.tables["invoice"].clear()
        with pytest.raises(Stop) as exc:
            await release.call(Run(invoice_goal(id), proofs))
        assert exc.value.code == "nothing-read-back"


async def test_a_vendor_error_keeps_its_support_id() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        error = await refused(invoice_goal(id, currencyId="XXX"), system)
        assert isinstance(error, VendorError)
        assert len(error.where["visma_id"]) == 36
