"""Our verdict on responses is the official one: on the official documents, and on those broken in every place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from connector.ehf.ubl.node import tag
from connector.ehf.xml import parse
from connector.errors import BadInput
from connector.peppol.responses import in_words, read
from connector.peppol.responses.model import Kind
from connector.peppol.responses.rules import judge
from tests.ehf.proof_oracle import need_shared, official

FOLDER = "peppol-bis-3"
FILES: dict[Kind, str] = {
    "invoice-response": "PEPPOLBIS-T111.sch",
    "message-level-response": "PEPPOLBIS-T71.sch",
    "message-level-status": "peppol-mls-1.0.1.sch",
}
DOCUMENTS: dict[Kind, tuple[str, ...]] = {
    "invoice-response": (
        "examples/responses/T111-*.xml",
        "examples/responses/Inv*.xml",
        "tests/unit-invoice-*/*/*.xml",
    ),
    "message-level-response": ("examples/responses/mlr-snippets/*.xml",),
    "message-level-status": ("examples/mls/*.xml",),
}
NEVER = {"PEPPOL-T111-R005"}
"""Its official test is always true."""


@cache
def documents(kind: Kind) -> tuple[etree._Element, ...]:
    paths = [path for each in DOCUMENTS[kind] for path in sorted((need_shared() / FOLDER).glob(each))]
    assert paths
    return tuple(parse(path.read_bytes()) for path in paths)


def said_officially(root: etree._Element, kind: Kind) -> Counter[tuple[str, str]] | None:
    """What fires, how often; None where the official evaluation breaks off."""
    file = Path(FOLDER) / "schematron" / FILES[kind]
    verdict = official().oracle.check(etree.tostring(root), [(kind, file)])
    return None if verdict["errors"] else Counter((one["id"], one["flag"]) for one in verdict["fired"])


def said_here(root: etree._Element, kind: Kind) -> Counter[tuple[str, str]]:
    return Counter((found.rule, found.severity) for found in judge(root, kind))


def broken(root: etree._Element) -> Iterator[etree._Element]:
    """The document with one thing changed: each element in each way, and each attribute."""
    for place, element in enumerate(root.iter(etree.Element)):
        for change in CHANGES:
            changed = deepcopy(root)
            if change(list(changed.iter(etree.Element))[place]):
                yield changed
        for name in element.attrib:
            for value in (None, "", "XX", "9908", "0211", "OPStatusAction", "OPStatusReason"):
                changed = deepcopy(root)
                twin = list(changed.iter(etree.Element))[place]
                if value is None:
                    del twin.attrib[name]
                else:
                    twin.set(name, value)
                yield changed


def gone(element: etree._Element) -> bool:
    parent = element.getparent()
    if parent is None:
        return False
    parent.remove(element)
    return True


def twice(element: etree._Element) -> bool:
    parent = element.getparent()
    if parent is None:
        return False
    parent.insert(parent.index(element), deepcopy(element))
    return True


def located(element: etree._Element) -> bool:
    element.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "urn:x x.xsd")
    return True


def with_foreign(element: etree._Element) -> bool:
    if not len(element):
        return False
    etree.SubElement(element, tag("cbc:UUID")).text = "x"
    etree.SubElement(element, tag("cac:PartyIdentification")).append(etree.Element("{urn:other}thing"))
    return True


def text(value: str):  # type: ignore[no-untyped-def]
    def change(element: etree._Element) -> bool:
        if len(element):
            return False
        element.text = value
        return True

    return change


CHANGES = (
    gone, twice, located, with_foreign, text(""), text(" \n"), text("XX"), text(" RE "), text("CA"), text("PPD"),
    text("OTH"), text("NIN"), text("BV"), text("AP"), text("2027-02-30"), text(" 2027-02-3"), text("2027-02-03Z"),
    text("923609016"), text("123456-abc.P12"), text("urn:peppol:edec:mls:1.0"),
    text("urn:fdc:peppol.eu:poacc:bis:invoice_response:3"), text("urn:fdc:peppol.eu:poacc:trns:mlr:3.1"),
)  # fmt: skip


SCHEMES = (
    "0007", "0088", "0096", "0106", "0151", "0184", "0190", "0192", "0198", "0201", "0208", "0210", "0211", "0217",
    "9907", "9944",
)  # fmt: skip
NUMBERS = (
    "923609016", " 923609016 ", "923609017", "5798000012349", "5798000012340", "DK88776655", "88776655", "0403019261",
    "IT12345670017", "IT12345670018", "5567321707", "51824753556", "NL123456789B12", "NLx", "UFABC1",
    "1" * 20, "12345678", "1" * 12,
)  # fmt: skip


def numbered() -> Iterator[etree._Element]:
    """Parties with every scheme that has a rule, and numbers that fit one of them or none."""
    for scheme in SCHEMES:
        for number in NUMBERS:
            changed = deepcopy(whole("invoice-response"))
            sender = changed.find(tag("cac:SenderParty"))
            assert sender is not None
            legal = sender.find(tag("cac:PartyLegalEntity"))
            taxed = etree.SubElement(sender, tag("cac:PartyTaxScheme"))
            for parent in (sender.find(tag("cac:PartyIdentification")), legal, taxed):
                assert parent is not None
                name = "cbc:ID" if parent.tag == tag("cac:PartyIdentification") else "cbc:CompanyID"
                found = parent.find(tag(name))
                own = etree.SubElement(parent, tag(name)) if found is None else found
                own.text = number
                own.set("schemeID", scheme)
            etree.SubElement(etree.SubElement(taxed, tag("cac:TaxScheme")), tag("cbc:ID")).text = " VAT "
            endpoint = sender.find(tag("cbc:EndpointID"))
            assert endpoint is not None
            endpoint.text = number
            endpoint.set("schemeID", scheme)
            yield changed


def whole(kind: Kind) -> etree._Element:
    """An official example with everything in it that the rules speak of."""
    names = {
        "invoice-response": "examples/responses/InvoiceResponse_Example.xml",
        "message-level-response": "examples/responses/mlr-snippets/snippet-3.xml",
        "message-level-status": "examples/mls/MessageLevelStatus_Example_RE3.xml",
    }
    root = parse((need_shared() / FOLDER / names[kind]).read_bytes())
    said = root.find(tag("cac:DocumentResponse"))
    assert said is not None
    if kind == "invoice-response":
        issuer = said.find(tag("cac:IssuerParty"))
        status = said.find(f"{tag('cac:Response')}/{tag('cac:Status')}")
        assert issuer is not None
        assert status is not None
        recipient = deepcopy(issuer)
        recipient.tag = tag("cac:RecipientParty")
        issuer.addnext(recipient)
        reason = deepcopy(status)
        reason[0].text, reason[0].attrib["listID"] = "REF", "OPStatusReason"
        status.addnext(reason)
        alone = deepcopy(reason)
        alone.remove(alone[1])
        reason.addnext(alone)
    if kind == "message-level-response":
        reference = said.find(tag("cac:DocumentReference"))
        line = said.find(f"{tag('cac:LineResponse')}/{tag('cac:Response')}")
        assert reference is not None
        assert line is not None
        etree.SubElement(reference, tag("cbc:DocumentTypeCode")).text = "380"
        code = etree.Element(tag("cbc:ResponseCode"))
        code.text = "RE"
        line.insert(0, code)
    return root


@pytest.mark.parametrize("kind", FILES)
def test_the_same_rules_fire_on_every_document_broken_in_every_place(kind: Kind) -> None:
    fired: set[str] = set()
    cases = [*documents(kind), *broken(whole(kind)), *(numbered() if kind == "invoice-response" else ())]
    for root in cases:
        theirs = said_officially(root, kind)
        if theirs is None:
            continue
        ours = said_here(root, kind)
        assert ours == theirs, (ours - theirs, theirs - ours, etree.tostring(root).decode())
        fired |= {rule for rule, _ in theirs}
    silent = ids(kind) - fired
    assert silent <= NEVER, f"no document breaks {sorted(silent)}, so nothing is known of them"


@pytest.mark.parametrize("kind", FILES)
def test_a_broken_response_is_read_or_refused_with_what_to_do(kind: Kind) -> None:
    understood = 0
    refused = []
    for root in broken(whole(kind)):
        try:
            got = read(etree.tostring(root))
        except BadInput as error:
            refused.append(error)
            continue
        understood += 1
        assert got.about.id
        assert in_words(got, "nb").text.startswith(in_words(got, "nb").title)
    assert understood > len(refused) > 20
    assert all(error.code.startswith("response-") and error.do for error in refused)


def ids(kind: Kind) -> set[str]:
    """Every rule of the official file; those on numbers are judged once, in the file of invoice responses."""
    text = (need_shared() / FOLDER / "schematron" / FILES[kind]).read_text("utf-8")
    found = set(re.findall(r'\bid="((?:PEPPOL|SCH)-[A-Z0-9-]+)"', text))
    if kind == "invoice-response":
        return found
    return {rule for rule in found if not re.match("PEPPOL-COMMON-R0[45]", rule)}
