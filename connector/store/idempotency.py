"""Idempotency keys: the same request twice gets the same answer (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from connector.errors import Clash
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.tx import Tx

_t = schema.idempotency
_GET = Prepared(select(_t).where(_t.c.tenant == bindparam("tenant"), _t.c.key == bindparam("key")))
_INSERT = Prepared(_t.insert())


def recall(tx: Tx, tenant: str, key: str, fingerprint: str) -> tuple[int, bytes] | None:
    """The status and body that were answered to this key before; None when it is new.

    `fingerprint` says what was asked (method, path, digest of the body).

    Raises:
        Clash: `idempotency-key-reused`: the key came before with another request (422).
    """
    row = tx.row(_GET, {"tenant": tenant, "key": key})
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise Clash(
            "This Idempotency-Key was used before for another request.",
            code="idempotency-key-reused",
            do="Use a new key for a new request; repeat a request with its key and exactly the same content.",
        )
    return row.status, tx.unseal("idempotency.answer", row.id, row.answer) or b""


def keep(tx: Tx, tenant: str, key: str, fingerprint: str, status: int, answer: bytes) -> None:
    """Keep what is answered, in the transaction that does what was asked. Of two at the same moment only one commits;
    the other is run again by the store and then recalls.
    """
    id = new_id()
    tx.run(
        _INSERT,
        {
            "id": id,
            "tenant": tenant,
            "key": key,
            "fingerprint": fingerprint,
            "status": status,
            "answer": tx.seal("idempotency.answer", id, answer),
            "created": tx.now,
        },
    )


def forget(tx: Tx, before: datetime) -> int:
    """Forget keys older than a moment; how many. Business keys guard for ever all the same."""
    return tx.execute(delete(_t).where(_t.c.created < before)).rowcount
