"""YAML with its line numbers kept, and without what makes YAML surprising.

Only plain YAML is taken: mappings with text keys, lists and scalars. Anchors, aliases, merges, tags, duplicate keys,
tabs, several documents and huge files are refused, each with its line. Text stays as written: `no` is the country, and
a number that would lose something (leading zeros) is refused with the advice to quote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from connector.mapping.problems import Problem

MAX_BYTES = 512 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 20

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it was built in

Key = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_ODD_NUMBER = re.compile(
    r"[-+]?(0[0-9_]+(\.[0-9]*)?|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+|\.[0-9]+)"
)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Source:
    """A file that was read: its text, its plain data and the line of every key and list item."""

    file: str
    data: Any
    lines: dict[Key, int] = field(default_factory=dict)
    text: str = field(default="", repr=False)

    def line(self, key: Key) -> int:
        """Line (from 1) of a place in the data; of the nearest place around it that the file has."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


class _Unfit(Exception):
    def __init__(self, code: str, said: str, line: int, do: str = "") -> None:
        super().__init__(said)
        self.code, self.said, self.line, self.do = code, said, line, do


def read(path: Path, name: str | None = None) -> tuple[Source | None, list[Problem]]:
    """Read a file. `name` is how it is called in problems (default: its path). No source means there are problems."""
    file = name or str(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            said = f"The file has {size} bytes; a mapping file has at most {MAX_BYTES}."
            return None, [Problem("file-too-large", said, file, 1, "Keep lists of records out of mapping files.")]
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, [Problem("not-utf-8", "The file is not UTF-8 text.", file, 1, "Save it as UTF-8.")]
    except OSError as error:
        return None, [Problem("file-unreadable", f"The file cannot be read: {error.strerror}.", file)]
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Source | None, list[Problem]]:
    """Read text as a file of that name. All duplicate keys and odd numbers are reported; broken YAML ends at once."""
    found, problems = _parsed(text, file)
    return found and replace(found, data=deepcopy(found.data), lines=dict(found.lines)), list(problems)


@lru_cache(16)  # every tenant of a system reads the system's file
def _parsed(text: str, file: str) -> tuple[Source | None, list[Problem]]:
    for number, row in enumerate(text.splitlines(), 1):
        indent = row[: len(row) - len(row.lstrip())]
        if "\t" in indent:
            return None, [Problem("tab", "A tab stands in the indentation.", file, number, "Use spaces.")]
    reader = _Reader(file)
    try:
        data = reader.document(yaml.parse(text, Loader=_LOADER))
    except _Unfit as unfit:
        return None, [*reader.problems, Problem(unfit.code, unfit.said, file, unfit.line, unfit.do)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.context_mark and any(word in (error.context or "") for word in ("quoted", "flow")):
            mark = error.context_mark  # where it begins that never ends
        said = f"This is no YAML: {error.problem or error.context or 'it cannot be read'}."
        do = "Check indentation, colons and quotes at this line and the one above."
        return None, [*reader.problems, Problem("not-yaml", said, file, mark.line + 1 if mark else 1, do)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return None, [*reader.problems, Problem("not-yaml", f"This is no YAML: {str(error).splitlines()[0]}.", file, 1)]
    if not isinstance(data, dict):
        return None, [Problem("not-a-mapping", "The file holds no mapping of keys to values.", file, 1)]
    if reader.problems:
        return None, reader.problems
    return Source(file, data, reader.lines, text), []


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Key, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def document(self, events: Iterator[Event]) -> Any:
        data: Any = None
        started = False
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if started:
                    raise _Unfit("several-documents", "The file holds several YAML documents.", _line(event))
                started = True
            elif isinstance(event, NodeEvent):
                data = self._node(event, events, ())
        return data

    def _node(self, event: Event, events: Iterator[Event], key: Key) -> Any:
        line = _line(event)
        self._plain(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _Unfit("file-too-large", f"The file has more than {MAX_NODES} entries.", line)
        if len(key) > MAX_DEPTH:
            raise _Unfit("nested-too-deeply", f"The file is nested more than {MAX_DEPTH} deep.", line)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, key)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(following := next(events), SequenceEndEvent):
                self.lines[(*key, len(items))] = _line(following)
                items.append(self._node(following, events, (*key, len(items))))
            return items
        assert isinstance(event, ScalarEvent)
        return self._scalar(event, line)

    def _plain(self, event: Event) -> None:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            do = "Write it out; a layer changes lines of the one below instead of copying them."
            raise _Unfit("anchor", "Anchors and aliases (& and *) are not taken in mapping files.", _line(event), do)
        if getattr(event, "tag", None):
            raise _Unfit("tag", "YAML tags (!…) are not taken in mapping files.", _line(event))

    def _mapping(self, events: Iterator[Event], key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            line = _line(event)
            if not isinstance(event, ScalarEvent):
                raise _Unfit("key-not-text", "A key is a word, not a list or a mapping.", line)
            name = event.value
            if name == "<<":
                raise _Unfit("merge", "Merges (<<) are not taken in mapping files.", line, "Write the lines out.")
            place = (*key, name)
            self._plain(event)
            value = self._node(next(events), events, place)
            if name in found:
                said = f"The key `{name}` stands here twice; the first is on line {self.lines[place]}."
                self.problems.append(Problem("duplicate-key", said, self.file, line, "Keep one of them."))
                continue
            found[name] = value
            self.lines[place] = line
        return found

    def _scalar(self, event: ScalarEvent, line: int) -> Any:
        text: str = event.value
        if event.style:
            return text
        word = (
            text if text in ("", "~") else text.lower() if text in (text.lower(), text.title(), text.upper()) else text
        )
        if word in _WORDS:
            return _WORDS[word]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        if _ODD_NUMBER.fullmatch(text):
            said = f"{text} would be read as a number and lose how it is written."
            self.problems.append(Problem("number-ambiguous", said, self.file, line, f'Write "{text}" in quotes.'))
        return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1  # type: ignore[union-attr]  # every event of a parser has one
