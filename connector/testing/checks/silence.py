"""Secrets: none of them is in a log, in an error, or in what people are shown, whatever a vendor says."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from structlog.testing import capture_logs

from connector.ports import Kind
from connector.testing.bench import Failing
from connector.testing.check import Check, Make, able
from connector.testing.proxy import LOST, Fate, echo
from connector.testing.stories import INVOICE, Story
from connector.testing.trial import Trial, trial

STRIKES = (echo(400), echo(401), echo(403), echo(500), LOST)


class _Lines(logging.Handler):
    """Every record of every logger, as text, with its traceback."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.into = into
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.into.append(self.format(record))


@contextmanager
def listening() -> Iterator[list[Any]]:
    """What is logged, at every level: by `logging`, and by structlog."""
    lines: list[Any] = []
    handler, root = _Lines(lines), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with capture_logs() as events:
            yield lines
        lines += events
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def secrets_of(it: Trial) -> set[str]:
    """What nobody may see: the secrets given, what calls proved themselves with, and both as an address has them."""
    plain = it.secrets | it.proxy.credentials()
    return {form for secret in plain for form in (secret, quote(secret, safe=""))}


async def _silent(make: Make, fate: Fate, story: Story) -> None:
    """A vendor that repeats all it is told when it refuses: at every call of a flow, and when it is read."""
    for number in range(100):
        async with trial(make, story.issues) as it:
            able(it, story)
            seen: list[str] = []
            with listening() as lines:
                await story.prepare(it)
                it.proxy.mark()
                it.proxy.at(number, fate)
                operation = await story.act(it)
                await it.house.work_until_idle(within=1.5)
                hit = any(call.fate for call in it.proxy.since)
                seen += [str(await it.get(operation)), await it.everything_said()]
                if number == 0 or not hit:
                    it.proxy.fate = lambda n, call: fate
                    seen += await _raised(it)
                    it.proxy.fate = None
            _nothing_in([*seen, *map(str, lines)], it)
            if not hit and number == 0:
                raise Failing("No call was made that could have been refused.")
            if not hit:
                return


async def _raised(it: Trial) -> list[str]:
    """What errors say of calls that fail, tracebacks included."""
    accounting, said = it.accounting, []
    for call in (
        accounting.probe,
        accounting.options,
        accounting.company,
        partial(_first, it),
        partial(accounting.read, Kind.INVOICE, "1"),
    ):
        try:
            await it.ask(call())
        except Exception as error:
            said.append("".join(traceback.format_exception(error)) + repr(getattr(error, "__dict__", "")))
    return said


async def _first(it: Trial) -> None:
    kind = it.accounting.readings[0].kind
    await it.accounting.changes(kind, await it.accounting.begin(kind, date(2026, 1, 1)))


def _nothing_in(texts: Iterable[str], it: Trial) -> None:
    names = {value: name for name, value in it.bench.secrets().items()}
    for text in texts:
        for secret in secrets_of(it):
            if (at := text.find(secret)) >= 0:
                around = text[max(0, at - 120) : at].replace("\n", " ")
                raise Failing(
                    f"The secret `{names.get(secret, 'that calls are signed with')}` can be read after: {around}"
                )


async def _asked_in_the_open(make: Make) -> None:
    """No secret is in the address of a call, where every server on the way writes it down; in no spelling."""
    async with trial(make) as it:
        able(it, INVOICE)
        await INVOICE.prepare(it)
        await it.over(await INVOICE.act(it))
        await it.accounting.close()
        if not it.proxy.calls:
            raise Failing("An invoice was to be made, and no call was.")
        for call in it.proxy.calls:
            if shown := in_the_open(call.target, it.secrets):
                raise Failing(f"A secret is in the address of {call.method} {shown}.")


def in_the_open(address: str, secrets: Iterable[str]) -> str | None:
    """The address with stars where secrets are in it, in whatever spelling; None where there is none."""
    shown = address
    for text in (address, unquote(address), unquote_plus(address)):
        for secret in secrets:
            if secret in text:
                shown = text = text.replace(secret, "***")
    return shown if shown != address else None


CHECKS = (
    *(Check(f"silent-{name}", f"No secret can be read anywhere when {fate.title}.",
            partial(_silent, fate=fate, story=INVOICE))
      for name, fate in zip(("400", "401", "403", "500", "lost"), STRIKES, strict=True)),
    Check("silent-addresses", "No secret is in the address of a call.", _asked_in_the_open),
)  # fmt: skip
