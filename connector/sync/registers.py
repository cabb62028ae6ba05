"""Records of registers: what programs post, and how it comes to every system that keeps it.

A record that is changed on one side is brought to every system that has it. Whether one is *made* where it is missing
is what the mapping of that system says (`creates`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from connector.errors import BadInput, Clash
from connector.model import Dimension, Product, TradingPartner
from connector.model.json import dumps, loads
from connector.ports import Kind
from connector.store import Tx, documents, links, operations
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import effects
from connector.sync.canonical import MODELS, policy_of, stored, view_of
from connector.sync.identity import OF_DIMENSION, Record, columns, key_now, record_of, same
from connector.sync.intake import SOURCE, Filed, faults, json_of, under_way
from connector.sync.keeping import check_key, with_body
from connector.sync.reconcile import Base, reconcile
from connector.sync.spokes import Spoke, Spokes

# --- what programs post -----------------------------------------------------------------------------------------------


def posted(body: bytes, kind: str) -> tuple[str, dict[str, Any]]:
    """The kind of register, and what is said of a record: model JSON, or the part of it that changes.

    Args:
        kind: `customer`, `supplier`, `product`, or `dimension` (then the body says which: department, project, free).

    Raises:
        BadInput: it is no JSON object (`body-malformed`), says what the model does not have, or of which dimension is
            not known (`kind-not-kept`).
    """
    said = json_of(body)
    if not isinstance(said, dict):
        raise BadInput("The body is no JSON object.", code="body-malformed", do=f"Send a {kind} as JSON.")
    if kind != "dimension":
        return kind, said
    named = said.get("kind")
    if named not in OF_DIMENSION:
        raise BadInput(
            f"Dimensions of the kind {named} are not kept as a register." if named else "`kind` says which dimension.",
            code="kind-not-kept",
            do=f"Use one of: {', '.join(OF_DIMENSION)}.",
            where={"field": "kind"},
        )
    return OF_DIMENSION[named], said


def check(tx: Tx, tenant: str, kind: str, said: Mapping[str, Any]) -> tuple[Document | None, Record]:
    """The document that is meant, if it is here, and the record as it is when what is said holds.

    What is not said stays as it is; null empties it (JSON merge patch, RFC 7396).

    Raises:
        BadInput: the record would not be whole (`…-malformed`, with every fault), or has no identity.
        Clash: it would have the number of another one (`document-exists`).
        Stop: several documents fit (`match-unclear`).
    """
    there = _meant(tx, tenant, kind, said)
    if there is None:
        model = _validated(kind, said)
        columns(kind, model)
        return None, model
    source_id = said.get("source_id")
    if source_id and there.source_id and source_id != there.source_id:
        raise Clash(
            f"This {kind} is here with the source_id {there.source_id}.",
            code="document-exists",
            do="Post it with that source_id, or without one; another record gets its own number.",
            where={"document": there.id, "kind": kind},
        )
    model = _validated(kind, _patched(there.body or {}, said))
    check_key(tx, there, key_now(there, kind, model))
    return there, model


def _meant(tx: Tx, tenant: str, kind: str, said: Mapping[str, Any]) -> Document | None:
    """The document that is meant: by the source's own id, else by what else it is known by."""
    if source_id := said.get("source_id"):
        found = documents.find(tx, tenant, kind=kind, source_id=str(source_id), limit=2)
        if len(found) == 1:
            return documents.get(tx, tenant, found[0].id)
    try:
        model = MODELS[kind].model_validate_json(dumps({**_NAMELESS.get(kind, {}), **said}))
    except ValidationError:
        return None  # what is wrong is said when it is read as a new record
    assert isinstance(model, TradingPartner | Product | Dimension)
    return same(tx, tenant, kind, model)


_NAMELESS: Mapping[str, dict[str, Any]] = {
    "product": {"name": "-"},
    "customer": {"party": {}},
    "supplier": {"party": {}},
}
"""What a change need not say."""


def _validated(kind: str, said: Mapping[str, Any]) -> Record:
    try:
        model = MODELS[kind].model_validate_json(dumps(said))
    except ValidationError as error:
        raise faults(error, kind) from None
    assert isinstance(model, TradingPartner | Product | Dimension)
    return model


def _patched(body: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(body)
    for name, value in said.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(made.get(name), Mapping):
            made[name] = _patched(made[name], value)
        else:
            made[name] = value
    return made


def file_record(tx: Tx, spokes: Spokes, tenant: str, kind: str, said: Mapping[str, Any], *, arrival: str) -> Filed:
    """Document, event and work of a record that was posted: made, or changed where it is here.

    Raises:
        BadInput, Clash, Stop: as `check`.
    """
    there, model = check(tx, tenant, kind, said)
    source_id = said.get("source_id")
    if there is None:
        more = {"source_id": source_id} if source_id else {}
        document = documents.insert(
            tx, tenant=tenant, kind=kind, body=stored(model), state="known", source=SOURCE, arrival=arrival,
            **columns(kind, model), **more,
        )  # fmt: skip
        tx.emit(tenant, f"{kind}.accepted", document=document.id, data={"number": document.number})
    else:
        document = there
        if stored(model) != (there.body or {}) or there.source is None:
            more = {"source": there.source or SOURCE} | ({"source_id": source_id} if source_id else {})
            document, _ = with_body(tx, there, kind, model.model_dump(), state="known", **more)
            tx.emit(tenant, f"{kind}.changed", document=document.id, data={"fields": sorted(said)})
    return Filed(document.id, spread(tx, spokes, document, posted=True))


def take_posted(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of a record that a program posted."""
    kind, said = arrival.kind.removeprefix(f"{SOURCE}-"), loads(arrival.body)
    filed = file_record(tx, spokes, arrival.tenant, kind, said, arrival=arrival.id)
    for operation in operations.find(tx, arrival=arrival.id):
        under_way(tx, operation, filed)
    return filed.document


# --- to every system that keeps it ------------------------------------------------------------------------------------


def spread(
    tx: Tx, spokes: Spokes, document: Document, *, but: Spoke | None = None, posted: bool = False
) -> Sequence[str]:
    """Have a record brought to every system that has it or shall have it; the work that does it.

    Args:
        but: where what is known of it comes from.
        posted: a program wants it in the ledgers: it is made there unless the mapping says `never`.
    """
    works = []
    for spoke in spokes.spokes(document.tenant):
        if (but and spoke.id == but.id) or document.kind not in spoke.mapping:
            continue
        link = links.of(tx, document.id, spoke.id, document.kind)
        wanted = makes(spoke, document, posted=posted) if link is None else bool(pending(tx, spoke, document, link))
        if wanted and (work := _once(tx, spoke, document)):
            works.append(work)
    return works


def makes(spoke: Spoke, document: Document, *, posted: bool = False) -> bool:
    """Whether a record that a system does not have shall be made there."""
    if document.kind not in spoke.mapping or (Kind(document.kind), "create") not in spoke.accounting.capabilities:
        return False
    creates = spoke.mapping[document.kind].bound.register.creates
    return creates == "always" or (creates == "needed" and (posted or document.source == SOURCE))


def pending(tx: Tx, spoke: Spoke, document: Document, link: Link) -> Mapping[str, Any]:
    """What of a record is to be told to a system that has it: fields that changed here since it was told."""
    mapper = spoke.mapping[document.kind]
    ours = view_of(mapper, record_of(document.kind, document.body).model_dump())
    return reconcile(Base(sent=link.base_sent or {}, seen={}), ours, {}, policy_of(mapper)).push


def _once(tx: Tx, spoke: Spoke, document: Document) -> str | None:
    """Work that brings it there: what is asked for already and not decided yet will see it as it is then."""
    waiting = [one for one in effects.live(tx, spoke, document.id) if one.goal is None]
    return waiting[-1].id if waiting else effects.push(tx, spoke, document.kind, document.id)
