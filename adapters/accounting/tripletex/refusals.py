"""What Tripletex refuses, as one table: call, status, code and field of an answer, and what that is in our words.

The vendor's texts are in the user's language and change; nothing is decided by them. They stand beside our own
(`said_by_vendor`). Where status, code and field do not tell two refusals apart, the caller reads what does
(`Invoices.explained`). Fields are as observed by integrators, or as our sandbox decides where nobody has told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

PERIOD = "period-closed"
PERIOD_DO = (
    "Open the period in Tripletex and retry (`connector documents resolve ID --retry`), or cancel this and date the"
    " document otherwise where it is made. It is never dated otherwise here."
)


class Refusal(NamedTuple):
    """One row. `calls`: regular expression of `METHOD /path`. `code`: the vendor's own (None: any). `field`: regular
    expression of a field that the answer names (None: any, or none).
    """

    calls: str
    status: int
    code: int | None
    field: str | None
    ours: str
    says: str
    do: str = "Read what Tripletex says about it, mend the document or its mapping, and try again."


_INVOICING = r"PUT /order/\d+/:invoice|POST /invoice"
_VOUCHER = r"(POST|PUT) /ledger/voucher(/\d+(/:reverse|/:sendToLedger)?)?"

TABLE: tuple[Refusal, ...] = (
    # --- dates in a closed period, year or VAT term ---
    Refusal(_INVOICING, 422, 18000, "invoiceDate", PERIOD, "Tripletex' books are closed on this date.", PERIOD_DO),
    Refusal(r"PUT /invoice/\d+/:createCreditNote", 422, 18000, "date", PERIOD,
            "Tripletex' books are closed on this date.", PERIOD_DO),
    Refusal(r"PUT /invoice/\d+/:payment", 422, 18000, "paymentDate", PERIOD,
            "Tripletex' books are closed on the payment's date.", PERIOD_DO),
    Refusal(_VOUCHER, 422, 18000, "date", PERIOD, "Tripletex' books are closed on this date.", PERIOD_DO),
    Refusal(r"PUT /ledger/posting/:closePostings", 422, 18000, "date", PERIOD,
            "Tripletex' books are closed on the day that exchange differences would be booked.", PERIOD_DO),
    # --- VAT, customers, accounts ---
    Refusal(r".*", 422, 18000, r"(.*\.)?vatType(\.id)?", "vat-code-unknown",
            "Tripletex does not take this VAT type here.",
            "Mend the VAT table of the mapping; or see whether the company is in the VAT register, and which VAT types"
            " the account may have."),
    Refusal(r"(POST|PUT) /order(/\d+)?", 422, 18000, "customer", "customer-inactive",
            "Tripletex does not sell to this customer: it is inactive.",
            "Make the customer active in Tripletex and try again."),
    Refusal(_VOUCHER, 422, 18000, r"postings\[\d+\]\.customer", "customer-inactive",
            "Tripletex books nothing on this customer: it is inactive.",
            "Make the customer active in Tripletex and try again."),
    Refusal(_VOUCHER, 422, 18000, r"postings\[\d+\]\.account", "account-inactive",
            "An account that is named cannot be booked on: it is inactive.",
            "Make the account active in Tripletex, or name another in the mapping."),
    Refusal(_VOUCHER, 422, 18000, r"postings\[\d+\]\.(department|project)", "dimension-refused",
            "An account demands a department or project, or the one that is named is inactive.",
            "Name an account in the mapping that demands none, or change the account in Tripletex."),
    Refusal(r".*", 422, 18000, r".*\.id", "reference-unknown",
            "Something that is referred to is not in Tripletex (any more).",
            "See whether it was deleted in Tripletex; make it there again, or cancel this."),
    # --- vouchers and numbers ---
    Refusal(_VOUCHER, 422, 18000, r"postings(\.row)?", "voucher-unbalanced", "The voucher does not come to zero."),
    Refusal(r"(POST|PUT) /order(/\d+)?|POST /invoice|PUT /order/\d+/:invoice", 422, 18000, "invoiceNumber|number",
            "number-taken", "The number is taken in Tripletex.",
            "See what has the number in Tripletex; where it is this very document, say so: --happened with its id."),
    Refusal(r"(POST|PUT) /(product|customer|supplier|project|department|ledger/voucher)\b.*", 422, 18000,
            r"number|\w+Number", "number-taken", "The number is taken in Tripletex."),
    # --- invoices and credit notes ---
    Refusal(_INVOICING, 422, 18000, "invoiceIdIfIsCreditNote", "credit-refused",
            "Tripletex makes no credit note of this invoice out of the order.",
            "See what has been credited of the invoice in Tripletex."),
    Refusal(r"PUT /invoice/\d+/:createCreditNote", 422, 18000, "invoice", "credited-already",
            "The invoice has been credited in Tripletex already.",
            "Where this is that credit note, say so: --happened with its id."),
    # --- money ---
    Refusal(r"PUT /invoice/\d+/:payment", 422, 18000, "paidAmount", "payment-not-positive",
            "Tripletex does not take this amount as a payment."),
    Refusal(r"PUT /invoice/\d+/:payment", 422, 18000, "paidAmountCurrency", "currency-differs",
            "The invoice is in another currency than the payment.",
            "State how much of the invoice's currency the payment settles (`amount`), and what came to the account"
            " (`account_amount`)."),
    # --- rights and modules ---
    Refusal(r"(POST|PUT) /ledger/(voucher|posting)\b.*", 403, None, None, "right-missing",
            "The key may not book vouchers in Tripletex.",
            "Give the key under API-tilgang the rights Bilag and Avansert bilag."),
    Refusal(r"\w+ /incomingInvoice\b.*|POST /supplierInvoice/\d+/:addPayment", 403, None, None, "module-missing",
            "The company's agreement with Tripletex does not have this.",
            "Have Tripletex open it for the company, or choose another way in the settings."),
    Refusal(r".*", 403, None, None, "right-missing", "The key has no right to this in Tripletex.",
            "Give the key under API-tilgang the right to this, or see whether the package has the module."),
    # --- whatever the call ---
    Refusal(r".*", 422, 23000, None, "too-many-rows", "More rows match than Tripletex gives."),
    Refusal(r".*", 409, 8000, None, "revision-conflict", "It was changed in Tripletex in the meantime."),
    Refusal(r".*", 409, 10000, None, "vendor-locked", "It is locked in Tripletex."),
    Refusal(r".*", 423, None, None, "vendor-locked", "It is locked in Tripletex."),
    Refusal(r".*", 409, None, None, "vendor-exists", "Tripletex has it already."),
    Refusal(r".*", 400, None, None, "vendor-bad-request", "Tripletex does not understand this request."),
    Refusal(r".*", 404, None, None, "vendor-not-found", "Tripletex has no such thing."),
    Refusal(r".*", 422, None, None, "vendor-validation", "Tripletex does not accept what was sent."),
)  # fmt: skip
"""The first row that fits holds."""


def refusal(call: str, status: int, code: int | None, fields: Sequence[str]) -> Refusal | None:
    """What an answer to `call` means; None for a status that the table does not know."""
    for row in TABLE:
        if row.status != status or row.code not in (None, code) or not re.fullmatch(row.calls, call):
            continue
        if row.field is None or any(re.fullmatch(row.field, field) for field in fields):
            return row
    return None
