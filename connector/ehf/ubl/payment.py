"""Payment means and terms (BG-16 to BG-19, BT-9 of a credit note, BT-20)."""

from __future__ import annotations

from datetime import date

from lxml import etree

from connector.ehf.ubl.node import Node, group, put, put_in
from connector.model import Account, Card, Mandate, PaymentMeans


def read_payment_means(document: Node) -> tuple[PaymentMeans, ...]:
    """All ways to pay."""
    return tuple(
        PaymentMeans(
            code=code,
            name=node.attribute("name", "cbc:PaymentMeansCode"),
            payment_id=node.text("cbc:PaymentID"),
            account=_read_account(node.first("cac:PayeeFinancialAccount")),
            card=_read_card(node.first("cac:CardAccount")),
            mandate=_read_mandate(node.first("cac:PaymentMandate")),
        )
        for node in document.all("cac:PaymentMeans")
        if (code := node.text("cbc:PaymentMeansCode"))
    )


def write_payment_means(parent: etree._Element, ways: tuple[PaymentMeans, ...], due_date: date | None) -> None:
    """Append the ways to pay; the first carries the due date of a credit note."""
    for number, means in enumerate(ways):
        element = group(parent, "cac:PaymentMeans")
        put(element, "cbc:PaymentMeansCode", means.code, name=means.name)
        if number == 0:
            put(element, "cbc:PaymentDueDate", due_date)
        put(element, "cbc:PaymentID", means.payment_id)
        if means.card is not None:
            card = group(element, "cac:CardAccount")
            put(card, "cbc:PrimaryAccountNumberID", means.card.number)
            put(card, "cbc:NetworkID", means.card.network)
            put(card, "cbc:HolderName", means.card.holder)
        if means.account is not None:
            account = group(element, "cac:PayeeFinancialAccount")
            put(account, "cbc:ID", means.account.id)
            put(account, "cbc:Name", means.account.name)
            put_in(account, "cac:FinancialInstitutionBranch", "cbc:ID", means.account.bic)
        if means.mandate is not None:
            mandate = group(element, "cac:PaymentMandate")
            put(mandate, "cbc:ID", means.mandate.reference)
            put_in(mandate, "cac:PayerFinancialAccount", "cbc:ID", means.mandate.account)


def _read_account(node: Node | None) -> Account | None:
    number = node and node.text("cbc:ID")
    if node is None or number is None:
        return None
    return Account(id=number, name=node.text("cbc:Name"), bic=node.text("cac:FinancialInstitutionBranch", "cbc:ID"))


def _read_card(node: Node | None) -> Card | None:
    if node is None:
        return None
    number, network = node.text("cbc:PrimaryAccountNumberID"), node.text("cbc:NetworkID")
    if number is None or network is None:
        return None
    return Card(number=number, network=network, holder=node.text("cbc:HolderName"))


def _read_mandate(node: Node | None) -> Mandate | None:
    if node is None:
        return None
    return Mandate(reference=node.text("cbc:ID"), account=node.text("cac:PayerFinancialAccount", "cbc:ID"))
