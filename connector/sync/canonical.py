"""A document and a record in one tongue: canonical fields, and the flat view of those that a mapping carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.mapping.mapper import Context, Mapper
from connector.model import (
    CreditNote,
    Customer,
    Dimension,
    Invoice,
    Payment,
    Product,
    Reversal,
    Settlement,
    Supplier,
    TradingPartner,
)
from connector.model.json import dumps, loads
from connector.ports import Kind
from connector.sync.reconcile import Owner, Policy

Model = Invoice | Customer | Supplier | Product | Dimension | Payment | Settlement | Reversal

MODELS: Mapping[str, type[Model]] = {
    Kind.INVOICE.value: Invoice,
    Kind.CREDIT_NOTE.value: CreditNote,
    Kind.EXTERNAL_INVOICE.value: Invoice,
    Kind.EXTERNAL_CREDIT_NOTE.value: CreditNote,
    Kind.CUSTOMER.value: Customer,
    Kind.PRODUCT.value: Product,
    Kind.DEPARTMENT.value: Dimension,
    Kind.PROJECT.value: Dimension,
    Kind.DIMENSION.value: Dimension,
    Kind.PAYMENT.value: Payment,
    Kind.SETTLEMENT.value: Settlement,
    Kind.REVERSAL.value: Reversal,
    Kind.SUPPLIER.value: Supplier,
    Kind.SUPPLIER_INVOICE.value: Invoice,
}
IMMUTABLE = (
    Kind.INVOICE.value,
    Kind.CREDIT_NOTE.value,
    Kind.EXTERNAL_INVOICE.value,
    Kind.EXTERNAL_CREDIT_NOTE.value,
    Kind.PAYMENT.value,
    Kind.SETTLEMENT.value,
    Kind.REVERSAL.value,
    Kind.SUPPLIER_INVOICE.value,
)
"""Once they are there they are never written again: an invoice is credited, a payment reversed."""


def model_of(kind: str, said: Mapping[str, Any]) -> Model:
    """A document from its stored body, or from canonical fields."""
    return MODELS[kind].model_validate(said)


def stored(model: Model | TradingPartner) -> dict[str, Any]:
    """A document as the store keeps it: JSON with amounts as text, without what is not set."""
    return model.model_dump(mode="json", exclude_defaults=True)


def view_of(mapper: Mapper, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The carried fields as JSON values: what is stored and what is computed compare alike."""
    made: dict[str, Any] = loads(dumps(mapper.view(fields)))
    return made


def shown(mapper: Mapper, record: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The carried fields as a vendor's record shows them, as JSON values."""
    return view_of(mapper, mapper.into(record, context))


def policy_of(mapper: Mapper, *, issued: bool = False) -> Policy:
    """What the mapping's lines say about who wins."""
    return Policy(
        owner={path: Owner(owner) for path, owner in mapper.owners.items()},
        only_in=mapper.only_in,
        only_out=mapper.only_out,
        issued=issued,
        amendable=frozenset(mapper.bound.amendable),
    )
