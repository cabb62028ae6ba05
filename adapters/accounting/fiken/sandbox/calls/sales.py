"""Sales, the payments of them, and invoices that were made outside Fiken."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.errors import invalid, missing
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes


@route("GET", "/sales", f"{PAGING} {days('date', 'lastModified')} saleNumber settled contactId")
def sales(call: Call) -> Reply:
    """Sales: of invoices, and those that were invoiced elsewhere."""
    found = call.dated(call.books.all("sale"), date="date", lastModified="lastModifiedDate")
    found = call.equal(found, saleNumber="saleNumber", settled="settled", contactId="_customer")
    return call.page(found, Shapes(call.books, call.base).sale)


@route("POST", "/sales")
def add_sale(call: Call) -> Reply:
    """A sale whose document was made outside Fiken; the same number may be there already."""
    said = forms.read(call.body, forms.SALE)
    if said["kind"] == "external_invoice" and said["paid"]:
        raise invalid("paid må være false")
    return call.made("/sales", call.books.external_sale(said)["_id"])


@route("GET", "/sales/{id}")
def sale(call: Call) -> Reply:
    """One sale."""
    return Reply(200, Shapes(call.books, call.base).sale(call.books.find("sale", call.ids[0])))


@route("PATCH", "/sales/{id}/writeOff")
def write_off(call: Call) -> Reply:
    """What is open of it is lost."""
    said = forms.read(call.body, forms.WRITE_OFF)
    there = call.books.find("sale", call.ids[0])
    if said["date"] <= there["date"]:
        raise invalid("date må være etter salgsdatoen")
    call.books.write_off(there, said["date"])
    return Reply(200, Shapes(call.books, call.base).sale(there))


@route("PATCH", "/sales/{id}/delete", "description")
def delete_sale(call: Call) -> Reply:
    """It is reversed, and says so."""
    if not call.query.get("description"):
        raise invalid("description må fylles ut")
    there = call.books.find("sale", call.ids[0])
    call.books.touch(there, deleted=True)
    return Reply(200, Shapes(call.books, call.base).sale(there))


@route("GET", "/sales/{id}/payments")
def payments(call: Call) -> Reply:
    """All payments of a sale; they have no pages."""
    shapes = Shapes(call.books, call.base)
    return Reply(200, [shapes.payment(one) for one in call.books.payments(call.books.find("sale", call.ids[0]))])


@route("POST", "/sales/{id}/payments")
def pay(call: Call) -> Reply:
    """A payment; as much as is said, whatever is open."""
    there, said = call.books.find("sale", call.ids[0]), forms.read(call.body, forms.PAYMENT)
    currency = said.get("currency", "NOK")
    if currency != there["currency"]:
        raise invalid(f"currency må være {there['currency']}")
    if said["amount"] <= 0:
        raise invalid("amount må være større enn 0")
    made = call.books.pay(there, said["date"], said["account"], said["amount"], fee=said.get("fee", 0),
                          in_nok=said.get("amountInNok"))  # fmt: skip
    return call.made(f"/sales/{there['_id']}/payments", made["_id"])


@route("GET", "/sales/{id}/payments/{id}")
def payment(call: Call) -> Reply:
    """One payment of a sale."""
    there, id = call.books.find("sale", call.ids[0]), call.ids[1]
    for one in call.books.payments(there):
        if one["_id"] == id:
            return Reply(200, Shapes(call.books, call.base).payment(one))
    raise missing("Betalingen")
