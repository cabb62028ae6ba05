"""A file read and checked against its format: models with the line of everything that is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from connector.mapping import files, source
from connector.mapping.format import MappingFile, SharedFile, TenantFile
from connector.mapping.problems import Problem, did_you_mean
from connector.mapping.source import Key, Source

F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Read(Generic[F]):
    """A file that fits its format."""

    content: F
    source: Source
    path: Path
    damaged: frozenset[str] = frozenset()
    """Top keys of which parts that did not fit were left out, to see what else is wrong: what is missing there says
    nothing.
    """


def any_file(path: Path) -> tuple[Read[MappingFile] | Read[SharedFile] | Read[TenantFile] | None, list[Problem]]:
    """A file of any layer: what it is, it says itself in `layer`."""
    read_source, problems = source.read(path, files.shown(path))
    return of_source(read_source, path) if read_source else (None, problems)


def of_source(
    read_source: Source, path: Path
) -> tuple[Read[MappingFile] | Read[SharedFile] | Read[TenantFile] | None, list[Problem]]:
    """The same of what has been read; `path` is where it was."""
    layer = read_source.data.get("layer")
    if layer == "tenant":
        return _tenant(read_source, path)
    if layer == "shared":
        return _shared(read_source, path)
    if layer in ("system", "office"):
        return _fit(read_source, path, MappingFile)
    known = ("shared", "system", "office", "tenant")
    if "layer" not in read_source.data:
        said, code, do = (
            "The file does not say which layer it is.",
            "key-missing",
            "Begin it with `layer: tenant`, say.",
        )
    else:
        said, code, do = f"There is no layer `{layer!s:.40}`.", "value-unknown", did_you_mean(str(layer), known)
    return None, [Problem(code, said, read_source.file, read_source.line(("layer",)), do)]


def mapping_file(path: Path) -> tuple[Read[MappingFile] | None, list[Problem]]:
    """A system's or office's file."""
    read_source, problems = source.read(path, files.shown(path))
    return _fit(read_source, path, MappingFile) if read_source else (None, problems)


def shared_file(path: Path) -> tuple[Read[SharedFile] | None, list[Problem]]:
    """A file of tables that several systems use; that it has its own name is checked too."""
    read_source, problems = source.read(path, files.shown(path))
    return _shared(read_source, path) if read_source else (None, problems)


def tenant_file(path: Path) -> tuple[Read[TenantFile] | None, list[Problem]]:
    """A tenant's file. That it is named after its tenant is checked too: no file speaks for another tenant."""
    read_source, problems = source.read(path, files.shown(path))
    return _tenant(read_source, path) if read_source else (None, problems)


def telling(problems: list[Problem], damaged: frozenset[str]) -> list[Problem]:
    """Without what says that something is missing, where that part of the file was left out."""
    return [problem for problem in problems if not damaged & _FOLLOWS.get(problem.code, frozenset())]


_LINES = frozenset({"kinds", "tables", "connections"})
_FOLLOWS = {
    "required-unfilled": _LINES,
    "loss-undeclared": _LINES,
    "table-unused": _LINES,
    "table-unknown": _LINES,
    "nothing-to-take-away": _LINES,
    "duty-unset": frozenset({"routes"}),
    "duty-not-on-route": frozenset({"routes"}),
    "connection-unknown": frozenset({"connections"}),
    "duty-owner-unknown": frozenset({"connections"}),
}


def _shared(read_source: Source, path: Path) -> tuple[Read[SharedFile] | None, list[Problem]]:
    found, problems = _fit(read_source, path, SharedFile)
    if found and found.content.shared != path.stem:
        said = f"The file is called {path.name} and calls itself `{found.content.shared}`."
        line, do = found.source.line(("shared",)), f"Call the file {found.content.shared}.yaml, or mend the name."
        return None, [*problems, Problem("shared-misnamed", said, found.source.file, line, do)]
    return found, problems


def _tenant(read_source: Source, path: Path) -> tuple[Read[TenantFile] | None, list[Problem]]:
    # What stands in for a key that is missing or wrong, to see what else is wrong with the file.
    instead = {"tenant": path.stem, "title": "?", "start": date.max, "connections": {}, "routes": {}}
    found, problems = _fit(read_source, path, TenantFile, instead)
    if found and found.content.tenant != path.stem:
        said = f"The file is called {path.name} and speaks of the tenant `{found.content.tenant}`."
        do = f"Call the file {found.content.tenant}.yaml, or mend the name."
        return None, [
            *problems,
            Problem("tenant-misnamed", said, found.source.file, found.source.line(("tenant",)), do),
        ]
    return found, problems


def _fit(
    read_source: Source, path: Path, model: type[F], instead: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Read[F] | None, list[Problem]]:
    """The file as its model, and all that does not fit. What does not fit is left out, to see what else is wrong."""
    data: dict[str, Any] = read_source.data
    problems: list[Problem] = []
    damaged: set[str] = set()
    for _ in range(_ROUNDS):
        try:
            return Read(model.model_validate(data), read_source, path, frozenset(damaged)), problems
        except ValidationError as error:
            singles: list[dict[str, Any]] = [dict(single) for single in error.errors(include_url=False)]
        places = [_place(data, single["loc"]) for single in singles]
        problems += [_problem(read_source, model, single, place) for single, place in zip(singles, places, strict=True)]
        tops = {str(single["loc"][0]) for single, place in zip(singles, places, strict=True) if len(place) < 2}
        if not all(name in instead or name in data for name in tops) or () in {s["loc"] for s in singles}:
            return None, problems
        damaged |= tops | {str(place[0]) for place in places if place}
        # From the back, so that what is counted keeps its number.
        for place in sorted({_whole_part(place) for place in places}, key=_from_the_back):
            data = _without(data, place) if place else data
        data |= {name: instead[name] for name in tops if name in instead}
    return None, problems


_ROUNDS = 4


def _from_the_back(place: Key) -> list[int]:
    return [-part if isinstance(part, int) else 1 for part in place] + [2]


_HOLDERS = ("fields", "refuse", "loses", "matching", "dimensions", "rows", "examples", "connections", "routes")


def _place(data: Any, loc: Sequence[str | int]) -> Key:
    """Where in the data pydantic's place is: short forms have keys where it counts items."""
    place: list[str | int] = []
    for part in loc:
        if isinstance(data, dict) and isinstance(part, int) and part < len(data):
            part = list(data)[part]
        inside = (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int))
        if not inside:
            break
        place.append(part)
        data = data[part]
    return tuple(place)


def _whole_part(place: Key) -> Key:
    """The line, rule, row or example that a place belongs to: what is left out to see what else is wrong."""
    cuts = [number for number, part in enumerate(place[:-1]) if part in _HOLDERS]
    return place[: cuts[-1] + 2] if cuts else place


def _without(data: Any, place: Key) -> Any:
    if not place:
        return {}
    first, rest = place[0], place[1:]
    if isinstance(data, dict) and first in data:
        held = {key: value for key, value in data.items() if key != first}
        return {**held, first: _without(data[first], rest)} if rest else held
    if isinstance(data, list) and isinstance(first, int) and first < len(data):
        return [*data[:first], *([_without(data[first], rest)] if rest else []), *data[first + 1 :]]
    return data


def _problem(read_source: Source, model: type[BaseModel], single: dict[str, Any], place: Key) -> Problem:
    """One finding of pydantic in the words of a mapping file."""
    loc: Key = tuple(part for part in single["loc"] if part != "[key]")
    code, name, do = "format", loc[-1] if loc else "", ""
    line = read_source.line(place)
    match single["type"]:
        case "extra_forbidden":
            code, said = "key-unknown", f"Nothing called `{name}` may stand here."
            do = did_you_mean(str(name), _fields_at(model, loc[:-1]))
        case "missing":
            code, said = "key-missing", f"`{name}` is missing here."
        case "literal_error":
            code, said = "value-unknown", f"`{single['input']}` is none of {single['ctx']['expected']}."
            do = did_you_mean(
                str(single["input"]), single["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            )
        case "string_type":
            code, said = "value-type", "Text is wanted here."
            do = "Write it in quotes." if isinstance(single["input"], int) else ""
        case kind if kind.startswith("date_"):
            code, said, do = (
                "value-type",
                f"`{single['input']}` is no day.",
                "Write it as 2027-01-31: year, month, day.",
            )
        case other:
            said = f"{single['msg']}."[0:-1] if single["msg"].endswith(".") else f"{single['msg']}."
            code, do = other if "-" in other else "value-type", helps(single)
    return Problem(code, said, read_source.file, line, do)


def helps(single: Mapping[str, Any]) -> str:
    """What a finding of a validator of ours says that helps (`do` in its context); empty where it says nothing."""
    return str(single.get("ctx", {}).get("do", ""))


def _fields_at(model: type[BaseModel], loc: Key) -> list[str]:
    """Keys that may stand at a place of a file of this format."""
    here: Any = model
    for part in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            info = here.model_fields.get(str(part))
            here = info.annotation if info else None
        else:
            here = _inside(here)
        if here is None:
            return []
    found = _model_in(here)
    return list(found.model_fields) if found else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)


def _inside(annotation: Any) -> Any:
    """What a dict's values or a list's items are; through Optional and Annotated."""
    args = get_args(annotation)
    if getattr(annotation, "__origin__", None) is dict or str(annotation).startswith("dict["):
        return _strip(args[1])
    if str(annotation).startswith("list["):
        return _strip(args[0])
    return next((_inside(arg) for arg in args if get_args(arg)), None)


def _strip(annotation: Any) -> Any:
    return _model_in(annotation) if not str(annotation).startswith(("dict[", "list[")) else annotation
