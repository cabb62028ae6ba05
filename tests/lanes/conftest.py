"""A little world: books behind a real HTTP server that counts what took effect, and handlers that write to it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connector.store import Store

_spec = importlib.util.spec_from_file_location("little_books", Path(__file__).with_name("little_books.py"))
assert _spec is not None
assert _spec.loader is not None
little_books = importlib.util.module_from_spec(_spec)
sys.modules["little_books"] = little_books
_spec.loader.exec_module(little_books)


@pytest.fixture
def books() -> Iterator[little_books.Books]:
    """Books on loopback, stopped at the end."""
    server = little_books.Books()
    yield server
    server.close()


@pytest.fixture
async def world(store: Store, books: little_books.Books) -> AsyncIterator[little_books.World]:
    """Store, books, a connection between them, and workers on demand."""
    made = await little_books.World.make(store, books.url)
    yield made
    await made.close()
