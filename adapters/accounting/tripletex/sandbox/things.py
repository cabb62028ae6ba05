"""The things in the sandbox's books: how they refer to each other, and how `fields` shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from adapters.accounting.tripletex.sandbox.fields import FIELDS, PATHS, WRITE_ONLY
from adapters.loopback import Refused


class Link(NamedTuple):
    """A reference from one thing to another; shown as `{id, url}` unless `fields` names what is wanted of it."""

    type: str
    id: int


class Thing(dict[str, Any]):
    """One thing, by the vendor's field names; names that begin with `_` are the sandbox's own."""

    type: str

    def __init__(self, type: str, /, **values: Any) -> None:
        super().__init__(values)
        self.type = type


class SandboxError(Refused):
    """An answer in the shape of Tripletex' error body."""

    def __init__(self, status: int, code: int, message: str, *problems: tuple[str, str]) -> None:
        super().__init__(status, message)
        self.code, self.problems = code, problems

    def body(self, request_id: str) -> dict[str, Any]:
        """As on the wire."""
        return {
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "link": "https://tripletex.no/v2-docs/",
            "developerMessage": None,
            "validationMessages": [
                {"field": field or None, "message": message, "path": field or None, "rootId": None}
                for field, message in self.problems
            ],
            "requestId": request_id,
        }


def invalid(field: str, message: str) -> SandboxError:
    """422: what was sent is not accepted."""
    return SandboxError(422, 18000, "Validering feilet.", (field, message))


Tree = dict[str, Any]
"""A parsed `fields`: name to subtree (empty: as it comes)."""

_WORD = re.compile(r"[A-Za-z0-9_*]+")


def parse_fields(text: str) -> Tree:
    """`id,customer(id,name)` as a tree; empty text means `*`."""
    tree, rest = _parse(text or "*", 0)
    if rest != len(text or "*"):
        raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", f"Uventet tegn på plass {rest}."))
    return tree


def _parse(text: str, at: int) -> tuple[Tree, int]:
    tree: Tree = {}
    while True:
        word = _WORD.match(text, at)
        if not word:
            raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", f"Uventet tegn på plass {at}."))
        at = word.end()
        tree[word[0]] = {}
        if text[at : at + 1] == "(":
            tree[word[0]], at = _parse(text, at + 1)
            if text[at : at + 1] != ")":
                raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", "Mangler )."))
            at += 1
        if text[at : at + 1] != ",":
            return tree, at
        at += 1


_SECRET = {type for type, _ in WRITE_ONLY}
Find = Callable[[Link], Thing]
Hidden = Callable[[str, str], bool]
"""Whether the caller's rights or the customer's package hide a field: (type, field)."""


def show(thing: Thing, tree: Tree, find: Find, host: str, hidden: Hidden | None = None) -> dict[str, Any]:
    """The thing as an answer carries it. Raises `SandboxError` (400) for a field that does not exist."""
    known = FIELDS[thing.type]
    names = [name for name in tree if name != "*"]
    for name in names:
        if name not in known:
            said = f"{name} finnes ikke i {thing.type}."
            raise SandboxError(400, 11000, "Ugyldig feltfilter.", ("fields", said))
    if "*" in tree:
        names += [name for name in known if name not in tree and name != "changes"]
    names = [name for name in names if (thing.type, name) not in WRITE_ONLY] if thing.type in _SECRET else names
    shown: dict[str, Any] = {}
    for name in names:
        if hidden is not None and hidden(thing.type, name):
            continue
        if name == "url":
            shown[name] = _url(host, thing.type, thing["id"])
            continue
        value = thing.get(name)
        if callable(value):
            value = value()
        if value is None:
            continue
        if isinstance(value, Link):
            value = _linked(value, tree.get(name), find, host, hidden)
        elif isinstance(value, list) and value and isinstance(value[0], Link):
            value = [_linked(link, tree.get(name), find, host, hidden) for link in value]
        elif isinstance(value, Thing):
            value = show(value, tree.get(name) or {"*": {}}, find, host, hidden)
        shown[name] = value
    return shown


def _linked(link: Link, tree: Tree | None, find: Find, host: str, hidden: Hidden | None) -> dict[str, Any]:
    """What is wanted of the thing meant; only where it is when it cannot be seen."""
    if tree:
        try:
            found = find(link)
        except SandboxError:
            pass
        else:
            return show(found, tree, find, host, hidden)
    return {"id": link.id, "url": _url(host, link.type, link.id)}


def _url(host: str, type: str, id: int) -> str:
    return f"{host}/{PATHS.get(type, type)}/{id}"
