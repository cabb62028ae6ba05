"""UBL that EN 16931 does not know (UBL-CR): one table of paths, `unused.txt`, and six rules that ask for more."""

from __future__ import annotations

from importlib import resources
from typing import Final

from lxml import etree

from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import Document, Node, Plan, Values, attributes_of, getter
from connector.ehf.xml import name_of

LINES: Final = ("cac:InvoiceLine", "cac:CreditNoteLine")


def table() -> list[tuple[str, str]]:
    """Rule and path of every entry of the table, `LINE/` spelt out."""
    text = resources.files(__package__).joinpath("unused.txt").read_text("utf-8")
    entries = []
    for row in text.splitlines():
        if row and not row.startswith("#"):
            rule, path = row.split()
            if path.startswith("LINE/"):
                entries += [(rule, path.replace("LINE", line, 1)) for line in LINES]
            else:
                entries.append((rule, path))
    return entries


PATHS: Final[dict[str, list[str]]] = {}
"""Path of an element below the document element -> rules."""
ANYWHERE: Final[dict[str, list[tuple[tuple[str, ...], str]]]] = {}
"""Tag of an element -> its ancestors, nearest first, and the rule, at any depth."""
ATTRIBUTES: Final[dict[tuple[str, str], list[tuple[str, bool]]]] = {}
"""Attribute and tag of its element ('' any) -> path of the element, and whether at any depth."""
_RULES: Final[dict[tuple[str, str, str], str]] = {}

for _rule, _path in table():
    _anywhere = _path.startswith("//")
    _element, _, _attribute = _path.removeprefix("//").partition("@")
    _element = _element.rstrip("/")
    _steps = _element.split("/")
    if _attribute:
        ATTRIBUTES.setdefault((_attribute, _steps[-1]), []).append((_element, _anywhere))
        _RULES[_attribute, _element, "//" if _anywhere else ""] = _rule
    elif _anywhere:
        ANYWHERE.setdefault(_steps[-1], []).append((tuple(_steps[-2::-1]) if len(_steps) > 1 else (), _rule))
    else:
        PATHS.setdefault(_path, []).append(_rule)

_UNCHANGING: Final = sorted({rule for rule, _ in table()} - {"UBL-CR-631", "UBL-CR-674"})
layer.warning(*_UNCHANGING, "UBL-CR-002", "UBL-CR-412", "UBL-CR-665")
layer.warning("UBL-CR-631", until="3.0.19")
# Up to 3.0.20 it looked for an element that UBL does not have.
layer.warning("UBL-CR-674", since="3.0.21")
layer.fatal("UBL-CR-666", "UBL-CR-673")


def _rules_of(attribute: str, tag: str, path: str) -> list[str]:
    """The rules against an attribute of an element with that path."""
    found = []
    for element, anywhere in (*ATTRIBUTES.get((attribute, tag), ()), *ATTRIBUTES.get((attribute, ""), ())):
        if path == element or (anywhere and f"/{path}".endswith(f"/{element}" if element else "")):
            found.append(_RULES[attribute, element, "//" if anywhere else ""])
    return found


@layer.shape
def elements(plan: Plan) -> None:
    """Every element of the block against the table; and of the attributes those that have a place."""
    attributes = []
    for node in plan.nodes:
        for rule in PATHS.get(node.path, ()):
            plan.fires_once(rule, node)
        for above, rule in ANYWHERE.get(node.tag, ()):
            if node.fits(above, anchored=False):
                plan.fires_once(rule, node)
        for name, place in node.attrs.items():
            attributes += [(place, rule, node.i) for rule in _rules_of(name, node.tag, node.path)]
    if not attributes:
        return
    pick = getter([place for place, _, _ in attributes])
    none = (None,) * len(attributes)

    def check(v: Values, doc: Document) -> None:
        for place, rule, at in attributes:
            if v[place] is not None:
                doc.fire_once(rule, at, value=v[place])

    plan.unless_attributes(lambda v: pick(v) == none, check)


@layer.attribute
def attribute(doc: Document, element: etree._Element, name: str) -> None:
    """The attributes that have no place."""
    tag = name_of(element.tag)
    if name in attributes_of(tag) or not any(name == known for known, _ in ATTRIBUTES):
        return
    steps = [tag, *(name_of(above.tag) for above in element.iterancestors())]
    for rule in _rules_of(name, tag, "/".join(reversed(steps[:-1] or steps))):
        doc.fire_once(rule, element, attribute=name, value=element.get(name))


@layer.on("/cbc:UBLVersionID")
def version(node: Node, plan: Plan) -> None:
    """UBL-CR-002: no version but 2.1."""
    at = node.i
    plan.check(lambda v, doc: doc.fire_once("UBL-CR-002", at, value=v[at]) if v[at] != "2.1" else None)


@layer.on("/cac:PaymentMeans/cbc:PaymentDueDate")
def due_date(node: Node, plan: Plan) -> None:
    """UBL-CR-412: a credit note has its due date here, an invoice has not."""
    if plan.kind != "CreditNote":
        plan.fires_once("UBL-CR-412", node)


@layer.on("cac:AdditionalDocumentReference")
def document_reference(node: Node, plan: Plan) -> None:
    """UBL-CR-665, 666 and 673: an invoiced object (130) has a scheme, a document its attachment."""
    types = node.places("cbc:DocumentTypeCode")
    schemes = [(each.attr("schemeID"), each.i) for each in node.all("cbc:ID")]
    attachment, description = node.first("cac:Attachment"), node.first("cbc:DocumentDescription")

    def check(v: Values, doc: Document) -> None:
        if not types or any(v[i] != "130" for i in types):
            for place, at in schemes:
                if v[place] is not None:
                    doc.fire_once("UBL-CR-665", at, value=v[place])
        if any(v[i] == "130" for i in types):
            if attachment is not None:
                doc.fire_once("UBL-CR-666", attachment.i)
            if description is not None:
                doc.fire_once("UBL-CR-673", description.i)

    plan.check(check)
