"""Purchases. They cannot be asked for by what was changed, nor by the supplier or his number."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox import purchases as buying
from adapters.accounting.fiken.sandbox.errors import invalid, missing
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes
from adapters.accounting.fiken.sandbox.store import Thing


@route("GET", "/purchases", f"{PAGING} {days('date', 'settledDate')} sortBy paid")
def purchases(call: Call) -> Reply:
    """Purchases, the oldest first; those that were taken back are among them."""
    order = call.query.get("sortBy", "date asc")
    if order not in ("date asc", "date desc"):
        raise invalid(f"Ugyldig sortBy: {order}")
    found = call.dated(call.books.all("purchase"), date="date", settledDate="settledDate")
    found = sorted(call.equal(found, paid="settled"), key=lambda one: one["date"], reverse=order == "date desc")
    return call.page(found, Shapes(call.books, call.base).purchase)


@route("POST", "/purchases")
def add_purchase(call: Call) -> Reply:
    """A purchase; the same number of the same supplier may be there already."""
    return call.made("/purchases", buying.book(call.books, forms.read(call.body, forms.PURCHASE))["_id"])


@route("GET", "/purchases/{id}")
def purchase(call: Call) -> Reply:
    """One purchase."""
    return Reply(200, Shapes(call.books, call.base).purchase(_purchase(call)))


@route("PATCH", "/purchases/{id}/delete", "description")
def delete_purchase(call: Call) -> Reply:
    """It is reversed, and says so."""
    if not call.query.get("description"):
        raise invalid("description må fylles ut")
    buying.take_back(call.books, _purchase(call))
    return Reply(200, Shapes(call.books, call.base).purchase(_purchase(call)))


@route("GET", "/purchases/{id}/payments")
def payments(call: Call) -> Reply:
    """All payments of a purchase; they have no pages."""
    shapes = Shapes(call.books, call.base)
    return Reply(200, [shapes.payment(one) for one in buying.payments(call.books, _purchase(call))])


@route("POST", "/purchases/{id}/payments")
def pay(call: Call) -> Reply:
    """A payment; as much as is said, whatever is open."""
    made = buying.pay(call.books, _purchase(call), forms.read(call.body, forms.PAYMENT))
    return call.made(f"/purchases/{call.ids[0]}/payments", made["_id"])


@route("GET", "/purchases/{id}/payments/{id}")
def payment(call: Call) -> Reply:
    """One payment of a purchase."""
    for one in buying.payments(call.books, _purchase(call)):
        if one["_id"] == call.ids[1]:
            return Reply(200, Shapes(call.books, call.base).payment(one))
    raise missing("Betalingen")


def _purchase(call: Call) -> Thing:
    return call.books.find("purchase", call.ids[0])
