"""Writing what was issued elsewhere as vouchers: invoices and credit notes with their own numbers.

One voucher each: a row on the customer's account with number and due date, income by account, VAT code, department,
project and free dimensions (Tripletex makes the VAT rows), øre. A document in another currency is booked in it, by
Tripletex' own rate of its day. The voucher's external number is the document's number and our marker; it is read back
from the vouchers of the day (the search by that number may know imported vouchers only). The document is attached in a
step of its own, and a credit note is matched with its invoice where the two sides come to nothing.

Such an invoice is outside the invoice register: its payments are vouchers, too (`vouchers`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.amounts import NOK
from adapters.accounting.tripletex.attachments import answered
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import applied, close, in_currency
from adapters.accounting.tripletex.income import Analysis, Income, analysis_of, check_sum, grouped, with_vat
from adapters.accounting.tripletex.kroner import compare_vat, in_kroner
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.rights import to_ledger
from adapters.accounting.tripletex.sending import day_of, number_of
from adapters.accounting.tripletex.vouchers import both
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

    def __init__(self, client: Client, lookups: Lookups, periods: Periods) -> None:
        self._client = client
        self._lookups = lookups
        self._periods = periods

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
        await self._periods.check(day, goal.kind.value.removeprefix("external_").replace("_", " "), "invoiceDate")
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
        record, sign, rounding = goal.record, 1 if goal.kind is Kind.EXTERNAL_INVOICE else -1, _rounding(goal)
        number, kid, code = str(record["invoiceNumber"]), record.get("kid"), goal.totals.currency
        what = "Faktura" if sign > 0 else "Kreditnota"
        kroner, currency = [*(row.gross for row in rows), rounding], {}
        if code != NOK:
            kroner = in_kroner(rows, rounding, await self._lookups.rate(code, day), goal.totals)
            currency = {"currency": {"id": await self._lookups.currency(code)}}
        customer: dict[str, Any] = {
            "account": {"id": await self._lookups.customer_account()},
            "customer": {"id": _customer(goal)},
            "invoiceNumber": await self._counts_for(goal),
            "description": f"{what} {number}" + (f", KID {kid}" if kid else ""),
        }
        due = day_of(record.get("invoiceDueDate"))
        if due is not None:
            customer["termOfPayment"] = due.isoformat()
        owed, in_all = goal.totals.gross + goal.totals.rounding, sum(kroner, Decimal(0))
        postings = [{**customer, **both(sign * in_all, sign * owed)}]
        for row, amount in zip(rows, kroner, strict=False):
            income: dict[str, Any] = {
                **await self._analysed(row.account, row.analysis),
                "description": f"{what} {number}",
                "vatType": {"id": await self._lookups.vat_type(row.code, day)},
            }
            postings.append({**income, **both(-sign * amount, -sign * row.gross)})
        if rounding:
            added = await self._analysed(int(record["roundoff"]["account"]["number"]), analysis_of(record))
            postings.append({**added, "description": "Øreavrunding", **both(-sign * kroner[-1], -sign * rounding)})
        for side in ("amountGross", "amountGrossCurrency"):
            assert sum((row[side] for row in postings), Decimal(0)) == 0, postings
        return {
            "date": day.isoformat(),
            "description": f"{what} {number}",
            "externalVoucherNumber": external_number(goal),
            "postings": [{"row": at, **row, **currency} for at, row in enumerate(postings, 1)],
        }

    async def _analysed(self, account: int, analysis: Analysis) -> dict[str, Any]:
        """Account, department, project, product and free dimensions of a row, by Tripletex' ids. Raises `Stop`."""
        ids = {name: getattr(analysis, name) for name in ("department", "project", "product")}
        said = {name: {"id": id} for name, id in ids.items() if id is not None}
        row: dict[str, Any] = {"account": {"id": await self._lookups.account_with(account, said)}, **said}
        for name, value in analysis.free:
            index, id = await self._lookups.dimension_value(name, value)
            if row.setdefault(f"freeAccountingDimension{index}", {"id": id}) != {"id": id}:
                raise Stop(
                    f"A line has two values of the dimension {name}.",
                    code="dimension-twice",
                    do="Leave one of them.",
                    where={"field": "dimensions.free", "dimension": name},
                )
        return row

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
        """Raises `Stop` ("voucher-differs", "totals-differ") unless Tripletex has booked what was to be booked."""
        assert goal.totals is not None
        sign = 1 if goal.kind is Kind.EXTERNAL_INVOICE else -1
        taxes = [one for one in voucher.get("postings") or () if one.get("systemGenerated")]
        theirs = {"receivable": in_currency(row), "vat": -sum((in_currency(one) for one in taxes), Decimal(0))}
        ours = {"receivable": sign * (goal.totals.gross + goal.totals.rounding), "vat": sign * goal.totals.vat}
        if theirs == ours:
            where, booked = {"voucher": str(voucher["id"])}, f"It is booked, as {records.voucher_text(voucher)}."
            kroner = -sign * sum((Decimal(one["amount"]) for one in taxes), Decimal(0))
            return compare_vat(kroner, goal.totals, where, booked)
        raise Stop(
            f"Voucher {records.voucher_text(voucher)} has {theirs['receivable']} on the customer's account with VAT of"
            f" {theirs['vat']}; the document says {ours['receivable']} and {ours['vat']}.",
            code="voucher-differs",
            do="Reverse the voucher in Tripletex, book it there by hand and link that voucher: --link 2027/1043.",
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
