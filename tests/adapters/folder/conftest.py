"""A real SFTP server with an access point behind it; the same folder is used as a local one too."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.access_points.folder.sandbox import Sandbox

sys.path.append(str(Path(__file__).parent))

NOBODY = 65534


@pytest.fixture
async def boxes() -> AsyncIterator[Callable[..., Any]]:
    """Makes sandboxes, whose access point looks when it is told to; they are taken down at the end."""
    made: list[Sandbox] = []

    async def make(**more: Any) -> Sandbox:
        made.append(Sandbox(**({"every": None} | more)))
        return await made[-1].start()

    yield make
    for box in made:
        await box.__aexit__()


@pytest.fixture(params=["local", "sftp"])
def local(request: pytest.FixtureRequest) -> bool:
    return request.param == "local"


@pytest.fixture
def without_rights() -> Callable[[Path], AbstractContextManager[None]]:
    """Nobody may what root may: in this context the process is nobody in particular, who gets as far as `path`."""

    @contextmanager
    def lowered(path: Path) -> Iterator[None]:
        root = os.geteuid() == 0
        for folder in (path, *path.parents):
            if root and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o011)
        if root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if root:
                os.seteuid(0)

    return lowered
