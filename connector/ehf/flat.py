"""The quick way to read a document: as two flat lists, its tags and its texts, without a tree.

Nearly every invoice is *plain*: UTF-8, all namespaces declared on the document element, no comment, CDATA section or
processing instruction, no element but those of UBL. Of such a document libxml2 says in one pass that it is well-formed
and follows the schema, without building anything; and then cutting it at its angle brackets gives what rules read.
Whatever is not plain, or not valid, is read as a tree (`connector.ehf.xml`), which takes about twice as long and has
the last word. Here is never a verdict of "invalid", only "valid" or "read it the other way".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from connector.ehf import xsd
from connector.ehf.xml import CAC, CBC, CREDIT_NOTE, INVOICE, LARGE, MAX_BYTES, MAX_TAGS

Names = tuple[tuple[str, str], ...]
"""Prefix and namespace, as the document element declares them."""

LONG: Final = 500_000
"""A document with a text longer than this, an attachment, is read as a tree: libxml2 hands texts to the schema in small
pieces when it builds none, which takes time with the square of their length."""

MAX_LEVELS: Final = 200
"""Deeper blocks are read as a tree, which knows where to stop."""

_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["'][uU][tT][fF]-8["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>\s*"""
)
_NAME: Final = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")
_ATTRIBUTE: Final = re.compile(r"""\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"\t\n]*)"|'([^'\t\n]*)')""")
_REFERENCE: Final = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_KINDS: Final = {("Invoice", INVOICE): "Invoice", ("CreditNote", CREDIT_NOTE): "CreditNote"}


class Flat:
    """A plain document that is well-formed and passes the XSD.

    `markup` are its tags without their brackets (`cbc:ID schemeID="0192"`, `/cbc:ID`), `texts` what follows each.
    """

    __slots__ = ("blocks", "header", "kind", "markup", "names", "odd", "texts")

    def __init__(self, kind: str, names: Names, odd: bool, markup: list[str], texts: list[str]) -> None:
        self.kind = kind
        self.names = names
        self.odd = odd
        """Whether the document element has attributes of its own."""
        self.markup = markup
        self.texts = texts
        self.header: list[int] = []
        """Places in `markup` of the children of the document element that have no children."""
        self.blocks: list[tuple[int, int]] = []
        """Where the other children begin and end in `markup`."""

    def first(self, name: str) -> str | None:
        """The text of the first child of the document element with that name, of those without children."""
        wanted = self.prefixed(CBC, name)
        for at in self.header:
            if self.markup[at].partition(" ")[0] == wanted:
                return self.texts[at]
        return None

    @property
    def tag(self) -> str:
        """The document element's, in Clark notation."""
        return f"{{{INVOICE if self.kind == 'Invoice' else CREDIT_NOTE}}}{self.kind}"

    def prefixed(self, namespace: str, name: str) -> str:
        """The name as this document writes it."""
        prefix = next((prefix for prefix, declared in self.names if declared == namespace), "")
        return f"{prefix}:{name}" if prefix else name


class Form:
    """The tags of a block taken apart: a tree in flat lists, and where its texts are."""

    __slots__ = ("attributes", "lengths", "starts", "tags", "texts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        """Where each element begins among the tags of the block."""
        self.tags: list[str] = []
        """In Clark notation, in document order."""
        self.lengths: list[int] = []
        """The number of children of each."""
        self.texts: list[int | None] = []
        """Places of the text of each among the tags of the block; None where it has none."""
        self.attributes: list[dict[str, str]] = []

    def add(self, markup: str, spaces: dict[str, str]) -> str | None:
        """Enter one more element; gives its name as written, None when it is not one of UBL's or not plain."""
        plain = markup[:-1] if markup[-1] == "/" else markup
        name = _NAME.match(plain)
        attributes = _attributes(plain, name.end()) if name else None
        if name is None or attributes is None or (name[1] or "") not in spaces:
            return None
        if any(attribute.startswith("xmlns") for attribute in attributes):  # here a prefix may mean another thing
            return None
        self.tags.append(f"{{{spaces[name[1] or '']}}}{name[2]}")
        self.lengths.append(0)
        self.attributes.append(attributes)
        return name[0]


def read(data: bytes) -> Flat | None:
    """The document if it is plain, well-formed and passes the XSD; None when it must be read as a tree.

    Raises:
        Misconfigured: `xsd-files`.
    """
    cut = _cut(data)
    if cut is None:
        return None
    markup, texts = cut
    head = _head(markup[0])
    if head is None:
        return None
    flat = Flat(*head, markup, texts)
    try:
        _find_blocks(flat)
    except (ValueError, IndexError):  # not well-formed, or the same name inside itself
        return None
    if not xsd.streams_through(data, flat.kind):
        return None
    if b"&" in data:  # well-formed by now, so every reference is one
        flat.texts = [unescaped(text) if "&" in text else text for text in texts]
    return flat


def _cut(data: bytes) -> tuple[list[str], list[str]] | None:
    # Single rare bytes first: they are found much faster than pairs that begin with "<".
    if b"!" in data and b"<!" in data:
        return None
    if len(data) >= LARGE and (len(data) > MAX_BYTES or data.count(b"<") > MAX_TAGS):
        return None
    start = 0
    if data.startswith(b"<?xml"):
        declaration = _DECLARATION.match(data)
        if declaration is None:
            return None
        start = declaration.end()
    has_instruction = data.find(b"?", start) >= 0 and data.find(b"<?", start) >= 0
    if data[start : start + 1] != b"<" or has_instruction:
        return None
    try:
        text = data[start:].decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    pieces = text.replace(">", "<").split("<")
    # As many of each: then every ">" ends a tag, for a well-formed document has no other "<" than those of its tags.
    if data.count(b"<", start) * 2 + 1 != len(pieces):
        return None
    if _has_long_text(data):
        return None
    return pieces[1::2], pieces[2::2]


def _has_long_text(data: bytes) -> bool:
    """Whether more than `LONG` bytes lie between two tags: as many would go over one of these places."""
    return any(data.find(b"<", at) - data.rfind(b"<", 0, at) > LONG for at in range(LONG, len(data), LONG))


def unescaped(text: str) -> str:
    """The text with its character references and the five entities of XML written out."""
    return _REFERENCE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else chr(int(found[2])) if found[2] else _ENTITIES[found[3]],
        text,
    )


@lru_cache(maxsize=64)
def _head(markup: str) -> tuple[str, Names, bool] | None:
    """Kind, namespaces and whether there are other attributes, from the tag of the document element."""
    name = _NAME.match(markup)
    attributes = _attributes(markup, name.end()) if name and "&" not in markup else None
    if name is None or attributes is None:
        return None
    names = {
        attribute.partition(":")[2]: value for attribute, value in attributes.items() if attribute.startswith("xmlns")
    }
    kind = _KINDS.get((name[2], names.get(name[1] or "", "")))
    if kind is None or len({*names.values()}) != len(names):
        return None
    odd = any(":" not in attribute and attribute != "xmlns" for attribute in attributes)
    return kind, tuple((prefix, space) for prefix, space in names.items() if space in (CAC, CBC)), odd


def _attributes(markup: str, start: int) -> dict[str, str] | None:
    """The attributes written from `start` on; None when they are not written plainly."""
    found: dict[str, str] = {}
    while start < len(markup):
        one = _ATTRIBUTE.match(markup, start)
        if one is None:
            return None if markup[start:].strip(" \t\n") else found
        found[one[1]] = unescaped(one[2] if one[2] is not None else one[3])
        start = one.end()
    return found


def _find_blocks(flat: Flat) -> None:
    markup = flat.markup
    index = markup.index
    at, end = 1, len(markup) - 1
    leaf, block = flat.header.append, flat.blocks.append
    while at < end:
        tag = markup[at]
        if tag[-1] == "/":
            leaf(at)
            at += 1
            continue
        name = "/" + (tag.partition(" ")[0] if " " in tag else tag)
        if markup[at + 1] == name:
            leaf(at)
            at += 2
        else:
            last = index(name, at + 1) + 1
            block((at, last))
            at = last


def form(tags: Sequence[str], names: Names) -> Form | None:
    """The tags of a block taken apart; None when there is more than plain UBL in them or they are not one element."""
    found = Form()
    spaces = dict(names)
    above: list[tuple[int, str]] = []
    for place, markup in enumerate(tags):
        if markup[0] == "/":
            if not above or markup != f"/{above.pop()[1]}":
                return None
            continue
        name = found.add(markup, spaces)
        if name is None or (place and not above) or len(above) > MAX_LEVELS:
            return None
        found.starts.append(place)
        if above:
            found.lengths[above[-1][0]] += 1
        closed = markup[-1] == "/"
        found.texts.append(place if not closed and tags[place + 1] == f"/{name}" else None)
        if not closed:
            above.append((len(found.tags) - 1, name))
    return None if above else found


def header_form(tags: Sequence[str], names: Names, root: str) -> Form | None:
    """As `form`, for the document element (its tag in Clark notation) and its children without children."""
    found = Form()
    spaces = dict(names)
    found.tags, found.texts, found.attributes = [root], [None], [{}]
    for place, markup in enumerate(tags):
        if found.add(markup, spaces) is None:
            return None
        found.texts.append(None if markup[-1] == "/" else place)
    return found
