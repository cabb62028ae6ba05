"""The registers' calls: find, one, create, change, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adapters.accounting.tripletex.sandbox import forms, registers
from adapters.accounting.tripletex.sandbox.registers import REGISTERS
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.things import SandboxError, Thing

Search = Callable[[Call, Iterable[Thing]], Iterable[Thing]]


def register(
    type: str, path: str, query: str, search: Search, *, find: str | None = None, methods: str = "POST PUT DELETE"
) -> None:
    """The calls of one register; `find`: where its list lives, if not at `path`."""
    of = REGISTERS[type]

    @route("GET", find or path, f"{query} {PAGING}")
    def many(call: Call) -> Reply:
        return call.many(search(call, call.books.all(type)))

    @route("GET", path + "/{id}", "fields")
    def one(call: Call) -> Reply:
        return call.one(call.target(type))

    if "POST" in methods:

        @route("POST", path)
        def create(call: Call) -> Reply:
            call.module(of.module)
            return call.one(registers.create(call.books, of, call.body), 201)

    if "PUT" in methods:

        @route("PUT", path + "/{id}")
        def change(call: Call) -> Reply:
            call.module(of.module)
            call.target(type)
            return call.one(registers.change(call.books, of, call.id, call.body))

    if "DELETE" in methods:

        @route("DELETE", path + "/{id}")
        def delete(call: Call) -> Reply:
            call.module(of.module)
            call.target(type)
            registers.delete(call.books, of, call.id)
            return Reply(204, None)


def several(path: str, type: str, methods: str = "POST PUT") -> None:
    """`/list`: several at once, all or none."""
    of = REGISTERS[type]

    def each(call: Call) -> list[Any]:
        call.module(of.module)
        if not isinstance(call.body, list):
            raise forms.wrong("", "En liste var ventet.")
        return call.body

    if "POST" in methods:

        @route("POST", path)
        def create(call: Call) -> Reply:
            made: list[Thing] = []
            try:
                made.extend(registers.create(call.books, of, said) for said in each(call))
            except SandboxError:
                for thing in made:
                    registers.delete(call.books, of, thing["id"])
                raise
            return call.many(made, 201)

    if "PUT" in methods:

        @route("PUT", path)
        def change(call: Call) -> Reply:
            given = each(call)
            return call.many([registers.change(call.books, of, forms.whole((said or {}).get("id"), "id"), said)
                              for said in given])  # fmt: skip


def _inactive(call: Call, things: Iterable[Thing], *, default: bool | None) -> Iterable[Thing]:
    """Those that are inactive or not, as asked; `default`: what nothing said means (None: both)."""
    if not call.query.get("isInactive") and default is None:
        return things
    wanted = call.flag("isInactive", bool(default))
    return (one for one in things if one["isInactive"] == wanted)


def _customers(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    """Customers; without `isInactive` the active ones only. `changedSince` is Norwegian wall time."""
    found = call.matching(_inactive(call, found, default=False), customerAccountNumber="customerNumber",
                          organizationNumber="organizationNumber", email="email", invoiceEmail="invoiceEmail",
                          phoneNumberMobile="phoneNumberMobile")  # fmt: skip
    return call.changed(call.containing(found, customerName="name"))


def _suppliers(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    found = call.matching(_inactive(call, found, default=False), supplierNumber="supplierNumber",
                          organizationNumber="organizationNumber", email="email",
                          invoiceEmail="invoiceEmail", showProducts="showProducts")  # fmt: skip
    return call.changed(found)


def _products(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    active = _inactive(call, found, default=None)
    found = call.matching(active, number="number", productNumber="number", ean="ean", isStockItem="isStockItem",
                          supplierId="supplier", currencyId="currency", vatTypeId="vatType",
                          productUnitId="productUnit", departmentId="department", accountId="account")  # fmt: skip
    return call.containing(found, name="name")


def _departments(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    found = call.matching(_inactive(call, found, default=None), departmentManagerId="departmentManager")
    return call.containing(found, name="name", departmentNumber="departmentNumber")


def _projects(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    if "PROJECT" not in call.books.rules.modules:
        return []
    found = call.matching(found, number="number", isOffer="isOffer", projectManagerId="projectManager",
                          departmentId="department", isClosed="isClosed", isFixedPrice="isFixedPrice",
                          customerId="customer")  # fmt: skip
    found = call.between(found, "startDate", "startDateFrom", "startDateTo")
    return call.containing(found, name="name", externalAccountsNumber="externalAccountsNumber")


def _contacts(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    found = call.matching(found, customerId="customer", departmentId="department")
    return call.containing(found, firstName="firstName", lastName="lastName", email="email")


def _dimensions(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    """Free dimensions or their values; none where the package has no free dimensions."""
    if "PRO" not in call.books.rules.modules:
        return []
    found = call.matching(found, dimensionIndex="dimensionIndex", showInVoucherRegistration="showInVoucherRegistration")
    return (one for one in found if one["active"]) if call.flag("activeOnly", False) else found


def _payment_types_out(call: Call, found: Iterable[Thing]) -> Iterable[Thing]:
    return call.containing(_inactive(call, found, default=None), description="description")


register("customer", "/customer",
         "id customerAccountNumber organizationNumber email invoiceEmail customerName phoneNumberMobile isInactive "
         "changedSince", _customers)  # fmt: skip
several("/customer/list", "customer")
register("supplier", "/supplier",
         "id supplierNumber organizationNumber email invoiceEmail isInactive changedSince "
         "showProducts", _suppliers)  # fmt: skip
several("/supplier/list", "supplier")
register("contact", "/contact", "id firstName lastName email customerId departmentId", _contacts, methods="POST PUT")
register("product", "/product",
         "number ids productNumber name ean isInactive isStockItem supplierId currencyId vatTypeId productUnitId "
         "departmentId accountId", _products)  # fmt: skip
several("/product/list", "product")
register("department", "/department", "id name departmentNumber departmentManagerId isInactive", _departments)
several("/department/list", "department")
register("project", "/project",
         "id name number isOffer projectManagerId departmentId startDateFrom startDateTo isClosed isFixedPrice "
         "customerId externalAccountsNumber", _projects)  # fmt: skip
register("accountingDimensionName", "/ledger/accountingDimensionName", "activeOnly", _dimensions)
register("accountingDimensionValue", "/ledger/accountingDimensionValue",
         "dimensionIndex activeOnly showInVoucherRegistration", _dimensions,
         find="/ledger/accountingDimensionValue/search", methods="POST DELETE")  # fmt: skip
several("/ledger/accountingDimensionValue/list", "accountingDimensionValue", "PUT")
register("paymentTypeOut", "/ledger/paymentTypeOut", "id description isInactive", _payment_types_out)


@route("GET", "/ledger/accountingDimensionName/search", f"dimensionIndex activeOnly {PAGING}")
def dimension_names(call: Call) -> Reply:
    """The free dimensions."""
    return call.many(_dimensions(call, call.books.all("accountingDimensionName")))


@route("GET", "/product/unit", f"id name nameShort commonCode {PAGING}")
def product_units(call: Call) -> Reply:
    """The units of products."""
    units = call.books.all("productUnit")
    return call.many(call.matching(units, name="name", nameShort="nameShort", commonCode="commonCode"))


@route("GET", "/product/unit/{id}", "fields")
def product_unit(call: Call) -> Reply:
    """One unit."""
    return call.one(call.target("productUnit"))
