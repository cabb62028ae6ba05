"""What can be set: how a company's Tripletex behaves where the real one is uncertain, or differs between customers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal


@dataclass(slots=True)
class Rules:
    """The defaults are what is harder for the caller, unless something else is known.

    What only a live account can settle is marked *unknown*.
    """

    # --- invoices -----------------------------------------------------------------------------------------------------
    rounding: Literal["document", "line"] = "document"
    """Whether VAT is rounded on the document's base per rate, or on each line."""
    whole_kroner: bool = False
    """Whether invoices are rounded to whole kroner (`amountRoundoff`)."""
    bank_account: bool = True
    """Whether the company has a bank account on its invoice account: without, nothing can be invoiced."""
    vat_registered: bool = True
    """Whether the company is in the VAT register: else only codes 0 and 6 are legal."""
    unique_order_numbers: bool = False
    """Whether an order number that is taken is refused."""
    preliminary: bool = True
    """Whether an order shows its totals before it is invoiced (`preliminaryInvoice`)."""
    empty_texts: bool = True
    """Whether text fields that were never filled come as empty text rather than not at all."""
    own_invoice_numbers: bool = True
    """Whether `POST /invoice` takes a number of the caller's own. Tripletex' own numbering does not step over such
    numbers: once it reaches one, nothing can be numbered by Tripletex any more, as has been observed."""
    keeps_kid: bool = False
    """Unknown: whether `POST /invoice` keeps a KID of the caller's own; else Tripletex makes its own and says nothing.
    """
    shows_ehf_status: bool = True
    """Whether `ehfSendStatus` tells of an EHF that Tripletex has sent; the vendor calls the field deprecated, showing
    old EHFs only. Else it always says `DO_NOT_SEND`."""

    # --- credit notes -------------------------------------------------------------------------------------------------
    credit_notes_apply: bool = True
    """Whether a credit note lowers its invoice at once. Else it stays open on its own until somebody matches it."""
    partial_credit: bool = True
    """Unknown: whether an order with a negative sum and `invoiceIdIfIsCreditNote` makes a credit note over a part."""
    partial_credit_marks: bool = False
    """Unknown: whether a credit note over a part makes its invoice `isCredited`."""

    # --- money --------------------------------------------------------------------------------------------------------
    payment_changes_version: bool = False
    """Whether a payment gives its invoice a new version."""
    invoice_number_links: bool = False
    """Unknown: whether a voucher's row on the customer that names an invoice's number counts as a payment of it."""
    close_refusal: Literal["message", "error"] = "message"
    """Unknown: how `:closePostings` refuses: answered with 200 and messages about the postings, or with 422. Nothing is
    closed either way."""

    # --- vouchers -----------------------------------------------------------------------------------------------------
    external_number_search: Literal["imported", "all"] = "imported"
    """Unknown: whether `>externalVoucherNumber` finds only vouchers that were imported, or all that have the number."""
    reverse_invoices: bool = False
    """Unknown: whether an invoice's own voucher can be reversed; else only a credit note undoes it."""

    reversal_keeps_type: bool = False
    """Unknown: whether the rows of a reversed payment still say `INCOMING_PAYMENT`; else they have no type."""

    # --- periods ------------------------------------------------------------------------------------------------------
    closed_until: date | None = None
    """The last day of the closed periods: nothing can be booked on it or before."""
    vat_closed_until: date | None = None
    """The last day of the VAT terms whose return was delivered: nothing with VAT can be booked on it or before."""

    period_end: Literal["exclusive", "inclusive"] = "exclusive"
    """Unknown: whether `accountingPeriod.end` is the first day after the period or its last day."""

    # --- incoming -----------------------------------------------------------------------------------------------------
    ehf_import: bool = False
    """Whether there is an agreement to upload EHF through `importDocument`: else PDF and pictures only."""
    incoming_pilot: bool = False
    """Whether the customer is a pilot customer of `/incomingInvoice`: else 403."""
    supplier_payments: bool = False
    """Whether Tripletex has set up `/supplierInvoice/{id}/:addPayment` for the customer: else 403."""
    approval: bool = False
    """Whether supplier invoices must be approved before they are booked."""
    reception_in_list: bool = False
    """Unknown: whether `GET /supplierInvoice` shows an EHF that still lies in the reception."""
    duplicates: Literal["taken", "refused"] = "taken"
    """Unknown: whether a supplier's invoice number may come twice."""

    # --- reading ------------------------------------------------------------------------------------------------------
    loose_filters: bool = False
    """Whether a filter on a text also finds what only contains it."""
    without_right: Literal["empty", "403"] = "empty"
    """Whether reading without the right gives nothing (lists empty, records not found) or is refused."""
    modules: set[str] = field(default_factory=lambda: {"PRO", "API_V2", "ELECTRONIC_VOUCHERS", "PROJECT"})
    """The package: without `PRO` no free dimensions, without `PROJECT` no projects."""

    # --- webhooks -----------------------------------------------------------------------------------------------------
    webhook_attempts: int = 1
    """Unknown: how often a delivery that failed is tried; by default it is lost."""
    webhook_errors: int = 10
    """Unknown: after how many failures in a row a subscription becomes `DISABLED_TOO_MANY_ERRORS`."""
    webhook_delay: float = 0.0
    """Seconds between a change and its delivery. Changes of one record within it are told once, in the last version."""

    # --- reminders ----------------------------------------------------------------------------------------------------
    reminder_charge: Decimal = Decimal(35)
    """The fee of a reminder, in kroner."""
