"""How a block read without a tree fits its plan: which of its texts are the values, and what its tags alone decide."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ehf.flat import Form
from connector.ehf.rules.shape import Plan, attributes_of
from connector.ehf.rules.values import Values, getter
from connector.ehf.xml import name_of


class Fit:
    """A block's tags as they are written, and the plan for them."""

    __slots__ = (
        "attribute_checks",
        "conditional",
        "constants",
        "hollow",
        "leaves",
        "odd",
        "pick",
        "plan",
        "starts",
    )

    def __init__(self, plan: Plan, form: Form) -> None:
        self.plan = plan
        self.starts = form.starts
        given = [form.attributes[i].get(name) for i, name in plan.attribute_places]
        self.constants = [None, *given]
        """What stands behind the texts: nothing, and the values of the attributes."""
        self.odd = any(
            ":" not in name and name not in attributes_of(name_of(tag))
            for tag, attributes in zip(form.tags, form.attributes, strict=True)
            for name in attributes
        )
        # Counted from the end, what stands behind the texts has one place however many they are.
        behind = len(self.constants)
        self.pick = getter([-behind if at is None else at for at in form.texts] + [*range(1 - behind, 0)])
        self.leaves = getter([at for at in form.texts if at is not None])
        leaves = sum(1 for node in plan.nodes if not node.kids and node is not plan.root)
        self.hollow = leaves != sum(at is not None for at in form.texts) or not leaves
        """Whether some element is written `<name/>`, or there is none that could have a text."""
        written: Values = [None] * plan.size + given
        # The attributes are known here and now: what waits for one of them need not be asked again.
        self.conditional = [each for each in plan.conditional if each[0] < plan.size or written[each[0]] not in each[1]]
        self.attribute_checks = [check for fine, check in plan.attribute_checks if not fine(written)]

    def values(self, texts: Sequence[str]) -> tuple[Values, bool]:
        """The values of a block, and whether some element may be empty or blank."""
        v = self.pick([*texts, *self.constants])
        # Blanks come before all other characters: the least text tells of all.
        if not self.hollow and min(self.leaves(texts)) >= "!":
            return v, False
        if "" in v:  # an empty element has no text; an empty attribute is one
            size = self.plan.size
            return (*(text or None for text in v[:size]), *v[size:]), True
        return v, True
