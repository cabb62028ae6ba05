"""Migrations: what they make is what the schema says, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from connector.errors import Misconfigured
from connector.store import Store, open_store, schema
from connector.store.migrations import revisions, settings
from connector.store.tx import Tx


async def test_migrations_make_what_the_schema_says(store: Store) -> None:
    def compare(tx: Tx) -> list[object]:
        context = MigrationContext.configure(tx.conn, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))

    assert await store.write(compare) == []


async def test_partial_indexes_keep_their_condition(store: Store) -> None:
    def conditions(tx: Tx) -> dict[str, str]:
        found = {}
        for table in schema.metadata.tables:
            for index in inspect(tx.conn).get_indexes(table):
                options = index.get("dialect_options", {})
                where = options.get("postgresql_where") or options.get("sqlite_where")
                if where is not None:
                    found[str(index["name"])] = str(where)
        return found

    declared = {
        index.name
        for table in schema.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert set(await store.write(conditions)) == declared


async def test_down_and_up_again(store: Store) -> None:
    def down_and_up(tx: Tx) -> set[str]:
        command.downgrade(settings(tx.conn), "base")
        left = set(inspect(tx.conn).get_table_names())
        command.upgrade(settings(tx.conn), "head")
        return left

    assert await store.write(down_and_up) <= {"alembic_version"}


async def test_the_revisions_are_known_without_alembic(store: Store) -> None:
    """It takes long to load, and every command opens a store that is up to date."""
    scripts = ScriptDirectory.from_config(await store.read(lambda tx: settings(tx.conn)))
    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert scripts.get_current_head() == revisions()[-1]


def test_a_store_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    opens = "import asyncio, sys; from connector.store import open_store\nasync def run():\n"
    opens += "    await (await open_store('sqlite:///c.db')).close()\n"
    opens += "asyncio.run(run()); print('alembic' in sys.modules)"
    said = [
        subprocess.run([sys.executable, "-c", opens], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said == ["True\n", "False\n"]


async def test_another_version_of_the_tables_is_said(tmp_path: Path, store_keys: list[bytes]) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    store = await open_store(url, keys=store_keys)
    await store.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await store.close()
    with pytest.raises(Misconfigured) as newer:
        await open_store(url, keys=store_keys)
    assert newer.value.code == "database-newer"


async def test_postgresql_is_upgraded_only_when_told(postgres_url: str, store_keys: list[bytes]) -> None:
    store = await open_store(postgres_url, keys=store_keys)

    def outdate(tx: Tx) -> None:
        command.downgrade(settings(tx.conn), "base")
        tx.execute(text("INSERT INTO alembic_version VALUES ('0000')"))

    await store.write(outdate)
    await store.close()
    with pytest.raises(Misconfigured) as outdated:
        await open_store(postgres_url, keys=store_keys)
    assert outdated.value.code in ("database-outdated", "database-newer")
