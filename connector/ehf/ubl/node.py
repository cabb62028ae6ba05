"""Small tools to read UBL elements and to make them. Names are written as people do: `cbc:ID`, `cac:Party`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, final

from lxml import etree
from pydantic_core import PydanticCustomError

from connector.ehf.xml import CAC, CBC, EXT, path_of
from connector.errors import BadInput
from connector.model.money import parse_decimal, plain

_NAMESPACES = {"cbc": CBC, "cac": CAC, "ext": EXT}
_T = TypeVar("_T")


@cache
def tag(name: str) -> str:
    """Clark name of a prefixed one."""
    prefix, _, local = name.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


@final
class Node:
    """An element being read: its children by name, values trimmed, nothing where nothing is.

    A value that is no number or date raises `BadInput` with its XPath and line.
    """

    __slots__ = ("_children", "element")

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        children: dict[str, list[etree._Element]] = {}
        for child in element:
            children.setdefault(child.tag, []).append(child)
        self._children = children

    def all(self, name: str) -> list[Node]:
        """All children of the name."""
        return [Node(child) for child in self._children.get(tag(name), ())]

    def first(self, *names: str) -> Node | None:
        """The first child of the first name, its first child of the second name, and so on."""
        element: etree._Element | None = self._first(names[0])
        for name in names[1:]:
            if element is None:
                return None
            element = element.find(tag(name))
        return None if element is None else Node(element)

    def _first(self, name: str) -> etree._Element | None:
        found = self._children.get(tag(name))
        return found[0] if found else None

    def _leaf(self, names: tuple[str, ...]) -> etree._Element | None:
        element = self._first(names[0])
        for name in names[1:]:
            if element is None:
                return None
            element = element.find(tag(name))
        return element

    def text(self, *names: str) -> str | None:
        """Text at the path of names, trimmed; None where there is none."""
        element = self._leaf(names) if names else self.element
        if element is None or element.text is None:
            return None
        return element.text.strip() or None

    def texts(self, name: str) -> tuple[str, ...]:
        """Texts of all children of the name that have any."""
        found = (child.text.strip() for child in self._children.get(tag(name), ()) if child.text)
        return tuple(text for text in found if text)

    def attribute(self, attribute: str, *names: str) -> str | None:
        """An attribute of the element at the path of names, trimmed; None where there is none."""
        element = self._leaf(names) if names else self.element
        value = None if element is None else element.get(attribute)
        return (value.strip() or None) if value else None

    def number(self, *names: str) -> Decimal | None:
        """A number, with the decimals it is written with."""
        return self._value(parse_decimal, names)

    def day(self, *names: str) -> date | None:
        """A date; a time zone (`2026-05-01Z`) is left to `remainder`."""
        return self._value(_day, names)

    def _value(self, parse: Callable[[str], _T], names: tuple[str, ...]) -> _T | None:
        element = self._leaf(names)
        if element is None or element.text is None or not element.text.strip():
            return None
        try:
            return parse(element.text.strip())
        except PydanticCustomError as error:
            raise bad_value(element, error.type, error.message()) from None


def bad_value(element: etree._Element, code: str, says: str) -> BadInput:
    """A value that cannot be read: what, where, what to do."""
    value = (element.text or "").strip()
    shown = value if len(value) <= 60 else value[:60] + "…"
    return BadInput(
        f"{etree.QName(element).localname} is {shown!r}. {says}",
        code=code,
        do="Mend the value at the XPath named and send the document again.",
        where={"xpath": path_of(element), "line": element.sourceline},
    )


def _day(text: str) -> date:
    try:
        # XSD allows a time zone behind the date. Its day is the day as written.
        if len(text) > 10 and (text[10:] == "Z" or (text[10] in "+-" and text[13:14] == ":" and len(text) == 16)):
            text = text[:10]
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise PydanticCustomError("date-malformed", "A date is written YYYY-MM-DD.")


def put(parent: etree._Element, name: str, value: Any, /, **attributes: str | None) -> None:
    """Append a leaf with text (numbers plainly, dates as YYYY-MM-DD); nothing for None, attributes likewise."""
    if value is None:
        return
    leaf = etree.SubElement(parent, tag(name))
    if isinstance(value, str):
        leaf.text = value
    elif isinstance(value, Decimal):
        leaf.text = plain(value)
    else:
        leaf.text = value.isoformat()
    for attribute, content in attributes.items():
        if content is not None:
            leaf.set(attribute, content)


def group(parent: etree._Element, name: str) -> etree._Element:
    """Append an element to be filled."""
    return etree.SubElement(parent, tag(name))


def put_in(parent: etree._Element, outer: str, name: str, value: Any, /, **attributes: str | None) -> None:
    """Append an element that holds one leaf; nothing for None."""
    if value is not None:
        put(group(parent, outer), name, value, **attributes)
