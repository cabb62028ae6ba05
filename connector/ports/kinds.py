"""The kinds of things that are kept alike, and what JSON can say."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

Json = Any
"""What JSON can say, with `Decimal` for every number that is not an integer."""


class Kind(StrEnum):
    """The kinds of things that are kept alike."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    PRODUCT = "product"
    DEPARTMENT = "department"
    PROJECT = "project"
    DIMENSION = "dimension"
    """A value of a dimension that the company has made itself."""
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    SETTLEMENT = "settlement"
    REVERSAL = "reversal"
    EXTERNAL_INVOICE = "external_invoice"
    """An invoice that was issued elsewhere, booked the way a system offers for such documents."""
    EXTERNAL_CREDIT_NOTE = "external_credit_note"
    """A credit note that was issued elsewhere, of an invoice that was."""
    SUPPLIER_INVOICE = "supplier_invoice"
    """An invoice or credit note that we received: our purchase."""
