"""Notes for whoever opens an invoice: a page among the files of its sale, which is where its entries are kept.

On the sale and not on the invoice: what is attached to an invoice goes along when Fiken sends it once more. Fiken tells
how many files a sale has, not what they are called: where there is one more after a lost answer, the page has arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from adapters.accounting.fiken.attachments import Attachments
from adapters.accounting.fiken.client import Client
from adapters.accounting.fiken.records import not_as_described
from adapters.accounting.fiken.sending import id_of
from connector.ports import File, Goal, Kind, Proof, Run, Step, page_of


class Notes:
    """Flows of notes."""

    def __init__(self, client: Client, files: Attachments) -> None:
        self._client = client
        self._files = files

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        id_of(goal.target, "target")
        page = self._files.fitting(page_of(goal), 1)
        return (
            Step("there", self._there, reads=True),
            Step("note", partial(self._attach, page=page), self._look),
        )

    async def _there(self, run: Run) -> Proof:
        """What it is put on, by its path, and how many files that has."""
        id = id_of(run.goal.target, "target")
        if run.goal.kind is Kind.INVOICE:
            path = f"/invoices/{id}"
            sale = ((await self._client.get(path)).get("sale") or {}).get("saleId")
            if type(sale) is not int:
                raise not_as_described("sale.saleId", "an integer", path)
            id = sale
        path = f"/{'purchases' if run.goal.kind is Kind.SUPPLIER_INVOICE else 'sales'}/{id}"
        return Proof(path, {"files": len(await self._client.whole(f"{path}/attachments"))})

    async def _attach(self, run: Run, *, page: File) -> Proof:
        return await self._files.attach(run.proofs["there"].id, page, attachToSale=True)

    async def _look(self, run: Run) -> Sequence[Proof]:
        there = run.proofs["there"]
        rows = await self._client.whole(f"{there.id}/attachments")
        return [Proof(str(row.get("identifier"))) for row in rows[int(str(there.facts["files"])) :]]
