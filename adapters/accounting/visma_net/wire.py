"""What a record's body holds, in Visma Net ERP's own names (API v1/v2).

The vendor writes and reads the same thing differently: what is written is wrapped (`{"value": …}`, see `wrapping`), a
reference is written as `vatCodeId` and read as `vatCode.id`, and a document names its customer by a number that can be
changed. A body here has one shape for both ways, the one that is written, and names a customer by `internalId`, which
stays; the adapter puts the present number in its place.

Amounts are in the document's currency as JSON numbers, days `YYYY-MM-DD`. Fields that the vendor fills itself are
marked read-only; the adapter never sends them.
"""

from __future__ import annotations

import datetime
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.options import Choice, chooses

Day = datetime.date
ReadOnly = Field(default=None, json_schema_extra={"readOnly": True})

DocumentStatus = Literal[
    "Hold", "Balanced", "Voided", "Scheduled", "Open", "Closed", "PendingPrint", "PendingEmail", "CreditHold",
    "CcHold", "Reserved",
]  # fmt: skip


class Wire(BaseModel):
    """What all have: fields we do not know are harmless."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Country(Wire):
    """A country by its ISO 3166-1 alpha-2 code."""

    id: str


class Address(Wire):
    """A postal address."""

    addressLine1: str | None = None
    addressLine2: str | None = None
    addressLine3: str | None = None
    postalCode: str | None = None
    city: str | None = None
    country: Country | None = None
    """Written as `countryId`."""


class Contact(Wire):
    """How somebody is reached."""

    attention: str | None = None
    email: str | None = None
    phone1: str | None = None


class InvoiceContact(Wire):
    """Where invoices go by e-mail."""

    email: str | None = None


class Customer(Wire):
    """`Customer`: who is invoiced."""

    internalId: int | None = ReadOnly
    """Stays for ever; `number` can be changed by an action."""
    number: str | None = ReadOnly
    """Number in the customer ledger, from Visma Net's number series."""
    name: str
    status: Literal["Active", "OnHold", "CreditHold", "Inactive", "OneTime"] | None = None
    corporateId: str | None = None
    """Organisation number; Visma Net does not keep it unique."""
    vatRegistrationId: str | None = None
    gln: str | None = None
    currencyId: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    mainAddress: Address | None = None
    mainContact: Contact | None = None
    invoiceContact: InvoiceContact | None = None


class Supplier(Wire):
    """`Supplier`: whom we buy from. Its bank accounts are Visma Net's own."""

    internalId: int | None = ReadOnly
    number: str | None = ReadOnly
    """Number in the supplier ledger, from Visma Net's number series; it names the supplier everywhere."""
    name: str
    status: Literal["Active", "OnHold", "HoldPayments", "Inactive", "OneTime"] | None = None
    corporateId: str | None = None
    """Organisation number; Visma Net does not keep it unique."""
    vatRegistrationId: str | None = None
    currencyId: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    mainAddress: Address | None = None
    mainContact: Contact | None = None


class VatRef(Wire):
    """A VAT code by what the company calls it."""

    id: str = Field(json_schema_extra=chooses(Choice.VAT_CODE))


class Item(Wire):
    """`Inventory`: what is sold. Unit and posting class are those of its class."""

    inventoryId: int | None = ReadOnly
    """Stays for ever; the number can be changed by an action."""
    inventoryNumber: str
    """Number, unique in Visma Net."""
    description: str
    """Its name."""
    status: (
        Literal["Active", "NoSales", "NoPurchases", "NoRequest", "Inactive", "MarkedForDeletion", "Unknown"] | None
    ) = None
    defaultPrice: Decimal | None = None
    """Price of one, without VAT, in the company's currency."""
    vatCode: VatRef | None = None
    salesAccount: str | None = Field(default=None, json_schema_extra=chooses(Choice.ACCOUNT))
    """Income account; read from `accountInformation.salesAccount.number`."""
    stockItem: bool | None = ReadOnly
    """Stock items are not invoiced by line."""


class DimensionValue(Wire):
    """A value of a dimension, wherever the connection's setting `dimensions` says that it stands: a segment of the
    subaccount (`SegmentValue`), a branch, or a project.
    """

    name: str | None = None
    """Name of the dimension, of one that the company has made itself."""
    valueId: str
    """Code: the segment's value, the branch's number, the project's id."""
    description: str | None = None
    active: bool | None = ReadOnly


class DimensionRef(Wire):
    """A department or project by its record's id."""

    id: str


class FreeRef(Wire):
    """A value of a dimension that the company has made itself, by name and code."""

    name: str
    valueId: str


class ItemRef(Wire):
    """An item by the id that stays; written and read as `inventoryNumber`."""

    inventoryId: int


class Dimensioned(Wire):
    """What dimensions a document or a line carries. The setting `dimensions` says where each stands in Visma Net:
    `subaccount`, `branchNumber`, `project`. What a document says is of every line that says no other.
    """

    department: DimensionRef | None = None
    project: DimensionRef | None = None
    location: str | None = None
    dimensions: list[FreeRef] | None = None


class CustomerRef(Wire):
    """A customer by the id that stays."""

    internalId: int


class InvoiceLine(Dimensioned):
    """`CustomerInvoiceLine`, `CustomerCreditNoteLine`: one line."""

    lineNumber: int | None = ReadOnly
    inventory: ItemRef | None = None
    """The item that is sold; text, price, account and VAT code are the line's own all the same."""
    description: str | None = None
    quantity: Decimal | None = None
    unitPriceInCurrency: Decimal | None = None
    """Price of one, without VAT, in the document's currency; read from `unitPrice`, for what has this name in an answer
    is in kroner."""
    vatCodeId: str | None = Field(default=None, json_schema_extra=chooses(Choice.VAT_CODE))
    """The company's own VAT code; read from `vatCode.id`."""
    accountNumber: str | None = Field(default=None, json_schema_extra=chooses(Choice.ACCOUNT))
    """Income account; read from `account.number`."""
    discountPercent: Decimal | None = ReadOnly
    amountInCurrency: Decimal | None = ReadOnly
    """Amount without VAT, computed, in the document's currency; read from `amount`."""


class Invoice(Dimensioned):
    """`CustomerInvoice`."""

    referenceNumber: str | None = ReadOnly
    """Number from Visma Net's number series."""
    customer: CustomerRef
    """Written as `customerNumber`."""
    documentDate: date
    documentDueDate: date | None = None
    currencyId: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    customerRefNumber: str | None = None
    """The buyer's reference."""
    note: str | None = None
    externalReference: str | None = ReadOnly
    """Our marker stands here: it can be searched."""
    paymentReference: str | None = ReadOnly
    """KID."""
    status: DocumentStatus | None = ReadOnly
    amount: Decimal | None = ReadOnly
    """What is to be paid, with VAT."""
    detailTotal: Decimal | None = ReadOnly
    """Sum of the lines, without VAT."""
    vatTotal: Decimal | None = ReadOnly
    roundingDiff: Decimal | None = ReadOnly
    invoiceLines: list[InvoiceLine] | None = None


class InvoiceRef(Wire):
    """An invoice by its number."""

    referenceNumber: str


class CreditNote(Dimensioned):
    """`CustomerCreditNote`; its amounts are positive."""

    referenceNumber: str | None = ReadOnly
    """Number from Visma Net's number series, which may be that of invoices or another."""
    customer: CustomerRef
    """Written as `customerNumber`."""
    credits: InvoiceRef | None = None
    """Written: the invoice it is applied to, as far as that is open (`applicationLines`). Read: the one it was applied
    to first (`applications`), for Visma Net does not say which one it credits."""
    documentDate: date
    currencyId: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    customerRefNumber: str | None = None
    """The buyer's reference."""
    note: str | None = None
    externalReference: str | None = ReadOnly
    """Our marker stands here: it can be searched."""
    status: DocumentStatus | None = ReadOnly
    amount: Decimal | None = ReadOnly
    """What is credited, with VAT."""
    detailTotal: Decimal | None = ReadOnly
    """Sum of the lines, without VAT."""
    vatTotal: Decimal | None = ReadOnly
    roundingDiff: Decimal | None = ReadOnly
    applied: Decimal | None = ReadOnly
    """How much of it is applied to the invoice it credits; the rest is the customer's credit."""
    lines: list[InvoiceLine] | None = None


class PaymentLine(Wire):
    """What a payment gives to one invoice."""

    refNbr: str
    """Number of the invoice (`documentType` Invoice)."""
    amountPaid: Decimal
    currency: str | None = None
    """The invoice's, where it is another than the payment's; no such payment is written."""


class Payment(Wire):
    """`CustomerPayment` of the types Payment, Prepayment (money in) and Refund (money out)."""

    id: str | None = ReadOnly
    """Its type and number (`Payment/100001`), which tell it from all others: types may have number series of their
    own."""
    refNbr: str | None = ReadOnly
    type: Literal["Payment", "Prepayment", "Refund"] | None = ReadOnly
    customer: CustomerRef
    applicationDate: date
    paymentAmount: Decimal
    """In `currency`; what no line gives to an invoice stays on the customer's account."""
    currency: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    accountCurrency: str | None = None
    """Currency of what came to the account; never sent: a payment is booked in the currency of its cash account."""
    deductedCharges: Decimal | None = None
    """What the bank kept of it, in `currency`; written as `financeCharges`."""
    cashAccount: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Cash account by its number; without one the connection's setting says it."""
    paymentMethod: str | None = None
    """Payment method; without one the connection's setting says it."""
    paymentRef: str | None = ReadOnly
    """Our marker stands here."""
    invoiceText: str | None = None
    """What people read, 50 characters at most."""
    paymentLines: list[PaymentLine] | None = None


class PaymentRef(Wire):
    """A payment by its type and number."""

    id: str


class Reversal(Wire):
    """`CustomerPayment` of type VoidPayment or VoidRefund: it takes back what has the same number."""

    reverses: PaymentRef
    applicationDate: date | None = ReadOnly


class Settlement(Wire):
    """What of an invoice was written off: by a line of a payment (`balanceWriteOff`), or by a `CustomerPayment` of type
    SmallBalanceWo. Read only.
    """

    invoice: InvoiceRef
    date: date
    amount: Decimal
    """In the invoice's currency."""
    currency: str | None = None
    reason: str | None = None
    """The company's own reason code (`writeOffReasonCode`), which has the account it is booked on."""


class SupplierRef(Wire):
    """A supplier by its number."""

    number: str
    name: str | None = ReadOnly


class PurchaseLine(Wire):
    """What is booked of a purchase, by VAT rate; the account is the connection's setting."""

    costInCurrency: Decimal
    """Amount without VAT."""
    vatAmount: Decimal
    """VAT as the invoice states it."""
    vatCodeId: str | None = Field(default=None, json_schema_extra=chooses(Choice.PURCHASE_VAT_CODE))


class SupplierInvoice(Dimensioned):
    """`SupplierInvoice`: an incoming invoice (Invoice) or credit note (DebitAdj). Amounts are positive for both."""

    documentType: Literal["Invoice", "DebitAdj"]
    referenceNumber: str | None = ReadOnly
    """Number from Visma Net's number series."""
    supplier: SupplierRef
    """Written as `supplierNumber`."""
    supplierReference: str
    """The seller's own number."""
    date: Day
    dueDate: Day | None = None
    currencyId: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    paymentRefNo: str | None = None
    """KID."""
    amount: Decimal
    """What is to be paid, with VAT."""
    description: str | None = ReadOnly
    status: str | None = ReadOnly
    balance: Decimal | None = ReadOnly
    lines: list[PurchaseLine] | None = None
    """Written as `invoiceLines` and `taxDetailLines`."""
