"""The vault: what is sealed opens only where it was sealed, with a key that is there; keys can be changed."""

from __future__ import annotations

import os
import stat
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from connector.errors import Misconfigured
from connector.store import Store, Vault, arrivals, connections, documents, first_sync, open_store, schema
from connector.store.rotation import rotate
from connector.store.vault import load_keys, parse_key

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_at_its_place_only(plain: bytes, id: str, other: str) -> None:
    vault = Vault([OLD])
    sealed = vault.seal("documents.body", id, plain)
    assert vault.unseal("documents.body", id, sealed) == plain
    assert vault.seal("documents.body", id, plain) != sealed
    with pytest.raises(Misconfigured):
        vault.unseal("documents.original", id, sealed)
    if other != id:
        with pytest.raises(Misconfigured):
            vault.unseal("documents.body", other, sealed)


@given(st.data())
def test_a_changed_ciphertext_does_not_open(data: st.DataObject) -> None:
    vault = Vault([OLD])
    sealed = bytearray(vault.seal("t.c", "1", b"hello"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Misconfigured):
        vault.unseal("t.c", "1", bytes(sealed))


def test_the_newest_key_writes_and_the_older_ones_read() -> None:
    sealed = Vault([OLD]).seal("t.c", "1", b"hello")
    both = Vault([NEW, OLD])
    assert both.unseal("t.c", "1", sealed) == b"hello"
    assert not both.is_newest(sealed)
    with pytest.raises(Misconfigured) as unknown:
        Vault([NEW]).unseal("t.c", "1", both.seal("t.c", "1", b"x")[:1] + sealed[1:])
    assert unknown.value.code == "key-unknown"


async def test_bodies_swapped_behind_the_stores_back_are_found_out(store: Store) -> None:
    def fill(tx):  # type: ignore[no-untyped-def]
        return [
            documents.insert(tx, tenant="a", kind="invoice", business_key=key, body={"to": key}, state="received").id
            for key in ("one", "two")
        ]

    one, two = await store.write(fill)
    await store.write(
        lambda tx: tx.execute(
            text("UPDATE documents SET body = (SELECT body FROM documents WHERE id = :one) WHERE id = :two"),
            {"one": one, "two": two},
        )
    )
    assert (await store.read(lambda tx: documents.get(tx, "a", one))).body == {"to": "one"}
    with pytest.raises(Misconfigured) as swapped:
        await store.read(lambda tx: documents.get(tx, "a", two))
    assert swapped.value.code == "sealed-damaged"


async def test_nothing_confidential_lies_open_in_the_file(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'c.db'}", keys=[OLD])

    def fill(tx):  # type: ignore[no-untyped-def]
        documents.insert(
            tx, tenant="a", kind="i", business_key="k", body={"x": "SECRET"}, state="s", original=b"<SECRET/>"
        )
        connections.add(tx, tenant="a", system="s", name="n", settings={"u": "SECRET"}, secrets={"t": "SECRET"})
        arrivals.arrive(
            tx, tenant="a", source="s", kind="k", key="1", body=b"SECRET", headers={"h": "SECRET"}, subject="x"
        )
        tx.emit("a", "k", data={"x": "SECRET"})

    await store.write(fill)
    await store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: ASYNC240
    assert b"a" in written
    assert b"SECRET" not in written


async def test_rotation_seals_everything_anew_while_others_write(database_url: str) -> None:
    store = await open_store(database_url, keys=[OLD])

    def fill(tx):  # type: ignore[no-untyped-def]
        for n in range(450):
            arrivals.arrive(tx, tenant="a", source="s", kind="k", key=str(n), body=b"x%d" % n, headers={"n": n})
        tx.emit("a", "k", data={"x": 1})
        return documents.insert(
            tx, tenant="a", kind="i", business_key="k", body={"x": 1}, state="s", original=b"<x/>"
        ).id

    id = await store.write(fill)
    await store.close()
    store = await open_store(database_url, keys=[NEW, OLD])
    assert await rotate(store) == 450 * 2 + 1 + 2
    assert await rotate(store) == 0
    await store.close()

    store = await open_store(database_url, keys=[NEW])
    assert (await store.read(lambda tx: documents.get(tx, "a", id))).body == {"x": 1}
    found = await store.read(lambda tx: [arrivals.get(tx, "a", a.id) for a in arrivals.find(tx, "a", limit=500)])
    assert [(a.body, a.headers) for a in found] == [(b"x%d" % n, {"n": n}) for n in range(450)]
    await store.close()


async def test_a_row_of_every_sealed_table_opens_with_the_new_key_alone(database_url: str) -> None:
    """Whoever adds a table or a column that is sealed is found here, also where its key is not called `id`."""
    sealed = [(schema.metadata.tables[name], columns) for name, columns in schema.SEALED.items()]
    assert {"mapping_versions", "options", "onboarding", "first_sync"} <= schema.SEALED.keys()
    filled = {str: "x", int: 1, bool: False, bytes: b"x", date: date(2026, 1, 1)}

    def value(column):  # type: ignore[no-untyped-def]
        if isinstance(column.type, schema.Moment):
            return datetime.now(UTC)
        return Decimal(1) if isinstance(column.type, schema.Money) else filled[column.type.python_type]

    def fill(tx):  # type: ignore[no-untyped-def]
        for table in schema.metadata.sorted_tables:
            if table.name != "meta":
                row = {column.name: value(column) for column in table.c}
                for name in schema.SEALED.get(table.name, ()):
                    row[name] = tx.seal(f"{table.name}.{name}", "x", b"SECRET")
                tx.execute(table.insert(), row)

    def opened(tx):  # type: ignore[no-untyped-def]
        return [
            tx.unseal(f"{table.name}.{name}", "x", getattr(tx.execute(select(table)).one(), name))
            for table, columns in sealed
            for name in columns
        ]

    count = sum(len(columns) for _, columns in sealed)
    store = await open_store(database_url, keys=[OLD])
    await store.write(fill)
    await store.close()
    store = await open_store(database_url, keys=[NEW, OLD])
    assert await rotate(store) == count
    await store.close()
    store = await open_store(database_url, keys=[NEW])
    assert await store.read(opened) == [b"SECRET"] * count
    await store.close()


async def test_a_record_of_a_first_sync_that_is_read_anew_opens(store: Store) -> None:
    """The row gets another id: what was sealed under the one before it cannot stay."""

    def again(tx):  # type: ignore[no-untyped-def]
        first_sync.keep(tx, "a", "c", "customer", "7", {"said": 1})
        (row,) = first_sync.find(tx, "c")
        first_sync.change(tx, row.id, state="done", action="link", before={"body": {}})
        first_sync.keep(tx, "a", "c", "customer", "7", {"said": 2})
        return first_sync.find(tx, "c")

    (row,) = await store.write(again)
    assert (row.state, row.action, row.record, row.before) == ("read", None, {"said": 2}, None)


def test_every_sealed_column_is_in_the_rotation() -> None:
    sealed = {
        (table.name, column.name)
        for table in schema.metadata.tables.values()
        for column in table.c
        if isinstance(column.type, schema.LargeBinary) and table.name != "meta"
    }
    assert sealed == {(table, column) for table, columns in schema.SEALED.items() for column in columns}


async def test_the_key_file_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    store = await open_store(url, environment={})
    await store.write(lambda tx: arrivals.arrive(tx, tenant="a", source="s", kind="k", key="1", body=b"x"))
    await store.close()
    file = tmp_path / "c.db.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*key*")] == ["c.db.key"]  # noqa: ASYNC240
    store = await open_store(url, environment={})
    assert len(await store.read(lambda tx: tx.execute(select(schema.arrivals.c.id)).all())) == 1
    await store.close()

    file.chmod(0o644)
    with pytest.raises(Misconfigured) as opened:
        await open_store(url, environment={})
    assert opened.value.code == "key-file-open"
    file.unlink()
    with pytest.raises(Misconfigured) as missing:
        await open_store(url, environment={})
    assert missing.value.code == "key-missing"
    assert not file.exists()


@pytest.mark.parametrize("given", ["", "x", "AAAA", "é" * 44, "A" * 100])
def test_a_malformed_key_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_key(given)
    assert refused.value.code == "key-malformed"
    assert not given or given not in refused.value.said


def test_keys_come_from_the_environment_newest_first(tmp_path: Path) -> None:
    import base64

    given = ",".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    assert load_keys({"CONNECTOR_KEYS": given}, None, create=False) == [NEW, OLD]
    assert load_keys({"CONNECTOR_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode()}, None, create=False)
    with pytest.raises(Misconfigured):
        load_keys({}, None, create=True)
