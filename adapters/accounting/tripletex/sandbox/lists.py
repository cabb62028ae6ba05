"""What Tripletex' list calls have in common: sorting, paging, the limit of a result, checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.accounting.tripletex.sandbox.things import SandboxError, Thing

NO_CHECKSUM = "Checksum is only computed for requests with If-None-Match"


def in_order(things: list[Thing], sorting: str) -> list[Thing]:
    """Sorted as asked; else newest first, so that nobody relies on an order that was not asked for."""
    for key in reversed([part.strip() for part in sorting.split(",") if part.strip()] or ["-id"]):
        name = key.removeprefix("-")
        try:
            things = sorted(things, key=lambda thing: thing[name], reverse=key != name)
        except (KeyError, TypeError):
            raise SandboxError(422, 17000, "Sortering feilet.", ("sorting", f"Kan ikke sortere på {name}.")) from None
    return things


def page(things: Iterable[Thing], query: Mapping[str, str], limit: int) -> tuple[list[Thing], int, int]:
    """The piece asked for, how many matched, and where it begins; 422/23000 when more match than may."""
    found = list(things)
    if len(found) > limit:
        raise SandboxError(422, 23000, "Resultatet er for stort.", ("count", f"Mer enn {limit} treff."))
    start, count = int(query.get("from") or 0), int(query.get("count") or 1000)
    return in_order(found, query.get("sorting", ""))[start : start + count], len(found), start


def checksum(things: Iterable[Thing]) -> str:
    """Knows things by id and version only: what changes in things they refer to goes unnoticed."""
    known = ",".join(f"{thing['id']}:{thing['version']}" for thing in things)
    return hashlib.md5(known.encode(), usedforsecurity=False).hexdigest()


def envelope(values: list[Any], matched: int, start: int, digest: str) -> dict[str, Any]:
    """A list answer."""
    return {"fullResultSize": matched, "from": start, "count": len(values), "versionDigest": digest, "values": values}
