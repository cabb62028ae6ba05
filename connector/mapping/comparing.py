"""What two versions of a mapping say differently: each line, row, refusal and rule, with the layer that says it, in
words that a bookkeeper reads. Pure: two mappings in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any, Literal

from connector.mapping.layers import Merged, MergedTable, Origin, Said, shown_code
from connector.mapping.load import Mapping as SystemMapping


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that another version says otherwise. `where` is a kind (`invoice`, `invoice lines`) or a table
    (`table vat-code`); `layer`, `file` and `line` say who says it now, or who said it where it is gone.
    """

    what: Literal["added", "removed", "changed"]
    where: str
    name: str
    says: str
    layer: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.where}: {self.says}  ({self.layer}, {self.file}:{self.line})"

    def as_json(self) -> dict[str, Any]:
        """The change as programs read it."""
        return asdict(self)


def changes(before: SystemMapping, after: SystemMapping) -> list[Change]:
    """All that `after` says otherwise than `before`; empty where both have the same version."""
    if before.version == after.version:
        return []
    found = [*_tables(before.stack.tables, after.stack.tables), *_kinds(before.stack.kinds, after.stack.kinds)]
    if not found:
        top = after.stack.layers[-1].origin()
        found = [_change("changed", "mapping", "", "it says something else than before", top)]
    return found


def _change(what: Literal["added", "removed", "changed"], where: str, name: str, says: str, at: Origin) -> Change:
    return Change(what, where, name, says, at.layer, at.file, at.line)


# --- tables -----------------------------------------------------------------------------------------------------------


def _tables(before: Mapping[str, MergedTable], after: Mapping[str, MergedTable]) -> Iterator[Change]:
    for name in _names(before, after):
        old, new, where = before.get(name), after.get(name), f"table {name}"
        if old is None and new is not None:
            yield _change("added", where, name, f"the table is new, with {len(new.rows)} rows", new.origin)
        elif new is None and old is not None:
            yield _change("removed", where, name, "the table is gone", old.origin)
        elif old is not None and new is not None:
            yield from _rows(where, old, new)


def _rows(where: str, before: MergedTable, after: MergedTable) -> Iterator[Change]:
    if before.only != after.only:
        says = f"the table was {_DIRECTION[before.only]}, is {_DIRECTION[after.only]}"
        yield _change("changed", where, "only", says, after.origin)
    for code in list(dict.fromkeys([*before.rows, *after.rows])):
        old, new = before.rows.get(code), after.rows.get(code)
        row, at = new or old or (None, None)
        assert row is not None
        assert at is not None
        name = shown_code(row.ours)
        if old is None:
            yield _change("added", where, name, f"{name} is now {shown_code(row.theirs or [])} there", at)
        elif new is None:
            says = f"{name} (it was {shown_code(row.theirs or [])} there) is in the table no more: it stops"
            yield _change("removed", where, name, says, at)
        elif (old[0].ours, old[0].theirs, old[0].only) != (row.ours, row.theirs, row.only):
            was, now = shown_code(old[0].theirs or []), shown_code(row.theirs or [])
            says = f"{name} was {was} there, is {now}"
            if was == now:
                says = f"{name}: was {_DIRECTION[old[0].only]}, is {_DIRECTION[row.only]}"
            if old[0].ours != row.ours:
                says = f"{was} there was {shown_code(old[0].ours)}, is {name}"
            yield _change("changed", where, name, says, at)


# --- kinds ------------------------------------------------------------------------------------------------------------


def _kinds(before: Mapping[str, Merged], after: Mapping[str, Merged]) -> Iterator[Change]:
    for name in _names(before, after):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            yield _change("added", name, name, f"a {_spoken(name)} is now mapped", new.origin)
        elif new is None and old is not None:
            yield _change("removed", name, name, f"a {_spoken(name)} is mapped no more", old.origin)
        elif old is not None and new is not None:
            yield from _shape(name, old, new)


def _shape(where: str, before: Merged, after: Merged) -> Iterator[Change]:
    for name in _names(before.fields, after.fields):
        old, new = before.fields.get(name), after.fields.get(name)
        if old is None and new is not None:
            yield _change("added", where, name, f"`{name}` is carried now: {_words(new.values)}", new.origin)
        elif new is None and old is not None:
            at = after.removed.get(name, old.origin)
            yield _change("removed", where, name, f"`{name}` is carried no more (it was: {_words(old.values)})", at)
        elif old is not None and new is not None:
            yield from _line(where, name, old, new)
    for part in (one.name for one in fields(Merged) if one.name not in ("origin", "fields", "removed", "unfilled")):
        yield from _said(where, getattr(before, part), getattr(after, part), _PARTS.get(part, _RULE))


def _line(where: str, name: str, before: Said, after: Said) -> Iterator[Change]:
    for key in _names(before.values, after.values):
        old, new = before.values.get(key), after.values.get(key)
        if key == "note" or old == new:
            continue
        if isinstance(old, Merged) and isinstance(new, Merged):
            yield from _shape(f"{where} {name}", old, new)
            continue
        word = _KEYS.get(key, key)
        if key == "only":
            says = f"`{name}` was {_DIRECTION[old]}, is {_DIRECTION[new]}"
        elif old is None:
            says = f"`{name}`: {word} is now {_value(key, new)}"
        elif new is None:
            says = f"`{name}`: {word} (it was {_value(key, old)}) is taken away"
        else:
            says = f"`{name}`: {word} was {_value(key, old)}, is {_value(key, new)}"
        at = after.where(key) if key in after.values else (after.changed or [after.origin])[-1]
        yield _change("changed", where, name, says, at)


_Words = tuple[str, str, str]
_REFUSED: _Words = (
    "what `{name}` describes is refused now: {value}",
    "what `{name}` describes is refused no more",
    "the refusal `{name}` is another: {value}",
)
_LOST: _Words = (
    "`{name}` may get lost now: {value}",
    "`{name}` is declared lost no more",
    "`{name}` gets lost for another reason: {value}",
)
_RULE: _Words = ("`{name}` is now {value}", "`{name}` (it was {value}) is taken away", "`{name}` was {was}, is {value}")
_PARTS: Mapping[str, _Words] = {"refuse": _REFUSED, "loses": _LOST}


def _said(where: str, before: Mapping[str, Said], after: Mapping[str, Said], words: _Words) -> Iterator[Change]:
    for name in _names(before, after):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            says = words[0].format(name=name, value=_rule(new))
            yield _change("added", where, name, says, new.origin)
        elif new is None and old is not None:
            yield _change("removed", where, name, words[1].format(name=name, value=_rule(old)), old.origin)
        elif old is not None and new is not None and old.values != new.values:
            says = words[2].format(name=name, value=_rule(new), was=_rule(old))
            yield _change("changed", where, name, says, new.origin)


def _rule(said: Said) -> str:
    values = said.values
    for key in ("says", "why"):
        if key in values:
            return str(values[key])
    return ", ".join(_plain(value) for value in values.values())


# --- words ------------------------------------------------------------------------------------------------------------

_KEYS: Mapping[str, str] = {
    "theirs": "the field there",
    "ours": "the field here",
    "on": "when it is written",
    "owner": "who wins where both have changed it",
    "table": "the table",
    "link": "what it links",
    "minor_units": "how many decimals they count without a point",
    "date": "how the day is written there",
    "digits": "whether text of digits is a number there",
    "join": "what stands between the parts",
    "constant": "what it always is",
    "default": "what it is where empty",
    "otherwise": "where it comes from where it is not stated",
    "each": "what is said of the items",
    "when": "the condition",
}
_DIRECTION: Mapping[Any, str] = {None: "both ways", "in": "only read", "out": "only written"}


def _words(values: Mapping[str, Any]) -> str:
    """A line in a few words."""
    said = []
    if "constant" in values:
        said.append(f"always {_plain(values['constant'])}")
    if "theirs" in values:
        said.append(f"`{_plain(values['theirs'])}` there")
    said += [
        f"{word} {_plain(values[key])}"
        for key, word in (("table", "by the table"), ("link", "links the"), ("default", "where empty"))
        if key in values
    ]
    if "only" in values:
        said.append(_DIRECTION[values["only"]])
    if "when" in values:
        said.append("under a condition")
    return ", ".join(said) or "as it is"


def _value(key: str, value: Any) -> str:
    if isinstance(value, Merged):
        return f"{len(value.fields)} lines"
    return f"`{_plain(value)}`" if key in ("theirs", "ours", "table") else _plain(value)


def _plain(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        inner = ((key, one) for key, one in value.items() if one not in (None, [], {}, ()))
        return "; ".join(f"{key} {_plain(one)}" for key, one in inner)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")


def _names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*before, *after]))
