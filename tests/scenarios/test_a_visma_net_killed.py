"""Scenario A on Visma Net with workers that are programs of their own, killed at every write of every flow."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Request, Sandbox

sys.path.append(str(Path(__file__).parent))
from visma_net import balance, invoices, on_visma_net, payments

_spec = spec_from_file_location("scenario_a_killed", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)

WRITES = (
    "POST /v1/customer", "POST /v2/customerinvoice", r"POST /v1/customerinvoice/\d+/action/release",
    "POST /v1/customerPayment", r"POST /v1/customerPayment/\d+/action/release",
)  # fmt: skip


class Deadly(Sandbox):
    """Books that have the worker killed when a call reaches them: before it is taken, or between it and its answer."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.fates: list[tuple[str, str, Callable[[], None]]] = []

    def handle(self, request: Request) -> tuple[Any, float]:
        call = f"{request.method} {request.path.removeprefix('/api')}"
        for fate in self.fates:
            pattern, moment, does = fate
            if re.fullmatch(pattern, call):
                self.fates.remove(fate)
                if moment == "between":
                    super().handle(request)
                does()
                return None, 0.0
        return super().handle(request)


async def test_killed_at_every_write(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_LEASE", str(killed.LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")
    workers = killed.Workers()
    async with on_visma_net(founded, monkeypatch)(books=Deadly, settle=1) as fjord:
        try:
            sales = [0, 1]
            for moment in ("before", "between"):
                fjord.box.fates += [(call, moment, workers.kill) for call in WRITES]
            made = await killed.posted(fjord, "/v1/invoices", [killed.sale(n) for n in sales])
            await workers.until(lambda: killed.over(fjord, made))
            paid = await killed.posted(fjord, "/v1/payments", [killed.money(n) for n in sales])
            await workers.until(lambda: killed.over(fjord, paid))

            assert fjord.box.fates == []
            assert workers.kills == 2 * len(WRITES)
            assert [row["status"] for row in invoices(fjord.box)] == ["Open"] * 2
            assert len(fjord.box.books.tables["customer"]) == 2
            assert Counter(row["paymentAmount"] for row in payments(fjord.box)) == {Decimal(100): 1, Decimal(101): 1}
            assert balance(fjord.box, "1920") == Decimal(201)
            assert await fjord.get("/v1/attention") == []
        finally:
            workers.end()
