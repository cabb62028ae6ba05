"""Writing credit notes: over a whole invoice by Tripletex' own verb, over a part by an order below zero.

**Whole**: nothing of the invoice has been credited in Tripletex, and the credit note has its lines and totals.
`/invoice/{id}/:createCreditNote` makes the exact opposite. It can carry no marker and needs none: an invoice is
credited as a whole once, and the credit note names it (`creditedInvoice`).

**Part**: an order with our marker whose quantities are below zero; its totals are compared before anything is numbered;
then it is invoiced as a credit note of the invoice (`_invoice_part`).

Either way its attachments are put on its voucher, where the page of Tripletex' own lies, too.

What is sent to the customer is said each time: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.attachments import VoucherFiles, fitting
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.invoices import Invoices, compare, dates, order_totals, totals_of
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.sending import number_of
from connector.errors import Refused, Stop
from connector.model import round2
from connector.ports import Goal, Proof, Run, Step

LAST = date(2100, 1, 1)
_NOTES = "id,invoiceNumber,invoiceDate,isCreditNote,creditedInvoice,amountCurrency,orders(id)"


class CreditNotes:
    """Flows of credit notes. `seen` is told of every invoice that is read on the way; `most`: bytes of a file."""

    def __init__(
        self,
        client: Client,
        invoices: Invoices,
        periods: Periods,
        seen: Callable[[Mapping[str, Any]], None],
        most: int,
    ) -> None:
        self._client = client
        self._invoices = invoices
        self._periods = periods
        self._seen = seen
        self._files = VoucherFiles(client)
        self._most = most

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal; which way is taken is found out by the first. Raises `Refused`."""
        _credited(goal)
        dates(goal)
        if goal.totals is None:
            raise Refused("The credit note comes without totals to compare with.", code="totals-missing")
        self._invoices.check_lines(goal)
        for place, line in enumerate(_lines(goal.record)):
            if line.get("count") is None:
                raise Refused(
                    "A line has no quantity.",
                    code="quantity-missing",
                    where={"field": f"order.orderLines[{place}].count"},
                )
        return (
            Step("credited", self._decide, reads=True),
            Step("order", self._order_create, self._order_look),
            Step("credit_note", self._create, self._look),
            *self._papers(goal),
            Step("read", self._read),
        )

    def _papers(self, goal: Goal) -> list[Step]:
        """The steps that put its attachments on its voucher."""
        files = fitting(goal, self._most)
        return [Step("voucher", self._voucher), *self._files.steps(files, after="voucher")] if files else []

    async def _voucher(self, run: Run) -> Proof:
        """Its voucher, with what it has for a document now."""
        path = f"/invoice/{run.proofs['credit_note'].id}"
        row = await self._client.get(path, fields="id,voucher(id)")
        id = (row.get("voucher") or {}).get("id")
        if type(id) is not int:
            raise records.not_as_described("voucher.id", "an integer", path)
        return await self._files.held(str(id))

    # --- what there is ------------------------------------------------------------------------------------------------

    async def _decide(self, run: Run) -> Proof:
        """Whole or part. Raises `Stop` ("credit-exceeds-remaining") where less is left in Tripletex."""
        await self._periods.check(dates(run.goal)[0], "credit note", "invoiceDate")
        invoice, notes = await self._there(run.goal)
        return Proof(str(invoice["id"]), {"whole": not notes and _is_whole(run.goal, invoice)})

    async def _there(self, goal: Goal) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The invoice, and its credit notes; checked for what is left."""
        invoice = await self._client.get(f"/invoice/{_credited(goal)}", fields=records.INVOICE_FIELDS)
        self._seen(invoice)
        notes = await self._notes(goal)
        amount, taken = _amount(invoice), sum((-_amount(note) for note in notes), Decimal(0))
        asked = _gross(goal)
        if asked > amount - taken or (invoice.get("isCredited") and not notes):
            raise Stop(
                f"{asked} is to be credited of invoice {invoice.get('invoiceNumber')}, and in Tripletex"
                f" {amount - taken} of {amount} are left.",
                code="credit-exceeds-remaining",
                do="See which credit notes Tripletex has of it; where this one is among them, say so: --happened with"
                " its id.",
                where={"invoice": str(invoice["id"])},
                details={"asked": str(asked), "left": str(amount - taken), "notes": [note["id"] for note in notes]},
            )
        return invoice, notes

    async def _notes(self, goal: Goal) -> list[dict[str, Any]]:
        """The credit notes that Tripletex has of the invoice."""
        customer = number_of(goal.record["order"].get("customer", {}).get("id"), "order.customer.id")
        # Wide: should somebody have dated one before the invoice, it counts.
        rows = await self._client.every(
            "/invoice", invoiceDateFrom=dates(goal)[0] - timedelta(days=3660), invoiceDateTo=LAST, customerId=customer,
            fields=_NOTES,
        )  # fmt: skip
        credited = _credited(goal)
        return [row for row in rows if row.get("isCreditNote") and row.get("creditedInvoice") == credited]

    # --- the order of a part ------------------------------------------------------------------------------------------

    async def _order_create(self, run: Run) -> Proof:
        if _whole(run):
            return Proof("-")
        body = await self._invoices.order_body(_below_zero(run.goal))
        return Proof(str((await self._client.write("POST", "/order", json=body))["id"]))

    async def _order_look(self, run: Run) -> Sequence[Proof]:
        return [Proof("-")] if _whole(run) else await self._invoices.order_look(run)

    # --- the credit note ----------------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        invoice, notes = await self._there(run.goal)
        if _whole(run) and notes:
            raise Stop(
                f"Somebody has credited invoice {invoice.get('invoiceNumber')} in Tripletex meanwhile.",
                code="credited-meanwhile",
                do="See which credit notes Tripletex has of it; where this one is among them, say so: --happened with"
                " its id. Else post the credit anew.",
                where={"invoice": str(invoice["id"])},
                details={"notes": [note["id"] for note in notes]},
            )
        try:
            made = await (self._credit_whole(run) if _whole(run) else self._invoice_part(run))
        except Refused as refused:
            # An order is invoiced once: where that has happened unseen, the refusal is the answer we had lost.
            there = [] if _whole(run) else await self._look(run)
            if len(there) == 1:
                return there[0]
            raise await self._invoices.explained(refused) from None
        return _made(made)

    async def _credit_whole(self, run: Run) -> Mapping[str, Any]:
        return await self._client.write(
            "PUT",
            f"/invoice/{_credited(run.goal)}/:createCreditNote",
            params={
                "date": dates(run.goal)[0],
                "comment": run.goal.record["order"].get("invoiceComment"),
                "sendToCustomer": False,
            },
        )

    async def _invoice_part(self, run: Run) -> Mapping[str, Any]:
        """Make the order a credit note of the invoice.

        Uncertain, and relied on nowhere else: that `invoiceIdIfIsCreditNote` makes a credit note of an order below zero
        is how the vendor's description reads ("Id of the invoice a credit note refers to"); it has not been tried on a
        live account. Where it makes something else, `_read` stops with what it made.
        """
        order = run.proofs["order"].id
        row, where = await self._invoices.order_row(order), {"order": order}
        compare(run.goal, _positive(order_totals(row)), where, "Nothing is credited yet.")
        await self._invoices.compare_stated(
            run.goal, row.get("preliminaryInvoice"), where, "Nothing is credited yet.", sign=-1
        )
        return await self._client.write(
            "PUT",
            f"/order/{order}/:invoice",
            params={
                "invoiceDate": dates(run.goal)[0],
                "sendToCustomer": False,
                "invoiceIdIfIsCreditNote": _credited(run.goal),
            },
        )

    async def _look(self, run: Run) -> Sequence[Proof]:
        day, notes = dates(run.goal)[0].isoformat(), await self._notes(run.goal)
        if _whole(run):
            return [
                _made(note) for note in notes if note.get("invoiceDate") == day and -_amount(note) == _gross(run.goal)
            ]
        order = int(run.proofs["order"].id)
        return [_made(note) for note in notes if any(ref.get("id") == order for ref in note.get("orders") or ())]

    async def _read(self, run: Run) -> Proof:
        row = await self._client.get(
            f"/invoice/{run.proofs['credit_note'].id}", fields=f"{records.INVOICE_FIELDS},{records.CLOSINGS}"
        )
        self._seen(row)
        number = row.get("invoiceNumber")
        if not row.get("isCreditNote") or row.get("creditedInvoice") != _credited(run.goal):
            raise Stop(
                f"Tripletex has made number {number} of it, which is no credit note of the invoice.",
                code="credit-note-differs",
                do="See what it is in Tripletex and correct it there; then say which credit note it is: --happened.",
                where={"invoice": str(row["id"])},
            )
        credited = await self._client.get(f"/invoice/{_credited(run.goal)}", fields="id,invoiceNumber")
        record = records.credit_note(
            row, credited.get("invoiceNumber"), records.closed_with(row), records.group_of(row)
        )
        if theirs := totals_of(row):
            compare(run.goal, _positive(theirs), {"invoice": record.id}, f"It is credited, as number {number}.")
        facts = {"number": number, "voucher": records.voucher_text(record.body["invoice"].get("voucher"))}
        return Proof(record.id, facts, record)


def _whole(run: Run) -> bool:
    return bool(run.proofs["credited"].facts["whole"])


def _credited(goal: Goal) -> int:
    return number_of((goal.record.get("credits") or {}).get("id"), "credits.id")


def _lines(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return record.get("order", {}).get("orderLines") or ()


def _made(row: Mapping[str, Any]) -> Proof:
    return Proof(str(row["id"]), {"number": row.get("invoiceNumber")})


def _amount(row: Mapping[str, Any]) -> Decimal:
    value = row.get("amountCurrency")
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise records.not_as_described("amountCurrency", "a number")
    return Decimal(value)


def _gross(goal: Goal) -> Decimal:
    assert goal.totals is not None
    return goal.totals.gross + goal.totals.rounding


def _positive(totals: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: -value for name, value in totals.items()}


def _below_zero(goal: Goal) -> Goal:
    lines = [{**line, "count": -Decimal(line["count"])} for line in _lines(goal.record)]
    record = {
        "order": {**goal.record["order"], "orderLines": lines},
        "invoice": {"invoiceDate": goal.record["invoice"]["invoiceDate"]},
    }
    return replace(goal, record=record)


def _is_whole(goal: Goal, invoice: Mapping[str, Any]) -> bool:
    """Whether the credit note has the invoice's totals, and its lines by VAT code and amount."""
    totals = goal.totals
    assert totals is not None
    if totals_of(invoice) != {name: getattr(totals, name) for name in ("net", "vat", "gross", "rounding")}:
        return False
    ours = sorted(
        (str(line["vatType"]["number"]), round2(Decimal(line["count"]) * _price(line))) for line in _lines(goal.record)
    )
    theirs = sorted(
        (str((line.get("vatType") or {}).get("number")), Decimal(line.get("amountExcludingVatCurrency") or 0))
        for line in invoice.get("orderLines") or ()
    )
    return ours == theirs


def _price(line: Mapping[str, Any]) -> Decimal:
    return Decimal(line.get("unitPriceExcludingVatCurrency") or 0)
