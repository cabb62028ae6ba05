"""A note on an invoice: once, among the files of the document, and nothing else of it is another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import Refused
from connector.ports import Accounting, File, Goal, Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import credit_goal, customer_goal, invoice_goal, opened, purchase_goal, reach, supplier_goal

TABLES = {Kind.INVOICE: "invoice", Kind.CREDIT_NOTE: "creditnote", Kind.SUPPLIER_INVOICE: "purchase"}
PAPERS = ("attachments", "_files", "timeStamp", "lastModifiedDateTime")
"""What of a row is another when a file is put on it."""


def note_goal(kind: Kind, target: str, marker: str = "c-note-1", page: bytes = b"%PDF-1.4") -> Goal:
    file = File("Merknad 10/17.pdf", "application/pdf", page, "page")
    record = {"title": "Avvist av kunden", "text": "Feil pris."}
    return Goal(kind, "note", marker, record, target=target, files=(file,))


async def three(system: Accounting) -> dict[Kind, str]:
    """A released invoice and its credit note, and an incoming invoice."""
    customer = (await reach(system, customer_goal()))["read"].id
    supplier = (await reach(system, supplier_goal()))["read"].id
    invoice = (await reach(system, invoice_goal(customer)))["read"].id
    return {
        Kind.INVOICE: invoice,
        Kind.CREDIT_NOTE: (await reach(system, credit_goal(customer, invoice)))["read"].id,
        Kind.SUPPLIER_INVOICE: (await reach(system, purchase_goal(supplier)))["read"].id,
    }


def row_of(box: Sandbox, kind: Kind, id: str) -> Any:
    return box.books.tables[TABLES[kind]][id]


def stands(box: Sandbox, kind: Kind, id: str) -> Any:
    """The row but for its papers, and what the books have."""
    row = {name: value for name, value in row_of(box, kind, id).items() if name not in PAPERS}
    return row, list(box.books.entries)


@pytest.mark.parametrize("fault", [None, "no-answer", "no-answer-before", "500-after", "500-before", "garbled"])
async def test_once_whatever_becomes_of_the_answer(fault: str | None) -> None:
    async with Sandbox() as box:
        system = opened(box, incoming="release", incoming_account="4300")
        for kind, id in (await three(system)).items():
            before, files = stands(box, kind, id), len(row_of(box, kind, id).get("attachments") or ())
            if fault:
                box.fault("POST .*/attachment", fault)
            await reach(system, note_goal(kind, id))
            there = row_of(box, kind, id)["attachments"]
            assert len(there) == files + 1
            assert (there[-1]["name"], there[-1]["revision"]) == ("1-Merknad-10-17-c-note-1.pdf", 1)
            await reach(system, note_goal(kind, id, "c-note-2"))
            await reach(system, note_goal(kind, id, "c-note-2"))
            assert len(row_of(box, kind, id)["attachments"]) == files + 2
            assert stands(box, kind, id) == before
        await system.close()


async def test_it_is_shown_with_the_document() -> None:
    async with Sandbox() as box:
        system = opened(box, incoming="release", incoming_account="4300")
        id = (await three(system))[Kind.INVOICE]
        await reach(system, note_goal(Kind.INVOICE, id))
        shown = await system._client.get(f"/v1/customerinvoice/{id}")  # type: ignore[attr-defined]
        assert [one["name"] for one in shown["attachments"]] == ["1-Merknad-10-17-c-note-1.pdf"]
        await system.close()


async def test_what_cannot_be_noted_is_refused_before_any_call() -> None:
    async with Sandbox() as box:
        system = opened(box, incoming="hold")
        for kind, target, page, code in (
            (Kind.PAYMENT, "1", b"x", "operation-not-supported"),
            (Kind.EXTERNAL_INVOICE, "1", b"x", "operation-not-supported"),
            (Kind.SUPPLIER_INVOICE, "1", b"x", "link-missing"),
            (Kind.INVOICE, "", b"x", "link-missing"),
            (Kind.INVOICE, "1", b"", "attachment-empty"),
        ):
            with pytest.raises(Refused) as refused:
                system.flow(note_goal(kind, target, page=page))
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            opened(box).flow(note_goal(Kind.SUPPLIER_INVOICE, "Invoice/1"))
        assert refused.value.code == "operation-not-supported"
        assert not box.requests
