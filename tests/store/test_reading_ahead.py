"""What is read in one go is what is read one by one; and never where something may be written."""

from __future__ import annotations

from typing import Any

from connector.errors import Stop
from connector.store import Store, Tx, attention, connections, documents, first_sync, links, work
from connector.store.work import Turn


def fill(tx: Tx) -> tuple[str, list[str]]:
    books = connections.add(tx, tenant="a", system="sys", name="books", settings={}, secrets={}).id
    ids = []
    for at in range(6):
        made = documents.insert(
            tx, tenant="a", kind="invoice", business_key=f"k{at}", body={"number": str(at)}, state="received"
        )
        ids.append(made.id)
        if at % 2:
            documents.relate(tx, tenant="a", document=made.id, kind="credits", other=ids[at - 1])
            links.put(tx, tenant="a", document=made.id, connection=books, kind="invoice", vendor_id=str(at))
            first_sync.decide_ours(tx, "a", books, "invoice", made.id, "leave")
            work.submit(
                tx, tenant="a", lane="l", turn=Turn.EFFECT, kind="push-invoice", connection=books, document=made.id
            )
            reason = Stop("No.", code="conflict")
            attention.ask(tx, tenant="a", about=f"conflict:{made.id}", reason=reason, verbs=(), document=made.id)
    return books, ids


def asked(tx: Tx, books: str, ids: list[str]) -> list[Any]:
    return [
        (
            documents.get(tx, "a", id),
            documents.peek(tx, "b", id),
            documents.by_key(tx, "a", "invoice", f"k{at}"),
            documents.relations(tx, "a", id),
            documents.references(tx, "a", id),
            links.of(tx, id, books),
            links.of(tx, id, books, "payment"),
            links.all_of(tx, id),
            first_sync.of_document(tx, books, id),
            work.live_of(tx, "a", id, books),
            work.live_of(tx, "b", id, books),
            attention.find(tx, tenant="a", about=f"conflict:{id}"),
            attention.find(tx, tenant="b", about=f"conflict:{id}"),
        )
        for at, id in enumerate(ids)
    ]


def ahead(tx: Tx, books: str, ids: list[str]) -> None:
    documents.relations_ahead(tx, "a", ids)
    documents.ahead(tx, "a", ids)
    links.ahead(tx, ids)
    first_sync.ahead(tx, books, ids)
    work.ahead(tx, ids)
    attention.ahead(tx, (f"conflict:{id}" for id in ids))


async def test_the_answers_are_the_same_and_the_questions_fewer(store: Store) -> None:
    books, ids = await store.write(fill)
    before = store.stats.statements
    singly = await store.read(lambda tx: asked(tx, books, ids))
    one_by_one = store.stats.statements - before
    unanswered = {at for at in range(len(singly[0])) if not any(row[at] for row in singly)}
    assert unanswered == {1, 6, 10, 12}, "but for other tenants and another kind, each question has an answer"

    def in_one_go(tx: Tx) -> list[Any]:
        ahead(tx, books, ids[:5])  # the last one is asked for by itself
        return asked(tx, books, ids)

    before = store.stats.statements
    assert await store.read(in_one_go) == singly
    assert store.stats.statements - before < one_by_one / 2


async def test_where_something_is_written_nothing_is_remembered(store: Store) -> None:
    books, ids = await store.write(fill)

    def change(tx: Tx) -> tuple[Any, Any]:
        ahead(tx, books, ids)
        one = documents.get(tx, "a", ids[1])
        documents.change(tx, one, state="issued")
        link = links.of(tx, ids[1], books)
        assert link is not None
        links.drop(tx, link)
        return documents.get(tx, "a", ids[1]).state, links.of(tx, ids[1], books)

    assert await store.write(change) == ("issued", None)
