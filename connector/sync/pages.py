"""What a document looks like in a ledger: its page, read when somebody asks and kept as it came.

It is read through the connection's lane like everything else, and kept under the version of the record it shows: asked
for again it is not read again, and a record that has changed is.
"""

from __future__ import annotations

from connector.errors import Missing
from connector.lanes import Found, Turn, Work
from connector.ports import File, Kind
from connector.store import Tx, arrivals, documents, links, work
from connector.store.links import Link
from connector.sync.spokes import Handler, Spoke

PAGE = "page"
"""Kind of work that reads a page, and of the arrival it is kept as."""
SHOWN = (Kind.INVOICE.value, Kind.CREDIT_NOTE.value, Kind.SUPPLIER_INVOICE.value)


def page_of(tx: Tx, spoke: Spoke, document: str) -> tuple[bytes, str] | None:
    """The page as it was read, and its media type; empty bytes where the system has none; None: not read yet.

    Raises:
        Missing: `document-not-found`; `no-page`: such a document has none, or it is not in this system.
    """
    kept = arrivals.by_key(tx, spoke.tenant, spoke.id, _key(_link(tx, spoke, document)))
    return None if kept is None else (kept.body, kept.content_type or "application/pdf")


def ask_for_page(tx: Tx, spoke: Spoke, document: str) -> str:
    """Have the page read; asked for twice, it is read once."""
    link = _link(tx, spoke, document)
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.PERSON,
        role="read",
        kind=PAGE,
        connection=spoke.id,
        document=document,
        task={"kind": link.kind, "id": link.vendor_id, "key": _key(link)},
        coalesce=f"{PAGE}:{spoke.id}:{_key(link)}",
    )


class ReadPage(Handler):
    """The handler of `PAGE` (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """One page."""
        spoke = self.spoke(work)
        page = await spoke.accounting.document(Kind(work.task["kind"]), work.task["id"])
        return Found(lambda tx: _keep(tx, work, page))


def _keep(tx: Tx, work: Work, page: File | None) -> None:
    source, key = work.connection or "", work.task["key"]
    if arrivals.by_key(tx, work.tenant, source, key) is None:
        arrivals.arrive(
            tx,
            tenant=work.tenant,
            source=source,
            kind=PAGE,
            key=key,
            body=page.content if page else b"",
            content_type=page.media_type if page else None,
            handled=work.document,
        )


def _link(tx: Tx, spoke: Spoke, document: str) -> Link:
    kind = documents.get(tx, spoke.tenant, document).kind
    link = links.of(tx, document, spoke.id, kind)
    if kind not in SHOWN or link is None:
        raise Missing(
            f"{spoke.name} shows no page of this document.",
            code="no-page",
            do="See `links` of the document: where it is.",
            where={"document": document, "connection": spoke.name},
        )
    return link


def _key(link: Link) -> str:
    return f"{PAGE}/{link.kind}/{link.vendor_id}/{link.vendor_version}"
