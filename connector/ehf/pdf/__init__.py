"""A plain, readable PDF of any EHF document, in Norwegian or English.

It is what a ledger takes as documentation of a voucher and what a person opens to see what an invoice says. The EHF
itself stays the original. The page is archival PDF (PDF/A-2b) and the same document always gives the same bytes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import typst

from connector.ehf.pdf.labels import Language
from connector.ehf.pdf.view import view
from connector.model.json import dumps

if TYPE_CHECKING:
    from connector.model import Invoice

__all__ = ["Language", "render_pdf"]

_TEMPLATE = Path(__file__).with_name("invoice.typ")
_ONE_AT_A_TIME = Lock()
"""A compiler serves one thread at a time; it takes milliseconds."""


@cache
def _compiler() -> typst.Compiler:
    """One compiler for the process: the fonts inside the library are read once."""
    return typst.Compiler(str(_TEMPLATE), ignore_system_fonts=True)


def render_pdf(invoice: Invoice, *, language: Language = "nb", original: bytes | None = None) -> bytes:
    """The document as PDF: parties, references, every line, VAT, totals and how to pay.

    Args:
        invoice: invoice or credit note, as stated; nothing is computed.
        language: labels, amounts and dates in bokmål (`nb`) or English (`en`).
        original: the EHF, put into the PDF as the file `ehf.xml`, byte for byte (PDF/A-3b); one that is not UTF-8 is
            left out.
    """
    try:
        ehf = (original or b"").decode()
    except UnicodeDecodeError:
        ehf = ""
    shown = dumps(view(invoice, language)).decode()
    dated = invoice.issue_date or date(1970, 1, 1)
    stamp = int(datetime(dated.year, dated.month, dated.day, tzinfo=UTC).timestamp())
    with _ONE_AT_A_TIME:
        made = _compiler().compile(
            format="pdf",
            sys_inputs={"doc": shown, "ehf": ehf},
            pdf_standards=["a-3b" if ehf else "a-2b"],
            timestamp=stamp,
        )
    if not isinstance(made, bytes):  # pragma: no cover - typst gives a list only for several pictures
        raise TypeError("typst gave no single PDF")
    return made
