"""Writing payments: what is open is read, then the payment is registered on the sale, and told from the rows that were
there before. Fiken's payments have no field for a marker, and cannot be changed or deleted. Money that settles nothing
is written another way (`on_account`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.accounting.fiken import records
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.on_account import OnAccount
from adapters.accounting.fiken.ore import kroner
from adapters.accounting.fiken.records import not_as_described
from adapters.accounting.fiken.sending import day_of, id_of
from connector.errors import Refused, Stop
from connector.ports import Goal, Json, Proof, Run, Step


class Payments:
    """Flows of payments."""

    def __init__(self, client: Client, lookups: Lookups, explaining: Explaining, on_account: OnAccount) -> None:
        self._on_account = on_account
        self._client = client
        self._lookups = lookups
        self._explaining = explaining

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        record = goal.record
        day_of(record.get("date"), "date")
        if type(record.get("amount")) is not int or record["amount"] <= 0:
            raise Refused("A payment has an amount above zero.", code="payment-not-positive", where={"field": "amount"})
        if not (record.get("invoice") or {}).get("invoiceId") and not (record.get("sale") or {}).get("saleId"):
            return self._on_account.flow(goal)
        foreign = record.get("currency") not in (None, "NOK")
        if foreign and record.get("amountInNok") is None:
            raise Refused(
                "Of a payment in another currency Fiken needs how many kroner came to the account.",
                code="account-amount-missing",
                do="State account_amount and account_currency (NOK).",
                where={"field": "account_amount"},
            )
        return (
            Step("payment", self._pay, self._look, self._witness),
            Step("read", self._read),
        )

    async def _witness(self, run: Run) -> Json:
        sale = await self._sale(run.goal)
        return {"sale": sale["saleId"], "rows": [row["paymentId"] for row in sale["salePayments"]]}

    async def _pay(self, run: Run) -> Proof:
        record = run.goal.record
        account = await self._lookups.payment_code(record.get("account"), record.get("bankAccountNumber"))
        sale = await self._sale(run.goal)
        self._fits(record, sale)
        body: dict[str, Any] = {
            "date": day_of(record["date"], "date").isoformat(), "account": account, "amount": record["amount"],
        }  # fmt: skip
        if record.get("currency") not in (None, "NOK"):
            body |= {"currency": record["currency"], "amountInNok": record["amountInNok"]}
        if record.get("fee"):
            body["fee"] = record["fee"]
        try:
            made = await self._client.create(f"/sales/{sale['saleId']}/payments", body)
        except Refused as refused:
            raise await self._explaining.of(refused, record) from None
        return Proof(records.payment_id(sale["saleId"], made))

    def _fits(self, record: records.Row, sale: Row) -> None:
        """Raises `Stop`: "currency-differs", "exceeds-open-amount"."""
        there, said = sale.get("currency") or "NOK", record.get("currency") or "NOK"
        if there != said:
            raise Stop(
                f"The payment settles {said}, and the sale is in {there} in Fiken.",
                code="currency-differs",
                do=f"State how much {there} it settles: `amount` and `currency` of the allocation.",
                where={"sale": str(sale["saleId"])},
            )
        open_amount, amount = records.outstanding(sale), kroner(record["amount"], "amount")
        if open_amount is None:
            raise not_as_described("outstandingBalance", "a whole number of øre")
        if amount > open_amount:
            raise Stop(
                f"{amount:.2f} is more than the {open_amount:.2f} open on it in Fiken.",
                code="exceeds-open-amount",
                do="See whether it is registered there already. If not, cancel this and post the payment anew: what is"
                " more than is open is booked on the customer's account.",
                where={"sale": str(sale["saleId"])},
                details={"open": f"{open_amount:.2f}", "amount": f"{amount:.2f}"},
            )

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The payments equal to ours that were not there before."""
        record, sale = run.goal.record, await self._sale(run.goal)
        before = set((run.witness or {}).get("rows", ()))
        day, amount = day_of(record["date"], "date").isoformat(), record["amount"]
        return [
            Proof(records.payment_id(sale["saleId"], row["paymentId"]))
            for row in sale["salePayments"]
            if row["paymentId"] not in before and (row.get("date"), row.get("amount")) == (day, amount)
        ]

    async def _sale(self, goal: Goal) -> Row:
        """The sale that is paid, with its payments."""
        record = goal.record
        if id := (record.get("invoice") or {}).get("invoiceId"):
            sale = (await self._client.get(f"/invoices/{id_of(id, 'invoice.invoiceId')}")).get("sale")
        else:
            sale = await self._client.get(f"/sales/{id_of(record['sale']['saleId'], 'sale.saleId')}")
        if not isinstance(sale, dict) or type(sale.get("saleId")) is not int:
            raise not_as_described("sale.saleId", "an id")
        rows = sale.setdefault("salePayments", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "paymentId" in row for row in rows):
            raise not_as_described("sale.salePayments", "a list of payments")
        return sale

    async def _read(self, run: Run) -> Proof:
        sale, id = await self._sale(run.goal), run.proofs["payment"].id
        invoice = (run.goal.record.get("invoice") or {}).get("invoiceId")
        number = None if invoice is None else int(invoice)
        rows = records.payments(sale, number, await self._lookups.numbers())
        found = [one for one in rows if one.id == id]
        if not found or found[0].body["amount"] != run.goal.record["amount"]:
            raise Stop(
                f"Payment {id} in Fiken is not the payment that was registered.",
                code="payment-differs",
                do="See what Fiken has on the sale, and say which payment it is: --happened with its id.",
                where={"payment": id},
            )
        record = found[0]
        day = str(record.body["date"])
        return Proof(id, {"posting_date": day, "period": day[:7]}, record)
