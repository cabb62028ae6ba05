"""Documents, links, relations: what is kept comes back exactly, and nobody overwrites anybody."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connector.errors import BadInput, Clash, Missing
from connector.store import Moved, Store, Tx, attempts, connections, documents, links
from connector.store.documents import Document
from connector.store.engine import utc_now

INVOICE = {"number": "2027-1", "lines": [{"price": Decimal("12.50")}], "name": "Blåbær & sønn"}


def insert(tx: Tx, key: str = "k1", tenant: str = "a", **more: object) -> Document:
    return documents.insert(tx, tenant=tenant, kind="invoice", business_key=key, body=INVOICE, state="received", **more)


def connect(tx: Tx, tenant: str = "a", name: str = "books") -> str:
    return connections.add(tx, tenant=tenant, system="sys", name=name, settings={}, secrets={"token": "hush"}).id


async def test_what_is_kept_comes_back(store: Store) -> None:
    plain = {
        "number": "2027-1",
        "issue_date": date(2027, 1, 2),
        "currency": "NOK",
        "payable": Decimal("1250.00"),
        "open_amount": Decimal("0.125"),
    }
    made = await store.write(lambda tx: insert(tx, original=b"<Invoice/>", content_type="application/xml", **plain))
    read = await store.read(lambda tx: documents.get(tx, "a", made.id))
    assert read == made
    assert read.body == INVOICE
    assert str(read.body["lines"][0]["price"]) == "12.50"
    assert (read.payable, str(read.payable), read.open_amount) == (Decimal(1250), "1250.00", Decimal("0.125"))
    assert await store.read(lambda tx: documents.original(tx, "a", made.id)) == (b"<Invoice/>", "application/xml")


async def test_a_business_key_is_taken_for_ever(store: Store) -> None:
    first = await store.write(insert)
    with pytest.raises(Clash) as again:
        await store.write(insert)
    assert again.value.code == "document-exists"
    assert (again.value.where["document"], again.value.details) == (first.id, {"same": True})
    with pytest.raises(Clash) as other:
        await store.write(
            lambda tx: documents.insert(tx, tenant="a", kind="invoice", business_key="k1", body={}, state="received")
        )
    assert other.value.details == {"same": False}
    await store.write(lambda tx: insert(tx, tenant="b"))
    assert await store.read(lambda tx: documents.by_key(tx, "a", "invoice", "k1")) == first


async def test_another_tenants_document_is_not_there(store: Store) -> None:
    made = await store.write(lambda tx: insert(tx, original=b"x"))
    with pytest.raises(Missing):
        await store.read(lambda tx: documents.get(tx, "b", made.id))
    assert await store.read(lambda tx: documents.original(tx, "b", made.id)) is None
    assert await store.read(lambda tx: documents.find(tx, "b")) == []


async def test_change_is_compare_and_swap(store: Store) -> None:
    made = await store.write(insert)
    second = await store.write(lambda tx: documents.change(tx, made, state="issued", number="7"))
    assert (second.version, second.state, second.number, second.body) == (2, "issued", "7", INVOICE)
    with pytest.raises(Moved):
        await store.write(lambda tx: documents.change(tx, made, state="lost"))
    third = await store.write(lambda tx: documents.change(tx, second, body=INVOICE | {"number": "8"}))
    assert third.digest != second.digest
    assert await store.read(lambda tx: documents.get(tx, "a", made.id)) == third


@pytest.mark.parametrize("amount", ["0.00001", "1e15", "922337203685477"])
async def test_an_amount_the_column_cannot_hold_is_refused(store: Store, amount: str) -> None:
    if amount == "922337203685477":  # the largest that fits beside its four decimals
        made = await store.write(lambda tx: insert(tx, payable=Decimal(amount)))
        assert made.payable == Decimal(amount)
        return
    with pytest.raises(BadInput) as refused:
        await store.write(lambda tx: insert(tx, payable=Decimal(amount)))
    assert refused.value.code == "amount-not-exact"


async def test_find_pages_and_filters(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for n in range(25):
            insert(tx, f"k{n}", number=str(n), issue_date=date(2027, 1, 1 + n), counterparty_name="100 % Ærlig AS")

    await store.write(fill)
    seen: list[str | None] = []
    after = None
    while page := await store.read(lambda tx, a=after: documents.find(tx, "a", after=a, limit=10)):
        seen += [document.number for document in page]
        after = page[-1].id
    assert seen == [str(n) for n in range(25)]
    late = await store.read(lambda tx: documents.find(tx, "a", issued_from=date(2027, 1, 24), newest_first=True))
    assert [document.number for document in late] == ["24", "23"]
    assert len(await store.read(lambda tx: documents.find(tx, "a", counterparty="100 %", limit=500))) == 25
    assert await store.read(lambda tx: documents.find(tx, "a", counterparty="100 _")) == []


async def test_links_are_unique_both_ways_and_keep_their_base(store: Store) -> None:
    def fill(tx: Tx) -> tuple[str, str, str]:
        return insert(tx, "k1").id, insert(tx, "k2").id, connect(tx)

    one, two, books = await store.write(fill)
    put = {"tenant": "a", "connection": books, "kind": "invoice"}
    made = await store.write(lambda tx: links.put(tx, document=one, vendor_id="77", base_sent={"x": 1}, **put))
    again = await store.write(
        lambda tx: links.put(tx, document=one, vendor_id="77", base_seen={"y": Decimal("1.0")}, voucher="2027/1", **put)
    )
    assert again.id == made.id
    stored = await store.read(lambda tx: links.of(tx, one, books))
    assert stored == again
    assert (stored.base_sent, stored.base_seen, stored.voucher) == ({"x": 1}, {"y": Decimal("1.0")}, "2027/1")
    with pytest.raises(Clash):
        await store.write(lambda tx: links.put(tx, document=two, vendor_id="77", **put))
    with pytest.raises(Clash):
        await store.write(lambda tx: links.put(tx, document=one, vendor_id="78", **put))
    assert [d.id for d in await store.read(lambda tx: documents.find(tx, "a", voucher="2027/1"))] == [one]
    with pytest.raises(Missing):
        await store.read(lambda tx: links.vendor_id(tx, two, books))


async def test_a_document_is_called_something_else_in_each_system(store: Store) -> None:
    def fill(tx: Tx) -> tuple[str, list[str]]:
        one = insert(tx, "k1").id
        systems = []
        for name in ("books", "bank"):
            systems.append(connections.add(tx, tenant="a", system="little", name=name, settings={}, secrets={}).id)
            links.put(tx, tenant="a", document=one, connection=systems[-1], kind="invoice", vendor_id=f"in {name}")
        return one, systems

    one, (books, bank) = await store.write(fill)
    for system, called in ((books, "in books"), (bank, "in bank")):
        assert await store.read(lambda tx, system=system: links.vendor_id(tx, one, system)) == called
    assert [link.vendor_id for link in await store.read(lambda tx: links.all_of(tx, one))] == ["in books", "in bank"]


async def test_relations_are_seen_from_both_ends(store: Store) -> None:
    def fill(tx: Tx) -> str:
        one, two = insert(tx, "k1").id, insert(tx, "k2").id
        documents.relate(tx, tenant="a", document=two, kind="allocation", other=one, amount=Decimal("10.00"))
        documents.relate(tx, tenant="a", document=two, kind="allocation", other=one, amount=Decimal("12.00"))
        return one

    one = await store.write(fill)
    (found,) = await store.read(lambda tx: documents.relations(tx, "a", one))
    assert (found.other, found.amount) == (one, Decimal(12))
    assert await store.read(lambda tx: documents.relations(tx, "b", one)) == []


async def test_secrets_do_not_print_themselves(store: Store) -> None:
    books = await store.write(connect)
    read = await store.read(lambda tx: connections.get(tx, books, tenant="a"))
    assert read.secrets["token"] == "hush"
    assert "hush" not in repr(read)
    with pytest.raises(Missing):
        await store.read(lambda tx: connections.get(tx, books, tenant="b"))


async def test_a_part_is_found_by_its_id_however_many_there_are(store: Store) -> None:
    """A back-fill asks this for every payment: a search through all links of the connection makes it quadratic."""
    if store.postgres:
        pytest.skip("PostgreSQL plans by statistics; the index is the same")

    def plan(tx: Tx) -> str:
        form = links._PART.form({}, postgres=False)
        return " ".join(row[3] for row in tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {form.sql}", ("c", "v", "p:%")))

    assert "vendor_id=?" in await store.read(plan)


async def test_what_was_written_since_is_found_by_its_index(store: Store) -> None:
    """`connector onboard back` asks it of a connection that has been live for years."""

    def plan(tx: Tx) -> str:
        form = attempts._PROVED.form({}, postgres=store.postgres)
        given = form.values({"connection": "c", "began": utc_now(), "last": "", "most": 500})
        if not store.postgres:
            rows = tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {form.sql}", tuple(given))
            return " ".join(row[3] for row in rows)
        tx.conn.exec_driver_sql("SET LOCAL enable_seqscan = off")  # a few rows are read faster without any index
        return " ".join(row[0] for row in tx.conn.exec_driver_sql(f"EXPLAIN {form.sql}", tuple(given)))

    said = await store.write(plan)
    assert "ix_attempts_proved" in said, said
    assert "Sort" not in said, said
    assert "TEMP B-TREE" not in said, said
