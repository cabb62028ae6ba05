"""A record as a vendor showed it comes in: kept as an arrival, handled in its turn (`connector.sync.records`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connector.model.json import dumps
from connector.ports import Record
from connector.store import Tx, arrivals
from connector.sync.spokes import Spoke

RECORD = "record-"
"""Kinds of arrivals that are a vendor's record: `record-invoice`, `record-credit_note`, `record-customer` …"""


def arrive(tx: Tx, spoke: Spoke, record: Record) -> tuple[str, bool]:
    """Keep a record as the vendor showed it; the same version again is the same arrival."""
    return arrivals.arrive(
        tx,
        tenant=spoke.tenant,
        source=spoke.id,
        kind=RECORD + record.kind,
        key=f"{record.kind}/{record.id}/{record.version}",
        subject=f"{spoke.id}/{record.kind}/{record.id}",
        body=dumps(_kept(record), canonical=True),
        content_type="application/json",
    )


def _kept(record: Record) -> dict[str, Any]:
    said = {"id": record.id, "version": record.version, "body": record.body}
    return said | ({"dispatch": asdict(record.dispatch)} if record.dispatch else {})
