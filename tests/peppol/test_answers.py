"""What comes back on our documents, and what we answer on those of others."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from company import NUMBER, ehf, sbd

from adapters.access_points.sandbox import Pace
from connector.ehf import read
from connector.peppol import envelope, responses
from connector.peppol.envelope import Envelope
from connector.peppol.identifiers import MESSAGE_LEVEL_STATUS, Participant
from connector.peppol.responses import Clarification
from connector.testing.samples import purchase

MLS = """<ApplicationResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:peppol:edec:mls:1.0</cbc:CustomizationID><cbc:ProfileID>urn:peppol:edec:mls</cbc:ProfileID>
<cbc:ID>{id}</cbc:ID><cbc:IssueDate>2027-01-16</cbc:IssueDate><cbc:IssueTime>10:00:00Z</cbc:IssueTime>
<cac:SenderParty><cbc:EndpointID schemeID="0242">000001</cbc:EndpointID></cac:SenderParty>
<cac:ReceiverParty><cbc:EndpointID schemeID="0242">000002</cbc:EndpointID></cac:ReceiverParty>
<cac:DocumentResponse><cac:Response><cbc:ResponseCode>{code}</cbc:ResponseCode></cac:Response>
<cac:DocumentReference><cbc:ID>{about}</cbc:ID></cac:DocumentReference>{lines}</cac:DocumentResponse>
</ApplicationResponse>"""
LINE = """<cac:LineResponse><cac:LineReference><cbc:LineID>NA</cbc:LineID></cac:LineReference><cac:Response>
<cbc:Description>{text}</cbc:Description><cac:Status><cbc:StatusReasonCode>{code}</cbc:StatusReasonCode></cac:Status>
</cac:Response></cac:LineResponse>"""


def answer(status: str, *reasons: str, hour: int = 10, of: bytes = b"", **parties: Any) -> bytes:
    """A buyer's answer to the invoice 1001."""
    said = responses.answer(
        read(of or ehf("1001"), direction="incoming"),
        status,
        id=str(uuid.uuid4()),
        at=datetime(2027, 1, 16, hour, tzinfo=UTC),
        clarifications=[Clarification.reason(code, "Ikke som avtalt.") for code in reasons],
    )
    return responses.write(said)


def status(about: str, code: str, *, lines: str = "", sender: str = "0242:000001") -> tuple[bytes, str]:
    """What the receiver's access point says of a transmission, in its envelope."""
    instance = str(uuid.uuid4())
    document = MLS.format(id=uuid.uuid4(), code=code, about=about, lines=lines).encode()
    on = Envelope(
        Participant.read(sender, in_use=False), Participant.read(f"0192:{NUMBER}"),
        MESSAGE_LEVEL_STATUS.document, MESSAGE_LEVEL_STATUS.process, instance, datetime.now(UTC), "NO",
    )  # fmt: skip
    return envelope.write(on, document), instance


async def say(fjord: Any, body: bytes) -> None:
    instance = str(uuid.uuid4())
    assert (await fjord.call(sbd(body, instance), instance)).status_code == 200
    await fjord.work()


async def test_a_rejection_is_told_and_ends_with_an_acceptance(founded: Any) -> None:
    async with founded() as fjord:
        id = await fjord.issue(ehf("1001"))
        await say(fjord, answer("RE", "PRI", hour=10))
        (item,) = await fjord.get("/v1/attention")
        assert (item["code"], item["document"]) == ("invoice-rejected", id)
        assert "PRI" in item["said"]
        assert "Ikke som avtalt" in item["said"]
        await say(fjord, answer("IP", hour=12))  # what only reports progress hides nothing
        assert await fjord.waits() == ["invoice-rejected"]
        await say(fjord, answer("AP", hour=9))  # said before the rejection, and come after it
        assert await fjord.waits() == ["invoice-rejected"]
        await say(fjord, answer("AP", hour=13))
        assert await fjord.waits() == []
        assert (await fjord.events(id)).count("invoice.response") == 4
        found = await fjord.get(f"/v1/documents/{id}/responses")
        assert [(one["status"], one["holds"]) for one in found] == [
            ("RE", False), ("IP", False), ("AP", False), ("AP", True),
        ]  # fmt: skip
        (way,) = await fjord.sends(id)
        assert way["state"] == "sent"


async def test_an_answer_counts_once_and_only_from_the_receiver(founded: Any) -> None:
    async with founded() as fjord:
        id = await fjord.issue(ehf("1001"))
        instance = str(uuid.uuid4())
        body = sbd(answer("RE", "QTY"), instance)
        for _ in range(2):
            await fjord.call(body, instance)
        await fjord.work()
        assert (await fjord.events(id)).count("invoice.response") == 1
        other = read(ehf("1001")).buyer.model_copy(
            update={"endpoint": read(purchase(NUMBER, "F")).seller.endpoint, "name": "En annen AS"}
        )
        await say(fjord, answer("AP", of=ehf("1001", buyer=other)))
        await say(fjord, answer("AP", of=ehf("4711")))
        assert sorted(await fjord.waits()) == ["invoice-rejected", "response-from-another", "response-unmatched"]
        assert (await fjord.events(id)).count("invoice.response") == 1


async def test_message_level_statuses_in_any_order(founded: Any) -> None:
    async with founded(pace=Pace(sent=0.0)) as fjord:
        id = await fjord.issue(ehf("1001"))
        (way,) = await fjord.sends(id)
        for code, lines in (("AB", ""), ("AB", ""), ("RE", LINE.format(code="FD", text="Mailbox full."))):
            body, instance = status(way["instance"], code, lines=lines)
            await fjord.call(body, instance)
        body, instance = status(str(uuid.uuid4()), "RE")  # of what was never sent
        await fjord.call(body, instance)
        body, instance = status(way["instance"], "RE", sender="0192:991825827")  # from somebody else
        await fjord.call(body, instance)
        await fjord.work()
        (way,) = await fjord.sends(id)
        assert way["state"] == "delivered"
        assert (await fjord.events(id)).count("invoice.delivered") == 1
        assert sorted(await fjord.waits()) == ["response-from-another", "response-unmatched", "status-contradicts"]


async def test_an_invoice_that_came_is_answered(founded: Any) -> None:
    async with founded() as fjord:
        instance = str(uuid.uuid4())
        await fjord.call(sbd(purchase(NUMBER, "F-1"), instance), instance)
        await fjord.work()
        (document,) = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        path = f"/v1/documents/{document['id']}/respond"
        wrong = await fjord.client.post(path, json={"status": "RE"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "reason-missing")
        for _ in range(2):  # the same answer again is one
            said = await fjord.client.post(
                path, json={"status": "RE", "reasons": [{"code": "PRI", "text": "For dyrt."}]}
            )
            assert said.status_code == 202, said.text
            await fjord.work()
        (sent,) = fjord.box.network.transmissions
        found = responses.read(sent.body)
        assert (found.status, found.about.id, found.reasons[0].text) == ("RE", "F-1", "For dyrt.")
        assert (sent.papers.sender, sent.papers.root) == (f"0192:{NUMBER}", "ApplicationResponse")
        (way,) = await fjord.sends(document["id"])
        assert (way["kind"], way["state"]) == ("invoice_response", "sent")
        assert "supplier_invoice.response_sent" in await fjord.events(document["id"])
