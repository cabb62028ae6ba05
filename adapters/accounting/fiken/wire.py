"""What goes over the wire, in Fiken's own names (API v2).

A record's body has the shape of one of `Customer`, `Supplier`, `Product`, `Project`, `Invoice`, `CreditNote`,
`Payment`, `Settlement`, `ExternalInvoice`, `SupplierInvoice`. Where Fiken writes an id and reads an object
(`customerId`, `customer`), a body has the object with its id, and the adapter sends the id.

Amounts are whole numbers of øre (cents in other currencies), days `YYYY-MM-DD`, account codes texts. Fields that Fiken
fills itself are marked read-only; the adapter never sends them.
"""

from __future__ import annotations

import datetime
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.options import Choice, chooses

ReadOnly = Field(default=None, json_schema_extra={"readOnly": True})

VatType = Literal[
    "NONE", "HIGH", "MEDIUM", "RAW_FISH", "LOW", "EXEMPT", "EXEMPT_IMPORT_EXPORT", "EXEMPT_REVERSE", "OUTSIDE"
]
"""VAT types of sales, by the names that Fiken gives them."""


class Wire(BaseModel):
    """What all have: fields we do not know are harmless."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Address(Wire):
    """An address. Fiken wants a country in it."""

    streetAddress: str | None = None
    streetAddressLine2: str | None = None
    postCode: str | None = None
    city: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2; Fiken has names, and the adapter turns them."""


class Customer(Wire):
    """`contact` that is a customer; it may be a supplier, too. `memberNumberString` is the adapter's: our marker is
    there.
    """

    contactId: int | None = ReadOnly
    customerNumber: int | None = ReadOnly
    customerAccountCode: str | None = ReadOnly
    """Its account in the ledger, `1500:10001`."""
    name: str
    organizationNumber: str | None = None
    """Fiken does not keep it unique."""
    email: str | None = None
    phoneNumber: str | None = None
    language: str | None = None
    """NORWEGIAN or ENGLISH."""
    currency: str | None = None
    inactive: bool | None = None
    daysUntilInvoicingDueDate: int | None = None
    address: Address | None = None


class Supplier(Wire):
    """`contact` that is a supplier; it may be a customer, too."""

    contactId: int | None = ReadOnly
    supplierNumber: int | None = ReadOnly
    supplierAccountCode: str | None = ReadOnly
    """Its account in the ledger, `2400:20001`."""
    name: str
    organizationNumber: str | None = None
    """Fiken does not keep it unique."""
    email: str | None = None
    phoneNumber: str | None = None
    bankAccountNumber: str | None = ReadOnly
    """Where it is paid to, by the company's own word: never written from here."""
    inactive: bool | None = None
    address: Address | None = None


class Product(Wire):
    """`product`."""

    productId: int | None = ReadOnly
    name: str
    productNumber: str | None = None
    unitPrice: int | None = None
    """Without VAT, in øre."""
    incomeAccount: str = Field(json_schema_extra=chooses(Choice.ACCOUNT))
    vatType: VatType = Field(json_schema_extra=chooses(Choice.VAT_CODE))
    active: bool
    note: str | None = None


class Project(Wire):
    """`project`: Fiken's only dimension."""

    projectId: int | None = ReadOnly
    number: str | None = None
    name: str
    description: str | None = None
    completed: bool | None = None


class ContactRef(Wire):
    """A contact by its id, with what is shown beside it."""

    contactId: int
    name: str | None = ReadOnly
    organizationNumber: str | None = ReadOnly


class ProjectRef(Wire):
    """A project by its id."""

    projectId: int


class Line(Wire):
    """A line of an invoice or credit note."""

    number: int | None = ReadOnly
    """Its place among the lines, from 1: Fiken gives lines no number."""
    description: str | None = Field(default=None, max_length=200)
    comment: str | None = Field(default=None, max_length=200)
    """Printed below the description."""
    quantity: Decimal
    unitPrice: int
    """Price of one without VAT, in øre."""
    discount: Decimal | None = None
    """Per cent. Read: found out from the amounts, because Fiken shows a share or per cent."""
    vatType: VatType = Field(json_schema_extra=chooses(Choice.VAT_CODE))
    incomeAccount: str = Field(json_schema_extra=chooses(Choice.ACCOUNT))
    net: int | None = ReadOnly
    vat: int | None = ReadOnly
    gross: int | None = ReadOnly


Rounding = Literal["none", "round_half", "round_whole", "round_down_half", "round_down_whole"]


class Invoice(Wire):
    """An invoice: written as a draft from which Fiken makes it, read with its sale."""

    invoiceId: int | None = ReadOnly
    issueDate: date
    dueDate: date
    """Written as days from `issueDate`."""
    customer: ContactRef
    currency: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    """Left out: NOK."""
    yourReference: str | None = None
    orderReference: str | None = None
    invoiceText: str | None = Field(default=None, max_length=500)
    project: ProjectRef | None = None
    roundingType: Rounding | None = None
    """Written only."""
    lines: list[Line] = Field(default_factory=list)
    invoiceNumber: int | None = ReadOnly
    kid: str | None = ReadOnly
    net: int | None = ReadOnly
    vat: int | None = ReadOnly
    gross: int | None = ReadOnly
    """What is to be paid."""
    rounding: int | None = ReadOnly
    """What of `gross` is neither net nor VAT."""
    cash: bool | None = ReadOnly
    """Paid at once, and never open."""


class CreditNote(Wire):
    """A credit note of an invoice."""

    creditNoteId: int | None = ReadOnly
    issueDate: date
    customer: ContactRef
    associatedInvoiceId: int | None = None
    """The invoice that it credits. Written: always."""
    currency: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    yourReference: str | None = None
    orderReference: str | None = None
    creditNoteText: str | None = Field(default=None, max_length=500)
    project: ProjectRef | None = None
    roundingType: Rounding | None = None
    lines: list[Line] = Field(default_factory=list)
    creditNoteNumber: int | None = ReadOnly
    net: int | None = ReadOnly
    vat: int | None = ReadOnly
    gross: int | None = ReadOnly
    rounding: int | None = ReadOnly
    applied: int | None = ReadOnly
    """How much of it closes the invoice, by what Fiken shows as open there."""


class InvoiceRef(Wire):
    """The invoice that a payment settles."""

    invoiceId: int


class SaleRef(Wire):
    """The sale that a payment settles, where no invoice of Fiken's stands above it."""

    saleId: int


class Payment(Wire):
    """`payment`: hangs on a sale; one of `invoice` and `sale` says on which. With neither: money on the customer's
    account, in kroner, which is a free entry (fri postering).
    """

    paymentId: int | None = ReadOnly
    invoice: InvoiceRef | None = None
    sale: SaleRef | None = None
    customer: ContactRef | None = None
    """Written where it settles nothing."""
    isRefund: bool | None = None
    """True: money that goes back to the customer, from his account."""
    date: datetime.date
    account: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Code of the account it came to, `1920:10001`. Left out: that of `bankAccountNumber`, or as the settings say."""
    bankAccountNumber: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    """Number of the bank account; Fiken knows accounts by their codes, and the adapter looks up which is which."""
    amount: int
    """In the sale's currency."""
    currency: str | None = None
    amountInNok: int | None = None
    """What came to the account, where `currency` is another than NOK; needed then."""
    fee: int | None = None
    """In kroner, beside the amount."""


class Settlement(Wire):
    """A loss: a sale says that it is written off, and has no row of its own for it. One of `invoice` and `sale`."""

    invoice: InvoiceRef | None = None
    sale: SaleRef | None = None
    customer: ContactRef | None = ReadOnly
    date: datetime.date
    amount: int
    """What of the sale is neither paid nor credited, in its currency."""
    currency: str | None = None
    account: str | None = ReadOnly
    """7830, losses on receivables."""


class SaleLine(Wire):
    """`orderLine` of a sale that was invoiced elsewhere."""

    description: str = Field(max_length=200)
    netPrice: int
    """Without VAT, in the sale's currency."""
    vatType: VatType = Field(json_schema_extra=chooses(Choice.VAT_CODE))
    account: str = Field(json_schema_extra=chooses(Choice.ACCOUNT))


class Adjustment(SaleLine):
    """An allowance or charge on the whole document; a line of its own in the sale."""

    isCharge: bool
    """False: it is taken off."""


class VatSum(Wire):
    """The VAT that a document states for a rate; spread over the lines of that rate by the adapter."""

    vatInPercent: Decimal | None = None
    vat: int


class ExternalInvoice(Wire):
    """A sale that was invoiced elsewhere ("annet salg"); written only."""

    saleId: int | None = ReadOnly
    saleNumber: str
    date: datetime.date
    dueDate: datetime.date | None = None
    kid: str | None = None
    customer: ContactRef
    currency: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    project: ProjectRef | None = None
    lines: list[SaleLine] = Field(default_factory=list)
    adjustments: list[Adjustment] = Field(default_factory=list)
    vat: list[VatSum] = Field(default_factory=list)


PurchaseVatType = Literal[
    "NONE", "HIGH", "MEDIUM", "RAW_FISH", "LOW", "HIGH_DIRECT", "MEDIUM_DIRECT", "HIGH_BASIS", "MEDIUM_BASIS",
    "NONE_IMPORT_BASIS", "HIGH_FOREIGN_SERVICE_DEDUCTIBLE", "HIGH_FOREIGN_SERVICE_NONDEDUCTIBLE",
    "LOW_FOREIGN_SERVICE_DEDUCTIBLE", "LOW_FOREIGN_SERVICE_NONDEDUCTIBLE",
    "HIGH_PURCHASE_OF_EMISSIONSTRADING_OR_GOLD_DEDUCTIBLE", "HIGH_PURCHASE_OF_EMISSIONSTRADING_OR_GOLD_NONDEDUCTIBLE",
]  # fmt: skip
"""VAT types of purchases, by the names that Fiken gives them."""


class SupplierRef(Wire):
    """A supplier by its id; name and number are for people, and are never sent."""

    contactId: int
    name: str | None = None
    organizationNumber: str | None = None


class PurchaseLine(Wire):
    """What is booked of a purchase, by VAT type; the account is the connection's setting."""

    netPrice: int
    """Without VAT, in the purchase's currency."""
    vat: int
    """As the invoice states it."""
    vatType: PurchaseVatType = Field(json_schema_extra=chooses(Choice.PURCHASE_VAT_CODE))


class PurchasePayment(Wire):
    """`payment` of a purchase."""

    paymentId: int
    date: datetime.date | None = None
    amount: int
    """In its own currency."""
    currency: str | None = None


class SupplierInvoice(Wire):
    """`purchase` of kind supplier, or a document that lies in the inbox for a person to book. Amounts are above zero
    for credit notes, too.
    """

    purchaseId: int | None = ReadOnly
    documentId: int | None = ReadOnly
    """Of the inbox, where it lies there."""
    identifier: str | None = None
    """The seller's own number."""
    date: datetime.date | None = None
    dueDate: datetime.date | None = None
    kid: str | None = None
    """Written only."""
    supplier: SupplierRef | None = None
    currency: str | None = Field(default=None, json_schema_extra=chooses(Choice.CURRENCY))
    amount: int | None = None
    """What is to be paid, with VAT. Fiken shows lines: read, it is their sum."""
    creditNote: bool | None = None
    """Read: its amounts are below zero in Fiken."""
    lines: list[PurchaseLine] | None = None
    """Written only."""
    settled: bool | None = ReadOnly
    payments: list[PurchasePayment] | None = ReadOnly
