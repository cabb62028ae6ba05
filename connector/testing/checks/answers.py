"""Answers that are not quite as described: an unknown field is harmless, a missing one is an error by name."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from connector.errors import ConnectorError
from connector.ports import Kind, Record
from connector.testing.bench import Failing, NotApplicable
from connector.testing.check import Check, Make, able
from connector.testing.checks.reading import FOLLOWED, Follower, made, reads_kind
from connector.testing.proxy import Call, Proxy
from connector.testing.stories import INVOICE, STORIES, Story, books, ends, sale
from connector.testing.trial import OVER, SOON, Trial, trial

DEEP = 2
"""How deep in an answer to a write a field is looked for: what is further inside belongs to something else."""
UNKNOWN = {"kitUnknown": {"nested": [1, "x"]}}
Path = tuple[str, ...]
"""Where a field is in an answer, by names; `[]` stands for every item of a list."""


def grown(value: Any) -> Any:
    """The same answer, with a field more in every object of it."""
    if isinstance(value, dict):
        return {name: grown(one) for name, one in value.items()} | UNKNOWN
    return [grown(one) for one in value] if isinstance(value, list) else value


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every field of an answer."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield (*at, name)
            yield from paths(one, (*at, name))
    elif isinstance(value, list):
        for one in value:
            yield from paths(one, (*at, "[]"))


def without(value: Any, path: Path) -> Any:
    """The same answer without that field."""
    value = copy.deepcopy(value)
    _drop(value, path)
    return value


def _drop(value: Any, path: Path) -> None:
    first, *rest = path
    if isinstance(value, list) and first == "[]":
        for one in value:
            _drop(one, tuple(rest))
    elif isinstance(value, dict) and first in value:
        if rest:
            _drop(value[first], tuple(rest))
        else:
            del value[first]


def _more(proxy: Proxy) -> list[Call]:
    """Have a field more in every answer from now on; the calls that it was in the answer to."""
    calls: list[Call] = []

    def more(call: Call, answer: Any) -> Any:
        if (changed := grown(answer)) != answer:
            calls.append(call)
        return changed

    proxy.rewrite = more
    return calls


def _heard(proxy: Proxy, fields: dict[Path, None], *, writes: bool = False) -> None:
    """Note the fields of the answers from now on, or of those to writes."""

    def note(call: Call, answer: Any) -> Any:
        if call.writes or not writes:
            fields.update(dict.fromkeys(paths(answer)))
        return answer

    proxy.rewrite = note


# --- more than is known -----------------------------------------------------------------------------------------------


async def _unknown(make: Make, story: Story) -> None:
    async with trial(make, story.issues) as it:
        able(it, story)
        await story.prepare(it)
        before = await books(it, story)
        it.proxy.mark()
        calls = _more(it.proxy)
        await ends(it, story, await story.act(it), before)
        if not calls and it.proxy.since and all(call.writes for call in it.proxy.since):
            raise NotApplicable("it reads nothing, and its writes are answered without a body")
        if not calls:
            raise Failing("It is done, and no answer had a field in it.")


async def _unknown_read(make: Make, kind: Kind) -> None:
    async with trial(make) as it:
        reads_kind(it, kind)
        await made(it, kind, 0)
        plain = await _some(it, kind)
        _more(it.proxy)
        try:
            rich = await Follower(it, kind).news()
        except ConnectorError as error:
            raise Failing(
                f"With a field more in every answer {kind} cannot be read: {error} ({error.code})."
            ) from error
        if len(rich) != len(plain):
            raise Failing(f"With a field more in every answer {len(rich)} of {len(plain)} {kind} are told of.")
        for one, other in zip(plain, rich, strict=True):
            if invented := differs(one, other):
                raise Failing(f"With a field more in every answer {kind} {one.id} shows something else: {invented}.")


async def _some(it: Trial, kind: Kind) -> list[Record]:
    """What is read of a kind. Raises `Failing` where that is nothing: there is one."""
    if not (found := await Follower(it, kind).news()):
        raise Failing(f"There is a {kind} in the books, and nothing is told of it.")
    return found


# --- less than is needed ----------------------------------------------------------------------------------------------


def flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a body, with its place."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from flat(one, f"{at}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for n, one in enumerate(value):
            yield from flat(one, f"{at}[{n}]")
    else:
        yield at, value


def differs(before: Record, now: Record) -> str | None:
    """What a record says that it did not say before; None where it says the same, or less."""
    was = dict(flat(before.body))
    for place, value in flat(now.body):
        if value not in (None, "") and was.get(place) != value:
            return f"`{place}` is {value!r}, not {was.get(place)!r}"
    for name in ("open_amount", "customer", "match", "dispatch"):
        value = getattr(now, name)
        if value is not None and value != getattr(before, name):
            return f"{name} is {value!r}, not {getattr(before, name)!r}"
    return None


def names_it(said: Any, path: Path) -> bool:
    """Whether an error in what was said names the field that was missing: in its message, or in its place."""
    name = next(part for part in reversed(path) if part != "[]")
    word = re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", re.IGNORECASE)
    return any(word.search(text) for text in _errors(said))


def _errors(said: Any) -> Iterator[str]:
    if isinstance(said, Mapping):
        if "code" in said and "message" in said:
            yield str(said["message"])
            yield from (str(value) for value in (said.get("where") or {}).values())
        for one in said.values():
            yield from _errors(one)
    elif isinstance(said, list):
        for one in said:
            yield from _errors(one)


async def _missing(make: Make, kind: Kind) -> None:
    """Each field of each answer is left out once: an error that names it, or a record that is no other than before."""
    async with trial(make) as it:
        reads_kind(it, kind)
        await made(it, kind, 0)
        fields: dict[Path, None] = {}
        _heard(it.proxy, fields)
        whole = {record.id: record for record in await _some(it, kind)}
        wrong = [said for path in fields if (said := await _read_without(it, kind, path, whole))]
        if wrong:
            raise Failing(" ".join(wrong))


async def _read_without(it: Trial, kind: Kind, path: Path, whole: Mapping[str, Record]) -> str | None:
    place = ".".join(path)
    it.proxy.rewrite = lambda call, answer: without(answer, path)
    try:
        found = {record.id: record for record in await Follower(it, kind).news()}
    except ConnectorError as error:
        return (
            None
            if names_it(error.as_json(), path)
            else f"Without `{place}`: {error} ({error.code}), which does not name it."
        )
    except Exception as error:
        return f"Without `{place}`: {type(error).__name__} ({error}), which is no error of `connector.errors`."
    finally:
        it.proxy.rewrite = None
    if found.keys() != whole.keys():
        return f"Without `{place}` of {len(whole)} records {len(found)} are told of, and no error says so."
    invented = next((said for id, record in found.items() if (said := differs(whole[id], record))), None)
    return f"Without `{place}` something is made up: {invented}." if invented else None


async def _missing_written(make: Make, story: Story) -> None:
    """Each field of each answer to a write is left out once: it is done all the same, or an error names it; and once
    the vendor answers as described again it ends as it should.
    """
    async with trial(make, story.issues) as it:
        able(it, story)
        fields: dict[Path, None] = {}
        _heard(it.proxy, fields, writes=True)
        await made(it, Kind.INVOICE, 0)
        if not fields and any(call.writes and call.status is not None for call in it.proxy.calls):
            raise NotApplicable("writes are answered without a body")
        if not fields:
            raise Failing("An invoice came to be, and no write was seen.")
        wrong = []
        for n, path in enumerate((path for path in fields if len(path) <= DEEP), 1):
            said = await _written_without(it, story, path, n)
            if said:
                wrong.append(f"Without `{'.'.join(path)}`: {said}")
        if wrong:
            raise Failing(" ".join(wrong))


async def _written_without(it: Trial, story: Story, path: Path, n: int) -> str | None:
    before = await books(it, story)
    it.proxy.rewrite = lambda call, answer: without(answer, path) if call.writes else answer
    operation = await it.post("/v1/invoices", sale(it, n))
    end = time.monotonic() + SOON
    while True:  # a vendor that works on it for a while is not done at once
        await it.house.work_until_idle(within=0.5)
        said = await it.get(operation)
        told = [await it.get(f"/v1/documents/{said['document']}/story")] if said.get("document") else []
        heard = names_it([said, *told], path)
        if heard or said["state"] in OVER or time.monotonic() > end:
            break
    it.proxy.rewrite = None
    if said["state"] != "done" and not heard:
        return f"it is {said['state']}, and no error names the field."
    try:
        await ends(it, story, operation, before)
    except Failing as failing:
        return str(failing)
    return None


CHECKS = (
    Check("missing-field-written", "A field that is missing in the answer to a write: once all the same, and named.",
          partial(_missing_written, story=INVOICE)),
    *(Check(f"unknown-field-{story.name}", "A field that nobody knows in every answer is harmless to a flow.",
            partial(_unknown, story=story)) for story in STORIES),
    *(Check(f"unknown-field-read-{kind}", "A field that nobody knows in every answer is harmless to reading.",
            partial(_unknown_read, kind=kind)) for kind in FOLLOWED),
    *(Check(f"missing-field-{kind}", "A field that is missing is an error that names it, and nothing is made up.",
            partial(_missing, kind=kind)) for kind in FOLLOWED),
)  # fmt: skip
