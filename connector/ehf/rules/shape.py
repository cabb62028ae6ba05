"""Shapes: a block of a document without its values, as a tree of nodes, and the plan that rules make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from connector.ehf.report import Layer as LayerName
from connector.ehf.rules.values import Values, getter, is_blank

if TYPE_CHECKING:
    from connector.ehf.rules.engine import Document, RuleSet

Check = Callable[[Values, "Document"], object]

LINES: Final = frozenset({"cac:InvoiceLine", "cac:CreditNoteLine"})

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
when the count differs."""


def attributes_of(tag: str) -> tuple[str, ...]:
    """The attributes of that element which have a place among the values."""
    # UBL-DT-06 and 07 want these two on whatever is called a binary object.
    return ATTRIBUTES.get(tag) or (("mimeCode", "filename") if tag.endswith("BinaryObject") else ())


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
        """Whether the ancestors, nearest first, are `above`; the last of them a child of the root if `anchored`."""
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
        "attribute_checks",
        "attribute_names",
        "attribute_owners",
        "attribute_places",
        "blank_checks",
        "blankable",
        "checks",
        "conditional",
        "deep",
        "index",
        "keep",
        "kind",
        "layers",
        "nodes",
        "places",
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
        self.keep = header or not (tags[0] in LINES or tags[0].startswith("cbc:"))
        self.static: list[tuple[str, int, dict[str, str]]] = []
        self.static_once: list[tuple[str, int]] = []
        self.checks: list[Check] = []
        self.conditional: list[tuple[int, frozenset[str | None], Check]] = []
        self.attribute_checks: list[tuple[Callable[[Values], bool], Check]] = []
        self.blank_checks: list[Check] = []
        self.amount_checks: list[Check] = []
        self.layers: list[tuple[LayerName, frozenset[Check]]] = []
        self.nodes = [node for node in self.top.walk() if node.i >= 0]
        """Every node of the block, in document order."""
        self.places = {node.i: node for node in self.nodes}
        self.attribute_places: list[tuple[int, str]] = []
        index: dict[str, list[int]] = {}
        for node in self.nodes:
            index.setdefault(node.path, []).append(node.i)
            for name in attributes_of(node.tag):
                node.attrs[name] = self.size + len(self.attribute_places)
                self.attribute_places.append((node.i, name))
        self.attribute_owners = getter([i for i, _ in self.attribute_places])
        """Picks the elements of `attribute_places` out of those of the block."""
        self.attribute_names = tuple(name for _, name in self.attribute_places)
        self.index = {path: tuple(places) for path, places in index.items()}
        """Path from below the document element -> places of the nodes there."""
        self.deep = tuple(
            node.i for node in self.nodes if node.kids and not node.tag.startswith("cac:") and node is not self.root
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

    def unless(self, place: int, allowed: frozenset[str | None] | frozenset[str], check: Check) -> None:
        """Run `check` only on blocks where `v[place]` is not one of `allowed`: for codes, which mostly are right."""
        self.conditional.append((place, frozenset(allowed), check))

    def unless_attributes(self, fine: Callable[[Values], bool], check: Check) -> None:
        """Run `check` only on blocks where not `fine(v)`, which looks at attributes alone.

        Blocks whose tags are written alike have the same attributes, so that is asked once for all of them.
        """
        self.attribute_checks.append((fine, check))

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

    def all_checks(self) -> Iterator[Check]:
        """Every check left behind so far."""
        yield from self.checks
        yield from (check for _, _, check in self.conditional)
        yield from (check for _, check in self.attribute_checks)
        yield from self.blank_checks
        yield from self.amount_checks

    def layer_of(self, check: Check) -> LayerName:
        """The layer that left the check behind."""
        return next(name for name, checks in self.layers if check in checks)

    def since(self, release: str) -> bool:
        """Whether the rule set is of that release of BIS Billing or a later one."""
        return self.rules.since(release)

    def codes(self, name: str) -> frozenset[str]:
        """The code list of that name as it stands in this release."""
        return self.rules.codes(name)


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
