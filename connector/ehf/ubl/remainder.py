"""What a document holds beyond the model's fields: found by comparison, put back by name and place.

`remainder(original, written)` lists the differences between an element as received and the same element as the model's
fields alone would write it; `restore(written, remainder)` applies them. Whatever the two trees are,

    restore(written, remainder(original, written)) is equal to original

up to formatting: blanks between elements, comments, processing instructions, prefixes and the order of attributes.
So losing nothing rests on these two functions and not on a list of things somebody thought of.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from lxml import etree

from connector.ehf.ubl.order import ranks
from connector.ehf.xml import MAX_BYTES, MAX_DEPTH, name_of, parse, path_of
from connector.errors import BadInput, ConnectorError
from connector.model.extension import Extension, Kept, Wrapping

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_PATH = re.compile(r"(?:(.*)/)?((?:\{[^}]*\})?[^/\[\]{}]+)\[([0-9]{1,9})\]", re.DOTALL)
_BLANKS = re.compile(r"\s+")
_LONG = 64
"""A text this long is kept as the way it is wrapped, if that is all that differs."""
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
            where={"xpath": path_of(original), "line": original.sourceline},
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
    places = _Places(written)
    by_element: dict[str, list[Kept]] = {}
    for each in extension:
        if places.find(each.at) is not None:
            by_element.setdefault(each.at, []).append(each)
    for at, differences in by_element.items():
        element = places.find(at)
        if element is not None:
            _apply(element, differences)


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
    came, ours = list(original), list(written)
    pairs = _pairs(came, ours, settled)
    paths = [f"{at}/{step}" if at else step for step in _steps(ours)]
    for there, here in pairs:
        if came[there].tag not in settled and not same(came[there], ours[here]):
            _compare(came[there], ours[here], paths[here], kept)

    gone = _others(len(ours), (here for _, here in pairs))
    new = _others(len(came), (there for there, _ in pairs))
    places = [int(step[step.rindex("[") + 1 : -1]) for step in _steps(came)] if new else []
    kept += [Kept(at=paths[n], what="absent") for n in gone]
    for n in gone:
        written.remove(ours[n])
    own = _attributes(original, written, at) + _texts(original, written, at)
    own += [Kept(at=at, what="element", value=_xml(came[n]), place=places[n]) for n in new]

    # Put back as `restore` will, to see in which order the children then stand.
    added = _apply(written, own)
    numbers = {id(ours[here]): there for there, here in pairs}
    numbers |= {id(child): n for child, n in zip(added, new, strict=True)}
    order = [numbers[id(child)] for child in written]
    if order != sorted(order):
        reordered = Kept(at=at, what="order", order=tuple(sorted(range(len(order)), key=order.__getitem__)))
        _apply(written, [reordered])
        own.append(reordered)
    kept += own


def _texts(original: etree._Element, written: etree._Element, at: str) -> list[Kept]:
    text = "" if len(original) else original.text or ""
    stands = "" if len(written) else written.text or ""
    if text == stands:
        return []
    wrap = _wrapping(text, stands)
    return [Kept(at=at, what="wrapped", wrap=wrap) if wrap else Kept(at=at, what="text", value=text, instead_of=stands)]


def _wrapping(text: str, stands: str) -> Wrapping | None:
    """How the long text that would be written is broken into lines in what came; None where it is another text.

    Attachments of megabytes are often wrapped. They are not kept twice for that.
    """
    if len(stands) < _LONG:
        return None
    lines = text.strip()
    found = _BLANKS.search(lines)
    wrap = Wrapping(
        width=found.start() if found else len(lines) or 1,
        between=found.group() if found else "",
        before=text[: len(text) - len(text.lstrip())],
        after=text[len(text.rstrip()) :],
    )
    return wrap if _length(stands, wrap) == len(text) and _wrapped(stands, wrap) == text else None


def _length(text: str, wrap: Wrapping) -> int:
    breaks = max(0, -(-len(text) // wrap.width) - 1)
    return len(wrap.before) + len(text) + breaks * len(wrap.between) + len(wrap.after)


def _wrapped(text: str, wrap: Wrapping) -> str:
    if _length(text, wrap) > MAX_BYTES:
        raise ValueError("a text wrapped into more than a document may hold")
    lines = (text[start : start + wrap.width] for start in range(0, len(text), wrap.width))
    return wrap.before + wrap.between.join(lines) + wrap.after


def _attributes(original: etree._Element, written: etree._Element, at: str) -> list[Kept]:
    names = [*original.attrib, *(name for name in written.attrib if name not in original.attrib)]
    return [
        Kept(at=at, what="attribute", name=name, value=original.get(name), instead_of=written.get(name))
        for name in map(str, names)
        if original.get(name) != written.get(name)
    ]


def _pairs(
    came: Sequence[etree._Element], ours: Sequence[etree._Element], settled: frozenset[str]
) -> list[tuple[int, int]]:
    """Numbers of the children that are one another (among those that came, among ours), as ours stand."""
    theirs = _by_tag(came)
    pairs: list[tuple[int, int]] = []
    for name, here in _by_tag(ours).items():
        if name in settled:
            pairs += zip(theirs[name], here, strict=True)
            continue
        there = [n for n in theirs.get(name, ()) if not _mixed(came[n])]
        if len(here) > 1 or len(there) > 1:
            pairs += _alike(came, there, ours, here)
        elif there:
            pairs.append((there[0], here[0]))
    return sorted(pairs, key=lambda pair: pair[1])


def _alike(
    came: Sequence[etree._Element], there: Sequence[int], ours: Sequence[etree._Element], here: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair children of one name: equal ones first, then those that have most in common, then in their order."""
    pairs: list[tuple[int, int]] = []
    prints = {n: _leaves(came[n]) for n in there}
    equal: dict[frozenset[tuple[str, str]], deque[int]] = {}
    for n in there:
        equal.setdefault(prints[n], deque()).append(n)
    left: list[int] = []
    for n in here:
        candidates = equal.get(_leaves(ours[n]))
        if candidates:
            pairs.append((candidates.popleft(), n))
        else:
            left.append(n)
    taken = {pair[0] for pair in pairs}
    free = [n for n in there if n not in taken]
    if len(left) * len(free) > _COMPARED_ONE_BY_ONE:
        return pairs + list(zip(free, left, strict=False))
    for n in left[: len(free)]:
        best = max(free, key=lambda other: len(prints[other] & _leaves(ours[n])))
        free.remove(best)
        pairs.append((best, n))
    return pairs


def _leaves(element: etree._Element) -> frozenset[tuple[str, str]]:
    """Texts below an element with their names: what makes two elements alike."""
    return frozenset((str(node.tag), (node.text or "").strip()) for node in element.iter() if not len(node))


def _by_tag(children: Iterable[etree._Element]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, child in enumerate(children):
        found.setdefault(child.tag, []).append(number)
    return found


def _others(count: int, numbers: Iterable[int]) -> list[int]:
    """The numbers below `count` that are not among those given."""
    known = set(numbers)
    return [n for n in range(count) if n not in known]


def _steps(children: Iterable[etree._Element]) -> list[str]:
    """Name and place among its namesakes of each child, as paths say it: `cbc:Note[2]`."""
    counts: dict[str, int] = {}
    steps = []
    for child in children:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        steps.append(f"{name_of(child.tag)}[{counts[child.tag]}]")
    return steps


def _xml(element: etree._Element) -> str:
    # Exclusive canonical form is short; where a value may name a prefix (xsi:type), all prefixes in scope are kept.
    plain = not any(str(name).startswith(_XSI) for node in element.iter() for name in node.attrib)
    return etree.tostring(element, method="c14n", exclusive=plain, with_comments=False, with_tail=False).decode("utf-8")


# Putting back ---------------------------------------------------------------------------------------------------------


class _Places:
    """Elements by path, each found once."""

    def __init__(self, root: etree._Element) -> None:
        self._found: dict[str, etree._Element | None] = {"": root}
        self._indexed: set[str] = set()

    def find(self, path: str) -> etree._Element | None:
        """The element at the path; None where there is none (any more)."""
        if path not in self._found:
            match = _PATH.fullmatch(path) if path.count("/") <= MAX_DEPTH else None
            parent = match.group(1) or "" if match else ""
            if match and parent not in self._indexed and len(parent) < len(path):
                self._indexed.add(parent)
                above = self.find(parent)
                if above is not None:
                    for step, child in zip(_steps(above), above, strict=True):
                        self._found[f"{parent}/{step}" if parent else step] = child
            self._found.setdefault(path, None)
        return self._found[path]


def _apply(element: etree._Element, differences: Sequence[Kept]) -> list[etree._Element]:
    """Make the differences of one element; what was added."""
    added: list[etree._Element] = []
    try:
        if any(each.what == "absent" for each in differences):
            parent = element.getparent()
            if parent is not None and differences[0].at:
                parent.remove(element)
            return []
        for each in differences:
            if each.what == "text" and not len(element) and (element.text or "") == (each.instead_of or ""):
                element.text = each.value
            elif each.what == "wrapped" and each.wrap and not len(element):
                element.text = _wrapped(element.text or "", each.wrap)
            elif each.what == "attribute" and each.name and element.get(each.name) == each.instead_of:
                _set(element, each.name, each.value)
        new = [(_parsed(each.value or ""), each.place or 1) for each in differences if each.what == "element"]
        _insert(element, new)
        added = [child for child, _ in new]
        for each in differences:
            if each.what == "order" and sorted(each.order) == list(range(len(element))):
                children = list(element)
                element[:] = [children[number] for number in each.order]
    except ValueError as error:
        raise _malformed(str(error)) from None
    return added


def _set(element: etree._Element, name: str, value: str | None) -> None:
    if value is not None:
        element.set(name, value)
    elif name in element.attrib:
        del element.attrib[name]


def _parsed(xml: str) -> etree._Element:
    try:
        return parse(xml.encode("utf-8"))
    except ConnectorError as error:
        raise _malformed(error.said) from None


def _malformed(said: str) -> BadInput:
    return BadInput(
        f"What was kept of a document cannot be put back: {said}",
        code="extension-malformed",
        do="Leave `extension` as `read` made it, or leave it out.",
    )


def _insert(parent: etree._Element, new: Sequence[tuple[etree._Element, int]]) -> None:
    """Each as the so-manieth child of its name; the first of a name goes where the schema has it, or last."""
    by_tag: dict[str, list[tuple[etree._Element, int]]] = {}
    for added, place in new:
        by_tag.setdefault(added.tag, []).append((added, place))
    for name, group in by_tag.items():
        present = deque(child for child in parent if child.tag == name)
        before: etree._Element | None = None
        count = 0
        for added, place in group:
            while present and count < place - 1:
                before = present.popleft()
                count += 1
            if before is not None:
                before.addnext(added)
            elif present:
                present[0].addprevious(added)
            else:
                _insert_first(parent, added)
            before, count = added, count + 1


def _insert_first(parent: etree._Element, added: etree._Element) -> None:
    rank = ranks(parent.tag)
    own = rank.get(added.tag)
    later = (child for child in parent if own is not None and rank.get(child.tag, -1) > own)
    following = next(later, None)
    if following is None:
        parent.append(added)
    else:
        following.addprevious(added)
