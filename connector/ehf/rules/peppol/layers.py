"""The two Peppol layers and every rule id in them, with severity and, where it came or changed, the release.

Billing and self-billing share their rules but for a few; `both.on` and `both.document` register for the two of them.
A rule that a layer's catalogue does not have never fires there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Binder, Document, DocumentRule, Layer, OutlineRule, Plan, ShapeRule
from connector.ehf.rules.xpath import BreaksOff

billing: Final = Layer("peppol")
self_billing: Final = Layer("self-billing")


class _Both:
    """Registers a function in both layers."""

    layers: Final = (billing, self_billing)

    def fatal(self, *rules: str, since: str | None = None, until: str | None = None) -> None:
        for layer in self.layers:
            layer.fatal(*rules, since=since, until=until)

    def warning(self, *rules: str, since: str | None = None, until: str | None = None) -> None:
        for layer in self.layers:
            layer.warning(*rules, since=since, until=until)

    def on(self, *contexts: str) -> Callable[[Binder], Binder]:
        def register(binder: Binder) -> Binder:
            for layer in self.layers:
                layer.on(*contexts)(binder)
            return binder

        return register

    def shape(self, rule: ShapeRule) -> ShapeRule:
        for layer in self.layers:
            layer.shape(rule)
        return rule

    def outline(self, rule: OutlineRule) -> OutlineRule:
        for layer in self.layers:
            layer.outline(rule)
        return rule

    def start(self, rule: DocumentRule) -> DocumentRule:
        for layer in self.layers:
            layer.start(rule)
        return rule

    def document(self, rule: DocumentRule) -> DocumentRule:
        for layer in self.layers:
            layer.document(rule)
        return rule


both: Final = _Both()


def _numbered(stem: str, numbers: str) -> list[str]:
    return [stem + number for number in numbers.split()]


def is_self_billing(rules: Plan | Document) -> bool:
    """Whether the rule set at hand is that of self-billing."""
    return rules.rules.layers[-1] is self_billing


both.fatal(
    *_numbered(
        "PEPPOL-EN16931-R", "001 002 003 004 005 007 008 010 020 040 041 042 043 044 046 051 053 054 055 061 080"
    ),
    *_numbered("PEPPOL-EN16931-R", "100 101 110 111 120 121 130"),
    *_numbered("PEPPOL-EN16931-CL", "001 002 003 006 007 008"),
    *_numbered("PEPPOL-EN16931-P", "0100 0101 0104 0105 0106 0107 0108 0109 0110 0111"),
    *_numbered("PEPPOL-COMMON-R", "040 041 042 043 049 050"),
    "PEPPOL-EN16931-F001",
)
both.warning(*_numbered("PEPPOL-COMMON-R", "044 045 046 047"))
both.warning("PEPPOL-COMMON-R052", "PEPPOL-COMMON-R053", since="3.0.20", until="3.0.20")
both.fatal("PEPPOL-COMMON-R052", "PEPPOL-COMMON-R053", since="3.0.21")
both.warning(*_numbered("PEPPOL-COMMON-R", "054 055 056-1 056-2 057"), since="3.0.21")

billing.fatal(
    "PEPPOL-EN16931-P0112",
    "NO-R-001",
    *_numbered("DK-R-", "002 004 005 006 007 008 009 010 011 013 014 016"),
    *_numbered("IT-R-", "001 002 003 004"),
    *_numbered("SE-R-", "001 002 003 004 005 006 013"),
    *_numbered("GR-R-", "001-1 001-2 001-3 001-4 001-5 001-6 001-7 002 003 004-1 004-2 005 006 008-2 008-3 009 010"),
    *_numbered("IS-R-", "002 003 004 005 006 007 008 009 010"),
    *_numbered("NL-R-", "001 002 003 004 005 006 007 008 009"),
    *_numbered("DE-R-", "001 002 003 004 005 006 007 008 009 010 011 014 015 016 018 022 030 031"),
    *_numbered("DE-R-", "023-1 023-2 024-1 024-2 025-1 025-2"),
)
billing.warning(
    "NO-R-002",
    "IS-R-001",
    *_numbered("SE-R-", "007 008 009 010 011 012"),
    *_numbered("GR-S-", "008-1 011"),
    *_numbered("DE-R-", "017 019 020 026 027 028"),
)
billing.warning("DK-R-003", until="3.0.20")
billing.fatal("DK-R-003", since="3.0.21")
billing.warning("DK-R-017", since="3.0.20", until="3.0.20")
billing.fatal("DK-R-017", since="3.0.21")
billing.warning("DE-R-T02", since="3.0.21")


def own_text(text: str | None, i: int, doc: Document) -> str | None:
    """`text()` of the element at place `i`, whose string value is `text`: without the text of its children.

    Raises:
        BreaksOff: there are several pieces, where the official functions take one.
    """
    if doc.typed and not doc.parted:  # the XSD lets no field have elements inside
        return text
    return text_of([doc.els[i]], doc)


def text_of(elements: Sequence[etree._Element], doc: Document) -> str | None:
    """The same for the `text()` of several elements together.

    Raises:
        BreaksOff: likewise.
    """
    pieces = [piece for element in elements for piece in doc.pieces(element)]
    if len(pieces) > 1:
        raise BreaksOff("text in several pieces")
    return pieces[0] if pieces else None
