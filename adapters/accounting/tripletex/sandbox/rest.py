"""The calls of the sandbox: paths, parameters and answers as in Tripletex' OpenAPI document, without sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from adapters.accounting.tripletex.sandbox import lists, registers
from adapters.accounting.tripletex.sandbox.books import OSLO, Books
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid, parse_fields, show

RESULT_LIMIT = 10_000


@dataclass(slots=True)
class Call:
    """One call: what the path, the query and the body say."""

    books: Books
    base: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    id: int = 0
    limit: int = RESULT_LIMIT

    def one(self, thing: Thing, status: int = 200) -> Reply:
        """An answer with one thing: sub-objects only by id and url unless `fields` names what is wanted of them."""
        tree = parse_fields(self.query.get("fields", ""))
        return Reply(status, {"value": show(thing, tree, self.books.find, self.base)})

    def many(self, things: Iterable[Thing]) -> Reply:
        """An answer with a page of things, or 304 where the checksum that was sent still holds."""
        tree = parse_fields(self.query.get("fields", ""))
        wanted = self.query.get("id")
        if wanted:
            ids = {int(id) for id in wanted.split(",") if id.strip().isdigit()}
            things = (thing for thing in things if thing["id"] in ids)
        values, matched, start = lists.page(things, self.query, self.limit)
        known, digest = self.headers.get("if-none-match"), lists.NO_CHECKSUM
        if known is not None:
            digest = lists.checksum(values)
            if known.strip('"') == digest:
                return Reply(304, None)
        shown = [show(thing, tree, self.books.find, self.base) for thing in values]
        return Reply(200, lists.envelope(shown, matched, start, digest))

    def in_days(self, things: Iterable[Thing], field: str, first: str, last: str) -> Iterable[Thing]:
        """Those dated in [first, last): both must be said; the end is excluded."""
        start = registers.day(self.query.get(first), first).isoformat()
        end = registers.day(self.query.get(last), last).isoformat()
        if end <= start:
            raise invalid(last, "Til-dato må være etter fra-dato.")
        return (thing for thing in things if start <= thing[field] < end)

    def number(self, name: str) -> Decimal | None:
        """A query parameter as a number."""
        if self.query.get(name) in {None, ""}:
            return None
        try:
            return Decimal(self.query[name])
        except InvalidOperation:
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Et tall var ventet.")) from None

    def flag(self, name: str, default: bool) -> bool:
        """A query parameter as a truth value."""
        value = self.query.get(name)
        if value not in {None, "", "true", "false"}:
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "true eller false var ventet."))
        return default if not value else value == "true"


class Reply(NamedTuple):
    """Status and body (None: without)."""

    status: int
    body: Any


class Route(NamedTuple):
    """A call that exists: its path (`{id}` a whole number), its query parameters, what it does."""

    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    run: Callable[[Call], Reply]


ROUTES: list[Route] = []
_PAGING = "from count sorting fields"


def route(method: str, path: str, query: str = "") -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
    """Enter a call into `ROUTES`."""

    def enter(run: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        pattern = re.compile(re.escape(path).replace(r"\{id\}", r"(\d+)"))
        ROUTES.append(Route(method, pattern, frozenset(query.split()), run))
        return run

    return enter


def answer(
    books: Books, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str], base: str,
    limit: int = RESULT_LIMIT,
) -> Reply:  # fmt: skip
    """What the call says and does. Raises `SandboxError`."""
    known = False
    for entry in ROUTES:
        found = entry.path.fullmatch(path)
        if not found:
            continue
        known = True
        if entry.method != method:
            continue
        for name in query:
            if name not in entry.query:
                raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Parameteren finnes ikke."))
        call = Call(books, base, query, body, headers, limit=limit)
        if found.groups():
            call.id = int(found[1])
        for name in ("from", "count"):
            if not re.fullmatch(r"\d*", query.get(name, "")):
                raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Et heltall var ventet."))
        return entry.run(call)
    if known:
        raise SandboxError(405, 4000, "Metoden er ikke tillatt.")
    raise SandboxError(404, 6000, "Ressursen finnes ikke.")


def _matching(things: Iterable[Thing], call: Call, **fields: str) -> Iterable[Thing]:
    """Those whose fields equal the parameters given; a field may be a list of ids in the parameter."""
    loose = call.books.rules.loose_filters
    for parameter, field in fields.items():
        value = call.query.get(parameter)
        if not value:
            continue
        wanted = set(value.split(","))

        def fits(thing: Thing, field: str = field, wanted: set[str] = wanted) -> bool:
            held = thing.get(field)
            if loose and isinstance(held, str):
                return any(text in held for text in wanted)
            return str(held.id if isinstance(held, Link) else held) in wanted

        things = filter(fits, things)
    return things


# --- who and what -----------------------------------------------------------------------------------------------------


@route("GET", "/token/session/>whoAmI", "fields")
def who_am_i(call: Call) -> Reply:
    """Whose session it is."""
    company = call.books.company
    me = Thing("whoAmI", employeeId=1, companyId=company["id"], company=Link("company", company["id"]))
    return call.one(me)


@route("GET", "/company/>withLoginAccess", _PAGING)
def with_login_access(call: Call) -> Reply:
    """The companies that the employee may enter."""
    return call.many([call.books.company])


@route("GET", "/company/{id}", "fields")
def company(call: Call) -> Reply:
    """One company."""
    return call.one(call.books.find(Link("company", call.id)))


def _register(path: str, type: str, query: str, fields: Mapping[str, str]) -> None:
    """A table that is only read: its list and one of it."""

    @route("GET", path, f"id {query} {_PAGING}")
    def many(call: Call) -> Reply:
        return call.many(_matching(call.books.all(type), call, **fields))

    @route("GET", path + "/{id}", "fields")
    def one(call: Call) -> Reply:
        return call.one(call.books.find(Link(type, call.id)))


_register("/currency", "currency", "code", {"code": "code"})
_register("/country", "country", "code isDisabled", {"code": "isoAlpha2Code"})
_register("/ledger/account", "account", "number isBankAccount isInactive", {"number": "number"})


@route("GET", "/ledger/vatType", f"id number typeOfVat vatDate shouldIncludeSpecificationTypes {_PAGING}")
def vat_types(call: Call) -> Reply:
    """The VAT types; with `typeOfVat` only those that are legal for this company on `vatDate`."""
    found: Iterable[Thing] = _matching(call.books.all("vatType"), call, number="number")
    direction = call.query.get("typeOfVat")
    if direction:
        if call.query.get("vatDate"):
            registers.day(call.query["vatDate"], "vatDate")
        legal = registers.legal_vat_types(call.books)
        found = (
            vat for vat in found if vat["_direction"] == direction and (vat["id"] in legal or direction != "OUTGOING")
        )
    return call.many(found)


@route("GET", "/ledger/vatType/{id}", "fields")
def vat_type(call: Call) -> Reply:
    """One VAT type."""
    return call.one(call.books.find(Link("vatType", call.id)))


@route("GET", "/invoice/paymentType", f"id description query {_PAGING}")
def payment_types(call: Call) -> Reply:
    """The payment types; `description` and `query`: containing."""
    said = (call.query.get("description") or call.query.get("query") or "").lower()
    return call.many(one for one in call.books.all("paymentType") if said in one["description"].lower())


# --- customers --------------------------------------------------------------------------------------------------------


@route(
    "GET",
    "/customer",
    "id customerAccountNumber organizationNumber email invoiceEmail customerName phoneNumberMobile isInactive "
    f"accountManagerId changedSince {_PAGING}",
)
def customers(call: Call) -> Reply:
    """Customers; without `isInactive` the active ones only. `changedSince` is Norwegian wall time."""
    inactive = call.flag("isInactive", False)
    found: Iterable[Thing] = (one for one in call.books.all("customer") if one["isInactive"] == inactive)
    found = _matching(
        found,
        call,
        customerAccountNumber="customerNumber",
        organizationNumber="organizationNumber",
        email="email",
        invoiceEmail="invoiceEmail",
    )
    if name := call.query.get("customerName", "").lower():
        found = (one for one in found if name in one["name"].lower())
    if said := call.query.get("changedSince"):
        try:
            since = datetime.strptime(said, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=OSLO).astimezone(UTC)
        except ValueError:
            raise invalid("changedSince", "Feil format på tidspunkt.") from None
        found = (one for one in found if one["_changed"].replace(microsecond=0) >= since)
    return call.many(found)


@route("GET", "/customer/{id}", "fields")
def customer(call: Call) -> Reply:
    """One customer."""
    return call.one(call.books.find(Link("customer", call.id)))


@route("POST", "/customer")
def create_customer(call: Call) -> Reply:
    """A new customer."""
    return call.one(registers.create_customer(call.books, call.body), 201)


@route("PUT", "/customer/{id}")
def change_customer(call: Call) -> Reply:
    """Change what is given."""
    return call.one(registers.change_customer(call.books, call.id, call.body))


@route("DELETE", "/customer/{id}")
def delete_customer(call: Call) -> Reply:
    """Delete a customer that nothing refers to."""
    registers.delete_customer(call.books, call.id)
    return Reply(204, None)


# --- orders and invoices ----------------------------------------------------------------------------------------------


@route(
    "GET",
    "/order",
    f"id number customerId orderDateFrom orderDateTo deliveryComment isClosed isSubscription {_PAGING}",
)
def orders(call: Call) -> Reply:
    """Orders dated in a window."""
    found = call.in_days(call.books.all("order"), "orderDate", "orderDateFrom", "orderDateTo")
    if call.query.get("isClosed"):
        closed = call.flag("isClosed", False)
        found = (one for one in found if one["isClosed"] == closed)
    return call.many(_matching(found, call, number="number", customerId="customer"))


@route("GET", "/order/{id}", "fields")
def order(call: Call) -> Reply:
    """One order."""
    return call.one(call.books.find(Link("order", call.id)))


@route("POST", "/order")
def create_order(call: Call) -> Reply:
    """A new order with its lines."""
    return call.one(registers.create_order(call.books, call.body), 201)


def _sent(call: Call, invoice: Thing) -> None:
    """What would be mailed to the customer now: everything, unless it was said not to."""
    if call.flag("sendToCustomer", True):
        customer = call.books.find(invoice["customer"])
        how = call.query.get("sendType") or customer.get("invoiceSendMethod")
        call.books.outbox.append({"invoice": invoice["id"], "invoiceNumber": invoice["invoiceNumber"], "sendType": how})


@route(
    "PUT",
    "/order/{id}/:invoice",
    "invoiceDate sendToCustomer sendType paymentTypeId paidAmount paidAmountAccountCurrency paymentTypeIdRestAmount "
    "paidAmountAccountCurrencyRest createOnAccount amountOnAccount onAccountComment createBackorder "
    "invoiceIdIfIsCreditNote overrideEmailAddress",
)
def invoice_order(call: Call) -> Reply:
    """Number and book the order; mail it too, unless `sendToCustomer=false` says not to."""
    dated = registers.day(call.query.get("invoiceDate"), "invoiceDate")
    call.flag("sendToCustomer", True)
    made = call.books.charge(call.books.find(Link("order", call.id)), dated)
    _sent(call, made)
    return call.one(made)


@route(
    "GET",
    "/invoice",
    f"id invoiceDateFrom invoiceDateTo invoiceNumber kid voucherId customerId {_PAGING}",
)
def invoices(call: Call) -> Reply:
    """Charged invoices dated in a window."""
    charged = (one for one in call.books.all("invoice") if one["isCharged"])
    found = call.in_days(charged, "invoiceDate", "invoiceDateFrom", "invoiceDateTo")
    return call.many(
        _matching(found, call, invoiceNumber="invoiceNumber", kid="kid", voucherId="voucher", customerId="customer")
    )


@route("GET", "/invoice/{id}", "fields")
def invoice(call: Call) -> Reply:
    """One invoice."""
    return call.one(call.books.find(Link("invoice", call.id)))


@route("PUT", "/invoice/{id}/:payment", "paymentDate paymentTypeId paidAmount paidAmountCurrency")
def pay_invoice(call: Call) -> Reply:
    """Book a payment: a new one each time, whatever is open; a negative one takes back."""
    made = call.books.find(Link("invoice", call.id))
    dated = registers.day(call.query.get("paymentDate"), "paymentDate")
    how, paid, foreign = call.number("paymentTypeId"), call.number("paidAmount"), call.number("paidAmountCurrency")
    if how is None or paid is None:
        raise invalid("paymentTypeId" if how is None else "paidAmount", "Kan ikke være null.")
    if not paid:
        raise invalid("paidAmount", "Beløpet kan ikke være 0.")
    for name, value in (("paidAmount", paid), ("paidAmountCurrency", foreign)):
        if value is not None and value != round(value, 2):
            raise invalid(name, "Maks 2 desimaler.")
    if how not in call.books.things["paymentType"]:
        raise invalid("paymentTypeId", f"Finner ikke paymentType med id {how}.")
    payment_type = call.books.find(Link("paymentType", int(how)))
    currency = call.books.find(made["currency"])["code"]
    if currency != "NOK" and foreign is None:
        raise invalid("paidAmountCurrency", "Kan ikke være null.")
    in_invoice = paid if foreign is None else foreign
    in_kroner = (
        paid if payment_type["currencyCode"] == "NOK" else round(in_invoice * call.books.rate(made["currency"]), 2)
    )
    call.books.pay(dated, [(made, in_kroner, in_invoice)], payment_type["debitAccount"])
    return call.one(made)


@route("PUT", "/invoice/{id}/:createCreditNote", "date comment creditNoteEmail sendToCustomer sendType")
def credit_invoice(call: Call) -> Reply:
    """Credit the whole invoice; mail the note too, unless `sendToCustomer=false` says not to."""
    dated = registers.day(call.query.get("date"), "date")
    call.flag("sendToCustomer", True)
    note = call.books.credit(call.books.find(Link("invoice", call.id)), dated, call.query.get("comment"))
    _sent(call, note)
    return call.one(note)


# --- the ledger -------------------------------------------------------------------------------------------------------


@route(
    "GET",
    "/ledger/posting",
    "dateFrom dateTo openPostings accountId supplierId customerId employeeId departmentId projectId productId "
    f"accountNumberFrom accountNumberTo type {_PAGING}",
)
def postings(call: Call) -> Reply:
    """Postings dated in a window."""
    found = call.in_days(call.books.all("posting"), "date", "dateFrom", "dateTo")
    found = _matching(found, call, type="type", customerId="customer", accountId="account")
    first, last = call.number("accountNumberFrom"), call.number("accountNumberTo")
    if first is not None or last is not None:
        numbers = call.books.things["account"]
        low, high = first or Decimal(0), last or Decimal(9999)
        found = (one for one in found if low <= numbers[one["account"].id]["number"] <= high)
    return call.many(found)


@route("GET", "/ledger/posting/{id}", "fields")
def posting(call: Call) -> Reply:
    """One posting."""
    return call.one(call.books.find(Link("posting", call.id)))


@route("GET", "/ledger/voucher", f"id number numberFrom numberTo typeId dateFrom dateTo {_PAGING}")
def vouchers(call: Call) -> Reply:
    """Vouchers dated in a window."""
    found = call.in_days(call.books.all("voucher"), "date", "dateFrom", "dateTo")
    return call.many(_matching(found, call, number="number"))


@route("GET", "/ledger/voucher/{id}", "fields")
def voucher(call: Call) -> Reply:
    """One voucher."""
    return call.one(call.books.find(Link("voucher", call.id)))


@route("GET", "/ledger/closeGroup", f"id dateFrom dateTo {_PAGING}")
def close_groups(call: Call) -> Reply:
    """What has been matched in a window."""
    return call.many(call.in_days(call.books.all("closeGroup"), "date", "dateFrom", "dateTo"))
