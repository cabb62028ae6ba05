"""The things in the sandbox's books: how they refer to each other, and how `fields` shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Link(NamedTuple):
    """A reference from one thing to another; shown as `{id, url}` unless `fields` names what is wanted of it."""

    type: str
    id: int


class Thing(dict[str, Any]):
    """One thing, by the vendor's field names; names that begin with `_` are the sandbox's own."""

    type: str

    def __init__(self, type: str, /, **values: Any) -> None:
        super().__init__(values)
        self.type = type


class SandboxError(Exception):
    """An answer in the shape of Tripletex' error body."""

    def __init__(self, status: int, code: int, message: str, *problems: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.problems = status, code, message, problems

    def body(self, request_id: str) -> dict[str, Any]:
        """As on the wire."""
        return {
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "link": "https://tripletex.no/v2-docs/",
            "developerMessage": None,
            "validationMessages": [
                {"field": field or None, "message": message, "path": field or None, "rootId": None}
                for field, message in self.problems
            ],
            "requestId": request_id,
        }


def invalid(field: str, message: str) -> SandboxError:
    """422: what was sent is not accepted."""
    return SandboxError(422, 18000, "Validering feilet.", (field, message))


_OWN = "id version url changes "
FIELDS: Mapping[str, tuple[str, ...]] = {
    type: tuple(((_OWN if type != "whoAmI" else "") + names).split())
    for type, names in {
        "customer": "name organizationNumber customerNumber supplierNumber isSupplier isCustomer isInactive email "
        "invoiceEmail overdueNoticeEmail phoneNumber phoneNumberMobile description language displayName "
        "isPrivateIndividual singleCustomerInvoice invoiceSendMethod postalAddress physicalAddress deliveryAddress "
        "invoicesDueIn invoicesDueInType currency discountPercentage website",
        "address": "addressLine1 addressLine2 postalCode city country displayName addressAsString",
        "order": "customer number reference receiverEmail orderDate deliveryDate deliveryComment invoiceComment "
        "currency invoicesDueIn invoicesDueInType isShowOpenPostsOnInvoices isClosed isPrioritizeAmountsIncludingVat "
        "orderLines isSubscription preliminaryInvoice displayName customerName status discountPercentage",
        "orderLine": "product description displayName count unitPriceExcludingVatCurrency "
        "unitPriceIncludingVatCurrency currency discount vatType amountExcludingVatCurrency "
        "amountIncludingVatCurrency order sortIndex isCharged",
        "invoice": "invoiceNumber invoiceDate customer creditedInvoice isCredited invoiceDueDate kid invoiceComment "
        "comment orders orderLines voucher deliveryDate amount amountCurrency amountExcludingVat "
        "amountExcludingVatCurrency amountRoundoff amountRoundoffCurrency amountOutstanding "
        "amountCurrencyOutstanding amountOutstandingTotal amountCurrencyOutstandingTotal currency isCreditNote "
        "isCharged isApproved postings ehfSendStatus",
        "voucher": "date number tempNumber year description voucherType reverseVoucher postings externalVoucherNumber "
        "displayName numberAsString",
        "posting": "voucher date description account customer supplier vatType amount amountCurrency amountGross "
        "amountGrossCurrency currency closeGroup invoiceNumber termOfPayment row type externalRef systemGenerated "
        "matched",
        "closeGroup": "date postings",
        "account": "number name type vatType vatLocked currency isBankAccount isInvoiceAccount bankAccountNumber "
        "isInactive displayName",
        "vatType": "name number displayName percentage deductionPercentage parentType",
        "paymentType": "description displayName debitAccount creditAccount vatType sequence currencyId currencyCode",
        "currency": "code description factor displayName isDisabled",
        "country": "name displayName isoAlpha2Code isoAlpha3Code isoNumericCode",
        "company": "name displayName organizationNumber email phoneNumber currency type",
        "whoAmI": "employeeId actualEmployeeId companyId company language loggedInWithConnect employeeIsProxy",
    }.items()
}
"""What the sandbox knows of each type; every name is Tripletex' own."""

PATHS = {
    "customer": "customer",
    "order": "order",
    "orderLine": "order/orderline",
    "invoice": "invoice",
    "voucher": "ledger/voucher",
    "posting": "ledger/posting",
    "closeGroup": "ledger/closeGroup",
    "account": "ledger/account",
    "vatType": "ledger/vatType",
    "paymentType": "invoice/paymentType",
    "currency": "currency",
    "country": "country",
    "company": "company",
    "address": "deliveryAddress",
}

Tree = dict[str, Any]
"""A parsed `fields`: name to subtree (empty: as it comes)."""

_WORD = re.compile(r"[A-Za-z0-9_*]+")


def parse_fields(text: str) -> Tree:
    """`id,customer(id,name)` as a tree; empty text means `*`."""
    tree, rest = _parse(text or "*", 0)
    if rest != len(text or "*"):
        raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", f"Uventet tegn på plass {rest}."))
    return tree


def _parse(text: str, at: int) -> tuple[Tree, int]:
    tree: Tree = {}
    while True:
        word = _WORD.match(text, at)
        if not word:
            raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", f"Uventet tegn på plass {at}."))
        at = word.end()
        tree[word[0]] = {}
        if text[at : at + 1] == "(":
            tree[word[0]], at = _parse(text, at + 1)
            if text[at : at + 1] != ")":
                raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", "Mangler )."))
            at += 1
        if text[at : at + 1] != ",":
            return tree, at
        at += 1


Find = Callable[[Link], Thing]


def show(thing: Thing, tree: Tree, find: Find, host: str) -> dict[str, Any]:
    """The thing as an answer carries it. Raises `SandboxError` (400) for a field that does not exist."""
    known = FIELDS[thing.type]
    names = [name for name in tree if name != "*"]
    for name in names:
        if name not in known:
            said = f"{name} finnes ikke i {thing.type}."
            raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", said))
    if "*" in tree:
        names += [name for name in known if name not in tree and name != "changes"]
    shown: dict[str, Any] = {}
    for name in names:
        if name == "url":
            shown[name] = _url(host, thing.type, thing["id"])
            continue
        value = thing.get(name)
        if callable(value):
            value = value()
        if value is None:
            continue
        if isinstance(value, Link):
            value = _linked(value, tree.get(name), find, host)
        elif isinstance(value, list) and value and isinstance(value[0], Link):
            value = [_linked(link, tree.get(name), find, host) for link in value]
        shown[name] = value
    return shown


def _linked(link: Link, tree: Tree | None, find: Find, host: str) -> dict[str, Any]:
    if tree:
        return show(find(link), tree, find, host)
    return {"id": link.id, "url": _url(host, link.type, link.id)}


def _url(host: str, type: str, id: int) -> str:
    return f"{host}/{PATHS.get(type, type)}/{id}"
