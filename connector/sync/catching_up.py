"""Ask for everything that a connection lacks, a page of documents at a time.

Each page is a short transaction of its own. What it has asked for is asked for, whatever becomes of the rest; begun
anew it asks only for what is still lacking. So it may be broken off anywhere, and nobody who writes waits long for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from connector.store import Store, Tx, documents, links
from connector.store.documents import Document
from connector.sync import effects, registers
from connector.sync.differences import disputed
from connector.sync.external import form_of
from connector.sync.identity import REGISTERS
from connector.sync.plan import ask, belongs, decided, look_ahead, routes_to
from connector.sync.spokes import Spoke, Spokes

PAGE = 100
"""Documents that are looked at in one transaction."""


async def catch_up(
    store: Store, spokes: Spokes, spoke: Spoke, *, told: Callable[[int, int], object] = lambda seen, asked: None
) -> int:
    """Ask for everything that a connection lacks, when it is activated or on demand; how much was asked for. Of one
    that only observes: nothing.

    `told` hears after each page how many documents have been looked at and how much has been asked for.
    """
    seen = asked = 0
    after: str | None = None
    while True:
        page, lacking = await store.read(lambda tx, at=after: _lacking(tx, spokes, spoke, at))  # type: ignore[misc]
        if lacking:
            asked += await store.write(lambda tx, ids=lacking: _asked(tx, spokes, spoke, ids))  # type: ignore[misc]
        seen += len(page)
        told(seen, asked)
        if len(page) < PAGE:
            return asked
        after = page[-1].id


def _lacking(tx: Tx, spokes: Spokes, spoke: Spoke, after: str | None) -> tuple[list[Document], list[str]]:
    """A page of documents, and the ids of those that are lacking: found without keeping anybody from writing."""
    if not effects.writes(tx, spoke):
        return [], []
    page = documents.find(tx, spoke.tenant, after=after, limit=PAGE)
    look_ahead(tx, spoke, page)
    return page, [head.id for head in wanted(tx, spokes, spoke, page)]


def _asked(tx: Tx, spokes: Spokes, spoke: Spoke, ids: Iterable[str]) -> int:
    there = (documents.peek(tx, spoke.tenant, id) for id in ids)
    return ask_for(tx, spoke, wanted(tx, spokes, spoke, [head for head in there if head is not None]))


def ask_for(tx: Tx, spoke: Spoke, lacking: Iterable[Document]) -> int:
    """Ask for these, but for what is asked for already; how many works that are."""
    return sum(len(ask(tx, spoke, head)) for head in lacking if not effects.live(tx, spoke, head.id))


def wanted(tx: Tx, spokes: Spokes, spoke: Spoke, heads: Iterable[Document]) -> Iterator[Document]:
    """Those of these documents that are to be brought to a system: what belongs there by its route and is not there,
    and records that have changed here since it was told.
    """
    routes = routes_to(spokes, spoke)
    for head in heads:
        link = links.of(tx, head.id, spoke.id, form_of(spoke, head))
        if link is None:
            if (registers.makes(spoke, head) or belongs(tx, spoke, head, routes)) and not decided(tx, spoke, head):
                yield head
        elif head.kind in REGISTERS and head.kind in spoke.mapping:
            document = documents.get(tx, spoke.tenant, head.id)
            if registers.pending(tx, spoke, document, link).keys() - disputed(tx, spoke, document):
                yield head
