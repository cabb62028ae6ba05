"""EHF and Peppol BIS Billing 3.0: read, write and judge UBL invoices and credit notes.

`validate(data)` gives a `Report`: every rule of the official Schematron, in about a millisecond, each `Finding` with
rule id, place, values, and what to do, in Norwegian (bokmål) and English.

`read(data)` gives the `Invoice` in a UBL document, `write(invoice)` makes one; nothing is lost between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.ehf.report import Finding, Report
from connector.ehf.validation import validate

if TYPE_CHECKING:
    from connector.ehf.ubl import read, write

__all__ = ["Finding", "Report", "read", "validate", "write"]


def __getattr__(name: str) -> Any:
    """`read` and `write` bring the whole model with them, which judging needs nothing of: loaded when asked for."""
    if name not in ("read", "write"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from connector.ehf import ubl

    return getattr(ubl, name)
