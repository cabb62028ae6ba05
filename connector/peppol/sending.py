"""Sending: validate, look up, put into the envelope, hand to an access point; once, whatever happens on the way.

The intention is written down with the document (`begin`), with the instance that stands on its envelope. What is sent
are the bytes the document was issued with; of a document that a ledger has numbered, the EHF that is made of it, kept
before it is sent so that a second try is the same to the byte. The rest is the way of every effect: an attempt is
written down before its call, and an answer that was lost is looked for (`connector.lanes.effects`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from connector.ehf import validate, write
from connector.errors import BadInput, ConnectorError, Stop, TryLater
from connector.lanes import Nothing, Turn, Work
from connector.lanes import following as operations
from connector.model import CreditNote, Invoice
from connector.peppol import envelope, following, looking_up, statuses
from connector.peppol.envelope import Envelope
from connector.peppol.points import Handler, Point, Points
from connector.ports import Goal, Kind, Proof, Reason, Status, Step, Transmission
from connector.store import Store, Tx, documents, links, transmissions, work
from connector.store.documents import Document
from connector.store.transmissions import WAITING

SEND: Final = "send-peppol"
"""Kind of the work that hands a document to an access point."""
RESPONSE: Final = "invoice_response"
"""Kind of a transmission that is our answer to an incoming invoice."""
_T = TypeVar("_T")
_LARGE: Final = 64 * 1024
"""Bytes up to which a document is judged in less than a millisecond; another thread costs as much."""
_XML = ("application/xml", "text/xml")


# --- who wants something sent -----------------------------------------------------------------------------------------


def begin(
    tx: Tx,
    points: Points,
    document: Document,
    *,
    kind: str | None = None,
    body: bytes | None = None,
    person: bool = False,
) -> transmissions.Transmission | None:
    """Have a document sent; None where it is on its way already, or has arrived.

    Args:
        kind: what is sent, where it is not the document itself (`RESPONSE`).
        body: what is sent, where it is not what the document was issued with.
        person: somebody waits for it.

    Raises:
        Stop: `access-point-missing`: the tenant's file names none.
    """
    kind = kind or document.kind
    earlier = transmissions.of_document(tx, document.tenant, document.id)
    if kind != RESPONSE and any(one.kind == kind and one.state not in transmissions.UNDELIVERED for one in earlier):
        return None
    there = points.points(document.tenant)
    if not there:
        raise no_way(points, document)
    planned = transmissions.plan(
        tx, tenant=document.tenant, document=document.id, kind=kind, number=document.number, body=body
    )
    hand(tx, there[0], planned, person=person)
    return planned


def hand(tx: Tx, point: Point, planned: transmissions.Transmission, *, person: bool = False) -> str:
    """Have one access point try it. The work that does."""
    transmissions.change(tx, planned, connection=point.id)
    return work.submit(
        tx,
        tenant=planned.tenant,
        lane=point.lane,
        turn=Turn.PERSON if person else Turn.EFFECT,
        kind=SEND,
        connection=point.id,
        document=planned.document,
        subject=f"peppol/{planned.document}",
        task={"transmission": planned.id},
    )


def no_way(points: Points, document: Document) -> Stop:
    """Why nothing can be sent: there is no access point."""
    tenant = points.tenant(document.tenant)
    return Stop(
        f"{document.number or 'The document'} is to be sent, and the file of {tenant.name} names no access point.",
        code="access-point-missing",
        do="Name one under `access_points:`, start the service again, and send it: connector documents send ID.",
        where={"document": document.id, "file": tenant.file},
    )


# --- how it is done ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store says of a transmission and its document."""

    there: transmissions.Transmission
    document: Document
    original: bytes | None
    sent_by: str | None

    @property
    def size(self) -> int:
        """Bytes of it; where they are still to be made, as if it were large: nobody knows what is attached."""
        return len(self.there.body or self.original or b"") or _LARGE + 1


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is sent, whether it was made just now, and what stands on its envelope."""

    data: bytes
    made: bool
    header: Envelope
    number: str | None


class Send(Handler):
    """Hands one document to one access point (`lanes.EffectHandler`)."""

    def __init__(self, store: Store, points: Points) -> None:
        super().__init__(store, points)
        self._ready: dict[str, _Ready] = {}
        """By work: what was decided upon a moment ago, and need not be read and made again for its steps."""

    async def decide(self, work: Work) -> Goal | Nothing:
        """What shall be sent: the bytes, judged; the addresses; whether the receiver takes it, as it is known.

        Raises:
            Stop: `ehf-invalid`, `receiver-cannot-take`, `document-too-large`: a person decides.
            BadInput: the document does not say where it goes (`envelope-unaddressed` …).
            TryLater: the receiver is being looked up.
        """
        point = self.points.point(work.connection or "")
        read = await self.store.read(lambda tx: self._read(tx, work))
        if read.there.state != WAITING:
            return Nothing("It is on its way already.")
        if read.sent_by is not None and read.there.kind != RESPONSE:
            await self.store.write(lambda tx: transmissions.change(tx, read.there, state="withdrawn"))
            return Nothing(f"{read.sent_by} has sent it itself.")
        ready = await _aside(read.size, partial(_ready, self._issued_elsewhere(read), read))
        data, header = ready.data, ready.header
        largest = point.access_point.largest
        if largest is not None and len(data) > largest:
            raise Stop(
                f"It has {len(data) // 1024} kB; {point.name} takes at most {largest // 1024} kB.",
                code="document-too-large",
                do="Send it with smaller attachments, or through another access point.",
            )
        await self._look_up(point, header, work)
        if ready.made:  # kept before anything is sent: whatever changes here, a second try is the same to the byte
            await self.store.write(lambda tx: transmissions.change(tx, read.there, body=data))
        record = {
            "transmission": read.there.id,
            "instance": header.instance,
            "sender": header.sender.value,
            "receiver": header.receiver.value,
            "document_type": str(header.document),
            "process": str(header.process),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        self._ready[work.id] = ready
        return Goal(Kind(read.document.kind), "send", f"t-{read.there.id[:28]}", record)

    def answers(self, work: Work) -> Sequence[str]:
        """Nothing beside the usual verbs."""
        return ()

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The access point's steps, with the very bytes that were decided upon.

        Raises:
            Stop: `transmission-changed`: they are not what they were.
        """
        point = self.points.point(work.connection or "")
        if (ready := self._ready.pop(work.id, None)) is None:
            read = await self.store.read(lambda tx: self._read(tx, work))
            ready = await _aside(read.size, partial(_ready, self._issued_elsewhere(read), read, judged=True))
        return point.access_point.flow(await _aside(len(ready.data), partial(_transmission, ready, goal.record)))

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """It is at the access point: follow what becomes of it."""
        point = self.points.point(work.connection or "")
        proof = list(proofs.values())[-1]
        facts: dict[str, Any] = {}
        for one in proofs.values():
            facts.update(one.facts)
        there = transmissions.get(tx, work.tenant, work.task["transmission"])
        receiver = work.goal.record["receiver"] if work.goal else None
        where = {"vendor_id": proof.id, "receiver": receiver, "connection": point.id}
        state = facts.get("state", "accepted")
        reasons = tuple(Reason(**one) for one in facts.get("reasons", ()))
        status = Status(state, str(facts.get("said") or state), reasons)
        if not statuses.news(tx, self.points, there, status, by=point, **where):
            transmissions.change(tx, there, **where)
        following.follow(tx, point, there)
        operations.done(tx, work, {"document": work.document, "transmission": there.id, "access_point": point.name})

    # ---

    def _read(self, tx: Tx, work: Work) -> _Read:
        there = transmissions.get(tx, work.tenant, work.task["transmission"])
        document = documents.get(tx, work.tenant, there.document)
        kept = documents.original(tx, work.tenant, there.document)
        sent = (link.connection for link in links.all_of(tx, document.id) if link.dispatch == "sent")
        original = kept[0] if kept is not None and kept[1] in _XML else None
        return _Read(there, document, original, next(sent, None))

    def _issued_elsewhere(self, read: _Read) -> bool:
        return _comes_numbered(self.points, read.document)

    async def _look_up(self, point: Point, header: Envelope, work: Work) -> None:
        """Whether the receiver takes it, as far as it is known. Raises `Stop` where it does not, `TryLater` while that
        is being found out.
        """
        if self.points.lookups is None and not point.access_point.looks_up:
            return
        service = looking_up.service_of(header.document, header.process)
        answer = await looking_up.known(self.store, self.points, point, header.receiver, service)
        if answer is None:
            await self.store.write(partial(looking_up.ask, points=self.points, point=point,
                                           participant=header.receiver, service=service))  # fmt: skip
            raise TryLater(
                f"{header.receiver} is being looked up.", code="looking-up", after=min(0.25 * 2.0**work.tries, 300.0)
            )
        if answer.can == "no":
            raise Stop(answer.said, code="receiver-cannot-take", do=answer.do, details=answer.as_json())


def sent(tx: Tx, points: Points, document: Document, there: transmissions.Transmission) -> bytes | None:
    """The bytes of a transmission; None where they are still to be made."""
    if there.body is not None:
        return there.body
    kept = documents.original(tx, document.tenant, document.id) if _comes_numbered(points, document) else None
    return kept[0] if kept is not None and kept[1] in _XML else None


def _comes_numbered(points: Points, document: Document) -> bool:
    """Whether a document came with its number, so that its own bytes are what is sent."""
    route = points.tenant(document.tenant).routes.get(document.source or "")
    return route is not None and route.numbered


def invalid(data: bytes) -> ConnectorError | None:
    """Why a document may not be sent: every official rule that it breaks; None where it breaks none.

    Access points judge by the same rules and refuse it later, with less to say.
    """
    try:
        found = [finding.as_json() for finding in validate(data).fatal]
    except BadInput as error:
        return error
    if not found:
        return None
    first = found[0]
    return Stop(
        f"It breaks {len(found)} of the rules, the first {first['rule']}: {first['message']['en']}",
        code="ehf-invalid",
        do="Mend it where it was issued and send what was mended: connector documents send ID --with FILE. Nothing"
        " has been sent.",
        details=found,
    )


def _bytes(issued_elsewhere: bool, read: _Read) -> tuple[bytes, bool]:
    """What is sent, and whether it was made just now."""
    if read.there.body is not None:
        return read.there.body, False
    if issued_elsewhere and read.original is not None:
        return read.original, False
    model = (CreditNote if read.document.kind == Kind.CREDIT_NOTE else Invoice).model_validate(read.document.body)
    return write(model), True


async def _aside(size: int, does: Callable[[], _T]) -> _T:
    """Work on so many bytes; in a thread where it would hold up everybody else."""
    return await asyncio.to_thread(does) if size > _LARGE else does()


def _ready(issued_elsewhere: bool, read: _Read, *, judged: bool = False) -> _Ready:
    """The bytes and the addresses; raises what is wrong with them. `judged`: the rules are not asked any more."""
    data, made = _bytes(issued_elsewhere, read)
    if not judged and read.there.kind != RESPONSE and (wrong := invalid(data)) is not None:
        raise wrong.at(document=read.document.id)
    header = envelope.address(data, instance=read.there.instance, created=read.there.created)
    return _Ready(data, made, header, read.document.number)


def _transmission(ready: _Ready, said: Mapping[str, Any]) -> Transmission:
    if hashlib.sha256(ready.data).hexdigest() != said["sha256"]:
        raise Stop(
            "What would be sent now is not what was decided upon.",
            code="transmission-changed",
            do="Find out at the access point whether it has arrived; then: happened, or cancel and send it anew.",
        )
    header = ready.header
    return Transmission(
        instance=header.instance,
        sender=header.sender.value,
        receiver=header.receiver.value,
        document_type=str(header.document),
        process=str(header.process),
        country=header.country or "NO",
        root=header.document.root,
        number=ready.number,
        document=ready.data,
        enveloped=partial(envelope.write, header, ready.data),
    )
