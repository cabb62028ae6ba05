"""Which version made what, which one is worked with, and what is redone when another comes into force."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.accounting.tripletex.sandbox import registers
from connector import plugins
from connector.api.examples import CUSTOMER, INVOICE_DRAFT
from connector.errors import BadInput, Stop
from connector.mapping import Mapping
from connector.ports import Kind
from connector.service import applying, mappings
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import attention, audit, connections, documents, links, mapping_versions
from connector.sync import remapping
from connector.sync.remapping import Remap

STREET = "party.address.street: postalAddress.addressLine2"
SWAPPED = f"customer: {{fields: {{{STREET}, party.address.additional_street: postalAddress.addressLine1}}}}"
NO_DAY = "invoice: {fields: {delivery.day: null}, loses: {delivery.day: Not used.}}"


def say(folder: Path, mapping: str) -> None:
    """Have the file say this of the mapping of `books`."""
    file = folder / "mappings" / "tenants" / "fjord.yaml"
    head, _, rest = file.read_text().partition("    mapping: ")
    file.write_text(f"{head}    mapping: {{kinds: {{{mapping}}}}}\n{rest.partition(chr(10))[2]}")


async def applied(two: Any, folder: Path, mapping: str) -> str:
    """Say it in the file, put it in force as the command does, and have the service take it over; the version."""
    say(folder, mapping)
    house, spoke = two.house, two.house.named("fjord", "books")
    row = await house.store.read(lambda tx: connections.get(tx, spoke.id))
    ready = await applying.ready(house.store, house, row, plugins.accounting(), spoke=spoke, last=None)
    (done,) = await house.store.write(lambda tx: applying.apply(tx, [ready], who="kari"))
    await house.take_over()
    assert house.named("fjord", "books").mapping.version == done["version"]
    return str(done["version"])


async def remapped(two: Any, *, do: bool = False) -> list[Remap]:
    """What other versions made at `books`; redone, where told."""
    house, spoke = two.house, two.house.named("fjord", "books")
    kept: dict[str, Mapping] = {}
    row = await house.store.read(lambda tx: connections.get(tx, spoke.id))
    for version in await house.store.read(lambda tx: links.makers(tx, spoke.id)):
        kept[version] = await applying.mappings.kept(house.store, row, version, plugins.accounting())
    found: list[Remap] = await house.store.read(lambda tx: remapping.page(tx, spoke, kept.get))
    for one in found if do else ():
        await house.store.write(lambda tx, o=one: remapping.redo(tx, house, spoke, kept.get, o))
    await two.work(within=1.0)
    return found


def addresses(two: Any) -> list[dict[str, Any]]:
    """The postal addresses of the customers in `books`, oldest customer first."""
    books = two.books.books
    return [
        dict(books.things[one["postalAddress"].type][one["postalAddress"].id])
        for one in books.things["customer"].values()
    ]


async def made_by(two: Any, kind: str) -> tuple[str | None, str | None]:
    (document,) = await two.house.store.read(lambda tx: documents.find(tx, "fjord", kind=kind))
    spoke = two.house.named("fjord", "books")
    link = await two.house.store.read(lambda tx: links.of(tx, document.id, spoke.id))
    assert link is not None
    return link.written_by, link.read_by


async def test_every_document_says_which_version_made_it(two: Any, tmp_path: Path) -> None:
    first = two.house.named("fjord", "books").mapping.version
    await two.done("/v1/customers", CUSTOMER)
    assert await made_by(two, "customer") == (first, first)
    second = await applied(two, tmp_path, SWAPPED)
    two.books.books.add("department", name="Salg", departmentNumber="7", isInactive=False)
    await two.poll(Kind.DEPARTMENT, of="books")
    assert await made_by(two, "department") == (None, second)
    (department,) = await two.house.store.read(lambda tx: documents.find(tx, "fjord", kind="department"))
    (customer,) = await two.house.store.read(lambda tx: documents.find(tx, "fjord", kind="customer"))
    assert (department.mapping_version, customer.mapping_version) == (second, None), "a program said the customer"


async def test_what_we_wrote_is_written_again_once(two: Any, tmp_path: Path) -> None:
    await two.done("/v1/customers", CUSTOMER)
    before = addresses(two)[0]["addressLine1"]
    assert before
    second = await applied(two, tmp_path, SWAPPED)
    (shown,) = await remapped(two)
    assert (shown.fate, shown.preview.way) == ("push", "out")
    assert {one.field: (one.against, one.now) for one in shown.preview.differs} == {
        "postalAddress.addressLine1": (before, None),
        "postalAddress.addressLine2": (None, before),
    }
    assert addresses(two)[0]["addressLine1"] == before, "it was only looked at"
    await remapped(two, do=True)
    address = addresses(two)[0]
    assert (address.get("addressLine1") or "", address["addressLine2"]) == ("", before)
    assert (await made_by(two, "customer"))[0] == second
    calls = len(two.books.requests)
    assert await remapped(two, do=True) == []
    assert len(two.books.requests) == calls, "nothing is done twice"
    await two.poll(Kind.CUSTOMER, of="books")
    assert (await two.document(kind="customer")).body["party"]["address"]["street"] == before, "no echo"
    assert await two.waits() == []


async def test_what_we_read_is_read_again(two: Any, tmp_path: Path) -> None:
    made = {"name": "Kunde AS", "postalAddress": {"addressLine1": "Storgata 1"}}
    registers.create_customer(two.books.books, made)
    await two.poll(Kind.CUSTOMER, of="books")
    assert (await two.document(kind="customer")).body["party"]["address"]["street"] == "Storgata 1"
    second = await applied(two, tmp_path, SWAPPED)
    (shown,) = await remapped(two, do=True)
    assert (shown.fate, shown.preview.way) == ("take", "in")
    address = (await two.document(kind="customer")).body["party"]["address"]
    assert (address.get("street"), address["additional_street"]) == (None, "Storgata 1")
    assert await made_by(two, "customer") == (None, second)
    assert await remapped(two) == []
    await two.poll(Kind.CUSTOMER, of="books")
    assert (await two.document(kind="customer")).body["party"]["address"] == address, "no echo"


async def test_what_is_issued_is_told_as_drift_and_stays(two: Any, tmp_path: Path) -> None:
    first = two.house.named("fjord", "books").mapping.version
    assert (await two.done("/v1/invoices", INVOICE_DRAFT | {"delivery": {"day": "2027-01-13"}}))["state"] == "done"
    await applied(two, tmp_path, NO_DAY)
    before = dict(await two.get("/v1/documents", kind="invoice"))
    found = await remapped(two, do=True)
    assert [(one.fate, one.fields) for one in found if one.preview.kind == "invoice"] == [
        ("drift", ("order.deliveryDate",))
    ]
    assert await two.waits() == ["drift"]
    assert dict(await two.get("/v1/documents", kind="invoice")) == before
    assert (await made_by(two, "invoice"))[0] == first, "the old version made it, and that stays true"
    items = await two.house.store.read(lambda tx: attention.find(tx, tenant="fjord"))
    events = len(await two.events())
    (again,) = [one for one in await remapped(two, do=True) if one.preview.kind == "invoice"]
    assert again.why == "told already"
    assert await two.house.store.read(lambda tx: attention.find(tx, tenant="fjord")) == items
    assert len(await two.events()) == events


async def test_broken_off_and_run_again_it_goes_on(two: Any, tmp_path: Path) -> None:
    for number in range(3):
        customer = CUSTOMER | {"source_id": f"c{number}", "number": None, "party": {"name": f"Kunde {number}"}}
        customer["party"]["address"] = {"street": f"Gate {number}", "city": "Oslo", "country": "NO"}
        await two.done("/v1/customers", customer)
    await applied(two, tmp_path, SWAPPED)
    house, spoke = two.house, two.house.named("fjord", "books")
    row = await house.store.read(lambda tx: connections.get(tx, spoke.id))
    (first,) = [v for v in await house.store.read(lambda tx: links.makers(tx, spoke.id)) if v != spoke.mapping.version]
    old = {first: await applying.mappings.kept(house.store, row, first, plugins.accounting())}
    found = await house.store.read(lambda tx: remapping.page(tx, spoke, old.get))
    await house.store.write(lambda tx: remapping.redo(tx, house, spoke, old.get, found[0]))
    await house.store.write(lambda tx: remapping.redo(tx, house, spoke, old.get, found[0]))  # before it has been done
    assert [one.fate for one in await house.store.read(lambda tx: remapping.page(tx, spoke, old.get))] == [
        "wait", "push", "push",
    ]  # fmt: skip
    await remapped(two, do=True)
    assert {one["addressLine2"] for one in addresses(two)} == {
        "Gate 0", "Gate 1", "Gate 2",
    }  # fmt: skip
    changed = [one for one in two.books.requests if one.method == "PUT" and "/customer/" in one.path]
    assert len(changed) == 3


# --- which one is worked with -----------------------------------------------------------------------------------------


async def test_files_that_are_changed_are_not_used_until_they_are_applied(two: Any, tmp_path: Path) -> None:
    first = two.house.named("fjord", "books").mapping.version
    say(tmp_path, SWAPPED)
    with capture_logs() as logs:
        async with open_house(Settings()) as other:
            assert other.named("fjord", "books").mapping.version == first
            (unapplied,) = other.unapplied()
            assert (unapplied.connection, unapplied.in_force) == ("books", first)
            assert logs == [], "only a service that starts says it"
            mappings.log_unapplied([unapplied])
    (warned,) = [one for one in logs if one["event"] == "mapping-not-applied"]
    assert warned["connections"] == [f"fjord/books: {first}, files {unapplied.files}"]


async def test_a_running_service_takes_over_what_another_process_applies(two: Any, tmp_path: Path) -> None:
    async with open_house(Settings()) as other:
        following = asyncio.create_task(other.follow())
        second = await applied(two, tmp_path, SWAPPED)
        await _until(other, second)
        spoke = two.house.named("fjord", "books")
        row = await two.house.store.read(lambda tx: connections.get(tx, spoke.id))
        back = await applying.rollback(two.house.store, row, plugins.accounting(), who="ola")
        await _until(other, back["version"])
        following.cancel()
    log = await two.house.store.read(lambda tx: mapping_versions.history(tx, row.id))
    assert [(one.did, one.who) for one in log] == [("rollback", "ola"), ("apply", "kari"), ("first", "connector")]
    decided = await two.house.store.read(lambda tx: audit.find(tx, "fjord"))
    assert [(one.who, one.did, one.details["version"]) for one in decided if one.about == f"connection:{row.id}"] == [
        ("connector", "mapping-first", back["version"]),
        ("kari", "mapping-apply", second),
        ("ola", "mapping-rollback", back["version"]),
    ]
    with pytest.raises(BadInput) as nothing:
        await applying.rollback(two.house.store, row, plugins.accounting(), who="ola")
    assert nothing.value.code == "mapping-nothing-before"


async def _until(house: House, version: str) -> None:
    async with asyncio.timeout(20):
        while house.named("fjord", "books").mapping.version != version:
            await asyncio.sleep(0.1)


async def test_what_was_decided_before_says_the_version_that_decided_it(
    two: Any, tmp_path: Path, register: Any
) -> None:
    first = two.house.named("fjord", "books").mapping.version
    two.books.fault("POST /customer", "500-before")
    await two.post("/v1/customers", CUSTOMER)
    await two.work()
    assert register(two.books, "customer") == []
    await applied(two, tmp_path, SWAPPED)
    await two.work(within=10.0)
    assert addresses(two)[0]["addressLine1"], "the goal was decided by the first"
    assert (await made_by(two, "customer"))[0] == first


async def test_a_version_that_would_stop_documents_is_not_applied(two: Any, tmp_path: Path) -> None:
    await two.done("/v1/customers", CUSTOMER)
    refuses = "customer: {refuse: {all: {when: {ours: {party.name: {present: true}}}, says: No names.}}}"
    with pytest.raises(Stop) as stops:
        await applied(two, tmp_path, refuses)
    assert stops.value.code == "mapping-stops"
    assert "No names." in str(stops.value.details)
