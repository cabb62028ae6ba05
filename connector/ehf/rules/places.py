"""Where things stand in a document, and the elements there: fetched when somebody asks, for most rules find nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

Elements = Sequence[etree._Element]
Place = tuple[Elements, int]
"""Where something stands: the elements of its block, and which of them. The element is fetched when it is wanted."""


def element_of(place: Place) -> etree._Element:
    """The element at a place."""
    els, i = place
    return els[i]


class Source:
    """The tree of a document, or how to come by it: `read` and the tags as they are written."""

    __slots__ = ("_elements", "_read", "_root", "_tags")

    def __init__(
        self,
        root: etree._Element | None,
        read: Callable[[], etree._Element] | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        self._root = root
        self._read = read
        self._tags = tags
        self._elements: dict[int, etree._Element] | None = None

    @property
    def root(self) -> etree._Element:
        """The document element."""
        if self._root is None:
            assert self._read is not None
            self._root = self._read()
        return self._root

    def element(self, start: int) -> etree._Element:
        """The element that begins with that one of the tags."""
        if self._elements is None:
            places = (at for at, tag in enumerate(self._tags) if tag[0] != "/")
            self._elements = dict(zip(places, self.root.iter(), strict=True))
        return self._elements[start]


class Unread(Sequence[etree._Element]):
    """The elements of a block that was read without a tree: fetched one by one when somebody asks."""

    __slots__ = ("offset", "source", "starts")

    def __init__(self, source: Source, starts: Sequence[int], offset: int) -> None:
        self.source = source
        self.starts = starts
        self.offset = offset

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: Any) -> Any:
        return self.source.element(self.starts[i] + self.offset)
