"""Open a store: find the database and the keys, bring the tables up to date, check that they belong together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from connector.errors import Misconfigured
from connector.store import meta, migrations
from connector.store.engine import Store, utc_now
from connector.store.postgres import PostgresStore
from connector.store.sqlite import SqliteStore
from connector.store.vault import Vault, load_keys

DEFAULT_URL = "sqlite:///connector.db"


async def open_store(
    url: str | None = None,
    *,
    keys: Sequence[bytes] | None = None,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = utc_now,
    migrate: bool | None = None,
) -> Store:
    """Open the store at `url`.

    Args:
        url: `sqlite:///file` or `postgresql://user:password@host/database`; by default CONNECTOR_DATABASE, else
            `sqlite:///connector.db` in the working folder.
        keys: newest first, 32 bytes each; by default from CONNECTOR_KEYS, or the file CONNECTOR_KEY_FILE, by default
            `<database>.key` beside an SQLite file and `connector.key` in the working folder for PostgreSQL. A missing
            file is made (0600) when the store is new.
        clock: the wall clock; tests give another.
        migrate: bring the tables up to date; by default SQLite always, PostgreSQL only when it is empty.

    Raises:
        Misconfigured: `database-url` (not understood), `database-unreachable`, `database-outdated` (run `connector
            store upgrade`), `key-unknown`, `key-missing`, `key-malformed`, `key-file-open`.
    """
    url = url or environment.get("CONNECTOR_DATABASE") or DEFAULT_URL
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Misconfigured("CONNECTOR_DATABASE is no database address.", code="database-url", do=_DO_URL) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        path = Path(parsed.database)
        key_file = path.with_name(path.name + ".key")
        new = not os.path.exists(path)  # noqa: ASYNC240 - once, at the start
    elif backend == "postgresql" and parsed.database:
        path, key_file, new = None, Path("connector.key"), True
    else:
        raise Misconfigured(f"{parsed.render_as_string()} is no database we use.", code="database-url", do=_DO_URL)
    migrates = True if migrate is None and path is not None else migrate
    store: Store
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        vault = Vault(keys or load_keys(environment, key_file, create=new))
        if path is not None:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else's business, whatever the umask
            store = SqliteStore(path, vault, clock)
        else:
            store = PostgresStore(parsed.set(drivername="postgresql+psycopg"), vault, clock)
        try:
            await store.write(lambda tx: migrations.bring_up_to_date(tx.conn, migrate=migrates))
            await store.write(meta.begin)
        except BaseException:
            await store.close()
            raise
    except DBAPIError as exc:
        raise Misconfigured(
            f"The database {parsed.render_as_string()} cannot be opened: {exc.orig}",
            code="database-unreachable",
            do="Check the address, that the server runs, and that this user may create tables there.",
        ) from exc
    except OSError as exc:
        raise Misconfigured(
            f"The database {parsed.render_as_string()} cannot be opened: {exc.strerror}: {exc.filename}",
            code="database-unreachable",
            do="Check the folder, and that this user may write there.",
        ) from exc
    return store


_DO_URL = "Use sqlite:///file or postgresql://user:password@host/database."
