"""Writing invoices that were issued elsewhere: Fiken's "annet salg", which is for nothing else.

A sale has no marker. Its number, customer, day and amount are compared exactly, so a second sale with the same number
of the same customer is never made: where one is there already, a person decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from adapters.accounting.fiken import records, wire
from adapters.accounting.fiken.attachments import Attachments
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.ore import kroner, ore
from adapters.accounting.fiken.sending import day_of, id_of
from adapters.accounting.fiken.vat import spread
from connector.errors import Refused, Stop
from connector.ports import File, Goal, Kind, Proof, Record, Run, Step


class Externals:
    """Flows of invoices that were issued elsewhere."""

    def __init__(self, client: Client, lookups: Lookups, explaining: Explaining, files: Attachments) -> None:
        self._client = client
        self._lookups = lookups
        self._explaining = explaining
        self._files = files

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        record = goal.record
        if goal.totals is None:
            raise Refused("The document comes without totals to compare with.", code="totals-missing")
        if not record.get("saleNumber"):
            raise Refused("It was issued elsewhere, and has no number.", code="number-missing")
        day_of(record.get("date"), "date")
        id_of((record.get("customer") or {}).get("contactId"), "customer.contactId")
        steps = [Step("sale", self._book, self._look)]
        if goal.paper is not None:
            look = partial(self._files.look, path="/sales", to="sale", number=1)
            steps.append(Step("document", partial(self._attach, goal.paper), look))
        return (*steps, Step("read", self._read))

    async def _attach(self, paper: Callable[[], Awaitable[File]], run: Run) -> Proof:
        """Attach the readable page of the document."""
        file = self._files.fitting(await paper(), 1)
        return await self._files.attach(f"/sales/{run.proofs['sale'].id}", file, attachToSale=True)

    async def _book(self, run: Run) -> Proof:
        goal = run.goal
        body = _request(goal)
        for place, line in enumerate(body["lines"]):
            await self._lookups.open_account(str(line["account"]), f"lines[{place}].account")
        for row in await self._numbered(goal):
            raise Stop(
                f"Fiken has a sale {goal.record['saleNumber']} of this customer already, of {row.get('date')}.",
                code="number-taken",
                do="Where it is this very document, say so: --happened with its id; otherwise mend the number.",
                where={"field": "saleNumber"},
                details={"ids": [row["saleId"]]},
                answers=("happened",),
            )
        try:
            return Proof(str(await self._client.create("/sales", body)))
        except Refused as refused:
            raise await self._explaining.of(refused, goal.record) from None

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The sale that is exactly ours."""
        return [Proof(str(row["saleId"])) for row in await self._numbered(run.goal) if not _apart(run.goal, row)]

    async def _numbered(self, goal: Goal) -> list[Row]:
        """Sales with this number that are this customer's, and not taken back."""
        number = str(goal.record["saleNumber"])
        rows = await self._client.every("/sales", "saleId", saleNumber=number)
        customer = id_of(goal.record["customer"]["contactId"], "customer.contactId")
        return [
            row for row in rows
            if row.get("saleNumber") == number and not row.get("deleted")
            and row.get("kind") == "external_invoice" and (row.get("customer") or {}).get("contactId") == customer
        ]  # fmt: skip

    async def _read(self, run: Run) -> Proof:
        row = await self._client.get(f"/sales/{run.proofs['sale'].id}")
        if apart := _apart(run.goal, row):
            raise Stop(
                f"The sale in Fiken is not what was booked: {apart}.",
                code="totals-differ",
                do="See what Fiken has booked; delete the sale there and retry, or mend it.",
                where={"sale": str(row["saleId"])},
            )
        record = _record(row)
        return Proof(record.id, {"period": str(row.get("date"))[:7]}, record)


def _record(row: Row) -> Record:
    lines = [
        {**line, "netPrice": line.get("netPriceInCurrency", line.get("netPrice"))} for line in row.get("lines", ())
    ]
    body = records.pick(wire.ExternalInvoice, {**row, "lines": lines, "vat": []})
    return records.record(
        Kind.EXTERNAL_INVOICE, wire.ExternalInvoice, row["saleId"], body, open_amount=records.outstanding(row)
    )


def _request(goal: Goal) -> dict[str, Any]:
    """The sale as it is sent. Raises `Stop` ("vat-differs", "totals-differ")."""
    record, totals = goal.record, goal.totals
    assert totals is not None
    lines = [dict(line) for line in record.get("lines") or ()]
    lines += [
        {**one, "netPrice": one["netPrice"] if one.get("isCharge") else -one["netPrice"]}
        for one in record.get("adjustments") or ()
    ]
    made = spread(lines, record.get("vat") or ())
    net, vat = sum(line["netPrice"] for line in made), sum(line["vat"] for line in made)
    if (net, vat) != (ore(totals.net), ore(totals.vat)) or totals.rounding:
        raise Stop(
            f"The lines come to {kroner(net, 'net'):.2f} and {kroner(vat, 'vat'):.2f} of VAT, the document to"
            f" {totals.net:.2f} and {totals.vat:.2f} (rounded by {totals.rounding:.2f}). Nothing is booked yet.",
            code="totals-differ",
            do="Book it in Fiken, or mend the document or its mapping.",
            details={"ours": {"net": str(totals.net), "vat": str(totals.vat)}},
        )
    currency = record.get("currency") or "NOK"
    ending = "" if currency == "NOK" else "InCurrency"
    body: dict[str, Any] = {
        "kind": "external_invoice",
        "paid": False,  # required by Fiken's description, though it does not say what it means
        "date": day_of(record["date"], "date").isoformat(),
        "currency": currency,
        "customerId": id_of(record["customer"]["contactId"], "customer.contactId"),
        "projectId": (record.get("project") or {}).get("projectId"),
        "lines": [
            {
                "description": line["description"][:200],
                "vatType": line["vatType"],
                "account": line["account"],
                "netPrice" + ending: line["netPrice"],
                "vat" + ending: line["vat"],
            }
            for line in made
        ],
        "dueDate": day_of(record["dueDate"], "dueDate").isoformat() if record.get("dueDate") else None,
        **{name: record.get(name) for name in ("saleNumber", "kid")},
    }
    return {name: value for name, value in body.items() if value is not None}


def _apart(goal: Goal, row: Row) -> str:
    """What of a sale is not as it was booked; empty where nothing is."""
    totals, day = goal.totals, day_of(goal.record["date"], "date").isoformat()
    assert totals is not None
    if row.get("date") != day:
        return f"its day is {row.get('date')}, not {day}"
    ours = (ore(totals.net), ore(totals.vat))
    theirs: tuple[Any, ...] = (row.get("netAmount"), row.get("vatAmount"))
    if (goal.record.get("currency") or "NOK") != "NOK":  # its amounts are kroner, and those of its lines both
        lines = row.get("lines") or ()
        theirs = tuple(sum(line.get(name) or 0 for line in lines) for name in ("netPriceInCurrency", "vatInCurrency"))
    return "" if ours == theirs else f"it comes to {theirs} (net, VAT) in hundredths, not {ours}"
