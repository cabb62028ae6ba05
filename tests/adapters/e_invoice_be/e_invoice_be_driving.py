"""Opens the driver on a stand-in; what it is driven with is what every access point is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from adapters.access_points.e_invoice_be import Secrets, Settings, plugin
from adapters.access_points.e_invoice_be.sandbox import API_KEY
from connector.http import Http
from connector.ports import AccessPoint, ConnectionConfig, Message

sys.path.append(str(Path(__file__).parents[1] / "phoss_ap"))
from phoss_ap_driving import send, transmission

__all__ = ["HOOK_SECRET", "everything", "opened", "send", "transmission"]

HOOK_SECRET = "secret of the webhook"


def opened(
    url: str, *, timeout: float = 5.0, api_key: str = API_KEY, hook_secret: str | None = None, **settings: Any
) -> AccessPoint:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=url, **{"settle": 0, "timeout": timeout, **settings}),
        Secrets(api_key=api_key, hook_secret=hook_secret),
    )  # fmt: skip
    return plugin.open(config, Http(url, timeout=timeout))


async def everything(point: AccessPoint, cursor: str | None = None) -> tuple[list[Message], str | None]:
    """What came, page by page; and where the next look begins."""
    found: list[Message] = []
    more = True
    while more:
        page = await point.inbox(cursor)
        cursor, more = page.cursor, page.more
        found += page.messages
        for message in page.messages:
            await point.acknowledge(message.id)
    return found, cursor
