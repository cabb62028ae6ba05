"""The layers: which of them ran, by which rules, and what the report says."""

from __future__ import annotations

import datetime
import gc
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.invoices import invoice
from connector.ehf import validate
from connector.ehf.report import Finding
from connector.ehf.rules import releases
from connector.ehf.xml import INVOICE
from connector.errors import BadInput

FULL = os.environ.get("CONNECTOR_PROOF") == "full"


def replaced(data: bytes, tag: str, text: str) -> bytes:
    """The document with another text in the first element of that name."""
    start = data.index(b">", data.index(f"<{tag}".encode())) + 1
    return data[:start] + text.encode() + data[data.index(b"<", start) :]


def only(data: bytes, rule: str, **more: object) -> Finding:
    found = [finding for finding in validate(data, **more).findings if finding.rule == rule]  # type: ignore[arg-type]
    assert len(found) == 1, [finding.rule for finding in validate(data, **more).findings]  # type: ignore[arg-type]
    return found[0]


def test_a_good_invoice() -> None:
    report = validate(invoice(2, full=False))
    assert report.valid
    assert report.document_type == "Invoice"
    assert list(report.layers) == ["xml", "xsd", "en16931", "peppol"]
    assert set(report.layers.values()) == {"passed"}
    assert not report.fatal


def test_a_self_billing_invoice_has_its_own_layer() -> None:
    report = validate(invoice(2, self_billing=True))
    assert list(report.layers) == ["xml", "xsd", "en16931", "self-billing"]


@pytest.mark.parametrize(
    ("data", "rule", "kind"),
    [
        (b"", "xml-empty", None),
        (b"<a", "xml-not-well-formed", None),
        (b"<html/>", "xsd-other-document", "html"),
        (b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "xsd-other-document", "Order"),
        (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-1"/>', "xsd-other-document", "Invoice"),
        (b"<Invoice/>", "xsd-other-document", "Invoice"),
        (f'<CreditNote xmlns="{INVOICE}"/>'.encode(), "xsd-other-document", "CreditNote"),
        (
            b'<x:CrossIndustryInvoice xmlns:x="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>',
            "xsd-other-document",
            "CrossIndustryInvoice",
        ),
    ],
)
def test_another_kind_of_document_is_a_finding_and_the_rest_is_skipped(
    data: bytes, rule: str, kind: str | None
) -> None:
    report = validate(data, all_layers=True)
    assert [finding.rule for finding in report.findings] == [rule]
    assert not report.valid
    assert report.readable == (kind is not None)
    assert report.document_type == kind
    assert report.rules_version is None
    assert report.layers["en16931"] == report.layers["peppol"] == "skipped"
    assert all(report.findings[0].message[language] for language in ("nb", "en"))


def test_what_fails_the_xsd_goes_no_further_unless_asked() -> None:
    data = replaced(invoice(1), "cbc:PayableAmount", "1,5")
    report = validate(data)
    assert report.layers == {"xml": "passed", "xsd": "failed", "en16931": "skipped", "peppol": "skipped"}
    assert {finding.layer for finding in report.findings} == {"xsd"}
    report = validate(data, all_layers=True)
    assert report.layers["en16931"] == "failed"
    assert not report.valid
    evaluable = only(data, "rule-not-evaluable", all_layers=True)
    assert evaluable.layer == "en16931"


@pytest.mark.parametrize(
    ("day", "version"),
    [
        ("2025-08-25", "3.0.19"),
        ("2026-02-22", "3.0.19"),
        ("2026-02-23", "3.0.20"),
        ("2026-08-23", "3.0.20"),
        ("2026-08-24", "3.0.21"),
        ("2031-01-01", "3.0.21"),
        ("2025-08-24", "3.0.21"),
        ("2017-11-13", "3.0.21"),
        ("2026-02-30", "3.0.21"),
        ("", "3.0.21"),
    ],
)
def test_the_release_in_force_on_the_issue_date(day: str, version: str) -> None:
    assert validate(replaced(invoice(1), "cbc:IssueDate", day), all_layers=True).rules_version == version


def test_a_release_that_is_named() -> None:
    data = replaced(invoice(1), "cbc:IssueDate", "2026-09-01")
    assert validate(data, rules="3.0.19").rules_version == "3.0.19"
    with pytest.raises(BadInput) as caught:
        validate(data, rules="2.0")
    assert caught.value.code == "unknown-rules-version"
    assert "3.0.21" in caught.value.do


def test_releases_are_in_order() -> None:
    days = [release.mandatory for release in releases.RELEASES]
    assert days == sorted(days)
    assert releases.in_force(None) is releases.NEWEST
    assert releases.in_force(datetime.date(1999, 1, 1)) is releases.NEWEST


def test_the_place_of_a_finding_is_the_node_itself() -> None:
    data = invoice(3, full=False).replace(b"<cac:Item>", b"<cac:Item><cbc:PackQuantity>1</cbc:PackQuantity>")
    data = data.replace(b"<cac:Item><cbc:PackQuantity>1</cbc:PackQuantity>", b"<cac:Item>", 1)
    finding = only(data, "UBL-CR-563", all_layers=True)
    assert finding.path == "/Invoice/cac:InvoiceLine[2]/cac:Item/cbc:PackQuantity"
    assert finding.severity == "warning"
    assert finding.line is not None
    assert b"PackQuantity" in data.splitlines()[finding.line - 1]


def test_calculations_are_written_out() -> None:
    finding = only(replaced(invoice(2, full=False), "cbc:LineExtensionAmount", "1.00"), "BR-CO-10")
    assert finding.term
    assert finding.values["stated"] == "1.00"
    parts, _, total = finding.values["calculation"].partition(" = ")
    assert total == finding.values["expected"]
    assert eval(parts) == pytest.approx(float(total))


def test_a_rule_that_fires_very_often_is_counted_and_not_listed_for_ever() -> None:
    report = validate(invoice(600, full=False).replace(b'unitCode="', b'unitCode="?'))
    listed = [finding for finding in report.findings if finding.rule == "BR-CL-23"]
    assert len(listed) == 500
    assert report.unlisted == {"BR-CL-23": 100}
    assert report.as_json()["unlisted"] == {"BR-CL-23": 100}
    assert "BR-CL-23: 100" in report.as_text()


def test_json_has_the_documented_keys() -> None:
    report = validate(replaced(invoice(1), "cbc:DocumentCurrencyCode", "XYZ"))
    said = json.loads(json.dumps(report.as_json("a.xml")))
    assert said["file"] == "a.xml"
    assert {"document_type", "rules_version", "valid", "findings"} <= said.keys()
    for finding in said["findings"]:
        assert finding.keys() == {
            "rule", "severity", "layer", "path", "line", "term", "values", "message", "fix",
        }  # fmt: skip
        assert finding["message"].keys() == finding["fix"].keys() == {"nb", "en"}


def test_text_in_both_languages() -> None:
    report = validate(replaced(invoice(1), "cbc:DocumentCurrencyCode", "XYZ"))
    norwegian, english = report.as_text("a.xml"), report.as_text("a.xml", "en")
    assert norwegian.startswith("a.xml: UGYLDIG (Invoice, regler ")
    assert english.startswith("a.xml: INVALID (Invoice, rules ")
    assert "BR-CL-04" in norwegian
    assert "XYZ" in english


@pytest.mark.parametrize("day", ["2026-05-01Z", "2026-05-01+02:00"])
def test_a_date_with_a_time_zone_passes_the_xsd_and_fails_peppol(day: str) -> None:
    report = validate(replaced(invoice(1), "cbc:IssueDate", day))
    assert report.layers["xsd"] == "passed"
    assert "PEPPOL-EN16931-F001" in {finding.rule for finding in report.fatal}


def test_an_unknown_customisation_is_judged_and_refused() -> None:
    report = validate(replaced(invoice(1), "cbc:CustomizationID", "urn:example:mine"))
    assert "PEPPOL-EN16931-R004" in {finding.rule for finding in report.fatal}


def test_blanks_around_an_amount_count_as_decimals() -> None:
    report = validate(replaced(invoice(1), "cbc:TaxInclusiveAmount", " 1.00 "))
    assert "BR-DEC-14" in {finding.rule for finding in report.fatal}


def test_collection_of_garbage_is_as_it_was() -> None:
    assert gc.isenabled()
    validate(b"<a")
    assert gc.isenabled()
    gc.disable()
    try:
        validate(b"<a")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("tag", [None, "cbc:PayableAmount", "cbc:IssueDate"])
def test_nothing_of_a_document_stays_behind_in_cycles(tag: str | None) -> None:
    """Valid, spoilt, and refused by the XSD, where another library explains."""
    data = invoice(5) if tag is None else replaced(invoice(5), tag, "x" if "Date" in tag else "7.00")
    validate(data)
    gc.collect()
    gc.disable()
    try:
        validate(data)
        assert gc.collect() < 50
    finally:
        gc.enable()


@pytest.mark.proof
def test_memory_is_flat_over_many_documents() -> None:
    def resident() -> int:
        found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    good = [invoice(2, full=False), invoice(3), invoice(2, kind="CreditNote"), invoice(2, self_billing=True)]
    bad = [
        replaced(good[0], "cbc:PayableAmount", "7.00"),
        replaced(good[0], "cbc:IssueDate", "x"),
        good[0][:-20],
        b"<a/>",
    ]
    before = 0
    for number in range(200_000 if FULL else 6000):
        validate(bad[number // 50 % 4] if number % 50 == 0 else good[number % 4])
        if number == 3000:
            before = resident()
    assert resident() - before < 4_000_000


def test_importing_the_room_loads_neither_the_rules_nor_the_explainer() -> None:
    code = (
        "import sys, connector.ehf; "
        "print([name for name in ('xmlschema', 'connector.ehf.rules.catalogue', 'saxonche') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_part_beyond_all_measure_is_refused_before_it_takes_memory() -> None:
    data = invoice(1, full=False)
    start = data.index(b"<cbc:DocumentCurrencyCode")
    report = validate(data[:start] + b"<cbc:Note>x</cbc:Note>" * 60_000 + data[start:])
    assert [finding.rule for finding in report.findings] == ["xml-too-large"]
    assert not report.valid
    report = validate(data[:start] + b"<cbc:Note>x</cbc:Note>" * 10_000 + data[start:])
    assert "PEPPOL-EN16931-R002" in {finding.rule for finding in report.fatal}


@pytest.mark.proof
def test_fifty_thousand_lines_take_time_in_proportion() -> None:
    def seconds(lines: int) -> float:
        data = invoice(lines, full=False)
        start = time.thread_time()  # of this thread's own, whatever else the machine does
        report = validate(data)
        assert report.valid, report.as_text()[:500]
        return time.thread_time() - start

    seconds(10)
    small, large = max(seconds(5000) for _ in range(3)), seconds(50_000)
    assert large < small * 10 * 2
