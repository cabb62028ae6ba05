"""Purchases. They cannot be asked for by what was changed."""

from __future__ import annotations

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes


@route("GET", "/purchases", f"{PAGING} {days('date', 'settledDate')} sortBy paid")
def purchases(call: Call) -> Reply:
    """Purchases."""
    found = call.dated(call.books.all("purchase"), date="date", settledDate="settledDate")
    return call.page(call.equal(found, paid="paid"), Shapes(call.books, call.base).purchase)


@route("POST", "/purchases")
def add_purchase(call: Call) -> Reply:
    """A purchase; the same number of the same supplier may be there already."""
    return call.made("/purchases", call.books.purchase(forms.read(call.body, forms.PURCHASE))["_id"])


@route("GET", "/purchases/{id}")
def purchase(call: Call) -> Reply:
    """One purchase."""
    return Reply(200, Shapes(call.books, call.base).purchase(call.books.find("purchase", call.ids[0])))
