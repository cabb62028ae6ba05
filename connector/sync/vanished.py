"""Records of registers that a system no longer shows: believed only after a second look, and never in bulk.

A full comparison notes which records it has seen. Those of ours it has not seen are looked for once more, one by one,
after the connection's rights have been looked at: rights that shrank hide records. What is gone then means what the
mapping says (`deleted`). When more is gone than the mapping believes (`deleted_at_most`), nothing is taken for deleted
and a person is told.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from connector.errors import Stop
from connector.lanes import Found, Verb, Work
from connector.ports import Kind, Page
from connector.store import Tx, attention, documents, links, work
from connector.store.documents import Document
from connector.store.links import Link
from connector.store.work import Turn
from connector.sync import differences, matching
from connector.sync.closing_records import close_here
from connector.sync.identity import REGISTERS
from connector.sync.registers import spread
from connector.sync.spokes import Handler, Spoke, Spokes

LOOK_AGAIN, VANISHED, MANY = "look-again", "vanished", "many-gone"


def seen(tx: Tx, spoke: Spoke, kind: Kind, run: str, page: Page) -> None:
    """Note what a page of a full comparison shows. What was taken for gone and is there is there again."""
    if kind not in REGISTERS:
        return
    ids = [record.id for record in page.records]
    for link in links.in_state(tx, spoke.id, kind, ids, VANISHED):
        back(tx, spoke, link)
    links.swept(tx, spoke.id, kind, ids, run)


def back(tx: Tx, spoke: Spoke, link: Link) -> None:
    """It is there after all."""
    links.change(tx, link)
    attention.close(tx, differences.about(VANISHED, spoke, link.document), who=spoke.name, how="there again")


def ended(tx: Tx, spoke: Spoke, kind: Kind, run: str, began: datetime, *, read: int) -> None:
    """A full comparison has read all of a register: what it has not seen is looked for once more, if it is little.

    Args:
        run: the comparison; `began`: when it began.
        read: how many records it has seen: where a register shows nothing at all, nothing is believed.
    """
    if kind not in REGISTERS:
        return
    there, share = links.count(tx, spoke.id, kind), spoke.mapping[kind].limits.deleted_at_most
    most = max(1, int(there * share / Decimal(100))) if read else 0
    gone = links.unseen(tx, spoke.id, kind, run, began, limit=most + 1)
    about = f"{MANY}:{spoke.id}:{kind}"
    if len(gone) <= most:
        attention.close(tx, about, who=spoke.name, how="there again")
        for link in gone:
            look_again(tx, spoke, kind, link.vendor_id)
        return
    reason = Stop(
        f"{f'More than {most}' if read else 'All'} of {there} {kind}s are not to be seen in {spoke.name} any more: that"
        " is not believed.",
        code="too-many-gone",
        do=f"See whether the key lost a right (connector connections test {spoke.name}). Where they are really deleted,"
        " say so: connector attention resolve ITEM theirs; each is looked for once more then.",
        where={"connection": spoke.id, "kind": str(kind)},
        details={"linked": there, "at_most": most, "some": [link.vendor_id for link in gone[:20]], "run": run,
                 "began": began.isoformat()},
    )  # fmt: skip
    verbs = (Verb.THEIRS, Verb.IGNORE)
    attention.ask(tx, tenant=spoke.tenant, about=about, reason=reason, verbs=verbs, connection=spoke.id)


def believed(tx: Tx, spoke: Spoke, kind: Kind, run: str, began: datetime) -> None:
    """A person says that much really was deleted: every record is still looked for a second time."""
    for link in links.unseen(tx, spoke.id, kind, run, began, limit=100_000):
        look_again(tx, spoke, kind, link.vendor_id)


def look_again(tx: Tx, spoke: Spoke, kind: Kind, vendor_id: str) -> None:
    """Have one record of a register looked for that was not to be seen."""
    if kind not in REGISTERS:
        return
    work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.SWEEP,
        kind=LOOK_AGAIN,
        connection=spoke.id,
        task={"kind": kind, "id": vendor_id},
        coalesce=f"{LOOK_AGAIN}:{spoke.id}:{kind}:{vendor_id}",
    )


class LookAgain(Handler):
    """The second look: the rights first, then the record itself."""

    async def read(self, work: Work) -> Found:
        """One record."""
        spoke = self.spoke(work)
        kind, id = Kind(work.task["kind"]), work.task["id"]
        missing = (await spoke.accounting.probe()).missing
        if missing:
            return Found(lambda tx: _blind(tx, spoke, kind, missing))
        if await spoke.accounting.read(kind, id) is not None:
            return Found(lambda tx: None)
        return Found(lambda tx: gone(tx, self.spokes, spoke, kind, id))


def _blind(tx: Tx, spoke: Spoke, kind: Kind, missing: Any) -> None:
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=f"{MANY}:{spoke.id}:{kind}",
        reason=Stop(
            f"Some {kind}s are not to be seen in {spoke.name}, and the key lacks rights: {', '.join(missing)}."
            " Nothing is taken for deleted.",
            code="rights-missing",
            do="Give the key these rights again; the next comparison looks anew.",
            where={"connection": spoke.id, "kind": str(kind)},
        ),
        verbs=(Verb.IGNORE,),
        connection=spoke.id,
    )


def gone(tx: Tx, spokes: Spokes, spoke: Spoke, kind: Kind, vendor_id: str) -> None:
    """Two looks agree that it is not there: what that means here."""
    second = links.part(tx, spoke.id, kind, vendor_id)
    if second is not None:  # one of two was taken away, as was asked for
        links.drop(tx, second)
        attention.close(tx, f"twice:{spoke.id}:{second.document}", who=spoke.name, how="one of them is gone")
        return
    link = links.by_vendor_id(tx, spoke.id, kind, vendor_id)
    if link is None or link.state == VANISHED:
        return
    document = documents.get(tx, spoke.tenant, link.document)
    there = [one for one in links.all_of(tx, document.id) if one.connection == spoke.id]
    other = next((one for one in there if one.kind.startswith(f"{kind}:")), None)
    if other is not None:
        matching.choose(tx, spoke, document, other.vendor_id)
        if left := links.part(tx, spoke.id, kind, vendor_id):
            links.drop(tx, left)
        attention.close(tx, f"twice:{spoke.id}:{document.id}", who=spoke.name, how="one of them is gone")
        return
    tx.emit(
        spoke.tenant,
        f"{kind}.vanished",
        document=document.id,
        connection=spoke.id,
        data={"connection": spoke.name, "vendor_id": vendor_id},
    )
    meant = spoke.mapping[kind].bound.register.deleted
    if meant == "ask" or _in_use(tx, spoke, document):
        links.change(tx, link, state=VANISHED)
        _ask(tx, spoke, document, link)
        return
    links.drop(tx, link)
    if meant == "follow":
        spread(tx, spokes, close_here(tx, document, None), but=spoke)


def _in_use(tx: Tx, spoke: Spoke, document: Document) -> bool:
    """Whether documents in this system refer to it: a ledger does not delete such a record, it hides it."""
    rows = documents.relations(tx, document.tenant, document.id)
    return any(row.other == document.id and links.of(tx, row.document, spoke.id) is not None for row in rows)


def _ask(tx: Tx, spoke: Spoke, document: Document, link: Link) -> None:
    name = document.counterparty_name or document.number
    used = _in_use(tx, spoke, document)
    why = " Documents there refer to it: it is rather hidden than deleted." if used else ""
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=differences.about(VANISHED, spoke, document.id),
        reason=Stop(
            f"{document.kind} {name} ({link.vendor_id}) is not to be found in {spoke.name} any more.{why}",
            code=f"{document.kind}-vanished",
            do=f"Say what holds: connector documents resolve {document.id} --theirs (it is closed here, too), --ours"
            " (it is made there again), or --ignore (it is forgotten that it was there).",
            where={"document": document.id, "connection": spoke.id, "vendor_id": link.vendor_id},
        ),
        verbs=(Verb.THEIRS, Verb.OURS, Verb.IGNORE),
        document=document.id,
        connection=spoke.id,
    )
