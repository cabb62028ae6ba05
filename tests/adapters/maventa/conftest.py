"""The stand-in, and the driver open on it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.access_points.maventa.sandbox import Sandbox
from connector.ports import AccessPoint

sys.path.append(str(Path(__file__).parent))
from maventa_driving import opened


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox() as it:
        yield it


@pytest.fixture
async def point(box: Sandbox) -> AsyncIterator[AccessPoint]:
    it = opened(box.url)
    yield it
    await it.close()
