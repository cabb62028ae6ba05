"""The schema layer: the official files and no others, and errors that say what is wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from benchmarks.invoices import invoice
from connector.ehf import xml, xsd
from connector.ehf.xml import parse, schema_of
from connector.errors import Misconfigured

HOUSE = Path(__file__).parents[2]


@pytest.fixture
def fresh() -> Iterator[None]:
    """Schemas read anew, and forgotten afterwards."""
    caches = (xsd._checked_folder, xsd._schema, xsd._explaining)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def first_error(data: bytes) -> xsd.XsdError:
    found = xsd.errors(parse(data), "Invoice")
    assert found
    return found[0]


def test_a_good_invoice_and_a_good_credit_note_pass() -> None:
    assert xsd.errors(parse(invoice(2)), "Invoice") == []
    assert xsd.errors(parse(invoice(2, kind="CreditNote")), "CreditNote") == []
    assert xsd.passes(parse(invoice(2)), "Invoice")


def test_a_missing_element() -> None:
    error = first_error(invoice(1, full=False).replace(b"cbc:IssueDate>", b"cbc:TaxPointDate>"))
    assert error.rule == "xsd-unexpected-element"
    assert error.values["element"] == "cbc:TaxPointDate"
    assert "cbc:IssueDate" in error.values["expected"]
    assert error.path == "/Invoice/cbc:TaxPointDate"
    assert error.line is not None


@pytest.mark.parametrize("amount", [b"1e5", b"NaN", b"1,5", b"", b"1 000.00"])
def test_a_number_that_is_none(amount: bytes) -> None:
    data = invoice(1, full=False)
    start = data.index(b"<cbc:PayableAmount")
    start = data.index(b">", start) + 1
    end = data.index(b"</cbc:PayableAmount")
    error = first_error(data[:start] + amount + data[end:])
    assert error.rule == "xsd-value"
    assert error.values["value"] == amount.decode()
    assert error.path == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"


def test_blanks_around_a_number_are_none_of_the_schemas_business() -> None:
    data = invoice(1, full=False)
    start = data.index(b">", data.index(b"<cbc:PayableAmount")) + 1
    assert xsd.passes(parse(data[:start] + b" \n" + data[start:]), "Invoice")


def test_a_date_that_does_not_exist() -> None:
    data = invoice(1, full=False)
    start = data.index(b"<cbc:IssueDate>") + len(b"<cbc:IssueDate>")
    assert first_error(data[:start] + b"2026-02-30" + data[start + 10 :]).rule == "xsd-value"


def test_where_only_libxml2_refuses_its_own_words_are_given() -> None:
    data = invoice(1, full=False)
    start = data.index(b"<cbc:IssueDate>") + len(b"<cbc:IssueDate>")
    error = first_error(data[:start] + b" " + data[start:])
    assert error.rule == "xsd-value"
    assert "is not a valid value" in error.values["reason"]
    assert error.path == "/Invoice/cbc:IssueDate"


def test_a_missing_attribute() -> None:
    error = first_error(invoice(1, full=False).replace(b' currencyID="NOK"', b"", 1))
    assert error.rule == "xsd-attribute"


def test_another_folder_with_the_same_files(tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(xsd._checked_folder(), tmp_path / "xsd")
    xsd._checked_folder.cache_clear()
    monkeypatch.setenv(xsd.DIRECTORY_SETTING, str(tmp_path / "xsd"))
    assert xsd.schema_file("Invoice").is_relative_to(tmp_path)
    assert xsd.passes(parse(invoice(1)), "Invoice")


def test_a_file_that_was_changed_is_not_used(tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(xsd._checked_folder(), tmp_path / "xsd")
    xsd._checked_folder.cache_clear()
    changed = tmp_path / "xsd/common/UBL-UnqualifiedDataTypes-2.1.xsd"
    changed.chmod(0o644)
    changed.write_bytes(changed.read_bytes() + b"\n")
    monkeypatch.setenv(xsd.DIRECTORY_SETTING, str(tmp_path / "xsd"))
    with pytest.raises(Misconfigured, match="UnqualifiedDataTypes") as caught:
        xsd.errors(parse(invoice(1)), "Invoice")
    assert caught.value.code == "xsd-files"


def test_no_files_at_all(tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(xsd.DIRECTORY_SETTING, str(tmp_path))
    with pytest.raises(Misconfigured) as caught:
        xsd.schema_file("Invoice")
    assert caught.value.code == "xsd-files"
    assert xsd.DIRECTORY_SETTING in caught.value.do


def test_many_errors_end_somewhere() -> None:
    data = invoice(200, full=False).replace(b"<cbc:PriceAmount", b"<cbc:Foo/><cbc:PriceAmount")
    assert len(xsd.errors(parse(data), "Invoice")) == xsd.MAX_ERRORS


def test_schemas_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, and libxml2 can read no schema in this process any more."""
    made, at_once = etree.XMLSchema, [0]

    def slowly(*said: Any) -> etree.XMLSchema:
        at_once[0] += 1
        assert at_once == [1]
        time.sleep(0.02)
        at_once[0] -= 1
        return made(*said)

    monkeypatch.setattr(xml, "_schemas", {})
    monkeypatch.setattr(xml.etree, "XMLSchema", slowly)
    files = [xsd.schema_file("Invoice"), xsd.schema_file("CreditNote"), HOUSE / "schemas" / "sbdh.xsd"]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(schema_of, files * 2))
    assert found[:3] == found[3:]


def test_nobody_else_reads_schemas() -> None:
    code = (HOUSE / "connector").rglob("*.py")
    assert [file.name for file in code if "etree.XMLSchema(" in file.read_text("utf-8")] == ["xml.py"]
