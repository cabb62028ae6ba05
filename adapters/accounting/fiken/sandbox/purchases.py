"""What a company buys: purchases booked, paid and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.accounting.fiken.sandbox import forms, lines
from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.chart import PURCHASES, RATES
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.store import Thing


def book(books: Books, said: Mapping[str, Any]) -> Thing:
    """Book a purchase; the same number of the same supplier may be there already. Raises `SandboxError` (400)."""
    books.open_on(said["date"])
    cash = said["kind"] == "cash_purchase"
    if not cash and said["kind"] != "supplier":
        raise invalid(f"Ugyldig kind: {said['kind']}")
    if cash != said["paid"]:
        raise invalid("paid stemmer ikke med kind")
    if said["currency"] not in RATES:
        raise invalid(f"Ugyldig currency: {said['currency']}")
    supplier = None if cash else books.contact(said.get("supplierId"), "supplier")
    rate, foreign = RATES[said["currency"]], said["currency"] != "NOK"
    if not said["lines"]:
        raise invalid("lines må fylles ut")
    made = [_line(books, one, place, foreign) for place, one in enumerate(said["lines"])]
    ending = "InCurrency" if foreign else ""
    rows = []
    for line in made:
        rows.append((line["account"], lines.whole(line["netPrice" + ending] * rate)))
        if vat := line["vat" + ending]:
            rows.append((PURCHASES[line["vatType"]][1], lines.whole(vat * rate)))
    against = supplier["supplierAccountCode"] if supplier else books.bank(said.get("paymentAccount", ""))["accountCode"]
    books.vouchers.append([(against, -sum(amount for _, amount in rows)), *rows])
    if foreign:
        made = [{**line, **{name: lines.whole(line[name + ending] * rate) for name in ("netPrice", "vat")}}
                for line in made]  # fmt: skip
    shown = {name: said[name] for name in ("identifier", "date", "dueDate", "kind", "currency", "kid")
             if said.get(name)}  # fmt: skip
    gross = sum(line["netPrice" + ending] + line["vat" + ending] for line in made)
    return books.add(
        "purchase", lines=made, paid=cash, settled=cash, deleted=False, transactionId=len(books.vouchers),
        settledDate=said.get("paymentDate") or said["date"] if cash else None, _gross=gross, _rate=rate,
        _supplier=supplier and supplier["_id"], _files=[], **shown,
    )  # fmt: skip


def _line(books: Books, one: Any, place: int, foreign: bool) -> dict[str, Any]:
    line = forms.read(one, forms.ORDER_LINE, f"lines[{place}].")
    if line["vatType"] not in PURCHASES or (books.rules.vat == "no" and PURCHASES[line["vatType"]][0]):
        raise invalid(f"Ugyldig vatType: {line['vatType']}")
    books.account(line.get("account"))
    books.project(line.pop("projectId", None))
    net, vat = (("netPriceInCurrency", "vatInCurrency") if foreign else ("netPrice", "vat"))  # fmt: skip
    if line.get(net) is None:
        raise invalid(f"lines[{place}].{net} må fylles ut")
    expected = lines.whole(line[net] * PURCHASES[line["vatType"]][0] / 100)
    line.setdefault(vat, expected)
    if abs(line[vat] - expected) > 100:
        raise invalid(f"lines[{place}].vat stemmer ikke med {line['vatType']}")
    return line


def payments(books: Books, purchase: Mapping[str, Any]) -> list[Thing]:
    """The payments of a purchase."""
    return [one for one in books.all("purchasePayment") if one["_purchase"] == purchase["_id"]]


def pay(books: Books, purchase: Thing, said: Mapping[str, Any]) -> Thing:
    """Book a payment of a purchase, as much as is said. Raises `SandboxError` (400)."""
    books.open_on(said["date"])
    books.bank(said["account"])
    currency = said.get("currency", "NOK")
    if currency != purchase["currency"]:
        raise invalid(f"currency må være {purchase['currency']}")
    if said["amount"] == 0 or (said["amount"] > 0) != (purchase["_gross"] > 0):
        raise invalid("amount må være større enn 0")
    booked = lines.whole(said["amount"] * purchase["_rate"])
    kroner = said.get("amountInNok", booked)
    supplier = books.find("contact", purchase["_supplier"])
    rows = [(said["account"], -kroner), (supplier["supplierAccountCode"], booked)]
    books.vouchers.append(rows + ([("8060", kroner - booked)] if kroner != booked else []))
    made = books.add("purchasePayment", _purchase=purchase["_id"], **{**said, "currency": currency})
    if abs(sum(one["amount"] for one in payments(books, purchase))) >= abs(purchase["_gross"]):
        purchase.update(paid=True, settled=True, settledDate=said["date"])
    return made


def take_back(books: Books, purchase: Thing) -> None:
    """Reverse a purchase, which then says so. Raises `SandboxError` (400)."""
    if purchase["deleted"]:
        raise invalid("Kjøpet er allerede slettet")
    rows = books.vouchers[purchase["transactionId"] - 1]
    books.vouchers.append([(account, -amount) for account, amount in rows])
    purchase["deleted"] = True
