"""What goes over the wire, in Tripletex' own names (API v2, OpenAPI 2.74).

A record's body has the shape of one of `Customer`, `Product`, `Department`, `Project`, `DimensionValue`,
`InvoiceRecord`, `CreditNoteRecord`, `PaymentRecord`, `ReversalRecord`. Where Tripletex refers to its own tables by an
id that differs from company to company, a body carries what a person knows instead, and the adapter puts the id in its
place: VAT types by `number` (the SAF-T code as text), currencies and countries by their ISO codes, units by
`commonCode`, accounts by number, payment types by description or by the number of the account that is debited.

Amounts are kroner (or whole units of the invoice's currency) as JSON numbers, days `YYYY-MM-DD`. Fields that Tripletex
fills itself are marked read-only; the adapter never sends them.
"""

from __future__ import annotations

import datetime
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ReadOnly = Field(default=None, json_schema_extra={"readOnly": True})


class Wire(BaseModel):
    """What all have: fields we do not know are harmless."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Ref(Wire):
    """A thing by its id."""

    id: int


class VatType(Wire):
    """A VAT type by its code; the id behind it differs from the code and is looked up per company and day."""

    number: str
    """SAF-T standard VAT code as text, for instance 3, 31, 5, 6, 52."""
    id: int | None = ReadOnly
    percentage: Decimal | None = ReadOnly


class Currency(Wire):
    """A currency by its ISO 4217 code."""

    code: str
    id: int | None = ReadOnly


class Country(Wire):
    """A country by its ISO 3166-1 alpha-2 code."""

    isoAlpha2Code: str
    id: int | None = ReadOnly


class Address(Wire):
    """A postal address."""

    addressLine1: str | None = None
    addressLine2: str | None = None
    postalCode: str | None = None
    city: str | None = None
    country: Country | None = None


class Customer(Wire):
    """`Customer`: who is invoiced."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    customerNumber: int | None = ReadOnly
    """Number in the customer ledger; Tripletex gives it."""
    name: str
    organizationNumber: str | None = None
    """Nine digits; Tripletex does not keep it unique."""
    email: str | None = None
    invoiceEmail: str | None = None
    phoneNumber: str | None = None
    language: Literal["NO", "EN"] | None = None
    invoiceSendMethod: Literal["EMAIL", "EHF", "EFAKTURA", "AVTALEGIRO", "VIPPS", "PAPER", "MANUAL"] | None = None
    isPrivateIndividual: bool | None = None
    isInactive: bool | None = None
    invoicesDueIn: int | None = None
    invoicesDueInType: Literal["DAYS", "MONTHS", "RECURRING_DAY_OF_MONTH"] | None = None
    postalAddress: Address | None = None
    physicalAddress: Address | None = None


class ProductUnit(Wire):
    """A unit by its code in UN/ECE recommendation 20, as Tripletex' table of units has it."""

    commonCode: str
    id: int | None = ReadOnly


class Account(Wire):
    """An account of the ledger by its number."""

    number: int


class Product(Wire):
    """`Product`: what is sold."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    name: str
    number: str | None = None
    """Product number; Tripletex keeps it unique."""
    description: str | None = None
    ean: str | None = None
    priceExcludingVatCurrency: Decimal | None = None
    """Price of one, without VAT, in the product's currency."""
    priceIncludingVatCurrency: Decimal | None = ReadOnly
    """Computed from the price without VAT."""
    currency: Currency | None = None
    vatType: VatType | None = None
    productUnit: ProductUnit | None = None
    account: Account | None = None
    """Income account."""
    isInactive: bool | None = None


class Department(Wire):
    """`Department`."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    name: str
    departmentNumber: str | None = None
    """Number as people use it; Tripletex does not keep it unique, and a department may have none."""
    isInactive: bool | None = None


class Project(Wire):
    """`Project`. The adapter says who leads a new one and the day it starts, which Tripletex requires."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    name: str
    number: str | None = None
    """Project number; left out, Tripletex gives one."""
    description: str | None = None
    isClosed: bool | None = None


class DimensionName(Wire):
    """A free dimension by its name; a company has three at most."""

    dimensionName: str


class DimensionValue(Wire):
    """`AccountingDimensionValue`: a value of a free dimension."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    displayName: str
    number: str | None = None
    dimension: DimensionName
    """Written and read: the name behind Tripletex' `dimensionIndex`."""
    active: bool | None = None


class OrderLine(Wire):
    """`OrderLine`: one line. Give one of the two unit prices, never both."""

    id: int | None = ReadOnly
    description: str | None = None
    count: Decimal | None = None
    """Quantity."""
    unitPriceExcludingVatCurrency: Decimal | None = None
    """Price of one, without VAT, in the order's currency; up to ten decimals."""
    unitPriceIncludingVatCurrency: Decimal | None = None
    """Price of one, with VAT, in the order's currency; up to ten decimals."""
    discount: Decimal | None = None
    """Per cent."""
    vatType: VatType | None = None
    product: Ref | None = None
    amountExcludingVatCurrency: Decimal | None = ReadOnly
    amountIncludingVatCurrency: Decimal | None = ReadOnly


class Order(Wire):
    """`Order`: what we write, and what an invoice is made from. `number` is the adapter's: our marker is there."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    number: str | None = ReadOnly
    customer: Ref
    orderDate: date | None = None
    """Left out: the day of the invoice."""
    deliveryDate: date | None = None
    """Left out: the day of the invoice."""
    currency: Currency | None = None
    """Left out: the company's own."""
    reference: str | None = None
    """The buyer's reference, printed on the invoice."""
    department: Ref | None = None
    project: Ref | None = None
    receiverEmail: str | None = None
    invoiceComment: str | None = None
    """Free text printed on the invoice."""
    isPrioritizeAmountsIncludingVat: bool | None = None
    """True where the unit prices are with VAT."""
    orderLines: list[OrderLine] = Field(default_factory=list)


class Voucher(Wire):
    """The voucher a thing is booked by."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    number: int | None = ReadOnly
    """Voucher number within `year`; 0 while it is not booked."""
    year: int | None = ReadOnly


class Invoice(Wire):
    """`Invoice`: the dates we say, and what Tripletex made of it."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    invoiceDate: date
    invoiceDueDate: date | None = None
    invoiceNumber: int | None = ReadOnly
    kid: str | None = ReadOnly
    customer: Ref | None = ReadOnly
    currency: Currency | None = ReadOnly
    amount: Decimal | None = ReadOnly
    """With VAT, in the company's currency."""
    amountCurrency: Decimal | None = ReadOnly
    """With VAT, in the invoice's currency."""
    amountExcludingVat: Decimal | None = ReadOnly
    amountExcludingVatCurrency: Decimal | None = ReadOnly
    amountRoundoff: Decimal | None = ReadOnly
    amountRoundoffCurrency: Decimal | None = ReadOnly
    amountOutstanding: Decimal | None = ReadOnly
    """Open, in the company's currency, without reminders."""
    amountCurrencyOutstanding: Decimal | None = ReadOnly
    """Open, in the invoice's currency, without reminders."""
    isCharged: bool | None = ReadOnly
    isCreditNote: bool | None = ReadOnly
    isCredited: bool | None = ReadOnly
    creditedInvoice: int | None = ReadOnly
    """Id of the invoice that a credit note credits."""
    comment: str | None = ReadOnly
    """Why it was credited; on credit notes over a whole invoice."""
    ehfSendStatus: str | None = ReadOnly
    voucher: Voucher | None = ReadOnly


class InvoiceRecord(Wire):
    """Body of an invoice record: written as an order with lines and the invoice's dates; read as the invoice with the
    order and lines it was made from.
    """

    order: Order
    invoice: Invoice


class InvoiceRef(Wire):
    """The invoice that a payment settles or a credit note credits."""

    id: int
    invoiceNumber: int | None = ReadOnly


class CreditNoteRecord(Wire):
    """Body of a credit note's record. Quantities and amounts are positive, as on a credit note; Tripletex' own form (an
    invoice with `isCreditNote` and amounts below zero) is the adapter's.
    """

    credits: InvoiceRef | None = None
    """Written: always. Read: from `creditedInvoice`."""
    order: Order
    invoice: Invoice
    applied: Decimal | None = ReadOnly
    """How much of it Tripletex shows applied to the invoice it credits, in the invoice's currency."""


class PaymentType(Wire):
    """Where the money came in: by description or by the account that is debited. Left out: as the settings say."""

    description: str | None = None
    debitAccount: Account | None = None
    """Read: the bank account's ledger account, where the voucher debits exactly one."""


class CloseGroup(Wire):
    """Rows that settle each other."""

    id: int


class PaymentPosting(Wire):
    """The row in the customer ledger that is the payment."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    description: str | None = ReadOnly
    externalRef: str | None = ReadOnly
    """KID or other reference the payment came with."""
    closeGroup: CloseGroup | None = ReadOnly
    """Set when the invoice is settled in full, by payments or by a credit note."""
    voucher: Voucher | None = ReadOnly


class PostingRef(Wire):
    """A row in the customer ledger by its id."""

    id: int


class PaymentRecord(Wire):
    """Body of a payment record: one row. Tripletex has no payment resource; written by `/invoice/{id}/:payment` where
    it settles an invoice, else as a voucher on the customer's account; read from the rows of the customer ledger.
    """

    invoice: InvoiceRef | None = None
    """Left out: money on account, or a refund. Read: empty where the row names no invoice."""
    customer: Ref | None = None
    """Written where no invoice is."""
    isRefund: bool | None = None
    """True: money that goes back to the customer."""
    settles: PostingRef | None = None
    """The row with the customer's credit that a refund is closed against."""
    paymentDate: date
    amount: Decimal
    """In the company's currency."""
    amountCurrency: Decimal | None = None
    """In the invoice's currency; needed where that is another."""
    currency: Currency | None = None
    """Currency of `amountCurrency`; left out: the company's own."""
    paymentType: PaymentType | None = None
    posting: PaymentPosting | None = ReadOnly


class ReversalRecord(Wire):
    """Body of a reversal record: a row in the customer ledger that takes another back. Written by reversing the voucher
    of that other.
    """

    reverses: PostingRef
    """The row that is taken back."""
    date: datetime.date
    posting: PaymentPosting | None = ReadOnly
