"""What another version of a mapping made: what it would be under the one in force, and redone where it may be.

What we wrote is written again, what we read is read again, by the ordinary path: a record of a register is pushed, its
fields are taken; what has been issued or is a fact stays as it is, and a difference is told as drift. Each document is
one transaction that notes in its link what has been done: it may be broken off anywhere, run again, and does nothing
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError

from connector.errors import ConnectorError
from connector.mapping import Mapper
from connector.mapping import Mapping as SystemMapping
from connector.mapping.paths import without_picks
from connector.ports import Kind, Record
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import closing_records, differences, effects, preview, registers
from connector.sync.canonical import IMMUTABLE, model_of, policy_of, shown, view_of
from connector.sync.identity import REGISTERS
from connector.sync.keeping import with_body
from connector.sync.preview import Made, Preview
from connector.sync.push import MONEY
from connector.sync.reconcile import Base, Decision, Difference, reconcile
from connector.sync.spokes import Linked, Spoke, Spokes, check_can

Old = Callable[[str], SystemMapping | None]
"""An older version of the mapping by its hash; None where it is not kept or cannot be used any more."""

Fate = Literal["push", "take", "drift", "same", "leave", "wait"]


@dataclass(frozen=True, slots=True)
class Remap:
    """What becomes of one document: it is written again (`push`), read again (`take`), told as `drift`, is the `same`
    under both, cannot be redone (`leave`, with the reason), or has work under way (`wait`).

    `made_by` is the version that made it, empty where that was before versions were kept; `fields` are ours.
    """

    link: str
    made_by: str
    fate: Fate
    preview: Preview
    fields: tuple[str, ...] = ()
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return asdict(self)


def page(
    tx: Tx, spoke: Spoke, old: Old, *, made_by: str | None = None, after: str | None = None, limit: int = 50
) -> list[Remap]:
    """What other versions made, in the order of its links. `after`: the link of the last one seen."""
    found = links.made_by_others(tx, spoke.id, spoke.mapping.version, only=made_by, after=after, limit=limit)
    return [_looked_at(tx, spoke, link, old)[0] for link in found]


def redo(tx: Tx, spokes: Spokes, spoke: Spoke, old: Old, seen: Remap) -> Remap:
    """Do with one document what has been shown, as things are now; once."""
    document = documents.get(tx, spoke.tenant, seen.preview.document or "")
    link = next((one for one in links.all_of(tx, document.id) if one.id == seen.link), None)
    if link is None or _maker(link) == spoke.mapping.version:
        return replace(seen, fate="same", why="it has been redone")
    found, decision = _looked_at(tx, spoke, link, old)
    _DOES[found.fate](tx, spokes, spoke, document, link, found, decision)
    return found


# --- what would be done -----------------------------------------------------------------------------------------------


def _maker(link: Link) -> str:
    return link.written_by or link.read_by or ""


def _looked_at(tx: Tx, spoke: Spoke, link: Link, old: Old) -> tuple[Remap, Decision]:
    document = documents.get(tx, spoke.tenant, link.document)
    kind, _, part = link.kind.partition(":")
    before = old(_maker(link))
    versions = [spoke] if before is None else [spoke, replace(spoke, mapping=before)]
    writes = link.written_by is not None
    if writes:
        seen = preview.written(tx, versions, document, int(part or 0))
    else:
        seen = preview.read(tx, versions, document, link)
    if before is None and seen.made.stop is None and kind not in IMMUTABLE:
        # What the old version made is not known: what is there is held against what is here, through the new one.
        made = _as_read(tx, spoke, document, link, seen.made)
        seen = replace(seen, against=made, differs=preview.differences("in", made, seen.made))

    def fate(what: Fate, why: str = "", fields: Mapping[str, Any] | None = None) -> Remap:
        return Remap(link.id, _maker(link), what, seen, tuple(sorted(fields or ())), why)

    if effects.live(tx, spoke, document.id):
        return fate("wait", "work on it is under way"), Decision()
    if seen.made.stop is not None:
        return fate("leave", str(seen.made.stop.get("message"))), Decision()
    if before is None and kind in IMMUTABLE:
        return fate("leave", "the version that made it is not kept: nothing can be compared"), Decision()
    if not seen.differs:
        return fate("same"), Decision()
    mapper = spoke.mapping[kind]
    decision = _written(mapper, kind, seen) if writes else _read(tx, spoke, mapper, kind, document, link, seen)
    if decision.drift:
        told = link.written_by is not None and link.read_by == spoke.mapping.version
        fields = {one.field: one for one in decision.drift}
        return fate("drift", "told already" if told else "it is issued, or a fact: it stays as it is", fields), decision
    if decision.push:
        try:
            check_can(spoke, kind, "update")
        except ConnectorError as error:
            return fate("leave", error.said), decision
        return fate("push", fields=decision.push), decision
    if decision.take:
        try:
            model_of(kind, mapper.merge(model_of(kind, document.body).model_dump(), decision.take))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            return fate("leave", f"the document would not be whole: {where}: {first['msg']}"), decision
        return fate("take", fields=decision.take), decision
    return fate("leave", "it is written only when a record is made, or is not carried from there"), decision


def _as_read(tx: Tx, spoke: Spoke, document: Document, link: Link, made: Made) -> Made:
    mapper = spoke.mapping[link.kind.partition(":")[0]]
    if link.written_by is None:
        return Made(link.base_sent or {}, link.base_seen or {})
    try:
        there = shown(mapper, link.base_seen or {}, Linked(tx, spoke.id, {}))
    except ConnectorError as error:
        return Made({}, link.base_seen or {}, error.as_json())
    # A field that does not show there says nothing.
    return Made({path: there.get(path, value) for path, value in made.here.items()}, link.base_seen or {})


def _written(mapper: Mapper, kind: str, seen: Preview) -> Decision:
    """What we wrote: fields of ours whose lines make something else of them now."""
    assert seen.against is not None
    if kind in IMMUTABLE:
        return Decision(drift=tuple(Difference(one.field, None, one.now, one.against) for one in seen.differs))
    touched = {without_picks(one.field).partition("[")[0] for one in seen.differs}
    by_path = {
        path: value
        for info in mapper.fields()
        if info.only != "in" and info.on is None
        for path in info.ours
        if path in seen.made.here
        for value in [seen.made.here[path]]
        if path in touched or any(_touches(without_picks(theirs), touched) for theirs in info.theirs)
    }
    return Decision(push=by_path)


def _touches(path: str, touched: set[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") or one.startswith(f"{path}.") for one in touched)


def _read(tx: Tx, spoke: Spoke, mapper: Mapper, kind: str, document: Document, link: Link, seen: Preview) -> Decision:
    """What we read: as if the system had changed what the new version reads otherwise."""
    assert seen.against is not None
    theirs = dict(seen.made.here)
    before = dict.fromkeys(theirs) | dict(seen.against.here)
    ours = view_of(mapper, model_of(kind, document.body).model_dump()) if document.body else {}
    # What only the old version found there, and nobody has changed here since, came from a field that means otherwise.
    theirs |= {path: None for path, value in before.items() if path not in theirs and ours.get(path) == value}
    policy = policy_of(mapper, issued=kind in IMMUTABLE)
    if kind in MONEY:
        policy = replace(policy, amendable=frozenset(), only_in=frozenset())
    return reconcile(Base(sent=ours, seen=before), ours, theirs, policy)


# --- and done ---------------------------------------------------------------------------------------------------------


def _again(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, link: Link, found: Remap, decision: Decision
) -> None:
    """Write it again: what changed its meaning counts as changed here since the system was told."""
    del spokes, found
    # Any other value than the one it has: the decision is made when it runs, by what is different then.
    sent = dict(link.base_sent or {}) | {path: "" if value is None else None for path, value in decision.push.items()}
    links.change(tx, link, state=link.state, base_sent=sent)
    effects.push(tx, spoke, document.kind, document.id)


def _taken(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, link: Link, found: Remap, decision: Decision
) -> None:
    """Read it again: the fields are taken, and other systems that keep the record are told."""
    del found
    kind = link.kind.partition(":")[0]
    mapper = spoke.mapping[kind]
    if kind in REGISTERS:
        decision = closing_records.closed_there(tx, spoke, document, decision)
    canonical = mapper.merge(model_of(kind, document.body).model_dump(), decision.take)
    more = {"mapping_version": mapper.version} if document.source == spoke.id else {}
    document, canonical = with_body(tx, document, kind, canonical, state=document.state, **more)
    links.change(tx, link, state=link.state, base_sent=view_of(mapper, canonical), read_by=mapper.version)
    data = {"connection": spoke.name, "fields": sorted(decision.take), "mapping": mapper.version}
    tx.emit(spoke.tenant, f"{kind}.changed", document=document.id, connection=spoke.id, data=data)
    if kind in REGISTERS:
        registers.spread(tx, spokes, document, but=spoke)


def _told(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, link: Link, found: Remap, decision: Decision
) -> None:
    """Tell of drift once: that it was looked at under this version is noted, that the old one made it stays true."""
    del spokes
    if found.why != "told already":
        kind = Kind(link.kind.partition(":")[0])
        seen = Record(kind, link.vendor_id, link.vendor_version or "", link.base_seen or {})
        differences.tell(tx, spoke, document, decision, seen)
        links.change(tx, link, state=link.state, read_by=spoke.mapping.version)


def _same(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, link: Link, found: Remap, decision: Decision
) -> None:
    """Both versions make the same of it: so this one did."""
    del spokes, document, decision
    which = "written_by" if found.preview.way == "out" else "read_by"
    links.change(tx, link, state=link.state, **{which: spoke.mapping.version})


def _nothing(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, link: Link, found: Remap, decision: Decision
) -> None:
    """It is left, or waits."""


_DOES: Mapping[Fate, Callable[[Tx, Spokes, Spoke, Document, Link, Remap, Decision], None]] = {
    "push": _again,
    "take": _taken,
    "drift": _told,
    "same": _same,
    "leave": _nothing,
    "wait": _nothing,
}
