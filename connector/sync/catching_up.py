"""Find everything that a connection lacks, piece by piece, and ask for it.

Documents are looked at by pages, without keeping anybody from writing; what is lacking is dealt with so many at a time,
each time in a short transaction of its own. What has been asked for is asked for, whatever becomes of the rest; begun
anew it asks only for what is still lacking. So it may be broken off anywhere, and nobody who writes waits long for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connector.store import Store, Tx, documents, links
from connector.store.documents import Document
from connector.sync import effects, registers
from connector.sync.differences import disputed
from connector.sync.external import form_of
from connector.sync.identity import REGISTERS
from connector.sync.plan import ask, belongs, decided, look_ahead, routes_to
from connector.sync.spokes import Spoke, Spokes

PAGE = 100
"""Documents that are looked at in one go."""
AT_ONCE = 20
"""Documents that are dealt with in one transaction."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some documents in the order they came: how many were `seen`, which are `lacking`, and the `last` one (ids)."""

    seen: int
    lacking: Sequence[str]
    last: str


async def pieces(
    store: Store, spokes: Spokes, spoke: Spoke, *, after: str | None = None, issued_to: date | None = None
) -> AsyncIterator[Piece]:
    """All documents, or those dated up to a day, after this one, with what a connection lacks of them. What is lacking
    may have come there until it is dealt with: `still_lacking` asks once more.
    """
    full = True
    while full:
        page, lacking = await store.read(lambda tx, at=after: _page(tx, spokes, spoke, at, issued_to))  # type: ignore[misc]
        for piece in _cut_up(page, lacking):
            yield piece
        full = len(page) == PAGE
        after = page[-1].id if page else after


def _page(
    tx: Tx, spokes: Spokes, spoke: Spoke, after: str | None, issued_to: date | None
) -> tuple[list[Document], set[str]]:
    page = documents.find(tx, spoke.tenant, issued_to=issued_to, after=after, limit=PAGE)
    look_ahead(tx, spoke, page)
    return page, {head.id for head in wanted(tx, spokes, spoke, page)}


def _cut_up(page: Sequence[Document], lacking: Collection[str]) -> Iterator[Piece]:
    seen, some = 0, list[str]()
    for head in page:
        seen += 1
        if head.id in lacking:
            some.append(head.id)
        if len(some) == AT_ONCE or head is page[-1]:
            yield Piece(seen, some, head.id)
            seen, some = 0, []


async def catch_up(
    store: Store, spokes: Spokes, spoke: Spoke, *, told: Callable[[int, int], object] = lambda seen, asked: None
) -> int:
    """Ask for everything that a connection lacks, when it is activated or on demand; how much was asked for. Of one
    that only observes: nothing.

    `told` hears after each piece how many documents have been looked at and how much has been asked for.
    """
    seen = asked = 0
    if not await store.read(lambda tx: effects.writes(tx, spoke)):
        return 0
    async for piece in pieces(store, spokes, spoke):
        if piece.lacking:
            asked += await store.write(lambda tx, piece=piece: _asked(tx, spokes, spoke, piece))  # type: ignore[misc]
        seen += piece.seen
        told(seen, asked)
    return asked


def _asked(tx: Tx, spokes: Spokes, spoke: Spoke, piece: Piece) -> int:
    return sum(ask_for(tx, spoke, head) for head in still_lacking(tx, spokes, spoke, piece))


def still_lacking(tx: Tx, spokes: Spokes, spoke: Spoke, piece: Piece) -> Iterator[Document]:
    """Those documents of a piece that are lacking now."""
    there = (documents.peek(tx, spoke.tenant, id) for id in piece.lacking)
    return wanted(tx, spokes, spoke, (head for head in there if head is not None))


def ask_for(tx: Tx, spoke: Spoke, lacking: Document) -> int:
    """Ask for a document, unless it is asked for already; how many works that are."""
    return 0 if effects.live(tx, spoke, lacking.id) else len(ask(tx, spoke, lacking))


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
