"""The books of the sandbox's one company: customers, orders, invoices, vouchers with postings that sum to zero."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid

OSLO = ZoneInfo("Europe/Oslo")
ORE = Decimal("0.01")

VAT_OUT: Mapping[str, tuple[int, str]] = {
    "3": (3, "25"), "31": (31, "15"), "33": (32, "12"), "32": (311, "11.11"), "5": (5, "0"), "6": (6, "0"),
    "7": (7, "0"), "51": (51, "0"), "52": (52, "0"), "0": (0, "0"),
}  # fmt: skip
"""Codes of outgoing VAT: (id, per cent). The ids are not the codes, as observed."""
VAT_IN: Mapping[str, tuple[int, str]] = {
    "1": (1, "25"), "11": (11, "15"), "13": (12, "12"), "14": (23, "25"), "15": (24, "15"), "81": (81, "25"),
    "86": (34, "-25"), "87": (35, "-25"),
}  # fmt: skip
INCOME = {"3": 3000, "31": 3001, "33": 3002, "32": 3003, "5": 3100, "6": 3200, "52": 3150}
VAT_ACCOUNT = {"3": 2700, "31": 2701, "33": 2702, "32": 2704}
ACCOUNTS = {
    1500: "Kundefordringer", 1900: "Kontanter", 1920: "Bankinnskudd", 1921: "Bankinnskudd valuta",
    2700: "Utgående merverdiavgift, høy sats", 2701: "Utgående merverdiavgift, middels sats",
    2702: "Utgående merverdiavgift, lav sats", 2704: "Utgående merverdiavgift, råfisk",
    3000: "Salgsinntekt, avgiftspliktig", 3001: "Salgsinntekt, middels sats", 3002: "Salgsinntekt, lav sats",
    3003: "Salgsinntekt, råfisk", 3100: "Salgsinntekt, avgiftsfri", 3150: "Eksport av varer og tjenester",
    3200: "Salgsinntekt, utenfor avgiftsområdet", 7740: "Øreavrunding", 8060: "Valutagevinst (agio)",
    8160: "Valutatap (disagio)",
}  # fmt: skip
CURRENCIES = {"NOK": (1, "1"), "SEK": (2, "1.02"), "DKK": (3, "1.54"), "USD": (4, "10.10"), "EUR": (5, "11.50")}
COUNTRIES = {"NO": (161, "Norge"), "SE": (205, "Sverige"), "DK": (58, "Danmark"), "DE": (80, "Tyskland")}


@dataclass(slots=True)
class Rules:
    """What can be set: how this company's Tripletex behaves where the real one is uncertain or differs."""

    rounding: Literal["document", "line"] = "document"
    """Whether VAT is rounded on the document's base per rate, or on each line."""
    whole_kroner: bool = False
    """Whether invoices are rounded to whole kroner (`amountRoundoff`)."""
    bank_account: bool = True
    """Whether the company has a bank account on its invoice account: without, nothing can be invoiced."""
    vat_registered: bool = True
    """Whether the company is in the VAT register: else only codes 0 and 6 are legal."""
    unique_order_numbers: bool = False
    """Whether an order number that is taken is refused."""
    preliminary: bool = True
    """Whether an order shows its totals before it is invoiced (`preliminaryInvoice`)."""
    empty_texts: bool = True
    """Whether text fields that were never filled come as empty text rather than not at all."""
    payment_changes_version: bool = False
    """Whether a payment gives its invoice a new version."""
    loose_filters: bool = False
    """Whether a filter on a text also finds what only contains it."""
    closed_until: date | None = None
    """The last day of the closed periods: nothing can be booked on it or before."""


def mod10(digits: str) -> str:
    """The check digit of a KID (MOD10, Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def ore(value: Decimal) -> Decimal:
    """Rounded to øre, half away from zero."""
    return value.quantize(ORE, ROUND_HALF_UP)


@dataclass
class Books:
    """All that the company has; `find` and `all` see what is there."""

    rules: Rules = field(default_factory=Rules)
    first_invoice_number: int = 10017
    things: dict[str, dict[int, Thing]] = field(default_factory=dict)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    """What would have been sent to customers by now."""

    def __post_init__(self) -> None:
        self._ids = itertools.count(2_147_001)
        self._invoice_numbers = itertools.count(self.first_invoice_number)
        self._voucher_numbers: dict[int, Iterator[int]] = {}
        self._customer_numbers = itertools.count(10001)
        self.customer_numbers: dict[int, int] = {}
        """Ids of customers by number."""
        self.hide_since: datetime | None = None
        """What was made after this moment is not seen (a read from a copy that lags behind)."""
        for code, (id, _) in CURRENCIES.items():
            self.add("currency", id=id, code=code, description=code, factor=1, displayName=code, isDisabled=False)
        for code, (id, name) in COUNTRIES.items():
            self.add("country", id=id, isoAlpha2Code=code, name=name, displayName=name)
        for account_number, name in ACCOUNTS.items():
            bank = account_number in (1920, 1921)
            self.add("account", number=account_number, name=name, isBankAccount=bank,
                     isInvoiceAccount=account_number == 1920)  # fmt: skip
        for codes, direction in ((VAT_OUT, "OUTGOING"), (VAT_IN, "INCOMING")):
            for number, (id, percent) in codes.items():
                name = f"Mva-kode {number}"
                self.add("vatType", id=id, number=number, name=name, displayName=f"{number}: {name}",
                         percentage=Decimal(percent), deductionPercentage=Decimal(100),
                         _direction=direction)  # fmt: skip
        for sequence, (text, account, code) in enumerate(
            [("Kontant", 1900, "NOK"), ("Betalt til bank", 1920, "NOK"), ("Betalt til valutakonto", 1921, "EUR")], 1
        ):
            self.add("paymentType", description=text, displayName=text, debitAccount=self.account(account),
                     sequence=sequence, currencyId=CURRENCIES[code][0], currencyCode=code)  # fmt: skip
        nok = Link("currency", 1)
        self.company = self.add("company", name="Prøvebedriften AS", displayName="Prøvebedriften AS", type="AS",
                                organizationNumber="999999928", currency=nok)  # fmt: skip

    # --- things -------------------------------------------------------------------------------------------------------

    def add(self, type: str, /, *, id: Any = None, **values: Any) -> Thing:
        """A new thing of the type."""
        thing = Thing(type, id=next(self._ids) if id is None else id, version=1, **values)
        thing["_created"] = now = datetime.now(UTC)
        thing["_changed"] = now
        thing["changes"] = [{"employeeId": 1, "timestamp": wall_time(now), "changeType": "CREATE"}]
        self.things.setdefault(type, {})[thing["id"]] = thing
        return thing

    def touch(self, thing: Thing, **values: Any) -> None:
        """Change a thing: a newer version."""
        thing.update(values)
        thing["version"] += 1
        thing["_changed"] = now = datetime.now(UTC)
        thing["changes"].append({"employeeId": 1, "timestamp": wall_time(now), "changeType": "UPDATE"})

    def find(self, link: Link) -> Thing:
        """The thing meant. Raises `SandboxError` (404)."""
        thing = self.things.get(link.type, {}).get(link.id)
        if thing is None or not self._seen(thing):
            raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
        return thing

    def all(self, type: str) -> Iterator[Thing]:
        """All things of a type that can be seen."""
        things = self.things.get(type, {}).values()
        return iter(things) if self.hide_since is None else filter(self._seen, things)

    def _seen(self, thing: Thing) -> bool:
        return self.hide_since is None or thing["_created"] <= self.hide_since

    def next_customer_number(self) -> int:
        """A customer number that nobody has."""
        return next(number for number in self._customer_numbers if number not in self.customer_numbers)

    def account(self, number: int) -> Link:
        """The account by its number."""
        return Link("account", next(a["id"] for a in self.things["account"].values() if a["number"] == number))

    def vat(self, link: Link | None) -> Thing:
        """The VAT type of a line; code 0 where it has none."""
        return self.things["vatType"][link.id if link else 0]

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

    def order_amounts(self, order: Thing) -> tuple[dict[str, tuple[Decimal, Decimal]], Decimal]:
        """Per VAT code base and VAT, and the rounding to whole kroner; in the order's currency."""
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for link in order["orderLines"]:
            line = self.things["orderLine"][link.id]
            net, gross = line["amountExcludingVatCurrency"], line["amountIncludingVatCurrency"]
            code = self.vat(line.get("vatType"))["number"]
            base, vat = sums.get(code, (Decimal(0), Decimal(0)))
            sums[code] = (base + net, vat + gross - net)
        if self.rules.rounding == "document" and not order.get("isPrioritizeAmountsIncludingVat"):
            for code, (base, _) in sums.items():
                sums[code] = (base, ore(base * Decimal((VAT_OUT.get(code) or (0, "0"))[1]) / 100))
        total = sum((base + vat for base, vat in sums.values()), Decimal(0))
        whole = total.quantize(Decimal(1), ROUND_HALF_UP) if self.rules.whole_kroner else total
        return sums, whole - total

    def preliminary(self, order: Thing) -> dict[str, Decimal]:
        """The totals an order would be invoiced with."""
        sums, off = self.order_amounts(order)
        net = sum((base for base, _ in sums.values()), Decimal(0))
        gross = sum((base + vat for base, vat in sums.values()), off)
        rate = self.rate(order["currency"])
        return {"amountExcludingVatCurrency": net, "amountCurrency": gross, "amountRoundoffCurrency": off,
                "amountExcludingVat": ore(net * rate), "amount": ore(gross * rate),
                "amountRoundoff": ore(off * rate)}  # fmt: skip

    def rate(self, currency: Link) -> Decimal:
        """Kroner for one unit."""
        return Decimal(CURRENCIES[self.things["currency"][currency.id]["code"]][1])

    # --- bookkeeping --------------------------------------------------------------------------------------------------

    def check_open(self, day: date, field: str) -> None:
        """Raises `SandboxError` (422) where the day lies in a closed period."""
        if self.rules.closed_until and day <= self.rules.closed_until:
            raise invalid(field, "Perioden er avsluttet.")

    def book(self, day: date, text: str, rows: list[dict[str, Any]]) -> Thing:
        """A voucher. The rows must sum to zero, or the sandbox itself is wrong."""
        assert sum(row["amount"] for row in rows) == 0, rows
        numbers = self._voucher_numbers.setdefault(day.year, itertools.count(1))
        number = next(numbers)
        name = f"{number}-{day.year}"
        voucher = self.add("voucher", date=day.isoformat(), number=number, year=day.year, description=text,
                           displayName=name, numberAsString=name, tempNumber=0)  # fmt: skip
        links = []
        for place, row in enumerate(rows):
            posting = self.add("posting", voucher=Link("voucher", voucher["id"]), date=day.isoformat(), row=place,
                               systemGenerated=place == 0, amountGross=row["amount"],
                               amountGrossCurrency=row["amountCurrency"], description=text, **row)  # fmt: skip
            posting["matched"] = False
            links.append(Link("posting", posting["id"]))
        voucher["postings"] = links
        return voucher

    def charge(self, order: Thing, day: date) -> Thing:
        """Make the order an invoice, number it and book it. Raises `SandboxError` where Tripletex would refuse."""
        if order["isClosed"]:
            raise invalid("order", "Ordren er allerede fakturert.")
        if not self.rules.bank_account:
            said = "Faktura kan ikke opprettes før selskapet har registrert et bankkontonummer."
            raise invalid("order", said)
        if not order["orderLines"]:
            raise invalid("order.orderLines", "Ordren har ingen ordrelinjer.")
        self.check_open(day, "invoiceDate")
        sums, off = self.order_amounts(order)
        totals = self.preliminary(order)
        due = day + timedelta(days=order["invoicesDueIn"])
        if order.get("preliminaryInvoice"):
            del self.things["invoice"][order["preliminaryInvoice"].id]
        self.touch(order, isClosed=True, preliminaryInvoice=None)
        return self._invoice(order, day, due, totals, sums, off)

    def credit(self, invoice: Thing, day: date, comment: str | None) -> Thing:
        """A credit note over the whole invoice, applied to it."""
        if invoice["isCredited"] or invoice["isCreditNote"]:
            raise invalid("invoice", "Fakturaen er allerede kreditert.")
        self.check_open(day, "date")
        order = self.things["order"][invoice["orders"][0].id]
        sums, off = self.order_amounts(order)
        totals = {name: -invoice[name] for name in self.preliminary(order)}
        turned = {code: (-base, -vat) for code, (base, vat) in sums.items()}
        self.touch(invoice, isCredited=True)
        return self._invoice(order, day, day, totals, turned, -off, credits=invoice, comment=comment)

    def _invoice(
        self,
        order: Thing,
        day: date,
        due: date,
        totals: dict[str, Decimal],
        sums: dict[str, tuple[Decimal, Decimal]],
        off: Decimal,
        *,
        credits: Thing | None = None,
        comment: str | None = None,
    ) -> Thing:
        number, rate = next(self._invoice_numbers), self.rate(order["currency"])
        customer: Link = order["customer"]
        digits = f"{self.find(customer)['customerNumber']:04d}{number:05d}"[-9:]
        invoice = self.add(
            "invoice", invoiceNumber=number, invoiceDate=day.isoformat(), invoiceDueDate=due.isoformat(),
            customer=customer, kid=digits + mod10(digits), orders=[Link("order", order["id"])], comment=comment,
            orderLines=list(order["orderLines"]), currency=order["currency"], deliveryDate=order["deliveryDate"],
            invoiceComment=order.get("invoiceComment"), isCharged=True, isApproved=True, isCredited=False,
            isCreditNote=credits is not None, creditedInvoice=credits["id"] if credits else None,
            ehfSendStatus="DO_NOT_SEND", **totals,
        )  # fmt: skip
        id = invoice["id"]
        invoice["postings"] = lambda: [Link("posting", p["id"]) for p in self.items(id)]
        for name, row in (("amountOutstanding", "amount"), ("amountCurrencyOutstanding", "amountCurrency")):
            invoice[name] = invoice[name + "Total" if row == "amount" else "amountCurrencyOutstandingTotal"] = (
                lambda row=row: sum((p[row] for p in self.items(id)), Decimal(0))
            )
        rows = [{"account": self.account(1500), "customer": customer, "amountCurrency": totals["amountCurrency"],
                 "amount": totals["amount"], "type": "OUTGOING_INVOICE_CUSTOMER_POSTING", "invoiceNumber": str(number),
                 "termOfPayment": due.isoformat(), "externalRef": invoice["kid"], "currency": order["currency"],
                 "_invoice": (credits or invoice)["id"]}]  # fmt: skip
        parts: list[tuple[Decimal, int, str | None]] = [(off, 7740, None)]
        for code, (base, vat) in sums.items():
            parts += [(base, INCOME.get(code, 3200), code), (vat, VAT_ACCOUNT.get(code, 2700), None)]
        for amount, account, vat_code in parts:
            if amount:
                rows.append({"account": self.account(account), "amountCurrency": -amount, "amount": -ore(amount * rate),
                             "currency": order["currency"],
                             "vatType": Link("vatType", VAT_OUT[vat_code][0]) if vat_code else None})  # fmt: skip
        rows[-1]["amount"] -= sum(row["amount"] for row in rows)
        text = f"{'Kreditnota' if credits else 'Faktura'} {number}"
        voucher = self.book(day, text, rows)
        invoice["voucher"] = Link("voucher", voucher["id"])
        self.settle(credits or invoice, day)
        return invoice

    def items(self, invoice_id: int) -> list[Thing]:
        """The rows of the customer ledger that belong to an invoice and can be seen."""
        return [p for p in self._items.get(invoice_id, ()) if self._seen(p)]

    @property
    def _items(self) -> dict[int, list[Thing]]:
        postings = self.things.get("posting", {})
        index: dict[int, list[Thing]] = self.__dict__.setdefault("_item_index", {})
        seen: int = self.__dict__.get("_item_count", 0)
        for posting in itertools.islice(postings.values(), seen, None):
            if "_invoice" in posting:
                index.setdefault(posting["_invoice"], []).append(posting)
        self.__dict__["_item_count"] = len(postings)
        return index

    def pay(
        self,
        day: date,
        payments: list[tuple[Thing, Decimal, Decimal]],
        debit: Link,
        *,
        reference: str | None = None,
    ) -> Thing:
        """One voucher: money on `debit`, one row in the customer ledger per payment (invoice, kroner, currency)."""
        self.check_open(day, "paymentDate")
        rows: list[dict[str, Any]] = []
        for invoice, amount, foreign in payments:
            common = {"currency": invoice["currency"], "externalRef": reference or invoice["kid"],
                      "invoiceNumber": str(invoice["invoiceNumber"])}  # fmt: skip
            rows.append({**common, "account": debit, "amount": amount, "amountCurrency": foreign,
                         "type": "INCOMING_PAYMENT_OPPOSITE"})  # fmt: skip
            rows.append({**common, "account": self.account(1500), "amount": -amount, "amountCurrency": -foreign,
                         "type": "INCOMING_PAYMENT", "customer": invoice["customer"],
                         "_invoice": invoice["id"]})  # fmt: skip
        voucher = self.book(day, "Innbetaling", rows)
        for invoice in {id(invoice): invoice for invoice, _, _ in payments}.values():
            if self.rules.payment_changes_version:
                self.touch(invoice)
            self.settle(invoice, day)
        return voucher

    def settle(self, invoice: Thing, day: date) -> None:
        """Close the invoice's rows against each other once they sum to zero; agio is booked on the way."""
        items = self.items(invoice["id"])
        if sum(p["amountCurrency"] for p in items) != 0 or len(items) < 2:
            return
        agio = sum(p["amount"] for p in items)
        if agio:
            rows = [{"account": self.account(1500), "amount": -agio, "amountCurrency": Decimal(0),
                     "customer": invoice["customer"], "_invoice": invoice["id"], "currency": invoice["currency"]},
                    {"account": self.account(8160 if agio > 0 else 8060), "amount": agio,
                     "amountCurrency": Decimal(0), "currency": invoice["currency"]}]  # fmt: skip
            self.book(day, "Agio/disagio", rows)
            items = self.items(invoice["id"])
        links = [Link("posting", p["id"]) for p in items]
        group = self.add("closeGroup", date=day.isoformat(), postings=links)
        for posting in items:
            self.touch(posting, closeGroup=Link("closeGroup", group["id"]), matched=True)


def wall_time(moment: datetime) -> str:
    """A moment as Tripletex writes it: Norwegian wall time, no zone."""
    return moment.astimezone(OSLO).strftime("%Y-%m-%dT%H:%M:%S")
