"""Shapes, plans and documents: what turns rule functions into verdicts. See the package for how a rule is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from operator import itemgetter
from typing import Any, Final, cast

from lxml import etree

from connector.ehf.report import Layer as LayerName
from connector.ehf.report import Severity
from connector.ehf.rules import codelists, releases
from connector.ehf.rules.xpath import BreaksOff
from connector.ehf.rules.xpath import decimal as _xs_decimal
from connector.ehf.xml import name_of

Values = Sequence["str | None"]
Check = Callable[[Values, "Document"], object]
Binder = Callable[["Node", "Plan"], None]
DocumentRule = Callable[["Document"], None]
ShapeRule = Callable[["Plan"], None]
AttributeRule = Callable[["Document", etree._Element, str], None]

BLANKS: Final = " \t\r\n"
"""What XPath's normalize-space() calls white space; a no-break space is none."""

MAX_FINDINGS_PER_RULE: Final = 500
"""So that 50,000 bad lines do not make a report that nobody can read; the rest is counted."""

_ARITHMETIC: Final = Context(prec=1000)
"""`xs:decimal` rounds nothing in a sum or product; Python's default context rounds to 28 digits."""

count_attributes = cast("Callable[[etree._Element], float]", etree.XPath("count(//@*)"))

_REMEMBERED_NODES: Final = 200_000
"""How many nodes the plans that a rule set remembers may have together, some 100 MB at most."""

_AMOUNTS = (
    "Amount BaseAmount PriceAmount TaxAmount TaxableAmount LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount "
    "AllowanceTotalAmount ChargeTotalAmount PrepaidAmount PayableRoundingAmount PayableAmount"
)
AMOUNTS: Final = frozenset(f"cbc:{name}" for name in _AMOUNTS.split())
"""The elements that carry `currencyID`."""

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(AMOUNTS, ("currencyID",)),
    **dict.fromkeys(("cbc:InvoicedQuantity", "cbc:CreditedQuantity", "cbc:BaseQuantity"), ("unitCode",)),
    **dict.fromkeys(("cbc:EndpointID", "cbc:ID", "cbc:CompanyID"), ("schemeID",)),
    "cbc:ItemClassificationCode": ("listID", "listVersionID"),
    "cbc:EmbeddedDocumentBinaryObject": ("mimeCode", "filename"),
    "cbc:PaymentMeansCode": ("name",),
}
"""The attributes that rules read and an invoice normally has. Others are rare: they are counted, and looked for only
when the count differs (`Document.attributes`)."""


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


class Node:
    """A place in a shape: an element without its values. `i` is where its text stands in `v`."""

    __slots__ = ("attrs", "i", "kids", "parent", "path", "tag")

    def __init__(self, tag: str, i: int, parent: Node | None) -> None:
        self.tag = tag
        self.i = i
        self.parent = parent
        self.kids: list[Node] = []
        self.attrs: dict[str, int] = {}
        # From below the document element: `cac:InvoiceLine/cac:Item`; the document element itself has the empty path.
        self.path: str = "" if parent is None else f"{parent.path}/{tag}" if parent.path else tag

    def all(self, path: str) -> list[Node]:
        """The nodes at `path`, child steps from here, in document order."""
        nodes = [self]
        for step in path.split("/"):
            nodes = [kid for node in nodes for kid in node.kids if kid.tag == step]
        return nodes

    def first(self, path: str) -> Node | None:
        """The first node at `path`, or None."""
        return next(iter(self.all(path)), None)

    def has(self, path: str) -> bool:
        """Whether there is a node at `path`."""
        return bool(self.all(path))

    def places(self, path: str) -> tuple[int, ...]:
        """The places in `v` of the texts of the nodes at `path`."""
        return tuple(node.i for node in self.all(path))

    def attr(self, name: str) -> int:
        """The place in `v` of the attribute; only those of `ATTRIBUTES`."""
        return self.attrs[name]

    def inside(self, tag: str) -> bool:
        """Whether an ancestor has that tag."""
        node = self.parent
        while node is not None:
            if node.tag == tag:
                return True
            node = node.parent
        return False

    def walk(self) -> Iterator[Node]:
        """The node and all below it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.kids))

    def fits(self, above: tuple[str, ...], anchored: bool) -> bool:
        """Whether the ancestors, nearest first, are `above`."""
        node = self.parent
        for step in above:
            if node is None or node.tag != step or node.parent is None:
                return False
            node = node.parent
        return not anchored or (node is not None and node.parent is None)


class Plan:
    """What the rules make of one shape: what it decides alone, and the checks to run on its values."""

    __slots__ = (
        "amount_checks",
        "amounts",
        "attribute_places",
        "blank_checks",
        "blankable",
        "checks",
        "deep",
        "index",
        "keep",
        "kind",
        "layers",
        "nodes",
        "root",
        "rules",
        "size",
        "static",
        "static_once",
        "top",
    )

    def __init__(self, rules: RuleSet, kind: str, tags: Sequence[str], lengths: Sequence[int], header: bool) -> None:
        self.rules = rules
        self.kind = kind
        """`Invoice` or `CreditNote`."""
        self.size = len(tags)
        self.root, self.top = _tree(kind, tags, lengths, header)
        self.keep = header or tags[0] not in LINES
        self.static: list[tuple[str, int, dict[str, str]]] = []
        self.static_once: list[tuple[str, int]] = []
        self.checks: list[Check] = []
        self.blank_checks: list[Check] = []
        self.amount_checks: list[Check] = []
        self.attribute_places: list[tuple[int, str]] = []
        self.layers: list[tuple[int, LayerName]] = []
        self.nodes = [node for node in self.top.walk() if node.i >= 0]
        """Every node of the block, in document order."""
        index: dict[str, list[int]] = {}
        for node in self.nodes:
            index.setdefault(node.path, []).append(node.i)
            for name in attributes_of(node.tag):
                node.attrs[name] = self.size + len(self.attribute_places)
                self.attribute_places.append((node.i, name))
        self.index = {path: tuple(places) for path, places in index.items()}
        self.deep = tuple(
            node.i for node in self.nodes if node.kids and not node.tag.startswith("cac:") and node.parent
        )
        self.blankable = getter([node.i for node in self.nodes if not node.kids and node is not self.root])
        amounts = [node for node in self.nodes if node.tag.endswith("Amount") and not node.tag.endswith("PriceAmount")]
        self.amounts = getter([node.i for node in amounts])
        rules.bind(self)

    def fires(self, rule: str, node: Node, **values: str) -> None:
        """The shape alone breaks `rule` at `node`."""
        if rule in self.rules.entries:
            self.static.append((rule, node.i, values))

    def fires_once(self, rule: str, node: Node) -> None:
        """As `fires`, for a rule that fires once per document however often the document breaks it."""
        if rule in self.rules.entries:
            self.static_once.append((rule, node.i))

    def exists(self, rule: str, node: Node, *paths: str) -> None:
        """Fires at `node` when there is nothing at any of the paths."""
        if not any(node.has(path) for path in paths):
            self.fires(rule, node)

    def at_most_one(self, rule: str, node: Node, path: str) -> None:
        """Fires at the second node at `path`."""
        found = node.all(path)
        if len(found) > 1:
            self.fires(rule, found[1], count=str(len(found)))

    def check(self, check: Check) -> None:
        """Run `check` on the values of every block of this shape."""
        self.checks.append(check)

    def when_blank(self, check: Check) -> None:
        """Run `check` only on blocks where some element without children is empty or blank: for required text."""
        self.blank_checks.append(check)

    def check_amounts(self, check: Check) -> None:
        """Run `check` only on blocks where some amount has more than two decimals: for rules on decimals."""
        self.amount_checks.append(check)

    def required(self, rule: str, node: Node, path: str) -> None:
        """`normalize-space(path) != ''`: fires at `node` when there is none or it is blank."""
        found = node.first(path)
        if found is None:
            self.fires(rule, node)
            return
        i, at = found.i, node.i
        self.when_blank(lambda v, doc: doc.fire(rule, at) if is_blank(v[i]) else None)

    def layer_of(self, check: int) -> LayerName:
        """The layer that left the check behind which stands at that place."""
        return next(layer for end, layer in self.layers if check < end)

    def since(self, release: str) -> bool:
        """Whether the rule set is of that release of BIS Billing or a later one."""
        return self.rules.since(release)

    def codes(self, name: str) -> frozenset[str]:
        """The code list of that name as it stands in this release."""
        return self.rules.codes(name)


LINES: Final = frozenset({"cac:InvoiceLine", "cac:CreditNoteLine"})


def attributes_of(tag: str) -> tuple[str, ...]:
    """The attributes of that element which have a place among the values."""
    # UBL-DT-06 and 07 want these two on whatever is called a binary object.
    return ATTRIBUTES.get(tag) or (("mimeCode", "filename") if tag.endswith("BinaryObject") else ())


class Document:
    """One document being judged. Rules read `kind`, `facts`, `each`, `texts`, `has`, and tell with `fire`."""

    __slots__ = (
        "attributes_read",
        "broke_off",
        "decimal",
        "els",
        "facts",
        "fired",
        "found",
        "kept",
        "kind",
        "root",
        "rules",
        "typed",
    )

    def __init__(self, root: etree._Element, rules: RuleSet, kind: str, typed: bool) -> None:
        self.root = root
        self.typed = typed
        """Whether it passed the XSD, so that every amount is a number and every date a date."""
        self.decimal = cast("Callable[[str | None], Decimal]", Decimal if typed else _strict_decimal)
        """`xs:decimal(text)`; raises `BreaksOff` on what is none."""
        self.rules = rules
        self.kind = kind
        """`Invoice` or `CreditNote`."""
        self.facts: dict[str, Any] = {}
        """What rules hand on from block to block and to the rules of the document."""
        self.els: list[etree._Element] = []
        self.found: list[tuple[str, etree._Element, dict[str, str]]] = []
        self.fired: dict[str, int] = {}
        self.kept: dict[str, list[tuple[Plan, Values, list[etree._Element]]]] = {}
        self.broke_off: dict[LayerName, tuple[etree._Element, str]] = {}
        """Layers whose official evaluation ends in an error: where and why, the first time."""
        self.attributes_read = 0

    def fire(self, rule: str, at: int | etree._Element, **values: str | None) -> None:
        """Rule `rule` is broken `at` a place of the block at hand (or at an element); `values` are what clashes."""
        if rule not in self.rules.entries:
            return
        times = self.fired.get(rule, 0)
        self.fired[rule] = times + 1
        if times < MAX_FINDINGS_PER_RULE:
            element = self.els[at] if isinstance(at, int) else at
            self.found.append((rule, element, {name: value for name, value in values.items() if value is not None}))

    def fire_once(self, rule: str, at: int | etree._Element, **values: str | None) -> None:
        """As `fire`, for a rule that fires once per document however often the document breaks it."""
        if rule not in self.fired:
            self.fire(rule, at, **values)

    def each(self, path: str) -> Iterator[tuple[str | None, etree._Element]]:
        """Text and element of every node at `path`, from below the document element; not for what is in lines."""
        for plan, v, els in self.kept.get(path.partition("/")[0], ()):
            for i in plan.index.get(path, ()):
                yield v[i], els[i]

    def texts(self, path: str) -> list[str | None]:
        """The texts of the nodes at `path`, as `each`."""
        return [v[i] for plan, v, _ in self.kept.get(path.partition("/")[0], ()) for i in plan.index.get(path, ())]

    def has(self, path: str) -> bool:
        """Whether there is a node at `path`, as `each`."""
        return any(path in plan.index for plan, _, _ in self.kept.get(path.partition("/")[0], ()))

    def count(self, path: str) -> int:
        """How many nodes there are at `path`, as `each`."""
        return sum(len(plan.index.get(path, ())) for plan, _, _ in self.kept.get(path.partition("/")[0], ()))

    def since(self, release: str) -> bool:
        """Whether the rule set is of that release of BIS Billing or a later one."""
        return self.rules.since(release)

    def codes(self, name: str) -> frozenset[str]:
        """The code list of that name as it stands in this release."""
        return self.rules.codes(name)

    def undecidable(self, layer: LayerName, reason: Exception, element: etree._Element) -> None:
        """The official evaluation of `layer` ends in an error here: there is no verdict, so never a valid one."""
        self.broke_off.setdefault(layer, (element, str(reason)))

    def block(self, els: list[etree._Element], *, header: bool = False) -> None:
        """Judge one block: an element with everything below it, or the document element with its leaf children."""
        tags = [el.tag for el in els]
        lengths = [0] * len(els) if header else [*map(len, els)]
        plan = self.rules.plan(self.kind, tags, lengths, header)
        v: list[str | None] = [el.text for el in els]
        for i in plan.deep:
            v[i] = "".join(map(str, els[i].itertext()))
        if plan.attribute_places:
            more = [els[i].get(name) for i, name in plan.attribute_places]
            self.attributes_read += len(more) - more.count(None)
            v += more
        self.els = els
        for check in plan.checks:
            try:
                check(v, self)
            except (BreaksOff, ArithmeticError) as reason:
                self.undecidable(plan.layer_of(plan.checks.index(check)), reason, els[0])
        if plan.blank_checks:
            leaves = plan.blankable(v)
            if None in leaves or True in map(str.isspace, leaves):  # type: ignore[arg-type]
                for check in plan.blank_checks:
                    check(v, self)
        if plan.amount_checks and True in map(too_fine, plan.amounts(v)):
            for check in plan.amount_checks:
                check(v, self)
        for rule, i, values in plan.static:
            self.fire(rule, i, **values)
        for rule, i in plan.static_once:
            self.fire_once(rule, i)
        if plan.keep:
            block = (plan, v, els)
            tops = {node.tag for node in plan.top.kids} if header else (plan.top.tag,)
            for tag in tops:
                self.kept.setdefault(tag, []).append(block)


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
        self.starts = [rule for layer in layers for rule in layer.starts]
        self.document_rules = [(rule, layer.name) for layer in layers for rule in layer.document_rules]
        self.attribute_rules = [rule for layer in layers for rule in layer.attribute_rules]
        self._plans: dict[tuple[object, ...], Plan] = {}
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

    def plan(self, kind: str, tags: list[str], lengths: list[int], header: bool) -> Plan:
        """The plan for that shape, made now if it is new."""
        key = (kind, header, *tags, *lengths)
        plan = self._plans.get(key)
        if plan is None:
            plan = Plan(self, kind, [name_of(tag) for tag in tags], lengths, header)
            if plan.size < 2000:  # a giant is not likely to come again
                if self._remembered + plan.size > _REMEMBERED_NODES:
                    self._plans.clear()
                    self._remembered = 0
                self._plans[key] = plan
                self._remembered += plan.size
        return plan

    def bind(self, plan: Plan) -> None:
        """Run the functions that want a node of the plan, then those that want the whole of it."""
        for layer in self.layers:
            for node in plan.nodes:
                done: list[Binder] = []
                for above, anchored, binder in layer.binders.get(node.tag, ()):
                    if binder not in done and node.fits(above, anchored):
                        done.append(binder)
                        binder(node, plan)
            for rule in layer.shape_rules:
                rule(plan)
            plan.layers.append((len(plan.checks), layer.name))


def judge(root: etree._Element, rules: RuleSet, kind: str, *, typed: bool) -> Document:
    """Run every rule of the set on the document; what it broke is in `found` and `fired`.

    `typed` says that the document passed the XSD.
    """
    with localcontext(_ARITHMETIC):
        return _judge(Document(root, rules, kind, typed))


def _judge(doc: Document) -> Document:
    root = doc.root
    for start in doc.rules.starts:
        start(doc)
    header = [root]
    blocks = []
    for child in root:
        if len(child):
            blocks.append(child)
        else:
            header.append(child)
    doc.block(header, header=True)
    for child in blocks:
        doc.block([*child.iter()])
    if count_attributes(root) != doc.attributes_read:
        _other_attributes(doc)
    for rule, layer in doc.rules.document_rules:
        try:
            rule(doc)
        except (BreaksOff, ArithmeticError) as reason:
            doc.undecidable(layer, reason, root)
    return doc


def _other_attributes(doc: Document) -> None:
    for element in doc.root.iter():
        if len(element.attrib):
            read = attributes_of(name_of(element.tag))
            for name in element.attrib:
                if name not in read:
                    for rule in doc.rules.attribute_rules:
                        rule(doc, element, str(name))


def too_fine(text: str | None) -> bool:
    """`string-length(substring-after(., '.')) > 2`: more than two characters after the point, zeros and blanks too."""
    return text is not None and "." in text[:-3]


def _strict_decimal(text: str | None) -> Decimal:
    return _xs_decimal(text or "")


def is_blank(text: str | None) -> bool:
    """Whether `normalize-space(text) = ''`."""
    return text is None or not text.strip(BLANKS)


def strip(text: str | None) -> str:
    """The text without white space around it, as `normalize-space` for one token; '' for None."""
    return text.strip(BLANKS) if text else ""


def getter(places: Sequence[int]) -> Callable[[Values], tuple[str | None, ...]]:
    """A function that picks those places out of the values, as a tuple."""
    if not places:
        return lambda v: ()
    if len(places) == 1:
        only = places[0]
        return lambda v: (v[only],)
    return itemgetter(*places)


def picker(places: Sequence[int | None]) -> Callable[[Values], tuple[str | None, ...]]:
    """As `getter`, with None for a place that is None."""
    there = [place for place in places if place is not None]
    if len(there) == len(places):
        return getter(there)
    return lambda v: tuple(None if place is None else v[place] for place in places)


def _tree(kind: str, tags: Sequence[str], lengths: Sequence[int], header: bool) -> tuple[Node, Node]:
    """The document element and the top of the block as nodes; a document element outside the block has i = -1."""
    if header:
        root = Node(kind, 0, None)
        root.kids = [Node(tag, i, root) for i, tag in enumerate(tags) if i]
        return root, root
    root = Node(kind, -1, None)
    open_nodes = [(root, 1)]
    for i, (tag, length) in enumerate(zip(tags, lengths, strict=True)):
        while not open_nodes[-1][1]:
            open_nodes.pop()
        parent, left = open_nodes[-1]
        open_nodes[-1] = (parent, left - 1)
        node = Node(tag, i, parent)
        parent.kids.append(node)
        if length:
            open_nodes.append((node, length))
    return root, root.kids[0]
