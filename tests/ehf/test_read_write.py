"""UBL to model and back: official documents, any invoice, documents spoilt at random, and what is refused."""

from __future__ import annotations

import contextlib
import copy
import os
import random
import time

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.ehf import read, write, xsd
from connector.ehf.ubl.remainder import same
from connector.ehf.xml import parse
from connector.errors import BadInput, ConnectorError
from connector.model import Draft, Invoice, compose
from tests.ehf.official import official
from tests.ehf.proof_oracle import need_shared
from tests.model.documents import BUYER, SELLER, carriable_invoices

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
LINE = {
    "id": "1",
    "quantity": "1",
    "unit_code": "C62",
    "price": "1",
    "vat_category": "S",
    "vat_rate": "25",
    "name": "x",
}


def lossless(data: bytes) -> Invoice:
    """Read and written again it is the same document, and it is read as the same again, JSON between included."""
    invoice = read(data)
    written = write(Invoice.model_validate_json(invoice.model_dump_json()))
    assert same(parse(data), parse(written)), etree.tostring(parse(written))
    assert read(written) == invoice
    return invoice


def invoice(**more: object) -> Invoice:
    fields = {"currency": "NOK", "number": "1", "issue_date": "2027-01-15", "seller": SELLER, "buyer": BUYER}
    return compose(Draft(**{**fields, "lines": [LINE], **more}))


def test_official_documents_lose_nothing() -> None:
    wrong = []
    for path in official():
        try:
            lossless(path.read_bytes())
        except (AssertionError, ConnectorError, ValueError) as error:
            wrong.append((path.name, repr(error)[:200]))
    assert not wrong
    assert len(official()) > 100


def test_little_of_official_examples_is_left_to_the_extension() -> None:
    """The model has a field for what EHF carries: the Peppol examples fill fields, not the extension."""
    folder = need_shared() / "peppol-bis-3" / "examples"
    for name in ("base-example.xml", "allowance-example.xml", "base-creditnote-correction.xml"):
        found = list(folder.glob(name))
        for path in found:
            said = read(path.read_bytes())
            assert [each for each in said.extension if each.what != "order"] == [], path.name
            assert [each for line in said.lines for each in line.extension] == [], path.name
    assert list(folder.glob("base-example.xml"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(carriable_invoices())
def test_any_invoice_is_read_as_it_was_written(given_invoice: Invoice) -> None:
    data = write(given_invoice)
    root = parse(data)
    assert xsd.errors(root, etree.QName(root).localname) == []
    again = read(data, direction=given_invoice.direction)
    assert again == given_invoice.as_carried()
    assert write(again) == data


@pytest.mark.proof
@settings(max_examples=5000 if FULL else 150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_documents_changed_at_random_are_lossless_or_refused(chance: random.Random) -> None:
    """Elements removed, doubled, moved, renamed; values and attributes changed: nothing is lost in silence."""
    root = copy.deepcopy(parse(chance.choice(official()).read_bytes()))
    for _ in range(chance.randint(1, 6)):
        spoil(root, chance)
    data = etree.tostring(root)
    written = None
    with contextlib.suppress(BadInput):  # a refusal, with a reason; nothing else may come out
        written = write(read(data))
    assert written is None or same(parse(data), parse(written))
    event("refused" if written is None else "lossless")


def spoil(root: etree._Element, chance: random.Random) -> None:
    """One change somewhere."""
    elements = list(root.iter("*"))[1:]
    if not elements:
        return
    element = chance.choice(elements)
    parent = element.getparent()
    assert parent is not None
    what = chance.randrange(7)
    if what == 0:
        parent.remove(element)
    elif what == 1:
        parent.insert(chance.randrange(len(parent) + 1), copy.deepcopy(element))
    elif what == 2:
        parent.insert(0, element)
    elif what == 3 and not len(element):
        element.text = chance.choice(["", " ", "x", "1.0", " 1.50 ", "2027-01-01Z", "true", "NOK", "VAT", "130", "50"])
    elif what == 4:
        element.set(
            chance.choice(["schemeID", "languageID", "currencyID", "{urn:x}y"]), chance.choice(["", "a", "NOK"])
        )
    elif what == 5:
        etree.SubElement(element if len(element) else parent, chance.choice(["{urn:x}Odd", elements[0].tag])).text = "x"
    else:
        other = chance.choice(elements)
        if not len(other):
            other.tag = element.tag


def test_amounts_keep_the_decimals_they_are_written_with() -> None:
    said = write(invoice())
    for stated in (b"1.00", b"1.000", b"1.0", b"1", b"01.00", b"+1.00", b" 1.00 "):
        data = said.replace(
            b'<cbc:LineExtensionAmount currencyID="NOK">1.00<',
            b'<cbc:LineExtensionAmount currencyID="NOK">%s<' % stated,
        )
        assert lossless(data).totals is not None


def test_a_credit_note_has_its_own_names_and_places() -> None:
    credit = invoice(
        kind="credit_note",
        due_date="2027-02-01",
        project_reference="P1",
        contract_reference="K",
        tender_reference="T",
        attachments=[{"id": "a", "link": "https://example.com/a.pdf"}],
        preceding_invoices=[{"number": "10017", "issue_date": "2027-01-15"}],
    )
    data = write(credit)
    assert b"CreditNoteTypeCode>381<" in data
    assert b"PaymentDueDate>2027-02-01<" in data
    assert xsd.errors(parse(data), "CreditNote") == []
    assert read(data) == credit.as_carried()


def test_a_sales_order_without_purchase_order() -> None:
    data = write(invoice(sales_order_reference="S-1"))
    assert b"<cbc:ID>NA</cbc:ID>" in data
    assert read(data).order_reference is None
    assert read(data).sales_order_reference == "S-1"


def test_what_was_read_can_get_a_number_and_a_kid() -> None:
    """A draft as EHF: the number is dropped, the ledger gives another; what the model has no field for stays."""
    data = write(invoice(payment_means=[{"code": "30", "account": {"id": "86011117947"}}]))
    data = data.replace(b"<cbc:IssueDate>", b"<cbc:UUID>u-1</cbc:UUID><cbc:IssueDate>", 1)
    draft = read(data).model_copy(update={"number": None})
    with pytest.raises(BadInput) as caught:
        write(draft)
    assert (caught.value.code, caught.value.where["field"]) == ("not-issued", "number")
    means = draft.payment_means[0].model_copy(update={"payment_id": "0000100172"})
    issued = write(draft.model_copy(update={"number": "10017", "payment_means": (means,)}))
    assert b"<cbc:ID>10017</cbc:ID>\n  <cbc:UUID>u-1</cbc:UUID>" in issued
    assert b"<cbc:PaymentID>0000100172</cbc:PaymentID>" in issued
    assert xsd.errors(parse(issued), "Invoice") == []


def test_ours_stays_ours() -> None:
    line = {**LINE, "vat_code": "3", "dimensions": {"department": "10"}}
    data = write(invoice(lines=[line], source_id="secret-id", customer_id="20044"))
    assert b"secret-id" not in data
    assert b"20044" not in data


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"totals": None}, "not-composed"),
        ({"issue_date": None}, "not-issued"),
        ({"kind": "credit_note", "due_date": "2027-02-01"}, "needs-other-term"),
    ],
)
def test_what_cannot_be_written_says_why(change: dict[str, object], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        write(Invoice(**{**dict(invoice()), **change}))
    assert caught.value.code == code
    assert caught.value.do


def replaced(old: str, new: str) -> bytes:
    data = write(invoice(due_date="2027-01-29"))
    assert old.encode() in data
    return data.replace(old.encode(), new.encode(), 1)


INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
NET = "/Invoice/cac:LegalMonetaryTotal/cbc:LineExtensionAmount"
PRICE = "/Invoice/cac:InvoiceLine/cac:Price/cbc:PriceAmount"
BAD = {
    "empty": (b"", "xml-empty"),
    "no xml": (b"Faktura 10017", "xml-not-well-formed"),
    "cut off": (b"<Invoice><a>", "xml-not-well-formed"),
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><Invoice>&b;</Invoice>', "xml-dtd"),
    "other document": (b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "ubl-other-document"),
    "envelope": (b'<StandardBusinessDocument xmlns="urn:x"/>', "ubl-other-document"),
    "no namespace": (b"<Invoice/>", "ubl-namespace"),
    "other namespace": (b'<Invoice xmlns="urn:x"/>', "ubl-namespace"),
    "no currency": (f'<Invoice xmlns="{INVOICE}"/>'.encode(), "currency-missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_invoice_is_refused(name: str) -> None:
    data, code = BAD[name]
    with pytest.raises(BadInput) as caught:
        read(data)
    assert caught.value.code == code
    assert caught.value.do


@pytest.mark.parametrize(
    ("old", "new", "code", "xpath"),
    [
        (">1.00</cbc:LineExt", ">1,00</cbc:LineExt", "number-malformed", NET),
        (">1.00</cbc:LineExt", ">1e0</cbc:LineExt", "number-malformed", NET),
        (">1</cbc:PriceAmount", f">{'9' * 40}</cbc:PriceAmount", "number-too-long", PRICE),
        (">2027-01-29<", ">29.01.2027<", "date-malformed", "/Invoice/cbc:DueDate"),
        (">2027-01-29<", ">2027-02-30<", "date-malformed", "/Invoice/cbc:DueDate"),
        (">NOK</cbc:DocumentC", ">KRO</cbc:DocumentC", "currency-unknown", "/Invoice/cbc:DocumentCurrencyCode"),
        ("<cac:InvoiceLine>", "<cac:InvoiceLine>stray", "ubl-mixed-text", "/Invoice/cac:InvoiceLine"),
    ],
)
def test_wrong_values_are_named_with_xpath_and_line(old: str, new: str, code: str, xpath: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(replaced(old, new))
    error = caught.value
    assert (error.code, error.where["xpath"]) == (code, xpath)
    assert error.where["line"] > 1


def test_an_invoice_without_lines_is_refused() -> None:
    root = parse(write(invoice()))
    root.remove(root[-1])
    with pytest.raises(BadInput) as caught:
        read(etree.tostring(root))
    assert caught.value.code == "no-lines"


def test_direction_is_said_by_who_reads() -> None:
    assert read(write(invoice()), direction="incoming").direction == "incoming"


def test_output_is_canonical() -> None:
    made = invoice()
    assert write(made) == write(read(write(made)))
    assert write(made).startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<Invoice xmlns=")


def test_time_grows_with_the_lines_and_not_faster() -> None:
    def seconds(count: int) -> float:
        lines = [{**LINE, "id": str(n)} for n in range(count)]
        data = write(invoice(lines=lines)).replace(b"<cac:Price>", b"<!-- --><cac:Price>")
        data = data.replace(b"<cbc:Name>x<", b"<cbc:Name languageID='nb'>x<")
        start = time.process_time()
        read(data)
        return time.process_time() - start

    seconds(100)
    assert seconds(4000) < 8 * max(seconds(1000), 0.05)
