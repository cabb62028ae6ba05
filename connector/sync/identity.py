"""Which record of a register is which: customers, suppliers, products, departments, projects, free dimensions.

A record is known by an organisation number, else by the source's own id, else by the number or code people use; parties
without organisation number also by name and e-mail address together. All are compared exactly. A supplier is known by
its name alone: an invoice may say no more of who it is from, and whom the company pays is judged by the account.
"""

from __future__ import annotations

from typing import Any

from connector.errors import Stop
from connector.model import Dimension, Product, Supplier, TradingPartner
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.sync.canonical import MODELS, model_of
from connector.sync.keys import code_key, register_key

Record = TradingPartner | Product | Dimension

CODED = ("product", "department", "project", "dimension")
"""Registers whose records documents refer to by the number or code that people use."""
REGISTERS = tuple(kind for kind, model in MODELS.items() if issubclass(model, TradingPartner | Product | Dimension))
"""Kinds that are kept as registers."""
OF_DIMENSION = {"department": "department", "project": "project", "free": "dimension"}
"""The kind of a register by the kind of dimension."""


def record_of(kind: str, fields: Any) -> Record:
    """A record of a register from its canonical fields."""
    model = model_of(kind, fields)
    assert isinstance(model, TradingPartner | Product | Dimension)
    return model


def columns(kind: str, model: Record) -> dict[str, Any]:
    """The plain columns of a record's document, its key among them."""
    if isinstance(model, TradingPartner):
        return {
            "business_key": register_key(kind, model),
            "number": model.number,
            "counterparty_name": model.party.name,
            "counterparty_number": model.party.organisation_number,
        }
    number = model.number if isinstance(model, Product) else model.code
    return {"business_key": register_key(kind, model), "number": number, "counterparty_name": model.name}


def same(tx: Tx, tenant: str, kind: str, model: Record) -> Document | None:
    """The document of this very record, if there is one. Never one that carries another organisation number.

    Raises:
        Stop: several fit, and nothing tells which (`match-unclear`).
    """
    key = register_key(kind, model)
    there = documents.by_key(tx, tenant, kind, key)
    if there is not None:
        return there
    found: list[Document] = []
    if isinstance(model, TradingPartner) and (number := model.party.organisation_number):
        found = documents.numbered(tx, tenant, kind, number)
    if not found and model.source_id:
        heads = documents.find(tx, tenant, kind=kind, source_id=model.source_id)
        found = [documents.get(tx, tenant, head.id) for head in heads]
    if not found and isinstance(model, TradingPartner) and model.party.name and not model.party.organisation_number:
        found = (
            of_name(tx, tenant, kind, model.party.name)
            if isinstance(model, Supplier)
            else [one for one in documents.named(tx, tenant, kind, model.party.name) if _alike(kind, one, model)]
        )
    found = [one for one in found if not _another(one, model)]
    if len(found) > 1:
        raise Stop(
            f"{len(found)} {kind}s here fit {model.party.name if isinstance(model, TradingPartner) else model.name}.",
            code="match-unclear",
            do="Give them organisation numbers, or tell them apart by name or e-mail address; then retry.",
            where={"kind": kind},
            details={"documents": [one.id for one in found]},
        )
    return found[0] if found else None


def of_name(tx: Tx, tenant: str, kind: str, name: str) -> list[Document]:
    """Parties without organisation number that have this very name, in whatever case."""
    wanted = name.casefold()
    return [
        documents.get(tx, tenant, head.id)
        for head in documents.find(tx, tenant, kind=kind, counterparty=name)
        if (head.counterparty_name or "").casefold() == wanted and not head.counterparty_number
    ]


def key_now(document: Document, kind: str, model: Record) -> str:
    """The key of a record whose content changes: a number that is changed is followed. A party keeps the key by which
    documents may still name it, and is found by its organisation number, too.
    """
    key = register_key(kind, model)
    party = isinstance(model, TradingPartner)
    return document.business_key if party and not (key[:3] == document.business_key[:3] == "NO:") else key


def emails(model: TradingPartner) -> set[str]:
    """The addresses a party is reached at."""
    contact = model.party.contact
    return {said for said in (model.invoice_email, contact.email if contact else None) if said}


def _alike(kind: str, document: Document, model: TradingPartner) -> bool:
    known = record_of(kind, document.body)
    return (
        isinstance(known, TradingPartner)
        and not known.party.organisation_number
        and bool(emails(known) & emails(model))
    )


def _another(document: Document, model: Record) -> bool:
    number = model.party.organisation_number if isinstance(model, TradingPartner) else None
    return bool(number and document.counterparty_number and document.counterparty_number != number)


def by_code(tx: Tx, tenant: str, kind: str, code: str) -> Document | None:
    """What people call by this code, in a register that has no further name in front of it."""
    return documents.by_key(tx, tenant, kind, code_key(kind, code))
