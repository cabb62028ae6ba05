"""What the stand-in's answers show, in the vendor's names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapters.access_points.phoss_ap.sandbox.forwarding import Handing
from adapters.access_points.sandbox import Transmission

ACTOR = "iso6523-actorid-upis::"
_STATUS = {
    "accepted": "pending",
    "sending": "sending",
    "waiting": "failed",
    "sent": "sent",
    "delivered": "sent",
    "refused": "sent",
    "failed": "permanently_failed",
}
_MLS = {"delivered": "received_ap", "refused": "received_re"}


def status(one: Transmission) -> dict[str, Any]:
    """A transaction as the status call shows it."""
    now, arrived, again = one.now(), one.arrived(), one.next("sending")
    return {
        "id": one.id,
        "transactionType": "business_document",
        "senderID": ACTOR + one.papers.sender,
        "receiverID": ACTOR + one.papers.receiver,
        "docTypeID": one.papers.document_type,
        "processID": one.papers.process,
        "sbdhInstanceID": one.instance,
        "status": _STATUS[now.state],
        "attemptCount": one.attempts(),
        "createdDT": java(one.created),
        "completedDT": java(arrived.at) if arrived else None,
        "reportingStatus": "reported" if arrived else "pending",
        "nextRetryDT": java(again.at) if now.state == "waiting" and again else None,
        # Of the last attempt that failed, and kept when a later one succeeds; what MLS says is not in it.
        "errorDetails": next((was.reason for was in reversed(one.past()) if was.state in {"waiting", "failed"}), None),
        "mlsStatus": "received_ab" if now.code == "AB" else _MLS.get(now.state, "pending"),
        **{name: one.said.get(name) for name in ("custom1", "custom2", "custom3")},
    }


def report(one: Transmission) -> tuple[int, dict[str, Any]]:
    """What submitting answers: the report of the first attempt, and whether that has gone well."""
    arrived, now = one.arrived(), one.now()
    said: dict[str, Any] = {
        "currentDateTimeUTC": java(datetime.now(UTC)),
        "phase4Version": "4.5.0",
        "smlDnsZone": "participant.sml.test.tech.peppol.org",
        "senderId": ACTOR + one.papers.sender,
        "receiverId": ACTOR + one.papers.receiver,
        "docTypeId": one.papers.document_type,
        "processId": one.papers.process,
        "sbdhInstanceIdentifier": one.instance,
        "countryC1": one.papers.country,
        "as4MessageId": f"{one.id}@phase4",
        "as4ConversationId": f"phase4@Conv{one.id[:8]}",
        "overallDurationMillis": 20,
    }
    if arrived:
        return 200, {**said, "sendingResult": "SUCCESS", "sendingSuccess": True, "overallSuccess": True}
    why = now.reason or next((one.reason for one in one.past() if one.reason), None)
    failed = {
        "sendingResult": "TRANSPORT_ERROR",
        "sendingException": {"class": "java.net.SocketTimeoutException", "message": why or "It is still being sent."},
        "sendingSuccess": False,
        "overallSuccess": False,
    }
    return 422, {**said, **failed}


def inbound(one: Handing) -> dict[str, Any]:
    """A received transaction."""
    on = one.message.papers
    return {
        "id": one.message.id,
        "senderID": ACTOR + on.sender,
        "receiverID": ACTOR + on.receiver,
        "docTypeID": on.document_type,
        "processID": on.process,
        "sbdhInstanceID": on.instance,
        "status": one.status,
        "attemptCount": len(one.answers),
        "receivedDT": java(one.message.came),
        "c4CountryCode": one.country,
        "errorDetails": one.error,
    }


def java(at: datetime) -> str:
    """A moment as Java prints it: nine decimals, or fewer."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
