"""What a mapping makes of a connection's own documents and records before it is in force. Nothing is written or called.

Both ways: of each document the record that would be made of it, and of each record that the system has shown the fields
that would be read from it. Page by page, so that memory stays flat however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from connector.errors import ConnectorError
from connector.mapping import Mapper
from connector.mapping import Mapping as SystemMapping
from connector.mapping.paths import without_picks
from connector.model.json import dumps, loads
from connector.ports import Kind
from connector.store import Tx, arrivals, documents, links
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import arriving, registers
from connector.sync.arriving import RECORD
from connector.sync.canonical import view_of
from connector.sync.external import EXTERNAL, form_of
from connector.sync.parts import parts
from connector.sync.plan import Promised, belongs, routes_to
from connector.sync.push import behind
from connector.sync.spokes import Linked, Spoke, Spokes

PAGE = 50
_PARKED = "parked:"


@dataclass(frozen=True, slots=True)
class Made:
    """What one version makes: both sides as JSON values, or why it stops (`ConnectorError.as_json`). `here`: our fields
    by path; `there`: the system's record.
    """

    here: Mapping[str, Any]
    there: Mapping[str, Any]
    stop: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Differs:
    """A field that the other version makes otherwise; None where it makes none."""

    field: str
    against: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Preview:
    """One document or record, one way: `out` is written there, `in` is read from there.

    `document` is None for a record that waits without one; `number` is then the system's id. `against` and `differs`
    are there where another version was asked for.
    """

    document: str | None
    kind: str
    number: str | None
    counterparty: str | None
    way: Literal["out", "in"]
    made: Made
    against: Made | None = None
    differs: tuple[Differs, ...] = ()

    @property
    def stops_anew(self) -> bool:
        """Whether it stops, and did not under the other version."""
        return self.made.stop is not None and (self.against is None or self.against.stop is None)

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the mapping with what stands on both sides of it."""

    here: str
    ours: str
    arrow: str
    there: str
    theirs: str
    origin: str


def page(
    tx: Tx,
    spokes: Spokes,
    spoke: Spoke,
    mapping: SystemMapping,
    against: SystemMapping | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> tuple[list[Preview], int, str | None]:
    """What a mapping (and another) makes of the next documents of a connection, then of the records that wait.

    Args:
        after: where the last page ended; `since` gives where documents that came after a moment begin.

    Returns:
        The previews, how many documents and records were looked at, and where the next page begins (None: all seen).
    """
    versions = [replace(spoke, mapping=one) for one in (mapping, against) if one is not None]
    if after is None or not after.startswith(_PARKED):
        heads = documents.find(tx, spoke.tenant, after=after, limit=limit)
        routes = routes_to(spokes, spoke)
        found = [preview for head in heads for preview in _document(tx, versions, head, routes)]
        return found, len(heads), heads[-1].id if len(heads) == limit else _PARKED
    last = after.removeprefix(_PARKED) or None
    waiting = arrivals.find(tx, spoke.tenant, source=spoke.id, state="parked", after=last, limit=limit)
    found = [preview for one in waiting for preview in _waiting(tx, versions, one.id)]
    return found, len(waiting), _PARKED + waiting[-1].id if len(waiting) == limit else None


def one(
    tx: Tx, spoke: Spoke, mapping: SystemMapping, against: SystemMapping | None, document: Document
) -> list[Preview]:
    """The same of one document, whether it belongs there or not."""
    versions = [replace(spoke, mapping=one) for one in (mapping, against) if one is not None]
    return [*_written(tx, versions, document), *_read(tx, versions, document)]


def since(moment: datetime) -> str:
    """Where documents that came after a moment begin: ids are made of the time (`store.new_id`)."""
    return f"{int(moment.timestamp() * 1000):012x}".ljust(32, "0")


def lines(mapper: Mapper, preview: Preview) -> Iterator[Line]:
    """Both sides of each line of the mapping that has a value on either."""
    for info in mapper.fields():
        if info.only not in (None, preview.way):
            continue
        ours = [_here(preview.made.here, path) for path in info.ours]
        theirs = [_there(preview.made.there, without_picks(path).split(".")) for path in info.theirs]
        if _joined(ours) or _joined(theirs):
            arrow = "→" if preview.way == "out" else "←"
            yield Line(
                ", ".join(info.ours), _joined(ours), arrow, ", ".join(info.theirs), _joined(theirs), str(info.origin)
            )


# --- documents --------------------------------------------------------------------------------------------------------


def _document(tx: Tx, versions: Sequence[Spoke], head: Document, routes: set[str]) -> Iterator[Preview]:
    spoke = versions[0]
    if not any(form_of(one, head) in one.mapping for one in versions):
        return
    there = any(link.connection == spoke.id for link in links.all_of(tx, head.id))
    if there or registers.makes(spoke, head) or belongs(tx, spoke, head, routes):
        document = documents.get(tx, head.tenant, head.id)
        yield from _written(tx, versions, document)
        if there:
            yield from _read(tx, versions, document)


def _written(tx: Tx, versions: Sequence[Spoke], document: Document) -> Iterator[Preview]:
    spoke = versions[0]
    kind = form_of(spoke, document)
    table = spoke.accounting.capabilities
    if document.source == spoke.id and (Kind(kind), "update") not in table:
        return  # it was made there: nothing is written of it
    if not any((Kind(kind), operation) in table for operation in ("create", "register", "update")):
        return
    count = len(parts(tx, document)) if document.kind == Kind.PAYMENT.value else 1
    for number in range(count):
        yield written(tx, versions, document, number)


def written(tx: Tx, versions: Sequence[Spoke], document: Document, number: int = 0) -> Preview:
    """The record that is made of a document (of a payment: of one part), by one version or beside another."""
    kind = form_of(versions[0], document)

    def make(one: Spoke) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        model, linked = behind(tx, one, document, number)
        fields, mapper = model.model_dump(), one.mapping[kind]
        record = mapper.out(fields, Promised(tx, one.id, linked.related, linked.kinds))
        return view_of(mapper, fields), _json(record)

    return _previewed(versions, document, kind, "out", make)


def _read(tx: Tx, versions: Sequence[Spoke], document: Document) -> Iterator[Preview]:
    for link in links.all_of(tx, document.id):
        if link.connection == versions[0].id and link.base_seen and link.kind not in EXTERNAL:
            yield read(tx, versions, document, link)


def read(tx: Tx, versions: Sequence[Spoke], document: Document, link: Link) -> Preview:
    """The fields that are read from what the system has shown of a document, by one version or beside another."""
    kind = link.kind.partition(":")[0]
    return _previewed(versions, document, kind, "in", _reader(tx, kind, link.base_seen or {}))


def _waiting(tx: Tx, versions: Sequence[Spoke], id: str) -> Iterator[Preview]:
    arrival = arrivals.get(tx, versions[0].tenant, id)
    kind = arrival.kind.removeprefix(RECORD)
    if arrival.kind.startswith(RECORD) and any(kind in one.mapping for one in versions):
        record = arriving.shown(arrival.body, kind)
        preview = _previewed(versions, None, kind, "in", _reader(tx, kind, record.body))
        yield replace(preview, number=record.id)


_Make = Callable[[Spoke], tuple[Mapping[str, Any], Mapping[str, Any]]]


def _reader(tx: Tx, kind: str, body: Mapping[str, Any]) -> _Make:
    def make(one: Spoke) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        mapper = one.mapping[kind]
        return view_of(mapper, mapper.into(body, Linked(tx, one.id, {}))), body

    return make


def _previewed(
    versions: Sequence[Spoke], document: Document | None, kind: str, way: Literal["out", "in"], make: _Make
) -> Preview:
    made = []
    for one in versions:
        try:
            here, there = make(one)
            made.append(Made(here, there))
        except ConnectorError as error:
            made.append(Made({}, {}, error.as_json()))
    now, against = made[0], made[1] if len(made) > 1 else None
    number, name = (document.number, document.counterparty_name) if document else (None, None)
    id = document.id if document else None
    return Preview(id, kind, number, name, way, now, against, differences(way, against, now) if against else ())


def differences(way: Literal["out", "in"], against: Made, now: Made) -> tuple[Differs, ...]:
    """The fields that two versions make differently, by their path in what is made."""
    if against.stop or now.stop:
        before, after = _code(against), _code(now)
        return () if before == after else (Differs("", before, after),)
    old, new = (flat(made.there if way == "out" else made.here) for made in (against, now))
    return tuple(
        Differs(path, old.get(path), new.get(path))
        for path in dict.fromkeys([*old, *new])
        if old.get(path) != new.get(path)
    )


def _code(made: Made) -> str:
    return f"stops: {made.stop.get('message')}" if made.stop else "is made"


def flat(value: Any, where: str = "") -> dict[str, Any]:
    """Nested values by their path: `order.orderLines[0].count`."""
    if isinstance(value, Mapping):
        inner = [(f"{where}.{name}" if where else str(name), one) for name, one in value.items()]
    elif isinstance(value, list | tuple):
        inner = [(f"{where}[{number}]", one) for number, one in enumerate(value)]
    else:
        return {where: value}
    return {path: said for name, one in inner for path, said in flat(one, name).items()}


def _json(record: Mapping[str, Any]) -> Mapping[str, Any]:
    made: Mapping[str, Any] = loads(dumps(record))
    return made


# --- both sides of a line ---------------------------------------------------------------------------------------------


def _here(view: Mapping[str, Any], path: str) -> list[Any]:
    """What a view has at a path of a line; of a list's line, what each item has."""
    if path in view:
        said = view[path]
        # The items of a list have lines of their own.
        return [] if isinstance(said, list) and any(isinstance(item, Mapping) for item in said) else [said]
    for name, items in view.items():
        if isinstance(items, list) and path.startswith(f"{name}."):
            inner = path[len(name) + 1 :]
            return [one for item in items if isinstance(item, Mapping) for one in _here(item, inner)]
    return []


def _there(record: Any, names: Sequence[str]) -> list[Any]:
    if isinstance(record, list | tuple):
        return [one for item in record for one in _there(item, names)]
    if not names:
        return [] if isinstance(record, Mapping) or record is None else [record]
    return _there(record.get(names[0]), names[1:]) if isinstance(record, Mapping) else []


def _joined(sides: Sequence[Sequence[Any]]) -> str:
    said = [[_text(value) for value in side if value is not None] for side in sides]
    return ", ".join(" | ".join(side) for side in said if side)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_text(one)}" for name, one in value.items() if one not in (None, "", [], {}))
    if isinstance(value, list):
        return " | ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
