"""Whom an invoice can reach is looked up before it is sent; and another access point is tried only with proof."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from company import ehf
from network import Authorities, Publisher, entry, name_server, signed

from connector.peppol import sml
from connector.peppol.fail_over import fail_over
from connector.peppol.identifiers import INVOICE, Participant
from connector.store import connections

BUYER = Participant("0192", "974760673")
ZONE = "participant.sml.example"
AUTHORITIES = Authorities()


class Register:
    """Peppol's registers on loopback: the buyer is in them, and what its publisher says of it can be changed."""

    def __init__(self, publisher: Publisher, names: dict[str, Any], settings: dict[str, Any]) -> None:
        self.publisher = publisher
        self.names = names
        self.settings = settings
        self.page = f"/{BUYER.whole}/services/{INVOICE.document}"

    def takes(self, **said: Any) -> None:
        page = signed(entry(BUYER, INVOICE, **{"until": "2099-01-01T00:00:00Z", **said}), AUTHORITIES.publisher)
        self.publisher.pages[self.page] = (200, page)


@pytest.fixture
async def register(tmp_path: Path) -> AsyncIterator[Register]:
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "smp.pem").write_bytes(AUTHORITIES.smp.pem + AUTHORITIES.root.pem)
    names: dict[str, Any] = {}
    async with name_server(names) as (server, _), Publisher() as publisher:
        names[sml.name(BUYER, ZONE).lower()] = [("", "NAPTR", f'100 10 "U" "Meta:SMP" "!.*!{publisher.url}!" .')]
        settings = {
            "peppol_zone": ZONE,
            "peppol_trust": str(trust),
            "peppol_name_servers": server,
            "peppol_loopback": True,
        }
        yield Register(publisher, names, settings)


async def test_what_is_known_of_a_receiver_is_asked_once(founded: Any, register: Register) -> None:
    register.takes()
    async with founded(**register.settings) as fjord:
        await asyncio.gather(*(fjord.issue(ehf(str(number))) for number in range(1001, 1004)))
        await fjord.work(within=1.5)
        assert fjord.box.network.arrived() == {"1001": 1, "1002": 1, "1003": 1}
        assert len(register.publisher.asked) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("nobody", "is not registered"),
        ("not-this", "takes no EHF invoice"),
        ("closed", "is closed"),
    ],
)
async def test_who_cannot_take_it_is_told_before_anything_is_sent(
    founded: Any, register: Register, said: str, code: str
) -> None:
    if said == "nobody":
        register.names.clear()
    elif said == "closed":
        register.takes(until="2026-02-01T00:00:00Z")
    async with founded(**register.settings) as fjord:
        id = await fjord.issue(ehf())
        await fjord.work(within=1.0)
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "receiver-cannot-take"
        assert code in item["said"]
        assert item["verbs"] == ["retry", "cancel"]
        assert fjord.box.network.transmissions == []
        assert "attention.opened" in await fjord.events(id)


async def test_while_a_receiver_is_not_known_others_are_sent(founded: Any, register: Register) -> None:
    """A publisher that is slow keeps what goes to its receivers waiting, and nobody else."""

    async def slow() -> Any:
        await asyncio.sleep(3600)

    register.publisher.pages[register.page] = slow
    async with founded(**register.settings) as fjord:
        fjord.house.access_points.lookups.timeout = 0.3
        waiting = await fjord.issue(ehf("1001"))
        other = ehf("1002").replace(b"974760673", b"991825827")
        register.names[sml.name(Participant("0192", "991825827"), ZONE).lower()] = [
            ("", "NAPTR", f'100 10 "U" "Meta:SMP" "!.*!{register.publisher.url}!" .')
        ]
        page = signed(
            entry(Participant("0192", "991825827"), INVOICE, until="2099-01-01T00:00:00Z"), AUTHORITIES.publisher
        )
        register.publisher.pages[f"/{Participant('0192', '991825827').whole}/services/{INVOICE.document}"] = (200, page)
        await fjord.issue(other)
        await fjord.work(within=0.4)
        assert fjord.box.network.arrived() == {"1002": 1}
        assert [way["state"] for way in await fjord.sends(waiting)] == ["waiting"]
        assert await fjord.waits() == []  # nothing follows from what is not known
        register.takes()
        async with asyncio.timeout(30):
            while fjord.box.network.arrived() != {"1001": 1, "1002": 1}:
                await fjord.work(within=0.5)


# --- one access point after the other ---------------------------------------------------------------------------------


async def test_the_next_access_point_is_tried_when_the_first_has_surely_not_taken_it(founded: Any) -> None:
    async with founded(points=2, gives_up=0) as fjord:
        first, second = fjord.boxes
        first.fault("POST /outbound/submit", "429", count=50, seconds=60)
        id = await fjord.issue(ehf("1001"))
        points = fjord.house.access_points
        assert await fjord.house.store.write(lambda tx: fail_over(tx, points)) == 1
        await fjord.work()
        (way,) = await fjord.sends(id)
        assert (way["access_point"], way["state"]) == ("ap1", "sent")
        assert (first.network.arrived(), second.network.arrived()) == ({}, {"1001": 1})
        assert "transmission.failed_over" in await fjord.events(id)


async def test_what_may_have_been_taken_goes_nowhere_else(founded: Any) -> None:
    async with founded(points=2, gives_up=0) as fjord:
        first, second = fjord.boxes
        first.fault("POST /outbound/submit", "no-answer")
        first.fault("GET /outbound/status", "500-before", count=50)
        id = await fjord.issue(ehf("1001"))
        points = fjord.house.access_points
        for _ in range(3):
            assert await fjord.house.store.write(lambda tx: fail_over(tx, points)) == 0
            await fjord.work(within=0.3)
        assert second.network.transmissions == []
        first.faults.active.clear()
        async with asyncio.timeout(30):
            while (await fjord.sends(id))[0]["state"] != "sent":
                await fjord.work(within=0.5)
        assert first.network.arrived() == {"1001": 1}
        assert [way["access_point"] for way in await fjord.sends(id)] == ["ap"]


async def test_an_access_point_that_is_paused_is_passed_by(founded: Any) -> None:
    async with founded(points=2, gives_up=0) as fjord:
        first, second = fjord.boxes
        first.token = "another"
        await fjord.issue(ehf("1001"))
        points = fjord.house.access_points
        point = points.points("fjord")[0].id
        assert (await fjord.house.store.read(lambda tx: connections.get(tx, point))).paused is not None
        assert await fjord.house.store.write(lambda tx: fail_over(tx, points)) == 1
        await fjord.work()
        assert second.network.arrived() == {"1001": 1}
        assert first.network.transmissions == []


def test_how_long_is_waited_stands_in_the_file() -> None:
    """`gives_up_after` in seconds; a quarter of an hour where it is not said."""
    from connector.mapping.format import AccessPoint
    from connector.peppol.points import Point

    assert AccessPoint(system="x").gives_up_after == Point.__dataclass_fields__["gives_up"].default.total_seconds()
    assert timedelta(seconds=AccessPoint(system="x").gives_up_after) == timedelta(minutes=15)
