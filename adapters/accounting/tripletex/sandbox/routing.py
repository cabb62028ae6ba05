"""The calls of the sandbox as a table: paths and parameters as in Tripletex' OpenAPI document, and what they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from adapters.accounting.tripletex.sandbox import forms, lists
from adapters.accounting.tripletex.sandbox.access import Access
from adapters.accounting.tripletex.sandbox.books import OSLO, Books
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid, parse_fields, show
from adapters.loopback.routing import NoRoute, Routes

RESULT_LIMIT = 10_000


class Reply(NamedTuple):
    """Status and body (None: without; bytes: a file)."""

    status: int
    body: Any


@dataclass(slots=True)
class Call:
    """One call: what the path, the query and the body say, and who asks."""

    books: Books
    access: Access
    base: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    id: int = 0
    name: str = ""
    limit: int = RESULT_LIMIT
    blind: bool = False
    """Whether the caller has no right to read here: then nothing is there."""
    token: str = ""
    """The employee token of the session."""
    companies: list[Thing] = field(default_factory=list)
    """The companies that the token reaches."""

    # --- answering ----------------------------------------------------------------------------------------------------

    def find(self, link: Link) -> Thing:
        """A record that the caller may see. Raises `SandboxError` (404)."""
        if not self.access.sees(link.type, link.id):
            raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
        return self.books.find(link)

    def target(self, type: str) -> Thing:
        """The record that the path means. Raises `SandboxError` (404)."""
        return self.find(Link(type, self.id))

    def one(self, thing: Thing, status: int = 200) -> Reply:
        """An answer with one thing: sub-objects only by id and url unless `fields` names what is wanted of them."""
        if self.blind:
            raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
        return Reply(status, {"value": self.shown([thing])[0]})

    def many(self, things: Iterable[Thing], status: int = 200) -> Reply:
        """An answer with a page of things, or 304 where the checksum that was sent still holds."""
        if self.blind:
            things = []
        hidden = self.access.hidden
        if hidden:
            things = (thing for thing in things if thing.get("id") not in hidden.get(thing.type, ()))
        wanted = self.query.get("id") or self.query.get("ids")
        if wanted:
            ids = {int(id) for id in wanted.split(",") if id.strip().isdigit()}
            things = (thing for thing in things if thing["id"] in ids)
        values, matched, start = lists.page(things, self.query, self.limit)
        known, digest = self.headers.get("if-none-match"), lists.NO_CHECKSUM
        if known is not None:
            digest = lists.checksum(values)
            if known.strip('"') == digest:
                return Reply(304, None)
        return Reply(status, lists.envelope(self.shown(values), matched, start, digest))

    def shown(self, things: Iterable[Thing]) -> list[dict[str, Any]]:
        """Things as the caller sees them."""
        tree = parse_fields(self.query.get("fields", ""))
        hidden = self.access.hiding(self.books.rules)
        return [show(thing, tree, self.find, self.base, hidden) for thing in things]

    # --- what was asked -----------------------------------------------------------------------------------------------

    def in_days(self, things: Iterable[Thing], field: str, first: str, last: str) -> Iterable[Thing]:
        """Those dated in [first, last): both must be said; the end is excluded."""
        start = forms.day(self.query.get(first), first).isoformat()
        end = forms.day(self.query.get(last), last).isoformat()
        if end <= start:
            raise invalid(last, "Til-dato må være etter fra-dato.")
        return (thing for thing in things if start <= thing[field] < end)

    def between(self, things: Iterable[Thing], field: str, first: str, last: str) -> Iterable[Thing]:
        """Those dated from `first`, before `last`, as far as they are said."""
        start = forms.day(self.query[first], first).isoformat() if self.query.get(first) else ""
        end = forms.day(self.query[last], last).isoformat() if self.query.get(last) else "9999-99-99"
        return (thing for thing in things if start <= thing.get(field, "") < end)

    def matching(self, things: Iterable[Thing], **fields: str) -> Iterable[Thing]:
        """Those whose fields equal the parameters given; a parameter may be a list."""
        loose = self.books.rules.loose_filters
        for parameter, name in fields.items():
            value = self.query.get(parameter)
            if not value:
                continue
            wanted = set(value.split(","))

            def fits(thing: Thing, name: str = name, wanted: set[str] = wanted) -> bool:
                held = thing.get(name)
                if loose and isinstance(held, str):
                    return any(text in held for text in wanted)
                if isinstance(held, bool):
                    held = "true" if held else "false"
                return str(held.id if isinstance(held, Link) else held) in wanted

            things = filter(fits, things)
        return things

    def containing(self, things: Iterable[Thing], **fields: str) -> Iterable[Thing]:
        """Those whose texts contain the parameters given, in whatever case."""
        for parameter, name in fields.items():
            if said := self.query.get(parameter, "").lower():
                things = [one for one in things if said in str(one.get(name) or "").lower()]
        return things

    def changed(self, things: Iterable[Thing]) -> Iterable[Thing]:
        """Those changed since `changedSince`, Norwegian wall time."""
        said = self.query.get("changedSince")
        if not said:
            return things
        try:
            since = datetime.strptime(said, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=OSLO).astimezone(UTC)
        except ValueError:
            raise invalid("changedSince", "Feil format på tidspunkt.") from None
        return (one for one in things if one["_changed"].replace(microsecond=0) >= since)

    def day(self, name: str) -> Any:
        """A query parameter as a date; it must be there."""
        return forms.day(self.query.get(name), name)

    def number(self, name: str) -> Decimal | None:
        """A query parameter as a number."""
        if self.query.get(name) in {None, ""}:
            return None
        try:
            return Decimal(self.query[name])
        except InvalidOperation:
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Et tall var ventet.")) from None

    def flag(self, name: str, default: bool) -> bool:
        """A query parameter as a truth value."""
        value = self.query.get(name)
        if value not in {None, "", "true", "false"}:
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "true eller false var ventet."))
        return default if not value else value == "true"

    def choice(self, name: str, choices: set[str], *, required: bool = False) -> str | None:
        """A query parameter that is one of some words."""
        value = self.query.get(name) or None
        if (value is None and required) or (value is not None and value not in choices):
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Ukjent verdi."))
        return value

    def demand(self, right: str) -> None:
        """Raises `SandboxError` (403) without the right."""
        if right not in self.access.rights:
            raise no_access()

    def module(self, name: str | None) -> None:
        """Raises `SandboxError` (403) where the package lacks the module."""
        if name is not None and name not in self.books.rules.modules:
            raise no_access()


def no_access() -> SandboxError:
    """403: no right, or not in the package."""
    return SandboxError(403, 9000, "Du har ikke tilgang til denne funksjonen.")


route = Routes[Call, Reply](id=r"\d+", name=r"[\w.]+")
"""The calls that exist."""
PAGING = "from count sorting fields"


def answer(call: Call, method: str, path: str) -> Reply:
    """What the call says and does. Raises `SandboxError`."""
    try:
        entry, found = route.find(method, path)
    except NoRoute as none:
        if none.known:
            raise SandboxError(405, 4000, "Metoden er ikke tillatt.") from None
        raise SandboxError(404, 6000, "Ressursen finnes ikke.") from None
    for name in call.query:
        if name not in entry.query:
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Parameteren finnes ikke."))
    if found:
        call.id, call.name = int(found[0]) if found[0].isdigit() else 0, found[0]
    for name in ("from", "count"):
        if not re.fullmatch(r"\d*", call.query.get(name, "")):
            raise SandboxError(422, 21000, "Ugyldig parameter.", (name, "Et heltall var ventet."))
    if call.access.lacks(method, path):
        if method != "GET" or call.books.rules.without_right == "403":
            raise no_access()
        call.blind = True
    return entry.run(call)
