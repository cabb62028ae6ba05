"""A plain, readable PDF of any EHF document, in Norwegian or English; and notes about one, see `note`.

It is what a ledger takes as documentation of a voucher and what a person opens to see what an invoice says. The EHF
itself stays the original, and can be embedded in the page. The page is archival PDF (PDF/A-2b; PDF/A-3b with an EHF in
it) and the same document always gives the same bytes.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Literal

from connector.ehf.pdf.compiling import compiled
from connector.ehf.pdf.labels import Language
from connector.ehf.pdf.note import render_note
from connector.ehf.pdf.view import view
from connector.model.json import dumps

if TYPE_CHECKING:
    from connector.model import Invoice

__all__ = ["Language", "render_note", "render_pdf"]


def render_pdf(invoice: Invoice, *, language: Language = "nb", original: bytes | None = None) -> bytes:
    """The document as PDF: parties, references, every line, VAT, totals and how to pay. Threads may call it.

    Args:
        invoice: invoice or credit note, as stated; nothing is computed.
        language: labels, amounts and dates in bokmål (`nb`) or English (`en`).
        original: the EHF as it was received, to be embedded byte for byte; one that is not UTF-8 is left out.
    """
    inputs = {"doc": dumps({**view(invoice, language), "file": _named(invoice)}).decode()}
    ehf = _text(original)
    if ehf is not None:
        inputs["ehf"] = ehf
    standard: Literal["a-2b", "a-3b"] = "a-2b" if ehf is None else "a-3b"
    return compiled("invoice.typ", inputs, dated=invoice.issue_date or date(1970, 1, 1), standard=standard)


def _named(invoice: Invoice) -> str:
    """What the embedded EHF is called."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", invoice.number or "ehf")[:60] + ".xml"


def _text(original: bytes | None) -> str | None:
    """The bytes as the template takes them; None where they are no UTF-8, which the template would change."""
    try:
        return None if original is None else original.decode()
    except UnicodeDecodeError:
        return None
