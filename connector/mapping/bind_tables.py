"""One table of a file, bound: its cells in the forms of both sides, and read backwards where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connector.mapping import lenses
from connector.mapping.layers import MergedTable, Origin, shown_code
from connector.mapping.lenses import Lens, Unfit
from connector.mapping.paths import Slot

if TYPE_CHECKING:
    from connector.mapping.bind import Binder


def one_table(
    binder: Binder, name: str, table: MergedTable, ours: list[Slot], theirs: list[Slot], only: str | None
) -> Lens:
    """One table, its cells in the forms of both sides, and read backwards where it must be."""
    out: dict[Any, Any] = {}
    into: dict[Any, Any] = {}
    first: dict[Any, Origin] = {}
    for row, origin in table.rows.values():
        if row.theirs is None:
            continue
        if len(row.ours) != len(ours) or len(row.theirs) != len(theirs):
            said = f"A row of `{name}` needs {len(ours)} value(s) of ours and {len(theirs)} of theirs."
            binder.problem("table-row-shape", said, origin)
            continue
        try:
            key, value = _cells(row.ours, ours, vendor=False), _cells(row.theirs, theirs, vendor=True)
        except Unfit as unfit:
            binder.problem(unfit.code, f"Table `{name}`: {unfit.said}", origin, unfit.do)
            continue
        if row.only != "in":
            out[key] = value
        if row.only != "out":
            if value in into and only != "out":
                said = f"The table `{name}` cannot be read backwards: {shown_code(row.theirs)} stands for two codes"
                do = "Mark the row that is only written with `only: out`, or make the table and its lines one-way."
                at, other = _later(origin, first[value], table.origin)
                there = f"line {other.line}" if other.file == at.file else str(other)
                binder.problem("table-not-invertible", f"{said}; the first is on {there}.", at, do)
            into.setdefault(value, key)
            first.setdefault(value, origin)
    return lenses.table(name, out, into)


def _later(one: Origin, other: Origin, table: Origin) -> tuple[Origin, Origin]:
    """Of two rows that collide the one to be mended, then the other: what an upper layer says comes first."""
    return (other, one) if one.file == table.file != other.file else (one, other)


def _cells(codes: Sequence[Any], slots: list[Slot], *, vendor: bool) -> Any:
    made = tuple(
        None if code is None else lenses.typed(code, slot, vendor=vendor)
        for code, slot in zip(codes, slots, strict=True)
    )
    return made[0] if len(made) == 1 else made
