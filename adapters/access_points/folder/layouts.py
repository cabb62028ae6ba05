"""How access points lay incoming documents down, and by what one knows that a document is there whole.

* `oxalis`: `<receiver>/<sender>/<id>.doc.xml`, and `<id>.receipt.dat` after it
* `phoss`: `<id>.xml`, and `<id>.json` after it; or a folder for each, with `sbd.xml` and then `metadata.json`
* `plain`: `<name>.xml`, and a marker after it where the settings name one; without, a file that lies still

Names say nothing of who sent what to whom (they are filtered, and shortened): that stands on the envelope.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from adapters.access_points.folder.tree import Entry

Layout = Literal["oxalis", "phoss", "plain"]

DEPTH: dict[Layout, int] = {"oxalis": 2, "phoss": 1, "plain": 0}
"""How many folders deep documents lie."""


@dataclass(frozen=True, slots=True)
class Document:
    """One that is to be read. `beside`: names of what came with it; `own`: it has a folder to itself. `still`: that it
    is whole can be told only by its lying still.
    """

    entry: Entry
    beside: tuple[str, ...] = ()
    own: bool = False
    still: bool = False


def documents(layout: Layout, marker: str | None, entries: Sequence[Entry], *, deep: bool) -> Iterator[Document]:
    """The documents of one folder that are whole, as far as the names say, in the order of `entries`.

    Args:
        deep: whether the folder is one below the one that documents come into.
        marker: of `plain`: what the file is called that says so, with `{name}` for the name without `.xml`.
    """
    names = {one.name for one in entries}
    for entry in entries:
        found = document(layout, marker, entry, deep=deep)
        if found is not None and names.issuperset(found.beside):
            yield found


def document(layout: Layout, marker: str | None, entry: Entry, *, deep: bool) -> Document | None:
    """The document that something in a folder is, with what must lie beside it (and may not yet); None: it is none."""
    name = entry.name
    if entry.kind == "folder" or name.startswith("."):
        return None
    if layout == "oxalis":
        stem = name.removesuffix(".doc.xml")
        return None if stem == name else Document(entry, (f"{stem}.receipt.dat",))
    stem = name.removesuffix(".xml")
    if stem == name:
        return None
    if layout == "phoss":
        if name == "sbd.xml" and deep:
            return Document(entry, ("metadata.json",), own=True)
        return Document(entry, (f"{stem}.json",))
    if marker is None:
        return Document(entry, still=True)
    return Document(entry, (marker.format(name=stem),))
