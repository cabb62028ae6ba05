"""What Visma Net refuses, in our words, with its own text beside it; and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import ConnectorError, Refused, Stop, TryLater, VendorError
from connector.ports import Goal, Kind, Proof, Run

sys.path.append(str(Path(__file__).parent))
from visma_driving import credit_goal, customer_goal, invoice_goal, line, opened, payment_goal, reach


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


@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.PAYMENT])
async def test_what_does_not_show_is_believed_to_be_gone_only_after_settling(kind: Kind) -> None:
    """A read from a copy that lags behind: nobody is told to make it anew because of that."""
    async with Sandbox() as box:
        system = opened(box, settle=0.4)
        id = (await reach(system, customer_goal()))["read"].id
        goal = invoice_goal(id) if kind is Kind.INVOICE else payment_goal(id, amount="100.00")
        create, release, read = system.flow(goal)
        proofs = {create.name: await create.call(Run(goal, {}))}
        (table,) = (box.books.tables[name] for name in ("invoice", "payment") if name in box.books.tables)
        hidden = dict(table)
        table.clear()
        for again in (release.call, release.look):
            with pytest.raises(TryLater) as later:
                await again(Run(goal, proofs))
            assert later.value.code == "not-shown-yet"
        table |= hidden
        await release.call(Run(goal, proofs))
        table.clear()
        await asyncio.sleep(0.4)
        with pytest.raises(Stop) as exc:
            await read.call(Run(goal, proofs | {"release": Proof("1")}))
        assert exc.value.code == "nothing-read-back"
        assert "only then" in exc.value.do


async def test_a_payment_that_a_list_does_not_show_is_found_by_its_number() -> None:
    async with Sandbox() as box:
        system = opened(box, settle=0)
        id = (await reach(system, customer_goal()))["read"].id
        goal = payment_goal(id, amount="100.00")
        create, release, _ = system.flow(goal)
        proofs = {"payment": await create.call(Run(goal, {}))}
        box.fault("GET /v1/customerPayment$", "stale", count=9)
        for row in box.books.tables["payment"].values():
            row["_made"] += timedelta(seconds=60)
        assert await release.call(Run(goal, proofs))


async def test_what_was_open_of_an_invoice_is_read_again_before_the_release() -> None:
    """Somebody registers the same money while our draft lies there, and two drafts of ours see the same amount open."""
    async with Sandbox(release="done") as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        made = (await reach(system, invoice_goal(id)))["read"].id
        goals = [payment_goal(id, (made, "12500.00"), marker=f"m-{n}") for n in range(2)]
        runs = []
        for goal in goals:
            create, release, _ = system.flow(goal)
            runs.append((release, Run(goal, {"payment": await create.call(Run(goal, {}))})))
        (release, run), (other, late) = runs
        await release.call(run)
        with pytest.raises(Stop) as exc:
            await other.call(late)
        assert (exc.value.code, exc.value.details["open"]) == ("exceeds-open-amount", "0.00")
        assert sorted(row["status"] for row in box.books.tables["payment"].values()) == ["Balanced", "Closed"]
        asked = sum(came.path.endswith("/action/release") for came in box.requests)
        assert asked == 2  # the invoice's and the first payment's


async def test_what_a_credit_note_is_applied_to_is_read_again_before_the_release() -> None:
    async with Sandbox(release="done") as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        made = (await reach(system, invoice_goal(id)))["read"].id
        goal = credit_goal(id, made)
        create, release, _ = system.flow(goal)
        proofs = {"document": await create.call(Run(goal, {}))}
        box.pays((made, "10000.00"), day=date(2027, 2, 1))
        with pytest.raises(Stop) as exc:
            await release.call(Run(goal, proofs))
        assert (exc.value.code, exc.value.details) == ("exceeds-open-amount", {"open": "2500.00", "amount": "3125.00"})
        assert [row["status"] for row in box.books.tables["creditnote"].values()] == ["Balanced"]


async def test_a_vendor_error_keeps_its_support_id() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        error = await refused(invoice_goal(id, currencyId="XXX"), system)
        assert isinstance(error, VendorError)
        assert len(error.where["visma_id"]) == 36
