"""Invoices, payments and credit notes: what they book. The postings of every voucher sum to zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import chart
from adapters.accounting.tripletex.sandbox.books import Books, Thing, rounded
from adapters.accounting.tripletex.sandbox.errors import empty, invalid

NO_BANK_ACCOUNT = "Faktura kan ikke opprettes før selskapet har registrert et bankkontonummer."


@dataclass(frozen=True, slots=True)
class Sum:
    """What an order comes to, in its currency: net and VAT by VAT type, and the rounding to whole kroner."""

    net: Mapping[int, Decimal]
    vat: Mapping[int, Decimal]
    roundoff: Decimal

    @property
    def excluding(self) -> Decimal:
        """Without VAT."""
        return sum(self.net.values(), Decimal(0))

    @property
    def payable(self) -> Decimal:
        """With VAT and rounding."""
        return self.excluding + sum(self.vat.values(), Decimal(0)) + self.roundoff


def summed(books: Books, order: Thing) -> Sum:
    """An order's sums, as the company rounds."""
    including = order["isPrioritizeAmountsIncludingVat"]
    excluding_sums: dict[int, Decimal] = defaultdict(Decimal)
    including_sums: dict[int, Decimal] = defaultdict(Decimal)
    for line in (books.find("orderLine", id) for id in order["orderLines"]):
        excluding_sums[line["vatType"]] += line["amountExcludingVatCurrency"]
        including_sums[line["vatType"]] += line["amountIncludingVatCurrency"]
    net, vat = {}, {}
    for id in excluding_sums:
        rate = books.find("vatType", id)["percentage"] / 100
        net[id] = excluding_sums[id]
        if books.habits.rounding == "line":
            vat[id] = including_sums[id] - excluding_sums[id]
        elif including:
            net[id] = rounded(including_sums[id] / (1 + rate))
            vat[id] = including_sums[id] - net[id]
        else:
            vat[id] = rounded(net[id] * rate)
    exact = sum(net.values(), Decimal(0)) + sum(vat.values(), Decimal(0))
    whole = books.habits.round_to_krone and books.find("currency", order["currency"])["code"] == "NOK"
    return Sum(net, vat, rounded(exact, Decimal(1)) - exact if whole else Decimal(0))


def kid(number: int) -> str:
    """A customer identification of ten digits, the last by MOD10 (Luhn)."""
    digits = f"{number:09d}"
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def invoice_order(books: Books, order: Thing, day: date, credits: int = 0) -> Thing:
    """As `PUT /order/{id}/:invoice`: number, KID, voucher. An order is invoiced once."""
    if order["isClosed"]:
        raise invalid(("order", "Ordren er allerede fakturert."))
    if not order["orderLines"]:
        raise empty("orderLines")
    if not books.habits.bank_account:
        raise invalid(("bankAccountNumber", NO_BANK_ACCOUNT))
    books.open_period(day, "invoiceDate")
    total = summed(books, order)
    number = books.next("invoice")
    due = day + timedelta(days=order["invoicesDueIn"])
    invoice = _book(books, order, total, number, day, due)
    order["isClosed"] = True
    books.touch(order)
    if credits:
        invoice |= {"isCreditNote": True, "creditedInvoice": credits}
    return invoice


def _book(books: Books, order: Thing, total: Sum, number: int, day: date, due: date) -> Thing:
    rate = chart.RATE[order["currency"]]
    rows: list[Thing] = []

    def row(account: int, amount: Decimal, **more: Any) -> Thing:
        posting = {
            "account": books.account[account],
            "amount": rounded(amount * rate),
            "amountCurrency": amount,
            "currency": order["currency"],
            "invoiceNumber": str(number),
            **more,
        }
        rows.append(posting)
        return posting

    reference = kid(number)
    receivable = row(
        1500, total.payable, customer=order["customer"], type="OUTGOING_INVOICE_CUSTOMER_POSTING", externalRef=reference
    )
    for id, net in total.net.items():
        row(chart.INCOME_ACCOUNT[id], -net, vatType=id)
        if (account := chart.VAT_ACCOUNT[id]) is not None:
            row(account, -total.vat[id])
    if total.roundoff:
        row(7740, -total.roundoff)
    # The receivable is converted once; what conversion row by row leaves goes to the largest income row.
    largest = max(rows[1:], key=lambda posting: abs(posting["amount"]))
    largest["amount"] -= sum((posting["amount"] for posting in rows), Decimal(0))
    voucher = write_voucher(books, day, f"Faktura {number}", rows)
    return books.add(
        "invoice",
        {
            "invoiceNumber": number,
            "kid": reference,
            "invoiceDate": day.isoformat(),
            "invoiceDueDate": due.isoformat(),
            "deliveryDate": order["deliveryDate"],
            "customer": order["customer"],
            "currency": order["currency"],
            "invoiceComment": order.get("invoiceComment"),
            "comment": "",
            "orders": [order["id"]],
            "orderLines": order["orderLines"],
            "voucher": voucher["id"],
            "postings": [voucher["postings"][0]],
            "amount": receivable["amount"],
            "amountCurrency": total.payable,
            "amountExcludingVat": rounded(total.excluding * rate),
            "amountExcludingVatCurrency": total.excluding,
            "amountRoundoff": rounded(total.roundoff * rate),
            "amountRoundoffCurrency": total.roundoff,
            "amountOutstanding": receivable["amount"],
            "amountCurrencyOutstanding": total.payable,
            "isCreditNote": False,
            "isCredited": False,
            "isCharged": True,
            "ehfSendStatus": "DO_NOT_SEND",
        },
    )


def write_voucher(books: Books, day: date, description: str, rows: list[Thing]) -> Thing:
    """One voucher with its postings, which must sum to zero."""
    if sum((row["amount"] for row in rows), Decimal(0)):
        raise invalid(("postings", "Bilaget er ikke i balanse."))
    number = books.next("voucher")
    voucher = books.add(
        "voucher", {"date": day.isoformat(), "year": day.year, "number": number, "description": description}
    )
    voucher["postings"] = [
        books.add("posting", {"date": voucher["date"], "voucher": voucher["id"], "row": at, **row})["id"]
        for at, row in enumerate(rows)
    ]
    return voucher


def pay(
    books: Books, invoice: Thing, day: date, payment_type: int, amount: Decimal, in_currency: Decimal | None
) -> Thing:
    """As `PUT /invoice/{id}/:payment`: a new row on the customer each time, whatever is open (a negative one reverses).

    `amount` is in the currency of the payment type's account (NOK), `in_currency` in the invoice's.
    """
    books.open_period(day, "paymentDate")
    foreign = books.find("currency", invoice["currency"])["code"] != "NOK"
    if foreign and in_currency is None:
        raise empty("paidAmountCurrency")
    in_currency = amount if in_currency is None or not foreign else in_currency
    if not amount:
        raise invalid(("paidAmount", "Beløpet kan ikke være 0."))
    how = books.find("paymentType", payment_type)
    settled = rounded(in_currency * chart.RATE[invoice["currency"]])
    common = {"currency": invoice["currency"], "invoiceNumber": str(invoice["invoiceNumber"])}
    rows: list[Thing] = [
        {
            "account": books.account[1500],
            "amount": -settled,
            "amountCurrency": -in_currency,
            "customer": invoice["customer"],
            "type": "INCOMING_PAYMENT",
            "externalRef": invoice["kid"],
            "postingRuleId": payment_type,
            **common,
        },
        {
            "account": how["debitAccount"],
            "amount": amount,
            "amountCurrency": in_currency,
            "type": "INCOMING_PAYMENT_OPPOSITE",
            **common,
        },
    ]
    if settled != amount:
        gain = settled - amount
        rows.append(
            {"account": books.account[8060 if gain < 0 else 8160], "amount": gain, "amountCurrency": Decimal(0)}
        )
    voucher = write_voucher(books, day, f"Betaling av faktura {invoice['invoiceNumber']}", rows)
    invoice["postings"] = [*invoice["postings"], voucher["postings"][0]]
    invoice["amountOutstanding"] -= settled
    invoice["amountCurrencyOutstanding"] -= in_currency
    if books.habits.payment_bumps_version:
        books.touch(invoice)
    _close_when_settled(books, invoice, day)
    return voucher


def credit(books: Books, invoice: Thing, day: date) -> Thing:
    """As `PUT /invoice/{id}/:createCreditNote`: the whole amount, by an invoice of its own."""
    if invoice["isCredited"] or invoice["isCreditNote"]:
        raise invalid(("id", "Fakturaen er allerede kreditert."))
    books.open_period(day, "date")
    original = books.find("order", invoice["orders"][0])
    order = books.add(
        "order", {**original, "number": str(books.next("order")), "isClosed": False, "version": 1, "id": 0}
    )
    lines = []
    for id in original["orderLines"]:
        line = {name: value for name, value in books.find("orderLine", id).items() if name not in {"id", "version"}}
        line |= {"order": order["id"]}
        for field in ("count", "amountExcludingVatCurrency", "amountIncludingVatCurrency"):
            line[field] = -line[field]
        lines.append(books.add("orderLine", line)["id"])
    order["orderLines"] = lines
    note = invoice_order(books, order, day, credits=invoice["id"])
    applied = min(invoice["amountCurrencyOutstanding"], -note["amountCurrency"])
    settled = min(invoice["amountOutstanding"], -note["amount"])
    for thing, sign in ((invoice, -1), (note, 1)):
        thing["amountOutstanding"] += sign * settled
        thing["amountCurrencyOutstanding"] += sign * applied
    invoice["isCredited"] = True
    books.touch(invoice)
    _close_when_settled(books, invoice, day, note)
    return note


def _close_when_settled(books: Books, invoice: Thing, day: date, *others: Thing) -> None:
    things = [invoice, *others]
    if any(thing["amountCurrencyOutstanding"] for thing in things):
        return
    postings = [posting for thing in things for posting in thing["postings"]]
    group = books.add("closeGroup", {"date": day.isoformat(), "postings": postings})
    for id in postings:
        posting = books.find("posting", id)
        posting["closeGroup"] = group["id"]
        books.touch(posting)
