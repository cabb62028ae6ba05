"""Who asks and what the company is: session, companies, employees, rights, package, currencies, countries."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapters.accounting.tripletex.sandbox.chart import ENTITLEMENTS
from adapters.accounting.tripletex.sandbox.ledger import ore
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.things import Link, Thing


@route("GET", "/token/session/>whoAmI", "fields")
def who_am_i(call: Call) -> Reply:
    """Whose session it is; an accountant in a client's books is a proxy there."""
    company = call.books.company
    me = Thing("whoAmI", employeeId=1, actualEmployeeId=1, companyId=company["id"], employee=Link("employee", 1),
               company=Link("company", company["id"]), language="no",
               employeeIsProxy=call.access.office and company["id"] != call.access.home)  # fmt: skip
    return call.one(me)


@route("GET", "/company/>withLoginAccess", PAGING)
def with_login_access(call: Call) -> Reply:
    """The companies that the employee may enter."""
    return call.many(call.companies)


@route("GET", "/company/{id}", "fields")
def company(call: Call) -> Reply:
    """One company."""
    return call.one(call.target("company"))


@route("GET", "/company/salesmodules", PAGING)
def sales_modules(call: Call) -> Reply:
    """What the package has."""
    modules = sorted(call.books.rules.modules)
    return call.many([Thing("salesModule", id=at, name=name) for at, name in enumerate(modules)])


@route("GET", "/employee/entitlement", f"employeeId {PAGING}")
def entitlements(call: Call) -> Reply:
    """The rights of the token."""
    own = call.books.company["id"]
    return call.many(
        Thing("entitlement", id=id, version=1, entitlementId=id, name=name, employee=Link("employee", 1),
              customer=Link("company", own))
        for right, (id, name) in ENTITLEMENTS.items() if right in call.access.rights
    )  # fmt: skip


def register(path: str, type: str, query: str = "", fields: Mapping[str, str] | None = None) -> None:
    """A table that is only read: its list and one of it."""

    @route("GET", path, f"id {query} {PAGING}")
    def many(call: Call) -> Reply:
        return call.many(call.matching(call.books.all(type), **(fields or {})))

    @route("GET", path + "/{id}", "fields")
    def one(call: Call) -> Reply:
        return call.one(call.target(type))


register("/currency", "currency", "code", {"code": "code"})
register("/country", "country", "code isDisabled", {"code": "isoAlpha2Code"})
register("/employee", "employee", "firstName lastName employeeNumber email",
         {name: name for name in ("firstName", "lastName", "employeeNumber", "email")})  # fmt: skip


@route("GET", "/currency/{id}/rate", "date fields")
def currency_rate(call: Call) -> Reply:
    """The ledger's own rate: kroner for one unit."""
    when, currency = call.day("date"), call.target("currency")
    return call.one(
        Thing("currencyExchangeRate", id=currency["id"], version=1, sourceCurrency=Link("currency", currency["id"]),
              targetCurrency=Link("currency", 1), rate=call.books.rates[currency["code"]], source="NORGES_BANK",
              date=when.isoformat())
    )  # fmt: skip


@route("GET", "/currency/{id}/exchangeRate", "amount date fields")
def exchanged(call: Call) -> Reply:
    """An amount in kroner, by the ledger's own rate."""
    call.day("date")
    amount = call.number("amount") or Decimal(0)
    return Reply(200, {"value": ore(amount * call.books.rates[call.target("currency")["code"]])})
