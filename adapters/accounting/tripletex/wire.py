"""What goes over the wire, in Tripletex' own names (API v2; every field exists in its OpenAPI document, 2.74).

Three shapes are records of ours: `Customer`, `InvoiceRecord` and `PaymentRecord`. Tripletex has no resource for the
last two as we need them: an invoice is *written* as an order with lines and *read* as an invoice with its order; a
payment is written with `PUT /invoice/{id}/:payment` and read as a posting. In records a VAT type, currency, country and
payment type stand with what names them everywhere (`number`, `code`, `isoAlpha2Code`, `description`); the adapter turns
that into the company's own ids and back.

Amounts are kroner, or the currency named, as JSON numbers; dates `YYYY-MM-DD`. A field that is absent is unknown, not
empty: rights and packages hide fields. Unknown fields are harmless.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _number(value: Any) -> Any:
    if value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool)):
        return value
    raise ValueError("an exact JSON number is expected")


Amount = Annotated[Decimal, BeforeValidator(_number)]
"""An amount of money, a price, a quantity or a percentage."""

Id = Annotated[int, Field(strict=True)]


class Wire(BaseModel):
    """Everything may be absent."""

    model_config = ConfigDict(extra="ignore")


class Ref(Wire):
    """Another thing, by its id in this company."""

    id: Id | None = None
    version: int | None = None


class CountryRef(Ref):
    """A country by its ISO 3166-1 alpha-2 code (`NO`)."""

    isoAlpha2Code: str | None = None


class CurrencyRef(Ref):
    """A currency by its ISO 4217 code."""

    code: str | None = None


class VatTypeRef(Ref):
    """A VAT type by its number (the SAF-T code as text, `3`); its id is another number in every company."""

    number: str | None = None
    percentage: Amount | None = Field(None, description="Read only.")


class NamedRef(Ref):
    """A department or project, by id; number and name are read only."""

    number: str | None = None
    name: str | None = None


class AccountRef(Ref):
    """A ledger account by its number."""

    number: int | None = None


class Address(Wire):
    """A postal or delivery address."""

    id: Id | None = None
    addressLine1: str | None = None
    addressLine2: str | None = None
    postalCode: str | None = None
    city: str | None = None
    country: CountryRef | None = None


SendMethod = Literal["EMAIL", "EHF", "EFAKTURA", "AVTALEGIRO", "VIPPS", "PAPER", "MANUAL"]


class Customer(Wire):
    """`/customer`. Only `name` is required. Organisation numbers are not unique to Tripletex."""

    id: Id | None = Field(None, description="Read only.")
    version: int | None = Field(None, description="Sent with a change: the version that was read.")
    name: str | None = None
    organizationNumber: str | None = None
    customerNumber: int | None = Field(None, description="Given by Tripletex where it is not sent.")
    isPrivateIndividual: bool | None = None
    isInactive: bool | None = None
    email: str | None = None
    invoiceEmail: str | None = None
    phoneNumber: str | None = None
    phoneNumberMobile: str | None = None
    language: Literal["NO", "EN"] | None = None
    invoiceSendMethod: SendMethod | None = None
    invoicesDueIn: int | None = None
    invoicesDueInType: Literal["DAYS", "MONTHS", "RECURRING_DAY_OF_MONTH"] | None = None
    postalAddress: Address | None = None
    physicalAddress: Address | None = None
    currency: CurrencyRef | None = None


class OrderLine(Wire):
    """One line. Give the unit price on one side only, excluding or including VAT; Tripletex computes the other."""

    id: Id | None = Field(None, description="Read only.")
    product: Ref | None = None
    description: str | None = None
    count: Amount | None = None
    unitPriceExcludingVatCurrency: Amount | None = None
    unitPriceIncludingVatCurrency: Amount | None = None
    discount: Amount | None = Field(None, description="Per cent.")
    vatType: VatTypeRef | None = None
    amountExcludingVatCurrency: Amount | None = Field(None, description="Read only.")
    amountIncludingVatCurrency: Amount | None = Field(None, description="Read only.")


class Order(Wire):
    """`/order`. Its `number` is not ours to map: it carries the marker by which a lost order is found again."""

    id: Id | None = Field(None, description="Read only.")
    version: int | None = Field(None, description="Read only.")
    customer: Ref | None = None
    orderDate: date | None = None
    deliveryDate: date | None = None
    reference: str | None = None
    invoiceComment: str | None = None
    receiverEmail: str | None = None
    currency: CurrencyRef | None = None
    department: NamedRef | None = None
    project: NamedRef | None = None
    isPrioritizeAmountsIncludingVat: bool | None = None
    orderLines: list[OrderLine] | None = None


class Voucher(Wire):
    """The voucher that books something: its number within its year."""

    id: Id | None = None
    version: int | None = None
    number: int | None = None
    year: int | None = None
    date: str | None = None


class Invoice(Wire):
    """`/invoice`. Written are its date and due date (as the order's days until due); the rest is the ledger's."""

    id: Id | None = Field(None, description="Read only.")
    version: int | None = Field(None, description="Read only.")
    invoiceDate: date | None = None
    invoiceDueDate: date | None = None
    invoiceNumber: int | None = Field(None, description="Read only: 0 until Tripletex gives it.")
    kid: str | None = Field(None, description="Read only.")
    customer: Ref | None = Field(None, description="Read only.")
    currency: CurrencyRef | None = Field(None, description="Read only.")
    deliveryDate: date | None = Field(None, description="Read only.")
    invoiceComment: str | None = Field(None, description="Read only.")
    comment: str | None = Field(None, description="Read only.")
    amount: Amount | None = Field(None, description="Read only. In the company's currency, VAT included.")
    amountCurrency: Amount | None = Field(None, description="Read only. In `currency`, VAT included.")
    amountExcludingVat: Amount | None = Field(None, description="Read only.")
    amountExcludingVatCurrency: Amount | None = Field(None, description="Read only.")
    amountRoundoffCurrency: Amount | None = Field(None, description="Read only. Part of `amountCurrency`.")
    amountOutstanding: Amount | None = Field(None, description="Read only.")
    amountCurrencyOutstanding: Amount | None = Field(None, description="Read only.")
    isCreditNote: bool | None = Field(None, description="Read only.")
    isCredited: bool | None = Field(None, description="Read only.")
    creditedInvoice: Id | None = Field(None, description="Read only. The invoice that this one credits.")
    ehfSendStatus: str | None = Field(None, description="Read only. What Tripletex itself has sent.")
    voucher: Voucher | None = Field(None, description="Read only.")


class InvoiceRecord(Wire):
    """An invoice and the order it was made of. `id` of the record is the invoice's."""

    order: Order
    invoice: Invoice


class InvoiceRef(Wire):
    """The invoice that a payment settles."""

    id: Id | None = None
    invoiceNumber: int | None = Field(None, description="Read only.")


class PaymentType(Ref):
    """How money came in: named by its description or by the number of the account that it debits."""

    description: str | None = None
    debitAccount: AccountRef | None = None
    currencyCode: str | None = Field(None, description="Read only.")


class CloseGroup(Ref):
    """What closes a posting: present when it is settled in full."""


class PostingRef(Wire):
    """The row in the ledger that is the payment."""

    id: Id | None = None
    version: int | None = None
    type: str | None = None
    externalRef: str | None = None
    voucher: Voucher | None = None
    closeGroup: CloseGroup | None = None


class PaymentRecord(Wire):
    """Money that came in for one invoice. `id` of the record is its posting's. Amounts are positive for money in.

    Written are `invoice.id`, `paymentDate`, `amountCurrency` (in the invoice's currency), `paymentType` and, where the
    payment type's account has another currency than the invoice, `amount` (in the account's currency).
    """

    invoice: InvoiceRef
    customer: Ref | None = Field(None, description="Read only.")
    paymentDate: date
    amount: Amount | None = Field(None, description="Read: in the company's currency.")
    amountCurrency: Amount
    currency: CurrencyRef | None = Field(None, description="Read only: the invoice's.")
    paymentType: PaymentType | None = None
    posting: PostingRef | None = Field(None, description="Read only.")
