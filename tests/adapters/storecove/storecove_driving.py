"""Opens the driver on a stand-in; what it is driven with is what every access point is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from adapters.access_points.storecove import Secrets, Settings, plugin
from adapters.access_points.storecove.sandbox import API_KEY, LEGAL_ENTITY
from connector.http import Http
from connector.ports import AccessPoint, ConnectionConfig, Message, Report

sys.path.append(str(Path(__file__).parents[1] / "phoss_ap"))
from phoss_ap_driving import send, transmission

__all__ = ["HOOK_SECRET", "INVOICE", "PROCESS", "emptied", "opened", "send", "transmission"]

HOOK_SECRET = "hook:secret of ours"
INVOICE = (
    "busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:Invoice-2::Invoice##"
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::2.1"
)
PROCESS = "cenbii-procid-ubl::urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"


def opened(
    url: str, *, timeout: float = 5.0, most: int = 2**25, api_key: str = API_KEY, hooks: bool = False, **settings: Any
) -> AccessPoint:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=url, **{"legal_entity": LEGAL_ENTITY, "settle": 0, "timeout": timeout, **settings}),
        Secrets(api_key=api_key, hook_secret=HOOK_SECRET if hooks else None),
    )  # fmt: skip
    return plugin.open(config, Http(url, timeout=timeout, max_answer=most))


async def emptied(point: AccessPoint) -> tuple[list[Message], list[Report]]:
    """What waits, each page acknowledged before the next one is read."""
    messages: list[Message] = []
    reports: list[Report] = []
    cursor, more = None, True
    while more:
        page = await point.inbox(cursor)
        cursor, more = page.cursor, page.more
        messages += page.messages
        reports += page.reports
        for id in dict.fromkeys([*(one.id for one in page.messages), *(one.id for one in page.reports)]):
            await point.acknowledge(id)
    return messages, reports
