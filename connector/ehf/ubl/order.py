"""The order of elements, as the UBL schemas themselves say it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lxml import etree

from connector.ehf import xsd
from connector.ehf.xml import CAC, CBC, EXT

_XS = "{http://www.w3.org/2001/XMLSchema}"
_NAMESPACES: dict[str | None, str | None] = {"cbc": CBC, "cac": CAC, "ext": EXT}


@cache
def ranks(parent: str) -> Mapping[str, int]:
    """Place of each possible child (Clark names) in an element; empty for an element the schemas do not know."""
    return _all().get(parent, {})


@cache
def _all() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for document_type in xsd.DOCUMENT_TYPES:
        file = xsd.schema_file(document_type)
        found |= _declared(etree.parse(str(file)).getroot())
    common = file.parents[1] / "common" / "UBL-CommonAggregateComponents-2.1.xsd"
    found |= _declared(etree.parse(str(common)).getroot())
    return found


def _declared(schema: etree._Element) -> dict[str, dict[str, int]]:
    """Elements of one schema file and the children that the sequence of their type names."""
    namespace = schema.get("targetNamespace")
    own: dict[str | None, str | None] = {None: namespace, **_NAMESPACES}
    children = {
        kind.get("name"): {
            _clark(str(reference.get("ref")), own): rank for rank, reference in enumerate(kind.iter(f"{_XS}element"))
        }
        for kind in schema.iterchildren(f"{_XS}complexType")
    }
    return {
        f"{{{namespace}}}{element.get('name')}": children[element.get("type")]
        for element in schema.iterchildren(f"{_XS}element")
        if element.get("type") in children
    }


def _clark(name: str, namespaces: Mapping[str | None, str | None]) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{namespaces[prefix or None]}}}{local}"
