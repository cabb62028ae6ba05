"""Orders and the invoices made from them, as they come in: what Tripletex demands of them, said in its Norwegian."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.fields import FIELDS
from adapters.accounting.tripletex.sandbox.forms import Said, amount, day, link, text, whole
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid

_TEXTS = ("reference", "receiverEmail", "invoiceComment", "deliveryComment")
_LINKS = ("department", "project", "contact", "attn", "ourContactEmployee")
_WRITABLE: Mapping[str, frozenset[str]] = {
    "order": frozenset(FIELDS["order"])
    - {"changes", "displayName", "customerName", "preliminaryInvoice", "attachment"},
    "orderLine": frozenset(FIELDS["orderLine"])
    - {"changes", "displayName", "amountExcludingVatCurrency", "amountIncludingVatCurrency", "order"},
    "invoice": frozenset({"id", "version", "url", "invoiceNumber", "invoiceDate", "invoiceDueDate", "customer", "kid",
                          "comment", "orders", "currency", "paymentTypeId", "paidAmount"}),
}  # fmt: skip


def create_order(books: Books, said: Said) -> Thing:
    """As `POST /order` with its lines: all of it or nothing."""
    forms.check_names(_WRITABLE["order"], said, "", "order")
    for name in ("customer", "orderDate", "deliveryDate"):
        if not said.get(name):
            raise invalid(name, "Kan ikke være null.")
    customer = books.find(link(books, "customer", said["customer"], "customer"))
    if customer["isInactive"]:
        raise invalid("customer", "Kunden er inaktiv.")
    number = said.get("number")
    if books.rules.unique_order_numbers and any(order["number"] == number for order in books.all("order")):
        raise invalid("number", "Ordrenummeret er i bruk.")
    currency = customer["currency"]
    if said.get("currency"):
        currency = link(books, "currency", said["currency"], "currency")
    with_vat = bool(said.get("isPrioritizeAmountsIncludingVat"))
    delivered = day(said["deliveryDate"], "deliveryDate")
    lines = [_line(books, line, f"orderLines[{at}]", with_vat) for at, line in enumerate(said.get("orderLines") or ())]
    due = whole(said.get("invoicesDueIn", customer["invoicesDueIn"]), "invoicesDueIn")
    if not 0 <= due <= 10_000:
        raise invalid("invoicesDueIn", "Må være mellom 0 og 10000.")
    order = books.add(
        "order",
        **{
            **(dict.fromkeys(_TEXTS, "") if books.rules.empty_texts else {}),
            **{name: text(said[name], name) for name in _TEXTS if said.get(name) is not None},
            **active_links(books, said, _LINKS),
            "customer": Link("customer", customer["id"]),
            "customerName": customer["name"],
            "currency": currency,
            "orderDate": day(said["orderDate"], "orderDate").isoformat(),
            "deliveryDate": delivered.isoformat(),
            "invoicesDueIn": due,
            "invoicesDueInType": said.get("invoicesDueInType", "DAYS"),
            "isPrioritizeAmountsIncludingVat": with_vat,
            "isClosed": False,
            "isSubscription": False,
            "status": "NOT_CHOSEN",
        },
    )
    order["number"] = str(order["id"]) if number is None else text(number, "number")
    of = Link("order", order["id"])
    order["orderLines"] = [Link("orderLine", books.add("orderLine", order=of, **line)["id"]) for line in lines]
    _show_totals(books, order)
    return order


def change_order(books: Books, id: int, said: Said) -> Thing:
    """As `PUT /order/{id}`: the head of an order that is not invoiced yet. Its lines have calls of their own."""
    order = books.find(Link("order", id))
    if isinstance(said, Mapping) and said.get("version") is not None and said["version"] != order["version"]:
        raise SandboxError(409, 8000, "Objektet er endret av noen andre.", ("version", "Versjonen er ikke den siste."))
    forms.check_names(_WRITABLE["order"] - {"orderLines", "isClosed"}, said, "", "order")
    if order["isClosed"]:
        raise invalid("id", "Ordren er fakturert og kan ikke endres.")
    values: dict[str, Any] = {
        name: forms.value(books, name, given) for name, given in said.items() if name not in {"id", "version", "url"}
    }
    books.touch(order, **values)
    return order


def create_invoice(books: Books, said: Said) -> Thing:
    """As `POST /invoice`: from one order that is there or comes with it; all of it or nothing."""
    forms.check_names(_WRITABLE["invoice"], said, "", "invoice")
    for name in ("invoiceDate", "invoiceDueDate"):
        if not said.get(name):
            raise invalid(name, "Kan ikke være null.")
    given = said.get("orders")
    if not isinstance(given, list) or len(given) != 1:
        raise invalid("orders", "En faktura må ha nøyaktig én ordre.")
    dated, due = day(said["invoiceDate"], "invoiceDate"), day(said["invoiceDueDate"], "invoiceDueDate")
    if due < dated:
        raise invalid("invoiceDueDate", "Forfallsdato kan ikke være før fakturadato.")
    more = {"number": whole(said.get("invoiceNumber") or 0, "invoiceNumber"), "due": due,
            "kid": said.get("kid") and text(said["kid"], "kid"), "comment": said.get("comment")}  # fmt: skip
    if isinstance(given[0], Mapping) and given[0].get("id") is not None:
        order, new = books.find(link(books, "order", given[0], "orders[0]")), False
    else:
        order, new = create_order(books, given[0]), True
    try:
        if said.get("customer") and link(books, "customer", said["customer"], "customer") != order["customer"]:
            raise invalid("customer", "Kunden er ikke ordrens kunde.")
        return books.charge(order, dated, **more)
    except SandboxError:
        if new:
            for line in order["orderLines"]:
                del books.things["orderLine"][line.id]
            if order.get("preliminaryInvoice"):
                del books.things["invoice"][order["preliminaryInvoice"].id]
            books.remove(order)
        raise


def _show_totals(books: Books, order: Thing) -> None:
    if books.rules.preliminary:
        of = Link("order", order["id"])
        coming = books.add("invoice", isCharged=False, invoiceNumber=0, orders=[of], currency=order["currency"])
        coming.update(books.preliminary(order))
        order["preliminaryInvoice"] = Link("invoice", coming["id"])


def active_links(books: Books, said: Said, names: tuple[str, ...], path: str = "") -> dict[str, Link]:
    """References that were given, to records that are in use: no inactive department, no closed project."""
    found = forms.links(books, said, names, path)
    before = f"{path}." if path else ""
    for name, to in found.items():
        record = books.find(to)
        if record.get("isInactive") or record.get("isClosed") or record.get("active") is False:
            raise invalid(before + name, "Objektet er inaktivt.")
    return found


def _line(books: Books, said: Said, path: str, with_vat: bool) -> dict[str, Any]:
    forms.check_names(_WRITABLE["orderLine"], said, path, "orderLine")
    without, including = said.get("unitPriceExcludingVatCurrency"), said.get("unitPriceIncludingVatCurrency")
    if without is not None and including is not None:
        raise invalid(f"{path}.unitPriceIncludingVatCurrency", "Oppgi pris enten med eller uten mva.")
    if (without is not None and with_vat) or (including is not None and not with_vat):
        raise invalid(f"{path}.unitPrice", "Prisen passer ikke med isPrioritizeAmountsIncludingVat.")
    if not said.get("description") and not said.get("product"):
        raise invalid(f"{path}.description", "Kan ikke være null.")
    line: dict[str, Any] = {"isCharged": False, **active_links(books, said, ("product",), path)}
    product: Mapping[str, Any] = books.find(line["product"]) if "product" in line else {}
    line["description"] = text(said.get("description") or product.get("name"), f"{path}.description")
    price = "unitPriceIncludingVatCurrency" if with_vat else "unitPriceExcludingVatCurrency"
    if product and said.get(price) is None:
        line[price] = product[price.replace("unitPrice", "price")]
    for name in ("count", "discount", "unitPriceExcludingVatCurrency", "unitPriceIncludingVatCurrency"):
        if said.get(name) is not None:
            line[name] = amount(said[name], f"{path}.{name}", decimals=10)
    line.setdefault("count", Decimal(1))
    default = {"id": product["vatType"].id if product.get("vatType") else 0}
    vat = link(books, "vatType", said.get("vatType") or default, f"{path}.vatType")
    if vat.id not in books.legal_vat_types():
        raise invalid(f"{path}.vatType", "Ugyldig mva-kode.")
    line["vatType"] = vat
    line["amountExcludingVatCurrency"], line["amountIncludingVatCurrency"] = books.line_amounts(line)
    # The side that was not given is computed, as the vendor does.
    rate, stated = 1 + books.vat(vat)["percentage"] / 100, Decimal(line.get(price) or 0)
    if with_vat:
        line["unitPriceExcludingVatCurrency"] = round(stated / rate, 10)
    else:
        line["unitPriceIncludingVatCurrency"] = round(stated * rate, 10)
    return line
