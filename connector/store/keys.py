"""API keys: hashed, scoped, of one tenant. The secret is shown once, when it is made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from connector.errors import Missing
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.tx import Tx

_t = schema.api_keys
_BY_HASH = Prepared(select(_t).where(_t.c.hash == bindparam("hash")))
PREFIX = "ck_"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret."""

    id: str
    tenant: str
    name: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime | None
    revoked: datetime | None


def create(
    tx: Tx, *, tenant: str, name: str, scopes: Collection[str], expires: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret (`ck_…`, 256 random bits: its plain SHA-256 is hash enough)."""
    id, secret = new_id(), PREFIX + secrets.token_urlsafe(32)
    row = {
        "id": id,
        "tenant": tenant,
        "name": name,
        "hash": _hash(secret),
        "scopes": " ".join(sorted(scopes)),
        "created": tx.now,
        "expires": expires,
    }
    tx.execute(_t.insert(), row)
    return ApiKey(id, tenant, name, frozenset(scopes), tx.now, expires, None), secret


def find(tx: Tx, secret: str) -> ApiKey | None:
    """The key with this secret; None when there is none, or it is revoked or expired."""
    row = tx.row(_BY_HASH, {"hash": _hash(secret)})
    if row is None or row.revoked is not None or (row.expires is not None and row.expires <= tx.now):
        return None
    return _key(row)


def of(tx: Tx, tenant: str) -> list[ApiKey]:
    """All keys of a tenant, oldest first."""
    return [_key(row) for row in tx.execute(select(_t).where(_t.c.tenant == tenant).order_by(_t.c.id))]


def revoke(tx: Tx, tenant: str, id: str) -> None:
    """Take a key back, at once.

    Raises:
        Missing: there is none.
    """
    done = tx.execute(
        _t.update().where(_t.c.id == id, _t.c.tenant == tenant, _t.c.revoked.is_(None)).values(revoked=tx.now)
    )
    if done.rowcount != 1:
        raise Missing(f"There is no key {id} that is in force.", code="key-not-found", where={"key": id})


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Any) -> ApiKey:
    return ApiKey(row.id, row.tenant, row.name, frozenset(row.scopes.split()), row.created, row.expires, row.revoked)
