"""What an access point hands over at our door: taken with 200 when it is on disk, and how it is told what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_company import TENANT, company

from adapters.access_points.sandbox import papers
from connector.store import arrivals
from connector.testing.samples import organisation_number, purchase

SECRET = "sixteen letters or more"
POINT = """
access_points:
  ap:
    system: phoss-ap
    settings: {{base_url: "http://127.0.0.1:9"}}
    secrets: {{token: env:FJORD_AP_TOKEN, hook_secret: env:FJORD_AP_HOOK}}
"""


@pytest.fixture
async def fjord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("FJORD_AP_TOKEN", "token")
    monkeypatch.setenv("FJORD_AP_HOOK", SECRET)
    async with company(tmp_path, f"sqlite:///{tmp_path}/c.db", monkeypatch, tenant=TENANT + POINT) as made:
        yield made


async def hand_over(fjord: Any, body: bytes, secret: str = SECRET) -> httpx.Response:
    (point,) = fjord.house.access_points.points("fjord")
    headers = {"X-Hook-Secret": secret, "X-SBDH-Instance-ID": "i-1", "Content-Type": "application/xml"}
    return await fjord.client.post(f"/v1/hooks/{point.id}", content=body, headers=headers)


def enveloped(document: bytes) -> bytes:
    return papers.enveloped(document, papers.read(document))


async def kept(fjord: Any) -> int:
    return len(await fjord.house.store.read(lambda tx: arrivals.find(tx, tenant="fjord")))


async def test_what_is_taken_is_answered_when_it_is_kept(fjord: Any) -> None:
    body = enveloped(purchase("923609016", "77"))
    for _ in range(2):
        answer = await hand_over(fjord, body)
        assert (answer.status_code, answer.json()) == (200, {"countryCodeC4": "NO"})
        assert await kept(fjord) == 1


async def test_what_can_never_be_taken_is_said_with_200_because_nothing_else_is_read(fjord: Any) -> None:
    answer = await hand_over(fjord, b"  ")
    assert (answer.status_code, answer.json()["retry"]) == (200, "none")
    assert answer.json()["errorMessage"].startswith("hook-malformed")
    assert await kept(fjord) == 0
    assert [item["code"] for item in await fjord.get("/v1/attention")] == ["hook-malformed"]


async def test_what_a_person_can_set_right_is_tried_again(fjord: Any) -> None:
    for_another = enveloped(purchase(organisation_number(91), "77"))
    answers = [await hand_over(fjord, for_another), await hand_over(fjord, for_another, "somebody else's secret")]
    assert [(one.status_code >= 400, one.json()["code"]) for one in answers] == [
        (True, "message-for-another"),
        (True, "signature-wrong"),
    ]
    assert await kept(fjord) == 0
