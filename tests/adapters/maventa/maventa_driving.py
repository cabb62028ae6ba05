"""Opens the driver on a stand-in; what it is driven with is what every access point is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from adapters.access_points.maventa import Secrets, Settings, plugin
from adapters.access_points.maventa.sandbox import API_KEY, COMPANY, VENDOR_API_KEY
from connector.http import Http
from connector.ports import AccessPoint, ConnectionConfig, Message

sys.path.append(str(Path(__file__).parents[1] / "phoss_ap"))
from phoss_ap_driving import send, transmission

__all__ = ["HOOK_SECRET", "everything", "opened", "send", "transmission"]

HOOK_SECRET = "hook/secret"


def opened(
    url: str, *, timeout: float = 5.0, api_key: str = API_KEY, hooks: bool = False, **settings: Any
) -> AccessPoint:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=url, **{"company": COMPANY, "settle": 0, "timeout": timeout, **settings}),
        Secrets(api_key=api_key, vendor_api_key=VENDOR_API_KEY, hook_secret=HOOK_SECRET if hooks else None),
    )  # fmt: skip
    return plugin.open(config, Http(url, timeout=timeout))


async def everything(point: AccessPoint, cursor: str | None = None) -> tuple[list[Message], str | None]:
    """What waits, page by page, each page acknowledged; and where the next look begins."""
    found: list[Message] = []
    more = True
    while more:
        page = await point.inbox(cursor)
        cursor, more = page.cursor, page.more
        found += page.messages
        for id in (*(one.id for one in page.messages), *(one.id for one in page.reports)):
            await point.acknowledge(id)
    return found, cursor
