"""Writing invoices that Fiken numbers: a draft with our uuid, its totals compared, then made an invoice, then read back
and compared again. Nothing is ever sent to the customer from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.accounting.fiken import drafts, records
from adapters.accounting.fiken.attachments import Attachments
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.sending import compare, uuid_of
from connector.errors import Refused
from connector.ports import Goal, Proof, Run, Step


class Invoices:
    """Flows of invoices."""

    def __init__(self, client: Client, lookups: Lookups, explaining: Explaining, files: Attachments) -> None:
        self._client = client
        self._lookups = lookups
        self._explaining = explaining
        self._files = files

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        drafts.check(goal)
        return (
            Step("draft", self._draft, self._draft_look),
            *self._files.steps(goal, "/invoices/drafts", "draft"),
            Step("invoice", self._create, self._look),
            Step("read", self._read),
        )

    async def _draft(self, run: Run) -> Proof:
        record = run.goal.record
        number = await self._lookups.invoice_number()
        await drafts.accounts(record, self._lookups)
        body = {**drafts.request(run.goal, "invoice", text="invoiceText"), "bankAccountNumber": number}
        try:
            return Proof(str(await self._client.create("/invoices/drafts", body)))
        except Refused as refused:
            raise await self._explaining.of(refused, record) from None

    async def _draft_look(self, run: Run) -> Sequence[Proof]:
        """The draft with our uuid."""
        uuid = uuid_of(run.goal.marker)
        rows = await self._client.every("/invoices/drafts", "draftId", uuid=uuid)
        return [Proof(str(row["draftId"])) for row in rows if row.get("uuid") == uuid]

    async def _create(self, run: Run) -> Proof:
        draft = run.proofs["draft"].id
        there = await self._client.find(f"/invoices/drafts/{draft}")
        if there is None:  # it has become an invoice, or somebody has thrown it away
            found = await self._look(run)
            if len(found) == 1:
                return found[0]
            raise Refused(
                "The draft is not in Fiken any more, and there is no invoice of it.",
                code="draft-gone",
                do="See who deleted it in Fiken; cancel this and post the invoice anew.",
                where={"draft": draft},
            )
        compare(run.goal, there, {"draft": draft}, "Nothing is invoiced yet.")
        try:
            made = await self._client.create(f"/invoices/drafts/{draft}/createInvoice", {})
        except Refused as refused:
            raise await self._explaining.of(refused, run.goal.record) from None
        return Proof(str(made))

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The invoice that was made of our draft."""
        return [Proof(str(row["invoiceId"])) for row in await self._made(run.goal)]

    async def _made(self, goal: Goal) -> list[Row]:
        uuid = uuid_of(goal.marker)
        rows = await self._client.every("/invoices", "invoiceId", invoiceDraftUuid=uuid)
        return [row for row in rows if row.get("invoiceDraftUuid") == uuid]

    async def _read(self, run: Run) -> Proof:
        """The invoice as it is. Raises `Stop` ("totals-differ")."""
        row = await self._client.get(f"/invoices/{run.proofs['invoice'].id}")
        record = records.invoice(row)
        number = row.get("invoiceNumber")
        compare(run.goal, row, {"invoice": record.id}, f"It is invoiced, as number {number}; nothing was sent.")
        facts: dict[str, Any] = {"number": number, "kid": row.get("kid"), "period": str(row.get("issueDate"))[:7]}
        return Proof(record.id, facts, record)
