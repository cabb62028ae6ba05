"""Notes: who opens an invoice in a ledger shall see what has become of it outside: a customer who refuses it, a network
that could not deliver it. Nothing in the books changes by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from connector.ehf.pdf import render_note
from connector.errors import Misconfigured
from connector.lanes import Nothing, Work, following
from connector.lanes.schedule import OSLO
from connector.ports import File, Goal, Kind, Proof, Step
from connector.store import Tx, documents, events, links
from connector.store import work as works
from connector.store.documents import Document
from connector.store.work import Turn
from connector.sync import effects, keys
from connector.sync.spokes import Handler, Spoke, Spokes
from connector.sync.vanished import VANISHED

NOTE = "note"
"""Kind of the work that puts a note on a document in one system."""


def note(
    tx: Tx, spokes: Spokes, tenant: str, document: str, *, code: str, title: str, text: str, key: str = ""
) -> list[str]:
    """Have a note put on a document in every system where it is, or is on its way to; the ids of the works that were
    asked for.

    Asking twice for the same document, code and key does nothing twice. Where a note cannot be put, that is no error:
    the event `invoice.not_noted` (`credit_note.not_noted` …) says why.

    Args:
        code: what has happened, as a stable word for programs (`rejected`, `undeliverable`).
        title: the same for a person, in a few words of bokmål.
        text: the rest of it; each of its lines is a paragraph.
        key: tells apart what happens more than once with the same code (the id of a response).

    Raises:
        Missing: the tenant has no such document.
        TryLater: the tenant is not served now.
    """
    subject = documents.locked(tx, tenant, document)
    task = {"code": code, "key": key, "title": title, "text": text}
    known, made = _known(tx, subject, task), []
    there = _where(tx, spokes, subject)
    if not there and None not in known:
        _tell(tx, subject, None, task, "not_noted", reason="not-there", said="It is in no system that keeps books.")
    for spoke, kind in there:
        if spoke.id in known:
            continue
        known.add(spoke.id)
        if (why := _why_not(tx, spoke, kind)) is not None:
            _tell(tx, subject, spoke, task, "not_noted", **why)
            continue
        made.append(
            works.submit(
                tx,
                tenant=tenant,
                lane=spoke.lane,
                turn=Turn.EFFECT,
                kind=NOTE,
                connection=spoke.id,
                document=subject.id,
                subject=effects.subject(spoke, subject.id),  # after what brings it there, and one after the other
                task=task,
            )
        )
    return made


class PutNote(Handler):
    """Puts a note on a document in one system (`lanes.EffectHandler`)."""

    async def decide(self, work: Work) -> Goal | Nothing:
        """The note, on what the document is called there now."""
        goal = await self.store.read(lambda tx: self._goal(tx, work))
        if not isinstance(goal, Goal):
            await self.store.write(lambda tx: self._not_put(tx, work, goal))
            return Nothing(goal["said"])
        return goal

    def answers(self, work: Work) -> Sequence[str]:
        """Only the usual ones."""
        return ()

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The adapter's steps, with the page, which is not stored with the goal: it is always the same."""
        document = await self.store.read(lambda tx: documents.get(tx, work.tenant, work.document or ""))
        title, text, day = work.task["title"], work.task["text"], work.created.astimezone(OSLO).date()
        page = await asyncio.to_thread(render_note, title, text, about=_about(document), day=day)
        name = f"Merknad-{document.number or document.id}.pdf"
        files = (File(name, "application/pdf", page, "page"),)
        noted = Goal(goal.kind, goal.operation, goal.marker, goal.record, target=goal.target, files=files)
        return self.spoke(work).accounting.flow(noted)

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """It is told."""
        spoke, document = self.spoke(work), documents.get(tx, work.tenant, work.document or "")
        vendor_id = work.goal.target if work.goal else None
        _tell(tx, document, spoke, work.task, "noted", vendor_id=vendor_id)
        following.done(
            tx, work, {"document": document.id, "connection": spoke.name, "vendor_id": vendor_id, "noted": True}
        )

    def _goal(self, tx: Tx, work: Work) -> Goal | Mapping[str, str]:
        """The goal, or why there is none."""
        spoke, document = self.spoke(work), work.document or ""
        link = links.of(tx, document, spoke.id)
        if link is None or link.state == VANISHED:
            return {"reason": "not-there", "said": f"It is not in {spoke.name}."}
        if (why := _why_not(tx, spoke, link.kind)) is not None:
            return why
        marker = keys.marker(document, spoke.id, f"note {work.task['code']} {work.task['key']}")
        record = {name: work.task[name] for name in ("title", "text")}
        return Goal(Kind(link.kind), "note", marker, record, target=link.vendor_id)

    def _not_put(self, tx: Tx, work: Work, why: Mapping[str, str]) -> None:
        document = documents.get(tx, work.tenant, work.document or "")
        _tell(tx, document, self.spoke(work), work.task, "not_noted", **why)


def _where(tx: Tx, spokes: Spokes, document: Document) -> list[tuple[Spoke, str]]:
    """The connections where a document is, or is on its way to, with the kind that it has there."""
    kinds = {link.connection: link.kind for link in links.all_of(tx, document.id) if link.state != VANISHED}
    for work in works.find(tx, tenant=document.tenant, document=document.id, state=effects.LIVE, limit=1000):
        if work.kind.startswith(effects.PUSH) and work.connection is not None:
            kinds.setdefault(work.connection, work.kind.removeprefix(effects.PUSH))
    there = []
    for connection, kind in kinds.items():
        with suppress(Misconfigured):  # the file has it no longer
            there.append((spokes.spoke(connection), kind))
    return there


def _why_not(tx: Tx, spoke: Spoke, kind: str) -> dict[str, str] | None:
    """Why no note can be put there, as code and sentence; None where it can."""
    if not effects.writes(tx, spoke):
        return {"reason": "observed", "said": f"{spoke.name} is only observed: nothing is written there."}
    if not any((known, what) == (kind, "note") for known, what in spoke.accounting.capabilities):
        said = f"{spoke.name} takes no notes on a document of this kind ({kind.replace('_', ' ')})."
        return {"reason": "operation-not-supported", "said": said}
    return None


def _known(tx: Tx, document: Document, task: Mapping[str, str]) -> set[str | None]:
    """The connections for which this very note was asked for already, or told that it cannot be; None among them: no
    system had the document.
    """
    same = (task["code"], task["key"])
    asked = works.find(tx, tenant=document.tenant, document=document.id, limit=1000)
    found: set[str | None] = {
        one.connection for one in asked if one.kind == NOTE and (one.task["code"], one.task["key"]) == same
    }
    told = (*events.of_document(tx, document.tenant, document.id), *tx.events)
    refused = [one for one in told if (one.document, one.kind) == (document.id, f"{document.kind}.not_noted")]
    return found | {one.connection for one in refused if (one.data["code"], one.data["key"]) == same}


def _tell(
    tx: Tx, document: Document, spoke: Spoke | None, task: Mapping[str, str], what: str, **more: str | None
) -> None:
    said: dict[str, Any] = {"connection": spoke.name if spoke else None, **more}
    said = {name: value for name, value in said.items() if value is not None}
    said |= {name: task[name] for name in ("code", "key", "title")}
    connection = spoke.id if spoke else None
    tx.emit(document.tenant, f"{document.kind}.{what}", document=document.id, connection=connection, data=said)


_CALLED = {"credit_note": "Kreditnota", "supplier_invoice": "Inngående faktura"}


def _about(document: Document) -> list[tuple[str, str | date]]:
    """What the note is about, for a person."""
    other = "Kunde" if document.direction == "outgoing" else "Leverandør"
    rows: list[tuple[str, str | date | None]] = [
        (_CALLED.get(document.kind, "Faktura"), document.number),
        ("Dato", document.issue_date),
        (other, document.counterparty_name),
    ]
    return [(label, value) for label, value in rows if value]
