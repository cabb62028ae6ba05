"""A connection from its first key to its cut-over and back: the command line, its state in the store, one ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.api.examples import BUYER, INVOICE_DRAFT
from connector.cli import connections as connections_cli
from connector.cli import first_sync, onboarding
from connector.errors import Stop
from connector.ports import Formality
from connector.store import attention, audit, connections
from connector.sync import planned
from connector.sync.onboarding import observing
from connector.sync.onboarding.checklist import Confirmed, Facts, checklist, open_steps

TODAY = date(2027, 1, 15)


async def connector(*words: str, status: int = 0) -> str:
    """Run a command as the program does, on a store of its own; what it said."""
    app = {"onboard": onboarding.app, "first-sync": first_sync.app, "connections": connections_cli.app}[words[0]]
    done = await asyncio.to_thread(CliRunner().invoke, app, list(words[1:]))
    assert done.exit_code == status, f"{done.exit_code}: {done.output}\n{done.exception!r}"
    return str(done.output if status == 2 else done.stdout)


async def steps(status: int = 1, *more: str) -> dict[str, dict[str, Any]]:
    said = json.loads(await connector("onboard", "fjord/books", "--format", "json", *more, status=status))
    return {step["name"]: step for step in said[0]["steps"]}


# --- the checklist, pure ----------------------------------------------------------------------------------------------

KEY = Formality("key", "There is a key", "the customer", "Make one.", "minutes", proved=True)
NAMED = {name: Confirmed("me", TODAY) for name in ("who-does-what", "kid-agreement", "peppol")}


def ready(**more: Any) -> Facts:
    said: dict[str, Any] = {
        "tried": (), "joined": "applied", "apart": (), "nights": 1,
        "confirmed": NAMED | {"go-live": Confirmed("me", TODAY, day=TODAY)},
    }  # fmt: skip
    return Facts("t/c", [KEY], **(said | more))


def test_with_everything_done_the_cut_over_is_open() -> None:
    (last,) = (step for step in checklist(ready(), today=TODAY) if step.state != "done")
    assert (last.name, last.state) == ("cut-over", "open")


@pytest.mark.parametrize(
    ("lacks", "open_"),
    [
        ({"tried": None}, {"key", "test-call"}),
        ({"tried": ("a right",)}, {"key", "test-call"}),
        ({"joined": None}, {"first-sync", "open-items", "observed"}),
        ({"apart": None}, {"open-items"}),
        ({"apart": ("1.00 apart",)}, {"open-items"}),
        ({"nights": 0}, {"observed"}),
        ({"stops": 2}, {"observed"}),
        ({"waiting": 1}, {"attention"}),
        ({"paused": "by hand"}, {"test-call"}),
        ({"ehf": True, "confirmed": {}}, {"who-does-what", "go-live", "kid-agreement", "peppol"}),
        ({"confirmed": NAMED | {"go-live": Confirmed("me", TODAY, day=TODAY + timedelta(1))}}, {"go-live"}),
    ],
)
def test_each_step_keeps_the_cut_over_from_being_done(lacks: dict[str, Any], open_: set[str]) -> None:
    found = checklist(ready(**lacks), today=TODAY)
    assert {step.name for step in open_steps(found)} == open_
    cut = found[-1]
    assert (cut.state, set(cut.after)) == ("blocked", open_)


def test_every_step_says_who_does_what_and_how_long_it_takes() -> None:
    for step in checklist(Facts("t/c", [KEY]), today=TODAY):
        assert step.who, step.name
        assert step.do, step.name
        assert step.takes, step.name


# --- the whole way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def observed(both: Any) -> Any:
    """A company whose ledger `books` only observes."""

    @asynccontextmanager
    async def made(**more: Any) -> AsyncIterator[Any]:
        async with both(observing="books", **more) as two:
            yield two

    return made


def posts(box: Sandbox) -> list[str]:
    return [f"{one.method} {one.path}" for one in box.requests if one.method != "GET" and "session" not in one.path]


async def test_from_the_first_key_to_the_cut_over_and_back(observed: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    async with observed() as two:
        spoke = two.house.named("fjord", "books")
        # The keys lack something: the checklist says what, and nothing can be cut over.
        two.books.shrink("advanced_voucher")
        said = await steps()
        assert said["test-call"]["state"] == said["employee-token"]["state"] == "open"
        assert "Advanced Voucher" in said["test-call"]["said"]
        assert said["first-sync"]["state"] == "blocked"
        assert "2 to 3 weeks" in said["consumer-token"]["takes"]
        two.books.access[next(iter(two.books.access))].rights |= {"advanced_voucher"}
        said = await steps()
        assert said["test-call"]["state"] == said["consumer-token"]["state"] == "done"
        assert "books issues" in said["who-does-what"]["said"]
        refused = await connector("onboard", "cut-over", "-c", "books", "--go-live", "2026-11-01", status=2)
        assert "cut-over-open" in refused
        assert "first-sync" in refused
        # What only a person knows, said in several sittings.
        for step in ("invoice-bank-account", "own-sending", "who-does-what", "kid-agreement"):
            await connector("onboard", "confirm", step, "-c", "books", "--note", "as agreed")
        assert "date-missing" in await connector("onboard", "confirm", "go-live", "-c", "books", status=2)
        assert "step-not-confirmed" in await connector("onboard", "confirm", "attention", "-c", "books", status=2)
        assert "step-unknown" in await connector("onboard", "confirm", "nonsense", "-c", "books", status=2)
        await connector("onboard", "confirm", "go-live", "--date", "2026-11-01", "-c", "books")
        await connector("onboard", "confirm", "kid-agreement", "--withdraw", "-c", "books")
        assert (await steps(1, "--offline"))["kid-agreement"]["state"] == "open"
        await connector("onboard", "confirm", "kid-agreement", "-c", "books")
        # The first sync: two invoices come from the program, one of them before the day.
        old = {**INVOICE_DRAFT, "source_id": "old", "issue_date": "2026-10-15", "due_date": "2026-10-29"}
        new = {**INVOICE_DRAFT, "source_id": "new", "issue_date": "2026-11-15", "due_date": "2026-11-29"}
        for body in (old, new):
            answer = await two.post("/v1/invoices", body)
            assert answer.status_code == 202, answer.text
        await two.work()
        await connector("first-sync", "propose", "books")
        await connector("first-sync", "apply", "books", "first-sync-books.csv", status=1)
        assert (await steps(1, "--offline"))["observed"]["state"] == "open"
        older = {**INVOICE_DRAFT, "source_id": "older", "issue_date": "2026-10-20", "due_date": "2026-11-03"}
        await two.post("/v1/invoices", older)
        await two.work()
        # A night of observing.
        await two.house.store.write(lambda tx: observing.tell(tx, two.house, spoke))
        night = json.loads(await connector("onboard", "report", "-c", "books", "--format", "json"))
        assert night[-1]["would"]["invoice"]["create"] == 2
        assert "connection.observed" in await two.events()
        assert posts(two.books) == [], "nothing was written while it observed"
        said = await steps(1, "--offline")
        assert {name: step["state"] for name, step in said.items() if step["state"] != "done"} == {"cut-over": "open"}
        # The cut-over.
        done = await connector("onboard", "cut-over", "-c", "books")
        assert "1 older document(s) stay" in done
        await two.work(within=2.5)
        assert "cut-over-done" in await connector("onboard", "cut-over", "-c", "books", status=2)
        charged = [one for one in two.books.books.things["invoice"].values() if one["isCharged"]]
        assert [one["invoiceDate"] for one in charged] == ["2026-11-15"]
        assert (await steps(0))["cut-over"]["state"] == "done"
        # And back: what was written since, with the ledger's ids; paused.
        listed = json.loads(await connector("onboard", "back", "-c", "books", "--format", "json"))
        kinds = {(one["kind"], one["vendor_id"]) for one in listed["written"]}
        assert ("invoice", str(charged[0]["id"])) in kinds
        assert ("customer", str(charged[0]["customer"].id)) in kinds
        assert BUYER["name"] in (await asyncio.to_thread(Path(listed["file"]).read_text, "utf-8-sig"))
        before = len(posts(two.books))
        late = {**INVOICE_DRAFT, "source_id": "late", "issue_date": "2026-11-16", "due_date": "2026-11-30"}
        await two.post("/v1/invoices", late)
        await two.work()
        assert len(posts(two.books)) == before
        again = json.loads(await connector("onboard", "back", "-c", "books", "--format", "json"))
        assert again["written"] == listed["written"]


async def test_nothing_is_read_and_matched_before_the_first_sync_is_decided(observed: Any) -> None:
    async with observed() as two:
        await steps(1, "--offline")
        two.books.books.add("customer", name="Eksempel AS", customerNumber=1)
        await two.poll(of="books")
        assert (
            await two.get("/v1/documents", kind="customer") == {"documents": [], "next": None}
            or not (await two.get("/v1/documents", kind="customer"))["documents"]
        )
        assert await two.waits() == ["first-sync-open"]
        await connector("onboard", "confirm", "first-sync", "-c", "books")
        assert await two.waits() == []
        assert await two.house.store.read(lambda tx: attention.count(tx)) == 0


# --- the short way ----------------------------------------------------------------------------------------------------


async def mode(two: Any) -> str:
    row = await two.house.store.read(lambda tx: connections.named(tx, "fjord", "books"))
    return str(row.mode)


async def test_what_is_led_through_the_checklist_is_not_activated_while_steps_are_open(observed: Any) -> None:
    async with observed() as two:
        await connector("onboard", "fjord/books", status=1)
        assert "first-sync-open" in await connector("connections", "activate", "books", "--anyway", status=2)
        await connector("onboard", "confirm", "first-sync", "-c", "books")
        refused = await connector("connections", "activate", "books", status=2)
        assert "onboarding-open" in refused
        open_ = [name for name, step in (await steps(1, "--offline")).items() if step["state"] != "done"]
        assert {"kid-agreement", "go-live", "cut-over"} <= set(open_)
        assert ", ".join(open_) in refused.replace("\n", " ")
        assert await mode(two) == "observe"
        await connector("connections", "activate", "books", "--anyway", "--who", "kari")
        assert await mode(two) == "active"
        [noted] = [one for one in await two.house.store.read(lambda tx: audit.find(tx, "fjord")) if one.did == "active"]
        assert (noted.who, noted.details) == ("kari", {"open": open_})


async def test_a_plan_does_not_activate_it_either(observed: Any) -> None:
    async with observed() as two:
        await connector("onboard", "confirm", "kid-agreement", "-c", "books")
        spoke = two.house.named("fjord", "books")
        saved = planned.read(json.dumps(await two.house.store.read(lambda tx: planned.save(tx, spoke, []))).encode())
        with pytest.raises(Stop) as refused:
            await two.house.store.write(lambda tx: planned.do(tx, two.house, spoke, saved, who="kari", activate=True))
        assert refused.value.code == "onboarding-open"
        assert "go-live" in [one["step"] for one in refused.value.details]
        assert await mode(two) == "observe"


async def test_what_nobody_leads_through_the_checklist_is_activated_and_told_of_it(observed: Any) -> None:
    async with observed() as two:
        assert "connector onboard fjord/books" in await connector("connections", "activate", "books")
        assert await mode(two) == "active"
