"""Customers and orders as they come in: what Tripletex demands of them, said in its Norwegian."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.things import FIELDS, Link, SandboxError, Thing, invalid

Said = Mapping[str, Any]

_TEXTS = {
    "customer": ("organizationNumber", "email", "invoiceEmail", "phoneNumber", "phoneNumberMobile", "description"),
    "order": ("reference", "receiverEmail", "invoiceComment", "deliveryComment"),
}
_SEND_METHODS = {"EMAIL", "EHF", "EFAKTURA", "AVTALEGIRO", "VIPPS", "PAPER", "MANUAL"}
_WRITABLE: Mapping[str, frozenset[str]] = {
    "customer": frozenset(FIELDS["customer"]) - {"changes", "isCustomer", "displayName"},
    "address": frozenset(FIELDS["address"]) - {"changes", "displayName", "addressAsString"},
    "order": frozenset(FIELDS["order"]) - {"changes", "displayName", "customerName", "preliminaryInvoice"},
    "orderLine": frozenset(FIELDS["orderLine"])
    - {"changes", "displayName", "amountExcludingVatCurrency", "amountIncludingVatCurrency", "order"},
}
_NEW_CUSTOMER: Mapping[str, Any] = {
    "isInactive": False,
    "isCustomer": True,
    "isPrivateIndividual": False,
    "currency": Link("currency", 1),
    "invoicesDueIn": 14,
    "invoicesDueInType": "DAYS",
    "invoiceSendMethod": "EMAIL",
    "language": "NO",
}


def create_customer(books: Books, said: Said) -> Thing:
    """As `POST /customer`. An organisation number may occur twice, a customer number may not."""
    values = _customer(books, said, None)
    if not values.get("name"):
        raise invalid("name", "Kan ikke være null.")
    values = {**_empty_texts(books, "customer"), **_NEW_CUSTOMER, **values}
    values.setdefault("customerNumber", books.next_customer_number())
    values["displayName"] = f"{values['name']} ({values['customerNumber']})"
    customer = books.add("customer", **values)
    books.customer_numbers[values["customerNumber"]] = customer["id"]
    return customer


def change_customer(books: Books, id: int, said: Said) -> Thing:
    """As `PUT /customer/{id}`: what is given changes. An older version than the present one is 409/8000."""
    customer = books.find(Link("customer", id))
    if said.get("version") is not None and said["version"] != customer["version"]:
        raise SandboxError(409, 8000, "Objektet er endret av noen andre.", ("version", "Versjonen er ikke den siste."))
    values = _customer(books, said, customer)
    if "name" in values and not values["name"]:
        raise invalid("name", "Kan ikke være null.")
    if "customerNumber" in values:
        del books.customer_numbers[customer["customerNumber"]]
        books.customer_numbers[values["customerNumber"]] = id
    books.touch(customer, **values)
    return customer


def delete_customer(books: Books, id: int) -> None:
    """As `DELETE /customer/{id}`: refused once something refers to it."""
    customer = books.find(Link("customer", id))
    if any(order["customer"].id == id for order in books.all("order")):
        raise invalid("id", "Kunden er i bruk og kan ikke slettes.")
    del books.customer_numbers[customer["customerNumber"]]
    del books.things["customer"][id]


def create_order(books: Books, said: Said) -> Thing:
    """As `POST /order` with its lines: all of it or nothing."""
    _check_names("order", said, "")
    for field in ("customer", "orderDate", "deliveryDate"):
        if not said.get(field):
            raise invalid(field, "Kan ikke være null.")
    customer = books.find(_link(books, "customer", said["customer"], "customer"))
    if customer["isInactive"]:
        raise invalid("customer", "Kunden er inaktiv.")
    number = said.get("number")
    if books.rules.unique_order_numbers and any(order["number"] == number for order in books.all("order")):
        raise invalid("number", "Ordrenummeret er i bruk.")
    currency = customer["currency"]
    if said.get("currency"):
        currency = _link(books, "currency", said["currency"], "currency")
    with_vat = bool(said.get("isPrioritizeAmountsIncludingVat"))
    delivered = day(said["deliveryDate"], "deliveryDate")
    lines = [_line(books, line, f"orderLines[{at}]", with_vat) for at, line in enumerate(said.get("orderLines") or ())]
    due = whole(said.get("invoicesDueIn", customer["invoicesDueIn"]), "invoicesDueIn")
    if not 0 <= due <= 10_000:
        raise invalid("invoicesDueIn", "Må være mellom 0 og 10000.")
    order = books.add(
        "order",
        **{
            **_empty_texts(books, "order"),
            **{name: text(said[name], name) for name in _TEXTS["order"] if said.get(name) is not None},
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
    if books.rules.preliminary:
        coming = books.add("invoice", isCharged=False, invoiceNumber=0, orders=[of], currency=currency)
        coming.update(books.preliminary(order))
        order["preliminaryInvoice"] = Link("invoice", coming["id"])
    return order


def _line(books: Books, said: Said, path: str, with_vat: bool) -> dict[str, Any]:
    _check_names("orderLine", said, path)
    without, including = said.get("unitPriceExcludingVatCurrency"), said.get("unitPriceIncludingVatCurrency")
    if without is not None and including is not None:
        raise invalid(f"{path}.unitPriceIncludingVatCurrency", "Oppgi pris enten med eller uten mva.")
    if (without is not None and with_vat) or (including is not None and not with_vat):
        raise invalid(f"{path}.unitPrice", "Prisen passer ikke med isPrioritizeAmountsIncludingVat.")
    if not said.get("description") and not said.get("product"):
        raise invalid(f"{path}.description", "Kan ikke være null.")
    if said.get("product"):
        raise invalid(f"{path}.product.id", "Produktet finnes ikke.")
    line: dict[str, Any] = {"description": text(said["description"], f"{path}.description"), "isCharged": False}
    for name in ("count", "discount", "unitPriceExcludingVatCurrency", "unitPriceIncludingVatCurrency"):
        if said.get(name) is not None:
            line[name] = amount(said[name], f"{path}.{name}", decimals=10)
    line.setdefault("count", Decimal(1))
    vat = _link(books, "vatType", said.get("vatType") or {"id": 0}, f"{path}.vatType")
    if vat.id not in legal_vat_types(books):
        raise invalid(f"{path}.vatType", "Ugyldig mva-kode.")
    line["vatType"] = vat
    line["amountExcludingVatCurrency"], line["amountIncludingVatCurrency"] = books.line_amounts(line)
    # The side that was not given is computed, as the vendor does.
    rate = 1 + books.vat(vat)["percentage"] / 100
    if with_vat:
        line["unitPriceExcludingVatCurrency"] = round((including or Decimal(0)) / rate, 10)
    else:
        line["unitPriceIncludingVatCurrency"] = round((without or Decimal(0)) * rate, 10)
    return line


def legal_vat_types(books: Books) -> set[int]:
    """Ids of the outgoing VAT types that this company may use."""
    registered = books.rules.vat_registered
    return {
        vat["id"]
        for vat in books.things["vatType"].values()
        if vat["_direction"] == "OUTGOING" and (registered or vat["number"] in {"0", "6"})
    }


def _customer(books: Books, said: Said, now: Thing | None) -> dict[str, Any]:
    _check_names("customer", said, "")
    values = {name: value for name, value in said.items() if name not in {"id", "version", "url"}}
    for field in ("name", *_TEXTS["customer"]):
        if values.get(field) is not None:
            text(values[field], field)
    for field in ("email", "invoiceEmail"):
        if values.get(field) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", values[field]):
            raise invalid(field, "Ugyldig e-postadresse.")
    if values.get("invoiceSendMethod") not in {None, *_SEND_METHODS}:
        raise SandboxError(422, 16000, "Feil i forespørselen.", ("invoiceSendMethod", "Ukjent verdi."))
    for field in ("postalAddress", "physicalAddress"):
        if values.get(field) is not None:
            values[field] = _address(books, values[field], field, now[field] if now and field in now else None)
    if values.get("currency") is not None:
        values["currency"] = _link(books, "currency", values["currency"], "currency")
    taken_by = books.customer_numbers.get(values.get("customerNumber", 0))
    if taken_by is not None and (now is None or taken_by != now["id"]):
        raise invalid("customerNumber", "Kundenummeret er i bruk.")
    return values


def _address(books: Books, said: Said, field: str, now: Link | None) -> Link:
    _check_names("address", said, field)
    values = {name: value for name, value in said.items() if name not in {"id", "version", "url"}}
    if values.get("country") is not None:
        values["country"] = _link(books, "country", values["country"], f"{field}.country")
    if now is None:
        return Link("address", books.add("address", **values)["id"])
    books.touch(books.find(now), **values)
    return now


def _empty_texts(books: Books, type: str) -> dict[str, str]:
    return dict.fromkeys(_TEXTS[type], "") if books.rules.empty_texts else {}


def _check_names(type: str, said: Any, path: str) -> None:
    if not isinstance(said, Mapping):
        raise SandboxError(422, 16000, "Feil i forespørselen.", (path or type, "Et objekt var ventet."))
    for name in said:
        if name not in _WRITABLE[type]:
            where = f"{path}.{name}" if path else name
            raise SandboxError(422, 16000, "Feil i forespørselen.", (where, "Feltet finnes ikke i objektet."))


def _link(books: Books, type: str, said: Any, field: str) -> Link:
    id = said.get("id") if isinstance(said, Mapping) else None
    if not isinstance(id, int) or isinstance(id, bool):
        raise invalid(f"{field}.id", "Kan ikke være null.")
    if id not in books.things.get(type, {}):
        raise invalid(f"{field}.id", f"Finner ikke {type} med id {id}.")
    return Link(type, id)


def text(value: Any, field: str) -> str:
    """A text, or 422/16000."""
    if not isinstance(value, str):
        raise SandboxError(422, 16000, "Feil i forespørselen.", (field, "En tekst var ventet."))
    return value


def whole(value: Any, field: str) -> int:
    """A whole number, or 422/16000."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise SandboxError(422, 16000, "Feil i forespørselen.", (field, "Et heltall var ventet."))
    return value


def amount(value: Any, field: str, decimals: int) -> Decimal:
    """A number with no more decimals than may be, or 422."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise SandboxError(422, 16000, "Feil i forespørselen.", (field, "Et tall var ventet."))
    number = Decimal(value)
    if number != round(number, decimals):
        raise invalid(field, f"Maks {decimals} desimaler.")
    return number


def day(value: Any, field: str) -> date:
    """`YYYY-MM-DD`, or 422."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise invalid(field, "Feil format på dato.")
