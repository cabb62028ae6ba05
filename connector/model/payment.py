"""Money that moved, and everything else that closes a balance.

A `Payment` is money with an identity of its own. An `Allocation` says which document it settles; a `Reversal` takes
back one of the facts here; a `Settlement` closes a balance without money. Amounts are positive, what they do follows
from their kind; a reversal is a fact of its own, never a negative payment.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from connector.model.base import Day, Term, Text
from connector.model.identifiers import BankAccount, Iban, Kid
from connector.model.money import Amount, Currency, plain, total


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise PydanticCustomError(
            "amount-not-positive",
            "The amount is {amount}; it must be more than 0. Money paid back is a refund, a mistake is a reversal.",
            {"amount": plain(amount)},
        )
    return amount


PositiveAmount = Annotated[Amount, AfterValidator(_positive)]


class DocumentKey(Term):
    """Which document, by whatever is known of it; at least one of the three."""

    document_id: Text | None = None
    """Our own id of the document."""
    source_id: Text | None = None
    """Its id in the system that this fact comes from."""
    number: Text | None = None
    """Its number (BT-1)."""
    kid: Kid | None = None
    """The KID it asked to be paid with."""

    @model_validator(mode="after")
    def _something(self) -> DocumentKey:
        if not (self.document_id or self.source_id or self.number or self.kid):
            raise PydanticCustomError(
                "document-key-empty", "Say which document: document_id, source_id, number or kid."
            )
        return self


class Allocation(Term):
    """So much of a payment, or of a settlement, goes to this document."""

    source_id: Text | None = None
    """Id of the row in the system it comes from, where it has one of its own."""
    document: DocumentKey
    """The document it settles."""
    amount: PositiveAmount
    """Amount in the document's currency."""
    currency: Currency | None = None
    """The document's currency; None where it is the payment's."""


class Payment(Term):
    """Money that moved between a bank account and a customer or supplier.

    `kind` payment: the debtor pays (a customer us, we a supplier). `kind` refund: money goes back.
    What is not allocated is credit of the customer (or with the supplier).
    """

    source_id: Text
    """The row's own id in the system it comes from: bank transaction, payment row, posting. Two equal payments differ
    in it."""
    kind: Literal["payment", "refund"] = "payment"
    """Payment, or money that goes back."""
    direction: Literal["in", "out"]
    """Into our account or out of it."""
    date: Day
    """Day the bank booked it."""
    posting_date: Day | None = None
    """Day it is in the books, where that is another (a closed period)."""
    amount: PositiveAmount
    """What it settles in all, in `currency`: what the payer gave, fees included."""
    currency: Currency
    """Currency of `amount`."""
    account_amount: PositiveAmount | None = None
    """What came to or left the account, in `account_currency`; None where it is `amount`."""
    account_currency: Currency | None = None
    """Currency of the account; None where it is `currency`."""
    fee: Amount | None = None
    """What the bank kept, in `currency`."""
    rate: Amount | None = None
    """Rate the source states: so many units of the account's currency for one of `currency`."""
    bank_account: BankAccount | Iban | Text | None = None
    """Our account, as the source names it."""
    counterparty_account: BankAccount | Iban | Text | None = None
    """The other side's account."""
    counterparty_name: Text | None = None
    """Who paid or was paid, as the bank says it."""
    customer: DocumentKey | None = None
    """The customer whose money it is, where it settles no document that says so."""
    customer_id: Text | None = None
    """The source's own number of the customer or supplier."""
    bank_reference: Text | None = None
    """The bank's own reference of the transaction (archive reference, AcctSvcrRef)."""
    kid: Kid | Text | None = None
    """KID it came with, or the reference as stated where that is none."""
    text: Text | None = None
    """Free text it came with."""
    allocations: tuple[Allocation, ...] = ()
    """Documents it settles."""

    @property
    def allocated(self) -> Decimal:
        """Sum of the allocations in the payment's own currency."""
        return total(item.amount for item in self.allocations if item.currency in (None, self.currency))

    @property
    def unallocated(self) -> Decimal:
        """What is left as credit, in the payment's currency, where all allocations are in it."""
        return self.amount - self.allocated

    @model_validator(mode="after")
    def _sums(self) -> Payment:
        if self.allocated > self.amount:
            raise PydanticCustomError(
                "allocated-too-much",
                "{allocated} is allocated of a payment of {amount}.",
                {"allocated": plain(self.allocated), "amount": plain(self.amount)},
            )
        if self.fee is not None and self.fee < 0:
            raise PydanticCustomError("fee-negative", "A fee is not negative.")
        same = self.account_currency in (None, self.currency)
        if same and self.account_amount is not None:
            fee = self.fee or Decimal(0)
            expected = self.amount - fee if self.direction == "in" else self.amount + fee
            if self.account_amount != expected:
                raise PydanticCustomError(
                    "account-amount-differs",
                    "{account} on the account does not fit the amount {amount} and the fee {fee}.",
                    {"account": plain(self.account_amount), "amount": plain(self.amount), "fee": plain(fee)},
                )
        return self


SettlementKind = Literal["credit_note", "set_off", "write_off", "loss", "rounding", "exchange_difference", "on_account"]


class Settlement(Term):
    """What closes (part of) a balance without money on a bank account.

    credit_note: a credit note is applied; set_off: against what we owe them; write_off: given up, no loss in VAT terms;
    loss: lost claim (tap på fordring); rounding: øre; exchange_difference: agio or disagio; on_account: an advance or
    overpayment is applied.
    """

    source_id: Text
    """The row's own id in the system it comes from."""
    kind: SettlementKind
    """Why the balance fell."""
    date: Day
    """Day in the books."""
    allocations: tuple[Allocation, ...] = ()
    """Documents whose balance it closes, and by how much."""
    on_account: PositiveAmount | None = None
    """What of it closes no document yet, and lowers what the customer owes in all, in `currency`."""
    customer: DocumentKey | None = None
    """The customer on whose account it is."""
    by: DocumentKey | None = None
    """The document that does it: the credit note, the other side's invoice."""
    currency: Currency
    """Currency of the amounts."""
    account: Text | None = None
    """Account in the ledger it is booked on."""
    text: Text | None = None
    """Text of the posting."""

    @property
    def amount(self) -> Decimal:
        """What it settles in all, in its own currency."""
        closed = total(item.amount for item in self.allocations if item.currency in (None, self.currency))
        return closed + (self.on_account or Decimal(0))

    @model_validator(mode="after")
    def _whole(self) -> Settlement:
        if not self.allocations and not (self.on_account and self.customer):
            raise PydanticCustomError(
                "settlement-empty", "A settlement names at least one document, or the customer on whose account it is."
            )
        if self.kind == "credit_note" and self.by is None:
            raise PydanticCustomError("settlement-without-credit-note", "Name the credit note that is applied in `by`.")
        return self


class Reversal(Term):
    """A payment, allocation or settlement is taken back: a fact of its own, the reversed one stays."""

    source_id: Text
    """The reversal's own id in the system it comes from."""
    of: Literal["payment", "allocation", "settlement"]
    """What kind of fact is taken back."""
    of_id: Text
    """`source_id` of what is taken back."""
    date: Day
    """Day in the books."""
    text: Text | None = None
    """Why."""
