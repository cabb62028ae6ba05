"""Running the rules of a set on a document, read as a tree or without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, localcontext
from typing import Final, cast

from lxml import etree

from connector.ehf import flat
from connector.ehf.rules.engine import Document, RuleSet
from connector.ehf.rules.places import Source, Unread
from connector.ehf.rules.shape import attributes_of
from connector.ehf.rules.xpath import BreaksOff
from connector.ehf.xml import CBC, name_of

_ARITHMETIC: Final = Context(prec=1000)
"""`xs:decimal` rounds nothing in a sum or product; Python's default context rounds to 28 digits."""

count_attributes = cast("Callable[[etree._Element], float]", etree.XPath("count(//@*)"))

_BASIC: Final = f"{{{CBC}}}"


def judge(
    root: etree._Element,
    rules: RuleSet,
    kind: str,
    *,
    typed: bool,
    parted: Mapping[etree._Element, list[str]] | None = None,
) -> Document:
    """Run every rule of the set on the document; what it broke is in `found` and `fired`.

    `kind` is `Invoice` or `CreditNote`; `typed` says that the document passed the XSD; `parted` are the texts in
    several pieces (`connector.ehf.xml.parted_texts`).

    Raises:
        BadInput: `xml-too-large`, one part of the document is beyond all measure (`MAX_BLOCK`).
    """
    with localcontext(_ARITHMETIC):
        doc = Document(Source(root), rules, kind, typed)
        doc.parted = parted or {}
        return _judge(doc)


def _judge(doc: Document) -> Document:
    root = doc.root
    for start in doc.rules.starts:
        start(doc)
    header = [root]
    blocks = []
    for child in root:
        if len(child):
            blocks.append(child)
            if child.tag.startswith(_BASIC):  # no UBL: a field with elements inside; its text is what counts
                header.append(child)
        else:
            header.append(child)
    doc.block(header, header=True)
    for child in blocks:
        doc.block([*child.iter()])
    if count_attributes(root) != doc.attributes_read:
        _other_attributes(doc)
    _run_document_rules(doc)
    return doc


def _run_document_rules(doc: Document) -> None:
    outline = doc.outline = doc.rules.outline(doc)
    for check in outline.checks:
        try:
            check(doc)
        except (BreaksOff, ArithmeticError) as reason:
            doc.undecidable(outline.layer_of(check), reason, doc.top)
    if doc.blank:
        for check in outline.blank_checks:
            check(doc)
    for rule, spot, values, once in outline.static:
        (doc.fire_once if once else doc.fire)(rule, doc.at(spot), **values)
    for judge_document, layer in doc.rules.document_rules:
        try:
            judge_document(doc)
        except (BreaksOff, ArithmeticError) as reason:
            doc.undecidable(layer, reason, doc.top)


def judge_flat(document: flat.Flat, tree: Callable[[], etree._Element], rules: RuleSet) -> Document | None:
    """As `judge`, on a document that passed the XSD and was read without a tree; None when it must be read as one.

    `tree` reads it as one, which happens only when a place is asked for.
    """
    with localcontext(_ARITHMETIC):
        doc = Document(Source(None, tree, document.markup), rules, document.kind, typed=True)
        return doc if _judge_flat(doc, document) else None


def _judge_flat(doc: Document, document: flat.Flat) -> bool:
    rules, markup, texts = doc.rules, document.markup, document.texts
    for lay_out in rules.starts:
        lay_out(doc)
    known = rules.fits.setdefault((document.kind, document.names), {})
    written = "<".join([markup[at] for at in document.header])
    fit = known.get(written) or rules.fit(document, written, header=True)
    if fit is None:
        return False
    odd = document.odd or fit.odd
    v, blank = fit.values([texts[at] for at in document.header])
    els = Unread(doc.source, (0, *document.header), 0)
    doc.run(fit.plan, v, els, fit.conditional, fit.attribute_checks, blank)
    for start, end in document.blocks:
        written = "<".join(markup[start:end])
        fit = known.get(written) or rules.fit(document, written)
        if fit is None:
            return False
        odd = odd or fit.odd
        v, blank = fit.values(texts[start:end])
        els = Unread(doc.source, fit.starts, start)
        doc.run(fit.plan, v, els, fit.conditional, fit.attribute_checks, blank)
    if odd:
        _other_attributes(doc)
    _run_document_rules(doc)
    return True


def _other_attributes(doc: Document) -> None:
    for element in doc.root.iter():
        if len(element.attrib):
            read = attributes_of(name_of(element.tag))
            for name in element.attrib:
                if name not in read:
                    for rule in doc.rules.attribute_rules:
                        rule(doc, element, str(name))
