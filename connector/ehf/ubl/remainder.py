"""What a document holds beyond the model's fields: found by comparison, put back by name and place.

`remainder(original, written)` lists the differences between an element as received and the same element as the model's
fields alone would write it; `restore(written, remainder)` applies them. Whatever the two trees are,

    restore(written, remainder(original, written)) is equal to original

up to formatting: blanks between elements, comments, processing instructions, prefixes and the order of attributes.
So losing nothing rests on these two functions and not on a list of things somebody thought of.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable

from lxml import etree

from connector.ehf.ubl.order import ranks
from connector.ehf.xml import name_of, parse
from connector.errors import BadInput, ConnectorError
from connector.model.extension import Extension, Kept

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_STEP = re.compile(r"(?:\{[^}]*\})?[^/\[{]+\[[0-9]+\]")
_COMPARED_ONE_BY_ONE = 10_000
"""Pairs of same-named children that are compared for likeness; beyond, they are paired in their order."""


def remainder(original: etree._Element, written: etree._Element, settled: frozenset[str] = frozenset()) -> Extension:
    """The differences, so that `restore(written, …)` gives the original. Changes `written` into it on the way.

    Args:
        original: element as received.
        written: the same element from the model's fields alone.
        settled: names of children (of the two elements themselves) that are known to be equal one by one.

    Raises:
        BadInput: `ubl-mixed-text`: text stands between the elements of the document itself, which no schema allows.
    """
    if _mixed(original):
        raise BadInput(
            f"There is text between the elements of {name_of(original.tag)}.",
            code="ubl-mixed-text",
            do="Remove the text; in UBL every value has an element of its own.",
            where={"xpath": name_of(original.tag), "line": original.sourceline},
        )
    kept: list[Kept] = []
    if not same(original, written, settled):
        _compare(original, written, "", kept, settled)
    return tuple(kept)


def restore(written: etree._Element, extension: Iterable[Kept]) -> None:
    """Put back what was kept. A difference whose place is gone, or whose text is another by now, is void.

    Raises:
        BadInput: `extension-malformed`: what was kept is no XML (only from outside; `remainder` makes none such).
    """
    # Paths are those of the untouched element: find all before the first change.
    found = [(each, _find(written, each.at)) for each in extension]
    for each, element in found:
        if element is not None:
            _apply(element, each)


def same(one: etree._Element, other: etree._Element, settled: frozenset[str] = frozenset()) -> bool:
    """Whether two elements are equal but for formatting. Children named in `settled` are taken to be."""
    if one.tag != other.tag or one.attrib != other.attrib or len(one) != len(other):
        return False
    if not len(one):
        return (one.text or "") == (other.text or "")
    if _text(one.text) != _text(other.text):
        return False
    for a, b in zip(one, other, strict=True):
        if _text(a.tail) != _text(b.tail) or a.tag != b.tag or (a.tag not in settled and not same(a, b)):
            return False
    return True


def _text(text: str | None) -> str:
    """Text between elements; blanks there are formatting."""
    return text if text and text.strip() else ""


def _mixed(element: etree._Element) -> bool:
    """Whether text stands between the children of the element."""
    return bool(len(element)) and (bool(_text(element.text)) or any(_text(child.tail) for child in element))


# Comparing ------------------------------------------------------------------------------------------------------------


def _compare(
    original: etree._Element,
    written: etree._Element,
    at: str,
    kept: list[Kept],
    settled: frozenset[str] = frozenset(),
) -> None:
    pairs = _pairs(original, written, settled)
    paths = _paths(written, at)
    for there, here in pairs:
        if original[there].tag not in settled and not same(original[there], written[here]):
            _compare(original[there], written[here], paths[here], kept)

    gone = _unpaired(written, (here for _, here in pairs))
    new = _unpaired(original, (there for there, _ in pairs))
    own = _attributes(original, written, at)
    own += [Kept(at=paths[n], what="absent") for n in gone]
    own += _texts(original, written, at)
    own += [Kept(at=at, what="element", value=_xml(original[n]), place=_place(original[n])) for n in new]

    # The same steps in the same order as `restore` will take them, to see in which order the children then stand.
    belongs = [(written[here], there) for there, here in pairs]
    for element in [written[n] for n in gone]:
        written.remove(element)
    for each in own:
        if each.what != "absent":
            added = _apply(written, each)
            if added is not None:
                belongs.append((added, _nth(original, added.tag, each.place or 1)))
    numbers = {id(child): number for child, number in belongs}
    order = [numbers[id(child)] for child in written]
    if order != sorted(order):
        own.append(Kept(at=at, what="order", order=tuple(sorted(range(len(order)), key=order.__getitem__))))
        _apply(written, own[-1])
    kept += own


def _texts(original: etree._Element, written: etree._Element, at: str) -> list[Kept]:
    text = "" if len(original) else original.text or ""
    stands = "" if len(written) else written.text or ""
    return [] if text == stands else [Kept(at=at, what="text", value=text, instead_of=stands)]


def _attributes(original: etree._Element, written: etree._Element, at: str) -> list[Kept]:
    names = [*original.attrib, *(name for name in written.attrib if name not in original.attrib)]
    return [
        Kept(at=at, what="attribute", name=name, value=original.get(name), instead_of=written.get(name))
        for name in map(str, names)
        if original.get(name) != written.get(name)
    ]


def _pairs(original: etree._Element, written: etree._Element, settled: frozenset[str]) -> list[tuple[int, int]]:
    """Numbers of the children that are one another (in the original, in the written), as the written ones stand."""
    theirs = _by_tag(original)
    pairs: list[tuple[int, int]] = []
    for name, here in _by_tag(written).items():
        there = [n for n in theirs.get(name, ()) if not _mixed(original[n])]
        if name in settled:
            pairs += zip(theirs[name], here, strict=True)
        elif len(here) > 1 or len(there) > 1:
            pairs += _alike(original, there, written, here)
        elif there:
            pairs.append((there[0], here[0]))
    return sorted(pairs, key=lambda pair: pair[1])


def _alike(
    original: etree._Element, there: list[int], written: etree._Element, here: list[int]
) -> list[tuple[int, int]]:
    """Pair children of one name: equal ones first, then those that have most in common, then in their order."""
    pairs: list[tuple[int, int]] = []
    prints = {n: _leaves(original[n]) for n in there}
    equal: dict[frozenset[tuple[str, str]], list[int]] = {}
    for n in reversed(there):
        equal.setdefault(prints[n], []).append(n)
    left: list[int] = []
    for n in here:
        candidates = equal.get(_leaves(written[n]))
        if candidates:
            pairs.append((candidates.pop(), n))
        else:
            left.append(n)
    taken = {pair[0] for pair in pairs}
    free = [n for n in there if n not in taken]
    by_likeness = len(left) * len(free) <= _COMPARED_ONE_BY_ONE
    for n in left:
        if not free:
            break
        print_ = _leaves(written[n])
        best = max(free, key=lambda other: len(prints[other] & print_)) if by_likeness else free[0]
        free.remove(best)
        pairs.append((best, n))
    return pairs


def _leaves(element: etree._Element) -> frozenset[tuple[str, str]]:
    """Texts below an element with their names: what makes two elements alike."""
    return frozenset((str(node.tag), (node.text or "").strip()) for node in element.iter() if not len(node))


def _by_tag(element: etree._Element) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, child in enumerate(element):
        found.setdefault(child.tag, []).append(number)
    return found


def _unpaired(element: etree._Element, paired: Iterable[int]) -> list[int]:
    known = set(paired)
    return [n for n in range(len(element)) if n not in known]


def _paths(element: etree._Element, at: str) -> list[str]:
    """Path of each child, from the element that the whole comparison began with."""
    counts: dict[str, int] = {}
    paths = []
    for child in element:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        step = f"{name_of(child.tag)}[{counts[child.tag]}]"
        paths.append(f"{at}/{step}" if at else step)
    return paths


def _place(element: etree._Element) -> int:
    return 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))


def _nth(parent: etree._Element, name: str, place: int) -> int:
    """Number among all children of the so-manieth child of the name."""
    return [n for n, child in enumerate(parent) if child.tag == name][place - 1]


def _xml(element: etree._Element) -> str:
    # Exclusive canonical form is short; where a value may name a prefix (xsi:type), all prefixes in scope are kept.
    plain = not any(str(name).startswith(_XSI) for node in element.iter() for name in node.attrib)
    return etree.tostring(element, method="c14n", exclusive=plain, with_comments=False, with_tail=False).decode("utf-8")


# Putting back ---------------------------------------------------------------------------------------------------------


def _find(element: etree._Element, path: str) -> etree._Element | None:
    for step in _STEP.findall(path):
        name, _, number = step[:-1].rpartition("[")
        siblings = [child for child in element if name_of(child.tag) == name]
        if not 0 < int(number) <= len(siblings):
            return None
        element = siblings[int(number) - 1]
    return element


def _apply(element: etree._Element, kept: Kept) -> etree._Element | None:
    """Make one difference; the element that was added, if one was."""
    if kept.what == "text":
        if not len(element) and (element.text or "") == (kept.instead_of or ""):
            element.text = kept.value
    elif kept.what == "attribute":
        name = kept.name or ""
        if element.get(name) == kept.instead_of:
            if kept.value is not None:
                element.set(name, kept.value)
            elif name in element.attrib:
                del element.attrib[name]
    elif kept.what == "element":
        added = _parsed(kept.value or "")
        _insert(element, added, kept.place or 1)
        return added
    elif kept.what == "absent":
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    elif sorted(kept.order) == list(range(len(element))):
        children = list(element)
        for number in kept.order:
            element.append(children[number])
    return None


def _parsed(xml: str) -> etree._Element:
    try:
        return copy.deepcopy(parse(xml.encode("utf-8")))
    except ConnectorError as error:
        raise BadInput(
            f"What was kept of a document is no XML: {error.said}",
            code="extension-malformed",
            do="Leave `extension` as `read` made it, or leave it out.",
        ) from None


def _insert(parent: etree._Element, added: etree._Element, place: int) -> None:
    """As the so-manieth child of its name; the first of a name goes where the schema has it, or last."""
    alike = [child for child in parent if child.tag == added.tag]
    if alike and place <= len(alike):
        alike[place - 1].addprevious(added)
    elif alike:
        alike[-1].addnext(added)
    else:
        rank = ranks(parent.tag)
        own = rank.get(added.tag)
        later = (child for child in parent if own is not None and rank.get(child.tag, -1) > own)
        following = next(later, None)
        if following is None:
            parent.append(added)
        else:
            following.addprevious(added)
