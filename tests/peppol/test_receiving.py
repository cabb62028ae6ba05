"""What comes in: kept before it is confirmed, once, and on its way by its type and its owner."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from company import NUMBER, TENANT, ehf, sbd

from connector.peppol import envelope
from connector.store import documents
from connector.testing.samples import purchase


async def test_an_invoice_comes_once_however_often_it_is_handed_over(founded: Any) -> None:
    async with founded(points=2) as fjord:
        bill, instance = purchase(NUMBER, "F-1"), str(uuid.uuid4())
        body = sbd(bill, instance)
        for point in (0, 0, 1):  # twice by the one, and by the other access point as well
            answer = await fjord.call(body, instance, point=point)
            assert (answer.status_code, answer.json()) == (200, {"countryCodeC4": "NO"})
        await fjord.work()
        (document,) = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert (document["number"], document["state"]) == ("F-1", "received")
        original = await fjord.client.get(f"/v1/documents/{document['id']}/original")
        # To the byte, but for the declaration, which cannot stand inside an envelope.
        assert original.content.partition(b"?>")[2].strip() == bill.partition(b"?>")[2].strip()
        assert await fjord.waits() == []


async def test_a_forged_call_takes_nothing_in(founded: Any) -> None:
    async with founded() as fjord:
        instance = str(uuid.uuid4())
        body = sbd(purchase(NUMBER, "F-1"), instance)
        for _ in range(3):
            answer = await fjord.call(body, instance, secret="f" * 32)
            assert (answer.status_code, answer.json()["code"]) == (401, "signature-wrong")
        await fjord.work()
        assert (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"] == []
        assert await fjord.waits() == ["signature-wrong"]  # one question, however many come


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no xml at all", "xml-not-well-formed"),
        (b"<Order xmlns='urn:x'/>", "document-type-unknown"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "xml-dtd"),
        (b"<x>" + b"y" * 50 * 2**20 + b"</x>", "document-type-unknown"),
    ],
    ids=["no-xml", "order", "dtd", "50-mb"],
)
async def test_what_nobody_can_read_is_kept_and_explained(founded: Any, body: bytes, code: str) -> None:
    async with founded() as fjord:
        answer = await fjord.call(body, str(uuid.uuid4()))
        assert answer.status_code == 200
        await fjord.work()
        assert await fjord.waits() == [code]


async def test_what_is_larger_than_anybody_sends_is_not_taken(founded: Any) -> None:
    async with founded() as fjord:
        answer = await fjord.call(b"<x>" + b"y" * 101 * 2**20 + b"</x>", str(uuid.uuid4()))
        assert answer.json()["errorMessage"].startswith("body-too-large")
        assert await fjord.waits() == ["body-too-large"]


async def test_what_is_for_another_is_refused_at_the_door(founded: Any) -> None:
    async with founded() as fjord:
        instance = str(uuid.uuid4())
        answer = await fjord.call(sbd(purchase("974760673", "F-1"), instance), instance)
        # With a 2xx the network would be told that it has arrived.
        assert (answer.status_code, answer.json()["code"]) == (409, "message-for-another")
        assert await fjord.waits() == ["message-for-another"]


async def test_where_companies_share_an_access_point_each_gets_its_own(founded: Any) -> None:
    haven = TENANT.replace("fjord", "haven").replace("Fjord AS", "Haven AS").replace(NUMBER, "974760673")
    nobody = TENANT.replace("fjord", "nobody").replace('organisation_number: "923609016"\n', "")
    async with founded(others={"haven": haven, "nobody": nobody}) as fjord:
        instance = str(uuid.uuid4())
        answer = await fjord.call(sbd(purchase("974760673", "F-1"), instance), instance)
        assert answer.status_code == 200
        await fjord.work()
        found = {
            name: await fjord.house.store.read(lambda tx, n=name: documents.find(tx, n, kind="supplier_invoice"))
            for name in ("fjord", "haven", "nobody")
        }
        assert {name: [one.number for one in them] for name, them in found.items()} == {
            "fjord": [], "haven": ["F-1"], "nobody": [],
        }  # fmt: skip
        other = str(uuid.uuid4())
        answer = await fjord.call(sbd(purchase("991825827", "F-2"), other), other)
        assert (answer.status_code, answer.json()["code"]) == (409, "message-for-another")


async def test_the_same_id_with_other_bytes_is_kept_for_a_person(founded: Any) -> None:
    async with founded() as fjord:
        instance = str(uuid.uuid4())
        first, other = (sbd(purchase(NUMBER, number), instance) for number in ("F-1", "F-2"))
        for body in (first, other, other):
            await fjord.call(body, instance)
        await fjord.work()
        found = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert [one["number"] for one in found] == ["F-1"]
        assert await fjord.waits() == ["message-differs"]


def test_a_numbered_invoice_says_where_it_goes() -> None:
    """The stand-in's company and the samples are what these tests take them for."""
    assert envelope.addressee(sbd(ehf("1"), "x")) == "0192:974760673"
    assert envelope.addressee(b"no xml") is None
    assert envelope.addressee(ehf("1")) is None
