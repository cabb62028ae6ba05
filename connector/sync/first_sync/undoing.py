"""The way back: links are dropped, documents say again what they said, and what was made in the ledger is closed there.

Only what is still as the first sync left it is taken back. An invoice that has been issued is never undone: it is
credited. What is written there is written as an effect, like everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import BadInput, Stop
from connector.lanes import Nothing, Work, cancel
from connector.ports import Goal, Kind, Proof, Step
from connector.store import Tx, attention, audit, documents, first_sync, links
from connector.store import work as works
from connector.store.documents import Document, digest_of
from connector.store.first_sync import Row
from connector.store.kept import record_of
from connector.store.links import Link
from connector.store.work import Turn
from connector.sync import effects, keys, registers
from connector.sync.canonical import model_of, shown
from connector.sync.differences import CONFLICT, DRIFT, about
from connector.sync.external import form_of
from connector.sync.first_sync import status
from connector.sync.first_sync.sheet import table, written
from connector.sync.identity import REGISTERS
from connector.sync.keeping import with_body
from connector.sync.spokes import Handler, Linked, Spoke, Spokes

UNDO = "undo-first-sync"
"""Kind of the work that takes back what was written in the ledger."""
TITLE = "Angre første synkronisering"
COLUMNS = ("linje", "slag", "gjort", "navn", "vår id", "deres id")
_DONE = {"link": "koblet", "duplicate": "koblet som dublett", "create": "opprettet"}


# --- what was done ----------------------------------------------------------------------------------------------------


def sheet(tx: Tx, spoke: Spoke) -> tuple[bytes, list[str]]:
    """What a first sync has done, as a file by which it is taken back; and what of it is not done yet, in words."""
    rows: list[Sequence[Any]] = [(TITLE, spoke.name), COLUMNS]
    waiting = []
    for row in _rows(tx, spoke, ("asked", "done", "decided")):
        if row.action not in _DONE:
            continue
        link = _link(tx, spoke, row)
        document = documents.peek(tx, spoke.tenant, link.document if link else row.document or "")
        name = document and (document.counterparty_name or document.number)
        if link is None:
            what = f"t-{row.vendor_id}" if row.vendor_id else f"d-{row.document}"
            why = "made at the cut-over" if row.state == "decided" else "see connector attention list"
            waiting.append(f"{row.kind} {what} {name or ''}: {why}".replace(" :", ":"))
            continue
        where = "" if row.action != "create" else " her" if row.vendor_id else " der"
        rows.append(
            (f"l-{row.id}", row.kind, _DONE[row.action] + where, name, f"d-{link.document}", f"t-{link.vendor_id}")
        )
    return written(rows), waiting


def read(tx: Tx, spoke: Spoke, content: bytes, *, file: str) -> list[Row]:
    """The rows that an undo file names, the last ones first.

    Raises:
        BadInput: as `sheet.table`; `undo-malformed`: it is no such file, or names what is not of this connection, with
            the line.
    """
    lines = table(content, file)
    if not lines or not lines[0] or lines[0][0].strip() != TITLE:
        raise _malformed(file, 1, "It is no undo file.")
    found = []
    for number, line in enumerate(lines[2:], 3):
        if not line or not line[0].strip():
            continue
        row = first_sync.get(tx, line[0].strip().removeprefix("l-"))
        if row is None or row.connection != spoke.id:
            raise _malformed(file, number, f"{line[0]} is no line of a first sync of {spoke.name}.")
        found.append(row)
    order = {kind: at for at, kind in enumerate(status.KINDS)}
    # What refers to others goes first, and a duplicate before the one that was meant.
    return sorted(found, key=lambda row: (order[row.kind], row.action == "duplicate", row.id), reverse=True)


def _malformed(file: str, line: int, said: str) -> BadInput:
    return BadInput(
        f"{file}:{line}: {said}",
        code="undo-malformed",
        do="Give the file that `connector first-sync apply` wrote.",
        where={"file": file, "line": line},
    )


def _rows(tx: Tx, spoke: Spoke, states: Sequence[str]) -> Iterator[Row]:
    for kind in status.KINDS:
        yield from first_sync.every(tx, spoke.id, state=states, kind=kind)


def _link(tx: Tx, spoke: Spoke, row: Row) -> Link | None:
    if row.vendor_id is not None:
        find = links.part if row.action == "duplicate" else links.by_vendor_id
        return find(tx, spoke.id, row.kind, row.vendor_id)
    document = documents.peek(tx, spoke.tenant, row.document or "")
    return links.of(tx, document.id, spoke.id, form_of(spoke, document)) if document else None


# --- taken back -------------------------------------------------------------------------------------------------------


def begin(tx: Tx, spoke: Spoke, *, who: str) -> None:
    """Note that the first sync is open again, so that nothing is read and matched while it is taken back. What was
    decided and not begun shall not be done any more.
    """
    status.note(tx, spoke, status.OPEN, who=who)
    for row in _rows(tx, spoke, ("decided",)):
        first_sync.change(tx, row.id, state="undone")
    audit.note(tx, tenant=spoke.tenant, who=who, did="undo-first-sync", about=f"connection:{spoke.id}")


def take_back(tx: Tx, spokes: Spokes, spoke: Spoke, id: str) -> str | None:
    """Take one line back, or have it taken back; why it stays, where it does."""
    row = first_sync.get(tx, id)
    if row is None or row.state == "undone":
        return None
    link = _link(tx, spoke, row)
    if link is None:
        return _not_there(tx, spoke, row)
    document = documents.get(tx, spoke.tenant, link.document)
    if row.vendor_id is None:
        if row.kind not in REGISTERS:
            return f"{_called(document)} has been issued or booked in {spoke.name}: credit it there"
        return _write(tx, spoke, document, row)
    if row.action == "duplicate":
        links.drop(tx, link)
        first_sync.change(tx, row.id, state="undone")
        return None
    if (used := _used(tx, spoke, document, row)) is not None:
        return used
    if row.action == "create":
        links.drop(tx, link)
        tx.emit(spoke.tenant, f"{row.kind}.withdrawn", document=document.id, connection=spoke.id,
                data={"connection": spoke.name, "vendor_id": row.vendor_id})  # fmt: skip
        documents.forget(tx, document)
        first_sync.change(tx, row.id, state="undone")
        return None
    kept = _restored(tx, spokes, spoke, document, row)
    if effects.writes(tx, spoke) and row.kind in REGISTERS and _changed_there(tx, spoke, document, link, row)[0]:
        return _write(tx, spoke, document, row) or kept
    _ended(tx, spoke, document, row)
    return kept


def _not_there(tx: Tx, spoke: Spoke, row: Row) -> str | None:
    """What was asked for and has not happened shall not happen."""
    going = effects.live(tx, spoke, row.document or "") if row.vendor_id is None else []
    for work in going:
        if work.goal is not None or work.state not in ("queued", "blocked"):
            return f"d-{row.document} is on its way to {spoke.name}: take it back when that is over"
        cancel(tx, work)
    first_sync.change(tx, row.id, state="undone")
    return None


def _used(tx: Tx, spoke: Spoke, document: Document, row: Row) -> str | None:
    """Why a document cannot be let go: others refer to it, or money from there settles it."""
    rows = [one for one in documents.relations(tx, document.tenant, document.id) if one.other == document.id]
    if row.action == "create":
        elsewhere = [one for one in links.all_of(tx, document.id) if one.connection != spoke.id]
        if rows or elsewhere:
            return f"{_called(document)}: other documents or systems refer to it"
        return None
    facts = [documents.get(tx, document.tenant, one.document) for one in rows if one.amount]
    if any(fact.source == spoke.id for fact in facts):
        return f"{_called(document)}: payments that were read from {spoke.name} settle it"
    return None


def _restored(tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, row: Row) -> str | None:
    """Have the document say again what it said before it was linked; why it does not, where it does not."""
    before = row.before or {}
    if not before or before["body"] == document.body:
        return None
    if digest_of(document.body) != before["after"]:
        return f"{_called(document)} has been changed since: it is not linked any more, and says what it says now"
    fields = model_of(row.kind, before["body"]).model_dump()
    document, _ = with_body(tx, document, row.kind, fields, state=before["state"])
    tx.emit(spoke.tenant, f"{row.kind}.changed", document=document.id, data={"fields": [], "undone": True})
    if row.kind in REGISTERS:
        registers.spread(tx, spokes, document, but=spoke)
    return None


def _write(tx: Tx, spoke: Spoke, document: Document, row: Row) -> str | None:
    if not effects.writes(tx, spoke):
        return f"{_called(document)} was made in {spoke.name}, which is not written to now: activate it, undo again"
    works.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.EFFECT,
        kind=UNDO,
        connection=spoke.id,
        document=document.id,
        subject=effects.subject(spoke, document.id),
        task={"row": row.id},
    )
    return None


def _ended(tx: Tx, spoke: Spoke, document: Document, row: Row) -> None:
    link = links.of(tx, document.id, spoke.id, row.kind)
    if link is not None:
        links.drop(tx, link)
    first_sync.change(tx, row.id, state="undone")
    for what in (CONFLICT, DRIFT):
        attention.close(tx, about(what, spoke, document.id), who=spoke.name, how="unlinked")
    data = {"connection": spoke.name, "vendor_id": link.vendor_id if link else row.vendor_id}
    tx.emit(spoke.tenant, f"{row.kind}.unlinked", document=document.id, connection=spoke.id, data=data)


def _changed_there(tx: Tx, spoke: Spoke, document: Document, link: Link, row: Row) -> tuple[set[str], dict[str, Any]]:
    """Fields that the ledger shows otherwise than before the first sync, and the document as the ledger had it."""
    mapper, context = spoke.mapping[row.kind], Linked(tx, spoke.id, {})
    original = record_of(row.record, row.kind).body
    was, now = shown(mapper, original, context), shown(mapper, link.base_seen or original, context)
    fields = {path for path, value in was.items() if path not in mapper.only_in and now.get(path) != value}
    canonical = model_of(row.kind, document.body).model_dump()
    return fields, mapper.merge(canonical, mapper.view(mapper.into(original, context)))


def _called(document: Document) -> str:
    return f"{document.kind} {document.counterparty_name or document.number or document.id}"


class Undo(Handler):
    """Has the ledger show what it showed before; what was made there is closed (`lanes.EffectHandler`)."""

    async def decide(self, work: Work) -> Goal | Nothing:
        """What it shall show."""
        goal = await self.store.read(lambda tx: self._goal(tx, work))
        if goal is None:
            await self.store.write(lambda tx: self._over(tx, work))
            return Nothing("It is as it was.")
        return goal

    def answers(self, work: Work) -> Sequence[str]:
        """Only the usual ones."""
        return ()

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The adapter's steps of an update."""
        return self.spoke(work).accounting.flow(goal)

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """The link is dropped."""
        if any(proof.facts.get("moved") for proof in proofs.values()):
            raise Stop(
                "Somebody has changed the record in this very moment; nothing was written.",
                code="moved",
                do="Look at it there, then retry, or cancel this.",
            )
        self._over(tx, work)

    def _goal(self, tx: Tx, work: Work) -> Goal | None:
        spoke, row = self.spoke(work), first_sync.get(tx, work.task["row"])
        document = documents.get(tx, work.tenant, work.document or "")
        link = links.of(tx, document.id, spoke.id, document.kind)
        if row is None or link is None:
            return None
        mapper = spoke.mapping[document.kind]
        if row.vendor_id is None:
            canonical, fields = model_of(document.kind, document.body).model_dump() | {"active": False}, {"active"}
            if "active" not in mapper.view(canonical):
                raise Stop(
                    f"{_called(document)} cannot be closed in {spoke.name}: the mapping carries no `active`.",
                    code="cannot-close",
                    do=f"Take {link.vendor_id} out there by hand, then cancel this.",
                )
        else:
            fields, canonical = _changed_there(tx, spoke, document, link, row)
        if not fields:
            return None
        record = mapper.update(canonical, fields, Linked(tx, spoke.id, {}))
        marker = keys.marker(document.id, spoke.id, f"undo {row.id}")
        return Goal(Kind(document.kind), "update", marker, record, target=link.vendor_id, seen=link.base_seen)

    def _over(self, tx: Tx, work: Work) -> None:
        row = first_sync.get(tx, work.task["row"])
        if row is not None:
            document = documents.get(tx, work.tenant, work.document or "")
            _ended(tx, self.spoke(work), document, replace(row, kind=document.kind))
