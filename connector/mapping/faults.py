"""What the compiled functions need while they run: choosing an item, and errors that say where.

An error names the place in the document (`lines[2].vat_code`), the file and line that said what to do with it, and
what a person should add or mend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from connector.errors import ConnectorError, Stop
from connector.mapping.layers import Origin
from connector.mapping.lenses import LensStop


class Missing:
    """Stands for a field that the input does not have: unknown, neither empty nor full."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "missing"


class Nothing(dict[str, Any]):
    """Stands for an object that is known to be empty: each of its fields is None."""

    def get(self, key: str, default: Any = None) -> Any:
        """None, whatever is asked for."""
        return None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the document and in the files a compiled line is. `where` has {0}, {1} … for the items of lists."""

    kind: str
    way: str
    where: str
    origin: Origin | None
    table: Origin | None
    tables: tuple[str, ...] = ()


NOTHING = Nothing()


def item(items: Any, pick: str | tuple[str, str]) -> Any:
    """The item of a list that a selector means; `Nothing` where the list has none.

    Raises:
        LensStop: `only` was said and there are several ("several-values").
    """
    if not items:
        return NOTHING
    if isinstance(pick, tuple):
        name, value = pick
        return next((one for one in items if str(one.get(name)) == value), NOTHING)
    if pick == "only" and len(items) > 1:
        raise LensStop(
            "several-values",
            f"There are {len(items)} items where the mapping has room for one.",
            "Leave one in the document, or choose [first] in a layer of your own and declare the loss.",
        )
    return items[0]


def refuse(refusal: Any) -> NoReturn:
    """Stop a document that the system cannot express."""
    details = {"nb": {"says": refusal.says_nb, "do": refusal.do_nb or refusal.do}} if refusal.says_nb else None
    do, where = refusal.do or None, {"rule": refusal.name}
    raise Stop(refusal.says, code="not-expressible", do=do, where=where, details=details)


def record_fault(
    spots: Sequence[Spot], at: int, loops: Sequence[int], error: Exception, data: Any, model: type[BaseModel]
) -> ConnectorError:
    """The error as a person needs it: place in the document, file and line, and what helps."""
    spot = spots[at]
    field = spot.where.format(*loops) if spot.where else ""
    place: dict[str, Any] = {"kind": spot.kind, "field": field.rstrip(".")}
    if spot.origin is not None:
        place |= {"file": spot.origin.file, "line": spot.origin.line}
    if isinstance(error, ConnectorError):
        return error.at(**place)
    if isinstance(error, LensStop):
        return Stop(f"{field}: {error.said}", code=error.code, do=error.do or None, where=place)
    if isinstance(error, KeyError) and spot.table is not None:
        return _not_in_table(spot, field, error.args[0], place)
    whose = "vendor's record" if spot.way == "into" else "document"
    unlike = _unlike(data, model)
    where, why = unlike or (field, f"{type(error).__name__}: {error}")
    if unlike and isinstance(error, AttributeError):
        # Something that is no object was read from: what the line before it did says nothing.
        place = {"kind": spot.kind, "field": where}
    said = f"The {whose} is not what its description says, at `{where}`: {why}"
    do = "Read the record again; if it stays so, the plugin's wire model or the mapping line must be mended."
    return Stop(said[:400], code="record-malformed", do=do, where=place)


def _unlike(data: Any, model: type[BaseModel]) -> tuple[str, str] | None:
    """The first place where data does not have the form of a model, and why; None where only fields are missing."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        for single in error.errors(include_url=False, include_input=False):
            if single["type"] != "missing":
                place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in single["loc"])
                return place.removeprefix("."), single["msg"]
    return None


def _not_in_table(spot: Spot, field: str, code: Any, place: dict[str, Any]) -> Stop:
    codes = code if isinstance(code, tuple) else (code,)
    written = ", ".join("(none)" if one is None else f'"{one}"' for one in codes)
    table = spot.table
    assert table is not None
    side = "The system's" if spot.way == "into" else "Our"
    return Stop(
        f"{field}: {side} code {written} is not in the table `{'`, `'.join(spot.tables)}`.",
        code="code-not-in-table",
        do=f"Add a row for it to the table ({table.file}:{table.line}); a tenant's own rows go into its file,"
        f" under connections.NAME.mapping.tables.{spot.tables[0]}.rows.",
        where={
            **place,
            "table": list(spot.tables),
            "file": table.file,
            "line": table.line,
            "value": list(map(str, codes)),
        },
    )
