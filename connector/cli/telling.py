"""The story of a document as a person reads it: times of this place, calls in a line each, what to do where it waits.

Pure: story entries in, lines of text out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from connector.lanes.story import Entry
from connector.model.json import dumps, loads

WIDTH = 300
"""Characters of what was sent or answered that are shown; `--format json` has all of it."""

Names = Mapping[str, str]
"""Connections' names by their ids."""


def tell(entries: Iterable[Entry], names: Names) -> Iterator[tuple[str, list[str]]]:
    """Each entry as a headline that begins with its time, and the lines below it.

    What a work did is told by its attempts; the work itself is told only where it is not over.
    """
    for entry in entries:
        headline, lines = _TELL[entry.kind](entry, names)
        if headline:
            yield f"{moment(entry.at)}  {headline}", lines


def moment(at: datetime) -> str:
    """A moment in the time of this place."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def error_lines(error: Mapping[str, Any] | None) -> list[str]:
    """What went wrong, what the system itself said of it, and what helps."""
    if not error:
        return []
    said = [f"{error.get('code', 'error')}: {error.get('message', '')}"]
    if error.get("vendor"):
        said.append(f"the system says: {short(error['vendor'])}")
    if error.get("do"):
        said.append(f"what helps: {error['do']}")
    return said


def differing(details: Any) -> Iterator[str]:
    """What each side says of a field in dispute, since when and by whom; nothing for what is no such question."""
    found = details.get("details") if isinstance(details, Mapping) else None
    for one in found if isinstance(found, list) else ():
        if not (isinstance(one, Mapping) and "changed" in one):
            continue
        yield f"{one['field']}" + (f"   (was {short(str(one['known']), 60)})" if one.get("known") is not None else "")
        for side, word in (("ours", "here "), ("theirs", "there")):
            change = one["changed"][side]
            at = moment(datetime.fromisoformat(change["at"])) if change["at"] else "when is not known"
            mark = "  <- proposed" if one.get("proposal") == side else ""
            yield f"  {word} ({side}): {short(str(one[side]), 60)}   {at}, {change['by']}{mark}"
        if one.get("proposal") is None:
            yield "  nothing is proposed: which side changed it last is not known"


def call_lines(call: Mapping[str, Any]) -> list[str]:
    """One call: method, path, status, seconds; what was sent and answered, shortened."""
    url = urlsplit(str(call.get("url", "")))
    path = unquote(url.path + (f"?{url.query}" if url.query else ""))
    ended = str(call["status"]) if call.get("status") else "no answer"
    lines = [f"{call.get('method', '')} {short(path, 90)}  {ended}  {float(call.get('seconds') or 0):.2f} s"]
    for word, name in (("sent", "request"), ("answered", "answer"), ("failed", "error")):
        if call.get(name):
            lines.append(f"    {word}: {short(readable(call[name]))}")
    return lines


def readable(said: Any) -> str:
    """JSON text with its letters as letters (`å`, not an escape); anything else as it is."""
    try:
        return dumps(loads(said) if isinstance(said, str) else said).decode()
    except ValueError:
        return str(said)


def short(text: Any, most: int = WIDTH) -> str:
    """In one line of at most so many characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def facts(data: Mapping[str, Any], *names: str) -> str:
    """Those of the facts that are there: `number 10017, KID 0001100171`."""
    words = {"kid": "KID", "vendor_id": "id"}
    return ", ".join(f"{words.get(name, name)} {data[name]}" for name in names if data.get(name) not in (None, ""))


Told = tuple[str, list[str]]


def _arrival(entry: Entry, names: Names) -> Told:
    source = entry.data.get("source", "")
    if source in names and entry.what == "peppol-message":
        return f"Came through {names[source]}, {entry.data.get('state')}", error_lines(entry.data.get("error"))
    kind = entry.what.removeprefix("api-").removeprefix("record-")
    if source in names:
        vendor_id = "".join(entry.data.get("key", "").split("/")[1:2])
        headline = f"Read in {names[source]}: {kind} {vendor_id}"
    else:
        headline = f"Received from a program: {kind} ({entry.data.get('content_type', '')})"
    if entry.data.get("state") not in ("handled", None):
        headline += f", {entry.data['state']}"
    return headline, error_lines(entry.data.get("error"))


def _event(entry: Entry, names: Names) -> Told:
    said: Mapping[str, Any] = entry.data.get("data") or {}
    tell_it = _EVENTS.get(entry.what)
    if tell_it is not None:
        return tell_it(said, names), []
    kind, _, what = entry.what.partition(".")
    where = f" in {said['connection']}" if said.get("connection") else ""
    lines = [
        f"{one['field']}: here {one.get('ours')}, there {one.get('theirs')}" for one in said.get("differences") or ()
    ]
    lines += [*(said.get("notes") or ()), *(one["why"] for one in said.get("left_out") or ())]
    more = f" ({', '.join(said['fields'])})" if said.get("fields") else ""
    return f"{_WORDS.get(what, what).capitalize()}{where}: {kind}{more}", lines


def _received(said: Mapping[str, Any], names: Names) -> str:
    by = said.get("source", "")
    where = f"seen in {names[by]}" if by in names else "told by a program"
    return (
        f"Paid {said.get('amount')} {said.get('currency', '')} on {said.get('date')}, {where};"
        f" {said.get('open')} still open"
    )


def _booked(said: Mapping[str, Any], _: Names) -> str:
    return (
        f"Issued elsewhere, booked in {said.get('connection')}: {facts(said, 'number', 'voucher', 'vendor_id')};"
        f" {said.get('payable')} {said.get('currency', '')}"
    )


def _noted(said: Mapping[str, Any], _: Names) -> str:
    if (why := said.get("said")) is not None:
        return f"No note about it ({said.get('title')}): {why}"
    return f"A note lies on it in {said.get('connection')}: {said.get('title')}"


def _sent(said: Mapping[str, Any], names: Names) -> str:
    if said.get("by"):
        return f"Sent by {said['by']} itself: {facts(said, 'channel', 'said')}"
    return _peppol("The receiver's access point has it")(said, names)


def _not_delivered(said: Mapping[str, Any], _: Names) -> str:
    reasons = said.get("reasons") or ()
    why = "; ".join(": ".join(filter(None, (one.get("code"), one.get("text")))) for one in reasons)
    return f"Not delivered: {why or said.get('said')}"


def _peppol(words: str) -> Callable[[Mapping[str, Any], Names], str]:
    def tell_it(said: Mapping[str, Any], _: Names) -> str:
        return f"{words} ({said.get('access_point') or 'a message from there'}: {said.get('said')})"

    return tell_it


_EVENTS: Mapping[str, Callable[[Mapping[str, Any], Names], str]] = {
    "invoice.accepted": lambda said, _: (
        f"Accepted: {said.get('payable')} {said.get('currency', '')} on the route {said.get('route')}"
    ),
    "invoice.issued": lambda said, _: (
        f"Issued in {said.get('connection')}: {facts(said, 'number', 'kid', 'voucher', 'vendor_id')};"
        f" {said.get('payable')} {said.get('currency', '')}"
    ),
    "payment.received": _received,
    "invoice.booked": _booked,
    "credit_note.booked": _booked,
    "payment.booked": lambda said, _: f"Booked in {said.get('connection')}: {facts(said, 'voucher', 'vendor_id')}",
    **{
        f"{kind}{what}": words
        for kind in ("invoice.", "credit_note.", "supplier_invoice.response_")
        for what, words in {
            "sending": _peppol("The access point has it and tries"),
            "sent": _sent,
            "delivered": _peppol("Delivered by the receiver's access point"),
            "not_delivered": _not_delivered,
        }.items()
    },
    **{
        f"{kind}.response": lambda said, _: f"The customer answers ({said.get('status')}): {said.get('title')}"
        for kind in ("invoice", "credit_note")
    },
    "supplier_invoice.answered": lambda said, _: f"Answered: {said.get('status')}",
    "invoice.not_sent": lambda said, _: f"{said.get('by')} could not send it: {facts(said, 'channel', 'said')}",
    **{
        f"{kind}.{what}": _noted
        for kind in ("invoice", "credit_note", "supplier_invoice")
        for what in ("noted", "not_noted")
    },
    "customer.linked": lambda said, _: f"Customer is in {said.get('connection')}: {facts(said, 'number', 'vendor_id')}",
}
_WORDS = {
    "found": "found",
    "changed": "changed",
    "drift": "differs from what was issued",
    "conflict": "changed on both sides",
    "held": "held for a person",
    "recognised": "the ledger had received it itself",
    "matched": "is there already",
}


def _work(entry: Entry, names: Names) -> Told:
    state = entry.data.get("state", "")
    if state in ("done",):
        return "", []
    where = names.get(entry.data.get("connection", ""), "a connection that is gone")
    what = entry.what.removeprefix("push-")
    lines = error_lines(entry.data.get("error"))
    for need in entry.data.get("waits_for", ()):
        lines.append(f"waits for {need['kind'].removeprefix('push-')} {need['document']} ({need['state']})")
    if state == "queued" and entry.data.get("due"):
        lines.append(f"next try from {moment(entry.data['due'])}")
    return f"To be brought to {where}: {what}, {_STATES.get(state, state)}", lines


_STATES = {
    "blocked": "waits for something else first",
    "queued": "in the queue",
    "running": "being done",
    "unknown": "it is looked for what became of it",
    "parked": "waits for a person",
    "cancelled": "cancelled",
}


def _attempt(entry: Entry, names: Names) -> Told:
    data = entry.data
    outcome = _OUTCOMES.get(data.get("outcome", ""), data.get("outcome", ""))
    what = "Looked for" if data.get("what") == "look" else "Called"
    headline = f"{what}: {entry.what}, {outcome}"
    if data.get("vendor_id"):
        headline += f" (id {data['vendor_id']})"
    lines = [line for call in data.get("exchanges") or () for line in call_lines(call)]
    return headline, lines + error_lines(data.get("error"))


_OUTCOMES = {
    "proved": "done",
    "disproved": "did not happen",
    "unknown": "no answer: it may or may not have happened",
    "no end": "no end is known: it may or may not have happened",
}


def _attention(entry: Entry, names: Names) -> Told:
    data = entry.data
    if data.get("closed"):
        return f"Waited for a person: {entry.what}; settled {moment(data['closed'])} ({data.get('how')})", [
            data.get("said", "")
        ]
    return f"Waits for a person: {entry.what}", [data.get("said", ""), f"what helps: {data.get('do', '')}"]


def _decision(entry: Entry, names: Names) -> Told:
    about = facts(entry.data.get("details") or {}, "code", "vendor_id", "why")
    return f"{entry.data.get('who')} decided: {entry.what}" + (f" ({about})" if about else ""), []


_TELL: Mapping[str, Callable[[Entry, Names], Told]] = {
    "arrival": _arrival,
    "event": _event,
    "work": _work,
    "attempt": _attempt,
    "attention": _attention,
    "decision": _decision,
}
