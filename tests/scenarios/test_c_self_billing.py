"""Scenario C, self-billing: what buyers have written for our sales comes through Peppol, and the ledger books it."""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from incoming_ehf import OWN, SUPPLIER, purchase
from test_a_external import rows, vouchers

from connector.ehf import validate, write
from connector.lanes.verbs import replay
from connector.model import Address, Delivery, DocumentReference, Party
from connector.peppol import envelope, receiving
from connector.peppol.identifiers import Participant
from connector.ports import Message
from connector.store import arrivals
from connector.sync.self_billing import SALE

AP = """access_points:
  ap:
    system: phoss-ap
    settings: {base_url: "http://127.0.0.1:9"}
    secrets: {token: env:AP_TOKEN}
"""
OPTED_IN = """
  self-billed:
    takes: api
    to: books
    issues: counterparty
    takes_bank_money: {"86011117947": books, "15032080119": source}
"""
KJOP = Party.norwegian("974760673", "Kjøp AS", in_business_register=True, address=SUPPLIER.address)
HANDEL = Party.norwegian(
    "991825827",
    "Handel AS",
    in_business_register=True,
    address=Address(street="Havna 2", postal_code="4006", city="Stavanger", country="NO"),
)


@pytest.fixture
def founded(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A company whose source issues its sales, with an access point; given a route, it also takes self-billing."""
    monkeypatch.setenv("AP_TOKEN", "secret")
    return lambda route="": founded(issues="source", more_routes=route + AP)


@pytest.fixture
async def fjord(founded: Any) -> Any:
    async with founded(OPTED_IN) as made:
        yield made


def sale(number: str = "B-7", *, buyer: Party = KJOP, type_code: str = "389", **changes: Any) -> bytes:
    """A sale of ours, as its buyer writes the invoice for it."""
    return write(purchase(number, **{"seller": OWN, "buyer": buyer, "type_code": type_code} | changes))


def inside(document: bytes) -> bytes:
    """A document without its XML declaration, as an envelope has it."""
    return document.partition(b"?>")[2].strip()


async def deliver(fjord: Any, body: bytes, *, instance: str | None = None, sender: str | None = None) -> str:
    """It comes in its envelope through the access point, and takes its way. The message's id."""
    instance = instance or str(uuid.uuid4())
    header = envelope.address(body, instance=instance, created=datetime(2027, 1, 10, tzinfo=UTC))
    if sender is not None:
        header = replace(header, sender=Participant.read(sender))
    points = fjord.house.access_points
    (point,) = points.points("fjord")
    message = Message(instance, envelope.write(header, body), instance)
    await fjord.house.store.write(lambda tx: receiving.arrive(tx, points, point, message))
    await fjord.work(within=2)
    return instance


async def waiting(fjord: Any, *codes: str) -> list[dict[str, Any]]:
    found = await fjord.get("/v1/attention")
    assert [item["code"] for item in found] == list(codes), found
    return list(found)


async def settle(fjord: Any, item: dict[str, Any], verb: str) -> None:
    answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": verb})
    assert answer.status_code == 204, answer.text
    await fjord.work(within=2)


async def heads(fjord: Any, kind: str = "invoice") -> list[tuple[str, str, str]]:
    found = (await fjord.get("/v1/documents", kind=kind))["documents"]
    return [(one["number"], one["counterparty"], one["state"]) for one in found]


async def test_two_buyers_use_the_same_number_and_one_of_them_credits(fjord: Any) -> None:
    """Two sales with the number of a third one of our own: each booked for its customer, credited by its buyer."""
    first, second = sale(), sale(buyer=HANDEL, net="400.00")
    assert validate(first).valid
    ours = purchase("B-7", seller=OWN, buyer=HANDEL, net="50.00").model_dump(mode="json", exclude_none=True)
    answer = await fjord.post("/v1/invoices", ours, params={"route": "sales"})
    assert answer.status_code == 202, answer.text
    await deliver(fjord, first)
    await deliver(fjord, second)
    await waiting(fjord)
    assert await heads(fjord) == [("B-7", "Handel AS", "issued"), ("B-7", "Kjøp AS", "issued"),
                                  ("B-7", "Handel AS", "issued")]  # fmt: skip
    found = {one["payable"]: one["id"] for one in (await fjord.get("/v1/documents", kind="invoice"))["documents"]}
    assert len((await fjord.get("/v1/documents", direction="outgoing", kind="invoice"))["documents"]) == 3
    kept = (await fjord.client.get(f"/v1/documents/{found['12500.00']}/original")).content
    assert inside(kept) == inside(first)
    debts = [dict(rows(fjord.box, voucher))[1500] for voucher in vouchers(fjord.box)]
    assert sorted(debts) == [Decimal("62.50"), Decimal(500), Decimal(12500)]

    credits = {"preceding_invoices": (DocumentReference(number="B-7"),)}
    note = sale("B-8", buyer=HANDEL, type_code="261", net="400.00", **credits)
    assert validate(note).valid
    await deliver(fjord, note)
    await waiting(fjord)
    assert await heads(fjord, "credit_note") == [("B-8", "Handel AS", "issued")]
    opens = {payable: (await fjord.get(f"/v1/documents/{id}"))["open"] for payable, id in found.items()}
    assert opens == {"62.50": "62.50", "500.00": "0.00", "12500.00": "12500.00"}
    transmissions = [event for event in await fjord.events() if "sent" in event]
    assert transmissions == []
    refused = await fjord.client.post(f"/v1/documents/{found['500.00']}/send", headers={"Idempotency-Key": "s"})
    assert refused.status_code in (400, 422), refused.text
    assert refused.json()["code"] == "self-billing"


async def test_it_is_one_by_its_message_and_by_nothing_else(fjord: Any) -> None:
    instance = await deliver(fjord, sale())
    await deliver(fjord, sale(), instance=instance)
    await waiting(fjord)
    await deliver(fjord, sale())
    (item,) = await waiting(fjord, "invoice-twice")
    assert item["verbs"] == ["retry", "cancel"]
    await settle(fjord, item, "retry")
    (item,) = await waiting(fjord, "invoice-twice")
    await settle(fjord, item, "cancel")
    (booked,) = await fjord.house.store.read(lambda tx: arrivals.find(tx, "fjord", kind=SALE, state="handled"))
    await fjord.house.store.write(lambda tx: replay(tx, "fjord", booked.id, who="test"))
    await fjord.work(within=1)
    await waiting(fjord)
    await deliver(fjord, sale(net="1.00"))
    (item,) = await waiting(fjord, "invoice-twice")
    assert "another amount" in item["said"]
    await settle(fjord, item, "cancel")
    # The same amount under the same number a year later may be either.
    later = sale(issue_date=date(2028, 1, 3), due_date=date(2028, 2, 3))
    await deliver(fjord, later)
    (item,) = await waiting(fjord, "invoice-twice")
    assert len(vouchers(fjord.box)) == 1
    await settle(fjord, item, "accept")
    await waiting(fjord)
    assert len(await heads(fjord)) == len(vouchers(fjord.box)) == 2


async def test_whoever_sends_it_for_a_buyer_is_asked_about(fjord: Any) -> None:
    await deliver(fjord, sale(), sender="0192:991825827")
    (item,) = await waiting(fjord, "sender-differs")
    assert await heads(fjord) == []
    await settle(fjord, item, "accept")
    await waiting(fjord)
    assert await heads(fjord) == [("B-7", "Kjøp AS", "issued")]


async def test_without_a_route_for_it_it_waits_as_it_came(founded: Any) -> None:
    async with founded() as fjord:
        await deliver(fjord, sale())
        (item,) = await waiting(fjord, "self-billing")
        assert "issues: counterparty" in item["do"]
        assert item["details"]["where"]["file"].endswith("fjord.yaml")
        assert (await fjord.get("/v1/documents"))["documents"] == []
    # The file is written, and the service started again.
    async with founded(OPTED_IN.replace("takes: api", "takes: []")) as fjord:
        (item,) = await waiting(fjord, "self-billing")
        await settle(fjord, item, "retry")
        await waiting(fjord)
        assert await heads(fjord) == [("B-7", "Kjøp AS", "issued")]
        assert len(vouchers(fjord.box)) == 1


async def test_what_is_not_our_sale_or_not_sound_waits(fjord: Any) -> None:
    mistakes = [
        (sale(buyer=OWN, seller=OWN), "own-purchase"),
        (sale().replace(b"</cbc:InvoiceTypeCode>", b"</cbc:InvoiceTypeCode><cbc:Nothing/>"), "ehf-invalid"),
        (sale(seller=HANDEL).replace(b">991825827<", b">923609016<", 1), "wrong-seller"),  # the address is ours
        (sale(type_code="261", preceding_invoices=(DocumentReference(number="B-1"),)), "credited-invoice-unknown"),
    ]
    for body, code in mistakes:
        await deliver(fjord, body)
        (item,) = await waiting(fjord, code)
        await settle(fjord, item, "cancel")
    assert (await fjord.get("/v1/documents"))["documents"] == []

    bad = sale().replace(b"<cbc:BuyerReference>Kari</cbc:BuyerReference>", b"")
    await deliver(fjord, bad)
    (item,) = await waiting(fjord, "ehf-invalid")
    assert item["verbs"] == ["accept", "retry", "cancel"]
    assert item["details"]["details"][0]["rule"] == "PEPPOL-EN16931-R003"
    assert vouchers(fjord.box) == []
    await settle(fjord, item, "accept")
    await waiting(fjord)
    assert await heads(fjord) == [("B-7", "Kjøp AS", "issued")]
    assert len(vouchers(fjord.box)) == 1


async def test_a_posted_one_takes_the_route_on_which_buyers_issue_and_no_other(fjord: Any) -> None:
    async def code(body: bytes, route: str) -> str:
        answer = await fjord.post("/v1/invoices", body, params={"route": route})
        assert answer.status_code == 422, answer.text
        return str(answer.json()["code"])

    async def foreseen(body: bytes) -> list[str]:
        headers = {"Content-Type": "application/xml"}
        asked = {"wait": 0, "route": "self-billed"}
        answer = await fjord.client.post("/v1/preflight", params=asked, content=body, headers=headers)
        return [one["code"] for one in answer.json()["documents"][0]["problems"] if one["severity"] == "error"]

    ordinary = write(purchase("S-1", seller=OWN, buyer=KJOP))
    delivered = {"delivery": Delivery(day=date(2027, 1, 9))}
    assert await foreseen(sale(**delivered)) == []
    assert await foreseen(sale()) == ["NO-BOK-08"]  # judged as what is issued, not as a draft
    assert "not-self-billed" in await foreseen(ordinary)
    assert await code(ordinary, "self-billed") == "not-self-billed"
    assert await code(sale(), "sales") == "self-billing"
    answer = await fjord.post("/v1/invoices", sale(), params={"route": "self-billed", "draft": "true"})
    assert answer.json()["code"] == "number-missing"
    assert (await fjord.post("/v1/invoices", sale(), params={"route": "self-billed"})).status_code == 202
    await fjord.work(within=2)
    assert await heads(fjord) == [("B-7", "Kjøp AS", "issued")]
    await deliver(fjord, sale())
    await waiting(fjord, "invoice-twice")
