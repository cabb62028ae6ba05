"""A sandbox as a program of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

Box = TypeVar("Box", bound=AbstractAsyncContextManager[Any])


def serve(box: Box, ready: Callable[[Box], None] | None = None) -> None:
    """Run a sandbox until it is interrupted (SIGINT, SIGTERM).

    Args:
        box: not started yet.
        ready: called once it listens (its address is then right, also for port 0).

    Raises:
        OSError: the port is taken.
    """

    async def run() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with box:
            if ready is not None:
                ready(box)
            await stopped.wait()

    asyncio.run(run())
