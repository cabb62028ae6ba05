"""ISO Schematron compiled to XSLT 3.0: the part of the standard that the official UBL rule files use.

Each pattern becomes a mode of its own. In a mode every rule is a template whose priority falls with its place in the
file, so a node is judged by the first rule whose context matches it and by no later one; nodes that no rule matches are
walked through silently. `let` becomes a variable where it stands: of the schema and of a pattern global, of a rule
local. Abstract patterns and rules are filled in where they are used.

The stylesheet answers with one line per failed assertion: id, flag, path and text, parted by tabs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from connector.errors import BadInput

SCHEMATRON: Final = "http://purl.oclc.org/dsdl/schematron"
TRANSFORM: Final = "http://www.w3.org/1999/XSL/Transform"
SEPARATOR: Final = "\t"
_S: Final = f"{{{SCHEMATRON}}}"
_T: Final = f"{{{TRANSFORM}}}"


def compile_rules(source: bytes) -> str:
    """The XSLT text of one Schematron schema.

    Raises:
        BadInput: it is not a Schematron schema, or it refers to an abstract pattern or rule that is not there.
    """
    try:
        parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True)
        schema = etree.fromstring(source, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput(f"the rule file is not well-formed: {error}", code="schematron-unreadable") from error
    if schema.tag != f"{_S}schema":
        raise BadInput(f"not a Schematron schema: the root is {schema.tag}", code="schematron-unreadable")
    spaces = {str(ns.get("prefix")): str(ns.get("uri")) for ns in schema.iterchildren(f"{_S}ns")}
    declared = {prefix: uri for prefix, uri in schema.nsmap.items() if prefix and uri not in (SCHEMATRON, TRANSFORM)}
    sheet = etree.Element(f"{_T}stylesheet", {"version": "3.0"}, nsmap={**declared, **spaces, "xslt": TRANSFORM})
    etree.SubElement(sheet, f"{_T}output", {"method": "text"})
    for child in schema.iterchildren(f"{_S}let", f"{_T}*"):
        sheet.append(_variable(child) if child.tag == f"{_S}let" else copy.deepcopy(child))
    start = etree.Element(f"{_T}template", {"match": "/"})
    for number, pattern in enumerate(_patterns(schema)):
        mode = f"m{number}"
        etree.SubElement(sheet, f"{_T}mode", {"name": mode, "on-no-match": "shallow-skip"})
        etree.SubElement(start, f"{_T}apply-templates", {"mode": mode})
        sheet.extend(_variable(let) for let in pattern.iterchildren(f"{_S}let"))
        sheet.extend(_templates(pattern, schema, mode))
    sheet.append(start)
    return etree.tostring(sheet, encoding="unicode")


def _patterns(schema: etree._Element) -> Iterator[etree._Element]:
    """The concrete patterns in file order."""
    for pattern in schema.iterchildren(f"{_S}pattern"):
        if pattern.get("abstract") == "true":
            continue
        model = pattern.get("is-a")
        yield pattern if model is None else _filled_in(_named(schema, "pattern", model), pattern)


def _filled_in(model: etree._Element, instance: etree._Element) -> etree._Element:
    """An abstract pattern with the instance's parameters in place of `$name`; the longest names first."""
    values = {str(param.get("name")): str(param.get("value")) for param in instance.iterchildren(f"{_S}param")}
    filled = copy.deepcopy(model)
    for element in filled.iter(etree.Element):
        for attribute, text in element.attrib.items():
            element.set(attribute, _substituted(str(text), values))
    return filled


def _substituted(text: str, values: Mapping[str, str]) -> str:
    for name in sorted(values, key=len, reverse=True):
        text = text.replace("$" + name, values[name])
    return text


def _named(schema: etree._Element, kind: str, name: str) -> etree._Element:
    for found in schema.iter(f"{_S}{kind}"):
        if found.get("id") == name and found.get("abstract") == "true":
            return found
    raise BadInput(f"the rule file has no abstract {kind} {name!r}", code="schematron-unreadable")


def _templates(pattern: etree._Element, schema: etree._Element, mode: str) -> Iterator[etree._Element]:
    rules = [rule for rule in pattern.iterchildren(f"{_S}rule") if rule.get("abstract") != "true"]
    for place, rule in enumerate(rules):
        said = {"match": str(rule.get("context")), "mode": mode, "priority": str(len(rules) - place)}
        template = etree.Element(f"{_T}template", said)
        template.extend(_checks(rule, schema))
        etree.SubElement(template, f"{_T}apply-templates", {"select": "@*, node()", "mode": mode})
        yield template


def _checks(rule: etree._Element, schema: etree._Element) -> Iterator[etree._Element]:
    for child in rule.iterchildren(etree.Element):
        if child.tag == f"{_S}extends":
            yield from _checks(_named(schema, "rule", str(child.get("rule"))), schema)
        elif child.tag == f"{_S}let":
            yield _variable(child)
        elif child.tag in (f"{_S}assert", f"{_S}report"):
            test = str(child.get("test"))
            failed = etree.Element(f"{_T}if", {"test": f"not({test})" if child.tag == f"{_S}assert" else test})
            head = SEPARATOR.join((child.get("id") or "", child.get("flag") or child.get("role") or "fatal", ""))
            text = " ".join("".join(str(part) for part in child.itertext()).split())
            etree.SubElement(failed, f"{_T}text").text = head
            etree.SubElement(failed, f"{_T}value-of", {"select": "path()"})
            etree.SubElement(failed, f"{_T}text").text = SEPARATOR + text + "\n"
            yield failed


def _variable(let: etree._Element) -> etree._Element:
    said = {"name": str(let.get("name"))}
    if let.get("value") is not None:
        return etree.Element(f"{_T}variable", {**said, "select": str(let.get("value"))})
    variable = etree.Element(f"{_T}variable", said)
    variable.text = let.text
    variable.extend(copy.deepcopy(child) for child in let)
    return variable
