"""Documents: what is kept of a file, its bytes, and the archives of customers, suppliers, products and projects."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.accounting.tripletex.sandbox import uploads
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.store import today
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing
from adapters.loopback import Upload

_ARCHIVES = ("customer", "supplier", "product", "project", "account", "employee")


def content(document: Thing) -> bytes:
    """The bytes of a document: what was uploaded, else what the sandbox makes for it."""
    if document.get("_as_it_came"):
        upload: Upload = document["_uploads"][0]
        return upload.content
    if "_uploads" in document:
        return uploads.shown(document["_uploads"])
    return uploads.pdf([[document["_shows"]]])


@route("GET", "/document/{id}", "fields")
def document(call: Call) -> Reply:
    """What is kept about a file."""
    return call.one(call.target("document"))


@route("GET", "/document/{id}/content")
def document_content(call: Call) -> Reply:
    """A file."""
    return Reply(200, content(call.target("document")))


# --- archives ---------------------------------------------------------------------------------------------------------


def as_archived(document: Thing) -> Thing:
    """A document as archives show it: under the same id."""
    names = ("id", "version", "changes", "fileName", "size", "mimeType", "archiveDate")
    return Thing("documentArchive", **{name: document[name] for name in names if name in document})


def archive(call: Call, of: Link | None) -> Thing:
    """Keep the file of a form, at a record (None: in the archive's own reception)."""
    kept = call.books.find(call.books.document(uploads.file(call.body)))
    kept.update(_of=of, archiveDate=today().isoformat())
    return kept


def _archives(type: str) -> None:
    @route("GET", f"/documentArchive/{type}/{{id}}", f"periodDateFrom periodDateTo {PAGING}")
    def find(call: Call) -> Reply:
        of = Link(type, call.target(type)["id"])
        kept: Iterable[Thing] = (one for one in call.books.all("document") if one.get("_of") == of)
        kept = call.between(kept, "archiveDate", "periodDateFrom", "periodDateTo")
        return call.many(as_archived(one) for one in kept)

    @route("POST", f"/documentArchive/{type}/{{id}}")
    def put(call: Call) -> Reply:
        return call.one(as_archived(archive(call, Link(type, call.target(type)["id"]))), 201)


for name in _ARCHIVES:
    _archives(name)


@route("POST", "/documentArchive/reception")
def into_reception(call: Call) -> Reply:
    """A file into the archive's reception, at no record yet."""
    return call.one(as_archived(archive(call, None)), 201)


@route("DELETE", "/documentArchive/{id}")
def delete(call: Call) -> Reply:
    """Take a file out of the archive."""
    kept = call.target("document")
    if "archiveDate" not in kept:
        raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
    call.books.remove(kept)
    return Reply(204, None)
