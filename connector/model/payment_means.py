"""How the receiver is asked to pay (BG-16 to BG-19)."""

from __future__ import annotations

from connector.model.base import Term, Text
from connector.model.identifiers import BankAccount, Iban, Kid


class Account(Term):
    """An account to pay to (BG-17)."""

    id: Text
    """BT-84 Account: eleven digits of a Norwegian account, or an IBAN; as stated, also where it is not valid."""
    name: Text | None = None
    """BT-85 Name of the account's holder."""
    bic: Text | None = None
    """BT-86 Bank's BIC; never with an eleven-digit account."""

    @property
    def bank_account(self) -> BankAccount | None:
        """The Norwegian account number, also from an IBAN; None where it is none."""
        if BankAccount.valid(self.id):
            return BankAccount(self.id)
        return Iban(self.id).bank_account if Iban.valid(self.id) else None


class Card(Term):
    """A payment card that has been used (BG-18)."""

    number: Text
    """BT-87 The last digits of the card number, never all."""
    network: Text
    """Card network, which UBL asks for and EN 16931 ignores: VISA, or `mapped-unknown`."""
    holder: Text | None = None
    """BT-88 Card holder."""


class Mandate(Term):
    """A mandate for direct debit (BG-19); the creditor's identifier (BT-90) is among the seller's or payee's."""

    reference: Text | None = None
    """BT-89 Mandate reference."""
    account: Text | None = None
    """BT-91 Account that is debited."""


class PaymentMeans(Term):
    """One way to pay (BG-16)."""

    code: Text
    """BT-81 UNCL4461: 30 credit transfer, 31 debit transfer, 48 card, 49 direct debit, 57 standing agreement,
    58 SEPA transfer, 59 SEPA direct debit, 1 not defined."""
    name: Text | None = None
    """BT-82 The way of paying in words."""
    payment_id: Text | None = None
    """BT-83 Remittance information: in Norway the KID, with all its zeros."""
    account: Account | None = None
    """BG-17 Credit transfer."""
    card: Card | None = None
    """BG-18 Card."""
    mandate: Mandate | None = None
    """BG-19 Direct debit."""

    @property
    def kid(self) -> Kid | None:
        """The payment id where it is a KID by one of the two moduli; else None."""
        return Kid(self.payment_id) if self.payment_id and Kid.valid(self.payment_id) else None
