"""Writing money that settles no invoice: what a customer has paid too much or in advance, and what goes back to him.

Fiken's payments hang on sales, so this is a free entry (fri postering) between the bank account and the customer's own
account, with our marker in its text. Fiken puts words of its own before the text. What others book as free entries is
never read as money: only ours is told by its text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.accounting.fiken import records, wire
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.records import not_as_described
from adapters.accounting.fiken.sending import day_of, id_of
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Record, Run, Step

PATH = "/journalEntries"
_IN, _OUT = "Innbetaling", "Tilbakebetaling"
_TEXT = re.compile(rf"(?:{_IN}|{_OUT}) på kundekonto, vår ref\. ([0-9a-z-]+)")
_ID = "journal"


class OnAccount:
    """Flows of money on customers' accounts."""

    def __init__(self, client: Client, lookups: Lookups, explaining: Explaining) -> None:
        self._client = client
        self._lookups = lookups
        self._explaining = explaining

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        record = goal.record
        id_of((record.get("customer") or {}).get("contactId"), "customer.contactId")
        if record.get("currency") not in (None, "NOK"):
            raise Refused(
                "On a customer's account in Fiken money is booked in kroner.",
                code="on-account-in-kroner",
                do="Book it in Fiken, and say so (it happened).",
                where={"field": "currency"},
            )
        if record.get("fee"):
            raise Refused(
                "The bank kept a fee of money that settles no invoice, and on which account it belongs is not said.",
                code="fee-on-account",
                do="Book it in Fiken, and say so (it happened).",
                where={"field": "fee"},
            )
        return Step("payment", self._book, self._look), Step("read", self._read)

    async def _book(self, run: Run) -> Proof:
        record = run.goal.record
        bank = await self._lookups.payment_code(record.get("account"), record.get("bankAccountNumber"))
        customer = await self._account_of(run.goal)
        debit, credit = (customer, bank) if record.get("isRefund") else (bank, customer)
        text = f"{_OUT if record.get('isRefund') else _IN} på kundekonto, vår ref. {run.goal.marker}"
        line = {"amount": record["amount"], "debitAccount": debit, "debitVatCode": 0, "creditAccount": credit,
                "creditVatCode": 0}  # fmt: skip
        entry = {"description": text, "date": day_of(record["date"], "date").isoformat(), "lines": [line]}
        try:
            await self._client.create("/generalJournalEntries", {"description": text, "journalEntries": [entry]})
        except Refused as refused:
            raise await self._explaining.of(refused, record) from None
        return Proof(run.goal.marker)  # the address that is answered may be that of the transaction around it

    async def _look(self, run: Run) -> Sequence[Proof]:
        return [Proof(run.goal.marker) for _ in await self._ours(run.goal)]

    async def _ours(self, goal: Goal) -> list[Row]:
        """The entries with our marker, on their day."""
        rows = await self._client.every(PATH, "journalEntryId", date=day_of(goal.record["date"], "date"))
        return [row for row in rows if _marker(row) == goal.marker]

    async def _account_of(self, goal: Goal) -> str:
        """The customer's own account, `1500:10001`."""
        contact = await self._client.get(f"/contacts/{goal.record['customer']['contactId']}")
        code = contact.get("customerAccountCode")
        if not isinstance(code, str) or not code:
            raise not_as_described("customerAccountCode", "the code of the customer's account", "/contacts")
        return code

    async def _read(self, run: Run) -> Proof:
        """The entry as it is booked; where a person has booked it, the one he named. Raises `Stop`
        ("payment-differs").
        """
        goal, named = run.goal, run.proofs["payment"].id
        found = await self._ours(goal)
        if named != goal.marker:
            row = await self._client.find(f"{PATH}/{entry_of(named) or id_of(named, 'entry')}")
            found = [] if row is None else [row]
        if len(found) == 1:
            record = await self._shown(found[0], bool(goal.record.get("isRefund")))
            said = (record.body["amount"], record.body["customer"]["contactId"])
            if said == (goal.record["amount"], id_of(goal.record["customer"]["contactId"], "customer.contactId")):
                day = str(record.body["date"])
                return Proof(record.id, {"posting_date": day, "period": day[:7]}, record)
        raise Stop(
            "The free entry in Fiken is not the money that was to be booked.",
            code="payment-differs",
            do="See in Fiken (Bilag) what was booked and mend it there; then say which entry it is: --happened.",
            where={"marker": goal.marker},
            details={"entries": [row["journalEntryId"] for row in found]},
        )

    async def read(self, entry: str) -> Record | None:
        """Money of ours by its entry; None where there is none, or it was taken back."""
        row = await self._client.find(f"{PATH}/{entry}")
        if row is None or _marker(row) is None:
            return None
        return await self._shown(row, str(row["description"]).rpartition(_OUT)[1] == _OUT)

    async def _shown(self, row: Row, refund: bool) -> Record:
        lines = {str(line.get("account") or ""): line.get("amount") for line in row.get("lines") or ()}
        customers = [code for code in lines if code.startswith("1500:")]
        others = [code for code in lines if not code.startswith("1500:")]
        if len(customers) != 1 or len(others) != 1 or type(lines[customers[0]]) is not int:
            raise not_as_described("lines", "a line of a customer's account, and one of another", PATH)
        number = customers[0].partition(":")[2]
        contacts = await self._client.every("/contacts", "contactId", customerNumber=number)
        whose = [one for one in contacts if one.get("customerAccountCode") == customers[0]]
        if len(whose) != 1:
            raise not_as_described("customerAccountCode", f"that of one contact ({customers[0]})", "/contacts")
        body = {
            "customer": {"contactId": whose[0]["contactId"]},
            "date": row.get("date"),
            "account": others[0],
            "bankAccountNumber": (await self._lookups.numbers()).get(others[0]),
            "amount": abs(lines[customers[0]]),
            "currency": "NOK",
            **({"isRefund": True} if refund else {}),
        }
        id, customer = f"{_ID}/{row['journalEntryId']}", str(whose[0]["contactId"])
        return records.record(Kind.PAYMENT, wire.Payment, id, body, customer=customer)


def entry_of(id: str) -> str | None:
    """The entry behind the id of a payment's record, where that is a free entry."""
    kind, _, entry = id.partition("/")
    return entry if kind == _ID and entry.isascii() and entry.isdigit() else None


def _marker(row: Row) -> str | None:
    """Our marker in the text of an entry that stands."""
    found = _TEXT.search(str(row.get("description") or ""))
    return found[1] if found and row.get("offsetTransactionId") is None else None
