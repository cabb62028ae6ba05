"""Writing what was issued elsewhere as vouchers: invoices and credit notes with their own numbers.

One voucher each: a row on the customer's account with number and due date, income by account and VAT code (Tripletex
makes the VAT rows), øre. The voucher's external number is the document's number and our marker; it is read back from
the vouchers of the day (the search by that number may know imported vouchers only). The document is attached in a step
of its own, and a credit note is matched with its invoice where the two sides come to nothing.

Such an invoice is outside the invoice register: its payments are vouchers, too (`vouchers`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.attachments import answered
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import applied, close
from adapters.accounting.tripletex.income import Income, check_sum, grouped, with_vat
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.rights import to_ledger
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop
from connector.ports import File, Goal, Kind, Proof, Record, Run, Step

LONGEST = 70
"""Characters of an external voucher number."""
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
VOUCHER_FIELDS = (
    f"id,number,year,date,externalVoucherNumber,voucherType(id,name),attachment(id),postings({records.POSTING_FIELDS},"
    "account(id,number),amountGross,systemGenerated)"
)


class Externals:
    """Flows of documents that were issued elsewhere."""

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        record = goal.record
        if goal.totals is None:
            raise Refused("The document comes without totals to compare with.", code="totals-missing")
        if not record.get("invoiceNumber"):
            raise Refused("It was issued elsewhere, and has no number.", code="number-missing")
        if day_of(record.get("invoiceDate")) is None:
            raise Refused("The document has no date.", code="date-missing", where={"field": "invoiceDate"})
        steps = [Step("voucher", self._book, self._look)]
        if goal.paper is not None:
            steps.append(Step("document", partial(self._attach, goal.paper), self._attached))
        if goal.kind is Kind.EXTERNAL_CREDIT_NOTE:
            number_of((record.get("credits") or {}).get("id"), "credits.id")
            steps.append(Step("match", self._match))
        return (*steps, Step("read", self._read))

    # --- the voucher --------------------------------------------------------------------------------------------------

    async def _book(self, run: Run) -> Proof:
        goal, day = run.goal, _day(run.goal)
        rows = await self._income(goal)
        if goal.kind is Kind.EXTERNAL_INVOICE:
            await self._number_is_free(goal)
        made = await to_ledger(self._client, await self._voucher(goal, day, rows))
        return Proof(str(made["id"]))

    async def _income(self, goal: Goal) -> list[Income]:
        """The rows of income, with the VAT that Tripletex will make of them compared with the one stated."""
        assert goal.totals is not None
        day = _day(goal)
        lines = [*(goal.record.get("lines") or ()), *(goal.record.get("adjustments") or ())]
        codes = dict.fromkeys(str(line["vatType"]["number"]) for line in lines)
        percents = {code: await self._lookups.vat_percent(code, day) for code in codes}
        rows = with_vat(grouped(goal.record, percents), goal.record.get("vat") or ())
        check_sum(rows, goal.totals, _rounding(goal))
        return rows

    async def _number_is_free(self, goal: Goal) -> None:
        """Raises `Stop` ("number-taken") where Tripletex itself has issued an invoice under this number: rows on the
        customer's account know their invoice by its number alone.
        """
        number = str(goal.record["invoiceNumber"])
        if not (number.isascii() and number.isdigit()):
            return
        found = await self._client.rows(
            "/invoice", invoiceDateFrom=FIRST, invoiceDateTo=LAST, invoiceNumber=number, count=5,
            fields="id,invoiceNumber",
        )  # fmt: skip
        if any(str(row.get("invoiceNumber")) == number for row in found):
            raise Stop(
                f"Tripletex has an invoice {number} of its own; payments of the two could not be told apart.",
                code="number-taken",
                do="See whether it is the same invoice: then cancel this. Else give one of the two series a prefix.",
                where={"number": number},
                details={"ids": [row["id"] for row in found]},
            )

    async def _voucher(self, goal: Goal, day: date, rows: Sequence[Income]) -> dict[str, Any]:
        """The voucher as it is sent: an invoice raises the customer's debt, a credit note lowers it."""
        assert goal.totals is not None
        record, sign = goal.record, 1 if goal.kind is Kind.EXTERNAL_INVOICE else -1
        number, kid = str(record["invoiceNumber"]), record.get("kid")
        what = "Faktura" if sign > 0 else "Kreditnota"
        customer: dict[str, Any] = {
            "account": {"id": await self._lookups.customer_account()},
            "customer": {"id": _customer(goal)},
            "invoiceNumber": await self._counts_for(goal),
            "description": f"{what} {number}" + (f", KID {kid}" if kid else ""),
        }
        due = day_of(record.get("invoiceDueDate"))
        if due is not None:
            customer["termOfPayment"] = due.isoformat()
        postings = [{**customer, **_both(sign * (goal.totals.gross + goal.totals.rounding))}]
        for row in rows:
            income: dict[str, Any] = {
                "account": {"id": await self._lookups.account(row.account)},
                "description": f"{what} {number}",
                "vatType": {"id": await self._lookups.vat_type(row.code, day)},
            }
            postings.append({**income, **_both(-sign * row.gross)})
        if rounding := _rounding(goal):
            account = {"id": await self._lookups.account(int(record["roundoff"]["account"]["number"]))}
            postings.append({"account": account, "description": "Øreavrunding", **_both(-sign * rounding)})
        assert sum((row["amountGross"] for row in postings), Decimal(0)) == 0, postings
        return {
            "date": day.isoformat(),
            "description": f"{what} {number}",
            "externalVoucherNumber": external_number(goal),
            "postings": [{"row": at, **row} for at, row in enumerate(postings, 1)],
        }

    async def _counts_for(self, goal: Goal) -> str:
        """Which invoice the customer's row is of: its own number, or that of the invoice it credits."""
        if goal.kind is Kind.EXTERNAL_INVOICE:
            return str(goal.record["invoiceNumber"])
        credited = await self._client.get(f"/ledger/posting/{_credited(goal)}", fields="id,invoiceNumber")
        return str(credited.get("invoiceNumber") or "")

    async def _look(self, run: Run) -> Sequence[Proof]:
        day = _day(run.goal)
        found = await self._client.every(
            "/ledger/voucher", dateFrom=day, dateTo=day + timedelta(days=1), fields="id,externalVoucherNumber"
        )
        wanted = external_number(run.goal)
        return [Proof(str(row["id"])) for row in found if row.get("externalVoucherNumber") == wanted]

    # --- its document -------------------------------------------------------------------------------------------------

    async def _attach(self, paper: Callable[[], Awaitable[File]], run: Run) -> Proof:
        file, voucher = await paper(), run.proofs["voucher"].id
        path = f"/ledger/voucher/{voucher}/attachment"
        answered(await self._client.upload("POST", path, file), path)
        return Proof(voucher)

    async def _attached(self, run: Run) -> Sequence[Proof]:
        """Nobody else puts a document on a voucher that we have just made; what is attached twice is shown twice."""
        voucher = await self._client.get(f"/ledger/voucher/{run.proofs['voucher'].id}", fields="id,attachment(id)")
        return [Proof(str(voucher["id"]))] if voucher.get("attachment") else []

    # --- its invoice --------------------------------------------------------------------------------------------------

    async def _match(self, run: Run) -> Proof:
        row = (await self._booked(run))[1]
        await close(self._client, row["id"], _credited(run.goal))
        return Proof(str(row["id"]))

    # --- what came of it ----------------------------------------------------------------------------------------------

    async def _booked(self, run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
        """The voucher, and the row on the customer's account."""
        voucher = await self._client.get(f"/ledger/voucher/{run.proofs['voucher'].id}", fields=VOUCHER_FIELDS)
        customer = _customer(run.goal)
        rows = [row for row in voucher.get("postings") or () if (row.get("customer") or {}).get("id") == customer]
        if len(rows) != 1:
            raise records.not_as_described("voucher.postings", "one row of the customer")
        return voucher, rows[0]

    async def _read(self, run: Run) -> Proof:
        goal = run.goal
        voucher, row = await self._booked(run)
        self._compare(goal, voucher, row)
        body = {
            **goal.record,
            "posting": {"id": row["id"]},
            "voucher": {name: voucher.get(name) for name in ("id", "number", "year")},
        }
        if goal.kind is Kind.EXTERNAL_CREDIT_NOTE:
            body["applied"] = await applied(self._client, row["id"], _credited(goal))
        record = Record(goal.kind, str(row["id"]), str(row.get("version", 0)), body)
        return Proof(record.id, records.voucher_facts(voucher), record)

    def _compare(self, goal: Goal, voucher: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """Raises `Stop` ("voucher-differs") unless Tripletex has booked what was to be booked."""
        assert goal.totals is not None
        sign = 1 if goal.kind is Kind.EXTERNAL_INVOICE else -1
        vat = -sum(
            (Decimal(one["amount"]) for one in voucher.get("postings") or () if one.get("systemGenerated")), Decimal(0)
        )
        theirs = {"receivable": Decimal(row["amount"]), "vat": vat}
        ours = {"receivable": sign * (goal.totals.gross + goal.totals.rounding), "vat": sign * goal.totals.vat}
        if theirs == ours:
            return
        raise Stop(
            f"Voucher {records.voucher_text(voucher)} has {theirs['receivable']} on the customer's account with VAT of"
            f" {theirs['vat']}; the document says {ours['receivable']} and {ours['vat']}.",
            code="voucher-differs",
            do="Reverse the voucher in Tripletex and see how the VAT is computed there; then cancel this.",
            where={"voucher": str(voucher["id"])},
            details={
                "ours": {name: str(value) for name, value in ours.items()},
                "theirs": {name: str(value) for name, value in theirs.items()},
            },
        )


def external_number(goal: Goal) -> str:
    """The voucher's external number: the document's number, as far as there is room, and our marker."""
    return f"{str(goal.record['invoiceNumber'])[: LONGEST - 1 - len(goal.marker)]} {goal.marker}"


def _day(goal: Goal) -> date:
    day = day_of(goal.record["invoiceDate"])
    assert day is not None
    return day


def _customer(goal: Goal) -> int:
    return number_of((goal.record.get("customer") or {}).get("id"), "customer.id")


def _credited(goal: Goal) -> int:
    return number_of((goal.record.get("credits") or {}).get("id"), "credits.id")


def _rounding(goal: Goal) -> Decimal:
    return Decimal((goal.record.get("roundoff") or {}).get("amount") or 0)


def _both(amount: Decimal) -> dict[str, Decimal]:
    return {"amountGross": amount, "amountGrossCurrency": amount}
