"""`connector mappings`: check mapping files, try their examples, say which line makes which field."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.mapping.check import Report
    from connector.mapping.load import Mapping
    from connector.mapping.mapper import FieldInfo

app = typer.Typer(
    help="Mapping files: check them, try their examples, see which line makes which field (docs/mapping.md); preview"
    " them on your own documents, apply them, go back (docs/versions.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How the answer is written."""

    text = "text"
    json = "json"


class Exit:
    """Exit statuses."""

    FINE = 0
    WRONG = 1
    UNUSABLE = 2


Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files or folders; without any, all systems, offices and tenants there are.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]


@app.command()
def check(
    paths: Paths = None,
    connection: Annotated[
        str | None,
        typer.Option(
            metavar="TENANT/CONNECTION", help="Also compare with what this ledger has: codes, accounts, payment types."
        ),
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Show everything that is wrong: file, line, what, and a suggestion.

    Checks the format, paths on both sides, types, tables, required fields of the vendor, losses nobody declared, duties
    of tenants, the examples, and the lens laws, on the examples and on bundled documents: writing back what was read
    changes nothing, reading what was written gives it back, what is lost is declared. What breaks one is shown as the
    smallest document that does. With --connection also whether the codes that the mapping leads to are in the ledger
    (read now, or kept from the last hour); without paths also what is not in force here yet. Exit status 0: fine; 1:
    something is wrong; 2: no file can be checked.
    """
    from connector.cli.unapplied import unapplied
    from connector.mapping.problems import as_lines

    report = _report(paths)
    if connection is not None:
        from connector.cli.options import missing_in

        report.problems += missing_in(connection)
    waiting = [] if paths else unapplied()
    if format is Format.json:
        losses = [{"file": file, "losses": _losses(mapping)} for file, mapping in report.mappings]
        found = [problem.as_json() for problem in report.problems]
        tried = {"documents": sum(one.documents for one in report.tried.values()),
                 "refused": sum(one.refused for one in report.tried.values())}  # fmt: skip
        said = {"files": report.files, "problems": found, "mappings": losses, "tried": tried, "not_applied": waiting}
        _print(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        for line in as_lines(report.problems):
            _print(line)
        for file, mapping in report.mappings:
            lost = sum(len(paths) for paths in _losses(mapping).values())
            laws = report.tried[mapping.version]
            _print(
                f"{file}: version {mapping.version}; kinds {', '.join(mapping.mappers)}; {lost} declared losses;"
                f" laws tried on {_count(laws.documents, 'document')}, {laws.refused} of them refused"
            )
        _print(_count(len(report.files), "file") + ", " + _count(len(report.problems), "problem"))
        for one in waiting:
            _print(
                f"{one['connection']} of {one['tenant']} works with version {one['in_force']}, not with {one['files']},"
                " which the files say: connector mappings apply"
            )
    raise typer.Exit(Exit.FINE if report.fine else Exit.WRONG)


@app.command("test")
def run_examples(paths: Paths = None, format: FormatOption = Format.text) -> None:
    """Run the examples in the files as tests, in both directions.

    Exit status 0: all hold; 1: one does not, or a file cannot be used.
    """
    from connector.mapping.problems import as_lines

    report = _report(paths)
    if format is Format.json:
        tried = [
            {"name": o.name, "file": o.file, "line": o.line, "holds": not o.problems,
             "problems": [problem.as_json() for problem in o.problems]}
            for o in report.outcomes
        ]  # fmt: skip
        _print(json.dumps({"examples": tried, "problems": [p.as_json() for p in report.problems]}, ensure_ascii=False))
    else:
        for outcome in report.outcomes:
            _print(f"{'failed' if outcome.problems else 'holds '}  {outcome.file}:{outcome.line}  {outcome.name}")
        for line in as_lines(report.problems):
            _print(line)
        failed = sum(bool(outcome.problems) for outcome in report.outcomes)
        _print(f"{_count(len(report.outcomes), 'example')}, {failed} failed")
    raise typer.Exit(Exit.FINE if report.fine else Exit.WRONG)


@app.command()
def explain(
    system: Annotated[str, typer.Argument(help="System (tripletex …), or TENANT/CONNECTION for all its layers.")],
    field: Annotated[
        str | None, typer.Argument(help="A field of either side: buyer_reference, invoiceDueDate …")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of document.")] = None,
    format: FormatOption = Format.text,
) -> None:
    """Say which line of which layer makes which field, in which direction, and which rules speak of it.

    Exit status 0: found; 1: no line makes or reads such a field; 2: the mapping cannot be used.
    """
    from connector.mapping.mapper import below

    mapping = mapping_named(system)
    found = {name: mapper.explain(field) for name, mapper in mapping.mappers.items() if kind in (None, name)}
    lost = {
        name: {path: why for path, why in mapper.loses.items() if field is None or below(path, field)}
        for name, mapper in mapping.mappers.items()
        if kind in (None, name)
    }
    rules = {name: mapping[name].rules(field) for name in found}
    if format is Format.json:
        lines = [{"kind": name, **_line(info)} for name, infos in found.items() for info in infos]
        ruled = [{"kind": name, "says": said, "layer": at.layer, "file": at.file, "line": at.line}
                 for name, told in rules.items() for said, at in told]  # fmt: skip
        said = {"version": mapping.version, "lines": lines, "rules": ruled, "lost": lost}
        _print(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        for name, infos in found.items():
            if infos or lost[name] or rules[name]:
                _print(f"{name}:")
            for info in infos:
                _print(f"  {info.sentence}")
                _print(f"      {info.origin}" + "".join(f", changed by {change}" for change in info.changed))
            for sentence, at in rules[name]:
                _print(f"  {sentence}")
                _print(f"      {at}")
            for path, why in lost[name].items():
                _print(f"  {path} is not carried: {why}")
        _print(f"version {mapping.version}")
    if not any(found.values()) and not any(lost.values()) and not any(rules.values()):
        _fail(
            f"No line of `{system}` makes or reads `{field}`.", "Name a field as it stands in one of the two models.", 1
        )


@app.command("fields")
def list_fields(
    system: Annotated[str, typer.Argument(help="System (tripletex …), or `ours`.")],
    kind: Annotated[str | None, typer.Argument(help="customer, invoice, payment …; without, the kinds.")] = None,
    like: Annotated[str | None, typer.Option(help="Only fields whose path has this in it.")] = None,
    format: FormatOption = Format.text,
) -> None:
    """List the fields that a line may name: those of a system's records, or `ours`.

    `required`: the system refuses a record (or the object it lies in) without it. `read-only`: it makes this itself, so
    its line is `only: in`.
    What stands behind a `[]` is of a list's items: map it in `each`, or choose one item. Exit status 0: there are such
    fields; 2: there is no such system, kind or field.
    """
    from connector import plugins
    from connector.mapping.fields import places
    from connector.mapping.load import CANONICAL
    from connector.mapping.problems import did_you_mean

    known = plugins.accounting()
    if system != "ours" and system not in known:
        _fail(f"The system `{system}` is not installed.", did_you_mean(system, ["ours", *known]), Exit.UNUSABLE)
    models = CANONICAL if system == "ours" else {str(one): model for one, model in known[system].wire.items()}
    if kind is None:
        _print(json.dumps(list(models)) if format is Format.json else "\n".join(models))
        return
    if kind not in models:
        _fail(f"`{system}` has no kind `{kind}`.", did_you_mean(kind, models), Exit.UNUSABLE)
    found = [one for one in places(models[kind]) if (like or "").lower() in one.path.lower()]
    if not found:
        _fail(f"No field of a {kind} has `{like}` in its path.", "Leave --like out to see all.", Exit.UNUSABLE)
    if format is Format.json:
        _print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    width = max(len(one.path) for one in found)
    for one in found:
        marks = [one.holds, *(["required"] if one.required else []), *(["read-only"] if one.read_only else [])]
        chosen = f": {', '.join(one.choices)}" if one.choices else ""
        _print(f"{one.path:<{width}}  {', '.join(marks)}{chosen}")


def commands(parent: typer.Typer) -> None:
    """Add the group. What opens the store is loaded only where it may be asked for: start-up is felt."""
    if not {command.name or command.callback.__name__ for command in app.registered_commands if command.callback} & set(
        sys.argv[2:3]
    ):
        from connector.cli import mapping_versions

        mapping_versions.commands(app)
    parent.add_typer(app, name="mappings")


def _report(paths: list[Path] | None) -> Report:
    from connector import plugins
    from connector.mapping.check import check

    try:
        return check(paths or (), plugins=plugins.accounting())
    except ConnectorError as error:
        _fail(error.said, error.do, Exit.UNUSABLE)


def mapping_named(name: str) -> Mapping:
    """The mapping of a system, or of TENANT/CONNECTION with all its layers; ends the command where there is none."""
    from connector import plugins
    from connector.mapping import load, load_tenant

    tenant, _, connection = name.partition("/")
    try:
        if not connection:
            return load(name, plugins=plugins.accounting())
        connections = load_tenant(tenant, plugins=plugins.accounting()).connections
    except ConnectorError as error:
        _fail(error.said, error.do, Exit.UNUSABLE)
    if connection not in connections:
        _fail(f"`{tenant}` has no connection `{connection}`.", f"It has: {', '.join(connections)}.", Exit.UNUSABLE)
    return connections[connection].mapping


def _losses(mapping: Mapping) -> dict[str, dict[str, str]]:
    """By kind: what a round trip loses because the files say so."""
    return {name: mapper.loses for name, mapper in mapping.mappers.items()}


def _line(info: FieldInfo) -> dict[str, Any]:
    return {
        "ours": info.ours,
        "theirs": info.theirs,
        "only": info.only,
        "owner": info.owner,
        "does": info.does,
        "layer": info.origin.layer,
        "file": info.origin.file,
        "line": info.origin.line,
        "changed": [{"layer": o.layer, "file": o.file, "line": o.line} for o in info.changed],
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print(text: str) -> None:
    typer.echo(text)


def _fail(said: str, do: str, status: int) -> NoReturn:
    sys.stderr.write(f"{said}\n{do}\n" if do else f"{said}\n")
    raise typer.Exit(status)
