"""Scenario A with its books in Fiken: credit notes, and a loss that is written off there."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.api.examples import BUYER, SELLER
from connector.ehf import validate, write
from connector.model import CreditNote

sys.path.append(str(Path(__file__).parent))
from fiken_company import FEBRUARY, INVOICE, ORE, TENANT, balance, kroner, paid, sold


@pytest.fixture
async def fjord(founded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A company whose books are in Fiken."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    async with partial(founded, books=Sandbox, tenant=TENANT)(rounding="document") as made:
        yield made


def credit(hours: Any = 2, lunches: Any = 5, *, source_id: str = "credit-1", **more: Any) -> dict[str, Any]:
    """So much of the invoice, credited."""
    counted = [line | {"quantity": str(n)} for line, n in zip(INVOICE["lines"], (hours, lunches), strict=True) if n]
    return {
        "type_code": "381", "source_id": source_id, "issue_date": "2027-03-10", "currency": "NOK",
        "buyer_reference": "Kari Nordmann", "seller": SELLER, "buyer": BUYER,
        "preceding_invoices": [{"source_id": INVOICE["source_id"]}], "lines": counted,
    } | more  # fmt: skip


async def credited(fjord: Any, note: dict[str, Any] | None = None) -> Any:
    """The credit note, posted and issued by the ledger."""
    note = note or credit()
    answer = await fjord.post("/v1/invoices", note)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    done = await fjord.get(answer.headers["location"])
    assert (done["state"], done["kind"]) == ("done", "credit_note"), (done, await fjord.get("/v1/attention"))
    return await fjord.document(kind="credit_note", source_id=note["source_id"])


async def test_3_a_part_is_credited(fjord: Any) -> None:
    invoice = await sold(fjord)
    fjord.box.payment(int(invoice.links[0]["vendor_id"]), kroner("5 000,00"), FEBRUARY)
    await fjord.poll()

    note = await credited(fjord)

    assert (note.state, note.payable, note.open) == ("issued", "3125.00", "0.00")
    now = await fjord.document(kind="invoice")
    assert Decimal(now.open) == balance(fjord.box, "1500") == kroner("4 375,00")
    (there,) = fjord.box.books.all("creditNote")
    assert (note.number, there["associatedInvoiceId"]) == (
        str(there["creditNoteNumber"]),
        int(now.links[0]["vendor_id"]),
    )
    assert list(fjord.box.books.all("creditNoteDraft")) == fjord.box.books.outbox == []
    assert sorted(fjord.box.books.vouchers[-1]) == [
        ("1500:10001", -312500), ("2700", 51000), ("2701", 7500), ("3000", 50000), ("3000", 204000),
    ]  # fmt: skip
    model = CreditNote.model_validate(note.body)
    assert [finding for finding in validate(write(model)).findings if finding.severity == "fatal"] == []

    answer = await fjord.post("/v1/invoices", credit(7, 0, source_id="credit-2"))
    assert (answer.status_code, answer.json()["code"]) == (422, "credit-exceeds-remaining")

    before = await fjord.events()
    for _ in range(3):  # our own seen again is none
        await fjord.poll()
    assert await fjord.events() == before
    assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize(
    "calls",
    ["(POST|DELETE) ",
     pytest.param("", marks=pytest.mark.skipif(os.environ.get("CONNECTOR_PROOF") != "full", reason="make proof"))],
)  # fmt: skip
async def test_3_two_equal_parts_are_two_whichever_answer_is_lost(fjord: Any, calls: str) -> None:
    """Equal in all that Fiken keeps; of each call in turn nobody hears the answer."""
    call = 0
    while not fjord.box.faults.active:
        invoice = await sold(fjord, INVOICE | {"source_id": f"sale-{call}"})
        fjord.box.fault(calls, "no-answer", after=call)
        links = await halves(fjord, call)
        there = fjord.box.books.find("invoice", int(invoice.links[0]["vendor_id"]))["associatedCreditNotes"]
        assert (links, len(there)) == (set(there), 2), f"the answer to call {call} was lost"
        call += 1
    assert call > 6
    assert await fjord.get("/v1/attention") == []


async def test_3_of_two_equal_parts_one_that_never_arrived_is_not_taken_for_the_other(fjord: Any) -> None:
    await sold(fjord, INVOICE | {"source_id": "sale-0"})
    fjord.box.fault("POST .*/creditNotes/partial", "no-answer-before")
    assert len(await halves(fjord, 0, ("done", "waiting"))) == len(list(fjord.box.books.all("creditNote"))) == 1
    [waiting] = await fjord.get("/v1/attention")
    assert waiting["code"] == "outcome-unclear"
    answer = await fjord.client.post(f"/v1/attention/{waiting['id']}/resolve", json={"verb": "did-not-happen"})
    assert answer.status_code == 204
    await fjord.work(within=2)
    assert len((await fjord.get("/v1/documents", kind="credit_note", state="issued"))["documents"]) == 2
    assert len(list(fjord.box.books.all("creditNote"))) == 2
    assert await fjord.get("/v1/attention") == []


async def halves(fjord: Any, sale: int, states: tuple[str, ...] = ("done",)) -> set[int]:
    """One hour of an invoice is credited, and one hour again; the ids of the credit notes that are linked."""
    linked = set()
    notes = [credit(1, 0, source_id=f"credit-{sale}-{which}", preceding_invoices=[{"source_id": f"sale-{sale}"}])
             for which in "ab"]  # fmt: skip
    posted = [await fjord.post("/v1/invoices", note) for note in notes]
    await fjord.work(within=3)
    for note, answer in zip(notes, posted, strict=True):
        said = await fjord.get(answer.headers["location"])
        assert said["state"] in states, (said, await fjord.get("/v1/attention"))
        links = (await fjord.document(kind="credit_note", source_id=note["source_id"])).links
        linked |= {int(link["vendor_id"]) for link in links}
    return linked


async def test_3_the_whole_is_credited(fjord: Any) -> None:
    await sold(fjord)
    note = await credited(fjord, credit(8, 20, notes=["Feil kunde"]))
    (there,) = fjord.box.books.all("creditNote")
    assert there["creditNoteText"] == "Feil kunde"
    assert [one.path.rpartition("/")[2] for one in fjord.box.requests if "/creditNotes/full" in one.path] == ["full"]
    now = await fjord.document(kind="invoice")
    assert (now.state, Decimal(now.open), Decimal(note.open)) == ("credited", 0, 0)
    assert balance(fjord.box, "1500") == 0
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_3_a_credit_note_made_in_fiken_is_read(fjord: Any) -> None:
    invoice = await sold(fjord)
    there = fjord.box.books.find("invoice", int(invoice.links[0]["vendor_id"]))
    of = {name: there[name] for name in ("currency", "_customer", "_project", "net", "vat", "gross", "_rounding",
                                         "netInNok", "vatInNok", "grossInNok")}  # fmt: skip
    fjord.box.books.credit("2027-03-10", there["lines"], of, there)
    await fjord.poll()
    await fjord.poll()
    note = await fjord.document(kind="credit_note")
    now = await fjord.document(kind="invoice")
    assert (note.payable, Decimal(now.open)) == ("12500.00", 0)
    assert await fjord.get("/v1/attention") == []


async def test_3_a_draft_that_comes_to_something_else_stops_before_anything_is_credited(fjord: Any) -> None:
    await sold(fjord, ORE)
    fjord.box.books.rules.rounding = "line"
    note = credit(lines=ORE["lines"][:2], preceding_invoices=[{"source_id": ORE["source_id"]}])
    answer = await fjord.post("/v1/invoices", note)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    [waiting] = await fjord.get("/v1/attention")
    assert (waiting["code"], list(fjord.box.books.all("creditNote"))) == ("totals-differ", [])


async def test_6_what_is_written_off_in_fiken_is_a_loss(fjord: Any) -> None:
    invoice = await sold(fjord)
    assert (await paid(fjord, invoice.kid, "5000.00"))["state"] == "done"
    await credited(fjord)
    (sale,) = fjord.box.books.all("sale")
    fjord.box.books.write_off(sale, "2027-03-12")
    assert balance(fjord.box, "7830") == kroner("4 375,00")

    for _ in range(2):
        await fjord.poll()

    now = await fjord.document(kind="invoice")
    assert Decimal(now.open) == balance(fjord.box, "1500") == 0
    heads = (await fjord.get("/v1/documents", kind="settlement"))["documents"]
    bodies = [(await fjord.get(f"/v1/documents/{head['id']}"))["body"] for head in heads]
    losses = [body["allocations"][0]["amount"] for body in bodies if body["kind"] == "loss"]
    assert losses == ["4375.00"]
    assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 1
    assert await fjord.get("/v1/attention") == []
