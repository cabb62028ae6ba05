"""Losing nothing rests on two functions; here they meet trees nobody thought of."""

from __future__ import annotations

import contextlib
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.ehf.ubl.node import tag
from connector.ehf.ubl.remainder import remainder, restore, same
from connector.errors import BadInput
from connector.model import Kept

NAMES = st.sampled_from(
    [tag("cbc:ID"), tag("cbc:Note"), tag("cac:Party"), tag("cac:Item"), tag("cac:Price"), "{urn:x:y/z}Odd", "plain"]
)
OURS = st.sampled_from([tag("cbc:ID"), tag("cbc:Note"), tag("cac:Party"), tag("cac:Item"), tag("cac:Price")])
VALUES = st.sampled_from(["", "1", "1.0", " 1 ", "a\nb", "ÆØÅ", "<&>"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["schemeID", "languageID", "{urn:x}y"]), VALUES, max_size=2)


def trees(names: st.SearchStrategy[str]) -> st.SearchStrategy[etree._Element]:
    def leaf(name: str, attributes: dict[str, str], text: str) -> etree._Element:
        element = etree.Element(name, attributes)
        element.text = text
        return element

    def inner(name: str, attributes: dict[str, str], children: list[etree._Element]) -> etree._Element:
        element = etree.Element(name, attributes)
        element.extend(copy.deepcopy(children))
        return element

    leaves = st.builds(leaf, names, ATTRIBUTES, VALUES)
    return st.recursive(
        leaves, lambda below: st.builds(inner, names, ATTRIBUTES, st.lists(below, max_size=5)), max_leaves=14
    )


def rooted(children: list[etree._Element]) -> etree._Element:
    root = etree.Element(tag("cac:InvoiceLine"))
    root.extend(copy.deepcopy(children))
    return etree.fromstring(etree.tostring(root))  # as a parser makes it: no prefix stands for two things


@settings(max_examples=400, deadline=None)
@given(st.lists(trees(NAMES), max_size=6), st.lists(trees(OURS), max_size=6))
def test_whatever_two_trees_are_the_remainder_leads_from_one_to_the_other(
    came: list[etree._Element], fields: list[etree._Element]
) -> None:
    original, written = rooted(came), rooted(fields)
    found = remainder(original, copy.deepcopy(written))
    again = tuple(Kept.model_validate_json(each.model_dump_json()) for each in found)
    restore(written, again)
    assert same(original, written), etree.tostring(written)


@settings(max_examples=100, deadline=None)
@given(st.lists(trees(NAMES), max_size=6))
def test_equal_trees_leave_nothing(came: list[etree._Element]) -> None:
    assert remainder(rooted(came), rooted(came)) == ()


def ubl(xml: str) -> etree._Element:
    spaces = 'xmlns:cbc="{}" xmlns:cac="{}"'.format(tag("cbc:x")[1:-2], tag("cac:x")[1:-2])
    return etree.fromstring(f"<cac:InvoiceLine {spaces}>{xml}</cac:InvoiceLine>")


def test_what_was_kept_goes_with_what_it_belonged_to() -> None:
    """After a change of the fields, what still has its place is put back there; the rest is void, never misplaced."""
    came = ubl(
        "<cbc:ID>1</cbc:ID><cbc:UUID>u</cbc:UUID><cbc:Note languageID='nb'>a</cbc:Note>"
        "<cac:Item><cbc:Name> x </cbc:Name></cac:Item>"
    )
    kept = remainder(came, ubl("<cbc:ID>1</cbc:ID><cbc:Note>a</cbc:Note><cac:Item><cbc:Name>x</cbc:Name></cac:Item>"))
    changed = ubl("<cbc:ID>2</cbc:ID><cac:Item><cbc:Name>y</cbc:Name></cac:Item>")
    restore(changed, kept)
    assert same(changed, ubl("<cbc:ID>2</cbc:ID><cbc:UUID>u</cbc:UUID><cac:Item><cbc:Name>y</cbc:Name></cac:Item>"))


def test_a_type_named_in_a_value_keeps_its_prefix() -> None:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    came = ubl(f'<x xmlns:q="urn:q" xmlns:xsi="{xsi}" xsi:type="q:kind">1</x>')
    (kept,) = remainder(came, ubl(""))
    assert 'xmlns:q="urn:q"' in (kept.value or "")


def test_many_alike_siblings_take_no_quadratic_time() -> None:
    came = ubl("".join(f"<cbc:Note languageID='nb'> {n} </cbc:Note>" for n in range(20_000)))
    written = ubl("".join(f"<cbc:Note>{n}</cbc:Note>" for n in range(20_000)))
    again = copy.deepcopy(written)
    restore(again, remainder(came, written))
    assert same(again, came)
    extra = ubl("".join(f"<cbc:Note>{n}</cbc:Note><cbc:Odd/><cac:X/>" for n in range(10_000)))
    again = copy.deepcopy(written)
    restore(again, remainder(extra, copy.deepcopy(written)))
    assert same(again, extra)


@pytest.mark.parametrize(
    ("before", "between", "after"), [("", "\n", ""), ("\n    ", "\n    ", "\n"), ("", "", " "), ("\n", " \n", "")]
)
def test_a_wrapped_attachment_is_not_kept_twice(before: str, between: str, after: str) -> None:
    data = "QUJD" * 20_000
    lines = [data[n : n + 76] for n in range(0, len(data), 76)]
    came = ubl(f"<cbc:Note>{before}{between.join(lines)}{after}</cbc:Note>")
    (kept,) = remainder(came, ubl(f"<cbc:Note>{data}</cbc:Note>"))
    assert len(kept.model_dump_json()) < 300
    again = ubl(f"<cbc:Note>{data}</cbc:Note>")
    restore(again, [Kept.model_validate_json(kept.model_dump_json())])
    assert same(again, came)
    odd = ubl(f"<cbc:Note>{data[:5]} {data[5:]}\n x</cbc:Note>")
    again = ubl(f"<cbc:Note>{data}</cbc:Note>")
    restore(again, remainder(odd, ubl(f"<cbc:Note>{data}</cbc:Note>")))
    assert same(again, odd)


def test_text_between_elements_of_the_document_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        remainder(ubl("<cbc:ID>1</cbc:ID>stray"), ubl("<cbc:ID>1</cbc:ID>"))
    assert caught.value.code == "ubl-mixed-text"


@pytest.mark.parametrize("xml", ["<a>", "", "no xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_a_forged_extension_is_refused(xml: str) -> None:
    line = ubl("<cbc:ID>1</cbc:ID>")
    with pytest.raises(BadInput) as caught:
        restore(line, [Kept(at="", what="element", value=xml, place=1)])
    assert caught.value.code == "extension-malformed"


@pytest.mark.parametrize(
    "kept",
    [
        {"at": "", "what": "attribute", "name": "not a name", "value": "x"},
        {"at": "", "what": "text", "value": "a\u0001", "instead_of": ""},
        {"at": "cbc:ID[1]/../..", "what": "absent"},
        {"at": "", "what": "absent"},
        {"at": "cbc:ID[999999999999]", "what": "absent"},
        {"at": "/".join(["cbc:ID[1]"] * 100_000), "what": "absent"},
        {"at": "", "what": "order", "order": [5, 6]},
        {"at": "cbc:ID[1]", "what": "wrapped", "wrap": {"width": 1, "between": " " * 200_000_000}},
        {"at": "", "what": "element", "value": "<a/>", "place": -3},
    ],
)
def test_a_forged_extension_does_no_harm(kept: dict[str, object]) -> None:
    line = ubl("<cbc:ID>12</cbc:ID>")
    each = Kept.model_validate_json(json.dumps(kept))
    with contextlib.suppress(BadInput):  # nothing else may come out
        restore(line, [each])
    assert line.find(tag("cbc:ID")) is not None
