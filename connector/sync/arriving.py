"""A record as a vendor showed it comes in: kept as an arrival, handled in its turn (`connector.sync.records`)."""

from __future__ import annotations

from connector.model.json import dumps, loads
from connector.ports import Kind, Record
from connector.store import Tx, arrivals, links
from connector.store.kept import kept, record_of
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


def shown(body: bytes, kind: str) -> Record:
    """The record that an arrival of this kind has kept."""
    return record_of(loads(body), kind)
