"""Suppliers in the hub: who an incoming invoice is from, and which accounts we know that supplier by.

An invoice that asks to be paid to another account than those is the commonest fraud there is: so the hub remembers, and
the ledger's own register counts, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.errors import Clash
from connector.model import Invoice, Party, Supplier
from connector.model.identifiers import BankAccount, Iban
from connector.store import Moved, Tx, documents
from connector.store.documents import Document
from connector.sync.canonical import stored
from connector.sync.identity import of_name
from connector.sync.keys import party_key

SUPPLIER = "supplier"
"""Kind of document, and the relation of an incoming invoice to the supplier it is from."""


def supplier_of(tx: Tx, tenant: str, party: Party, *, source_id: str | None = None, source: str = "") -> Document:
    """The supplier a party is: the one there is, else a new one. Nobody else changes it before the transaction ends.

    Args:
        source_id: its id in the system that showed it (`books/7`), where it has no identifier of its own.
        source: connection that it was first seen in.
    """
    there = find_supplier(tx, tenant, party)
    if there is not None:
        return documents.locked(tx, tenant, there.id)
    supplier = Supplier(source_id=source_id, party=party)
    key = f"source:{source_id}" if source_id and not party.organisation_number else party_key(party)
    try:
        return documents.insert(
            tx,
            tenant=tenant,
            kind=SUPPLIER,
            business_key=key,
            body=stored(supplier),
            state="known",
            source=source or None,
            counterparty_name=party.name,
            counterparty_number=party.organisation_number,
        )
    except Clash as clash:
        if not source_id:  # made by somebody else in this very moment
            raise Moved from None
        return documents.locked(tx, tenant, str(clash.where["document"]))


def find_supplier(tx: Tx, tenant: str, party: Party) -> Document | None:
    """The supplier by its strongest identifier; one without organisation number also by its very name."""
    there = documents.by_key(tx, tenant, SUPPLIER, party_key(party))
    if there is not None or party.organisation_number or not party.name:
        return there
    named = of_name(tx, tenant, SUPPLIER, party.name)
    return named[0] if len(named) == 1 else None


# --- accounts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts that an invoice asks to be paid to, and those its supplier is known by; the last one last."""

    asked: Sequence[str]
    known: Sequence[str] = field(default_factory=tuple)

    @property
    def new(self) -> list[str]:
        """Asked for, and not known."""
        return [account for account in self.asked if account not in self.known]


def accounts(invoice: Invoice, supplier: Supplier) -> Accounts:
    """The accounts of an invoice (BT-84) beside those of its supplier: the ledger's register, and what was accepted."""
    asked = [plain_account(means.account.id) for means in invoice.payment_means if means.account]
    known = [plain_account(str(one)) for one in (*supplier.bank_accounts, *supplier.accepted_accounts)]
    return Accounts(tuple(dict.fromkeys(asked)), tuple(dict.fromkeys(known)))


def accept_accounts(tx: Tx, supplier: Document, invoice: Invoice) -> Document:
    """From now on the accounts of this invoice are known as the supplier's."""
    model = Supplier.model_validate(supplier.body)
    new = accounts(invoice, model).new
    if not new:
        return supplier
    model = model.model_copy(update={"accepted_accounts": (*model.accepted_accounts, *new)})
    return documents.change(tx, supplier, body=stored(model), digest=supplier.digest)


def plain_account(said: str) -> str:
    """An account as it is compared: eleven digits where it is Norwegian, also from an IBAN; else without blanks."""
    text = "".join(said.split()).replace(".", "").upper()
    if BankAccount.valid(text):
        return str(BankAccount(text))
    if Iban.valid(text):
        return str(Iban(text).bank_account or Iban(text))
    return text
