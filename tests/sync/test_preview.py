"""A preview shows both sides of what a mapping makes, holds versions against each other, and needs no more memory for
more documents.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import registers
from benchmarks.preview import measure
from connector import plugins
from connector.api.examples import CUSTOMER, INVOICE_DRAFT
from connector.mapping import Mapping
from connector.mapping.versions import of_files
from connector.ports import Kind
from connector.service.applying import Counted, counted_over
from connector.sync import preview
from connector.sync.preview import Preview

EMAIL = "customer: {fields: {invoice_email: null}, loses: {invoice_email: Not used.}}"
REFUSES = "customer: {refuse: {nobody: {when: {theirs: {name: Ingen AS}}, says: Nobody.}}}"


def changed(folder: Path, mapping: str) -> Mapping:
    """The mapping of `books` when its file says this."""
    file = folder / "mappings" / "tenants" / "fjord.yaml"
    head, _, rest = file.read_text().partition("    mapping: ")
    file.write_text(f"{head}    mapping: {{kinds: {{{mapping}}}}}\n{rest.partition(chr(10))[2]}")
    return of_files("fjord", "books", plugins.accounting())


async def previewed(
    two: Any, mapping: Mapping | None = None, against: Mapping | None = None, last: timedelta | None = None
) -> tuple[list[Preview], Counted]:
    spoke = two.house.named("fjord", "books")
    found: list[Preview] = []
    counted = await counted_over(
        two.house.store, two.house, spoke, mapping or spoke.mapping, against, last=last, each=found.append
    )
    return found, counted


async def test_both_sides_of_each_line_are_shown(two: Any) -> None:
    await two.done("/v1/invoices", INVOICE_DRAFT)
    calls = len(two.books.requests)
    found, counted = await previewed(two)
    assert len(two.books.requests) == calls, "nobody is called"
    assert {(one.kind, one.way) for one in found} == {
        ("customer", "out"), ("customer", "in"), ("invoice", "out"), ("invoice", "in"),
    }  # fmt: skip
    assert (counted.looked_at, counted.stop) == (2, 0)
    out = next(one for one in found if (one.kind, one.way) == ("invoice", "out"))
    mapper = two.house.named("fjord", "books").mapping["invoice"]
    lines = {line.here: line for line in preview.lines(mapper, out)}
    due = lines["due_date"]
    assert (due.ours, due.arrow, due.there, due.theirs) == (
        INVOICE_DRAFT["due_date"], "→", "invoice.invoiceDueDate", INVOICE_DRAFT["due_date"],
    )  # fmt: skip
    assert "tripletex.yaml:" in due.origin
    assert lines["lines.quantity"].theirs == lines["lines.quantity"].ours != ""


async def test_what_another_version_makes_otherwise_is_found_both_ways(two: Any, tmp_path: Path) -> None:
    await two.done("/v1/customers", CUSTOMER)
    old, new = two.house.named("fjord", "books").mapping, changed(tmp_path, EMAIL)
    found, counted = await previewed(two, new, old)
    assert [(one.way, [(d.field, d.against, d.now) for d in one.differs]) for one in found] == [
        ("out", [("invoiceEmail", CUSTOMER["invoice_email"], None)]),
        ("in", [("invoice_email", CUSTOMER["invoice_email"], None)]),
    ]
    assert (counted.differ, counted.stop_anew) == (2, 0)
    none, counted = await previewed(two, new, old, last=timedelta(microseconds=1))
    assert (none, counted.looked_at) == ([], 0), "only what came since"
    assert (await previewed(two, old, old))[1].differ == 0


async def test_records_that_wait_are_tried_too(both: Any, tmp_path: Path) -> None:
    async with both(mapping=REFUSES) as stopping:
        registers.create_customer(stopping.books.books, {"name": "Ingen AS"})
        await stopping.poll(Kind.CUSTOMER, of="books")
        assert await stopping.waits() != []
        (waiting,) = [one for one in (await previewed(stopping))[0] if one.document is None]
        assert waiting.made.stop is not None
        assert waiting.made.stop["message"] == "Nobody."
        mended, counted = await previewed(stopping, changed(tmp_path, ""), stopping.house.spokes()[0].mapping)
        assert [(one.made.stop, one.stops_anew) for one in mended if one.document is None] == [(None, False)]
        assert counted.differ == 1


async def test_ten_times_as_many_documents_need_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECTOR_MAPPINGS", "FJORD", "CONNECTOR_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FJORD", "x")  # so that what the benchmark sets is taken back
    monkeypatch.setenv("CONNECTOR_MAPPINGS", "x")
    assert await measure(150, 1200) < 1.15
