"""Scenario A, steps 1 to 3: credit notes of an invoice that the ledger has issued, both ways, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import orders, registers
from connector.api.examples import BUYER, SELLER
from connector.ehf import validate, write
from connector.model import CreditNote, Draft, compose
from connector.ports import Kind
from connector.service.house import open_house
from connector.service.settings import Settings
from connector.store import connections
from connector.sync import intake
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan

_spec = spec_from_file_location("scenario_a", Path(__file__).parent / "test_a_domestic_invoice.py")
assert _spec is not None
assert _spec.loader is not None
a = module_from_spec(_spec)
_spec.loader.exec_module(a)
INVOICE, RECEIVABLE, kroner = a.INVOICE, a.RECEIVABLE, a.kroner

MARCH = "2027-03-10"


def credit(hours: Any = 2, lunches: Any = 5, *, source_id: str = "credit-1", **more: Any) -> dict[str, Any]:
    """So much of the invoice, credited."""
    counted = [line | {"quantity": str(n)} for line, n in zip(INVOICE["lines"], (hours, lunches), strict=True) if n]
    return {
        "type_code": "381", "source_id": source_id, "issue_date": MARCH, "currency": "NOK",
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
    assert (done["state"], done["kind"]) == ("done", "credit_note"), done
    return await fjord.document(kind="credit_note", source_id=note["source_id"])


async def told(fjord: Any, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in (await fjord.get("/v1/changes", limit=1000))["events"] if event["kind"] == kind]


async def refused(fjord: Any, note: dict[str, Any], code: str, status: int = 422) -> dict[str, Any]:
    """It is refused at once, and nothing of it is kept."""
    before = (await fjord.get("/v1/documents", limit=500))["documents"]
    answer = await fjord.post("/v1/invoices", note)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    await fjord.work()
    assert (await fjord.get("/v1/documents", limit=500))["documents"] == before
    assert await fjord.get("/v1/attention") == []
    said: dict[str, Any] = answer.json()
    return said


def notes(box: Any) -> list[Any]:
    """Credit notes in the books."""
    return [one for one in a.issued(box) if one["isCreditNote"]]


def rows(box: Any, note: Any) -> list[tuple[int, Decimal]]:
    """Account and amount of the rows of its voucher."""
    found = [box.books.find(link) for link in box.books.find(note["voucher"])["postings"]]
    return sorted((box.books.find(row["account"])["number"], row["amount"]) for row in found)


# --- the ledger issues it ---------------------------------------------------------------------------------------------


async def test_3_a_part_is_credited(fjord: Any) -> None:
    invoice = await a.sold(fjord)
    fjord.box.payment(int(invoice.links[0]["vendor_id"]), kroner("5 000,00"), a.FEBRUARY, reference=invoice.kid)
    await fjord.poll()

    note = await credited(fjord)

    assert (note.state, note.payable, note.open) == ("issued", "3125.00", "0.00")
    now = await fjord.document(kind="invoice")
    assert Decimal(now.open) == a.balance(fjord.box, RECEIVABLE) == kroner("4 375,00")
    (there,) = notes(fjord.box)
    assert note.number == str(there["invoiceNumber"])
    assert note.links[0]["voucher"] == "2027/3"
    assert rows(fjord.box, there) == [
        (RECEIVABLE, kroner("-3 125,00")), (2700, kroner("510,00")), (2701, kroner("75,00")),
        (3000, kroner("2 040,00")), (3001, kroner("500,00")),
    ]  # fmt: skip
    (event,) = await told(fjord, "invoice.credited")
    assert (event["number"], event["credit_note_number"]) == (now.number, note.number)
    assert (event["amount"], event["applied"], event["open"]) == ("3125.00", "3125.00", "4375.00")
    assert fjord.box.books.outbox == []

    model = CreditNote.model_validate(note.body)
    assert [(one.number, str(one.issue_date)) for one in model.preceding_invoices] == [(now.number, "2027-01-15")]
    assert [finding for finding in validate(write(model)).findings if finding.severity == "fatal"] == []
    page = await fjord.client.get(f"/v1/documents/{note.id}/pdf")
    assert page.content.startswith(b"%PDF")

    # Six hours are left, and seven are refused.
    said = await refused(fjord, credit(7, 0, source_id="credit-2"), "credit-exceeds-remaining")
    assert "6 hours, 6120.00 net, are left" in said["detail"]
    assert said["details"]["left"]["lines"][0] == {"id": "1", "quantity": "6", "net": "6120.00"}

    # Our own seen again is none.
    before = await fjord.events()
    for _ in range(3):
        await fjord.poll()
    assert await fjord.events() == before
    assert await fjord.get("/v1/attention") == []


async def test_3_the_whole_is_credited(fjord: Any) -> None:
    invoice = await a.sold(fjord)
    note = await credited(fjord, credit(8, 20, notes=["Feil kunde"]))

    (there,) = notes(fjord.box)
    assert there["creditedInvoice"] == int(invoice.links[0]["vendor_id"])
    assert there["comment"] == "Feil kunde"
    assert len(fjord.box.books.things["order"]) == 1, "no order is made for it"
    calls = [one for one in fjord.box.requests if one.path.endswith(":createCreditNote")]
    assert [(one.query["sendToCustomer"], one.query["date"]) for one in calls] == [("false", MARCH)]
    now = await fjord.document(kind="invoice")
    assert (now.state, Decimal(now.open), Decimal(note.open)) == ("credited", 0, 0)
    assert a.balance(fjord.box, RECEIVABLE) == 0
    assert [Decimal(line["quantity"]) for line in note.body["lines"]] == [8, 20]
    await refused(fjord, credit(1, 0, source_id="credit-2"), "credit-exceeds-remaining")
    await fjord.poll()
    assert len(await told(fjord, "invoice.credited")) == 1
    assert await fjord.get("/v1/attention") == []


async def test_3_what_is_in_it_lies_on_its_voucher(fjord: Any) -> None:
    await a.sold(fjord)
    content = b"%PDF-1.7 timer"
    embedded = {"content": base64.b64encode(content).decode(), "mime_type": "application/pdf", "filename": "timer.pdf"}
    await credited(fjord, credit(attachments=[{"id": "1", "embedded": embedded}]))
    (note,) = notes(fjord.box)
    held = fjord.box.books.find(fjord.box.books.find(note["voucher"])["attachment"])
    assert [upload.content for upload in held["_uploads"]] == [content]


async def test_3_in_two_parts_the_rest_is_no_whole(fjord: Any) -> None:
    await a.sold(fjord)
    await credited(fjord)
    await credited(fjord, credit(6, 15, source_id="credit-2"))
    assert (await fjord.document(kind="invoice")).state == "credited"
    assert [one["amount"] for one in notes(fjord.box)] == [kroner("-3 125,00"), kroner("-9 375,00")]
    assert [event["open"] for event in await told(fjord, "invoice.credited")] == ["9375.00", "0.00"]


async def test_3_it_waits_for_its_invoice(fjord: Any) -> None:
    """Both are posted before anything is done: the credit note is made after the invoice, and gets its number."""
    assert (await fjord.post("/v1/invoices", INVOICE)).status_code == 202
    answer = await fjord.post("/v1/invoices", credit())
    assert answer.status_code == 202
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    invoice, note = await fjord.document(kind="invoice"), await fjord.document(kind="credit_note")
    assert note.body["preceding_invoices"][0]["number"] == invoice.number
    assert Decimal(invoice.open) == kroner("9 375,00")


@pytest.mark.parametrize("names", ["number", "document_id"])
async def test_3_posted_again_it_is_the_same(fjord: Any, names: str) -> None:
    invoice = await a.sold(fjord)
    reference = {"number": invoice.number} if names == "number" else {"document_id": invoice.id}
    note = credit(8, 20, preceding_invoices=[reference])
    await credited(fjord, note)
    answer = await fjord.post("/v1/invoices", note)
    assert answer.status_code == 202
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert (await fjord.post("/v1/invoices", note | {"lines": note["lines"][:1]})).status_code == 409
    await fjord.work()
    assert len(notes(fjord.box)) == 1


async def test_3_as_ehf(fjord: Any) -> None:
    invoice = await a.sold(fjord)
    said = credit(preceding_invoices=[{"number": invoice.number}], number="K-1", source_id=None)
    body = write(compose(Draft.model_validate(said)))
    answer = await fjord.post("/v1/invoices", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "numbered-document")
    answer = await fjord.post("/v1/invoices", body, params={"draft": "true"})
    assert answer.status_code == 202, answer.text
    await fjord.work()
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("9 375,00")


async def test_3_two_at_the_same_moment_do_not_exceed(fjord: Any) -> None:
    await a.sold(fjord)
    answers = await asyncio.gather(
        *(fjord.post("/v1/invoices", credit(5, 0, source_id=f"credit-{n}")) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 422, 422, 422]
    await fjord.work()
    assert [one["amountExcludingVat"] for one in notes(fjord.box)] == [kroner("-5 100,00")]


async def test_3_two_in_two_processes_do_not_exceed(fjord: Any, database_url: str) -> None:
    """The guard holds the invoice: whoever comes later sees what was taken."""
    await a.sold(fjord)
    async with open_house(Settings(database=database_url)) as other:
        draft = [dumped(credit(5, 0, source_id=f"credit-{n}")) for n in range(2)]
        outcomes = await asyncio.gather(
            *(
                house.store.write(lambda tx, h=house, b=body, n=n: filed(tx, h, b, f"arrival-{n}"))
                for n, (house, body) in enumerate(zip((fjord.house, other), draft, strict=True))
            ),
            return_exceptions=True,
        )
    assert sorted(type(one).__name__ for one in outcomes) == ["BadInput", "Filed"]


def dumped(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()


def filed(tx: Any, house: Any, body: bytes, arrival: str) -> Any:
    tenant = house.tenant("fjord")
    note = intake.invoice_of(body, "application/json")
    return intake.file_invoice(
        tx, house, "fjord", tenant.routes["sales"], note, arrival=arrival, received=(body, "application/json")
    )


# --- what is applied --------------------------------------------------------------------------------------------------


async def test_3_the_credit_of_a_paid_invoice_is_the_customers(fjord: Any) -> None:
    invoice = await a.sold(fjord)
    fjord.box.payment(int(invoice.links[0]["vendor_id"]), kroner("12 500,00"), a.FEBRUARY, reference=invoice.kid)
    await fjord.poll()
    note = await credited(fjord)
    now = await fjord.document(kind="invoice")
    assert (now.state, Decimal(now.open)) == ("paid", 0)
    assert Decimal(note.open) == -a.balance(fjord.box, RECEIVABLE) == kroner("3 125,00")
    (event,) = await told(fjord, "invoice.credited")
    assert (event["applied"], event["open"], event["credit"]) == ("0", "0.00", "3125.00")


async def test_3_it_lowers_the_invoice_only_when_the_ledger_shows_it_applied(founded: Any) -> None:
    async with founded(credit_notes_apply=False) as fjord:
        invoice = await a.sold(fjord)
        note = await credited(fjord, credit(8, 20))
        assert (note.open, (await fjord.document(kind="invoice")).open) == ("12500.00", "12500.00")
        await fjord.poll()
        assert (await fjord.document(kind="invoice")).open == "12500.00"

        # A bookkeeper matches the two in the ledger.
        books = fjord.box.books
        ids = [int(one.links[0]["vendor_id"]) for one in (invoice, note)]
        books.close([books.items(id)[0] for id in ids], date(2027, 3, 12))
        await fjord.poll()
        now, note = await fjord.document(kind="invoice"), await fjord.document(kind="credit_note")
        assert (now.state, Decimal(now.open), Decimal(note.open)) == ("credited", 0, 0)
        assert [one["applied"] for one in await told(fjord, "invoice.credited")] == ["0", "12500.00"]


async def test_3_matched_with_another_invoice_it_is_not_applied_to_its_own(founded: Any) -> None:
    async with founded(credit_notes_apply=False) as fjord:
        await a.sold(fjord)
        other = await fjord.post("/v1/invoices", INVOICE | {"source_id": "sale-2"})
        await fjord.work()
        other = await fjord.document(kind="invoice", source_id="sale-2")
        note = await credited(fjord, credit(8, 20))
        books = fjord.box.books
        ids = [int(one.links[0]["vendor_id"]) for one in (other, note)]
        books.close([books.items(id)[0] for id in ids], date(2027, 3, 12))
        await fjord.poll()
        assert (await fjord.document(kind="invoice", source_id=INVOICE["source_id"])).open == "12500.00"


# --- born in the ledger -----------------------------------------------------------------------------------------------


async def test_3_a_credit_note_of_the_ledger_comes_back_once(fjord: Any) -> None:
    invoice = await a.sold(fjord)
    books = fjord.box.books
    books.credit(books.things["invoice"][int(invoice.links[0]["vendor_id"])], date(2027, 3, 10), "Feil")
    for _ in range(3):
        await fjord.poll()
    note = await fjord.document(kind="credit_note")
    now = await fjord.document(kind="invoice")
    assert (note.state, note.payable, note.open, now.state, now.open) == (
        "issued", "12500.00", "0.00", "credited", "0.00"
    )  # fmt: skip
    model = CreditNote.model_validate(note.body)
    assert (model.type_code, model.number, model.seller.name) == (
        "381",
        str(notes(fjord.box)[0]["invoiceNumber"]),
        "Fjord AS",
    )
    assert [line.quantity for line in model.lines] == [8, 20]
    assert model.preceding_invoices[0].number == invoice.number
    assert len(await told(fjord, "invoice.credited")) == 1
    assert [event for event in await fjord.events() if event.endswith(".found")] == ["credit_note.found"]
    assert await fjord.get("/v1/attention") == []
    await refused(fjord, credit(1, 0), "credit-exceeds-remaining")


async def test_3_invoice_and_part_credit_born_in_the_ledger(fjord: Any) -> None:
    """Both are mirrored, with the tenant as seller; a further credit of ours counts with theirs."""
    fjord.box.books.rules.empty_texts = False
    books = fjord.box.books
    customer = registers.create(
        books, registers.REGISTERS["customer"], {"name": "Eksempel AS", "organizationNumber": "974760673"}
    )

    def order(sign: int) -> Any:
        lines = [
            {"description": name, "count": sign * n, "unitPriceExcludingVatCurrency": price, "vatType": {"id": vat}}
            for name, n, price, vat in (("Rådgivning", 8, 1020, 3), ("Lunsj", 20, 100, 31))
        ]
        if sign < 0:
            lines = [lines[0] | {"count": -2}, lines[1] | {"count": -5}]
        said = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14"}
        return orders.create_order(books, said | {"orderLines": lines})

    invoice = books.charge(order(1), date(2027, 1, 15))
    books.charge(order(-1), date(2027, 3, 10), credits=invoice)
    for _ in range(2):
        await fjord.poll()
    there = await fjord.document(kind="invoice")
    note = await fjord.document(kind="credit_note")
    assert (there.body["seller"]["name"], there.body["seller"]["legal_id"]["value"]) == ("Fjord AS", "923609016")
    assert (Decimal(there.open), Decimal(note.payable), Decimal(note.open)) == (9375, 3125, 0)
    assert [Decimal(line["quantity"]) for line in note.body["lines"]] == [2, 5]

    ours = credit(7, 0, preceding_invoices=[{"number": there.number}])
    said = await refused(fjord, ours, "credit-exceeds-remaining")
    assert "; 6, 6120.00 net, are left" in said["detail"]
    await credited(fjord, credit(6, 15, preceding_invoices=[{"number": there.number}]))
    assert (await fjord.document(kind="invoice")).state == "credited"


# --- bad input --------------------------------------------------------------------------------------------------------


async def test_3_what_is_no_credit_note_of_it(fjord: Any) -> None:
    await a.sold(fjord)
    note = await credited(fjord)
    more: list[tuple[dict[str, Any], str]] = [
        ({"preceding_invoices": [{"source_id": "sale-unknown"}]}, "credited-invoice-unknown"),
        ({"preceding_invoices": [{"number": "99999"}]}, "credited-invoice-unknown"),
        ({"preceding_invoices": []}, "credited-invoice-unknown"),
        ({"preceding_invoices": [{"source_id": INVOICE["source_id"]}, {"number": "1"}]}, "credited-invoice-unknown"),
        ({"preceding_invoices": [{}]}, "document-reference-empty"),
        ({"preceding_invoices": [{"document_id": note.id}]}, "credit-of-credit-note"),
        ({"preceding_invoices": [{"number": note.number}]}, "credit-of-credit-note"),
        ({"currency": "EUR"}, "currency-differs"),
        ({"lines": []}, "no-lines"),
        ({"buyer": BUYER | {"legal_id": {"value": "991825827", "scheme": "0192"}}}, "customer-differs"),
        ({"lines": [INVOICE["lines"][0] | {"name": "Kurs"}]}, "credited-line-unknown"),
        ({"lines": [INVOICE["lines"][0] | {"quantity": "-1"}]}, "credit-exceeds-remaining"),
    ]
    for change, code in more:
        await refused(fjord, credit(source_id="credit-2") | change, code)


async def test_3_one_that_a_person_has_cancelled_takes_nothing(founded: Any) -> None:
    async with founded(partial_credit=False) as fjord:
        await a.sold(fjord)
        answer = await fjord.post("/v1/invoices", credit(8, 0))
        await fjord.work()
        (item,) = await fjord.get("/v1/attention")
        assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"
        await refused_while_waiting(fjord)
        settled = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
        assert settled.status_code == 204
        assert (await fjord.post("/v1/invoices", credit(8, 20, source_id="credit-2"))).status_code == 202
        await fjord.work()
        assert (await fjord.document(kind="invoice")).state == "credited"


async def refused_while_waiting(fjord: Any) -> None:
    answer = await fjord.post("/v1/invoices", credit(1, 0, source_id="credit-3"))
    assert (answer.status_code, answer.json()["code"]) == (422, "credit-exceeds-remaining")


async def test_3_credited_in_the_ledger_meanwhile(fjord: Any) -> None:
    """The hub has not seen it yet; the adapter reads what is left before it writes."""
    invoice = await a.sold(fjord)
    books = fjord.box.books
    books.credit(books.things["invoice"][int(invoice.links[0]["vendor_id"])], date(2027, 3, 9), None)
    answer = await fjord.post("/v1/invoices", credit())
    await fjord.work()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "credit-exceeds-remaining"
    assert "0.00 of 12500.00 are left" in item["said"]
    assert len(notes(fjord.box)) == 1
    assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"


async def test_3_what_the_system_cannot_do_is_refused_before_anything_is_sent(
    fjord: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the table of what it can: at the door; in the plan; and as the reason of what waits already."""
    await a.sold(fjord)
    (spoke,) = fjord.house.spokes()
    before = len(fjord.box.requests)
    answer = await fjord.post("/v1/invoices", credit())
    able = dict(spoke.accounting.capabilities)
    monkeypatch.setattr(
        spoke.accounting, "capabilities", {key: how for key, how in able.items() if key[0] != Kind.CREDIT_NOTE}
    )
    await refused_as(fjord, credit(1, 0, source_id="credit-2"), "operation-not-supported")
    await fjord.work()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "operation-not-supported"
    assert len(fjord.box.requests) == before
    settled = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
    assert settled.status_code == 204
    (step,) = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke))
    assert (step.kind, step.action) == ("credit_note", "stop")
    assert "cannot create a credit note" in step.reason
    assert (await fjord.get(answer.headers["location"]))["state"] == "rejected"


async def refused_as(fjord: Any, note: dict[str, Any], code: str) -> None:
    answer = await fjord.post("/v1/invoices", note)
    assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text


async def test_3_the_plan_shows_it(fjord: Any) -> None:
    """A connection that only observes is written nothing; the plan says what would be."""
    await a.sold(fjord)
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    assert (await fjord.post("/v1/invoices", credit())).status_code == 202
    await fjord.work()
    (step,) = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke))
    assert (step.kind, step.action, step.payable) == ("credit_note", "credit", "3125.00")
    assert [line["count"] for line in step.record["order"]["orderLines"]] == [2, 5]
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
    await catch_up(fjord.house.store, fjord.house, spoke)
    await fjord.work()
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("9 375,00")
