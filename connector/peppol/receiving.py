"""Receiving: what an access point hands over is kept as it came, and then finds its way by its type and its owner.

Two doors, one way: an access point calls us (`hear`), or its inbox is read (`Collect`). Both keep every message as an
arrival under its own id before anything is acknowledged; one that comes again is the same one. In its turn
(`take_message`) the envelope is opened: an invoice goes to where the company's incoming invoices go, a self-billed one
to its sales, a response to the document it speaks of. What is none of these, is not for this company, or cannot be
read, waits for a person as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from lxml import etree

from connector.ehf.xml import parse
from connector.errors import BadInput, Clash, ConnectorError, NeedsPerson, Refused, Stop
from connector.lanes import Arrival, Found, Turn, Work
from connector.mapping import Tenant
from connector.model.invoice import SELF_BILLING
from connector.model.json import dumps, loads
from connector.peppol import answers, envelope, following, statuses
from connector.peppol.envelope import SBDH
from connector.peppol.identifiers import Participant
from connector.peppol.points import Handler, Point, Points
from connector.ports import Message, Report, Told, Unread
from connector.store import Tx, arrivals, attention, connections, documents, transmissions, work

MESSAGE: Final = "peppol-message"
"""Kind of arrivals that are messages as an access point hands them over."""
COLLECT: Final = "collect-peppol"
"""Kind of the work that reads an inbox; and the name under which it is kept how far."""
KEEP: Final = "callbacks"
"""Kind of the work that looks after an access point's calls to us; and the name under which their state is kept."""
UNREAD: Final = "message-unread"
"""Code of what waits in an inbox and cannot be taken."""
EVERY: Final = timedelta(minutes=15)
"""How often those are looked after."""
_INVOICES: Final = ("Invoice", "CreditNote")


# --- the doors --------------------------------------------------------------------------------------------------------


def addressee(points: Points, point: Point, message: Message) -> Point | None:
    """Whose access point a message has come through: where several of our tenants share one, it is the receiver's.
    None: it is for somebody who is none of them.
    """
    receiver = message.receiver or envelope.addressee(message.body)
    if receiver is None or _is_for(points.tenant(point.tenant), receiver):
        return point
    sharing = ((one, points.tenant(one.tenant)) for one in points.points() if one.lane == point.lane)
    named = (one for one, tenant in sharing if tenant.organisation_number and _is_for(tenant, receiver))
    return next(named, None)


def arrive(tx: Tx, points: Points, point: Point, message: Message) -> str:
    """Keep a message as it came; the same message again is the same arrival. Its id.

    One that comes under the id of another with other bytes is kept, too, and a person is asked; so is one that is for
    somebody else.
    """
    point = addressee(points, point, message) or point
    said = {"message": message.id, "instance": message.instance, "sender": message.sender, "receiver": message.receiver}
    key = f"{MESSAGE}/{message.instance or message.id}"
    more: dict[str, Any] = {"tenant": point.tenant, "source": point.id, "kind": MESSAGE, "body": message.body}
    more["content_type"] = message.content_type
    try:
        return arrivals.arrive(tx, key=key, headers=said, **more)[0]
    except Clash:
        other = hashlib.sha256(message.body).hexdigest()[:16]
        return arrivals.arrive(tx, key=f"{key}/{other}", headers=said | {"differs": True}, **more)[0]


def admit(points: Points, point: Point, told: Told) -> None:
    """Refuse at the door what is for somebody else: our answer would tell the network that it has arrived.

    Raises:
        Stop: `message-for-another`; the access point may try again, for somebody may yet set right where it calls.
    """
    for message in told.messages:
        if addressee(points, point, message) is None:
            raise _for_another(points.tenant(point.tenant), message.receiver or envelope.addressee(message.body))


def refused(tx: Tx, point: Point, reason: ConnectorError) -> None:
    """Tell a person that a call came which was not taken: one question, however many come."""
    place = {"connection": point.name}
    asked = Stop(
        f"A call to the address of {point.name} was refused: {reason.said}",
        code=reason.code,
        do=reason.do or "See whether the access point is set up as its documentation says.",
        where=place,
    )
    attention.ask(
        tx, tenant=point.tenant, about=f"hook:{point.id}", reason=asked, verbs=("ignore",), connection=point.id
    )


def take_told(tx: Tx, points: Points, point: Point, told: Told) -> None:
    """Keep what an access point's call brings, and have looked at what it hints at."""
    for message in told.messages:
        arrive(tx, points, point, message)
    if told.inbox:
        collect(tx, point)
    for report in told.reports:
        take_report(tx, points, point, report)
    for id in told.transmissions:
        there = transmissions.by_vendor_id(tx, point.id, id) or transmissions.by_instance(tx, id)
        if there is not None and there.connection == point.id:  # of what was never sent nothing is looked at
            following.look(tx, point, there)


def take_report(tx: Tx, points: Points, point: Point, report: Report) -> None:
    """Keep what an access point tells of a transmission. Where companies share an account, each may be told of what the
    others have sent; of what none of them has sent nothing is kept.
    """
    id = report.transmission
    there = transmissions.by_vendor_id(tx, point.id, id) or transmissions.by_instance(tx, id)
    sharing = (one for one in points.points() if one.lane == point.lane)
    by = next((one for one in sharing if there is not None and one.id == there.connection), None)
    if there is None or by is None:
        return
    status = report.status
    if status.state == "failed" and there.state == "sent":  # the receiver's access point has it
        status = replace(status, state="refused")
    statuses.take(tx, points, there, status, by=by)
    if report.answer is not None:
        document = documents.get(tx, there.tenant, there.document)
        key = f"{by.id}/{report.id}"
        answers.take_word(tx, points, points.tenant(there.tenant), document, report.answer, key=key)


def collect(tx: Tx, point: Point) -> str | None:
    """Have the inbox read now; None where the access point has none."""
    if point.access_point.inbox_every is None:
        return None
    return work.submit(
        tx,
        tenant=point.tenant,
        lane=point.lane,
        turn=Turn.POLL,
        kind=COLLECT,
        connection=point.id,
        coalesce=f"{COLLECT}:{point.id}",
    )


def _tell_unread(tx: Tx, point: Point, unread: Sequence[Unread], *, whole: bool) -> None:
    """Tell a person what waits in an inbox and cannot be taken: one question for each, until it is gone.
    `whole`: these are all.
    """
    seen = set()
    for one in unread:
        about = f"unread:{point.id}:{hashlib.sha256(one.id.encode()).hexdigest()[:16]}"
        reason = Stop(
            f"{one.id} waits at {point.name} and cannot be taken: {one.error.said}",
            code=UNREAD,
            do=one.error.do,
            where={"connection": point.name, "message": one.id},
            details={"code": one.error.code},
        )
        seen.add(about)
        if not attention.ignored(tx, tenant=point.tenant, about=about, reason=reason):
            attention.ask(tx, tenant=point.tenant, about=about, reason=reason, verbs=("ignore",), connection=point.id)
    for about in attention.open_of(tx, point.id, UNREAD) - seen if whole else ():
        attention.close(tx, about, who="connector", how="mended")


class Collect(Handler):
    """Reads a page of an inbox; acknowledges what the page before brought, which is on disk (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """Acknowledge, then read on."""
        point = self.points.point(work.connection or "")
        kept = await self.store.read(lambda tx: loads(connections.cursor(tx, point.id, COLLECT) or "{}"))
        for id in kept.get("acknowledge", ()):
            await point.access_point.acknowledge(id)
        page = await point.access_point.inbox(kept.get("cursor"))
        ids = list(dict.fromkeys([*(one.id for one in page.messages), *(one.id for one in page.reports)]))

        def write(tx: Tx) -> None:
            for message in page.messages:
                arrive(tx, self.points, point, message)
            whole = not kept.get("cursor") and not page.more
            _tell_unread(tx, point, page.unread, whole=whole)
            for report in page.reports:
                take_report(tx, self.points, point, report)
            connections.put_cursor(tx, point.id, COLLECT, dumps({"cursor": page.cursor, "acknowledge": ids}).decode())

        return Found(write, again=bool(ids) or page.more)


# --- an access point's calls to us ------------------------------------------------------------------------------------


def keep(tx: Tx, point: Point) -> str:
    """Have the access point's calls to us looked after."""
    return work.submit(
        tx,
        tenant=point.tenant,
        lane=point.lane,
        turn=Turn.POLL,
        kind=KEEP,
        connection=point.id,
        coalesce=f"{KEEP}:{point.id}",
    )


def state(tx: Tx, point: str) -> dict[str, Any]:
    """How they stood when they were last looked after: `target`, `state`, `events`. Empty before the first time."""
    return dict(loads(connections.cursor(tx, point, KEEP) or "{}"))


class Keep(Handler):
    """Looks after the calls of an access point to us (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """Look, and mend. Where something had to be mended, the inbox is read."""
        point = self.points.point(work.connection or "")
        callbacks = point.access_point.callbacks
        before = await self.store.read(lambda tx: state(tx, point.id))
        if callbacks is None or (point.webhooks is None and not before.get("target")):
            return Found(lambda tx: None)
        try:
            found = await callbacks.keep(point.webhooks, before.get("state"))
        except (Refused, NeedsPerson) as error:
            if error.code == "sign-in":
                raise
            said = {**before, "error": error.as_json()}
            return Found(lambda tx: connections.put_cursor(tx, point.id, KEEP, dumps(said).decode()))
        said = {"target": point.webhooks, "state": found.state, "events": dict(found.events)}

        def write(tx: Tx) -> None:
            connections.put_cursor(tx, point.id, KEEP, dumps(said).decode())
            if found.mended:
                collect(tx, point)

        return Found(write)


# --- in its turn ------------------------------------------------------------------------------------------------------


def take_message(tx: Tx, arrival: Arrival, points: Points) -> str | None:
    """The arrival of a message: open it, see whose it is and what it is, and hand it on."""
    tenant = points.tenant(arrival.tenant)
    said = arrival.headers or {}
    if said.get("differs"):
        raise Stop(
            f"The message {said.get('instance') or said.get('message')} came before with other bytes.",
            code="message-differs",
            do="Ask the sender which of the two counts. retry: never; cancel: it is not looked at any more.",
        )
    document, instance, sender, receiver = _opened(arrival)
    if receiver is not None and not _is_for(tenant, receiver):
        raise _for_another(tenant, receiver)
    root = parse(document)
    name = etree.QName(root).localname
    source = points.point(arrival.source).name
    if name in _INVOICES:
        follows = root.findtext("{*}CustomizationID", "").strip()
        way = points.sold if follows.startswith(SELF_BILLING) else points.bought
        way(tx, tenant, source=source, message=instance, body=document, sender=sender)
        return None
    if name == "ApplicationResponse":
        return answers.take(tx, points, tenant, document, key=instance, sender=sender)
    raise Stop(
        f"It is a {name}, which this service does not handle.",
        code="document-type-unknown",
        do="Read it (connector attention show), answer its sender by hand, and cancel this.",
        where={"root": name, "sender": sender},
    )


def _opened(arrival: Arrival) -> tuple[bytes, str, str | None, str | None]:
    """The document inside, the message's own id, its sender and receiver, where they are told."""
    said = arrival.headers or {}
    own = said.get("instance") or f"{arrival.source}/{said.get('message')}"
    if not _enveloped(arrival.body):
        return arrival.body, own, said.get("sender"), said.get("receiver")
    header, document = envelope.read(arrival.body)
    return document, header.instance, header.sender.value, header.receiver.value


def _enveloped(data: bytes) -> bool:
    root = parse(data)
    return etree.QName(root).namespace == SBDH


def _is_for(tenant: Tenant, receiver: str) -> bool:
    """Whether a participant is the tenant. Where the tenant has no organisation number, the document itself says it."""
    if tenant.organisation_number is None:
        return True
    try:
        return Participant.read(receiver, in_use=False).organisation_number == tenant.organisation_number
    except BadInput:
        return False


def _for_another(tenant: Tenant, receiver: str | None) -> Stop:
    return Stop(
        f"It is addressed to {receiver}, not to {tenant.title} ({tenant.organisation_number}).",
        code="message-for-another",
        do="Tell the access point: it hands over what is not yours. Then cancel this; nothing of it goes anywhere.",
        where={"receiver": receiver},
    )
