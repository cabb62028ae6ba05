"""What the stand-in shows: invoices and documents, sent and received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.access_points.maventa.wire import moment
from adapters.access_points.sandbox import Incoming, Transmission

RESPONSE = "ApplicationResponse"
"""Root of what goes and comes as a document and not as an invoice."""
_STATUS: Mapping[str, str] = {"sent": "DELIVERED", "delivered": "DELIVERED", "refused": "FAILED", "failed": "FAILED"}
_DOCUMENT: Mapping[str, str] = {**_STATUS, "delivered": "CONFIRMED_DELIVERY"}


def sent_invoice(one: Transmission) -> dict[str, Any]:
    """An invoice of the company's own."""
    on = one.papers
    return {
        "id": one.id,
        "status": _STATUS.get(one.now().state, "PENDING"),
        "number": on.number,
        "sender": {"eia": on.sender, "bid": on.sender.partition(":")[2], "country": "NO"},
        "recipient": {"eia": on.receiver, "bid": on.receiver.partition(":")[2], "operator": "PEPPOL"},
        "created_at": moment(one.created),
        "source_format": "PEPPOLBIS30",
        "currency": "NOK",
        "destination": "EINVOICE",
        "files": [],
    }


def actions(one: Transmission) -> list[dict[str, Any]]:
    """What has happened to it so far."""
    said = [_action("CREATED", one.created, None)]
    for at in one.past():
        if at.state == "sending":
            said.append(_action("SENT", at.at, None))
        elif at.state == "sent":
            said.append(_action("DELIVERED", at.at, None))
        elif at.state in {"waiting", "refused", "failed"}:
            said.append(_action("INFO" if at.state == "waiting" else "ERROR", at.at, at.reason))
    return said


def _action(kind: str, at: Any, message: str | None) -> dict[str, Any]:
    return {"type": kind, "channel": "EINVOICE", "message": message, "happened_at": moment(at)}


def sent_document(one: Transmission) -> dict[str, Any]:
    """An invoice response of the company's own."""
    now, arrived = one.now(), one.arrived()
    return {
        "id": one.id,
        "type": "INVOICE_RESPONSE",
        "status": _DOCUMENT.get(now.state, "PROCESSING"),
        "transmission_id": one.said["key"],
        "sender": {"eia": one.papers.sender},
        "recipient": {"eia": one.papers.receiver, "operator": "PEPPOL"},
        "created_at": moment(one.created),
        "delivered_at": None if arrived is None else moment(arrived.at),
        "last_event": {
            "code": now.code or now.state.upper(),
            "message": now.reason or now.state,
            "created_at": moment(now.at),
        },
    }


def received_invoice(one: Incoming) -> dict[str, Any]:
    """An invoice that somebody sent to the company."""
    on = one.papers
    return {
        "id": one.id,
        "status": "DELIVERED",
        "number": on.number,
        "sender": {"eia": on.sender},
        "recipient": {"eia": on.receiver},
        "received_at": moment(one.came),
        "created_at": moment(one.came),
        "source_format": "PEPPOLBIS30",
        "currency": "NOK",
        "origin": "EXTERNAL",
        "files": [
            {"id": f"{one.id}-file", "filename": "invoice.xml", "mimetype": "application/xml", "type": "ORIGINAL"}
        ],
    }


def received_document(one: Incoming) -> dict[str, Any]:
    """An invoice response that a buyer sent to the company."""
    return {
        "id": one.id,
        "type": "INVOICE_RESPONSE" if one.papers.root == RESPONSE else "ORDER",
        "status": "CONFIRMED_DELIVERY" if one.handled else "DELIVERED",
        "sender": {"eia": one.papers.sender},
        "recipient": {"eia": one.papers.receiver},
        "created_at": moment(one.came),
        "received_at": moment(one.came),
    }
