"""A document that goes from one system through the hub into another and back is the same in all that both carry."""

from __future__ import annotations

from typing import Any

import pytest

from connector import plugins
from connector.errors import ConnectorError
from connector.mapping import load
from connector.mapping.corpus import AnyLinks, documents

ONE, OTHER = "tripletex", "fiken"
LOST_ON_THE_WAY = {
    # Tripletex prints one reference, so without a buyer's the order stands there (a line with `otherwise`).
    "invoice": {"buyer_reference", "order_reference"},
    "credit_note": {"buyer_reference", "order_reference"},
}
"""Fields that one of the two has in another's place."""


def both_ways(mapper: Any) -> set[str]:
    """The fields of ours that a mapping carries both ways."""
    return {name for name in mapper.owners if name not in mapper.only_in | mapper.only_out}


@pytest.mark.parametrize("kind", ["customer", "product", "project", "invoice", "credit_note", "payment"])
def test_there_and_back(kind: str) -> None:
    known = plugins.accounting()
    one, other = load(ONE, plugins=known)[kind], load(OTHER, plugins=known)[kind]
    shared = both_ways(one) & both_ways(other) - LOST_ON_THE_WAY.get(kind, set())
    assert shared
    whole = 0
    for document in documents(kind):
        links = AnyLinks()
        try:
            seen = one.into(one.out(document, links), links)
            back = other.into(other.out({**document, **seen}, links), links)
            again = one.into(one.out({**document, **back}, links), links)
        except ConnectorError:
            continue  # refused by one of the two: never silently changed
        whole += 1
        # What there was none of may have been filled in: a product in Fiken has an income account, for instance.
        first = {name: value for name, value in one.view(seen).items() if name in shared and value is not None}
        last = one.view(again)
        assert {name: last.get(name) for name in first} == first
    assert whole
