"""Looking receivers up, in a lane of its own: who sends takes what is known, and never waits for a name server.

`known` answers from what is kept; what is not kept is asked for (`ask`), by the house itself or, where it does not look
up, by the access point.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.errors import TryLater
from connector.lanes import Found, Turn, Work
from connector.peppol.discovery import Answer, Can
from connector.peppol.identifiers import SERVICES, DocumentType, Participant, Process, Service
from connector.peppol.kept import Kept
from connector.peppol.points import Handler, Point, Points
from connector.ports import Lane
from connector.store import Store, Tx, work

LOOK_UP = "peppol-look-up"
"""Kind of the work that looks a receiver up."""
LANE = Lane("peppol look-ups", width=16)
"""Nobody counts look-ups: they only must not be too many at once."""


def service_of(document: DocumentType, process: Process) -> Service:
    """The service of a document type in a process, by the name that people call it."""
    known = (one for one in SERVICES if one.document == document and one.process == process)
    return next(known, None) or Service(document.root, document, process)


def zone(points: Points, point: Point) -> str:
    """Where what is known is kept: by the zone that was asked, or the access point."""
    return points.lookups.zone if points.lookups is not None else f"access point {point.id}"


async def known(
    store: Store, points: Points, point: Point, participant: Participant, service: Service
) -> Answer | None:
    """What is kept about a receiver and still believed; None: it must be asked for."""
    return await Kept(store, zone(points, point)).get(participant, service)


def ask(tx: Tx, points: Points, point: Point, participant: Participant, service: Service) -> str:
    """Have a receiver looked up. Asked again while that waits, it is one."""
    own = points.lookups is not None
    question = f"{zone(points, point)} {participant} {service.document} {service.process}"
    return work.submit(
        tx,
        tenant=point.tenant,
        lane=LANE.key if own else point.lane,
        turn=Turn.EFFECT,
        role="read",
        kind=LOOK_UP,
        task={
            "point": point.id,
            "participant": str(participant),
            "document": service.document.value,
            "process": service.process.value,
        },
        coalesce=question,
    )


class LookUp(Handler):
    """Looks one receiver up and keeps the answer (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """Raises `TryLater` with the reason where it is not known now."""
        said = work.task
        point = self.points.point(said["point"])
        participant = Participant.read(said["participant"])
        service = service_of(DocumentType(said["document"]), Process(said["process"]))
        if self.points.lookups is not None:
            answer = await self.points.lookups.can_take(participant, service)
            if answer.can == "unknown":
                raise TryLater(answer.said, code=answer.code, do=answer.do)
            return Found(lambda tx: None)
        there = Kept(self.store, zone(self.points, point))
        if await there.get(participant, service) is None:
            takes = await point.access_point.takes(participant.value, str(service.document), str(service.process))
            await there.put(_told(point, participant, service, takes))
        return Found(lambda tx: None)


_BELIEVED = {True: timedelta(hours=24), False: timedelta(hours=1), None: timedelta(hours=1)}


def _told(point: Point, participant: Participant, service: Service, takes: bool | None) -> Answer:
    """An access point's answer, as one of ours."""
    now = datetime.now(UTC)
    can, code, said = _WORDS[takes]
    return Answer(
        participant,
        service,
        can,
        code,
        said.format(point=point.name, receiver=participant, what=service.title),
        now,
        now + _BELIEVED[takes],
        do="" if takes is not False else "Reach the receiver another way, or ask it to have itself registered.",
    )


_WORDS: dict[bool | None, tuple[Can, str, str]] = {
    True: ("yes", "takes", "{point} says that {receiver} takes {what}."),
    False: ("no", "document-type-not-taken", "{point} says that {receiver} does not take {what}."),
    None: ("unknown", "not-told", "{point} does not say whether {receiver} takes {what}; it finds out when it sends."),
}
