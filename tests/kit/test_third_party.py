"""A plugin that is not installed, with a mapping file of its own: what somebody else runs while he writes it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from broken import Adapter, Plugin
from tripletex_bench import TripletexBench

from connector.ports import Kind
from connector.testing import CHECKS, AdapterKit, Check, NotApplicable
from connector.testing.stories import NOTE, STORIES, Story

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


class Posted:
    """What a story posts, of a company whose bench marks what it is given."""

    class bench(TripletexBench):
        def sample(self, kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
            return body | {"note": f"{body.get('note', '')}{kind}"}

    def __init__(self) -> None:
        self.bench = Posted.bench()  # type: ignore[misc,assignment]
        self.bodies: list[Any] = []

    async def post(self, path: str, body: Any) -> str:
        self.bodies.append(body)
        return path


@pytest.mark.parametrize("story", [one for one in STORIES if one is not NOTE], ids=lambda story: story.name)
def test_the_bench_may_change_every_document(story: Story) -> None:
    posted = Posted()
    asyncio.run(story.act(posted))  # type: ignore[arg-type]
    (body,) = posted.bodies
    assert isinstance(body, bytes) or body["note"].endswith(story.name.split("-")[0].replace("credit", "credit_note"))


def test_every_check_has_a_name_of_its_own_and_says_what_is_promised() -> None:
    assert len(BY_NAME) == len(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS)
    assert all(isinstance(check, Check) for check in AdapterKit.checks)
