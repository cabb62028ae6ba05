"""What goes over the wire, in Tripletex' own names (API v2, OpenAPI 2.74).

A record's body has the shape of one of `Customer`, `Supplier`, `Product`, `Department`, `Project`, `DimensionValue`,
`InvoiceRecord`, `CreditNoteRecord`, `PaymentRecord`, `SettlementRecord`, `ReversalRecord`, `ExternalInvoiceRecord`,
`ExternalCreditNoteRecord`, `SupplierInvoiceRecord`. Where Tripletex refers to its own tables by an id that differs from
company to company, a body carries what a person knows instead, and the adapter puts the id in its place: VAT types by
`number` (the SAF-T code as text), accounts by their number, currencies and countries by their ISO codes, units by
`commonCode`, payment types by description or by the number of the account that is debited.

Amounts are kroner (or whole units of the invoice's currency) as JSON numbers, days `YYYY-MM-DD`. Fields that Tripletex
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


class Wire(BaseModel):
    """What all have: fields we do not know are harmless."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Ref(Wire):
    """A thing by its id."""

    id: int


class VatType(Wire):
    """A VAT type by its code; the id behind it differs from the code and is looked up per company and day."""

    number: str = Field(json_schema_extra=chooses(Choice.VAT_CODE))
    """SAF-T standard VAT code as text, for instance 3, 31, 5, 6, 52."""
    id: int | None = ReadOnly
    percentage: Decimal | None = ReadOnly


class PurchaseVatType(VatType):
    """A VAT type of purchases."""

    number: str = Field(json_schema_extra=chooses(Choice.PURCHASE_VAT_CODE))


class Currency(Wire):
    """A currency by its ISO 4217 code."""

    code: str = Field(json_schema_extra=chooses(Choice.CURRENCY))
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

    number: int = Field(json_schema_extra=chooses(Choice.ACCOUNT))


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


class LedgerAccount(Wire):
    """An account of the ledger, its number as text."""

    number: str = Field(json_schema_extra=chooses(Choice.ACCOUNT))


class InvoiceRecord(Wire):
    """Body of an invoice record: written as an order with lines and the invoice's dates; read as the invoice with the
    order and lines it was made from.
    """

    order: Order
    invoice: Invoice
    roundingAccount: LedgerAccount | None = None
    """Written: the account that whole-krone rounding is expected on. Tripletex chooses it; another is told."""


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


class DebitAccount(Wire):
    """The account that a payment type debits, by its number."""

    number: int = Field(json_schema_extra=chooses(Choice.PAYMENT_TYPE))


class PaymentType(Wire):
    """Where the money came in: by description or by the account that is debited. Left out: as the settings say."""

    description: str | None = Field(default=None, json_schema_extra=chooses(Choice.PAYMENT_TYPE))
    debitAccount: DebitAccount | None = None
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


class Deduction(Wire):
    """What was kept of a payment on its way, and the account it is booked on."""

    account: str = Field(json_schema_extra=chooses(Choice.ACCOUNT))
    """Number of the account."""
    amount: Decimal
    """In the payment's currency (`amountCurrency` where that is given, else `amount`)."""


class PaymentRecord(Wire):
    """Body of a payment record: one row. Tripletex has no payment resource; written by `/invoice/{id}/:payment` where
    it settles an invoice, else as a voucher on the customer's account; read from the rows of the customer ledger.
    """

    invoice: InvoiceRef | None = None
    """Left out: money on account, or a refund. Read: empty where the row names no invoice."""
    customer: Ref | None = None
    """Written where no invoice is."""
    isRefund: bool | None = None
    """True: money that goes back to the customer. Read with an invoice: a payment of it that is taken back."""
    creditNote: InvoiceRef | None = ReadOnly
    """The credit note that a refund pays out."""
    settles: PostingRef | None = None
    """The row it is closed against: that of an invoice booked as a voucher, or the customer's credit that a refund pays
    out.
    """
    paymentDate: date
    """The bank's day. Read: the day it is booked on."""
    inClosedPeriod: Literal["first-open-day"] | None = None
    """What is done where the books are closed on `paymentDate`. Left out: it waits for a person."""
    amount: Decimal | None = None
    """In the company's currency: what it settles; beside `amountCurrency` what came to the account. Left out: the
    account is in the currency of `amountCurrency`.
    """
    amountCurrency: Decimal | None = None
    """In the invoice's currency; needed where that is another. With what was kept on the way."""
    currency: Currency | None = None
    """Currency of `amountCurrency`; left out: the company's own."""
    deductions: list[Deduction] = Field(default_factory=list)
    """What was kept on the way: fees. Written: as a voucher of its own, or with the payment where that is one. Read
    where the payment's voucher holds this one payment; else unknown.
    """
    paymentType: PaymentType | None = None
    posting: PaymentPosting | None = ReadOnly


class SettlementRecord(Wire):
    """Body of a settlement record: what closes (part of) a balance without money. Written: as the matching of the
    customer's credit with the invoice, or first as a voucher against an account. Read: a row in the customer ledger
    that lowers what is owed, and against which there is neither money nor income.
    """

    invoice: InvoiceRef | None = None
    """The invoice that it closes. Read: where Tripletex shows it among the invoice's rows."""
    settles: PostingRef | None = None
    """Written: the customer's row of the invoice that it closes, where that was booked as a voucher."""
    credit: PostingRef | None = None
    """Written: the row with the customer's credit that is matched with the invoice."""
    account: LedgerAccount | None = None
    """What it is booked against. Written where no credit is; read with VAT left aside, several joined by `+`."""
    customer: Ref | None = ReadOnly
    date: datetime.date
    inClosedPeriod: Literal["first-open-day"] | None = None
    """As for payments."""
    amount: Decimal | None = None
    """In the company's currency; written where that is the invoice's. Read: negative where the row raises what is owed.
    """
    amountCurrency: Decimal | None = None
    """In the invoice's currency; written where that is another."""
    currency: Currency | None = None
    """Currency of `amountCurrency`."""
    matched: bool | None = ReadOnly
    """Whether it is matched with the invoice: rows are, once they come to nothing together."""
    posting: PaymentPosting | None = ReadOnly


class ReversalRecord(Wire):
    """Body of a reversal record: a row in the customer ledger that takes another back. Written by reversing the voucher
    of that other.
    """

    reverses: PostingRef
    """The row that is taken back."""
    date: datetime.date
    inClosedPeriod: Literal["first-open-day"] | None = None
    """As for payments."""
    posting: PaymentPosting | None = ReadOnly


class ValueOf(Wire):
    """A value of a free dimension as people know it: the name of the dimension, and the number of the value."""

    dimension: DimensionName
    number: str
    """Its name, where it has no number."""


class IncomeLine(Wire):
    """What is booked as income of one line, without VAT. Lines with the same account, VAT code, department, project,
    product and free dimensions become one row.
    """

    account: Account
    vatType: VatType
    amount: Decimal
    """Without VAT, in the document's currency."""
    department: Ref | None = None
    """Left out, as all below: that of the document."""
    project: Ref | None = None
    product: Ref | None = None
    dimensions: list[ValueOf] = Field(default_factory=list)
    """Written as `freeAccountingDimension1` to `3`."""


class Adjustment(Wire):
    """An allowance or charge on the whole document."""

    account: Account
    vatType: VatType
    isCharge: bool
    """True: it raises the income; false: it lowers it."""
    amount: Decimal
    """Without VAT, not negative."""


class StatedVat(Wire):
    """The VAT that the document states for one rate (of what has no rate, 0)."""

    percentage: Decimal | None = None
    amount: Decimal


class Roundoff(Wire):
    """What was added to reach whole kroner, and the account it is booked on."""

    account: Account
    amount: Decimal


class ExternalInvoiceRecord(Wire):
    """Body of an invoice that was issued elsewhere. Written as a voucher (`POST /ledger/voucher`): one row on the
    customer's account, income by account, VAT code and dimensions, rounding. Read: never, for Tripletex keeps no such
    thing; what was booked is shown in `posting` and `voucher`.
    """

    customer: Ref
    invoiceNumber: str
    """The number it was issued under; also on the customer's row, where Tripletex shows it."""
    invoiceDate: date
    invoiceDueDate: date | None = None
    kid: str | None = None
    currency: Currency | None = None
    """Left out: kroner. Else the rows are in it, and in kroner by Tripletex' own rate of the day."""
    department: Ref | None = None
    """Of every line and adjustment that says no other; so are the project and the free dimensions."""
    project: Ref | None = None
    dimensions: list[ValueOf] = Field(default_factory=list)
    lines: list[IncomeLine] = Field(default_factory=list)
    adjustments: list[Adjustment] = Field(default_factory=list)
    vat: list[StatedVat] = Field(default_factory=list)
    roundoff: Roundoff | None = None
    posting: PostingRef | None = ReadOnly
    """The row on the customer's account."""
    voucher: Voucher | None = ReadOnly


class ExternalCreditNoteRecord(ExternalInvoiceRecord):
    """Body of a credit note that was issued elsewhere; amounts are positive, as on a credit note."""

    credits: PostingRef
    """The customer's row of the invoice it credits."""
    applied: Decimal | None = ReadOnly
    """How much of it stands against that row, in the document's currency."""


# --- purchases --------------------------------------------------------------------------------------------------------


class Supplier(Wire):
    """`Supplier`: who we buy from."""

    id: int | None = ReadOnly
    version: int | None = ReadOnly
    supplierNumber: int | None = ReadOnly
    """Number in the supplier ledger; Tripletex gives it."""
    name: str
    organizationNumber: str | None = None
    """Nine digits; Tripletex does not keep it unique."""
    email: str | None = None
    invoiceEmail: str | None = None
    phoneNumber: str | None = None
    isInactive: bool | None = None
    postalAddress: Address | None = None
    physicalAddress: Address | None = None
    bankAccounts: list[str] | None = ReadOnly
    """Numbers of the accounts in `bankAccountPresentation`, the IBAN where there is no Norwegian number. Never written:
    whom the company pays is settled in Tripletex."""


class SupplierRef(Wire):
    """The supplier of an invoice: by id where it is written, with what Tripletex calls it where it is read."""

    id: int | None = None
    name: str | None = None
    organizationNumber: str | None = None


class PurchaseLine(Wire):
    """What is bought at one VAT rate, as the invoice states it."""

    amountExcludingVatCurrency: Decimal
    """Taxable amount, in the invoice's currency."""
    vatAmountCurrency: Decimal
    """VAT, in the invoice's currency."""
    vatRate: Decimal | None = None
    """Per cent; left out: nothing is deducted."""
    vatType: PurchaseVatType | None = None
    """SAF-T code of deductible input VAT; left out: nothing is deducted."""


class SupplierPayment(Wire):
    """A row in the supplier ledger that pays an invoice."""

    id: int
    date: datetime.date | None = None
    amountCurrency: Decimal | None = None
    """In the invoice's currency; above zero: paid to the supplier."""


class SupplierInvoiceRecord(Wire):
    """Body of an incoming invoice's record, known by its voucher: delivered into the voucher reception or by
    `/incomingInvoice`, read from there and, once it is registered, from `/supplierInvoice`. Amounts of credit notes are
    positive; Tripletex' own form is below zero.
    """

    supplier: SupplierRef | None = None
    invoiceNumber: str | None = None
    invoiceDate: datetime.date | None = None
    invoiceDueDate: datetime.date | None = None
    currency: Currency | None = None
    amountCurrency: Decimal | None = None
    """What is to be paid, with VAT, in the invoice's currency."""
    amountExcludingVatCurrency: Decimal | None = ReadOnly
    isCreditNote: bool | None = None
    kidOrReceiverReference: str | None = None
    """KID or message to pay with."""
    lines: list[PurchaseLine] = Field(default_factory=list)
    """What is booked, by VAT rate; needed only where it goes straight to the ledger."""
    voucher: Voucher | None = ReadOnly
    description: str | None = ReadOnly
    outstandingAmount: Decimal | None = ReadOnly
    """Open, in the invoice's currency; empty while it is not registered."""
    payments: list[SupplierPayment] | None = ReadOnly
