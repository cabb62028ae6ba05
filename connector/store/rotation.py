"""Key rotation: seal everything with the newest key, a batch at a time, while everybody goes on working."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select

from connector.store import meta, schema
from connector.store.engine import Store
from connector.store.tx import Tx

BATCH = 200


async def rotate(store: Store) -> int:
    """Seal anew what an older key has sealed; how many values. Afterwards the older keys can be taken away.

    It may be broken off and run again. What is written meanwhile is sealed with the newest key already.
    """
    done = 0
    for table, columns in schema.SEALED.items():
        after: str | None = ""
        while after is not None:
            count, after = await store.write(partial(_batch, table=table, columns=columns, after=after))
            done += count
    await store.write(meta.reseal)
    return done


def _batch(tx: Tx, *, table: str, columns: tuple[str, ...], after: str) -> tuple[int, str | None]:
    t = schema.metadata.tables[table]
    key = t.c.id
    query = select(key, *(t.c[column] for column in columns)).where(key > after).order_by(key).limit(BATCH)
    rows = tx.execute(query.with_for_update() if tx.postgres else query).all()
    count = 0
    for row in rows:
        fresh = {}
        for column in columns:
            sealed = getattr(row, column)
            if sealed is not None and not tx.vault.is_newest(sealed):
                place = f"{table}.{column}"
                fresh[column] = tx.seal(place, row.id, tx.unseal(place, row.id, sealed))
        if fresh:
            tx.execute(t.update().where(key == row.id).values(**fresh))
            count += len(fresh)
    return count, rows[-1].id if len(rows) == BATCH else None
