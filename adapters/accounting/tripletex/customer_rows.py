"""Rows on customers' accounts as facts: money, settlements, what takes a row back, and what is matched with what.

Tripletex has no resource for any of these. A row is told by its voucher: what stands against it, and whether the
voucher reverses another. Nothing is guessed: what is neither is a settlement whose account the mapping must know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.settled import booked_as_document
from connector.ports import Kind, Match, Matched, Record

Row = Mapping[str, Any]

FIELDS = (
    "id,version,row,type,date,amount,amountCurrency,currency(id,code),customer(id),invoiceNumber,description,"
    "externalRef,account(number,ledgerType),"
    "closeGroup(id,date,postings(id,type,amount,amountCurrency,invoiceNumber,voucher(id,externalVoucherNumber))),"
    "voucher(id,version,number,year,externalVoucherNumber,"
    "reverseVoucher(id,postings(id,amount,amountCurrency,invoiceNumber,customer(id),account(number))),"
    "postings(id,row,amount,amountCurrency,currency(id,code),customer(id),account(number,ledgerType,isBankAccount)))"
)
OURS = "c-"
"""What the external numbers of vouchers of our own begin with."""
CASH = range(1900, 2000)
"""Bank and cash in the Norwegian standard chart of accounts (NS 4102)."""
BALANCE = range(1000, 3000)
"""Assets, equity and debt in NS 4102: income and cost hold no money."""
VAT = range(2700, 2750)
"""VAT in NS 4102."""
UNPAID = (*range(3000, 4000), 7740, *range(7800, 7900))
"""Income, øre that are rounded away and losses on receivables in NS 4102: what stands there was not paid, so no fee."""


@dataclass(frozen=True, slots=True)
class Known:
    """What else must be known to tell rows: ids of invoices by number, which of them are credit notes, for rows without
    a type the ids of the rows that Tripletex shows on the invoice they name, and for rows that settle an invoice booked
    as a voucher the id of its row.
    """

    ids: Mapping[str, int]
    notes: frozenset[str] = frozenset()
    shown_on: Mapping[str, frozenset[int]] = field(default_factory=dict)
    outside: Mapping[int, int] = field(default_factory=dict)


def number_of(row: Row) -> str:
    """The invoice number that a row states, or nothing."""
    number = str(row.get("invoiceNumber") or "")
    return "" if number == "0" else number


def untyped(rows: Iterable[Row]) -> set[str]:
    """Invoice numbers that rows without a type name: whether they count there, only the invoice says."""
    return {number_of(row) for row in rows if not row.get("type")} - {""}


_TOLD_BY = ("date", "amount", "customer", "account.ledgerType", "voucher.postings")
_EACH = ("id", "account.number")
"""What a row is told by, and what of each row of its voucher. A customer may be null; a field that is left out is none
that says nothing."""


def described(row: Row) -> None:
    """Raises `VendorError` ("vendor-answer") where a row lacks what it is told by."""
    for name in _TOLD_BY:
        if not _has(row, name):
            raise records.not_as_described(f"values[].{name}", "there", "/ledger/posting")
    if row["customer"] is not None and not _has(row, "customer.id"):
        raise records.not_as_described("values[].customer.id", "there", "/ledger/posting")
    for one in row["voucher"]["postings"]:
        for name in _EACH:
            if not _has(one, name):
                raise records.not_as_described(f"values[].voucher.postings[].{name}", "there", "/ledger/posting")


def _has(row: Any, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(row, Mapping) or part not in row:
            return False
        row = row[part]
    return True


def fact(row: Row, known: Known) -> Record | None:
    """What a row is; None for an invoice's or credit note's own row, and for what is in kroner only (agio)."""
    if not _of_customer(row) or not row.get("amountCurrency", row.get("amount")):
        return None
    of = _reverses(row)
    if of is not None:
        return records.reversal(row, of)
    if row.get("type") == records.INVOICE_ROW or booked_as_document(row):
        return None
    against = _against(row)
    number, raises = number_of(row), row["amount"] > 0
    counts = row.get("type") == records.PAYMENT_ROW or row["id"] in known.shown_on.get(number, ())
    document = known.ids.get(number) if counts else None
    if _money(row, against):
        if number in known.notes:
            note = document if raises else None
            return records.payment(row, None, refund=raises, credit_note=note)
        return records.payment(row, document, refund=raises, settles=None if raises else known.outside.get(row["id"]))
    external = str((row.get("voucher") or {}).get("externalVoucherNumber") or "")
    if raises and external.startswith(OURS):
        return None
    named = None if number in known.notes else document
    return records.settlement(row, "+".join(sorted(against)), named)


def _of_customer(row: Row) -> bool:
    return (row.get("account") or {}).get("ledgerType") == "CUSTOMER" and bool(row.get("customer"))


def _reverses(row: Row) -> int | None:
    """The row that this one takes back, where its voucher reverses an older one."""
    voucher = row.get("voucher") or {}
    older = voucher.get("reverseVoucher")
    if not isinstance(older, Mapping) or older["id"] > voucher["id"]:
        return None
    alike = [one for one in voucher.get("postings") or () if _opposite(one, row, sign=1)]
    there = [one for one in older.get("postings") or () if _opposite(one, row, sign=-1)]
    at = [one["id"] for one in alike].index(row["id"]) if row["id"] in [one["id"] for one in alike] else 0
    there = [one for one in there if _customer(one) == _customer(row)] or there
    return there[min(at, len(there) - 1)]["id"] if there else None


def _opposite(one: Row, row: Row, sign: int) -> bool:
    same_account = (one.get("account") or {}).get("number") == (row.get("account") or {}).get("number")
    return same_account and all(one.get(name) == sign * row[name] for name in ("amount", "amountCurrency"))


def _customer(row: Row) -> Any:
    return (row.get("customer") or {}).get("id")


def _against(row: Row) -> dict[str, bool]:
    """The accounts that a row is booked against, each with whether it is a bank account: those with its row number
    where there are such, else all of its voucher; VAT and what is in kroner only are left aside where there is more.
    """
    others = [
        one
        for one in (row.get("voucher") or {}).get("postings") or ()
        if one["id"] != row["id"] and (one.get("account") or {}).get("ledgerType") != "CUSTOMER"
    ]
    others = [one for one in others if row.get("row") and one.get("row") == row["row"]] or others
    others = [one for one in others if one.get("amountCurrency", one.get("amount"))] or others
    accounts = {int(one["account"]["number"]): bool(one["account"].get("isBankAccount")) for one in others}
    kept = {number: bank for number, bank in accounts.items() if number not in VAT} or accounts
    if not kept:  # between customers
        kept = {int((row.get("account") or {}).get("number") or 0): False}
    return {str(number): bank for number, bank in kept.items()}


def _money(row: Row, against: Mapping[str, bool]) -> bool:
    """Whether a row is money: all that stands against it is a bank account or cash, but for what was kept of it on the
    way; of rows that Tripletex calls payments, no account of income or cost (a payment type may debit losses).
    """
    kept = [int(account) for account, _, _ in records.deductions(row)]
    if kept and not any(account in UNPAID for account in kept):
        return True
    if row.get("type") == records.PAYMENT_ROW:
        return all(int(number) in BALANCE for number in against)
    return all(bank or int(number) in CASH for number, bank in against.items())


# --- what is matched --------------------------------------------------------------------------------------------------


def matches(rows: Sequence[Row], known: Known) -> list[Match]:
    """The close groups that rows are in; not those that say nothing new, because all their rows name one invoice."""
    found = {}
    for row in rows:
        group = row.get("closeGroup")
        if not isinstance(group, Mapping) or group["id"] in found:
            continue
        there = [one for one in group.get("postings") or () if one.get("amountCurrency")]
        if _plain(there, known):
            continue
        day = date.fromisoformat(group.get("date") or row["date"])
        found[group["id"]] = Match(str(group["id"]), day, [_matched(one, known) for one in there])
    return list(found.values())


def group_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows of the groups that rows are in."""
    groups = (row["closeGroup"] for row in rows if isinstance(row.get("closeGroup"), Mapping))
    return [one for group in groups for one in group.get("postings") or ()]


def _plain(rows: Sequence[Row], known: Known) -> bool:
    numbers = {number_of(one) for one in rows}
    typed = all(one.get("type") in (records.INVOICE_ROW, records.PAYMENT_ROW) for one in rows)
    return len(numbers) == 1 and typed and not numbers & (known.notes | {""})


def _matched(row: Row, known: Known) -> Matched:
    number = number_of(row)
    if row.get("type") == records.INVOICE_ROW and number in known.ids:
        kind = Kind.CREDIT_NOTE if number in known.notes else Kind.INVOICE
        return Matched(kind, str(known.ids[number]), Decimal(row["amountCurrency"]))
    return Matched(None, str(row["id"]), Decimal(row["amountCurrency"]))
