"""One hardened way to read XML.

No DTD, so no entities of its own and no external ones; no network; a limit on size and on depth. Everything that reads
a document from outside goes through `parse`.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Final, cast

from lxml import etree

from connector.errors import BadInput

MAX_BYTES: Final = 100 * 1024 * 1024
"""The largest document we read. Peppol access points refuse far smaller ones; attachments make the size."""
MAX_DEPTH: Final = 256
"""The deepest nesting we read. A UBL invoice has some ten levels; extensions may carry signatures."""
MAX_TAGS: Final = 6_000_000
"""The most tags we read, start and end: some 50,000 lines with everything on them. A tree of tags takes far more memory
than their text."""

CBC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CAC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
EXT: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
INVOICE: Final = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CREDIT_NOTE: Final = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
APPLICATION_RESPONSE: Final = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"

PREFIXES: Final = {CBC: "cbc", CAC: "cac", EXT: "ext", INVOICE: "", CREDIT_NOTE: "", APPLICATION_RESPONSE: ""}

_OTHER_ENCODING: Final = re.compile(rb"""<\?xml[^>]{0,80}\sencoding\s*=\s*["'](?!utf-16)([\w.-]+)""", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


LARGE: Final = 9_000_000
"""From this size on libxml2 must be told to lift its limits: 10 MB of text, and `MAX_DEPTH`, which we then check."""

_too_deep = etree.XPath("boolean(/*" + "/*" * MAX_DEPTH + ")")


def _parser(*, large: bool) -> etree.XMLParser:
    # Blanks between elements, comments and processing instructions mean nothing to any rule; without them a walk over
    # the tree is short.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=large,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


_own = threading.local()


def _small_parser() -> etree.XMLParser:
    """One parser per thread: making one costs a tenth of what it then does."""
    parser: etree.XMLParser | None = getattr(_own, "parser", None)
    if parser is None:
        parser = _own.parser = _parser(large=False)
    return parser


def parse(data: bytes) -> etree._Element:
    """The document element of `data`, without comments, processing instructions and blanks between elements.

    Raises:
        BadInput: `xml-empty`, `xml-too-large` (over `MAX_BYTES` or `MAX_TAGS`), `xml-dtd` (a DOCTYPE), `xml-too-deep`
            (over `MAX_DEPTH` levels), `xml-encoding` (bytes that are not what the declaration says),
            `xml-not-well-formed`. `where` has line and column where there are any.
    """
    if not data.strip(b" \t\r\n\x00"):
        raise BadInput("The document is empty.", code="xml-empty", do="Send the document's content.")
    if len(data) > MAX_BYTES:
        raise BadInput(
            f"The document is {len(data) / 1024 / 1024:.0f} MB; the limit is {MAX_BYTES // 1024 // 1024} MB.",
            code="xml-too-large",
            do="Leave out or shrink attachments.",
        )
    if (tags := data.count(b"<")) > MAX_TAGS:
        raise BadInput(
            f"The document has {tags / 1e6:.0f} million tags; the limit is {MAX_TAGS / 1e6:.0f} million.",
            code="xml-too-large",
            do="Split the invoice.",
        )
    if _has_doctype(data):
        raise BadInput(
            "The document has a DOCTYPE (DTD), which an EHF document must not have.",
            code="xml-dtd",
            do="Remove the DOCTYPE declaration and write entities out.",
        )
    if data.startswith(_UTF16) and (declared := _OTHER_ENCODING.search(data[:400].replace(b"\x00", b""))):
        raise BadInput(  # libxml2 would read it all the same; a receiver may not
            f"The document says that it is {declared[1].decode()}, but it is UTF-16.",
            code="xml-encoding",
            do="Write the document as UTF-8, and say so in the XML declaration.",
        )
    try:
        root = etree.fromstring(data, _parser(large=True) if len(data) >= LARGE else _small_parser())
    except etree.XMLSyntaxError as error:
        raise _explained(error) from None
    except ValueError as error:  # an encoding that lxml does not know
        raise BadInput(str(error), code="xml-encoding", do="Write the document as UTF-8.") from None
    if len(data) >= LARGE and _too_deep(root):
        raise _nested_too_deep({})
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadInput("The document has a DTD.", code="xml-dtd", do="Remove the DOCTYPE declaration.")
    return root


def parse_whole(data: bytes) -> etree._Element:
    """As `parse`, with comments, processing instructions and blanks: what signatures are over, and what is handed on.

    Raises:
        BadInput: as `parse`.
    """
    parse(data)
    return etree.fromstring(
        data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=len(data) >= LARGE)
    )


_schemas: dict[Path, etree.XMLSchema] = {}
_one_at_a_time = threading.Lock()


def schema_of(file: Path) -> etree.XMLSchema:
    """The XSD schema in a file, read once.

    All schemas are read here and one at a time: libxml2 makes its built-in types with the first one, and where two
    threads have it do that at once, no schema can be read in this process any more.
    """
    with _one_at_a_time:
        if file not in _schemas:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            _schemas[file] = etree.XMLSchema(etree.parse(str(file), parser))
        return _schemas[file]


def parted_texts(data: bytes, root: etree._Element) -> dict[etree._Element, list[str]]:
    """The elements whose text is parted by a comment or a processing instruction (`2026<!-- -->-05-01`): its pieces.

    `parse` puts the pieces together, as most readers do; the official rules that ask for `text()` break off on them.
    `root` is what `parse` made of `data`; the elements are its own.
    """
    # The only "?>" of most documents ends the XML declaration. Rare bytes first: these searches run on every document.
    declaration = data.find(b"?>", 0, 200) + 2 if b"<?xml" in data[:8] else 0
    marked = (b"!" in data and b"!--" in data) or (
        data.find(b"?", declaration) >= 0 and data.find(b"<?", declaration) >= 0
    )
    if not marked and not data.startswith(_UTF16):
        return {}
    whole = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    marks = (etree.Comment, etree.ProcessingInstruction)
    parents = {parent for mark in whole.iter(*marks) if (parent := mark.getparent()) is not None}
    if not parents:
        return {}
    twins = zip(whole.iter(etree.Element), root.iter(), strict=True)
    found = {twin: text_nodes(element) for element, twin in twins if element in parents}
    # The blanks between the elements of a group are no text of it.
    return {element: pieces for element, pieces in found.items() if not len(element) or any(map(str.strip, pieces))}


def text_nodes(element: etree._Element) -> list[str]:
    """The texts right below the element, `text()`: in several pieces when something stands between them."""
    return [text for text in (element.text, *(child.tail for child in element)) if text]


def _has_doctype(data: bytes) -> bool:
    """Whether a DOCTYPE stands before the document element. Looked for before parsing: no entity is ever expanded."""
    head = data[:65536]
    if head.startswith(_UTF16):
        head = head.replace(b"\x00", b"")
    return b"<!DOCTYPE" in head


def _explained(error: etree.XMLSyntaxError) -> BadInput:
    said = (error.msg or "not well-formed").strip()
    line, column = error.position if error.lineno else (None, None)
    where: dict[str, int | None] = {"line": line, "column": column} if line else {}
    lowered = said.lower()
    if "depth" in lowered:
        return _nested_too_deep(where)
    if "encoding" in lowered or "not proper utf-8" in lowered or "input conversion failed" in lowered:
        return BadInput(
            f"The bytes are not in the encoding that the document declares: {said}.",
            code="xml-encoding",
            do="Write the document as UTF-8, and say so in the XML declaration.",
            where=where,
        )
    return BadInput(
        f"The document is not well-formed XML: {said}.",
        code="xml-not-well-formed",
        do="Mend the XML at the line and column named; was this sent as XML at all?",
        where=where,
    )


def _nested_too_deep(where: dict[str, int | None]) -> BadInput:
    return BadInput(
        f"The document is nested deeper than {MAX_DEPTH} levels.",
        code="xml-too-deep",
        do="Send an invoice; no UBL document nests that deep.",
        where=where,
    )


def path_of(element: etree._Element) -> str:
    """The XPath of `element` with positions where siblings share its name: `/Invoice/cac:InvoiceLine[2]/cbc:Note`."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        parent = node.getparent()
        step = name_of(node.tag)
        if parent is not None:
            before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
            if before or next(node.itersiblings(node.tag), None) is not None:
                step = f"{step}[{before + 1}]"
        steps.append(step)
        node = parent
    return "/" + "/".join(reversed(steps))


def string_value(element: etree._Element) -> str:
    """The text of the element and of all below it, `string(.)`."""
    return (element.text or "") if not len(element) else "".join(map(str, element.itertext()))


def line_of(element: etree._Element) -> int | None:
    """The line in the file where the element starts, from 1."""
    return cast("int | None", element.sourceline)


def name_of(tag: str) -> str:
    """A tag as rules and people write it: `cbc:ID`, `Invoice`; a foreign one in Clark notation, `{urn:…}Thing`."""
    if tag[0] != "{":
        return tag
    namespace, _, local = tag[1:].partition("}")
    prefix = PREFIXES.get(namespace)
    if prefix is None:
        return tag
    return f"{prefix}:{local}" if prefix else local
