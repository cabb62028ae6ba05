"""Open rows of customers and suppliers: what belongs to a document, closing rows against each other, agio, reversal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox.ledger import Ledger, Row, ore
from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.things import Link, Thing, invalid


class Matching(Ledger):
    """A row on a customer or supplier is open until a close group holds it; a group sums to zero, so that what is open
    of a customer is always what the account says.
    """

    def __init__(self, rules: Rules | None = None, *, first_id: int = 2_147_001) -> None:
        super().__init__(rules, first_id=first_id)
        self._items: dict[int, list[Thing]] = {}

    def belongs(self, posting: Thing, document_id: int) -> None:
        """Say that a row belongs to a document."""
        posting["_invoice"] = document_id
        self._items.setdefault(document_id, []).append(posting)

    def items(self, document_id: int) -> list[Thing]:
        """The rows of a ledger of customers or suppliers that belong to a document and can be seen."""
        return [p for p in self._items.get(document_id, ()) if self.seen(p)]

    def open_items(self, document_id: int) -> list[Thing]:
        """Those of them that no close group holds."""
        return [p for p in self.items(document_id) if self.is_open(p)]

    def is_open(self, posting: Thing) -> bool:
        """Whether a reader sees a row as open."""
        group = posting.get("closeGroup")
        if group is None:
            return True
        return self.hide_since is not None and not self.seen(self.things["closeGroup"][group.id])

    def open_amount(self, document_id: int, amount: str) -> Decimal:
        """What is open of a document (`amount`: which of the rows' amounts)."""
        return sum((p[amount] for p in self.open_items(document_id)), Decimal(0))

    def posted(self, voucher: Thing, rows: list[Thing]) -> None:
        """Know which rows belong to which document."""
        for row in rows:
            if "_invoice" in row:
                self._items.setdefault(row["_invoice"], []).append(row)

    # --- closing ------------------------------------------------------------------------------------------------------

    def unclosable(self, postings: list[Thing]) -> str | None:
        """Why these rows cannot be closed against each other; None: they can."""
        if len(postings) < 2:
            return "Velg minst to posteringer."
        if any(p.get("closeGroup") for p in postings):
            return "Posteringen er allerede lukket."
        if any(not self.find(p["account"])["isCloseable"] for p in postings):
            return "Posteringer på kontoen kan ikke lukkes."
        if len({p["account"] for p in postings}) > 1:
            return "Posteringene må ha samme konto."
        if len({(p.get("customer"), p.get("supplier"), p.get("employee")) for p in postings}) > 1:
            return "Posteringene må ha samme kunde, leverandør eller ansatt."
        one_currency = len({p.get("currency") for p in postings}) == 1
        name = "amountCurrency" if one_currency else "amount"
        if sum(p[name] for p in postings) != 0:
            return "Summen av posteringene må være 0."
        return None

    def close(self, postings: list[Thing], day: date) -> Thing:
        """Close rows against each other; what is left in kroner is agio and booked on the way."""
        agio = sum((p["amount"] for p in postings), Decimal(0))
        if agio:
            one = postings[0]
            common = {"amountCurrency": Decimal(0), "currency": one.get("currency")}
            row: Row = {**common, "account": one["account"], "amount": -agio, "_agio": True}
            row.update({name: one[name] for name in ("customer", "supplier", "employee") if one.get(name)})
            if "_invoice" in one:
                row["_invoice"] = one["_invoice"]
            other = {**common, "account": self.account(8160 if agio > 0 else 8060), "amount": agio}
            voucher = self.book(day, "Agio/disagio", [row, other])
            postings = [*postings, self.find(voucher["postings"][0])]
        links = [Link("posting", p["id"]) for p in postings]
        group = self.add("closeGroup", date=day.isoformat(), postings=links)
        for posting in postings:
            self.touch(posting, closeGroup=Link("closeGroup", group["id"]), matched=True)
        return group

    def reopen(self, group: Thing, day: date) -> None:
        """Take a close group apart: its rows are open again, and the agio that came with it is taken back."""
        rows = [self.things["posting"][link.id] for link in group["postings"]]
        self.remove(group)
        for row in rows:
            self.touch(row, closeGroup=None, matched=False)
        for row in rows:
            if row.get("_agio"):
                back = self.turned(self.find(row["voucher"]), day)
                self.close([row, self.find(back["postings"][0])], day)

    def settle(self, document_id: int, day: date) -> None:
        """Close a document's open rows against each other once they sum to zero."""
        items = self.open_items(document_id)
        if len(items) >= 2 and sum(p["amountCurrency"] for p in items) == 0:
            self.close(items, day)

    def reverse(self, voucher: Thing, day: date) -> Thing:
        """Reverse a voucher: rows it had closed are open again, its own are closed against their reversal."""
        own = [self.find(link) for link in voucher["postings"]] if voucher["_state"] == "ledger" else []
        if any(p.get("type") == "OUTGOING_INVOICE_CUSTOMER_POSTING" for p in own) and not self.rules.reverse_invoices:
            raise invalid("id", "Bilaget tilhører en faktura. Bruk kreditnota.")
        if any(p.get("_agio") for p in own):
            raise invalid("id", "Bilaget er systemgenerert og kan ikke tilbakeføres.")
        reversal = self.turned(voucher, day)
        for old, new in zip(own, (self.find(link) for link in reversal["postings"]), strict=True):
            if not self.find(old["account"])["isCloseable"]:
                continue
            if old.get("closeGroup"):
                self.reopen(self.find(old["closeGroup"]), day)
            if not new.get("closeGroup"):
                self.close([old, new], day)
        return reversal

    # --- money --------------------------------------------------------------------------------------------------------

    def pay(
        self,
        day: date,
        payments: list[tuple[Thing, Decimal, Decimal]],
        debit: Link,
        *,
        reference: str | None = None,
        fee: tuple[Link, Decimal, Decimal] | None = None,
    ) -> Thing:
        """One voucher: money on `debit`, one row in the customer ledger per payment (invoice, kroner, currency).

        `fee`: what the bank kept of the (one) payment, on this account, in kroner and in its currency.
        """
        self.check_open(day, "paymentDate")
        rows: list[Row] = []
        for invoice, amount, foreign in payments:
            common = {"currency": invoice["currency"], "externalRef": reference or invoice["kid"],
                      "invoiceNumber": str(invoice["invoiceNumber"])}  # fmt: skip
            kept, kept_foreign = fee[1:] if fee else (Decimal(0), Decimal(0))
            rows.append({**common, "account": debit, "amount": amount - kept, "amountCurrency": foreign - kept_foreign,
                         "type": "INCOMING_PAYMENT_OPPOSITE"})  # fmt: skip
            if fee:
                rows.append({"currency": invoice["currency"], "account": fee[0], "amount": kept,
                             "amountCurrency": kept_foreign})  # fmt: skip
            rows.append({**common, "account": self.account(1500), "amount": -amount, "amountCurrency": -foreign,
                         "type": "INCOMING_PAYMENT", "customer": invoice["customer"],
                         "_invoice": invoice["id"]})  # fmt: skip
        voucher = self.book(day, "Innbetaling", rows, "Innbetaling")
        for invoice in {id(invoice): invoice for invoice, _, _ in payments}.values():
            if self.rules.payment_changes_version:
                self.touch(invoice)
            self.settle(invoice["id"], day)
        return voucher

    def pay_row(
        self, row: Thing, amount: Decimal, day: date, debit: Link, *, reference: str | None = None, typed: bool = True,
        fee: tuple[Link, Decimal] | None = None,
    ) -> Thing:  # fmt: skip
        """A payment on an open row of a customer that belongs to no invoice of the register, in the row's currency;
        gives its voucher. The row it makes has the same number, and is closed with those that have it where they come
        to nothing. `fee`: what the bank kept of it, on this account.

        Not stated by the vendor, and decided here: it is typed as other payments are; `typed` false: as a voucher
        that somebody writes by hand.
        """
        self.check_open(day, "paymentDate")
        kinds = {"type": "INCOMING_PAYMENT"} if typed else {}
        common = {name: row[name] for name in ("customer", "invoiceNumber", "currency") if row.get(name)}
        rate = self.rate(row["currency"]) if row.get("currency") else Decimal(1)
        currency = {"currency": row["currency"]} if row.get("currency") else {}
        kept, whole = (ore(fee[1] * rate), fee[1]) if fee else (Decimal(0), Decimal(0))
        kroner = ore(amount * rate)
        rows: list[Row] = [{**currency, "account": debit, "amount": kroner - kept, "amountCurrency": amount - whole}]
        if fee:
            rows.append({**currency, "account": fee[0], "amount": kept, "amountCurrency": whole})
        rows.append({**common, **kinds, "account": row["account"], "amount": -kroner, "amountCurrency": -amount,
                     "externalRef": reference})  # fmt: skip
        voucher = self.book(day, "Innbetaling", rows, "Innbetaling")
        same = [one for one in self.all("posting") if self.is_open(one) and one["account"] == row["account"]
                and all(one.get(name) == row.get(name) for name in ("customer", "invoiceNumber"))]  # fmt: skip
        if self.unclosable(same) is None:
            self.close(same, day)
        return voucher

    def open_of(self, party: Link) -> Decimal:
        """What is open of a customer or supplier, in kroner."""
        return sum((p["amount"] for p in self.all("posting") if p.get(party.type) == party and self.is_open(p)
                    and self.find(p["account"])["isCloseable"]), Decimal(0))  # fmt: skip

    def gross_rows(self, rows: Iterable[Row]) -> list[Row]:
        """Rows with gross amounts as they are booked: net on their accounts, followed by the VAT that comes with them.

        Each row needs `amountGross` and `amountGrossCurrency`; VAT rows are the system's own and have row number 0.
        """
        booked: list[Row] = []
        generated: list[Row] = []
        for row in rows:
            vat = self.vat(row.get("vatType"))
            amount, taxes = self.without_vat(row["amountGross"], vat)
            foreign, foreign_taxes = self.without_vat(row["amountGrossCurrency"], vat)
            booked.append({**row, "amount": amount, "amountCurrency": foreign, "systemGenerated": False})
            for at, (tax, account) in enumerate(taxes):
                more: dict[str, Any] = {name: row[name] for name in ("department", "project") if row.get(name)}
                currency_tax = foreign_taxes[at][0] if foreign_taxes else ore(tax)
                generated.append({**more, "account": self.account(account), "amount": tax, "row": 0,
                                  "amountCurrency": currency_tax, "currency": row.get("currency"),
                                  "systemGenerated": True})  # fmt: skip
        return booked + generated
