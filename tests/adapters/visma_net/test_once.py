"""Once: whatever call of whatever flow loses its answer, or is lost itself, a thing is made one time."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import Refused
from connector.ports import File, Goal, Issued, Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import credit_goal, customer_goal, invoice_goal, opened, payment_goal, reach, reversal_goal

FAULTS = ("no-answer", "no-answer-before", "500-after", "500-before", "garbled", "429", "stale")
OLA = {"name": "Ola Nordmann", "corporateId": None, "mainContact": {"email": "ola@nordmann.no"}}


async def story(system: Any, box: Sandbox) -> None:
    """Customers, an invoice, a credit note and a payment of a part of it each, and a payment that is taken back."""
    id = (await reach(system, customer_goal()))["read"].id
    await reach(system, customer_goal("m-ola", **OLA))
    await reach(system, customer_goal("m-per", name="Per Hansen", corporateId=None))
    await reach(system, Goal(Kind.CUSTOMER, "update", "m-2", {"gln": "7080000000000"}, target=id))
    invoice = (await reach(system, invoice_goal(id)))["read"].id
    await reach(system, credit_goal(id, invoice))
    await reach(system, payment_goal(id, (invoice, "5000.00")))
    wrong = (await reach(system, payment_goal(id, (invoice, "10.00"), marker="m-pay-2")))["read"].id
    await reach(system, reversal_goal(wrong))


def outcome(box: Sandbox) -> Any:
    tables = box.books.tables
    return (
        sorted((row["name"], row.get("gln")) for row in tables["customer"].values()),
        [(row["status"], row["balance"]) for row in tables["invoice"].values()],
        [(row["status"], row["balance"]) for row in tables["creditnote"].values()],
        [(row["type"], row["status"], row["paymentAmount"]) for row in tables["payment"].values()],
        sorted(amount for _, _, amount in box.books.entries),
    )


WANTED = (
    [("Kjøper AS", "7080000000000"), ("Ola Nordmann", None), ("Per Hansen", None)],
    [("Open", Decimal(4375))],
    [("Closed", Decimal(0))],
    [("Payment", "Closed", Decimal(5000)), ("Payment", "Voided", Decimal(10)), ("VoidPayment", "Closed", Decimal(-10))],
    sorted(
        [
            Decimal(one)
            for one in ("12500", "-8160", "-2000", "-2040", "-300", "5000", "-5000", "10", "-10", "10", "-10")
        ]
        + [Decimal(one) for one in ("-3125", "2040", "500", "510", "75")]
    ),
)


async def calls(release: str) -> int:
    async with Sandbox(release=release) as box:
        system = opened(box)
        await story(system, box)
        assert outcome(box) == WANTED
        await system.close()
        return len(box.requests)


@pytest.mark.parametrize("release", ["queued", "background"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_every_call(fault: str, release: str) -> None:
    for number in range(await calls(release)):
        async with Sandbox(release=release) as box:
            system = opened(box)
            # A read that lags behind: of lists, in which what may have been made is looked for.
            calls_hit = "GET /v1/customer(invoice|CreditNote)?$" if fault == "stale" else ""
            box.fault(calls_hit, fault, after=number, seconds=0)
            await story(system, box)
            assert outcome(box) == WANTED, f"call {number}"
            await system.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_invoice_under_its_own_number(fault: str) -> None:
    for number in range(7):
        async with Sandbox(manual_numbers=True) as box:
            system = opened(box, own_numbers=True)
            id = (await reach(system, customer_goal()))["read"].id
            issued = Issued("A-17", "0000100172")
            box.fault("GET /v1/customerinvoice$" if fault == "stale" else "", fault, after=number, seconds=0)
            made = await reach(system, replace(invoice_goal(id), operation="register", issued=issued))
            assert (made["read"].id, made["read"].facts["kid"]) == ("A-17", "0000100172")
            assert len(box.books.tables["invoice"]) == 1


async def test_the_second_flow_with_the_same_marker_is_found_by_looking() -> None:
    """A marker that is contained in another is not it: the filter finds in part, and what is found is compared."""
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        await reach(system, invoice_goal(id, "m-invoice-11"))
        box.fault("POST /v2/customerinvoice", "no-answer-before")
        await reach(system, invoice_goal(id, "m-invoice-1"))
        assert len(box.books.tables["invoice"]) == 2


@pytest.mark.parametrize("fault", ["no-answer", "no-answer-before", "500-after", "429"])
async def test_files_are_on_the_draft_before_it_is_released(fault: str) -> None:
    files = (File("Timer.pdf", "application/pdf", b"%PDF-1.4 a"), File("Timer.pdf", "application/pdf", b"%PDF-1.4 b"))
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        box.fault("POST /v1/customerinvoice/.*/attachment", fault, seconds=0)
        await reach(system, replace(invoice_goal(id), files=files))
        (row,) = box.books.tables["invoice"].values()
        assert row["_files"] == {"1-Timer.pdf": b"%PDF-1.4 a", "2-Timer.pdf": b"%PDF-1.4 b"}
        assert [one["revision"] for one in row["attachments"]] == [1, 1]
        paths = [came.path.rpartition("/")[2] for came in box.requests if came.method == "POST"]
        assert paths.index("release") > max(at for at, path in enumerate(paths) if path == "attachment")


async def test_a_file_that_is_too_large_is_refused_before_anything_is_sent() -> None:
    async with Sandbox() as box:
        goal = replace(invoice_goal("1"), files=(File("stor.pdf", "application/pdf", b"x" * (2**20 + 1)),))
        with pytest.raises(Refused) as exc:
            opened(box, attachment_mb=1).flow(goal)
        assert exc.value.code == "attachment-too-large"


async def test_a_customer_that_was_made_and_cannot_be_read_is_not_made_again() -> None:
    """Without organisation number and e-mail address only our marker tells it: a failed read proves nothing."""
    async with Sandbox() as box:
        box.fault(r"GET /v1/customer/\d+$", "500-before", count=3)  # as often as a read is tried
        await reach(opened(box), customer_goal("m-per", name="Per Hansen", corporateId=None))
        assert len(box.books.tables["customer"]) == 1
