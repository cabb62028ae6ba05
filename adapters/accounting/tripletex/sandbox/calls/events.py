"""Webhook subscriptions: which events there are, subscribing, changing, ending."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.subscriptions import EVENTS, change, subscribe
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing


def _model(event: str) -> str | None:
    subject, _, verb = event.partition(".")
    names = {"voucherstatus": "VoucherStatus", "archiverelation": "ArchiveRelation", "closeGroup": "CloseGroup"}
    return None if verb == "delete" else names.get(subject, subject.capitalize())


@route("GET", "/event", "fields")
def events(call: Call) -> Reply:
    """The events that can be subscribed to."""
    return Reply(200, {"value": {event: {"description": text} for event, text in EVENTS.items()}})


def _own(call: Call) -> list[Thing]:
    return [one for one in call.books.all("subscription") if one["_token"] == call.token]


def _target(call: Call, id: int) -> Thing:
    found = call.find(Link("subscription", id))
    if found["_token"] != call.token:
        raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
    return found


def _list(call: Call) -> list[Mapping[str, Any]]:
    if not isinstance(call.body, list):
        raise forms.wrong("", "En liste var ventet.")
    return call.body


@route("GET", "/event/subscription", PAGING)
def subscriptions(call: Call) -> Reply:
    """The token's own subscriptions."""
    return call.many(_own(call))


@route("GET", "/event/subscription/{id}", "fields")
def subscription(call: Call) -> Reply:
    """One of them, with its status."""
    return call.one(_target(call, call.id))


@route("POST", "/event/subscription")
def create(call: Call) -> Reply:
    """Subscribe the token to one event."""
    return call.one(subscribe(call.books, call.body, call.token), 201)


@route("POST", "/event/subscription/list")
def create_several(call: Call) -> Reply:
    """Subscribe to several."""
    return call.many([subscribe(call.books, said, call.token) for said in _list(call)], 201)


@route("PUT", "/event/subscription/{id}")
def change_one(call: Call) -> Reply:
    """Change one; `status` ACTIVE switches it on again."""
    found = _target(call, call.id)
    change(call.books, found, call.body)
    return call.one(found)


@route("PUT", "/event/subscription/list")
def change_several(call: Call) -> Reply:
    """Change several."""
    pairs = [(_target(call, forms.whole((said or {}).get("id"), "id")), said) for said in _list(call)]
    for found, said in pairs:
        change(call.books, found, said)
    return call.many([found for found, _ in pairs])


@route("DELETE", "/event/subscription/{id}")
def end(call: Call) -> Reply:
    """End one."""
    call.books.remove(_target(call, call.id))
    return Reply(204, None)


@route("DELETE", "/event/subscription/list", "ids")
def end_several(call: Call) -> Reply:
    """End several."""
    found = [_target(call, int(id)) for id in call.query.get("ids", "").split(",") if id.strip().isdigit()]
    for one in found:
        call.books.remove(one)
    return Reply(204, None)


@route("GET", "/event/{name}", "fields")
def event(call: Call) -> Reply:
    """One of the events. Last in the table: the name may be any word."""
    if call.name not in EVENTS:
        raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
    value: dict[str, Any] = {"name": call.name, "description": EVENTS[call.name], "examples": []}
    if model := _model(call.name):
        value["payloadModel"] = model
    return Reply(200, {"value": value})
