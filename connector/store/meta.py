"""What the store knows about itself: its incarnation, the proof of its keys, whether effects are held."""

from __future__ import annotations

from sqlalchemy import bindparam, select, text

from connector.errors import Misconfigured
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.tx import Tx

_GET = Prepared(select(schema.meta.c.value).where(schema.meta.c.name == bindparam("name")))
_PUT = text(
    "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ADD = text("INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")
_CANARY = b"connector"


def get(tx: Tx, name: str) -> bytes | None:
    """One value, None when it is not there."""
    row = tx.row(_GET, {"name": name})
    return None if row is None else bytes(row.value)


def put(tx: Tx, name: str, value: bytes) -> None:
    """Set one value."""
    tx.execute(_PUT, {"name": name, "value": value})


def begin(tx: Tx) -> None:
    """Make the incarnation and the keys' canary when the store is new; check the keys when it is not.

    Raises:
        Misconfigured: `key-unknown`: these are not the keys of this store.
    """
    tx.execute(_ADD, {"name": "incarnation", "value": new_id().encode()})
    tx.execute(_ADD, {"name": "canary", "value": tx.seal("meta.value", "canary", _CANARY)})
    canary = get(tx, "canary")
    try:
        tx.unseal("meta.value", "canary", canary)
    except Misconfigured as exc:
        raise Misconfigured(
            "The keys given are not the keys of this store.",
            code="key-unknown",
            do="Give CONNECTOR_KEYS (or the key file) all keys that the store was written with, the newest first.",
        ) from exc


def reseal(tx: Tx) -> None:
    """Seal the canary with the newest key: the last act of a rotation."""
    put(tx, "canary", tx.vault.seal("meta.value", "canary", _CANARY))


def incarnation(tx: Tx) -> str:
    """Names this life of the store; another after a restore. Feed cursors carry it."""
    known = tx.memo.get("incarnation")
    if known is None:
        value = get(tx, "incarnation")
        known = tx.memo["incarnation"] = value.decode() if value else ""
    return str(known)


def restored(tx: Tx) -> str:
    """Say that the store was restored from a backup: a new incarnation, and effects are held until a person has looked
    (`hold_effects(tx, None)`). What was sent after the backup is not known here and must not be sent again on a guess.
    """
    new = new_id()
    put(tx, "incarnation", new.encode())
    tx.memo.pop("incarnation", None)
    hold_effects(tx, "restored")
    return new


def hold_effects(tx: Tx, reason: str | None) -> None:
    """Start no effects any more in the whole store, for `reason`; None lets them go on. Reads go on all the time."""
    put(tx, "effects-held", (reason or "").encode())
    tx.ring("control")


def effects_held(tx: Tx) -> str | None:
    """Why no effects are started, None when they are."""
    return (get(tx, "effects-held") or b"").decode() or None
