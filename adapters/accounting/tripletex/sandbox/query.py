"""What Tripletex' list calls have in common: choosing fields, sorting, paging, the limit of a result, checksums."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.accounting.tripletex.sandbox.errors import Refusal

Thing = dict[str, Any]
Fields = Mapping[str, "Fields | None"]

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "customer": {"currency": "currency"},
    "address": {"country": "country"},
    "order": {
        "customer": "customer",
        "currency": "currency",
        "department": "department",
        "project": "project",
        "preliminaryInvoice": "invoice",
        "orderLines": "orderLine",
    },
    "orderLine": {"vatType": "vatType", "product": "product", "order": "order"},
    "invoice": {
        "customer": "customer",
        "currency": "currency",
        "voucher": "voucher",
        "orders": "order",
        "orderLines": "orderLine",
        "postings": "posting",
    },
    "voucher": {"postings": "posting"},
    "posting": {
        "voucher": "voucher",
        "account": "account",
        "customer": "customer",
        "vatType": "vatType",
        "currency": "currency",
        "closeGroup": "closeGroup",
    },
    "closeGroup": {"postings": "posting"},
    "paymentType": {"debitAccount": "account"},
    "product": {"vatType": "vatType", "currency": "currency"},
    "company": {"currency": "currency"},
    "session": {"company": "company"},
}
"""Which fields hold other things (or lists of them), by kind: stored as their ids."""

EMBEDDED: Mapping[str, str] = {"postalAddress": "address", "physicalAddress": "address", "address": "address"}
"""Fields whose things live inside their owner."""


def parse_fields(text: str) -> Fields:
    """`*,customer(id,name)` as a tree; 400/11000 where it is none."""
    tokens = re.findall(r"[\w*]+|[(),]", text)
    if "".join(tokens) != text.replace(" ", ""):
        raise Refusal(400, 11000, "Ugyldig filter.", ("fields", text[:100]))
    at = 0

    def level() -> dict[str, Fields | None]:
        nonlocal at
        found: dict[str, Fields | None] = {}
        while at < len(tokens) and tokens[at] != ")":
            name = tokens[at]
            at += 1
            if name in "(),":
                raise Refusal(400, 11000, "Ugyldig filter.", ("fields", text[:100]))
            found[name] = None
            if at < len(tokens) and tokens[at] == "(":
                at += 1
                found[name] = level()
                if at >= len(tokens):
                    raise Refusal(400, 11000, "Ugyldig filter.", ("fields", text[:100]))
                at += 1
            if at < len(tokens) and tokens[at] == ",":
                at += 1
        return found

    tree = level()
    if at != len(tokens):
        raise Refusal(400, 11000, "Ugyldig filter.", ("fields", text[:100]))
    return tree


class Shower:
    """Shows things with the fields asked for. `find(kind, id)` resolves references; `known` are a kind's fields."""

    def __init__(
        self,
        find: Callable[[str, int], Thing],
        known: Mapping[str, Iterable[str]],
        base: Callable[[], str],
        changes: Callable[[int], Any],
    ) -> None:
        self._find = find
        self._known = {kind: frozenset(fields) | {"id", "version", "url", "changes"} for kind, fields in known.items()}
        self._base = base
        self._changes = changes

    def show(self, kind: str, thing: Thing, fields: Fields) -> Thing:
        """What the answer holds. Fields that are empty are left out."""
        names: Iterable[str] = fields
        if "*" in fields:
            names = [*(name for name in thing if name not in fields), "url", *(name for name in fields if name != "*")]
        references, known = REFERENCES.get(kind, {}), self._known.get(kind)
        shown: Thing = {}
        for name in names:
            if known is not None and name not in known:
                raise Refusal(400, 11000, "Ugyldig filter.", ("fields", f"Ukjent felt: {kind}.{name}"))
            value, inner = thing.get(name), fields.get(name)
            if name == "url":
                value = f"{self._base()}/{kind}/{thing['id']}" if "id" in thing else None
            elif name == "changes":
                value = self._changes(thing["id"])
            elif value is None:
                continue
            elif name in references:
                value = self._referred(references[name], value, inner)
            elif name in EMBEDDED:
                value = self.show(EMBEDDED[name], value, inner or {"*": None})
            if value is not None:
                shown[name] = value
        return shown

    def _referred(self, kind: str, value: Any, fields: Fields | None) -> Any:
        if isinstance(value, list):
            return [self._referred(kind, one, fields) for one in value]
        if fields is None:
            return {"id": value, "url": f"{self._base()}/{kind}/{value}"}
        return self.show(kind, self._find(kind, value), fields)


def in_order(things: list[Thing], sorting: str) -> list[Thing]:
    """Sorted as asked; else newest first, so that nobody relies on an order he did not ask for."""
    for key in reversed([part.strip() for part in sorting.split(",") if part.strip()] or ["-id"]):
        name = key.lstrip("-")
        try:
            things = sorted(things, key=lambda thing: thing[name], reverse=key.startswith("-"))
        except (KeyError, TypeError):
            raise Refusal(422, 17000, "Sortering feilet.", ("sorting", f"Kan ikke sortere på {name}.")) from None
    return things


def page(things: list[Thing], query: Mapping[str, str], limit: int) -> list[Thing]:
    """The piece asked for; 422/23000 when more match than may."""
    if len(things) > limit:
        raise Refusal(422, 23000, "Resultatet er for stort.", ("count", f"Mer enn {limit} treff."))
    start, count = int(query.get("from") or 0), int(query.get("count") or 1000)
    return in_order(things, query.get("sorting", ""))[start : start + count]


def checksum(things: Iterable[Thing]) -> str:
    """Knows things by id and version only: what changes in a thing they refer to goes unnoticed."""
    known = ",".join(f"{thing['id']}:{thing.get('version')}" for thing in things)
    return hashlib.md5(known.encode(), usedforsecurity=False).hexdigest()
