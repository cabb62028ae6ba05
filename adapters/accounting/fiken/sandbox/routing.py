"""The calls of the sandbox as a table: paths and parameters as in Fiken's description, and what they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.errors import SandboxError, invalid, missing
from adapters.accounting.fiken.sandbox.store import Thing
from adapters.loopback.routing import NoRoute, Routes

MOST = 100
"""Entries of a page."""


class Reply(NamedTuple):
    """Status, body (None: without; bytes: a file) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


@dataclass(slots=True)
class Call:
    """One call to one company: what the path, the query and the body say."""

    books: Books
    base: str
    """Where the company's paths begin."""
    query: Mapping[str, str]
    body: Any
    ids: tuple[int, ...] = field(default=())

    def page(self, things: Iterable[Thing], shown: Callable[[Thing], Any]) -> Reply:
        """A page of what was found: a bare list, with what there is in the headers."""
        found = list(things)
        number, size = self.whole("page", 0), self.whole("pageSize", 25)
        if not 1 <= size <= MOST:
            raise invalid(f"pageSize må være mellom 1 og {MOST}")
        headers = {
            "Fiken-Api-Page": str(number),
            "Fiken-Api-Page-Size": str(size),
            "Fiken-Api-Page-Count": str(-(-len(found) // size)),
            "Fiken-Api-Result-Count": str(len(found)),
        }
        return Reply(200, [shown(one) for one in found[number * size :][:size]], headers)

    def made(self, path: str, id: int, status: int = 201) -> Reply:
        """What answers a write: an empty body, and where the thing is."""
        return Reply(status, None, {"Location": f"{self.base}{path}/{id}"})

    def whole(self, name: str, default: int) -> int:
        """A query parameter as a whole number."""
        said = self.query.get(name, "")
        if said and not re.fullmatch(r"\d+", said):
            raise invalid(f"Invalid value for {name}")
        return int(said) if said else default

    def flag(self, name: str) -> bool | None:
        """A query parameter as a truth value."""
        said = self.query.get(name)
        if said not in (None, "true", "false"):
            raise invalid(f"Invalid value for {name}")
        return None if said is None else said == "true"

    def dated(self, things: Iterable[Thing], **fields: str) -> Iterable[Thing]:
        """Those whose days fit the parameters: `date`, `dateLe`, `dateLt`, `dateGe`, `dateGt`."""
        tests: Mapping[str, Callable[[str, str], bool]] = {
            "": lambda have, said: have == said,
            "Le": lambda have, said: have <= said,
            "Lt": lambda have, said: have < said,
            "Ge": lambda have, said: have >= said,
            "Gt": lambda have, said: have > said,
        }
        for parameter, name in fields.items():
            for ending, fits in tests.items():
                if said := self.query.get(parameter + ending):
                    day = forms.day(said, parameter + ending).isoformat()
                    things = [one for one in things if fits(one.get(name) or "", day)]
        return things

    def equal(self, things: Iterable[Thing], **fields: str) -> Iterable[Thing]:
        """Those whose fields are what the parameters say."""
        for parameter, name in fields.items():
            if (said := self.query.get(parameter)) is not None:
                things = [one for one in things if _text(one.get(name)) == said]
        return things

    def containing(self, things: Iterable[Thing], **fields: str) -> Iterable[Thing]:
        """Those whose texts contain what the parameters say, in whatever case."""
        for parameter, name in fields.items():
            if said := self.query.get(parameter, "").lower():
                things = [one for one in things if said in str(one.get(name) or "").lower()]
        return things


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


route = Routes[Call, Reply](id=r"\d+")
"""The calls that exist, below the company."""
PAGING = "page pageSize"


def days(*names: str) -> str:
    """The parameters that filter by these days."""
    return " ".join(f"{name}{ending}" for name in names for ending in ("", "Le", "Lt", "Ge", "Gt"))


def answer(call: Call, method: str, path: str) -> Reply:
    """What the call says and does; `path` is below the company. Raises `SandboxError`."""
    try:
        entry, ids = route.find(method, path)
    except NoRoute as none:
        raise (SandboxError(405, "Method Not Allowed", shape="text") if none.known else missing()) from None
    for name in call.query:
        if name not in entry.query:
            raise invalid(f'Unrecognized parameter "{name}"')
    call.ids = tuple(int(id) for id in ids)
    return entry.run(call)
