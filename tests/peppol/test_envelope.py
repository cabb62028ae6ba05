"""The envelope of Peppol: what is put in comes out, and what is none is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from connector.api.examples import INVOICE_DRAFT
from connector.ehf import write as write_ehf
from connector.errors import BadInput
from connector.model import Draft, compose
from connector.peppol import envelope
from connector.peppol.envelope import Envelope
from connector.peppol.identifiers import CREDIT_NOTE, INVOICE, SELF_BILLED_INVOICE, Participant

SH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
INSTANCE = "0c3a1e64-8a1e-4b9b-9a53-51e0a5a8f001"
CREATED = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)


def ehf() -> bytes:
    draft = Draft.model_validate({**INVOICE_DRAFT, "number": "2027-1"})
    return bytes(write_ehf(compose(draft)))


EHF = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- kept -->
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
  <cbc:ID>Bl\xc3\xa5b\xc3\xa6r &amp; s\xc3\xb8nn</cbc:ID>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="0192">923609016</cbc:EndpointID></cac:Party>
  </cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="0192">974760673</cbc:EndpointID></cac:Party>
  </cac:AccountingCustomerParty>
</Invoice>
"""


def on(document: bytes = EHF) -> Envelope:
    return envelope.address(document, instance=INSTANCE, created=CREATED)


def test_a_document_says_who_sends_it_to_whom() -> None:
    made = on()
    assert (str(made.sender), str(made.receiver)) == ("0192:923609016", "0192:974760673")
    assert (made.document, made.process) == (INVOICE.document, INVOICE.process)
    assert on(ehf()).document == INVOICE.document
    self_billed = EHF.replace(b">380<", b">389<").replace(b"billing", b"selfbilling")
    made = on(self_billed)
    assert (str(made.sender), str(made.receiver)) == ("0192:974760673", "0192:923609016")
    assert (made.document, made.process) == (SELF_BILLED_INVOICE.document, SELF_BILLED_INVOICE.process)


@pytest.mark.parametrize("lost", [b"<cbc:ProfileID>", b"CustomizationID", b' schemeID="0192"', b">974760673<"])
def test_a_document_that_does_not_say_it_cannot_be_sent(lost: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        on(EHF.replace(lost, lost.replace(b"ProfileID>", b"UUID>").replace(b"Custom", b"Other").replace(
            b"schemeID", b"scheme").replace(b">974760673<", b"> <")).replace(b"</cbc:ProfileID>", b"</cbc:UUID>"
            if lost == b"<cbc:ProfileID>" else b"</cbc:ProfileID>"))  # fmt: skip
    assert caught.value.code == "envelope-unaddressed"


@pytest.mark.parametrize(
    "document",
    [
        EHF,
        ehf(),
        b"\xef\xbb\xbf" + EHF,
        EHF.partition(b"?>\n")[2],
        EHF.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        EHF.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        EHF.replace(b"<Invoice xmlns=", b"<u:Invoice xmlns:u=").replace(b"</Invoice>", b"</u:Invoice>"),
    ],
    ids=["plain", "ours", "mark", "undeclared", "latin-1", "utf-16", "prefixed"],
)
def test_what_is_put_in_comes_out(document: bytes) -> None:
    made = replace(on(document), scopes={"MLS_TYPE": "FAILURE_ONLY"})
    sent = envelope.write(made, document)
    read, inside = envelope.read(sent)
    assert read == made
    assert etree.tostring(etree.fromstring(inside), method="c14n") == etree.tostring(
        etree.fromstring(document), method="c14n"
    )
    if b"UTF-8" in document[:60]:
        assert document.partition(b"?>")[2].strip() == inside.partition(b"?>")[2].strip()  # byte for byte
    assert envelope.write(made, document) == sent  # the same again, when it is tried again


def test_it_looks_as_peppol_says() -> None:
    root = etree.fromstring(envelope.write(on(), EHF))
    header, document = (one for one in root if isinstance(one.tag, str))
    assert document.tag.endswith("}Invoice")
    assert header.findtext(f"{SH}HeaderVersion") == "1.0"
    sender = header.find(f"{SH}Sender/{SH}Identifier")
    assert (sender.text, sender.get("Authority")) == ("0192:923609016", "iso6523-actorid-upis")
    said = {one.tag.removeprefix(SH): one.text for one in header.find(f"{SH}DocumentIdentification")}
    assert said == {
        "Standard": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2", "TypeVersion": "2.1",
        "InstanceIdentifier": INSTANCE, "Type": "Invoice", "CreationDateAndTime": "2027-03-01T12:30:00+00:00",
    }  # fmt: skip
    scopes = [[part.text for part in scope] for scope in header.find(f"{SH}BusinessScope")]
    assert scopes == [
        ["DOCUMENTID", INVOICE.document.value, "busdox-docid-qns"],
        ["PROCESSID", INVOICE.process.value, "cenbii-procid-ubl"],
        ["COUNTRY_C1", "NO"],
    ]


def test_older_envelopes_are_read() -> None:
    """Without a country (before 2024), without schemes in the scopes (1.0), with another code for a participant."""
    text = envelope.write(on(), EHF).decode()
    for gone in ("busdox-docid-qns", "cenbii-procid-ubl"):
        text = text.replace(f"<sh:Identifier>{gone}</sh:Identifier>", "")
    country = "<sh:Scope><sh:Type>COUNTRY_C1</sh:Type><sh:InstanceIdentifier>NO</sh:InstanceIdentifier></sh:Scope>"
    assert country in text
    read, _ = envelope.read(text.replace(country, "").replace("0192:974760673", "0037:003712345", 1).encode())
    assert read == replace(on(), country=None, receiver=Participant("0037", "003712345"))


def test_namespaces_that_stand_around_the_document_come_along() -> None:
    text = envelope.write(on(), EHF).decode()
    ns = 'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
    moved = text.replace(f"\n {ns}", "").replace("<sh:StandardBusinessDocument ", f"<sh:StandardBusinessDocument {ns} ")
    assert moved.count(ns) == 1
    _, inside = envelope.read(moved.encode())
    assert etree.fromstring(inside).findtext("{*}ID") == "Blåbær & sønn"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<sh:HeaderVersion>1.0<", "<sh:HeaderVersion>2.0<", "envelope-malformed"),
        ("+00:00<", "<", "envelope-malformed"),
        ('Authority="iso6523-actorid-upis"', "", "envelope-malformed"),
        ("<sh:Type>PROCESSID<", "<sh:Type>OTHER<", "envelope-malformed"),
        ("</Invoice>", "</Invoice><Invoice/>", "envelope-malformed"),
        ("sh:StandardBusinessDocument ", "sh:Other ", "xml-not-well-formed"),
        ("::Invoice##", "::CreditNote##", "envelope-differs"),
        ("Invoice-2::", "Invoice-3::", "envelope-differs"),
        ("0192:923609016", "923609016", "participant-invalid"),
    ],
)
def test_what_is_no_envelope_is_said(old: str, new: str, code: str) -> None:
    text = envelope.write(on(), EHF).decode()
    assert old in text
    with pytest.raises(BadInput) as caught:
        envelope.read(text.replace(old, new, 1).encode())
    assert caught.value.code == code


def test_a_document_alone_is_no_envelope() -> None:
    with pytest.raises(BadInput, match="no envelope"):
        envelope.read(EHF)


def test_what_does_not_belong_inside_is_not_put_in() -> None:
    made = on()
    for document, code in (
        (envelope.write(made, EHF), "envelope-nested"),
        (EHF.replace(b"Invoice-2", b"CreditNote-2"), "envelope-differs"),
        (b"<!DOCTYPE x>" + EHF.partition(b"?>\n")[2], "xml-dtd"),
    ):
        with pytest.raises(BadInput) as caught:
            envelope.write(made, document)
        assert caught.value.code == code
    for country in (None, "no", "NOR"):
        with pytest.raises(BadInput, match="COUNTRY_C1"):
            envelope.write(replace(made, country=country), EHF)
    assert CREDIT_NOTE.document != made.document


def test_the_official_examples_go_into_an_envelope() -> None:
    folder = Path(__file__).parents[3] / "shared" / "standards"
    examples = sorted(folder.glob("peppol-bis-3/**/examples/*.xml")) if folder.is_dir() else []
    if not examples:
        pytest.skip("the official examples are not here")
    for example in examples:
        document = example.read_bytes()
        read, inside = envelope.read(envelope.write(on(document), document))
        assert read == on(document)
        assert etree.fromstring(inside).tag == etree.fromstring(document).tag
