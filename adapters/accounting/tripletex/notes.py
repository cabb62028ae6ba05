"""Notes for whoever opens an invoice: a page on its voucher, behind what lies there.

No call changes a field of an invoice that is issued, and its comment is for the customer. What lies on a voucher is the
bookkeepers' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.accounting.tripletex.attachments import VoucherFiles, why_not
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.sending import number_of
from connector.errors import Refused
from connector.ports import Goal, Kind, Proof, Run, Step, page_of

_OF: Mapping[Kind, str] = {
    Kind.INVOICE: "/invoice",
    Kind.CREDIT_NOTE: "/invoice",
    Kind.EXTERNAL_INVOICE: "/ledger/posting",
    Kind.EXTERNAL_CREDIT_NOTE: "/ledger/posting",
}
"""Where the voucher of a record is named; that of an incoming invoice is the record's own id."""


class Notes:
    """Flows of notes. `most`: bytes of a file."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._files = VoucherFiles(client)
        self._most = most

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        number_of(goal.target, "target")
        page = page_of(goal)
        if problem := why_not(page, self._most):
            raise Refused(problem[1], code=problem[0])
        return (Step("voucher", self._voucher, reads=True), *self._files.steps([page], after="voucher"))

    async def _voucher(self, run: Run) -> Proof:
        """Its voucher, with what it has for a document now."""
        id = number_of(run.goal.target, "target")
        if run.goal.kind is Kind.SUPPLIER_INVOICE:
            return await self._files.held(str(id))
        path = f"{_OF[run.goal.kind]}/{id}"
        voucher = ((await self._client.get(path, fields="id,voucher(id)")).get("voucher") or {}).get("id")
        if type(voucher) is not int:
            raise not_as_described("voucher.id", "an integer", path)
        return await self._files.held(str(voucher))
