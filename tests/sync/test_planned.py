"""A plan is shown whole, saved, and done exactly so, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.api.examples import CUSTOMER, INVOICE_DRAFT, PRODUCT
from connector.errors import BadInput, Stop
from connector.model.json import dumps
from connector.ports import Kind
from connector.store import audit, connections, documents, links
from connector.sync import planned
from connector.sync.catching_up import catch_up
from connector.sync.first_sync import status
from connector.sync.onboarding import observing
from connector.sync.plan import Step, plan


async def mode(two: Any, to: str) -> None:
    for spoke in two.house.spokes():
        await two.house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode=to))


async def steps_of(two: Any, connection: str = "books", **more: Any) -> list[Step]:
    spoke = two.house.named("fjord", connection)
    return list(await two.house.store.read(lambda tx: plan(tx, two.house, spoke, **more)))


async def saved_of(two: Any) -> planned.Saved:
    spoke = two.house.named("fjord", "books")
    steps = await steps_of(two)
    return planned.read(dumps(await two.house.store.read(lambda tx: planned.save(tx, spoke, steps))))


async def do(two: Any, saved: planned.Saved, **more: Any) -> list[str]:
    spoke = two.house.named("fjord", "books")
    return list(await two.house.store.write(lambda tx: planned.do(tx, two.house, spoke, saved, who="kari", **more)))


def said(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.action, step.kind) for step in steps]


async def test_it_shows_what_would_be_created_changed_and_left(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    await mode(two, "observe")
    await two.post("/v1/customers", {"source_id": "customer-17", "invoice_email": "ny@eksempel.no"})
    await two.post("/v1/products", PRODUCT)
    await two.post("/v1/invoices", INVOICE_DRAFT)
    await two.work()
    steps = await steps_of(two)
    assert said(steps)[:2] == [("change", "customer"), ("create", "product")]
    assert ("create", "invoice") in said(steps)
    assert steps[0].record == {"invoiceEmail": "ny@eksempel.no"}
    assert "invoice_email" in steps[0].reason
    assert register(two.books, "customer")[0]["invoiceEmail"] != "ny@eksempel.no"
    shop = await steps_of(two, "shop")
    assert ("create", "invoice") not in said(shop), "no route leads there"
    await mode(two, "active")
    await catch_up(two.house.store, two.house, two.house.named("fjord", "books"))
    await two.work()
    assert await steps_of(two) == [], "what is shown is what a sync does"
    assert register(two.books, "customer")[0]["invoiceEmail"] == "ny@eksempel.no"
    left = await steps_of(two, leave=True)
    assert {step.action for step in left} == {"leave"}
    assert "what is there is what is here" in {step.reason for step in left}


async def test_a_saved_plan_is_done_exactly_and_once(two: Any, register: Any) -> None:
    await mode(two, "observe")
    await two.post("/v1/invoices", INVOICE_DRAFT)
    await two.work()
    saved = await saved_of(two)
    assert [(step.action, step.kind) for step in saved.does] == [("create", "customer"), ("create", "invoice")]
    with pytest.raises(Stop) as observing:
        await do(two, saved)
    assert observing.value.code == "connection-observes"
    await two.post("/v1/products", PRODUCT)  # nobody has approved this one
    await two.work()
    await do(two, saved, activate=True)
    await two.work()
    (invoice,) = await two.house.store.read(lambda tx: documents.find(tx, "fjord", kind="invoice"))
    assert invoice.state == "issued"
    assert register(two.books, "product") == []
    with pytest.raises(Stop) as again:
        await do(two, saved)
    assert again.value.code == "plan-moved"
    assert len(again.value.details) == 2
    decided = await two.house.store.read(lambda tx: audit.find(tx, "fjord"))
    assert [(one.who, one.did) for one in decided if one.did in ("plan", "active")] == [
        ("kari", "active"),
        ("kari", "plan"),
    ]


async def test_a_plan_activates_nothing_before_the_first_sync_is_decided(two: Any, register: Any) -> None:
    await mode(two, "observe")
    await two.post("/v1/customers", CUSTOMER)
    await two.work()
    saved, books = await saved_of(two), two.house.named("fjord", "books")
    await two.house.store.write(lambda tx: status.note(tx, books, status.OPEN, who="test"))
    with pytest.raises(Stop) as open_:
        await do(two, saved, activate=True)
    assert open_.value.code == "first-sync-open"
    await two.work()
    assert register(two.books, "customer") == []


async def test_where_one_step_has_moved_nothing_is_done(two: Any, register: Any) -> None:
    await mode(two, "observe")
    await two.post("/v1/customers", CUSTOMER)
    await two.post("/v1/products", PRODUCT)
    await two.work()
    saved = await saved_of(two)
    await two.post("/v1/products", {"source_id": "product-1", "price": "1100.00"})
    await two.work()
    with pytest.raises(Stop) as moved:
        await do(two, saved, activate=True)
    assert moved.value.code == "plan-moved"
    assert [(one["kind"], one["moved"]) for one in moved.value.details] == [("product", "it was changed here")]
    await two.work()
    assert register(two.books, "customer") == []
    rows = await two.house.store.read(lambda tx: connections.find(tx))
    assert {row.mode for row in rows} == {"observe"}, "nothing of it was done, the activation neither"


async def test_a_step_that_moves_while_the_plan_is_done_stops_by_itself(two: Any, register: Any) -> None:
    await mode(two, "observe")
    await two.post("/v1/customers", CUSTOMER)
    await two.work()
    saved = await saved_of(two)
    await do(two, saved, activate=True)
    books = two.house.named("fjord", "books")
    two.house._spokes[books.id] = replace(books, mapping=replace(books.mapping, version="another"))
    await two.work()
    assert register(two.books, "customer") == []
    assert await two.waits() == ["plan-moved"]
    await two.answer("plan-moved", "retry")
    assert len(register(two.books, "customer")) == 1, "a person has said to go on"


async def test_a_plan_of_something_else_is_refused(two: Any) -> None:
    saved = await saved_of(two)
    for wrong in ({"connection": "shop"}, {"store": "another"}):
        with pytest.raises(BadInput) as refused:
            await do(two, saved.model_copy(update=wrong))
        assert refused.value.code == "plan-of-another"
    for text in (b"{}", b"nonsense", b'{"format": "connector-plan-2"}'):
        with pytest.raises(BadInput) as malformed:
            planned.read(text)
        assert malformed.value.code == "plan-malformed"


async def test_a_night_counts_a_customer_once_however_it_is_paged(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await mode(two, "observe")
    for number in (1, 2, 3):
        await two.post("/v1/invoices", INVOICE_DRAFT | {"source_id": f"order-{number}"})
    await two.work()
    monkeypatch.setattr(observing, "_PAGE", 1)
    books = two.house.named("fjord", "books")
    report = await two.house.store.read(lambda tx: observing.observed(tx, two.house, books))
    assert report.would == {"customer": {"create": 1}, "invoice": {"create": 3}}


async def test_work_that_waits_is_shown_as_such(two: Any) -> None:
    await two.post("/v1/customers", CUSTOMER)
    (step,) = [one for one in await steps_of(two) if one.kind == Kind.CUSTOMER]
    assert (step.action, "asked for already" in step.reason) == ("create", True)


async def test_a_plan_of_which_another_record_would_be_sent_is_not_done(two: Any, register: Any) -> None:
    """The invoice, the mapping and what is known of the invoice there are as they were; but its customer is another
    record there by now.
    """
    await two.done("/v1/customers", CUSTOMER)
    await mode(two, "observe")
    await two.post("/v1/invoices", INVOICE_DRAFT)
    await two.work()
    saved, books = await saved_of(two), two.house.named("fjord", "books")
    assert [step.kind for step in saved.does] == ["invoice"]
    other = two.books.books.add("customer", name="Eksempel AS", customerNumber=99)

    def relink(tx: Any) -> None:
        (customer,) = documents.find(tx, "fjord", kind="customer")
        link = links.of(tx, customer.id, books.id)
        assert link is not None
        links.named_otherwise(tx, link, str(other["id"]))

    await two.house.store.write(relink)
    with pytest.raises(Stop) as moved:
        await do(two, saved, activate=True)
    assert [one["moved"] for one in moved.value.details] == ["another record would be sent"]
    await two.work()
    assert register(two.books, "invoice") == []


async def test_what_a_person_has_cancelled_is_not_counted_as_done(two: Any) -> None:
    await mode(two, "observe")
    await two.post("/v1/customers", CUSTOMER)
    await two.post("/v1/products", PRODUCT)
    await two.work()
    saved, books = await saved_of(two), two.house.named("fjord", "books")

    async def outcome() -> dict[str, int]:
        return dict(await two.house.store.read(lambda tx: planned.outcome(tx, books, saved)))

    assert await outcome() == {"done": 0, "cancelled": 0, "waiting": 0, "open": 2}, "nothing was asked for yet"
    await do(two, saved, activate=True)
    two.house._spokes[books.id] = replace(books, mapping=replace(books.mapping, version="another"))
    await two.work()
    assert await outcome() == {"done": 0, "cancelled": 0, "waiting": 2, "open": 0}
    first, second = [item["id"] for item in await two.get("/v1/attention")]
    for item, verb in ((first, "cancel"), (second, "retry")):
        assert (await two.client.post(f"/v1/attention/{item}/resolve", json={"verb": verb})).status_code == 204
    await two.work()
    assert await outcome() == {"done": 1, "cancelled": 1, "waiting": 0, "open": 0}
