"""Issued elsewhere, in other ways: beside what the ledger issues, in a plan, and among the ledger's own invoices."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from connector.store import connections
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan

_spec = spec_from_file_location("scenario_a_external", Path(__file__).parent / "test_a_external.py")
assert _spec is not None
assert _spec.loader is not None
external = module_from_spec(_spec)
_spec.loader.exec_module(external)
a, fjord = external.a, external.fjord
INVOICE, NUMBER, KID, FEBRUARY, RECEIVABLE = (
    external.INVOICE, external.NUMBER, external.KID, external.FEBRUARY, external.RECEIVABLE,
)  # fmt: skip
booked, paid, credit, vouchers, kroner, balance = (
    external.booked, external.paid, external.credit, external.vouchers, external.kroner, external.balance,
)  # fmt: skip
OWN = """
  own:
    takes: api
    to: books
    issues: books
    sends: nobody
    reminds: nobody
    takes_bank_money: {"86011117947": books, "15032080119": source}
"""


async def test_one_company_two_ways(founded: Any) -> None:
    """A credit note of the source credits what the source has issued, one of the ledger what the ledger has."""
    async with founded(issues="source", more_routes=OWN) as fjord:
        series = INVOICE | {"number": "A-17"}
        await booked(fjord, series, params={"route": "sales"})
        draft = a.INVOICE | {"source_id": "sale-2"}
        own = await booked(fjord, draft, params={"route": "own"}, source_id="sale-2")
        assert own.number == "10017"
        theirs = credit(preceding_invoices=[{"document_id": own.id}])
        named = {"preceding_invoices": [{"number": "A-17"}]}
        ours = credit(1, 1) | named | {"number": None, "source_id": "credit-own"}
        for body, route in ((theirs, "sales"), (ours, "own")):
            answer = await fjord.post("/v1/invoices", body, params={"route": route})
            assert (answer.status_code, answer.json()["code"]) == (422, "credited-invoice-elsewhere"), answer.text
        await booked(fjord, credit() | named, "credit_note", params={"route": "sales"})
        assert balance(fjord.box, RECEIVABLE) == kroner("21 875,00")
        assert len(vouchers(fjord.box)) == 3


async def test_the_plan_shows_the_voucher(fjord: Any) -> None:
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    assert (await fjord.post("/v1/invoices", INVOICE)).status_code == 202
    await fjord.work()
    customer, step = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke))
    assert (customer.kind, customer.action) == ("customer", "create")
    assert (step.kind, step.action, step.number) == ("invoice", "create", NUMBER)
    assert [(one["account"]["number"], one["amount"]) for one in step.record["lines"]] == [(3000, 8160), (3001, 2000)]
    assert await fjord.get("/v1/attention") == []
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
    await catch_up(fjord.house.store, fjord.house, spoke)
    await fjord.work(within=1)
    assert len(vouchers(fjord.box)) == 1
    assert await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke)) == []


# --- under its own number ---------------------------------------------------------------------------------------------


async def test_among_the_ledgers_own_invoices(founded: Any) -> None:
    """The customer has confirmed that nothing is invoiced inside: it keeps its number, and payments come as usual."""
    settings = "external_invoices: invoice, nothing_invoiced_here: true"
    async with founded(issues="source", settings=settings) as fjord:
        fjord.box.books.rules.keeps_kid = True
        document = await booked(fjord)
        (there,) = a.issued(fjord.box)
        assert (there["invoiceNumber"], there["kid"]) == (int(NUMBER), KID)
        assert (document.number, document.kid, document.state) == (NUMBER, KID, "issued")
        fjord.box.payment(there["id"], kroner("5 000,00"), FEBRUARY, reference=KID)
        await fjord.poll()
        await paid(fjord, "bank-1", "7 500,00")
        assert (await fjord.document(kind="invoice")).state == "paid"
        assert balance(fjord.box, RECEIVABLE) == 0
        assert len(await a.received(fjord)) == 2
        assert len((await fjord.get("/v1/documents", kind="invoice"))["documents"]) == 1, "it is not mirrored"
        note = await fjord.post("/v1/invoices", credit())
        assert (note.status_code, note.json()["code"]) == (409, "operation-not-supported")
        await fjord.post("/v1/invoices", INVOICE | {"number": "A-1", "source_id": "sale-2"})
        await fjord.work(within=1)
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "number-not-numeric"
        assert len(a.issued(fjord.box)) == 1
