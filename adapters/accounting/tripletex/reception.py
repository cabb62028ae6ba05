"""Following incoming invoices: the register of supplier invoices, and the EHFs that still lie in the reception.

What the company receives itself is in no register until somebody has registered it: so the reception is read, too, and
what an EHF in it says, once.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from adapters.accounting.tripletex import purchases
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.reading import Reader
from adapters.accounting.tripletex.received import Received
from connector.errors import NeedsPerson
from connector.model.json import dumps, loads
from connector.ports import Kind, Page, Record

KINDS = (Kind.SUPPLIER, Kind.SUPPLIER_INVOICE)


class Purchases:
    """Reads suppliers and incoming invoices.

    A key without the rights to purchases reads none: the connection goes on with its sales, and the probe names what is
    missing. It is no sign that anything was deleted.
    """

    def __init__(self, client: Client, reader: Reader, received: Received) -> None:
        self._client = client
        self._reader = reader
        self._received = received

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor."""
        try:
            page = await self._reader.changes(kind, cursor)
            if kind is Kind.SUPPLIER or page.more:
                return page
            return await self._with_reception(page)
        except NeedsPerson as exc:
            if exc.code != "right-missing":
                raise
            return Page([], cursor, blind=True)

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything; of the reception what has an EHF comes with the last page."""
        try:
            page = await self._reader.sweep(kind, since, until, cursor)
            if kind is Kind.SUPPLIER or page.more:
                return page
            found, _ = await self._reception({})
        except NeedsPerson as exc:
            if exc.code != "right-missing":
                raise
            return Page([], dumps({"v": 1, "done": True}).decode(), blind=True)
        return Page([*page.records, *_not_in(page, found)], page.cursor)

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now, or None."""
        if kind is Kind.SUPPLIER:
            return await self._reader.read(kind, id)
        return await self._received.read(id) if id.isascii() and id.isdigit() else None

    async def _with_reception(self, page: Page) -> Page:
        state: dict[str, Any] = loads(page.cursor)
        found, seen = await self._reception(dict(state.get("reception", ())))
        cursor = dumps({**state, "reception": sorted(seen.items())}).decode()
        return Page([*page.records, *_not_in(page, found)], cursor)

    async def _reception(self, known: dict[int, int]) -> tuple[list[Record], dict[int, int]]:
        """The vouchers with an EHF that are new or changed, and the versions of all that lie there now."""
        found, seen = [], {}
        for voucher in await self._client.every("/ledger/voucher/>voucherReception", fields=purchases.VOUCHER_FIELDS):
            if not voucher.get("ediDocument"):
                continue
            version = int(voucher.get("version") or 0)
            seen[voucher["id"]] = version
            if known.get(voucher["id"]) == version:
                continue
            said = await self._received.ehf_of(voucher)
            if said is not None:
                found.append(purchases.in_reception(voucher, said))
        return found, seen


def _not_in(page: Page, found: list[Record]) -> list[Record]:
    """Those that the register does not show already."""
    there = {record.id for record in page.records}
    return [record for record in found if record.id not in there]
