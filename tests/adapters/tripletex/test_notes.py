"""A note on an invoice: once, on its voucher behind what lies there, and nothing else of it is another."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import Refused
from connector.ports import Accounting, File, Goal, Kind

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import (
    PAGE,
    credit_goal,
    customer_goal,
    external_credit_goal,
    external_goal,
    incoming_goal,
    invoice_goal,
    opened,
    reach,
    supplier_goal,
)


def note_goal(kind: Kind, target: str, marker: str = "c-note-1", page: bytes = PAGE) -> Goal:
    file = File("Merknad 10/17.pdf", "application/pdf", page, "page")
    record = {"title": "Avvist av kunden", "text": "Feil pris."}
    return Goal(kind, "note", marker, record, target=target, files=(file,))


async def five(system: Accounting) -> dict[Kind, str]:
    """An invoice of Tripletex' and its credit note, two that were issued elsewhere, and an incoming invoice."""
    customer = (await reach(system, customer_goal()))["read"].id
    supplier = (await reach(system, supplier_goal()))["read"].id
    invoice = (await reach(system, invoice_goal(customer)))["read"].id
    elsewhere = (await reach(system, external_goal(customer)))["read"].id
    return {
        Kind.INVOICE: invoice,
        Kind.CREDIT_NOTE: (await reach(system, credit_goal(invoice, customer)))["read"].id,
        Kind.EXTERNAL_INVOICE: elsewhere,
        Kind.EXTERNAL_CREDIT_NOTE: (await reach(system, external_credit_goal(customer, elsewhere)))["read"].id,
        Kind.SUPPLIER_INVOICE: (await reach(system, incoming_goal(supplier)))["read"].id,
    }


def voucher_of(box: Sandbox, kind: Kind, id: str) -> Any:
    if kind is Kind.SUPPLIER_INVOICE:
        return box.books.things["voucher"][int(id)]
    of = "invoice" if kind in (Kind.INVOICE, Kind.CREDIT_NOTE) else "posting"
    return box.books.find(box.books.things[of][int(id)]["voucher"])


def names_of(box: Sandbox, kind: Kind, id: str) -> list[str]:
    held = voucher_of(box, kind, id).get("attachment")
    return [one.file_name for one in box.books.find(held)["_uploads"]] if held else []


def stands(box: Sandbox, kind: Kind, id: str) -> Any:
    """The voucher but for its papers, and all rows of the books."""
    rows = [(one["amount"], one["date"], one.get("invoiceNumber")) for one in box.books.things["posting"].values()]
    voucher = voucher_of(box, kind, id)
    assert sum((amount for amount, *_ in rows), Decimal(0)) == 0
    return {name: voucher[name] for name in ("date", "number", "description", "_state")}, rows


@pytest.mark.parametrize("fault", [None, "no-answer", "no-answer-before", "500-after", "garbled", "429"])
async def test_once_whatever_becomes_of_the_answer(fault: str | None) -> None:
    async with Sandbox() as box:
        system = opened(box)
        for kind, id in (await five(system)).items():
            before, files = stands(box, kind, id), names_of(box, kind, id)
            if fault:
                box.fault("POST .*/attachment", fault)
            await reach(system, note_goal(kind, id))
            assert names_of(box, kind, id) == [*files, "1-Merknad-10-17-c-note-1.pdf"]
            await reach(system, note_goal(kind, id, "c-note-2"))
            assert len(names_of(box, kind, id)) == len(files) + 2
            assert stands(box, kind, id) == before
        await system.close()


async def test_it_is_shown_with_the_voucher() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await five(system))[Kind.EXTERNAL_INVOICE]
        await reach(system, note_goal(Kind.EXTERNAL_INVOICE, id))
        voucher = voucher_of(box, Kind.EXTERNAL_INVOICE, id)["id"]
        shown = await system._client.content(f"/ledger/voucher/{voucher}/pdf")  # type: ignore[attr-defined]
        assert shown.count(b"/Page") >= 2
        await system.close()


async def test_what_cannot_be_noted_is_refused_before_any_call() -> None:
    async with Sandbox() as box:
        system = opened(box)
        for kind, target, page, code in (
            (Kind.PAYMENT, "1", PAGE, "operation-not-supported"),
            (Kind.INVOICE, "x", PAGE, "link-missing"),
            (Kind.INVOICE, "1", b"", "attachment-empty"),
        ):
            with pytest.raises(Refused) as refused:
                system.flow(note_goal(kind, target, page=page))
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            opened(box, external_invoices="invoice", nothing_invoiced_here=True).flow(
                note_goal(Kind.EXTERNAL_INVOICE, "1")
            )
        assert refused.value.code == "operation-not-supported"
        assert not box.requests
