"""A layer: one official rule file, as a catalogue of rule ids and the functions that judge them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from connector.ehf.report import Layer as LayerName
from connector.ehf.report import Severity

if TYPE_CHECKING:
    from connector.ehf.rules.engine import Document
    from connector.ehf.rules.outline import Outline
    from connector.ehf.rules.shape import Node, Plan

Binder = Callable[["Node", "Plan"], None]
ShapeRule = Callable[["Plan"], None]
OutlineRule = Callable[["Outline"], None]
DocumentRule = Callable[["Document"], None]
AttributeRule = Callable[["Document", etree._Element, str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule in the catalogue of a layer: how severe, and in which releases (None: from the beginning, to this day)."""

    rule: str
    severity: Severity
    since: str | None = None
    until: str | None = None


@dataclass(slots=True)
class Layer:
    """One official rule file: its catalogue of rule ids, and the functions that judge them."""

    name: LayerName
    catalogue: list[Entry] = field(default_factory=list)
    binders: dict[str, list[tuple[tuple[str, ...], bool, Binder]]] = field(default_factory=dict)
    shape_rules: list[ShapeRule] = field(default_factory=list)
    outline_rules: list[OutlineRule] = field(default_factory=list)
    starts: list[DocumentRule] = field(default_factory=list)
    document_rules: list[DocumentRule] = field(default_factory=list)
    attribute_rules: list[AttributeRule] = field(default_factory=list)

    def fatal(self, *rules: str, since: str | None = None, until: str | None = None) -> None:
        """Enter rules that reject the document; `since` and `until` are releases of BIS Billing, both included."""
        self.catalogue.extend(Entry(rule, "fatal", since, until) for rule in rules)

    def warning(self, *rules: str, since: str | None = None, until: str | None = None) -> None:
        """Enter rules that only warn."""
        self.catalogue.extend(Entry(rule, "warning", since, until) for rule in rules)

    def on(self, *contexts: str) -> Callable[[Binder], Binder]:
        """Bind the function to every node that ends in one of the contexts: `cac:Party/cbc:EndpointID`.

        A leading `/` anchors it below the document element (`/cac:TaxTotal`). The document element itself is
        `Invoice` or `CreditNote`; it has its leaf children only. A node that fits several contexts of one function is
        bound once.
        """

        def register(binder: Binder) -> Binder:
            for context in contexts:
                anchored = context.startswith("/")
                steps = tuple(context.strip("/").split("/"))
                self.binders.setdefault(steps[-1], []).append((steps[:-1][::-1], anchored, binder))
            return binder

        return register

    def shape(self, rule: ShapeRule) -> ShapeRule:
        """Run the function once per shape, on `plan.nodes`, after the functions bound to single nodes."""
        self.shape_rules.append(rule)
        return rule

    def outline(self, rule: OutlineRule) -> OutlineRule:
        """Run the function once per outline (which blocks a document has)."""
        self.outline_rules.append(rule)
        return rule

    def start(self, rule: DocumentRule) -> DocumentRule:
        """Run the function once per document, before anything else: to lay out its facts."""
        self.starts.append(rule)
        return rule

    def document(self, rule: DocumentRule) -> DocumentRule:
        """Run the function once per document, when all blocks have been seen."""
        self.document_rules.append(rule)
        return rule

    def attribute(self, rule: AttributeRule) -> AttributeRule:
        """Run the function on every attribute that is not one of `ATTRIBUTES`: on the element and the name."""
        self.attribute_rules.append(rule)
        return rule
