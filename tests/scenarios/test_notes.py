"""A customer refuses an invoice: who opens it in the ledger sees so, once, and nothing in the books is another."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pypdf import PdfReader

from connector.cli import telling
from connector.lanes import verbs
from connector.ports import Kind
from connector.store import connections
from connector.sync import effects
from connector.sync.notes import note


def _scenario(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"test_{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


a, two = _scenario("a_domestic_invoice"), _scenario("two_ledgers")
two_ledgers = two.founded
SAID = {
    "code": "rejected",
    "title": "Avvist av kunden",
    "text": "Kunden svarte: «Prisen er feil.»\nRing kunden, og krediter fakturaen hvis den er feil.",
}


async def issued(fjord: Any) -> Any:
    answer = await fjord.post("/v1/invoices", a.INVOICE)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2.5)
    return await fjord.document(kind="invoice")


async def noted(house: Any, document: Any, **more: str) -> list[str]:
    ids: list[str] = await house.store.write(lambda tx: note(tx, house, "fjord", document.id, **(SAID | more)))
    await house.work_until_idle(within=2.5)
    return ids


def papers(box: Any) -> list[Any]:
    """What lies on the vouchers of invoices in Tripletex."""
    books = box.books
    held = [books.find(one["voucher"]).get("attachment") for one in books.all("invoice")]
    return [file for link in held if link for file in books.find(link)["_uploads"]]


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


async def of_kind(api: Any, kind: str) -> list[Any]:
    return [event for event in (await api.get("/v1/changes", limit=1000))["events"] if event["kind"] == kind]


async def test_a_bookkeeper_who_opens_the_invoice_sees_what_became_of_it(fjord: Any) -> None:
    document = await issued(fjord)
    before = (a.vouchers(fjord.box), (await fjord.document(kind="invoice")).__dict__)
    assert len(await noted(fjord.house, document)) == 1
    assert await noted(fjord.house, document) == []
    (paper,) = papers(fjord.box)
    shown = text_of(paper.content)
    for said in (
        SAID["title"],
        *SAID["text"].splitlines(),
        f"Faktura {document.number}",
        "15. januar 2027",
        "Eksempel",
    ):
        assert said in shown
    await fjord.poll()
    assert (a.vouchers(fjord.box), (await fjord.document(kind="invoice")).__dict__) == before
    assert await fjord.get("/v1/attention") == []
    (event,) = await of_kind(fjord, "invoice.noted")
    assert (event["data"]["connection"], event["data"]["code"]) == ("books", "rejected")
    told = telling._EVENTS["invoice.noted"](event["data"], {})
    assert told == "A note lies on it in books: Avvist av kunden"
    story = await fjord.get(f"/v1/documents/{document.id}/story")
    whats = [(one["kind"], one["what"]) for one in story]
    assert ("event", "invoice.noted") in whats
    assert ("work", "note") in whats
    assert len(await noted(fjord.house, document, key="second-response", title="Avvist igjen")) == 1
    assert len(papers(fjord.box)) == 2


@pytest.mark.parametrize("fault", ["no-answer", "no-answer-before"])
async def test_once_though_the_answer_was_lost(fjord: Any, fault: str) -> None:
    document = await issued(fjord)
    fjord.box.fault("POST .*/attachment", fault)
    await noted(fjord.house, document)
    assert not fjord.box.faults.active
    assert len(papers(fjord.box)) == 1
    assert len(await of_kind(fjord, "invoice.noted")) == 1


async def test_where_none_can_be_put_it_is_told_once_and_nobody_is_asked(
    fjord: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await issued(fjord)
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    calls = len(fjord.box.requests)
    for _ in range(2):
        assert await noted(fjord.house, document) == []
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
    table = {one: how for one, how in spoke.accounting.capabilities.items() if one != (Kind.INVOICE, "note")}
    monkeypatch.setattr(spoke.accounting, "capabilities", table)
    for _ in range(2):
        assert await noted(fjord.house, document, code="undeliverable") == []
    told = await of_kind(fjord, "invoice.not_noted")
    assert [(one["data"]["code"], one["data"]["reason"]) for one in told] == [
        ("rejected", "observed"),
        ("undeliverable", "operation-not-supported"),
    ]
    assert len(fjord.box.requests) == calls
    assert await fjord.get("/v1/attention") == []


async def test_what_is_in_no_ledger_is_told_once(fjord: Any) -> None:
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    document = await issued(fjord)
    for _ in range(2):
        assert await noted(fjord.house, document) == []
    (told,) = await of_kind(fjord, "invoice.not_noted")
    assert (told["data"]["reason"], "connection" in told["data"]) == ("not-there", False)


async def test_what_changes_while_it_waits_is_seen_when_it_is_done(fjord: Any) -> None:
    document = await issued(fjord)
    (spoke,) = fjord.house.spokes()
    house = fjord.house
    await house.store.write(lambda tx: note(tx, house, "fjord", document.id, **SAID))
    await house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    await house.work_until_idle(within=2.5)
    assert papers(fjord.box) == []
    assert [one["data"]["reason"] for one in await of_kind(fjord, "invoice.not_noted")] == ["observed"]


@pytest.mark.parametrize("end", ["noted", "not_noted"])
async def test_it_follows_a_document_that_is_on_its_way(fjord: Any, end: str) -> None:
    """The network may say no before the ledger has the invoice; where that never gets it, nothing is put anywhere."""
    house, (spoke,) = fjord.house, fjord.house.spokes()
    await house.store.write(lambda tx: verbs.pause(tx, "fjord", spoke.id, who="test", why="at night"))
    document = await issued(fjord)
    assert len(await noted(house, document)) == 1
    assert papers(fjord.box) == []
    if end == "not_noted":
        pushes = await house.store.read(lambda tx: effects.live(tx, spoke, document.id))
        await house.store.write(lambda tx: [verbs.cancel(tx, one) for one in pushes])
    await house.store.write(lambda tx: verbs.resume(tx, "fjord", spoke.id, who="test"))
    await fjord.work(within=2.5)
    assert len(papers(fjord.box)) == (end == "noted")
    (told,) = await of_kind(fjord, f"invoice.{end}")
    assert told["data"].get("reason") == (None if end == "noted" else "not-there")


async def test_in_both_ledgers_of_a_company(two_ledgers: Any) -> None:
    async with two_ledgers(in_fiken=True) as it:
        two.issued(it.shop)
        await it.poll()
        (document,) = await it.all("invoice")
        assert len(await noted(it.house, document)) == 2
        (in_shop,), (sale,) = papers(it.shop), it.books.books.all("sale")
        assert text_of(in_shop.content) == text_of(sale["_files"][-1].content)
        names = sorted(one["data"]["connection"] for one in await of_kind(it, "invoice.noted"))
        assert names == ["books", "shop"]
        files = len(sale["_files"])
        await it.poll()
        assert len(sale["_files"]) == files
        assert await it.get("/v1/attention") == []
