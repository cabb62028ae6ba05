"""What requests may say: fields and their types as in Fiken's description. What is unknown or missing is refused; money
with decimals is cut without a word, as Fiken says of itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.sandbox.errors import invalid

MONEY, WHOLE, NUMBER, TEXT, DAY, FLAG, LIST, OBJECT = (
    "money",
    "whole",
    "number",
    "text",
    "day",
    "flag",
    "list",
    "object",
)
Form = Mapping[str, str]
"""Field: type; `!` behind it: required; `<=n`: no longer than n characters."""

ADDRESS: Form = {
    "streetAddress": TEXT, "streetAddressLine2": TEXT, "city": TEXT, "postCode": TEXT, "country": "text!",
}  # fmt: skip
PERSON: Form = {"name": "text!", "email": "text!", "phoneNumber": TEXT, "address": OBJECT}
CONTACT: Form = {
    "name": "text!<=200", "email": "text<=200", "organizationNumber": "text<=200", "phoneNumber": "text<=20",
    "memberNumber": NUMBER, "memberNumberString": TEXT, "customer": FLAG, "supplier": FLAG,
    "bankAccountNumber": "text<=11", "contactPerson": LIST, "currency": TEXT, "language": TEXT, "inactive": FLAG,
    "daysUntilInvoicingDueDate": WHOLE, "discount": NUMBER, "address": OBJECT, "groups": LIST,
    "contactId": WHOLE, "createdDate": DAY, "lastModifiedDate": DAY, "customerNumber": WHOLE,
    "customerAccountCode": TEXT, "supplierNumber": WHOLE, "supplierAccountCode": TEXT, "notes": LIST, "documents": LIST,
}  # fmt: skip
WRITE_ONLY = ("phoneNumber", "memberNumber", "memberNumberString", "currency")
"""Of a contact, by the description."""
PRODUCT: Form = {
    "name": "text!", "unitPrice": MONEY, "incomeAccount": "text!", "vatType": "text!", "active": "flag!",
    "productNumber": TEXT, "stock": NUMBER, "note": "text<=200",
}  # fmt: skip
PROJECT: Form = {
    "number": "text!", "name": "text!", "startDate": "day!", "description": TEXT, "endDate": DAY, "contactId": WHOLE,
    "completed": FLAG,
}  # fmt: skip
PROJECT_CHANGE: Form = {
    "name": TEXT, "startDate": DAY, "description": TEXT, "endDate": DAY, "contactId": WHOLE, "completed": FLAG,
}  # fmt: skip
DRAFT: Form = {
    "type": "text!", "uuid": TEXT, "issueDate": DAY, "daysUntilDueDate": "whole!", "invoiceText": TEXT,
    "yourReference": TEXT, "ourReference": TEXT, "orderReference": TEXT, "lines": LIST, "currency": TEXT,
    "bankAccountNumber": TEXT, "iban": TEXT, "bic": TEXT, "paymentAccount": TEXT, "customerId": "whole!",
    "contactPersonId": WHOLE, "projectId": WHOLE, "roundingType": TEXT,
}  # fmt: skip
DRAFT_LINE: Form = {
    "invoiceishDraftLineId": WHOLE, "productId": WHOLE, "description": "text<=200", "unitPrice": MONEY,
    "vatType": TEXT, "quantity": "number!", "discount": NUMBER, "comment": "text<=200", "incomeAccount": TEXT,
}  # fmt: skip
INVOICE_CHANGE: Form = {"newDueDate": DAY, "sentManually": FLAG}
FULL_CREDIT: Form = {"issueDate": "day!", "invoiceId": "whole!", "creditNoteText": "text<=500"}
PARTIAL_CREDIT: Form = {
    "issueDate": "day!", "lines": "list!", "invoiceId": WHOLE, "contactId": WHOLE, "contactPersonId": WHOLE,
    "creditNoteText": "text<=500", "ourReference": TEXT, "yourReference": TEXT, "orderReference": TEXT,
    "project": WHOLE, "currency": TEXT, "roundingType": TEXT,
}  # fmt: skip
CREDIT_LINE: Form = {
    "incomeAccount": TEXT, "vatType": TEXT, "unitPrice": "money!", "quantity": "number!", "discount": NUMBER,
    "productId": WHOLE, "description": "text<=200", "comment": "text<=200",
}  # fmt: skip
PAYMENT: Form = {
    "date": "day!", "account": "text!", "amount": "money!", "amountInNok": MONEY, "currency": TEXT, "fee": MONEY,
}  # fmt: skip
SALE: Form = {
    "saleNumber": TEXT, "date": "day!", "kind": "text!", "totalPaid": MONEY, "totalPaidInCurrency": MONEY,
    "lines": "list!", "customerId": WHOLE, "currency": "text!", "dueDate": DAY, "kid": TEXT, "paymentAccount": TEXT,
    "paymentDate": DAY, "paymentFee": MONEY, "projectId": WHOLE, "paid": "flag!",
}  # fmt: skip
ORDER_LINE: Form = {
    "description": "text!<=200", "netPrice": MONEY, "vat": MONEY, "account": TEXT, "vatType": "text!",
    "netPriceInCurrency": MONEY, "vatInCurrency": MONEY, "projectId": WHOLE,
}  # fmt: skip
PURCHASE: Form = {
    "identifier": TEXT, "date": "day!", "dueDate": DAY, "kind": "text!", "lines": "list!", "supplierId": WHOLE,
    "currency": "text!", "paymentAccount": TEXT, "paymentDate": DAY, "paymentAmountInNok": MONEY, "kid": TEXT,
    "projectId": WHOLE, "paid": "flag!",
}  # fmt: skip
GENERAL_ENTRY: Form = {"description": TEXT, "open": FLAG, "journalEntries": "list!"}
ENTRY: Form = {"description": "text!<=200", "date": "day!", "lines": "list!"}
ENTRY_LINE: Form = {
    "amount": "money!", "debitAccount": TEXT, "debitVatCode": WHOLE, "creditAccount": TEXT, "creditVatCode": WHOLE,
}  # fmt: skip
WRITE_OFF: Form = {"type": "text!", "date": "day!", "comment": "text<=200"}
COUNTER: Form = {"value": WHOLE}
SENDING: Form = {
    "invoiceId": "whole!", "method": "list!", "includeDocumentAttachments": "flag!", "recipientEmail": TEXT,
    "message": TEXT, "emailSendOption": TEXT, "recipientName": TEXT, "mergeInvoiceAndAttachments": FLAG,
    "organizationNumber": TEXT, "mobileNumber": TEXT,
}  # fmt: skip


def read(body: Any, form: Form, place: str = "") -> dict[str, Any]:
    """What a body says. Raises `SandboxError` (400): a field that is unknown, missing or of another type."""
    if not isinstance(body, dict):
        raise invalid(f"{place or 'Request body'}: expected an object")
    for name in body:
        if name not in form:
            raise invalid(f'Unrecognized field "{place}{name}"')
    said: dict[str, Any] = {}
    for name, wanted in form.items():
        kind, required, length = _taken_apart(wanted)
        value = body.get(name)
        if value is None or (required and value == ""):
            if required:
                raise invalid(f"{place}{name} må fylles ut")
            continue
        said[name] = _value(value, kind, f"{place}{name}")
        if length and len(value) > length:
            raise invalid(f"{place}{name} kan ikke være lengre enn {length} tegn")
    return said


def _taken_apart(wanted: str) -> tuple[str, bool, int]:
    kind, _, length = wanted.partition("<=")
    return kind.rstrip("!"), kind.endswith("!"), int(length or 0)


def _value(value: Any, kind: str, place: str) -> Any:
    numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
    fits = {
        MONEY: numeric,
        NUMBER: numeric,
        WHOLE: numeric and value == int(value),
        TEXT: isinstance(value, str),
        DAY: isinstance(value, str),
        FLAG: isinstance(value, bool),
        LIST: isinstance(value, list),
        OBJECT: isinstance(value, dict),
    }[kind]
    if not fits:
        raise invalid(f"Invalid value for {place}")
    if kind in (MONEY, WHOLE):
        return int(value)
    return day(value, place).isoformat() if kind == DAY else value


def day(text: str, place: str) -> date:
    """A day, `yyyy-MM-dd`. Raises `SandboxError` (400)."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"{place} må være på formen yyyy-MM-dd") from None
