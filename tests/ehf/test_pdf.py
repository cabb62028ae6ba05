"""The readable PDF: what a person must find on it, whatever the document holds."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from pypdf import PdfReader

from connector.ehf import write
from connector.ehf.pdf import render_note, render_pdf
from connector.model import (
    Account,
    Address,
    AllowanceCharge,
    Attachment,
    Delivery,
    DocumentReference,
    Draft,
    Invoice,
    Line,
    Party,
    PaymentMeans,
    compose,
)

SELLER = Party.norwegian("923609016", "Fjord Rådgivning AS", in_business_register=True)


def draft(**changes):
    given = {
        "currency": "NOK",
        "number": "10017",
        "issue_date": "2027-01-15",
        "due_date": "2027-01-29",
        "seller": SELLER,
        "buyer": Party.norwegian("974760673", "Eksempel AS", address=Address(city="Bergen", country="NO")),
        "delivery": Delivery(day="2027-01-14", address=Address(city="Oslo", country="NO")),
        "payment_means": (PaymentMeans(code="30", payment_id="0000100172", account=Account(id="15032080119")),),
        "attachments": (Attachment(id="T-1", description="Timeliste"),),
        "lines": (
            Line(
                id="1",
                name="Rådgivning",
                quantity=Decimal(8),
                unit_code="HUR",
                price=Decimal("1020.00"),
                vat_category="S",
                vat_rate=Decimal(25),
            ),
            Line(
                id="2",
                name="Lunsj",
                quantity=Decimal(20),
                unit_code="C62",
                price=Decimal(100),
                vat_category="S",
                vat_rate=Decimal(15),
            ),
        ),
    }
    return compose(Draft(**{**given, **changes}))


def text_of(pdf: bytes) -> str:
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return re.sub(r"[\s\u00a0\u202f]+", " ", " ".join(pages))


def test_the_page_says_what_the_law_asks_in_norwegian():
    shown = text_of(render_pdf(draft()))
    for expected in (
        "Faktura",
        "10017",
        "15.01.2027",
        "29.01.2027",
        "14.01.2027",
        "Org.nr. 923609016 MVA Foretaksregisteret",
        "8 timer",
        "1 020,00",
        "8 160,00",
        "2 040,00",
        "300,00",
        "12 500,00",
        "0000100172",
        "1503.20.80119",
        "T-1 – Timeliste",
    ):
        assert expected in shown


def test_the_same_in_english():
    shown = text_of(render_pdf(draft(), language="en"))
    for expected in ("Invoice", "15 January 2027", "8 hours", "12,500.00", "To pay NOK"):
        assert expected in shown


def test_a_credit_note_names_its_invoice_and_asks_for_no_money():
    credit = draft(
        kind="credit_note", number="10018", preceding_invoices=(DocumentReference(number="10017"),), payment_means=()
    )
    shown = text_of(render_pdf(credit))
    assert "Kreditnota" in shown
    assert "Gjelder faktura 10017" in shown
    assert "Til gode NOK 12 500,00" in shown
    assert "Å betale" not in shown


def test_text_is_text_and_never_markup():
    hostile = '#set page(fill: red) $x$ *fet* @ref <a> \\ "'
    shown = text_of(render_pdf(draft(notes=(hostile,))))
    assert hostile in shown


def test_allowances_rounding_and_every_line_are_shown():
    lines = tuple(
        Line(
            id=str(n),
            name=f"Vare {n}",
            quantity=Decimal("1.125"),
            unit_code="KGM",
            price=Decimal("33.333"),
            vat_category="S",
            vat_rate=Decimal(25),
            allowances_charges=(AllowanceCharge(is_charge=False, amount=Decimal("1.00"), reason="Sesongrabatt"),),
        )
        for n in range(1, 202)
    )
    document = draft(lines=lines, round_payable_to=Decimal(1))
    pdf = render_pdf(document)
    shown = text_of(pdf)
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 3
    assert all(f"Vare {n}" in shown for n in range(1, 202))
    assert "1,125 kg" in shown, "a quantity keeps its decimals"
    assert "33,333" in shown, "a price keeps its decimals"
    assert "Sesongrabatt" in shown
    assert "Øreavrunding" in shown


def test_the_same_document_gives_the_same_bytes():
    assert render_pdf(draft()) == render_pdf(draft())


@pytest.mark.parametrize("language", ["nb", "en"])
def test_a_document_with_next_to_nothing_is_rendered(language):
    bare = Invoice(currency="NOK", seller=Party(), buyer=Party(), lines=(Line(id="1"),))
    assert render_pdf(bare, language=language).startswith(b"%PDF")


def test_the_ehf_is_in_the_page_byte_for_byte():
    invoice = draft(number="10017/A")
    original = "\ufeff".encode() + write(invoice) + "\n<!-- æ -->\r\n".encode()
    page = render_pdf(invoice, original=original)
    assert dict(PdfReader(io.BytesIO(page)).attachments) == {"10017-A.xml": [original]}
    assert page == render_pdf(invoice, original=original)
    assert not PdfReader(io.BytesIO(render_pdf(invoice))).attachments
    assert render_pdf(invoice, original=b"\xff\xfe") == render_pdf(invoice), "what is no UTF-8 would be changed"


def test_threads_may_ask_at_once():
    invoice = draft()
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: render_pdf(invoice, original=write(invoice)), range(40)))
    assert len(set(pages)) == 1


def test_a_note_says_what_has_happened_and_to_which_document():
    about = [("Faktura", "10017"), ("Dato", date(2027, 1, 5)), ("Kunde", "Eksempel #strong[AS] <b>")]
    made = partial(render_note, "Avvist av kunden", "Feil pris.\n\nRing «Kari» om $x$ & *y*.", about=about)
    day = date(2027, 2, 1)
    shown = text_of(made(day=day))
    for expected in (
        "Avvist av kunden", "Faktura 10017", "Dato 5. januar 2027", "Notert 1. februar 2027",
        "Eksempel #strong[AS] <b>", "Feil pris.", "Ring «Kari» om $x$ & *y*.",
    ):  # fmt: skip
        assert expected in shown
    assert made(day=day) == made(day=day)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: made(day=day), range(8)))) == 1
