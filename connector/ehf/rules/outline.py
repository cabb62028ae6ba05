"""The outline of a document: which blocks it has. What that alone decides, and the checks to run on the values.

As a block has a shape, a document has an outline: the plans of its blocks but for lines, and whether there are lines.
What a document must have as a whole (a seller's address, one VAT total) is decided once per outline and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from connector.ehf.report import Layer as LayerName
from connector.ehf.rules.shape import Node, Plan
from connector.ehf.rules.xpath import BreaksOff

if TYPE_CHECKING:
    from connector.ehf.rules.engine import Document, RuleSet

DocumentCheck = Callable[["Document"], object]
Spot = tuple[int, int]
"""Which block of the document, and which place in it: `doc.blocks[spot[0]][1][spot[1]]` is the text there."""

TOP: Spot = (0, 0)
"""The document element: the header is the first block."""


class Outline:
    """What the rules make of one outline."""

    __slots__ = ("blank_checks", "checks", "index", "kind", "layers", "lines", "plans", "rules", "static")

    def __init__(self, rules: RuleSet, kind: str, lines: bool, plans: Sequence[Plan]) -> None:
        self.rules = rules
        self.kind = kind
        """`Invoice` or `CreditNote`."""
        self.lines = lines
        """Whether there are lines with content."""
        self.plans = plans
        self.static: list[tuple[str, Spot, dict[str, str], bool]] = []
        self.checks: list[DocumentCheck] = []
        self.blank_checks: list[DocumentCheck] = []
        self.layers: list[tuple[LayerName, frozenset[DocumentCheck]]] = []
        self.index: dict[str, list[Spot]] = {}
        for block, plan in enumerate(plans):
            for path, places in plan.index.items():
                self.index.setdefault(path, []).extend((block, place) for place in places)
        before: frozenset[DocumentCheck] = frozenset()
        for layer in rules.layers:
            for rule in layer.outline_rules:
                rule(self)
            after = frozenset((*self.checks, *self.blank_checks))
            self.layers.append((layer.name, after - before))
            before = after

    @property
    def size(self) -> int:
        """How much there is to remember."""
        return sum(plan.size for plan in self.plans)

    def all(self, path: str) -> Sequence[Spot]:
        """Where the nodes at `path` are, from below the document element; not for what is in lines."""
        return self.index.get(path, ())

    def has(self, path: str) -> bool:
        """Whether there is a node at `path`."""
        return path in self.index

    def count(self, path: str) -> int:
        """How many nodes there are at `path`."""
        return len(self.index.get(path, ()))

    def nodes(self, path: str) -> Iterator[tuple[int, Node]]:
        """The nodes at `path`, each with the number of its block."""
        return ((block, self.plans[block].places[i]) for block, i in self.index.get(path, ()))

    def first(self, *paths: str) -> Spot:
        """The first node at the first of the paths that has any, or the document element."""
        return next((self.index[path][0] for path in paths if path in self.index), TOP)

    def fires(self, rule: str, spot: Spot = TOP, **values: str) -> None:
        """The outline alone breaks `rule`, at `spot`."""
        self.static.append((rule, spot, values, False))

    def fires_once(self, rule: str, spot: Spot = TOP, **values: str) -> None:
        """As `fires`, for a rule that fires once per document however often the document breaks it."""
        self.static.append((rule, spot, values, True))

    def check(self, check: DocumentCheck) -> None:
        """Run `check` on every document of this outline, when all its blocks have been seen."""
        self.checks.append(check)

    def when_blank(self, check: DocumentCheck) -> None:
        """Run `check` only on documents where some element without children is empty or blank."""
        self.blank_checks.append(check)

    def breaks_off(self, what: str) -> None:
        """The official evaluation ends in an error on every document of this outline."""

        def check(doc: Document) -> None:
            raise BreaksOff(what)

        self.checks.append(check)

    def layer_of(self, check: DocumentCheck) -> LayerName:
        """The layer that left the check behind."""
        return next(name for name, checks in self.layers if check in checks)

    def since(self, release: str) -> bool:
        """Whether the rule set is of that release of BIS Billing or a later one."""
        return self.rules.since(release)
