"""The ledger as it is read: accounts, VAT types, postings, open posts, close groups, periods; and closing postings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from adapters.accounting.tripletex.sandbox import forms, lists
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.things import Link, Thing, invalid

_POSTING = ("accountId supplierId customerId employeeId departmentId projectId productId accountNumberFrom "
            "accountNumberTo accountingDimensionValue1Id accountingDimensionValue2Id "
            "accountingDimensionValue3Id")  # fmt: skip

# --- accounts and VAT -------------------------------------------------------------------------------------------------


@route("GET", "/ledger/account",
       "id number isBankAccount isInactive isApplicableForSupplierInvoice ledgerType isBalanceAccount "
       f"{PAGING}")  # fmt: skip
def accounts(call: Call) -> Reply:
    """The chart of accounts."""
    found = call.matching(call.books.all("account"), number="number", isBankAccount="isBankAccount",
                          isInactive="isInactive", ledgerType="ledgerType",
                          isApplicableForSupplierInvoice="isApplicableForSupplierInvoice")  # fmt: skip
    if call.query.get("isBalanceAccount"):
        balance = call.flag("isBalanceAccount", True)
        found = (one for one in found if (one["number"] < 3000) == balance)
    return call.many(found)


@route("GET", "/ledger/account/{id}", "fields")
def account(call: Call) -> Reply:
    """One account."""
    return call.one(call.target("account"))


@route("POST", "/ledger/account")
def create_account(call: Call) -> Reply:
    """A new account: its number and name, and what it demands."""
    known = {"number", "name", "vatType", "vatLocked", "requiresDepartment", "requiresProject", "description",
             "isBankAccount", "bankAccountNumber", "isInactive"}  # fmt: skip
    said = call.body
    forms.check_names(known, said, "", "account")
    number = forms.whole(said.get("number"), "number")
    if any(one["number"] == number for one in call.books.all("account")):
        raise invalid("number", "Kontonummeret er i bruk.")
    if not said.get("name"):
        raise invalid("name", "Kan ikke være null.")
    more = {name: forms.value(call.books, name, said[name]) for name in known & set(said) - {"number", "name"}}
    return call.one(call.books.add_account(number, forms.text(said["name"], "name"), **more), 201)


@route("PUT", "/ledger/account/{id}")
def change_account(call: Call) -> Reply:
    """Change what is given."""
    known = {"id", "version", "url", "name", "vatType", "vatLocked", "requiresDepartment", "requiresProject",
             "description", "isInactive", "bankAccountNumber"}  # fmt: skip
    forms.check_names(known, call.body, "", "account")
    changes = {name: forms.value(call.books, name, given) for name, given in call.body.items()
               if name not in {"id", "version", "url"}}  # fmt: skip
    found = call.target("account")
    call.books.touch(found, **changes)
    return call.one(found)


@route("GET", "/ledger/vatType", f"id number typeOfVat vatDate shouldIncludeSpecificationTypes {PAGING}")
def vat_types(call: Call) -> Reply:
    """The VAT types; with `typeOfVat` only those that are legal for this company on `vatDate`."""
    found = call.matching(call.books.all("vatType"), number="number")
    direction = call.choice("typeOfVat", {"OUTGOING", "INCOMING", "INCOMING_INVOICE", "PROJECT", "LEDGER"})
    if direction:
        if call.query.get("vatDate"):
            call.day("vatDate")
        legal = call.books.legal_vat_types()
        wanted = {"INCOMING_INVOICE": "INCOMING", "PROJECT": "OUTGOING"}.get(direction, direction)
        found = (
            vat
            for vat in found
            if (wanted == "LEDGER" or vat["_direction"] == wanted)
            and (vat["id"] in legal or vat["_direction"] != "OUTGOING")
        )
    return call.many(found)


@route("GET", "/ledger/vatType/{id}", "fields")
def vat_type(call: Call) -> Reply:
    """One VAT type."""
    return call.one(call.target("vatType"))


@route("GET", "/ledger/vatSettings", "fields")
def vat_settings(call: Call) -> Reply:
    """Whether the company is in the VAT register."""
    settings = next(call.books.all("vatSettings"))
    status = "VAT_REGISTERED" if call.books.rules.vat_registered else "VAT_NOT_REGISTERED"
    return call.one(Thing("vatSettings", **{**settings, "vatRegistrationStatus": status}))


# --- postings ---------------------------------------------------------------------------------------------------------


def _filtered(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    found = call.matching(
        found, type="type", customerId="customer", supplierId="supplier", accountId="account", employeeId="employee",
        departmentId="department", projectId="project", productId="product",
        accountingDimensionValue1Id="freeAccountingDimension1", accountingDimensionValue2Id="freeAccountingDimension2",
        accountingDimensionValue3Id="freeAccountingDimension3",
    )  # fmt: skip
    first, last = call.number("accountNumberFrom"), call.number("accountNumberTo")
    if first is not None or last is not None:
        numbers = call.books.things["account"]
        low, high = first or Decimal(0), last or Decimal(9999)
        found = (one for one in found if low <= numbers[one["account"].id]["number"] <= high)
    return found


@route("GET", "/ledger/posting", f"dateFrom dateTo {_POSTING} type {PAGING}")
def postings(call: Call) -> Reply:
    """Postings dated in a window."""
    return call.many(_filtered(call, call.in_days(call.books.all("posting"), "date", "dateFrom", "dateTo")))


@route("GET", "/ledger/posting/{id}", "fields")
def posting(call: Call) -> Reply:
    """One posting."""
    return call.one(call.target("posting"))


def _open(call: Call) -> Iterable[Thing]:
    """Rows of accounts that can be closed, dated before `date` (excluded), that are open now."""
    before, books = call.day("date").isoformat(), call.books
    closeable = {one["id"] for one in books.things["account"].values() if one["isCloseable"]}
    rows = (one for one in books.all("posting")
            if one["account"].id in closeable and one["date"] < before and books.is_open(one))  # fmt: skip
    return _filtered(call, rows)


@route("GET", "/ledger/posting/openPost", f"date {_POSTING} {PAGING}")
def open_posts(call: Call) -> Reply:
    """Open rows of customers and suppliers."""
    return call.many(_open(call))


@route("GET", "/ledger/openPost", f"date {_POSTING.replace('accountNumberFrom accountNumberTo ', '')} {PAGING}")
def open_posts_by_account(call: Call) -> Reply:
    """The same, summed by account."""
    groups: dict[Link, list[Thing]] = {}
    for row in _open(call):
        groups.setdefault(row["account"], []).append(row)
    sums = []
    for link, rows in groups.items():
        closing = sum((row["amount"] for row in rows), Decimal(0))
        sums.append(Thing("ledgerAccount", id=link.id, account=link, sumAmount=closing, openingBalance=Decimal(0),
                          closingBalance=closing, postings=[Link("posting", row["id"]) for row in rows]))  # fmt: skip
    return call.many(sums)


@route("GET", "/balanceSheet",
       "dateFrom dateTo accountNumberFrom accountNumberTo customerId departmentId projectId includeSubProjects "
       f"includeActiveAccountsWithoutMovements employeeId {PAGING}")  # fmt: skip
def balance_sheet(call: Call) -> Reply:
    """The balance of each account that has moved: what it came in with, what changed in the window, what it came to."""
    first, last = call.day("dateFrom").isoformat(), call.day("dateTo").isoformat()
    sums: dict[int, list[Decimal]] = {}
    for row in _between_accounts(call, _filtered(call, call.books.all("posting"))):
        if row["date"] < last:
            sums.setdefault(row["account"].id, [Decimal(0), Decimal(0)])[row["date"] >= first] += row["amount"]
    rows = [Thing("balanceSheetAccount", id=id, account=Link("account", id), balanceIn=before, balanceChange=moved,
                  balanceOut=before + moved, startDate=first, endDate=last)
            for id, (before, moved) in sums.items()]  # fmt: skip
    return call.many(rows)


def _between_accounts(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    """Of the balance sheet the end of a range of accounts is not in it."""
    end = call.number("accountNumberTo")
    numbers = call.books.things["account"]
    return (one for one in found if end is None or numbers[one["account"].id]["number"] < end)


@route("PUT", "/ledger/posting/:closePostings")
def close_postings(call: Call) -> Reply:
    """Close rows against each other: one account, one customer or supplier, together 0.

    The vendor describes messages about postings as the answer; `Rules.close_refusal` says how a refusal comes.
    """
    if not isinstance(call.body, list):
        raise forms.wrong("", "En liste var ventet.")
    ids = [forms.whole(id, "") for id in call.body]
    rows = [call.find(Link("posting", id)) for id in dict.fromkeys(ids)]
    refusal = call.books.unclosable(rows)
    if refusal is None:
        day = date.fromisoformat(max(row["date"] for row in rows))
        if sum(row["amount"] for row in rows):
            call.books.check_open(day, "date")
        call.books.close(rows, day)
        return Reply(200, lists.envelope([], 0, 0, lists.NO_CHECKSUM))
    if call.books.rules.close_refusal == "error":
        raise invalid("postings", refusal)
    said = [{"postingId": row["id"], "message": refusal} for row in rows]
    return Reply(200, lists.envelope(said, len(said), 0, lists.NO_CHECKSUM))


@route("GET", "/ledger/closeGroup", f"id dateFrom dateTo {PAGING}")
def close_groups(call: Call) -> Reply:
    """What has been matched in a window."""
    return call.many(call.in_days(call.books.all("closeGroup"), "date", "dateFrom", "dateTo"))


@route("GET", "/ledger/closeGroup/{id}", "fields")
def close_group(call: Call) -> Reply:
    """One close group."""
    return call.one(call.target("closeGroup"))


# --- periods ----------------------------------------------------------------------------------------------------------


@route("GET", "/ledger/accountingPeriod",
       f"id numberFrom numberTo startFrom startTo endFrom endTo {PAGING}")  # fmt: skip
def periods(call: Call) -> Reply:
    """Accounting periods."""
    found = call.between(call.books.accounting_periods(), "start", "startFrom", "startTo")
    found = call.between(found, "end", "endFrom", "endTo")
    first, last = call.number("numberFrom"), call.number("numberTo")
    return call.many(one for one in found if (first or 0) <= one["number"] < (last or 10**9))


@route("GET", "/ledger/accountingPeriod/{id}", "fields")
def period(call: Call) -> Reply:
    """One period."""
    call.books.accounting_periods()
    return call.one(call.target("accountingPeriod"))


@route("GET", "/ledger/annualAccount", f"id yearFrom yearTo {PAGING}")
def years(call: Call) -> Reply:
    """Accounting years."""
    first, last = call.number("yearFrom"), call.number("yearTo")
    found = call.books.annual_accounts()
    return call.many(one for one in found if (first or 0) <= one["year"] < (last or 10**9))


@route("GET", "/ledger/annualAccount/{id}", "fields")
def year(call: Call) -> Reply:
    """One year."""
    call.books.annual_accounts()
    return call.one(call.target("annualAccount"))
