"""The few steps of XPath that the national rules take through the document.

These rules run only on documents of their country, so they walk the tree itself and need no shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.layers import text_of
from connector.ehf.rules.xpath import BreaksOff, normalize
from connector.ehf.xml import CAC, CBC, string_value

_SPACES = {"cac": CAC, "cbc": CBC}


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(f"{{{_SPACES[prefix]}}}{name}" for prefix, name in (step.split(":") for step in path.split("/")))


def at(start: etree._Element | Iterable[etree._Element], path: str) -> list[etree._Element]:
    """The elements at `path`, child steps from each of `start`, in document order."""
    found = [start] if isinstance(start, etree._Element) else [*start]
    for tag in _steps(path):
        found = [child for element in found for child in element.iterchildren(tag)]
    return found


def everywhere(root: etree._Element, name: str) -> list[etree._Element]:
    """Every element of that name, at any depth."""
    return [*root.iter(_steps(name))]


def strings(start: etree._Element | Iterable[etree._Element], path: str) -> list[str]:
    """The string values at `path`."""
    return [string_value(element) for element in at(start, path)]


def only(values: list[str], what: str) -> str:
    """The one value where a function takes no more than one; '' when there is none.

    Raises:
        BreaksOff: there are several.
    """
    if len(values) > 1:
        raise BreaksOff(f"several {what}")
    return values[0] if values else ""


def value(start: etree._Element | Iterable[etree._Element], path: str) -> str:
    """The string value at `path` for a function that takes one; '' when there is none.

    Raises:
        BreaksOff: there are several.
    """
    return only(strings(start, path), path)


def text(doc: Document, start: etree._Element | Iterable[etree._Element], path: str) -> str:
    """`normalize-space(path/text())`.

    Raises:
        BreaksOff: there are several pieces of text.
    """
    return normalize(text_of(at(start, path), doc) or "")


def attributes(elements: Iterable[etree._Element], name: str) -> list[str]:
    """The values of that attribute where there is one."""
    return [str(found) for element in elements if (found := element.get(name)) is not None]


def vat_schemes(parties: Iterable[etree._Element]) -> list[etree._Element]:
    """The `PartyTaxScheme`s whose scheme is exactly `VAT`."""
    return [one for one in at(parties, "cac:PartyTaxScheme") if "VAT" in strings(one, "cac:TaxScheme/cbc:ID")]


def trimmed_schemes(parties: Iterable[etree._Element], scheme: str) -> list[etree._Element]:
    """The `PartyTaxScheme`s whose scheme is that one but for blanks.

    Raises:
        BreaksOff: one of them has several schemes.
    """
    return [one for one in at(parties, "cac:PartyTaxScheme") if normalize(value(one, "cac:TaxScheme/cbc:ID")) == scheme]
