"""Opens the driver on a stand-in; what it is driven with is what every access point is."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.access_points.maventa import Secrets, Settings, plugin
from adapters.access_points.maventa.sandbox import API_KEY, COMPANY, VENDOR_API_KEY
from connector.http import Http
from connector.ports import AccessPoint, ConnectionConfig, Message, Transmission

sys.path.append(str(Path(__file__).parents[1] / "phoss_ap"))
from phoss_ap_driving import send, transmission

__all__ = ["HOOK_SECRET", "everything", "opened", "response", "send", "transmission"]

HOOK_SECRET = "hook/secret of ours"


def opened(
    url: str, *, timeout: float = 5.0, most: int = 2**25, api_key: str = API_KEY, hooks: bool = False, **settings: Any
) -> AccessPoint:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=url, **{"company": COMPANY, "settle": 0, "timeout": timeout, **settings}),
        Secrets(api_key=api_key, vendor_api_key=VENDOR_API_KEY, hook_secret=HOOK_SECRET if hooks else None),
    )  # fmt: skip
    return plugin.open(config, Http(url, timeout=timeout, max_answer=most))


def response() -> Transmission:
    """An answer to an invoice."""
    ubl = "urn:oasis:names:specification:ubl:schema:xsd"
    body = (
        f'<ApplicationResponse xmlns="{ubl}:ApplicationResponse-2" xmlns:cbc="{ubl}:CommonBasicComponents-2">'
        "<cbc:ID>r-1</cbc:ID></ApplicationResponse>"
    ).encode()
    kind = "ApplicationResponse-2::ApplicationResponse##urn:fdc:peppol.eu:poacc:trns:invoice_response:3::2.1"
    return replace(
        transmission(),
        document_type=f"busdox-docid-qns::{ubl}:{kind}",
        process="cenbii-procid-ubl::urn:fdc:peppol.eu:poacc:bis:invoice_response:3",
        root="ApplicationResponse", number=None, document=body, enveloped=lambda: body,
    )  # fmt: skip


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
