"""Writing credit notes of invoices that Fiken has issued.

A draft shows what Fiken would come to, but a credit note made from it belongs to no invoice, and would leave the
invoice open. So the draft is for comparing only: then the invoice is credited as a whole or in part by the calls that
name it, and the draft is thrown away. Those calls take no marker, and two credit notes of an invoice may be equal: ours
is the one that was not there when it was made, with our date and amount, and that nobody else has claimed. Where there
is none, a person is asked. Nothing is ever sent to the customer from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adapters.accounting.fiken import drafts
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.ore import ore
from adapters.accounting.fiken.records import not_as_described
from adapters.accounting.fiken.sending import compare, day_of, id_of, lines_of, uuid_of
from connector.errors import Refused, Stop
from connector.ports import Goal, Json, Proof, Record, Run, Step

_DRAFTS = "/creditNotes/drafts"


class CreditNotes:
    """Flows of credit notes. `shown`: a credit note of Fiken's as a record."""

    def __init__(
        self, client: Client, lookups: Lookups, explaining: Explaining, shown: Callable[[Row], Awaitable[Record]]
    ) -> None:
        self._client = client
        self._lookups = lookups
        self._explaining = explaining
        self._shown = shown

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        drafts.check(goal)
        id_of(goal.record.get("associatedInvoiceId"), "associatedInvoiceId")
        if [file for file in goal.files if file.role == "attachment"]:
            raise Refused(
                "Fiken takes no attachments on credit notes.",
                code="attachment-type",
                do="Send the credit note without attachments.",
                where={"field": "attachments"},
            )
        return (
            Step("draft", self._draft, self._draft_look),
            Step("credit_note", self._create, self._look, self._witness),
            Step("discard", self._discard),
            Step("read", self._read),
        )

    async def _draft(self, run: Run) -> Proof:
        await drafts.accounts(run.goal.record, self._lookups)
        body = drafts.request(run.goal, "credit_note", text="creditNoteText")
        try:
            return Proof(str(await self._client.create(_DRAFTS, body)))
        except Refused as refused:
            raise await self._explaining.of(refused, run.goal.record) from None

    async def _draft_look(self, run: Run) -> Sequence[Proof]:
        """The draft with our uuid; these cannot be asked for by it."""
        uuid = uuid_of(run.goal.marker)
        rows = await self._client.every(_DRAFTS, "draftId")
        return [Proof(str(row["draftId"])) for row in rows if row.get("uuid") == uuid]

    async def _witness(self, run: Run) -> Json:
        """The credit notes that the invoice has now."""
        return _notes(await self._invoice(run.goal))

    async def _create(self, run: Run) -> Proof:
        goal, draft = run.goal, run.proofs["draft"].id
        there = await self._client.find(f"{_DRAFTS}/{draft}")
        if there is None:
            raise Stop(
                "The draft of the credit note is not in Fiken any more.",
                code="draft-gone",
                do="See in Fiken whether somebody has made a credit note of it: then say so (--happened with its id)."
                " If it was deleted, cancel this and post the credit note anew.",
                where={"draft": draft},
                answers=("happened",),
            )
        compare(goal, there, {"draft": draft}, "Nothing is credited yet.")
        invoice = await self._invoice(goal)
        path, body = "/creditNotes/partial", _partial(goal)
        if _whole(goal, invoice):
            path, body = "/creditNotes/full", {name: body[name] for name in _FULL if name in body}
        try:
            return Proof(str(await self._client.create(path, body)))
        except Refused as refused:
            raise await self._explaining.of(refused, goal.record) from None

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The credit notes of the invoice that are new, and are what ours is."""
        before = set(run.witness or ())
        new = [id for id in _notes(await self._invoice(run.goal)) if id not in before]
        return [Proof(str(id)) for id in new if _same(run.goal, await self._client.get(f"/creditNotes/{id}"))]

    async def _discard(self, run: Run) -> Proof:
        """Away with the draft: looked for first, so that doing it twice is harmless."""
        path = f"{_DRAFTS}/{run.proofs['draft'].id}"
        if await self._client.find(path) is not None:
            await self._client.call("DELETE", path)
        return Proof(run.proofs["credit_note"].id)

    async def _read(self, run: Run) -> Proof:
        """The credit note as it is. Raises `Stop` ("totals-differ")."""
        row = await self._client.get(f"/creditNotes/{run.proofs['credit_note'].id}")
        record, number = await self._shown(row), row.get("creditNoteNumber")
        compare(run.goal, row, {"credit_note": record.id}, f"It is credited, as number {number}; nothing was sent.")
        return Proof(record.id, {"number": number, "period": str(row.get("issueDate"))[:7]}, record)

    async def _invoice(self, goal: Goal) -> Row:
        return await self._client.get(f"/invoices/{id_of(goal.record['associatedInvoiceId'], 'associatedInvoiceId')}")


_FULL = ("issueDate", "invoiceId", "creditNoteText")


def _notes(invoice: Row) -> list[int]:
    notes = invoice.get("associatedCreditNotes") or []
    if not isinstance(notes, list) or not all(type(id) is int for id in notes):
        raise not_as_described("associatedCreditNotes", "a list of ids")
    return notes


def _partial(goal: Goal) -> dict[str, Any]:
    record = goal.record
    body = {
        "issueDate": day_of(record.get("issueDate"), "issueDate").isoformat(),
        "invoiceId": id_of(record["associatedInvoiceId"], "associatedInvoiceId"),
        "lines": lines_of(record),
        "project": (record.get("project") or {}).get("projectId"),
        **{name: record.get(name) for name in ("creditNoteText", "yourReference", "orderReference", "roundingType")},
    }
    return {name: value for name, value in body.items() if value is not None}


def _whole(goal: Goal, invoice: Row) -> bool:
    """Whether the credit note is the exact opposite of an invoice of which nothing has been credited."""
    totals = goal.totals
    assert totals is not None
    ours = (ore(totals.net), ore(totals.vat), ore(totals.gross + totals.rounding))
    if _notes(invoice) or ours != (invoice.get("net"), invoice.get("vat"), invoice.get("gross")):
        return False
    names = ("vatType", "unitPrice", "quantity")
    lines = [tuple(line.get(name) for name in names) for line in goal.record["lines"]]
    return lines == [tuple(line.get(name) for name in names) for line in invoice.get("lines") or ()]


def _same(goal: Goal, row: Row) -> bool:
    assert goal.totals is not None
    day = day_of(goal.record.get("issueDate"), "issueDate").isoformat()
    return (row.get("issueDate"), row.get("gross")) == (day, ore(goal.totals.gross + goal.totals.rounding))
