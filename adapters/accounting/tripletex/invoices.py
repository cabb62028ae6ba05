"""Writing invoices that Tripletex numbers: an order with our marker, its totals compared, then made an invoice.

The marker is the order's `number`: it can be searched, and the mapping does not carry it. Nothing is ever sent to the
customer from here: `sendToCustomer` is always said, and always false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records, wire
from adapters.accounting.tripletex.amounts import NOK
from adapters.accounting.tripletex.attachments import OrderFiles
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.kroner import vat_differs
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.sending import day_of, number_of, sent
from connector.errors import Refused, Stop
from connector.model.money import round2
from connector.ports import Goal, Proof, Run, Step


class Invoices:
    """Flows of invoices. `seen` is told of every invoice that is read on the way."""

    def __init__(
        self,
        client: Client,
        lookups: Lookups,
        periods: Periods,
        seen: Callable[[Mapping[str, Any]], None],
        files: OrderFiles,
    ) -> None:
        self._client = client
        self._lookups = lookups
        self._periods = periods
        self._seen = seen
        self._files = files

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        self._can_be(goal)
        return (
            Step("order", self._order_create, self.order_look),
            *self._files.steps(goal),
            Step("invoice", self._create, self.look),
            Step("read", self.read),
        )

    def _can_be(self, goal: Goal) -> None:
        day, due = dates(goal)
        if goal.totals is None:
            raise Refused("The invoice comes without totals to compare with.", code="totals-missing")
        if due is not None and due < day:
            raise Refused(
                f"The invoice is due on {due}, before its own date {day}; Tripletex counts days from the date.",
                code="due-before-invoice",
                do="Mend the due date.",
                where={"field": "invoiceDueDate"},
            )
        self.check_lines(goal)

    def check_lines(self, goal: Goal) -> None:
        """Whether the lines can stand on an order. Raises `Refused`."""
        for place, line in enumerate(goal.record.get("order", {}).get("orderLines") or ()):
            prices = [line.get(f"unitPrice{side}VatCurrency") for side in ("Excluding", "Including")]
            if None not in prices:
                raise Refused(
                    "A line has prices without and with VAT; Tripletex takes one of them.",
                    code="price-twice",
                    do="Map one of the two prices.",
                    where={"field": f"order.orderLines[{place}]"},
                )
            if not (line.get("vatType") or {}).get("number"):
                raise Refused(
                    "A line names no VAT code; Tripletex would choose one itself.",
                    code="vat-code-missing",
                    do="Map a VAT code for every line, also where no VAT is charged.",
                    where={"field": f"order.orderLines[{place}].vatType"},
                )

    async def _order_create(self, run: Run) -> Proof:
        await self._periods.check(dates(run.goal)[0], "invoice", "invoiceDate")
        order = await self._client.write("POST", "/order", json=await self.order_body(run.goal))
        return Proof(str(order["id"]))

    async def order_body(self, goal: Goal) -> dict[str, Any]:
        """The order as it is sent, with our marker and Tripletex' own ids."""
        day, due = dates(goal)
        body = sent(wire.Order, goal.record["order"])
        body["customer"] = {"id": number_of(body.get("customer", {}).get("id"), "order.customer.id")}
        body.setdefault("orderDate", day.isoformat())
        body.setdefault("deliveryDate", day.isoformat())
        body["number"] = goal.marker
        if due is not None:
            body |= {"invoicesDueIn": (due - day).days, "invoicesDueInType": "DAYS"}
        if body.get("currency"):
            body["currency"] = {"id": await self._lookups.currency(body["currency"]["code"])}
        for line in body.get("orderLines", ()):
            line["vatType"] = {"id": await self._lookups.vat_type(str(line["vatType"]["number"]), day)}
        return body

    async def order_look(self, run: Run) -> Sequence[Proof]:
        """The order with our marker, if it is there."""
        day = day_of(run.goal.record["order"].get("orderDate")) or dates(run.goal)[0]
        # Wide, should somebody have moved the order; its number says which it is.
        found = await self._client.every(
            "/order", number=run.goal.marker, fields="id,number",
            orderDateFrom=day - timedelta(days=366), orderDateTo=day + timedelta(days=366),
        )  # fmt: skip
        return [Proof(str(row["id"])) for row in found if row.get("number") == run.goal.marker]

    async def _create(self, run: Run) -> Proof:
        order, (day, _) = run.proofs["order"].id, dates(run.goal)
        await self.compare_order(order, run.goal)
        try:
            made = await self._client.write(
                "PUT", f"/order/{order}/:invoice", params={"invoiceDate": day, "sendToCustomer": False}
            )
        except Refused as refused:
            # An order is invoiced once: where that has happened unseen, the refusal is the answer we had lost.
            there = await self.look(run)
            if len(there) == 1:
                return there[0]
            raise await self.explained(refused) from None
        return _invoiced(made)

    async def explained(self, refused: Refused) -> Refused:
        """A refusal to invoice that its code and fields do not tell from others: whether the company has a bank account
        number to be paid on is read.
        """
        if refused.code != "vendor-validation" or await self._lookups.has_bank_account_number():
            return refused
        return Refused(
            "Tripletex invoices nothing before the company has a bank account number on its invoice account.",
            code="bank-account-missing",
            do="Put the bank account number on the invoice account in Tripletex (Kontoplan), then retry.",
            status=refused.status,
            said_by_vendor=refused.said_by_vendor,
            where=refused.where,
            details=refused.details,
        )

    async def compare_order(self, order: str, goal: Goal) -> None:
        """Raises `Stop` ("totals-differ", both figures in `details`) unless Tripletex arrives where we do."""
        row, where = await self.order_row(order), {"order": order}
        compare(goal, order_totals(row), where, "Nothing is invoiced yet.")
        await self.compare_stated(goal, row.get("preliminaryInvoice"), where, "Nothing is invoiced yet.")

    async def order_row(self, order: str) -> dict[str, Any]:
        """An order, as far as it tells what Tripletex would make of it."""
        return await self._client.get(
            f"/order/{order}",
            fields="id,number,orderLines(id,amountExcludingVatCurrency,amountIncludingVatCurrency),preliminaryInvoice(id,"
            "amountExcludingVatCurrency,amountCurrency,amountRoundoffCurrency,amountExcludingVat,amount,amountRoundoff)",
        )

    async def compare_stated(self, goal: Goal, row: Any, where: Mapping[str, str], stands: str, sign: int = 1) -> None:
        """Compare the VAT in kroner that the document states (BT-111) with what Tripletex would book, or has booked.

        Raises `Stop` ("totals-differ", both figures and their difference in `details`).
        """
        totals = goal.totals
        if totals is None or totals.stated_vat is None or totals.vat_currency != NOK:
            return
        theirs = vat_in_kroner(row)
        if theirs is None:  # it does not show what is to come: by its own rate, as it is now
            theirs = sign * round2(totals.vat * await self._lookups.rate(totals.currency, dates(goal)[0]))
        theirs, ours = sign * theirs, totals.stated_vat
        if theirs == ours:
            return
        raise vat_differs(
            theirs,
            ours,
            where,
            stands,
            "State the VAT in kroner by the rate that Tripletex uses, or leave it out (BT-111) and let Tripletex state"
            " it; or mend the rate in Tripletex and retry.",
        )

    async def look(self, run: Run) -> Sequence[Proof]:
        """The invoice that was made of the order, if it is there."""
        order, (day, _) = int(run.proofs["order"].id), dates(run.goal)
        customer = number_of(run.goal.record["order"].get("customer", {}).get("id"), "order.customer.id")
        rows = await self._client.every(
            "/invoice", invoiceDateFrom=day, invoiceDateTo=day + timedelta(days=1), customerId=customer,
            fields="id,invoiceNumber,kid,isCreditNote,orders(id)",
        )  # fmt: skip
        return [
            _invoiced(row)
            for row in rows
            if not row.get("isCreditNote") and any(ref.get("id") == order for ref in row.get("orders") or ())
        ]

    async def read(self, run: Run) -> Proof:
        """The invoice as it is. Raises `Stop` ("totals-differ")."""
        row = await self._client.get(f"/invoice/{run.proofs['invoice'].id}", fields=records.INVOICE_FIELDS)
        record = records.invoice(row)
        self._seen(row)
        if theirs := totals_of(row):
            number = row.get("invoiceNumber")
            where, stands = {"invoice": record.id}, f"It is invoiced, as number {number}."
            compare(run.goal, theirs, where, stands)
            await self.compare_stated(run.goal, row, where, stands)
            await self._compare_rounding(run.goal, row, theirs["rounding"], where)
        voucher = record.body["invoice"].get("voucher") or {}
        facts = {
            "number": row.get("invoiceNumber"),
            "kid": row.get("kid"),
            "net": str(row.get("amountExcludingVatCurrency")),
            "gross": str(row.get("amountCurrency")),
            "voucher": records.voucher_text(voucher),
        }
        return Proof(record.id, facts, record)

    async def _compare_rounding(
        self, goal: Goal, row: Mapping[str, Any], rounding: Decimal, where: Mapping[str, str]
    ) -> None:
        """Raises `Stop` ("rounding-account-differs") where whole kroner are rounded on another account than the mapping
        names.
        """
        named = str((goal.record.get("roundingAccount") or {}).get("number") or "")
        voucher = (row.get("voucher") or {}).get("id")
        if not named or not rounding or voucher is None:
            return
        there = await self._client.get(
            f"/ledger/voucher/{voucher}", fields="id,postings(id,amountCurrency,account(id,number))"
        )
        rows = [(str((one.get("account") or {}).get("number")), one) for one in there.get("postings") or ()]
        if any(number == named and one.get("amountCurrency") == -rounding for number, one in rows):
            return
        raise Stop(
            f"The rounding of {rounding} is booked on another account than {named}. It is invoiced, as number"
            f" {row.get('invoiceNumber')}.",
            code="rounding-account-differs",
            do="Set the account of roundings in Tripletex, or name the one it uses in the mapping; correct the voucher"
            " in Tripletex and cancel this.",
            where=where,
            details={"accounts": sorted({number for number, _ in rows})},
        )


def dates(goal: Goal) -> tuple[date, date | None]:
    """Date and due date. Raises `Refused` ("date-missing")."""
    invoice = goal.record["invoice"]
    day = day_of(invoice.get("invoiceDate"))
    if day is None:
        raise Refused("The invoice has no date.", code="date-missing", where={"field": "invoice.invoiceDate"})
    return day, day_of(invoice.get("invoiceDueDate"))


def _invoiced(row: Mapping[str, Any]) -> Proof:
    return Proof(str(row["id"]), {"number": row.get("invoiceNumber"), "kid": row.get("kid")})


def compare(goal: Goal, theirs: Mapping[str, Decimal], where: Mapping[str, str], stands: str) -> None:
    """Raises `Stop` ("totals-differ") unless Tripletex comes to what the document says."""
    assert goal.totals is not None
    ours = {name: getattr(goal.totals, name) for name in ("net", "vat", "gross", "rounding")}
    if theirs == ours:
        return
    raise Stop(
        f"Tripletex comes to {theirs['gross']} with VAT of {theirs['vat']}, the document to {ours['gross']} "
        f"with VAT of {ours['vat']} ({goal.totals.currency}; rounded by {theirs['rounding']} and {ours['rounding']}). "
        f"{stands}",
        code="totals-differ",
        do="See how VAT is rounded on both sides; mend the mapping or what is in Tripletex and try again.",
        where=where,
        details={
            "currency": goal.totals.currency,
            "ours": {name: str(value) for name, value in ours.items()},
            "theirs": {name: str(value) for name, value in theirs.items()},
        },
    )


def totals_of(row: Any) -> dict[str, Decimal] | None:
    """Totals of an invoice, or of one to come, where Tripletex shows them."""
    if not isinstance(row, Mapping) or "amountCurrency" not in row or "amountExcludingVatCurrency" not in row:
        return None
    net = _number(row, "amountExcludingVatCurrency")
    rounding = _number({"amountRoundoffCurrency": 0, **row}, "amountRoundoffCurrency")
    gross = _number(row, "amountCurrency") - rounding
    return {"net": net, "vat": gross - net, "gross": gross, "rounding": rounding}


def order_totals(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """What Tripletex would make of an order."""
    return totals_of(row.get("preliminaryInvoice")) or _summed(row)


def vat_in_kroner(row: Any) -> Decimal | None:
    """The VAT of an invoice, or of one to come, in kroner, where Tripletex shows it."""
    if not isinstance(row, Mapping) or "amount" not in row or "amountExcludingVat" not in row:
        return None
    rounding = _number({"amountRoundoff": 0, **row}, "amountRoundoff")
    return _number(row, "amount") - rounding - _number(row, "amountExcludingVat")


def _summed(order: Mapping[str, Any]) -> dict[str, Decimal]:
    """Totals from the lines."""
    lines = order.get("orderLines") or ()
    net = sum((_number(line, "amountExcludingVatCurrency") for line in lines), Decimal(0))
    gross = sum((_number(line, "amountIncludingVatCurrency") for line in lines), Decimal(0))
    return {"net": net, "vat": gross - net, "gross": gross, "rounding": Decimal(0)}


def _number(row: Any, name: str) -> Decimal:
    value = row.get(name) if isinstance(row, Mapping) else None
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise records.not_as_described(name, "a number")
    return Decimal(value)
