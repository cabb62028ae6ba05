"""What goes over the wire, written out from the vendor's endpoint table and held against no stand-in of ours: a bare
socket keeps the bytes that came and answers what it is told to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from phoss_ap_driving import opened, send

from connector.errors import NeedsPerson, Refused, UnknownOutcome, VendorError
from connector.ports import Reason, Transmission

INSTANCE = "550e8400-e29b-41d4-a716-446655440000"
DOCUMENT = '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">Blåbær</Invoice>'.encode()
SENT = Transmission(
    instance=INSTANCE,
    sender="0192:974760673",
    receiver="0192:923609016",
    document_type="busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:Invoice-2::Invoice##urn:cen.eu:en16931"
    ":2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::2.1",
    process="cenbii-procid-ubl::urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    country="NO",
    root="Invoice",
    number="F 1/2027",
    document=DOCUMENT,
    enveloped=lambda: b"<unused/>",
)
SUBMIT = (
    "/api/outbound/submit"
    "/iso6523-actorid-upis%3A%3A0192%3A974760673"
    "/iso6523-actorid-upis%3A%3A0192%3A923609016"
    "/busdox-docid-qns%3A%3Aurn%3Aoasis%3Anames%3Aspecification%3Aubl%3Aschema%3Axsd%3AInvoice-2%3A%3AInvoice"
    "%23%23urn%3Acen.eu%3Aen16931%3A2017%23compliant%23urn%3Afdc%3Apeppol.eu%3A2017%3Apoacc%3Abilling%3A3.0%3A%3A2.1"
    "/cenbii-procid-ubl%3A%3Aurn%3Afdc%3Apeppol.eu%3A2017%3Apoacc%3Abilling%3A01%3A1.0"
    f"/NO?sbdhInstanceID={INSTANCE}&custom1=c-send-1&custom2=F+1%2F2027"
)
STATUS = f"/api/outbound/status/{INSTANCE}?includeArchive=true"
UNKNOWN = (404, b"")
REFUSED = Reason("RE", "The receiver's access point does not hand it on. Why stands in its message (MLS), which whoever"
                 " runs phoss-ap can read.")  # fmt: skip


@dataclass
class Wire:
    """`came`: request lines with headers and body, as they came; `answers`: status and body, the last one for ever."""

    url: str = ""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.came.append((first, headers, await reader.readexactly(int(headers.get("content-length", "0")))))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    def say(self, *answers: tuple[int, Any]) -> None:
        self.came.clear()
        self.answers = [
            (status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in answers
        ]

    def lines(self) -> list[str]:
        return [first.removesuffix(" HTTP/1.1") for first, _, _ in self.came]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    it = Wire()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield it
    server.close()


async def test_a_document_is_submitted_as_the_table_says(wire: Wire) -> None:
    wire.say((200, {"sendingSuccess": True, "overallSuccess": True, "sbdhInstanceIdentifier": INSTANCE, "new": [1]}))
    proof = await send(opened(f"{wire.url}/", token="t0k3n"), SENT)
    assert (proof.id, proof.facts["state"]) == (INSTANCE, "sent")
    ((first, headers, body),) = wire.came
    assert first == f"POST {SUBMIT} HTTP/1.1"
    assert headers["x-token"] == "t0k3n"
    assert headers["content-type"] == "application/xml"
    assert body == DOCUMENT


@pytest.mark.parametrize(
    ("report", "state", "why"),
    [
        ({"sendingSuccess": True, "overallSuccess": False}, "sent", None),  # sent; only its own reporting failed
        ({"sendingSuccess": False, "overallSuccess": False, "sendingResult": "TRANSPORT_ERROR",
          "sendingException": {"class": "java.net.ConnectException", "message": "refused", "stackTrace": "…"}},
         "accepted", ("TRANSPORT_ERROR", "refused")),
        ({"sendingSuccess": False, "overallSuccess": False, "sendingResult": "AS4_ERROR_MESSAGE_RECEIVED",
          "as4ResponseErrors": [{"errorCode": "EBMS:0301", "errorDetails": "PEPPOL:NOT_SERVICED"}]},
         "accepted", ("EBMS:0301", "PEPPOL:NOT_SERVICED")),
        ({"sendingSuccess": False, "overallSuccess": False, "lookupError": "not registered"},
         "accepted", ("LOOKUP_ERROR", "not registered")),
        ({"overallSuccess": False, "sendingSuccess": None, "as4ResponseErrors": "?"}, "accepted", None),
    ],
)  # fmt: skip
async def test_422_with_a_report_is_taken_and_never_submitted_again(
    wire: Wire, report: dict[str, Any], state: str, why: tuple[str, str] | None
) -> None:
    wire.say((422, report))
    proof = await send(opened(wire.url), SENT)
    assert (proof.id, proof.facts["state"]) == (INSTANCE, state)
    assert proof.facts.get("reasons", []) == ([] if why is None else [{"code": why[0], "text": why[1]}])
    assert wire.lines() == [f"POST {SUBMIT}"]


async def test_422_without_a_report_is_asked_about(wire: Wire) -> None:
    wire.say((422, "Failed to submit outbound transaction"), (200, {"status": "pending", "sbdhInstanceID": INSTANCE}))
    assert (await send(opened(wire.url), SENT)).facts["state"] == "accepted"
    assert wire.lines() == [f"POST {SUBMIT}", f"GET {STATUS}"]

    wire.say((422, "Failed to submit outbound transaction"), UNKNOWN)
    with pytest.raises(Refused) as refused:
        await send(opened(wire.url), SENT)
    assert refused.value.said_by_vendor == "Failed to submit outbound transaction"
    assert wire.lines() == [f"POST {SUBMIT}", *[f"GET {STATUS}"] * 3]

    wire.say((422, {"outcome": {"issues": [{"ruleID": "BR-16"}]}}), UNKNOWN)
    with pytest.raises(Refused) as refused:
        await send(opened(wire.url), SENT)
    assert "BR-16" in (refused.value.said_by_vendor or "")


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, '"Failed to parse the receiving participant ID"', Refused, "vendor-validation"),
        (400, "<html>Bad Request</html>", Refused, "vendor-validation"),
        (401, '{"error":"no"}', NeedsPerson, "sign-in"),
        (403, "", NeedsPerson, "access-lost"),
        (404, "", NeedsPerson, "sending-off"),
        (413, "", Refused, "document-too-large"),
        (302, "", NeedsPerson, "address-wrong"),
        (405, "", NeedsPerson, "address-wrong"),
        (415, "", Refused, "refused"),
    ],
)
async def test_what_other_answers_mean(wire: Wire, status: int, body: str, error: type[VendorError], code: str) -> None:
    wire.say((status, body.encode()))
    with pytest.raises(error) as wrong:
        await send(opened(wire.url), SENT)
    assert (type(wrong.value), wrong.value.code, wrong.value.status) == (error, code, status)
    assert wire.lines() == [f"POST {SUBMIT}"]


@pytest.mark.parametrize(
    "answer", [(500, b""), (503, b"down"), (408, b""), (200, b"<html>"), (200, b'"ok"'), (200, b"")]
)
async def test_what_is_no_answer_is_looked_for(wire: Wire, answer: tuple[int, bytes]) -> None:
    wire.say(answer, (200, {"status": "sending"}))
    (step,) = opened(wire.url).flow(SENT)
    proof = await send(opened(wire.url), SENT)
    assert (proof.id, proof.facts["state"], proof.facts["said"]) == (INSTANCE, "accepted", "sending")
    assert wire.lines() == [f"POST {SUBMIT}", f"GET {STATUS}"]
    assert (step.name, step.speaks_for, step.look is not None) == ("submit", 1, True)


@pytest.mark.parametrize(
    ("said", "state", "word", "reasons", "at"),
    [
        ({"status": "pending", "createdDT": "2027-03-27T14:30Z"}, "accepted", "pending", [], "2027-03-27T14:30"),
        ({"status": "sending", "mlsStatus": None}, "accepted", "sending", [], None),
        ({"status": "failed", "errorDetails": "timed out", "nextRetryDT": "2027-03-27T14:33:00Z"},
         "accepted", "failed", [Reason("failed", "timed out")], None),
        ({"status": "sent", "mlsStatus": "pending", "completedDT": "2027-03-27T14:30:05.123456789Z"},
         "sent", "sent", [], "2027-03-27T14:30:05.123456"),
        ({"status": "sent", "mlsStatus": "not_applicable", "completedDT": "2027-03-27T15:30:05+01:00"},
         "sent", "sent", [], "2027-03-27T14:30:05"),
        ({"status": "sent", "completedDT": "2027-03-27T14:30:05"}, "sent", "sent", [], "2027-03-27T14:30:05"),
        ({"status": "sent", "mlsStatus": "received_ap"}, "delivered", "received_ap", [], None),
        ({"status": "sent", "mlsStatus": "received_ab"}, "delivered", "received_ab", [], None),
        ({"status": "sent", "mlsStatus": "received_re", "errorDetails": "of an attempt before"},
         "refused", "received_re", [REFUSED], None),
        ({"status": "rejected", "errorDetails": "BR-16"}, "failed", "rejected", [Reason("rejected", "BR-16")], None),
        ({"status": "permanently_failed"}, "failed", "permanently_failed",
         [Reason("permanently_failed", "phoss-ap does not tell why.")], None),
        ({"status": "something new", "attemptCount": "many", "createdDT": 7}, "accepted", "something new", [], None),
    ],
)  # fmt: skip
async def test_every_status(
    wire: Wire, said: dict[str, Any], state: str, word: str, reasons: list[Reason], at: str | None
) -> None:
    wire.say((200, said))
    status = await opened(wire.url).status(INSTANCE, INSTANCE)
    assert status is not None
    assert (status.state, status.said, list(status.reasons)) == (state, word, reasons)
    assert status.at == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None)
    assert wire.lines() == [f"GET {STATUS}"]


async def test_a_404_is_no_status_and_anothers_page_is_no_404(wire: Wire) -> None:
    wire.say(UNKNOWN)
    assert await opened(wire.url).status(INSTANCE, INSTANCE) is None
    wire.say((404, b"\n<html>nginx</html>"))
    with pytest.raises(NeedsPerson) as elsewhere:
        await opened(wire.url).status(INSTANCE, INSTANCE)
    assert elsewhere.value.code == "address-wrong"
    wire.say((200, {"id": "x"}))
    with pytest.raises(VendorError) as garbled:
        await opened(wire.url).status(INSTANCE, INSTANCE)
    assert garbled.value.code == "vendor-answer"
    assert not isinstance(garbled.value, UnknownOutcome)


async def test_the_probe(wire: Wire) -> None:
    management = {"build.version": "0.14.2", "peppol.stage": "prod", "peppol.owner.seatid": "POP000306",
                  "peppol.sending.enabled": True, "peppol.receiving.enabled": False, "forwarding.mode": "s3_link",
                  "dns.config.servers": ["x"]}  # fmt: skip
    wire.say((200, []), (200, management))
    probe = await opened(wire.url).probe()
    assert wire.lines() == ["GET /api/outbound/in-transmission", "GET /management/status"]
    assert (probe.company, probe.organisation_number) == ("phoss-ap 0.14.2 prod network POP000306", None)
    assert ["peppol.receiving.enabled" in probe.missing[0], "s3_link" in probe.missing[1]] == [True, True]
    for quiet in ((200, {"status.enabled": False}), (404, b"")):
        wire.say((200, []), quiet)
        assert not (await opened(wire.url).probe()).missing
