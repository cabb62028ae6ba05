"""`connector mappings check` leaves everything as it is: the folder it runs in, and the store."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connector.mapping import files
from connector.store import connections, mapping_versions, open_store

SHIPPED = files.shipped("mappings")


def state(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything in a folder: what it is, when it was changed, what is in it."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.is_file() and path.read_bytes(),
        )
        for path in [folder, *folder.rglob("*")]
    }


def checked(folder: Path, mappings: Path, **environment: str) -> str:
    """What the check says, run in a folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("connector")), "mappings", "check"],
        cwd=folder,
        env=env | {"CONNECTOR_MAPPINGS": str(mappings)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """A folder of mapping files with a tenant."""
    (tmp_path / "mappings" / "tenants").mkdir(parents=True)
    shutil.copy(SHIPPED / "tenants" / "demo.yaml", tmp_path / "mappings" / "tenants")
    return tmp_path / "mappings"


def filled(url: str, key: bytes) -> None:
    """A store in which another version than the files say is in force."""

    async def fill() -> None:
        store = await open_store(url, keys=[key])

        def write(tx: Any) -> None:
            row = connections.add(tx, tenant="demo", system="tripletex", name="books", settings={}, secrets={})
            mapping_versions.keep(tx, tenant="demo", connection=row.id, version="0123456789abcdef", layers=[])
            mapping_versions.apply(
                tx, tenant="demo", connection=row.id, version="0123456789abcdef", who="kari", did="apply"
            )

        await store.write(write)
        await store.close()

    asyncio.run(fill())


def test_beside_postgresql_no_key_is_made(
    tmp_path: Path, mappings: Path, postgres_url: str, store_keys: list[bytes]
) -> None:
    filled(postgres_url, store_keys[0])
    here = tmp_path / "here"
    here.mkdir()
    before = state(tmp_path)
    said = checked(here, mappings, CONNECTOR_DATABASE=postgres_url)
    assert "works with version 0123456789abcdef" in said, "what is in force is seen without a key"
    assert state(tmp_path) == before


def test_in_an_empty_database_no_table_is_made(tmp_path: Path, mappings: Path, postgres_server: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute("CREATE DATABASE nothing_in_it")
    url = postgres_server.replace("/postgres?", "/nothing_in_it?")
    assert "0 problems" in checked(tmp_path, mappings, CONNECTOR_DATABASE=url)
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_beside_a_file_of_sqlite_nothing_is_written(tmp_path: Path, mappings: Path, store_keys: list[bytes]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    filled(f"sqlite:///{here}/connector.db", store_keys[0])
    before = state(tmp_path)
    assert "works with version 0123456789abcdef" in checked(here, mappings)
    assert state(tmp_path) == before


async def test_what_a_running_service_has_not_moved_into_the_file_yet_is_seen(
    tmp_path: Path, mappings: Path, store_keys: list[bytes]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    url = f"sqlite:///{here}/connector.db"
    await asyncio.to_thread(filled, url, store_keys[0])
    store = await open_store(url, keys=store_keys)

    def write(tx: Any) -> None:
        row = connections.named(tx, "demo", "books")
        mapping_versions.keep(tx, tenant="demo", connection=row.id, version="fedcba9876543210", layers=[])
        mapping_versions.apply(
            tx, tenant="demo", connection=row.id, version="fedcba9876543210", who="kari", did="apply"
        )

    await store.write(write)
    assert "fedcba9876543210" in await asyncio.to_thread(checked, here, mappings)
    await store.close()


@pytest.mark.parametrize("database", ["sqlite:///connector.db", "postgresql://nobody@127.0.0.1:9/none"])
def test_in_a_folder_that_cannot_be_written_to_it_is_checked_too(mappings: Path, database: str) -> None:
    """/proc takes no file, whoever asks."""
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no folder here that nobody can write to")
    assert "0 problems" in checked(Path("/proc"), mappings, CONNECTOR_DATABASE=database)
