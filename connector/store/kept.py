"""A vendor's record as it is kept, in an arrival, with a proof, in a first sync: one form, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from connector.ports import Changed, Dispatch, Kind, Paid, Payable, Record


def kept(record: Record) -> dict[str, Any]:
    """A record as it is kept, but for its kind; JSON-able (`record_of` is the way back)."""
    said: dict[str, Any] = {"id": record.id, "version": record.version, "body": record.body}
    more = {
        "dispatch": asdict(record.dispatch) if record.dispatch else None,
        "open": record.open_amount,
        "match": record.match,
        "customer": record.customer,
        "changed": asdict(record.changed) if record.changed else None,
        "payable": asdict(record.payable) if record.payable else None,
    }
    return said | {name: value for name, value in more.items() if value is not None}


def record_of(said: Mapping[str, Any], kind: str) -> Record:
    """A record as `kept` keeps it."""
    return Record(
        Kind(kind),
        said["id"],
        said["version"],
        said["body"],
        Dispatch(**said["dispatch"]) if "dispatch" in said else None,
        Decimal(said["open"]) if "open" in said else None,
        said.get("match"),
        said.get("customer"),
        Changed(**said["changed"]) if "changed" in said else None,
        _payable(said["payable"]) if "payable" in said else None,
    )


def _payable(said: Mapping[str, Any]) -> Payable:
    amounts = {name: None if said[name] is None else Decimal(said[name]) for name in ("net", "open")}
    payments = said["payments"]
    if payments is not None:
        payments = tuple(Paid(one["id"], one["date"], Decimal(one["amount"])) for one in payments)
    return Payable(**{**said, **amounts, "payments": payments})
