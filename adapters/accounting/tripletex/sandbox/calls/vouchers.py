"""Vouchers: made, found, changed, sent to the ledger, reversed; their documents; the reception."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.accounting.tripletex.sandbox import forms, uploads, vouchers
from adapters.accounting.tripletex.sandbox.calls.documents import content
from adapters.accounting.tripletex.sandbox.ehf import read_ehf
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.store import today
from adapters.accounting.tripletex.sandbox.things import Thing, invalid
from adapters.loopback import Upload


def _in_state(call: Call, *states: str) -> Iterable[Thing]:
    return (one for one in call.books.all("voucher") if one["_state"] in states)


def _same_version(call: Call, voucher: Thing) -> None:
    version = call.number("version")
    vouchers.check_version(voucher, None if version is None else int(version))


@route("GET", "/ledger/voucher", f"id number numberFrom numberTo typeId dateFrom dateTo {PAGING}")
def find_vouchers(call: Call) -> Reply:
    """Vouchers in the ledger, dated in a window."""
    found = call.in_days(_in_state(call, "ledger"), "date", "dateFrom", "dateTo")
    found = call.matching(found, number="number", typeId="voucherType")
    first, last = call.number("numberFrom"), call.number("numberTo")
    if first is not None or last is not None:
        found = (one for one in found if (first or 0) <= one["number"] < (last or 10**9))
    return call.many(found)


@route("GET", "/ledger/voucher/{id}", "fields")
def voucher(call: Call) -> Reply:
    """One voucher, wherever it is on its way."""
    return call.one(call.target("voucher"))


@route("POST", "/ledger/voucher", "sendToLedger")
def create_voucher(call: Call) -> Reply:
    """A new voucher; into the ledger unless told not to, which needs a right of its own."""
    send = call.flag("sendToLedger", True)
    if send:
        call.demand("advanced_voucher")
    return call.one(vouchers.create(call.books, call.body, send=send), 201)


@route("PUT", "/ledger/voucher/{id}", "sendToLedger")
def change_voucher(call: Call) -> Reply:
    """Change it; a draft goes into the ledger unless told not to."""
    send = call.flag("sendToLedger", True)
    if send:
        call.demand("advanced_voucher")
    return call.one(vouchers.change(call.books, call.target("voucher")["id"], call.body, send=send))


@route("DELETE", "/ledger/voucher/{id}")
def delete_voucher(call: Call) -> Reply:
    """Take away a voucher that is not in the ledger."""
    made = call.target("voucher")
    if reasons := _undeletable(made):
        raise invalid("id", reasons[0])
    call.books.discard(made)
    return Reply(204, None)


def _undeletable(made: Thing) -> list[str]:
    return ["Bilaget er bokført og kan ikke slettes."] if made["_state"] == "ledger" else []


@route("GET", "/ledger/voucher/{id}/options", "fields")
def voucher_options(call: Call) -> Reply:
    """Whether it can be deleted, and why not."""
    reasons = _undeletable(call.target("voucher"))
    return Reply(200, {"value": {"delete": {"available": not reasons, "reasons": reasons}}})


@route("PUT", "/ledger/voucher/{id}/:reverse", "date")
def reverse_voucher(call: Call) -> Reply:
    """Book its opposite; gives the new voucher."""
    dated = call.day("date")
    return call.one(call.books.reverse(call.target("voucher"), dated))


@route("PUT", "/ledger/voucher/{id}/:sendToLedger", "version number")
def send_to_ledger(call: Call) -> Reply:
    """Book a draft, under a number of the caller's own where one is given."""
    call.demand("advanced_voucher")
    made, number = call.target("voucher"), call.number("number")
    _same_version(call, made)
    call.books.post(made, int(number) if number else None)
    return call.one(made)


@route("PUT", "/ledger/voucher/{id}/:sendToInbox", "version comment")
def send_to_inbox(call: Call) -> Reply:
    """Put a draft back into the reception."""
    made = call.target("voucher")
    _same_version(call, made)
    if made["_state"] == "ledger":
        raise invalid("id", "Bilaget er allerede bokført.")
    call.books.touch(made, _state="inbox")
    return call.one(made)


@route("GET", "/ledger/voucher/>externalVoucherNumber", f"externalVoucherNumber {PAGING}")
def by_external_number(call: Call) -> Reply:
    """Vouchers with this external number; see `Rules.external_number_search`."""
    found: Iterable[Thing] = call.books.all("voucher")
    if call.books.rules.external_number_search == "imported":
        found = (one for one in found if one.get("_imported"))
    return call.many(call.matching(found, externalVoucherNumber="externalVoucherNumber"))


@route("GET", "/ledger/voucher/>nonPosted", f"dateFrom dateTo includeNonApproved changedSince {PAGING}")
def non_posted(call: Call) -> Reply:
    """Drafts."""
    if "includeNonApproved" not in call.query:
        raise invalid("includeNonApproved", "Kan ikke være null.")
    waiting = {one["voucher"].id for one in call.books.all("voucherApprovalListElement") if one["status"] == 0}
    found = _in_state(call, "nonPosted")
    if not call.flag("includeNonApproved", False):
        found = (one for one in found if one["id"] not in waiting)
    return call.many(call.changed(call.between(found, "date", "dateFrom", "dateTo")))


@route("GET", "/ledger/voucher/>voucherReception", f"dateFrom dateTo searchText {PAGING}")
def reception(call: Call) -> Reply:
    """The voucher reception."""
    found = call.between(_in_state(call, "inbox"), "date", "dateFrom", "dateTo")
    return call.many(call.containing(found, searchText="description"))


@route("POST", "/ledger/voucher/importDocument", "split")
def import_document(call: Call) -> Reply:
    """A document into the reception, a voucher a page where `split` says so; EHF only by agreement."""
    given = uploads.file(call.body, xml=call.books.rules.ehf_import)
    text = (call.body.get("description") or "") if isinstance(call.body, dict) else ""
    books = call.books
    if given.content_type == "application/xml":
        found = read_ehf(books, given)
        return call.many([books.receive_ehf(**found, upload=given)], 201)
    pages = [given]
    if call.flag("split", False) and given.pages > 1:
        name = given.file_name
        pages = [Upload(uploads.pdf([[name, f"side {at}"]]), name) for at in range(1, given.pages + 1)]
    return call.many(
        [books.receive(one, forms.text(text or one.file_name, "description"), today()) for one in pages], 201
    )


# --- documents --------------------------------------------------------------------------------------------------------


@route("POST", "/ledger/voucher/{id}/attachment")
def attach(call: Call) -> Reply:
    """A document on a voucher, appended to what it has."""
    made, given = call.target("voucher"), uploads.file(call.body)
    call.books.attach(made, given)
    return call.one(made, 201)


@route("DELETE", "/ledger/voucher/{id}/attachment", "version sendToInbox split")
def detach(call: Call) -> Reply:
    """Take the document off, into the reception where `sendToInbox` says so."""
    made = call.target("voucher")
    _same_version(call, made)
    if not made.get("attachment"):
        raise invalid("voucherId", "Bilaget har ikke vedlegg.")
    if call.flag("sendToInbox", False):
        kept = call.books.find(made["attachment"])
        call.books.receive(Upload(content(kept), kept["fileName"]), kept["fileName"], today())
    call.books.touch(made, attachment=None, document=None)
    return Reply(204, None)


@route("GET", "/ledger/voucher/{id}/pdf")
def voucher_pdf(call: Call) -> Reply:
    """The voucher as a PDF: its document, or a page that names it."""
    made = call.target("voucher")
    if made.get("attachment"):
        return Reply(200, content(call.books.find(made["attachment"])))
    return Reply(200, uploads.pdf([[f"Bilag {made['displayName']}", made["description"]]]))


@route("GET", "/ledger/voucherType", f"name {PAGING}")
def voucher_types(call: Call) -> Reply:
    """Kinds of vouchers."""
    return call.many(call.containing(call.books.all("voucherType"), name="name"))


@route("GET", "/ledger/voucherType/{id}", "fields")
def voucher_type(call: Call) -> Reply:
    """One kind."""
    return call.one(call.target("voucherType"))
