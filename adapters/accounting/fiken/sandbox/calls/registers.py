"""Contacts, products, projects, accounts and bank accounts."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes
from adapters.accounting.fiken.sandbox.store import Thing

KNOWN_BY = (
    "supplierNumber customerNumber memberNumber memberNumberString name organizationNumber email customer supplier"
    " inactive group sortBy phoneNumber"
)


@route("GET", "/contacts", f"{PAGING} {days('lastModified', 'createdDate')} {KNOWN_BY}")
def contacts(call: Call) -> Reply:
    """Contacts, by what is known of them."""
    found = call.dated(call.books.all("contact"), lastModified="lastModifiedDate", createdDate="createdDate")
    found = call.equal(found, customerNumber="customerNumber", supplierNumber="supplierNumber",
                       memberNumberString="memberNumberString", organizationNumber="organizationNumber",
                       email="email", phoneNumber="phoneNumber", inactive="inactive")  # fmt: skip
    found = call.containing(found, name="name")
    for role in ("customer", "supplier"):
        wanted = call.flag(role)
        found = [one for one in found if wanted is None or bool(one.get(role)) == wanted]
    return call.page(found, Shapes(call.books, call.base).contact)


@route("POST", "/contacts")
def add_contact(call: Call) -> Reply:
    """A new contact; organisation numbers are not kept unique."""
    made = call.books.add_contact(_contact(call))
    return call.made("/contacts", made["_id"])


@route("GET", "/contacts/{id}")
def contact(call: Call) -> Reply:
    """One contact."""
    return Reply(200, Shapes(call.books, call.base).contact(call.books.find("contact", call.ids[0])))


@route("PUT", "/contacts/{id}")
def change_contact(call: Call) -> Reply:
    """The whole contact anew: what is not said is gone, but for what nobody can read."""
    there, said = call.books.find("contact", call.ids[0]), _contact(call)
    kept = {*_OURS, *(() if call.books.rules.shows_all else forms.WRITE_ONLY)}
    for name in [name for name in there if name[0] != "_" and name in forms.CONTACT and name not in kept]:
        del there[name]
    call.books.touch(there, **{"inactive": False, **said})
    call.books.in_role(there)
    return call.made("/contacts", there["_id"], 200)


@route("DELETE", "/contacts/{id}")
def remove_contact(call: Call) -> Reply:
    """What is used anywhere is deactivated, and the rest is gone."""
    there = call.books.find("contact", call.ids[0])
    kept = [*call.books.all("sale"), *call.books.all("purchase")]
    if any(there["_id"] in (one.get("_customer"), one.get("_supplier")) for one in kept):
        call.books.touch(there, inactive=True)
        return Reply(200, Shapes(call.books, call.base).contact(there))
    call.books.remove("contact", there["_id"])
    return Reply(204)


_OURS = ("contactId", "createdDate", "lastModifiedDate", "customerNumber", "customerAccountCode", "supplierNumber",
         "supplierAccountCode", "notes", "documents")  # fmt: skip


def _contact(call: Call) -> Thing:
    said = forms.read(call.body, forms.CONTACT)
    if "address" in said:
        said["address"] = forms.read(said["address"], forms.ADDRESS, "address.")
    if "contactPerson" in said:
        said["contactPerson"] = [forms.read(one, forms.PERSON, "contactPerson.") for one in said["contactPerson"]]
    return {name: value for name, value in said.items() if name not in _OURS}


@route("GET", "/products", f"{PAGING} {days('lastModified', 'createdDate')} name productNumber active")
def products(call: Call) -> Reply:
    """Products."""
    found = call.dated(call.books.all("product"), lastModified="lastModifiedDate", createdDate="createdDate")
    found = call.equal(found, productNumber="productNumber", active="active")
    return call.page(call.containing(found, name="name"), Shapes(call.books, call.base).product)


@route("POST", "/products")
def add_product(call: Call) -> Reply:
    """A new product."""
    return call.made("/products", call.books.add("product", **_product(call))["_id"])


@route("GET", "/products/{id}")
def product(call: Call) -> Reply:
    """One product."""
    return Reply(200, Shapes(call.books, call.base).product(call.books.find("product", call.ids[0])))


@route("PUT", "/products/{id}")
def change_product(call: Call) -> Reply:
    """The whole product anew."""
    there, said = call.books.find("product", call.ids[0]), _product(call)
    for name in [name for name in there if name in forms.PRODUCT]:
        del there[name]
    call.books.touch(there, **said)
    return call.made("/products", there["_id"], 200)


def _product(call: Call) -> Thing:
    said = forms.read(call.body, forms.PRODUCT)
    call.books.sells(said["vatType"])
    call.books.account(said["incomeAccount"])
    return said


@route("GET", "/projects", f"{PAGING} completed name number")
def projects(call: Call) -> Reply:
    """Projects."""
    found = call.equal(call.books.all("project"), number="number", completed="completed")
    return call.page(call.containing(found, name="name"), Shapes(call.books, call.base).project)


@route("POST", "/projects")
def add_project(call: Call) -> Reply:
    """A new project."""
    said = {"completed": False, **forms.read(call.body, forms.PROJECT)}
    return call.made("/projects", call.books.add("project", **said)["_id"])


@route("GET", "/projects/{id}")
def project(call: Call) -> Reply:
    """One project."""
    return Reply(200, Shapes(call.books, call.base).project(call.books.find("project", call.ids[0])))


@route("PATCH", "/projects/{id}")
def change_project(call: Call) -> Reply:
    """What is said is changed."""
    there = call.books.find("project", call.ids[0])
    call.books.touch(there, **forms.read(call.body, forms.PROJECT_CHANGE))
    return call.made("/projects", there["_id"])


@route("GET", "/accounts", f"{PAGING} fromAccount toAccount range")
def accounts(call: Call) -> Reply:
    """The chart of accounts of the present year: what is switched on."""
    rows = [{"code": code, "name": name} for code, name in sorted(call.books.accounts.items())
            if code not in call.books.rules.inactive_accounts]  # fmt: skip
    rows += [{"code": one["accountCode"], "name": one["name"]} for one in call.books.all("bankAccount")]
    low, high = call.query.get("fromAccount", "0"), call.query.get("toAccount", "99999")
    rows = [row for row in rows if low <= row["code"].partition(":")[0] <= high]
    if asked := call.query.get("range"):
        spans = [part.strip().partition("-") for part in asked.split(",")]
        rows = [row for row in rows if any(a <= row["code"].partition(":")[0] <= (b or a) for a, _, b in spans)]
    return call.page(rows, dict)


@route("GET", "/accountBalances", f"{PAGING} fromAccount toAccount date")
def balances(call: Call) -> Reply:
    """What stands on each account that has moved, those of customers and suppliers one by one."""
    if "date" not in call.query:
        raise invalid("date må fylles ut")
    low, high = call.query.get("fromAccount", "0"), call.query.get("toAccount", "99999")
    codes = sorted({code for voucher in call.books.vouchers for code, _ in voucher})
    rows = [{"code": code, "name": code, "balance": call.books.balance(code)} for code in codes
            if low <= code.partition(":")[0] <= high]  # fmt: skip
    return call.page(rows, dict)


@route("GET", "/bankAccounts", f"{PAGING} inactive")
def bank_accounts(call: Call) -> Reply:
    """Bank accounts."""
    found = call.equal(call.books.all("bankAccount"), inactive="inactive")
    return call.page(found, Shapes(call.books, call.base).bank_account)
