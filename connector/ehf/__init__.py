"""EHF and Peppol BIS Billing 3.0: read, write and judge UBL invoices and credit notes.

`validate(data)` gives a `Report`: every rule of the official Schematron, in about a millisecond, each `Finding` with
rule id, place, values, and what to do, in Norwegian (bokmål) and English.

`read(data)` gives the `Invoice` in a UBL document, `write(invoice)` makes one; nothing is lost between.
"""

from __future__ import annotations

from connector.ehf.report import Finding, Report
from connector.ehf.ubl import read, write
from connector.ehf.validation import validate

__all__ = ["Finding", "Report", "read", "validate", "write"]
