"""A customer gets another number in the ledger while documents are under way: it is the same one on all sides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import registers
from connector.api.examples import CUSTOMER
from connector.store import links

_spec = spec_from_file_location("scenario_a_external", Path(__file__).parent / "test_a_external.py")
assert _spec is not None
assert _spec.loader is not None
e = module_from_spec(_spec)
_spec.loader.exec_module(e)
a, kroner = e.a, e.kroner


@pytest.mark.parametrize("issues", ["books", "source"])
async def test_the_same_customer_under_another_number(founded: Any, issues: str) -> None:
    """Before it is read as renumbered, and after: the second invoice, the payment and the credit find their customer;
    nobody is made anew and nobody is asked.
    """
    async with founded(issues=issues) as fjord:
        box = fjord.box
        body = e.INVOICE if issues == "source" else a.INVOICE
        await e.booked(fjord, body)
        (there,) = box.books.things["customer"].values()
        registers.change_customer(box.books, there["id"], {"customerNumber": 27001})

        second = {"number": "10018"} if issues == "source" else {}
        await e.booked(fjord, body | second | {"source_id": "sale-unread"}, source_id="sale-unread")
        await fjord.poll()
        third = {"number": "10019"} if issues == "source" else {}
        await e.booked(fjord, body | third | {"source_id": "sale-read"}, source_id="sale-read")

        assert len(box.books.things["customer"]) == 1
        customer = await fjord.document(kind="customer")
        assert customer.body["number"] == "27001"
        (spoke,) = fjord.house.spokes()
        link = await fjord.house.store.read(lambda tx: links.of(tx, customer.id, spoke.id))
        assert link is not None
        assert link.vendor_id == str(there["id"])

        rows = [row for row in e.customer_rows(box) if row["amount"] > 0]
        assert len(rows) == 3
        assert {row["customer"].id for row in rows} == {there["id"]}
        await e.paid(fjord, "bank-1", "12 500,00", kid=None, allocations=[
            {"document": {"source_id": "sale-read"}, "amount": "12500.00"}])  # fmt: skip
        await fjord.poll()
        assert (await fjord.document(kind="invoice", source_id="sale-read")).state == "paid"
        assert e.balance(box, e.RECEIVABLE) == 2 * kroner("12 500,00")
        assert await fjord.get("/v1/attention") == []


async def test_a_number_that_another_customer_had(founded: Any) -> None:
    """Two customers change places: each invoice stays with the one it was for, also where a program names a number."""
    async with founded() as fjord:
        box = fjord.box
        first, other = (
            registers.create_customer(box.books, {"name": name, "organizationNumber": number})
            for name, number in (("Kjøper AS", "974760673"), ("Annen AS", "991825827"))
        )
        numbers = [one["customerNumber"] for one in (first, other)]
        await fjord.poll()
        registers.change_customer(box.books, other["id"], {"customerNumber": 29999})
        registers.change_customer(box.books, first["id"], {"customerNumber": numbers[1]})
        registers.change_customer(box.books, other["id"], {"customerNumber": numbers[0]})
        for _ in range(2):
            await fjord.poll()
        known = (await fjord.get("/v1/documents", kind="customer"))["documents"]
        assert {one["counterparty"]: one["number"] for one in known} == {
            "Kjøper AS": str(numbers[1]),
            "Annen AS": str(numbers[0]),
        }
        said = CUSTOMER["party"] | {"name": "Annen AS", "legal_id": {"value": "991825827", "scheme": "0192"}}
        said |= {"endpoint": None, "vat_number": None}
        await e.booked(fjord, a.INVOICE | {"buyer": said, "source_id": "sale-2"}, source_id="sale-2")
        (made,) = a.issued(box)
        assert made["customer"].id == other["id"]
        box.payment(made["id"], Decimal("12500.00"), date(2027, 2, 1))
        await fjord.poll()
        assert (await fjord.document(kind="invoice")).state == "paid"
        assert len(box.books.things["customer"]) == 2
        assert await fjord.get("/v1/attention") == []
