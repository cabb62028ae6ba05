"""Products on Visma Net with workers that are programs of their own, killed at every write: made once, changed once."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from connector.api.examples import PRODUCT

sys.path.append(str(Path(__file__).parent))
from visma_net import on_visma_net

_spec = spec_from_file_location("visma_net_killed", Path(__file__).parent / "test_a_visma_net_killed.py")
assert _spec is not None
assert _spec.loader is not None
deadly = module_from_spec(_spec)
_spec.loader.exec_module(deadly)
killed = deadly.killed

MOMENTS = ("before", "between")


async def test_killed_at_every_write(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_LEASE", str(killed.LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")
    workers = killed.Workers()
    company = on_visma_net(founded, monkeypatch)
    async with company(books=deadly.Deadly, settle=1, settings="item_class: NONSTOCK") as fjord:
        try:
            many = range(len(MOMENTS))
            for call, price in (("POST /v1/inventory", "1020.00"), (r"PUT /v1/inventory/internal/\d+", "1100.00")):
                fjord.box.fates += [(call, moment, workers.kill) for moment in MOMENTS]
                said = [PRODUCT | {"source_id": f"v-{n}", "number": f"{100 + n}", "price": price} for n in many]
                told = await killed.posted(fjord, "/v1/products", said)
                await workers.until(lambda told=told: killed.over(fjord, told))  # type: ignore[misc]
                assert sorted(str(row["defaultPrice"]) for row in fjord.box.books.all("inventory")) == [price] * 2
            assert fjord.box.fates == []
            assert workers.kills == 2 * len(MOMENTS)
            assert await fjord.get("/v1/attention") == []
        finally:
            workers.end()
