"""One response being judged: what rules find, where, and in words."""

from __future__ import annotations

from collections import Counter
from typing import Final

from lxml import etree

from connector.ehf.report import Severity
from connector.ehf.ubl.node import tag
from connector.ehf.xml import line_of, name_of, path_of, string_value
from connector.peppol.responses.model import Finding

_SAYS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("{what} mangler i {where}.", "{what} is missing in {where}."),
    "foreign": ("{where} hører ikke hjemme her.", "{where} has no place here."),
    "empty": ("{where} er tom.", "{where} is empty."),
    "unfit": (
        "{what} mangler eller er ikke som det skal være i {where}.",
        "{what} is missing or not as it should be in {where}.",
    ),
    "code": ("{where} er «{value}»; det må være en av {what}.", "{where} is “{value}”; it must be one of {what}."),
    "value": ("{where} er «{value}»; det må være {what}.", "{where} is “{value}”; it must be {what}."),
    "date": ("{where} er «{value}», ikke en dato som ÅÅÅÅ-MM-DD.", "{where} is “{value}”, not a date as YYYY-MM-DD."),
    "number": (
        "{where} «{value}» er ikke et nummer slik ordningen krever.",
        "{where} “{value}” is no number as its scheme asks for.",
    ),
    "schema": ("Dokumentet har et schemaLocation-attributt.", "The document has a schemaLocation attribute."),
    "reason": (
        "Statusen krever en kode for årsak, og det er ingen.",
        "The status asks for a reason code, and there is none.",
    ),
    "text": ("Årsaken krever en forklaring i ord.", "The reason asks for an explanation in words."),
    "once": ("Det skal være nøyaktig én {what} i {where}.", "There must be exactly one {what} in {where}."),
    "failure-needed": (
        "En avvisning må nevne minst én feil ({what}).",
        "A rejection must name at least one failure ({what}).",
    ),
    "failure-unfit": (
        "Det nevnes en feil ({what}), men meldingen er ikke avvist.",
        "A failure is named ({what}), but the message is not rejected.",
    ),
}

_MOST: Final = 50
"""Findings of one rule that are kept, so that a huge document makes no huge list."""


class Judging:
    """One response being judged: rules tell with `fire`."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.found: list[Finding] = []
        self.times: Counter[str] = Counter()

    def fire(self, rule: str, element: etree._Element, says: str, what: str = "", severity: Severity = "fatal") -> None:
        """The rule is broken at the element. `says` names a text, `what` is what it speaks of."""
        self.times[rule] += 1
        if self.times[rule] > _MOST:
            return
        values = {"what": what, "where": name_of(element.tag), "value": (element.text or "").strip()[:80]}
        nb, en = (text.format_map(values) for text in _SAYS[says])
        self.found.append(Finding(rule, severity, path_of(element), line_of(element), {"nb": nb, "en": en}))


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The children of the name (`cac:Status`)."""
    return element.findall(tag(name))


def below(element: etree._Element, *names: str) -> list[etree._Element]:
    """The elements at the path of names."""
    return element.findall("/".join(map(tag, names)))


def text_at(element: etree._Element, *names: str) -> str:
    """The string value of the first element at the path of names; empty where there is none."""
    return next((string_value(one) for one in below(element, *names)), "")


def has_schema_location(root: etree._Element) -> bool:
    """Whether the element says where a schema lies."""
    return any(etree.QName(name).localname == "schemaLocation" for name in root.attrib)
