"""Documents and rule sets: what rule functions read and where they tell. See the package for how a rule is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, cast

from lxml import etree

from connector.ehf import flat
from connector.ehf.report import Layer as LayerName
from connector.ehf.report import Severity
from connector.ehf.rules import codelists, releases
from connector.ehf.rules.fit import Fit
from connector.ehf.rules.layer import Binder as Binder
from connector.ehf.rules.layer import DocumentRule as DocumentRule
from connector.ehf.rules.layer import Layer as Layer
from connector.ehf.rules.layer import OutlineRule as OutlineRule
from connector.ehf.rules.layer import ShapeRule as ShapeRule
from connector.ehf.rules.outline import Outline as Outline
from connector.ehf.rules.outline import Spot as Spot
from connector.ehf.rules.places import Elements as Elements
from connector.ehf.rules.places import Place as Place
from connector.ehf.rules.places import Source
from connector.ehf.rules.places import element_of as element_of
from connector.ehf.rules.shape import AMOUNTS as AMOUNTS
from connector.ehf.rules.shape import ATTRIBUTES as ATTRIBUTES
from connector.ehf.rules.shape import LINES as LINES
from connector.ehf.rules.shape import Check as Check
from connector.ehf.rules.shape import Node as Node
from connector.ehf.rules.shape import Plan as Plan
from connector.ehf.rules.shape import attributes_of as attributes_of
from connector.ehf.rules.values import BLANKS as BLANKS
from connector.ehf.rules.values import Values as Values
from connector.ehf.rules.values import getter as getter
from connector.ehf.rules.values import is_blank as is_blank
from connector.ehf.rules.values import picker as picker
from connector.ehf.rules.values import strip as strip
from connector.ehf.rules.values import too_fine as too_fine
from connector.ehf.rules.xpath import BreaksOff
from connector.ehf.rules.xpath import decimal as _xs_decimal
from connector.ehf.xml import name_of, string_value, text_nodes
from connector.errors import BadInput

MAX_FINDINGS_PER_RULE: Final = 500
"""So that 50,000 bad lines do not make a report that nobody can read; the rest is counted."""

MAX_BLOCK: Final = 50_000
"""The most elements of one block. Lines are blocks of their own, so no invoice comes near."""

_REMEMBERED_NODES: Final = 200_000
"""How many nodes the plans that a rule set remembers may have together, some 100 MB at most."""

# Through `map`, these are read a third faster than by name in a comprehension, and half the time goes into reading.
_tag = cast("Callable[[etree._Element], str]", attrgetter("tag"))
_text = cast("Callable[[etree._Element], str | None]", attrgetter("text"))
_get = cast("Callable[[etree._Element, str], str | None]", etree._Element.get)

Block = tuple[Plan, Values, Elements]


class Document:
    """One document being judged. Rules read `kind`, `facts`, `each`, `texts`, `has`, and tell with `fire`."""

    __slots__ = (
        "attributes_read",
        "blank",
        "blocks",
        "broke_off",
        "decimal",
        "els",
        "facts",
        "fired",
        "found",
        "kind",
        "lines",
        "outline",
        "parted",
        "plans",
        "rules",
        "source",
        "too_fine",
        "typed",
    )

    def __init__(self, source: Source, rules: RuleSet, kind: str, typed: bool) -> None:
        self.source = source
        self.lines = 0
        """How many lines there are."""
        self.rules = rules
        self.plans = rules.plans[kind]
        self.kind = kind
        """`Invoice` or `CreditNote`."""
        self.typed = typed
        """Whether it passed the XSD, so that every amount is a number and every date a date."""
        self.decimal = cast("Callable[[str | None], Decimal]", Decimal if typed else _strict_decimal)
        """`xs:decimal(text)`; raises `BreaksOff` on what is none."""
        self.facts: dict[str, Any] = {}
        """What rules hand on from block to block and to the rules of the document."""
        self.els: Elements = ()
        """The elements of the block at hand, in document order; rules keep `place(i)`, not the element."""
        self.found: list[tuple[str, etree._Element, dict[str, str]]] = []
        """What was found: rule, place, the values that clash."""
        self.fired: dict[str, int] = {}
        """How often each rule fired."""
        self.broke_off: dict[LayerName, tuple[etree._Element, str]] = {}
        """Layers whose official evaluation ends in an error: where and why, the first time."""
        self.blocks: list[Block] = []
        """The blocks but for lines; the header is the first."""
        self.blank = False
        """Whether some element without children is empty or blank, or it has not passed the XSD."""
        self.too_fine = False
        """Whether some amount, prices aside, has more than two decimals."""
        self.parted: Mapping[etree._Element, list[str]] = {}
        """The pieces of the texts that have a comment or processing instruction in them."""
        self.attributes_read = 0
        self.outline: Outline
        """Which blocks it has; known when all of them have been seen."""

    @property
    def root(self) -> etree._Element:
        """The document element. A document that was read without a tree is read again for it, once."""
        return self.source.root

    @property
    def top(self) -> Place:
        """Where the document element stands."""
        return self.blocks[0][2], 0

    def at(self, spot: Spot) -> Place:
        """Where a spot of the outline is."""
        return self.blocks[spot[0]][2], spot[1]

    def text(self, spot: Spot) -> str | None:
        """The text there."""
        return self.blocks[spot[0]][1][spot[1]]

    def pieces(self, element: etree._Element) -> list[str]:
        """`text()` of an element: in several pieces when an element, a comment or the like stands in between."""
        return self.parted.get(element) or text_nodes(element)

    def place(self, i: int) -> Place:
        """The place `i` of the block at hand, to keep for later."""
        return self.els, i

    def fire(self, rule: str, at: int | Place | etree._Element, **values: str | None) -> None:
        """Rule `rule` is broken `at` a place of the block at hand (or at an element); `values` clash."""
        if rule not in self.rules.entries:
            return
        times = self.fired.get(rule, 0)
        self.fired[rule] = times + 1
        if times < MAX_FINDINGS_PER_RULE:
            element = self.els[at] if isinstance(at, int) else element_of(at) if isinstance(at, tuple) else at
            self.found.append((rule, element, {name: value for name, value in values.items() if value is not None}))

    def fire_once(self, rule: str, at: int | Place | etree._Element, **values: str | None) -> None:
        """As `fire`, for a rule that fires once per document however often the document breaks it."""
        if rule not in self.fired:
            self.fire(rule, at, **values)

    def spots(self, path: str) -> Sequence[Spot]:
        """Where the nodes at `path` are, from below the document element; for document rules. Not for lines."""
        return self.outline.index.get(path, ())

    def each(self, path: str) -> Iterator[tuple[str | None, Place]]:
        """Text and place of every node at `path`, as `spots`."""
        for block, i in self.spots(path):
            _, v, els = self.blocks[block]
            yield v[i], (els, i)

    def attributed(self, path: str, name: str) -> Iterator[tuple[str | None, str | None, Place]]:
        """As `each`, with an attribute in the middle: one of `ATTRIBUTES`."""
        for node, v, els in self.nodes(path):
            yield v[node.i], v[node.attr(name)], (els, node.i)

    def texts(self, path: str) -> list[str | None]:
        """The texts of the nodes at `path`, as `spots`."""
        return [self.blocks[block][1][i] for block, i in self.spots(path)]

    def has(self, path: str) -> bool:
        """Whether there is a node at `path`, as `spots`."""
        return path in self.outline.index

    def count(self, path: str) -> int:
        """How many nodes there are at `path`, as `spots`."""
        return len(self.spots(path))

    def nodes(self, path: str) -> Iterator[tuple[Node, Values, Elements]]:
        """The nodes at `path`, as `spots`, with the values and elements of their blocks."""
        for block, i in self.spots(path):
            plan, v, els = self.blocks[block]
            yield plan.places[i], v, els

    def since(self, release: str) -> bool:
        """Whether the rule set is of that release of BIS Billing or a later one."""
        return self.rules.since(release)

    def codes(self, name: str) -> frozenset[str]:
        """The code list of that name as it stands in this release."""
        return self.rules.codes(name)

    def undecidable(self, layer: LayerName, reason: Exception, at: Place | etree._Element) -> None:
        """The official evaluation of `layer` ends in an error here: there is no verdict, so never a valid one."""
        self.broke_off.setdefault(layer, (element_of(at) if isinstance(at, tuple) else at, str(reason)))

    def block(self, els: list[etree._Element], *, header: bool = False) -> None:
        """Judge one block: an element with everything below it, or the document element with its leaf children."""
        if len(els) > MAX_BLOCK:
            raise BadInput(
                f"One part of the document has {len(els):,} elements; the limit is {MAX_BLOCK:,}.",
                code="xml-too-large",
                do="Send an invoice; only its lines are that many.",
                where={"path": name_of(els[0].tag), "line": els[0].sourceline},
            )
        tags = [*map(_tag, els)]
        key = ("header", *tags) if header else (*tags, *map(len, els))
        plan = self.plans.get(key) or self.rules.plan(self.kind, key, tags, None if header else [*map(len, els)])
        v: list[str | None] = [*map(_text, els)]
        if header and not self.typed:
            for i, el in enumerate(els[1:], start=1):
                if len(el):
                    v[i] = string_value(el)
        if plan.deep:
            for i in plan.deep:
                v[i] = string_value(els[i])
        if plan.attribute_places:
            more = [*map(_get, plan.attribute_owners(els), plan.attribute_names)]
            self.attributes_read += len(more) - more.count(None)
            v += more
        blank = not self.typed
        if not blank:
            leaves = plan.blankable(v)
            blank = None in leaves or True in map(str.isspace, leaves)  # type: ignore[arg-type]
        attribute_checks = [check for fine, check in plan.attribute_checks if not fine(v)]
        self.run(plan, v, els, plan.conditional, attribute_checks, blank)

    def run(
        self,
        plan: Plan,
        v: Values,
        els: Elements,
        conditional: Sequence[tuple[int, frozenset[str | None], Check]],
        attribute_checks: Sequence[Check],
        blank: bool,
    ) -> None:
        """Run the checks of the plan on the values of one block; `blank` says that some of its texts may be."""
        self.els = els
        for check in plan.checks:
            try:
                check(v, self)
            except (BreaksOff, ArithmeticError) as reason:
                self.undecidable(plan.layer_of(check), reason, (els, 0))
        for i, allowed, check in conditional:
            if v[i] not in allowed:
                self._run((check,), plan, v)
        if attribute_checks:
            self._run(attribute_checks, plan, v)
        if blank:
            self.blank = True
            self._run(plan.blank_checks, plan, v)
        if plan.amount_checks and True in map(too_fine, plan.amounts(v)):
            self.too_fine = True
            self._run(plan.amount_checks, plan, v)
        if plan.static:
            for rule, i, values in plan.static:
                self.fire(rule, i, **values)
        if plan.static_once:
            for rule, i in plan.static_once:
                self.fire_once(rule, i)
        if plan.keep:
            self.blocks.append((plan, v, els))
        elif plan.top.tag in LINES:
            self.lines += 1

    def _run(self, checks: Sequence[Check], plan: Plan, v: Values) -> None:
        for check in checks:
            try:
                check(v, self)
            except (BreaksOff, ArithmeticError) as reason:
                self.undecidable(plan.layer_of(check), reason, (self.els, 0))


class RuleSet:
    """The rules of one release for one kind of document: what `judge` runs. Made once, remembers its plans."""

    def __init__(self, release: str, layers: Sequence[Layer]) -> None:
        self.release = release
        self.rank = releases.rank(release)
        self.layers = tuple(layers)
        self.entries: dict[str, tuple[Severity, LayerName]] = {
            entry.rule: (entry.severity, layer.name)
            for layer in layers
            for entry in layer.catalogue
            if (entry.since is None or releases.rank(entry.since) <= self.rank)
            and (entry.until is None or self.rank <= releases.rank(entry.until))
        }
        """Every rule of the set: its severity and layer."""
        self.starts = [rule for layer in layers for rule in layer.starts]
        self.document_rules = [(rule, layer.name) for layer in layers for rule in layer.document_rules]
        self.attribute_rules = [rule for layer in layers for rule in layer.attribute_rules]
        self.plans: dict[str, dict[tuple[object, ...], Plan]] = {"Invoice": {}, "CreditNote": {}}
        self.fits: dict[tuple[str, flat.Names], dict[str, Fit]] = {}
        """By kind and namespaces as written: a block's tags as written -> its plan."""
        self.outlines: dict[str, dict[tuple[object, ...], Outline]] = {"Invoice": {}, "CreditNote": {}}
        self._remembered = 0
        self._codes: dict[str, frozenset[str]] = {}

    def since(self, release: str) -> bool:
        """Whether this is that release of BIS Billing or a later one."""
        return self.rank >= releases.rank(release)

    def codes(self, name: str) -> frozenset[str]:
        """The code list of that name as it stands in this release."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = codelists.code_list(name, self.release)
        return found

    def plan(self, kind: str, key: tuple[object, ...], tags: list[str], lengths: list[int] | None) -> Plan:
        """A plan for a shape that is new; `lengths` are the numbers of children, None for a header."""
        plan = Plan(self, kind, [name_of(tag) for tag in tags], lengths or [0] * len(tags), lengths is None)
        if self._remembers(plan.size):
            self.plans[kind][key] = plan
        return plan

    def _forget(self) -> None:
        for kind in self.plans:
            self.plans[kind].clear()
            self.outlines[kind].clear()
        self.fits.clear()
        self._remembered = 0

    def fit(self, doc: flat.Flat, written: str, *, header: bool = False) -> Fit | None:
        """The plan for tags that are new, written one after the other; None when they must be read as a tree."""
        tags = written.split("<") if written else []
        form = flat.header_form(tags, doc.names, doc.tag) if header else flat.form(tags, doc.names)
        if form is None or len(form.tags) > MAX_BLOCK:
            return None
        lengths = form.lengths
        key = ("header", *form.tags) if header else (*form.tags, *lengths)
        plan = self.plans[doc.kind].get(key) or self.plan(doc.kind, key, form.tags, None if header else lengths)
        fit = Fit(plan, form)
        if self._remembers(plan.size):
            self.fits.setdefault((doc.kind, doc.names), {})[written] = fit
        return fit

    def outline(self, doc: Document) -> Outline:
        """What the rules make of the blocks that the document has."""
        plans = [block[0] for block in doc.blocks]
        key = (doc.lines > 0, *plans)
        outline = self.outlines[doc.kind].get(key)
        if outline is None:
            outline = Outline(self, doc.kind, doc.lines > 0, plans)
            if self._remembers(outline.size):
                self.outlines[doc.kind][key] = outline
        return outline

    def _remembers(self, size: int) -> bool:
        """Whether something of that many nodes is to be remembered; what is there may be forgotten for it."""
        if size >= 2000:  # a giant is not likely to come again
            return False
        if self._remembered + size > _REMEMBERED_NODES:
            self._forget()
        self._remembered += size
        return True

    def bind(self, plan: Plan) -> None:
        """Run the functions that want a node of the plan, then those that want the whole of it."""
        before: frozenset[Check] = frozenset()
        for layer in self.layers:
            for node in plan.nodes:
                done: list[Binder] = []
                for above, anchored, binder in layer.binders.get(node.tag, ()):
                    if binder not in done and node.fits(above, anchored):
                        done.append(binder)
                        binder(node, plan)
            for rule in layer.shape_rules:
                rule(plan)
            after = frozenset(plan.all_checks())
            plan.layers.append((layer.name, after - before))
            before = after


def _strict_decimal(text: str | None) -> Decimal:
    return _xs_decimal(text or "")
