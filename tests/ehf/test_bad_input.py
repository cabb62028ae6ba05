"""What is no good invoice: every kind gets a verdict with a rule and a text, quickly, and never a traceback."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time

import pytest

from benchmarks.invoices import invoice
from connector.ehf import validate
from connector.ehf.xml import CAC, CBC, INVOICE

UBL = "urn:oasis:names:specification:ubl:schema:xsd"
PLAIN = invoice(2, full=False)
TEXT = PLAIN.decode()


def with_text(tag: str, text: str) -> bytes:
    """A good invoice but for the text of the first element of that name."""
    changed, times = re.subn(rf"(<{tag}(?: [^>]*)?>)[^<]*", lambda found: found[1] + text, TEXT, count=1)
    assert times == 1
    return changed.encode()


def with_field(tag: str, text: str) -> bytes:
    """A good invoice with one more field before its customisation id."""
    return TEXT.replace("<cbc:CustomizationID>", f"<{tag}>{text}</{tag}><cbc:CustomizationID>", 1).encode()


ENTITIES = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 20))]

NOT_VALID: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "xml-empty"),
    "blank": (b"\r\n \t", "xml-empty"),
    "a byte order mark only": (b"\xef\xbb\xbf", "xml-not-well-formed"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj", "xml-not-well-formed"),
    "JSON": (b'{"invoice": {}}', "xml-not-well-formed"),
    "HTML": (b"<html><head><title>Faktura</title></head><body><p>Hei</p></body></html>", "xsd-other-document"),
    "HTML with a DOCTYPE": (b"<!DOCTYPE html><html></html>", "xml-dtd"),
    "cut off": (PLAIN[:-40], "xml-not-well-formed"),
    "order": (f'<Order xmlns="{UBL}:Order-2"/>'.encode(), "xsd-other-document"),
    "CII": (
        b'<CrossIndustryInvoice xmlns="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>',
        "xsd-other-document",
    ),
    "UBL 1.0": (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-1.0"/>', "xsd-other-document"),
    "UBL 2.0": (with_field("cbc:UBLVersionID", "2.0").replace(b":billing:3.0<", b":x<"), "PEPPOL-EN16931-R004"),
    "no namespace": (re.sub(rb' xmlns="[^"]*"', b"", PLAIN), "xsd-other-document"),
    "namespace of a credit note": (PLAIN.replace(b"Invoice-2", b"CreditNote-2"), "xsd-other-document"),
    "wrong namespace of the fields": (
        PLAIN.replace(b"BasicComponents-2", b"BasicComponents-3"),
        "xsd-unexpected-element",
    ),
    "cac and cbc exchanged": (
        PLAIN.replace(CAC.encode(), b"x").replace(CBC.encode(), CAC.encode()).replace(b'"x"', f'"{CBC}"'.encode()),
        "xsd-unexpected-element",
    ),
    "Latin-1 said to be UTF-8": (
        with_text("cbc:Name", "Bø").decode().replace("é", "e").encode("latin-1", "replace"),
        "xml-encoding",
    ),
    "UTF-16 said to be UTF-8": (TEXT.encode("utf-16"), "xml-encoding"),
    "UTF-16 without a mark said to be Latin-1": (
        TEXT.replace("UTF-8", "ISO-8859-1", 1).encode("utf-16-be"),
        "xml-encoding",
    ),
    "unknown encoding": (PLAIN.replace(b"UTF-8", b"KLINGON", 1), "xml-encoding"),
    "entity bomb": (f"<!DOCTYPE a [{''.join(ENTITIES)}]><a>&a19;</a>".encode(), "xml-dtd"),
    "external entity": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "xml-dtd"),
    "unknown entity": (
        with_text("cbc:Note", "&unknown;") if "<cbc:Note>" in TEXT else b"<a>&b;</a>",
        "xml-not-well-formed",
    ),
    "10,000 levels": (b"<a>" * 10_000 + b"</a>" * 10_000, "xml-too-deep"),
    "300 levels inside an invoice": (
        PLAIN.replace(b"<cac:Item>", b"<cac:Item>" + b"<cac:Item>" * 300 + b"</cac:Item>" * 300, 1),
        "xml-too-deep",
    ),
    "NUL": (with_text("cbc:ID", "1\x002"), "xml-not-well-formed"),
    "control character": (with_text("cbc:ID", "1\x012"), "xml-not-well-formed"),
    "1e5": (with_text("cbc:PayableAmount", "1e5"), "xsd-value"),
    "NaN": (with_text("cbc:PayableAmount", "NaN"), "xsd-value"),
    "INF": (with_text("cbc:PriceAmount", "INF"), "xsd-value"),
    "1,5": (with_text("cbc:PayableAmount", "1,5"), "xsd-value"),
    "no amount": (with_text("cbc:PayableAmount", ""), "xsd-value"),
    "thousands with blanks": (with_text("cbc:PayableAmount", "1 000.00"), "xsd-value"),
    "Arabic digits": (with_text("cbc:PayableAmount", "١٢"), "xsd-value"),
    " 1.00 ": (with_text("cbc:TaxInclusiveAmount", " 1.00 "), "BR-DEC-14"),
    "a number of 5,000 digits": (with_text("cbc:PayableAmount", "9" * 5000), "BR-CO-16"),
    "2026-02-30": (with_text("cbc:IssueDate", "2026-02-30"), "xsd-value"),
    "a Norwegian date": (with_text("cbc:IssueDate", "30.02.2026"), "xsd-value"),
    "a date with a time zone": (with_text("cbc:IssueDate", "2026-05-01Z"), "PEPPOL-EN16931-F001"),
    "a year beyond all calendars": (with_text("cbc:IssueDate", "99999-01-01"), "PEPPOL-EN16931-F001"),
    "unknown customisation id": (with_text("cbc:CustomizationID", "urn:example:mine"), "PEPPOL-EN16931-R004"),
    "no customisation id": (re.sub(rb"<cbc:CustomizationID>.*?</cbc:CustomizationID>", b"", PLAIN), "BR-01"),
    "unknown process": (with_text("cbc:ProfileID", "urn:example:mine"), "PEPPOL-EN16931-R007"),
}


@pytest.mark.parametrize("name", NOT_VALID)
@pytest.mark.parametrize("all_layers", [False, True])
def test_not_valid_and_said_why(name: str, all_layers: bool) -> None:
    data, rule = NOT_VALID[name]
    started = time.thread_time()
    report = validate(data, all_layers=all_layers)
    spent = time.thread_time() - started
    assert not report.valid
    assert rule in {finding.rule for finding in report.findings}, [finding.rule for finding in report.findings]
    for finding in report.findings:
        assert all(finding.message[language] and finding.fix[language] for language in ("nb", "en"))
    assert rule in report.as_text("fil.xml", "nb")
    assert report.as_json()["valid"] is False
    assert spent < 20  # the first of a kind loads the schemas


VALID: dict[str, bytes] = {
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": TEXT.replace("UTF-8", "UTF-16", 1).encode("utf-16"),
    "Latin-1": TEXT.replace("UTF-8", "ISO-8859-1", 1).encode("latin-1", "xmlcharrefreplace"),
    "no declaration": PLAIN[PLAIN.index(b"<Invoice") :],
    "comments and instructions": PLAIN.replace(b"<cac:Item>", b"<!-- a --><?b c?><cac:Item>"),
    "CDATA": re.sub(rb"<cbc:Name>([^<&]*)</cbc:Name>", rb"<cbc:Name><![CDATA[\1]]></cbc:Name>", PLAIN),
}


@pytest.mark.parametrize("name", VALID)
def test_what_is_unusual_and_right_is_valid(name: str) -> None:
    report = validate(VALID[name])
    assert report.valid, report.as_text()


_LIMITED = """
import resource, sys
from connector.ehf import validate
from benchmarks.invoices import invoice
validate(invoice(2))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
data = invoice(2, full=False)
at = data.index(b"<cac:AccountingSupplierParty>")
size = int(sys.argv[1])
attachment = b'<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject'
attachment += b' mimeCode="application/pdf" filename="a.pdf">' + b"QUJD" * (size // 4)
attachment += b"</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
data = data[:at] + attachment + data[at:]
del attachment
before = peak()
report = validate(data)
print(report.findings[0].rule if report.findings else "valid", (peak() - before) // len(data))
"""


@pytest.mark.proof
@pytest.mark.parametrize(("size", "said"), [(99_000_000, "valid"), (105_000_000, "xml-too-large")])
def test_a_hundred_megabytes_take_memory_in_proportion(size: int, said: str) -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([sys.executable, "-c", _LIMITED, str(size)], capture_output=True, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
    rule, _, times = done.stdout.partition(" ")
    assert rule == said
    assert int(times) <= 10  # times the file
    assert used < 60


def test_wrong_namespaces_are_named() -> None:
    report = validate(PLAIN.replace(INVOICE.encode(), b"urn:example:invoice"))
    (finding,) = report.findings
    assert finding.values["namespace"] == "urn:example:invoice"
