"""One secret that opens many companies: an accountant's token, its session, its limits and its companies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from adapters.accounting.tripletex import Secrets, Settings, plugin
from adapters.accounting.tripletex.reading import FIRST
from adapters.accounting.tripletex.sandbox import ACCOUNTANT_TOKEN, CONSUMER_TOKEN, Sandbox, registers
from adapters.accounting.tripletex.windows import AIM, MOST, Windows
from connector.errors import NeedsPerson, TryLater
from connector.http import Http
from connector.ports import Accounting, ConnectionConfig, Kind

FJORD, DAL = "Fjord AS", "Dal AS"


@pytest.fixture
async def office() -> AsyncIterator[Sandbox]:
    async with Sandbox(clients=[FJORD, DAL]) as box:
        yield box


def opened(box: Sandbox, company: int = 0, token: str = ACCOUNTANT_TOKEN) -> Accounting:
    secrets = Secrets(consumer_token=CONSUMER_TOKEN, employee_token=token)
    return plugin.open(ConnectionConfig("c", "t", Settings(base_url=box.url, company=company), secrets), Http(box.url))


def id_of(box: Sandbox, name: str) -> int:
    return int(box.client(name).company["id"])


def sessions(box: Sandbox) -> int:
    return sum(1 for request in box.requests if request.path == "/v2/token/session/:create")


async def test_companies_of_one_token_share_lane_and_session(office: Sandbox) -> None:
    fjord, dal = opened(office, id_of(office, FJORD)), opened(office, id_of(office, DAL))
    assert fjord.lane.key == dal.lane.key
    assert opened(office, token="another").lane.key != fjord.lane.key
    for name in (FJORD, DAL):
        registers.create_customer(office.client(name), {"name": f"Kunde av {name}"})

    pages = await asyncio.gather(*(
        system.sweep(Kind.CUSTOMER, FIRST, date(2100, 1, 1), None) for system in (fjord, dal)
    ))  # fmt: skip

    assert sessions(office) == 1
    for page, name in zip(pages, (FJORD, DAL), strict=True):
        assert [record.body["name"] for record in page.records] == [f"Kunde av {name}"]
    await fjord.close()
    assert office.sessions, "the other still uses it"
    await fjord.close()
    assert (await dal.company()).name == DAL
    await dal.close()
    assert not office.sessions


async def test_a_session_that_ended_is_made_once_for_all(office: Sandbox) -> None:
    fjord, dal = opened(office, id_of(office, FJORD)), opened(office, id_of(office, DAL))
    await asyncio.gather(fjord.company(), dal.company())
    office.fault("", "expire")
    await asyncio.gather(*(system.company() for system in (fjord, dal) for _ in range(4)))
    assert sessions(office) == 2
    await asyncio.gather(fjord.close(), dal.close())


async def test_what_one_company_has_used_up_the_other_waits_for() -> None:
    async with Sandbox(clients=[FJORD, DAL], rate_limit=3, rate_period=30) as office:
        fjord, dal = opened(office, id_of(office, FJORD)), opened(office, id_of(office, DAL))
        for _ in range(3):
            await fjord.company()
        before = len(office.requests)
        with pytest.raises(TryLater) as later:
            await dal.company()
        assert later.value.code == "rate-limited"
        assert 0 < (later.value.after or 0) <= 31
        assert len(office.requests) == before, "it was not even asked"
        await asyncio.gather(fjord.close(), dal.close())


async def test_the_companies_are_listed(office: Sandbox) -> None:
    fjord = opened(office, id_of(office, FJORD))
    probe = await fjord.probe()
    assert probe.company == FJORD
    assert probe.organisation_number == office.client(FJORD).company["organizationNumber"]
    assert {one.name: one.id for one in probe.reaches} == {
        name: str(id_of(office, name)) for name in (FJORD, DAL)
    }  # fmt: skip
    assert not probe.missing
    await fjord.close()


async def test_no_company_is_named(office: Sandbox) -> None:
    nobody = opened(office)
    with pytest.raises(NeedsPerson) as needs:
        await nobody.probe()
    assert needs.value.code == "company-unclear"
    assert f"{id_of(office, DAL)} ({DAL})" in needs.value.do
    assert {one["name"] for one in needs.value.details} == {FJORD, DAL}
    await nobody.close()


async def test_a_company_is_named_that_is_not_reached(office: Sandbox) -> None:
    wrong = opened(office, 4711)
    for ask in (wrong.probe, wrong.company):
        with pytest.raises(NeedsPerson) as needs:
            await ask()
        assert needs.value.code == "company-unclear"
        assert "4711" in needs.value.said
    await wrong.close()


async def test_an_employees_own_company(box: Sandbox) -> None:
    own = opened(box, token="sandbox-employee")
    assert (await own.company()).name == box.books.company["name"]
    assert not (await own.probe()).reaches
    await own.close()


# --- windows of dates -------------------------------------------------------------------------------------------------


def walked(a_day: float, start: date, end: date, learned: Windows) -> list[int]:
    """Rows of each window that was asked for in books with so many rows a day; below zero where it was refused."""
    windows, asked = [(start, end)], []
    while windows:
        windows = learned.fitted(Kind.INVOICE, windows)
        first, last = windows[0]
        rows = round(a_day * max(0, (min(last, TOMORROW) - first).days))
        if rows > MOST:
            asked.append(-rows)
            windows = learned.refused(Kind.INVOICE, windows)
            continue
        asked.append(rows)
        learned.read(Kind.INVOICE, windows[0], rows)
        windows = windows[1:]
    return asked


TOMORROW = date.today() + timedelta(days=1)


@pytest.mark.parametrize("a_day", [0.0001, 0.1, 10, 60, 300, 4000])
def test_windows_are_few_and_none_is_refused_once_something_is_known(a_day: float) -> None:
    learned, start = Windows(), TOMORROW - timedelta(days=400)
    learned.read(Kind.PAYMENT, (start, TOMORROW), 1)
    asked = walked(a_day, start, date(2100, 1, 1), learned)
    total = round(a_day * 400)
    assert abs(sum(rows for rows in asked if rows > 0) - total) <= len(asked)
    again = walked(a_day, start, date(2100, 1, 1), learned)
    assert min(again) >= 0
    assert len(again) <= total / (MOST * AIM * 0.75) + 1
