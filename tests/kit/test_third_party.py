"""A plugin that is not installed, with a mapping file of its own: what somebody else runs while he writes it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from broken import Adapter, Plugin
from tripletex_bench import TripletexBench

from connector.testing import CHECKS, AdapterKit, Check, NotApplicable

SHIPPED = Path(__file__).parents[2] / "mappings" / "systems" / "tripletex.yaml"
BY_NAME = {check.name: check for check in CHECKS}


@pytest.mark.parametrize("name", ["works", "capable-invoice"])
def test_it_is_held_to_the_same(name: str, tmp_path: Path) -> None:
    own = tmp_path / "my-ledger.yaml"
    own.write_text(SHIPPED.read_text().replace("system: tripletex", "system: my-ledger", 1))
    named = Plugin(Adapter)
    named.name = "my-ledger"

    class Mine(TripletexBench):
        plugin = named  # type: ignore[assignment]
        mapping = own

    asyncio.run(BY_NAME[name].run(Mine))


def test_what_the_bench_does_not_have_is_not_tried() -> None:
    class Little(TripletexBench):
        page = 0

        async def pay(self, invoice: str, amount: object) -> None:
            raise NotApplicable("the bench has no `pay`")

    for name in ("pages-customer", "paid-a-part"):
        with pytest.raises(NotApplicable, match=r"page|pay"):
            asyncio.run(BY_NAME[name].run(Little))


def test_every_check_has_a_name_of_its_own_and_says_what_is_promised() -> None:
    assert len(BY_NAME) == len(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS)
    assert all(isinstance(check, Check) for check in AdapterKit.checks)
