"""Look into a database without taking part in it: no file, key or table is made, and nothing is written.

For what must leave everything as it is (`connector mappings check`). No secret is needed for what is read here.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from connector.store import schema
from connector.store.mapping_versions import IN_FORCE

_c = schema.connections.c
_WAIT = 5
"""Seconds to wait for a server that does not answer."""


def versions_in_force(url: str) -> dict[tuple[str, str], str]:
    """The version of the mapping that is in force, by tenant and name of the connection; empty where there is no
    database at `url`, or none that can be read.
    """
    try:
        engine = _engine(make_url(url))
        if engine is None:
            return {}
        with engine.connect() as conn:
            held = {row.connection: row.version for row in conn.execute(IN_FORCE)}
            rows = conn.execute(select(_c.id, _c.tenant, _c.name)).all()
    except (ArgumentError, DBAPIError):
        return {}
    return {(row.tenant, row.name): held[row.id] for row in rows if row.id in held}


def _engine(url: URL) -> Engine | None:
    backend = url.get_backend_name()
    if backend == "postgresql":
        asks = {"connect_timeout": _WAIT, "options": "-c default_transaction_read_only=on"}
        return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=asks)
    path = Path(url.database or "")
    if backend != "sqlite" or not path.is_file():
        return None
    # Where nobody has the file open, SQLite would make its log beside it only to look.
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    return create_engine(f"sqlite+pysqlite:///file:{quote(str(path))}?{how}&uri=true", poolclass=NullPool)
