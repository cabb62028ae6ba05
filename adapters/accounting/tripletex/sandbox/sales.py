"""Sales: what an order comes to, and the invoices, credit notes and reminders made of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import chart
from adapters.accounting.tripletex.sandbox.ledger import Row, ore
from adapters.accounting.tripletex.sandbox.matching import Matching
from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.things import Link, Thing, invalid

_DIMENSIONS = ("department", "project", "product")


@dataclass(slots=True)
class Income:
    """What is booked of some lines: one account, VAT code and set of dimensions."""

    account: Link
    code: str
    base: Decimal = Decimal(0)
    vat: Decimal = Decimal(0)
    dimensions: dict[str, Link] = field(default_factory=dict)


def mod10(digits: str) -> str:
    """The check digit of a KID (MOD10, Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


class Sales(Matching):
    """Orders become invoices; each invoice is one voucher: receivable, income, VAT, rounding."""

    def __init__(self, rules: Rules | None = None, *, first_id: int = 2_147_001, first_invoice_number: int = 10017):
        super().__init__(rules, first_id=first_id)
        self._invoice_numbers = itertools.count(first_invoice_number)
        self._numbers_used: set[int] = set()

    # --- amounts ------------------------------------------------------------------------------------------------------

    def line_amounts(self, line: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
        """Without and with VAT, in the order's currency, rounded to øre."""
        percent = self.vat(line.get("vatType"))["percentage"] / 100
        part = 1 - Decimal(line.get("discount") or 0) / 100
        count = Decimal(line.get("count", 1))
        if line.get("unitPriceIncludingVatCurrency") is not None:
            gross = ore(line["unitPriceIncludingVatCurrency"] * count * part)
            return ore(gross / (1 + percent)), gross
        net = ore(Decimal(line.get("unitPriceExcludingVatCurrency") or 0) * count * part)
        return net, ore(net * (1 + percent))

    def _income(self, order: Thing) -> list[Income]:
        """Bases and VAT by account, code and dimensions, in the order's currency."""
        groups: dict[Any, Income] = {}
        for link in order["orderLines"]:
            line = self.things["orderLine"][link.id]
            product = self.things["product"][line["product"].id] if line.get("product") else {}
            code = self.vat(line.get("vatType"))["number"]
            account = product.get("account") or self.account(chart.INCOME.get(code, 3200))
            dimensions = {name: found for name in _DIMENSIONS if (found := line.get(name) or order.get(name))}
            if product.get("department"):
                dimensions["department"] = product["department"]
            income = groups.setdefault(
                (account, code, *dimensions.items()), Income(account, code, dimensions=dimensions)
            )
            income.base += line["amountExcludingVatCurrency"]
            income.vat += line["amountIncludingVatCurrency"] - line["amountExcludingVatCurrency"]
        incomes = list(groups.values())
        if self.rules.rounding == "document" and not order.get("isPrioritizeAmountsIncludingVat"):
            for code in {income.code for income in incomes}:
                share(code, [income for income in incomes if income.code == code])
        return incomes

    def _rounding(self, incomes: list[Income]) -> Decimal:
        total = sum((income.base + income.vat for income in incomes), Decimal(0))
        whole = total.quantize(Decimal(1), ROUND_HALF_UP) if self.rules.whole_kroner else total
        return whole - total

    def preliminary(self, order: Thing) -> dict[str, Decimal]:
        """The totals an order would be invoiced with."""
        incomes = self._income(order)
        off = self._rounding(incomes)
        net = sum((income.base for income in incomes), Decimal(0))
        gross = sum((income.base + income.vat for income in incomes), off)
        rate = self.rate(order["currency"])
        return {"amountExcludingVatCurrency": net, "amountCurrency": gross, "amountRoundoffCurrency": off,
                "amountExcludingVat": ore(net * rate), "amount": ore(gross * rate),
                "amountRoundoff": ore(off * rate)}  # fmt: skip

    # --- invoices -----------------------------------------------------------------------------------------------------

    def charge(self, order: Thing, day: date, **more: Any) -> Thing:
        """Make the order an invoice, number it and book it. Raises `SandboxError` where Tripletex would refuse.

        `more`: `due` (a date), `number`, `kid`, `comment` of the caller's own, `credits` (the invoice that a negative
        order credits a part of).
        """
        if order["isClosed"]:
            raise invalid("order", "Ordren er allerede fakturert.")
        if not self.rules.bank_account:
            said = "Faktura kan ikke opprettes før selskapet har registrert et bankkontonummer."
            raise invalid("order", said)
        if not order["orderLines"]:
            raise invalid("order.orderLines", "Ordren har ingen ordrelinjer.")
        incomes, totals = self._income(order), self.preliminary(order)
        self.check_open(day, "invoiceDate", vat=any(income.vat for income in incomes))
        credited: Thing | None = more.get("credits")
        if credited is not None:
            self._check_part(credited, order, totals["amountCurrency"])
        number = self._number(more.get("number"))
        due = more.get("due") or day + timedelta(days=order["invoicesDueIn"])
        if order.get("preliminaryInvoice"):
            del self.things["invoice"][order["preliminaryInvoice"].id]
        self.touch(order, isClosed=True, preliminaryInvoice=None)
        if credited is not None and self.rules.partial_credit_marks:
            self.touch(credited, isCredited=True)
        return self._invoice(order, day, due, totals, incomes, number, credits=credited, comment=more.get("comment"),
                             kid=more.get("kid"))  # fmt: skip

    def _check_part(self, credited: Thing, order: Thing, amount: Decimal) -> None:
        if not self.rules.partial_credit:
            raise invalid("invoiceIdIfIsCreditNote", "Ordren kan ikke faktureres som kreditnota.")
        if credited["isCreditNote"] or not credited["isCharged"]:
            raise invalid("invoiceIdIfIsCreditNote", "Fakturaen kan ikke krediteres.")
        if amount >= 0:
            raise invalid("invoiceIdIfIsCreditNote", "En kreditnota må ha negativt beløp.")
        if order["customer"] != credited["customer"]:
            raise invalid("invoiceIdIfIsCreditNote", "Fakturaen tilhører en annen kunde.")

    def credit(self, invoice: Thing, day: date, comment: str | None) -> Thing:
        """A credit note over the whole invoice."""
        if invoice["isCredited"] or invoice["isCreditNote"]:
            raise invalid("invoice", "Fakturaen er allerede kreditert.")
        order = self.things["order"][invoice["orders"][0].id]
        incomes = self._income(order)
        self.check_open(day, "date", vat=any(income.vat for income in incomes))
        totals = {name: -invoice[name] for name in self.preliminary(order)}
        for income in incomes:
            income.base, income.vat = -income.base, -income.vat
        number = self._number(None)
        self.touch(invoice, isCredited=True)
        return self._invoice(order, day, day, totals, incomes, number, credits=invoice, comment=comment)

    def _number(self, own: int | None) -> int:
        """The number of an invoice: the caller's own, else the next of Tripletex' series, which steps over none."""
        if own:
            if not self.rules.own_invoice_numbers:
                raise invalid("invoiceNumber", "Fakturanummer kan ikke settes.")
            if own in self._numbers_used:
                raise invalid("invoiceNumber", "Fakturanummeret er i bruk.")
            number = own
        else:
            number = next(self._invoice_numbers)
            if number in self._numbers_used:
                self._invoice_numbers = itertools.count(number)
                raise invalid("invoiceNumber", f"Fakturanummer {number} er allerede i bruk.")
        self._numbers_used.add(number)
        return number

    def _invoice(
        self,
        order: Thing,
        day: date,
        due: date,
        totals: dict[str, Decimal],
        incomes: list[Income],
        number: int,
        *,
        credits: Thing | None = None,
        comment: str | None = None,
        kid: str | None = None,
    ) -> Thing:
        customer: Link = order["customer"]
        if not (kid and self.rules.keeps_kid):
            digits = f"{self.find(customer)['customerNumber']:04d}{number:05d}"[-9:]
            kid = digits + mod10(digits)
        invoice = self.add(
            "invoice", invoiceNumber=number, invoiceDate=day.isoformat(), invoiceDueDate=due.isoformat(),
            customer=customer, kid=kid, orders=[Link("order", order["id"])], comment=comment,
            orderLines=list(order["orderLines"]), currency=order["currency"], deliveryDate=order["deliveryDate"],
            invoiceComment=order.get("invoiceComment"), isCharged=True, isApproved=True, isCredited=False,
            isCreditNote=credits is not None, creditedInvoice=credits["id"] if credits else None,
            ehfSendStatus="DO_NOT_SEND", reminders=[], **totals,
        )  # fmt: skip
        id, text = invoice["id"], f"{'Kreditnota' if credits else 'Faktura'} {number}"
        open_of, fees = self.open_amount, self._reminder_charge
        invoice["postings"] = lambda: [Link("posting", p["id"]) for p in self.items(id)]
        invoice["amountOutstanding"] = lambda: open_of(id, "amount")
        invoice["amountOutstandingTotal"] = lambda: open_of(id, "amount") + fees(invoice)
        invoice["amountCurrencyOutstanding"] = lambda: open_of(id, "amountCurrency")
        invoice["amountCurrencyOutstandingTotal"] = lambda: open_of(id, "amountCurrency") + fees(invoice)
        invoice["documentId"] = self.add("document", fileName=f"{text}.pdf", size=0, mimeType="application/pdf",
                                         _shows=text)["id"]  # fmt: skip
        settles = credits if credits and self.rules.credit_notes_apply else invoice
        voucher = self.book(day, text, self._rows(invoice, incomes, settles), "Utgående faktura")
        invoice["voucher"] = Link("voucher", voucher["id"])
        self.settle(settles["id"], day)
        self.tell("invoice.charged", id)
        return invoice

    def _rows(self, invoice: Thing, incomes: list[Income], settles: Thing) -> list[Row]:
        rate, currency = self.rate(invoice["currency"]), invoice["currency"]
        rows: list[Row] = [
            {"account": self.account(1500), "customer": invoice["customer"], "currency": currency,
             "amountCurrency": invoice["amountCurrency"], "amount": invoice["amount"],
             "type": "OUTGOING_INVOICE_CUSTOMER_POSTING", "invoiceNumber": str(invoice["invoiceNumber"]),
             "termOfPayment": invoice["invoiceDueDate"], "externalRef": invoice["kid"], "_invoice": settles["id"]}
        ]  # fmt: skip

        def row(amount: Decimal, account: Link, **more: Any) -> None:
            if amount:
                rows.append({"account": account, "amountCurrency": -amount, "amount": -ore(amount * rate),
                             "currency": currency, **more})  # fmt: skip

        row(invoice["amountRoundoffCurrency"], self.account(7740))
        taxes: dict[str, Decimal] = {}
        for income in incomes:
            vat_type = Link("vatType", chart.VAT_OUT[income.code][0])
            gross = income.base + income.vat
            row(income.base, income.account, vatType=vat_type, amountGrossCurrency=-gross,
                amountGross=-ore(gross * rate), **income.dimensions)  # fmt: skip
            taxes[income.code] = taxes.get(income.code, Decimal(0)) + income.vat
        for code, tax in taxes.items():
            row(tax, self.account(chart.VAT_ACCOUNT.get(code, 2700)))
        rows[-1]["amount"] -= sum(one["amount"] for one in rows)
        return rows

    # --- reminders ----------------------------------------------------------------------------------------------------

    def remind(self, invoice: Thing, day: date, kind: str, *, with_charge: bool) -> Thing:
        """A reminder of an invoice that is overdue. The fee is in no voucher until it is paid."""
        if invoice["isCreditNote"] or open_by(invoice) <= 0:
            raise invalid("id", "Fakturaen har ikke noe utestående beløp.")
        if day.isoformat() <= invoice["invoiceDueDate"]:
            raise invalid("date", "Fakturaen er ikke forfalt.")
        charge = self.rules.reminder_charge if with_charge and kind != "SOFT_REMINDER" else Decimal(0)
        total = self._reminder_charge(invoice) + charge
        reminder = self.add(
            "reminder", reminderDate=day.isoformat(), charge=charge, chargeCurrency=charge, totalCharge=total,
            totalChargeCurrency=total, totalAmountCurrency=open_by(invoice) + total, interests=Decimal(0),
            interestRate=Decimal(0), termOfPayment=(day + timedelta(days=14)).isoformat(), type=kind,
            currency=invoice["currency"], kid=invoice["kid"], _invoice=invoice["id"],
        )  # fmt: skip
        invoice["reminders"] = [*invoice["reminders"], Link("reminder", reminder["id"])]
        self.touch(invoice)
        return reminder

    def _reminder_charge(self, invoice: Thing) -> Decimal:
        if not invoice["reminders"] or open_by(invoice) <= 0:
            return Decimal(0)
        charge: Decimal = self.things["reminder"][invoice["reminders"][-1].id]["totalCharge"]
        return charge


def open_by(invoice: Thing) -> Decimal:
    """What is open of an invoice, in its currency."""
    amount: Decimal = invoice["amountCurrencyOutstanding"]()
    return amount


def share(code: str, incomes: list[Income]) -> None:
    """The VAT of one code, rounded once on the base of the document, over the incomes that have it."""
    percent = Decimal((chart.VAT_OUT.get(code) or (0, "0"))[1]) / 100
    left = ore(sum((income.base for income in incomes), Decimal(0)) * percent)
    for income in incomes[:-1]:
        income.vat = ore(income.base * percent)
        left -= income.vat
    incomes[-1].vat = left
