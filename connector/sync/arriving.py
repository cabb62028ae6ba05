"""A record as a vendor showed it comes in: kept as an arrival, handled in its turn (`connector.sync.records`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from connector.model.json import dumps, loads
from connector.ports import Changed, Dispatch, Kind, Paid, Payable, Record
from connector.store import Tx, arrivals, links
from connector.sync.spokes import Spoke

RECORD = "record-"
"""Kinds of arrivals that are a vendor's record: `record-invoice`, `record-credit_note`, `record-customer` …"""


def arrive(tx: Tx, spoke: Spoke, record: Record) -> tuple[str, bool]:
    """Keep a record as the vendor showed it; the same version again is the same arrival."""
    key = f"{record.kind}/{record.id}/{record.version}"
    link = links.by_vendor_id(tx, spoke.id, record.kind, record.id)
    if link is None and record.kind in (Kind.PAYMENT, Kind.REVERSAL):
        link = links.part(tx, spoke.id, record.kind, record.id)
    if link is not None and link.vendor_version != record.version and arrivals.by_key(tx, spoke.tenant, spoke.id, key):
        # It shows again what it showed before something else: that is news.
        key += f"/{link.changed.isoformat()}"
    return arrivals.arrive(
        tx,
        tenant=spoke.tenant,
        source=spoke.id,
        kind=RECORD + record.kind,
        key=key,
        subject=f"{spoke.id}/{record.kind}/{record.id}",
        body=dumps(kept(record), canonical=True),
        content_type="application/json",
    )


def kept(record: Record) -> dict[str, Any]:
    """A record as it is kept (`shown` is the way back)."""
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


def shown(body: bytes, kind: str) -> Record:
    """The record that an arrival of this kind has kept."""
    return record_of(loads(body), kind)


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
