"""Attachments, documents of the inbox, and what is shown of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapters.accounting.fiken.sandbox.errors import invalid, missing
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.fiken.sandbox.store import Thing
from adapters.loopback import Upload

ENDINGS = (".png", ".jpeg", ".jpg", ".gif", ".pdf")


def upload(call: Call) -> Upload:
    """The file of a form, with the name that the form says. Raises `SandboxError` (400)."""
    said = call.body if isinstance(call.body, dict) else {}
    file, name = said.get("file"), str(said.get("filename") or "")
    if not isinstance(file, Upload) or not file.content:
        raise invalid("file må fylles ut")
    if not name.lower().endswith(ENDINGS):
        raise invalid("filename må slutte på .png, .jpeg, .jpg, .gif eller .pdf")
    return Upload(file.content, name)


def shown(call: Call, path: str, place: int) -> dict[str, Any]:
    """An attachment; what it was called is not told."""
    return {"identifier": f"{place + 1}", "type": "unspecified", "downloadUrl": f"{call.base}/files{path}/{place}"}


def _files(thing: Thing) -> list[Upload]:
    kept: list[Upload] = thing.setdefault("_files", [])
    return kept


def _attachments(type: str, path: str, *, says_to_what: bool = False) -> None:
    query = "attachToPayment attachToSale" if says_to_what else ""

    @route("GET", f"{path}/{{id}}/attachments")
    def attachments(call: Call) -> Reply:
        files = _files(call.books.find(type, call.ids[0]))
        return Reply(200, [shown(call, f"{path}/{call.ids[0]}", place) for place in range(len(files))])

    @route("POST", f"{path}/{{id}}/attachments", query)
    def attach(call: Call) -> Reply:
        if says_to_what and "true" not in (call.query.get("attachToSale"), call.query.get("attachToPayment")):
            raise invalid("attachToSale eller attachToPayment må være true")
        files = _files(call.books.find(type, call.ids[0]))
        files.append(upload(call))
        return call.made(f"{path}/{call.ids[0]}/attachments", len(files))

    @route("GET", f"/files{path}/{{id}}/{{id}}")
    def content(call: Call) -> Reply:
        files, place = _files(call.books.find(type, call.ids[0])), call.ids[1]
        if place >= len(files):
            raise missing()
        return Reply(200, files[place].content)


_attachments("draft", "/invoices/drafts")
_attachments("invoice", "/invoices")
_attachments("sale", "/sales", says_to_what=True)
_attachments("purchase", "/purchases", says_to_what=True)


@route("GET", "/inbox", f"{PAGING} sortBy status name")
def inbox(call: Call) -> Reply:
    """Documents that wait to be used."""
    found = call.containing(call.books.all("inbox"), name="name")
    if (status := call.query.get("status")) not in (None, "all", "unused", "used"):
        raise invalid(f"Ugyldig status: {status}")
    if status in ("unused", "used"):
        found = [one for one in found if one["status"] == (status == "used")]
    return call.page(found, lambda one: _document(call, one))


@route("POST", "/inbox")
def deliver(call: Call) -> Reply:
    """A document for the inbox."""
    file, said = upload(call), call.body
    if not said.get("name"):
        raise invalid("name må fylles ut")
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = call.books.add("inbox", name=str(said["name"]), description=said.get("description"), status=False,
                          filename=file.file_name, createdAt=at, _files=[file])  # fmt: skip
    return call.made("/inbox", made["_id"])


@route("GET", "/inbox/{id}")
def document(call: Call) -> Reply:
    """One document of the inbox."""
    return Reply(200, _document(call, call.books.find("inbox", call.ids[0])))


def _document(call: Call, thing: Thing) -> dict[str, Any]:
    names = ("name", "description", "filename", "status", "createdAt")
    told = {name: thing[name] for name in names if thing.get(name) is not None}
    return {"documentId": thing["_id"], **told, "documentUrl": f"{call.base}/files/inbox/{thing['_id']}"}


@route("GET", "/files/invoice/{id}")
def invoice_page(call: Call) -> Reply:
    """The PDF of an invoice."""
    there = call.books.find("invoice", call.ids[0])
    return Reply(200, b"%PDF-1.4\n% Faktura " + str(there["invoiceNumber"]).encode())


@route("GET", "/files/creditNote/{id}")
def credit_note_page(call: Call) -> Reply:
    """The PDF of a credit note."""
    there = call.books.find("creditNote", call.ids[0])
    return Reply(200, b"%PDF-1.4\n% Kreditnota " + str(there["creditNoteNumber"]).encode())


@route("GET", "/files/purchase/{id}")
def purchase_page(call: Call) -> Reply:
    """The first file of a purchase."""
    return Reply(200, _files(call.books.find("purchase", call.ids[0]))[0].content)


@route("GET", "/files/inbox/{id}")
def inbox_page(call: Call) -> Reply:
    """The file of a document of the inbox."""
    return Reply(200, _files(call.books.find("inbox", call.ids[0]))[0].content)
