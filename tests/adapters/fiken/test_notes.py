"""A note on an invoice: once, on its sale, and nothing else of it is another."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import Sandbox
from connector.errors import Refused
from connector.ports import Accounting, File, Goal, Kind

sys.path.append(str(Path(__file__).parent))
from fiken_driving import (
    PAGE,
    SeveralFound,
    customer_goal,
    external_goal,
    invoice_goal,
    opened,
    purchase_goal,
    reach,
    supplier_goal,
)

TEXTS = {"title": "Avvist av kunden", "text": "Feil pris."}


def note_goal(kind: Kind, target: str, marker: str = "c-note-1", page: bytes = PAGE) -> Goal:
    file = File("Merknad 10/17.pdf", "application/pdf", page, "page")
    return Goal(kind, "note", marker, TEXTS, target=target, files=(file,))


@pytest.fixture
async def system(box: Sandbox) -> Accounting:
    return opened(box, incoming="book", incoming_account="4300")


async def three(system: Accounting) -> dict[Kind, str]:
    """An invoice of Fiken's, one issued elsewhere, and a purchase."""
    customer = (await reach(system, customer_goal()))["read"].id
    supplier = (await reach(system, supplier_goal()))["read"].id
    return {
        Kind.INVOICE: (await reach(system, invoice_goal(customer)))["read"].id,
        Kind.EXTERNAL_INVOICE: (await reach(system, external_goal(customer)))["read"].id,
        Kind.SUPPLIER_INVOICE: (await reach(system, purchase_goal(supplier)))["read"].id,
    }


def files_of(box: Sandbox, kind: Kind, id: str) -> list[Any]:
    books = box.books
    if kind is Kind.INVOICE:
        assert not books.find("invoice", int(id)).get("_files"), "it would go along when it is sent again"
        return list(books.find("sale", books.find("invoice", int(id))["_sale"]).get("_files", ()))
    return list(books.find("purchase" if kind is Kind.SUPPLIER_INVOICE else "sale", int(id))["_files"])


async def stands(box: Sandbox, system: Accounting, kind: Kind, id: str) -> Any:
    """The record as it is read, and what the books come to."""
    record = None if kind is Kind.EXTERNAL_INVOICE else await system.read(kind, id)
    return record, [box.books.balance(account) for account in ("1500", "2400", "3000", "4300")]


@pytest.mark.parametrize("fault", [None, "no-answer", "no-answer-before", "500-after", "garbled", "429"])
async def test_once_whatever_becomes_of_the_answer(box: Sandbox, system: Accounting, fault: str | None) -> None:
    for kind, id in (await three(system)).items():
        before, files = await stands(box, system, kind, id), len(files_of(box, kind, id))
        if fault:
            box.fault("POST .*/attachments", fault)
        await reach(system, note_goal(kind, id))
        names = [one.file_name for one in files_of(box, kind, id)]
        assert len(names) == files + 1
        assert names[-1] == "Merknad-10-17-c-note-1.pdf"
        await reach(system, note_goal(kind, id, "c-note-2"))
        assert len(files_of(box, kind, id)) == files + 2
        assert await stands(box, system, kind, id) == before


async def test_it_is_shown(box: Sandbox, system: Accounting) -> None:
    id = (await three(system))[Kind.INVOICE]
    await reach(system, note_goal(Kind.INVOICE, id))
    sale = (await system._client.get(f"/invoices/{id}"))["sale"]["saleId"]  # type: ignore[attr-defined]
    (shown,) = await system._client.whole(f"/sales/{sale}/attachments")  # type: ignore[attr-defined]
    assert await system._client.content(shown["downloadUrl"]) == PAGE  # type: ignore[attr-defined]


async def test_two_new_files_after_a_lost_answer_are_for_a_person(box: Sandbox, system: Accounting) -> None:
    id = (await three(system))[Kind.INVOICE]
    goal = note_goal(Kind.INVOICE, id)
    box.fault("POST .*/attachments", "no-answer")
    first = system.flow(goal)[0].call

    async def meanwhile(run: Any) -> Any:
        """A bookkeeper puts a paper there between the two."""
        proof = await first(run)
        sale = box.books.find("sale", int(proof.id.rpartition("/")[2]))
        sale.setdefault("_files", []).append(object())
        return proof

    class Watched:
        def flow(self, goal: Goal) -> Any:
            there, note = system.flow(goal)
            return replace(there, call=meanwhile), note

    with pytest.raises(SeveralFound):
        await reach(Watched(), goal)  # type: ignore[arg-type]


async def test_what_cannot_be_noted_is_refused_before_any_call(box: Sandbox) -> None:
    system = opened(box)
    for kind, target, page, code in (
        (Kind.CREDIT_NOTE, "1", PAGE, "operation-not-supported"),
        (Kind.SUPPLIER_INVOICE, "1", PAGE, "operation-not-supported"),
        (Kind.PAYMENT, "1", PAGE, "operation-not-supported"),
        (Kind.INVOICE, "x", PAGE, "link-missing"),
        (Kind.INVOICE, "1", b"", "attachment-empty"),
    ):
        with pytest.raises(Refused) as refused:
            system.flow(note_goal(kind, target, page=page))
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        system.flow(Goal(Kind.INVOICE, "note", "c-1", TEXTS, target="1"))
    assert refused.value.code == "note-without-page"
    assert not box.requests
