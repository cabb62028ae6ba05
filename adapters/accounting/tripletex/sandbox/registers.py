"""The registers: customers, suppliers, contacts, products, projects, departments, free dimensions, accounts.

One way to make, change and delete a record; what each register demands of it beyond that is said in `REGISTERS`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.fields import ADDRESSES, FIELDS
from adapters.accounting.tripletex.sandbox.forms import Said
from adapters.accounting.tripletex.sandbox.orders import create_order
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid

__all__ = ["REGISTERS", "Register", "change", "change_customer", "create", "create_customer", "create_order",
           "delete", "delete_customer"]  # fmt: skip

Values = dict[str, Any]
_ROW = {"id", "version", "url"}
_NEVER_WRITTEN = {"changes", "displayName", "displayNameShort", "addressAsString", "customerName", "displayNumber"}
_SEND_METHODS = {"EMAIL", "EHF", "EFAKTURA", "AVTALEGIRO", "VIPPS", "PAPER", "MANUAL"}
_PARTY_TEXTS = ("organizationNumber", "email", "invoiceEmail", "phoneNumber", "phoneNumberMobile", "description")


@dataclass(frozen=True)
class Register:
    """What a kind of record demands.

    Args:
        type: the vendor's name of it.
        required: fields that a new record must have.
        defaults: what a new record has where nothing is said.
        texts: text fields that come as empty text when they were never filled (`Rules.empty_texts`).
        read_only: fields of it that cannot be written, besides those that never can.
        unique: fields whose value no other record may have, and the refusal.
        check: what else must hold of the values (books, values, the record as it is); may complete them.
        named: the display name of a record.
        module: the package module without which it cannot be written.
        deletable: whether it can be deleted.
    """

    type: str
    required: tuple[str, ...] = ("name",)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()
    unique: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Books, Values, Thing | None], None] | None = None
    named: Callable[[Thing], str] | None = None
    module: str | None = None
    deletable: bool = True

    def writable(self) -> frozenset[str]:
        """The fields that can be written."""
        shown_only = set() if self.type == "accountingDimensionValue" else _NEVER_WRITTEN
        return frozenset(FIELDS[self.type]) - shown_only - self.read_only


def create(books: Books, register: Register, said: Said) -> Thing:
    """A new record. Raises `SandboxError` where Tripletex would refuse."""
    values = _values(books, register, said, None)
    for name in register.required:
        if values.get(name) in (None, ""):
            raise invalid(name, "Kan ikke være null.")
    empty = dict.fromkeys(register.texts, "") if books.rules.empty_texts else {}
    values = {**empty, **register.defaults, **values}
    if register.check:
        register.check(books, values, None)
    _check_unique(books, register, values, None)
    record = books.add(register.type, **values)
    _index(books, record)
    if register.named:
        record["displayName"] = register.named(record)
    return record


def change(books: Books, register: Register, id: int, said: Said) -> Thing:
    """Change what is given. An older version than the present one is 409/8000."""
    record = books.find(Link(register.type, id))
    if isinstance(said, Mapping) and said.get("version") is not None and said["version"] != record["version"]:
        raise SandboxError(409, 8000, "Objektet er endret av noen andre.", ("version", "Versjonen er ikke den siste."))
    values = _values(books, register, said, record)
    for name in register.required:
        if name in values and values[name] in (None, ""):
            raise invalid(name, "Kan ikke være null.")
    if register.check:
        register.check(books, values, record)
    _check_unique(books, register, values, record)
    if register.type == "customer" and "customerNumber" in values:
        del books.customer_numbers[record["customerNumber"]]
    books.touch(record, **values)
    _index(books, record)
    return record


def delete(books: Books, register: Register, id: int) -> None:
    """Delete a record that nothing refers to."""
    record = books.find(Link(register.type, id))
    if not register.deletable or in_use(books, Link(register.type, id)):
        raise invalid("id", _IN_USE.get(register.type, "Objektet er i bruk og kan ikke slettes."))
    if register.type == "customer":
        del books.customer_numbers[record["customerNumber"]]
    if register.type == "accountingDimensionName":
        for value in list(books.things.get("accountingDimensionValue", {}).values()):
            if value["dimensionIndex"] == record["dimensionIndex"]:
                books.remove(value)
    books.remove(record)


def in_use(books: Books, to: Link) -> bool:
    """Whether anything refers to a record; a free dimension is in use once a row has one of its values."""
    if to.type == "accountingDimensionName":
        name = f"freeAccountingDimension{books.find(to)['dimensionIndex']}"
        return any(row.get(name) for row in books.things.get("posting", {}).values())
    return any(
        value == to or (isinstance(value, list) and to in value)
        for things in books.things.values()
        for thing in things.values()
        for value in thing.values()
    )


_IN_USE = {
    "customer": "Kunden er i bruk og kan ikke slettes.",
    "supplier": "Leverandøren er i bruk og kan ikke slettes.",
}


def _index(books: Books, record: Thing) -> None:
    if record.type == "customer":
        books.customer_numbers[record["customerNumber"]] = record["id"]


def _values(books: Books, register: Register, said: Said, now: Thing | None) -> Values:
    forms.check_names(register.writable(), said, "", register.type)
    values: Values = {}
    for name, given in said.items():
        if name in _ROW:
            continue
        if name in ADDRESSES and given is not None:
            values[name] = _address(books, given, name, now.get(name) if now else None)
        elif name == "bankAccountPresentation":
            values[name] = [_bank_account(one, at) for at, one in enumerate(given or ())]
        elif name == "bankAccounts":
            values[name] = [forms.text(one, f"bankAccounts[{at}]") for at, one in enumerate(given or ())]
        elif name in ("invoiceSendMethod", "invoicesDueInType", "language"):
            values[name] = given
        else:
            values[name] = forms.value(books, name, given)
    for name in ("email", "invoiceEmail"):
        if values.get(name) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", values[name]):
            raise invalid(name, "Ugyldig e-postadresse.")
    if values.get("invoiceSendMethod") not in {None, *_SEND_METHODS}:
        raise forms.wrong("invoiceSendMethod", "Ukjent verdi.")
    return values


def _bank_account(said: Any, at: int) -> dict[str, Any]:
    path = f"bankAccountPresentation[{at}]"
    forms.check_names({"iban", "bban", "bic", "country", "provider"}, said, path, path)
    return {name: forms.text(said[name], f"{path}.{name}") for name in ("iban", "bban", "bic") if said.get(name)}


def _address(books: Books, said: Said, name: str, now: Link | None) -> Link:
    forms.check_names(frozenset(FIELDS["address"]) - _NEVER_WRITTEN, said, name, name)
    values = {key: given for key, given in said.items() if key not in _ROW}
    if values.get("country") is not None:
        values["country"] = forms.link(books, "country", values["country"], f"{name}.country")
    if now is None:
        return Link("address", books.add("address", **values)["id"])
    books.touch(books.find(now), **values)
    return now


def _check_unique(books: Books, register: Register, values: Values, now: Thing | None) -> None:
    for name, refusal in register.unique.items():
        if values.get(name) in (None, ""):
            continue
        taken: int | None
        if name == "customerNumber":
            taken = books.customer_numbers.get(values[name])
        else:
            taken = next((one["id"] for one in books.things.get(register.type, {}).values()
                          if one.get(name) == values[name]), None)  # fmt: skip
        if taken is not None and (now is None or taken != now["id"]):
            raise invalid(name, refusal)


# --- what each register demands ---------------------------------------------------------------------------------------


def _next(books: Books, type: str, name: str, first: int) -> int:
    taken = {str(one.get(name)) for one in books.things.get(type, {}).values()}
    return next(number for number in itertools.count(first + len(taken)) if str(number) not in taken)


def _now(record: Thing | None) -> Mapping[str, Any]:
    """What a record has; nothing where it is new."""
    return record or {}


def _check_customer(books: Books, values: Values, now: Thing | None) -> None:
    if now is None and values.get("customerNumber") is None:
        values["customerNumber"] = books.next_customer_number()


def _check_supplier(books: Books, values: Values, now: Thing | None) -> None:
    if now is None and values.get("supplierNumber") is None:
        values["supplierNumber"] = _next(books, "supplier", "supplierNumber", 50001)
    if "bankAccountPresentation" in values:
        values["bankAccounts"] = [one["bban"] for one in values["bankAccountPresentation"] if one.get("bban")]
    elif "bankAccounts" in values:
        values["bankAccountPresentation"] = [{"bban": number} for number in values["bankAccounts"]]


def _check_product(books: Books, values: Values, now: Thing | None) -> None:
    vat = books.vat(values.get("vatType") or _now(now).get("vatType"))
    net, gross = values.get("priceExcludingVatCurrency"), values.get("priceIncludingVatCurrency")
    if now is None and net is None and gross is None:
        net = values["priceExcludingVatCurrency"] = Decimal(0)
    if net is not None and gross is None:
        values["priceIncludingVatCurrency"] = round(net * (1 + vat["percentage"] / 100), 2)
    elif gross is not None and net is None:
        values["priceExcludingVatCurrency"] = round(gross / (1 + vat["percentage"] / 100), 2)


def _check_project(books: Books, values: Values, now: Thing | None) -> None:
    if now is None and not values.get("number"):
        values["number"] = str(_next(books, "project", "number", 1))
    start = values.get("startDate") or _now(now).get("startDate")
    if values.get("endDate") and start and values["endDate"] < start:
        raise invalid("endDate", "Sluttdato kan ikke være før startdato.")
    if values.get("customer"):
        values["customerName"] = books.find(values["customer"])["name"]


def _check_dimension(books: Books, values: Values, now: Thing | None) -> None:
    if now is None:
        taken = {one["dimensionIndex"] for one in books.things.get("accountingDimensionName", {}).values()}
        free = next((index for index in (1, 2, 3) if index not in taken), None)
        if free is None:
            raise invalid("dimensionIndex", "Det kan ikke opprettes flere enn 3 dimensjoner.")
        values["dimensionIndex"] = free


def _check_dimension_value(books: Books, values: Values, now: Thing | None) -> None:
    index = values.get("dimensionIndex", _now(now).get("dimensionIndex"))
    if now is not None and index != now["dimensionIndex"]:
        raise invalid("dimensionIndex", "Dimensjonen kan ikke endres.")
    if index not in {one["dimensionIndex"] for one in books.things.get("accountingDimensionName", {}).values()}:
        raise invalid("dimensionIndex", "Dimensjonen finnes ikke.")
    name, number = (values.get(key, _now(now).get(key)) for key in ("displayName", "number"))
    values["nameAndNumber"] = f"{number} {name}" if number else name


_PARTY: Mapping[str, Any] = {"isInactive": False, "isPrivateIndividual": False, "currency": Link("currency", 1),
                             "language": "NO"}  # fmt: skip
_PERSON = ["firstName", "lastName"]
REGISTERS: Mapping[str, Register] = {
    register.type: register
    for register in (
        Register("customer", texts=_PARTY_TEXTS, read_only=frozenset({"isCustomer"}), check=_check_customer,
                 defaults={**_PARTY, "isCustomer": True, "invoicesDueIn": 14, "invoicesDueInType": "DAYS",
                           "invoiceSendMethod": "EMAIL"},
                 unique={"customerNumber": "Kundenummeret er i bruk."},
                 named=lambda one: f"{one['name']} ({one['customerNumber']})"),
        Register("supplier", texts=_PARTY_TEXTS, read_only=frozenset({"isSupplier"}), check=_check_supplier,
                 defaults={**_PARTY, "isSupplier": True, "isCustomer": False, "bankAccounts": [],
                           "bankAccountPresentation": []},
                 unique={"supplierNumber": "Leverandørnummeret er i bruk."},
                 named=lambda one: f"{one['name']} ({one['supplierNumber']})"),
        Register("contact", required=("firstName", "lastName"), defaults={"isInactive": False},
                 named=lambda one: f"{one['firstName']} {one['lastName']}"),
        Register("product", texts=("number", "description", "ean"), read_only=frozenset({"isDeletable"}),
                 check=_check_product,
                 defaults={"isInactive": False, "isStockItem": False, "isDeletable": False,
                           "vatType": Link("vatType", 3), "currency": Link("currency", 1)},
                 unique={"number": "Produktnummeret er i bruk."}, named=lambda one: one["name"]),
        Register("department", texts=("departmentNumber",), defaults={"isInactive": False},
                 named=lambda one: f"{one.get('departmentNumber') or ''} {one['name']}".strip()),
        Register("project", required=("name", "projectManager", "startDate"), check=_check_project, module="PROJECT",
                 defaults={"isClosed": False, "isInternal": False, "isOffer": False, "isFixedPrice": False},
                 unique={"number": "Prosjektnummeret er i bruk."}, named=lambda one: f"{one['number']} {one['name']}"),
        Register("accountingDimensionName", required=("dimensionName",), read_only=frozenset({"dimensionIndex"}),
                 defaults={"active": True}, check=_check_dimension, module="PRO"),
        Register("accountingDimensionValue", required=("displayName", "dimensionIndex"), module="PRO",
                 read_only=frozenset({"nameAndNumber", "changes"}), check=_check_dimension_value,
                 defaults={"active": True, "showInVoucherRegistration": True, "position": 0}),
        Register("paymentTypeOut", required=("description", "creditAccount"), defaults={"isInactive": False},
                 read_only=frozenset({"currencyCode"})),
    )
}  # fmt: skip


def create_customer(books: Books, said: Said) -> Thing:
    """As `POST /customer`. An organisation number may occur twice, a customer number may not."""
    return create(books, REGISTERS["customer"], said)


def change_customer(books: Books, id: int, said: Said) -> Thing:
    """As `PUT /customer/{id}`: what is given changes. An older version than the present one is 409/8000."""
    return change(books, REGISTERS["customer"], id, said)


def delete_customer(books: Books, id: int) -> None:
    """As `DELETE /customer/{id}`: refused once something refers to it."""
    delete(books, REGISTERS["customer"], id)
