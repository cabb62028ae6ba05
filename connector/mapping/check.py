"""Everything that is wrong with mapping files, at once: what `connector mappings check` and `test` show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from connector.errors import ConnectorError
from connector.mapping import corpus, examples, files, reading
from connector.mapping.format import Content, MappingFile, SharedFile, TenantFile
from connector.mapping.layers import Layer, merge, shared_layers, system_layers
from connector.mapping.ledger_codes import Options, codes_missing
from connector.mapping.load import Mapping, Plugins, build
from connector.mapping.problems import Problem, errors
from connector.mapping.reading import Read
from connector.mapping.tenants import build_tenant


@dataclass(slots=True)
class Report:
    """What was looked at and what was found. `fine`: nothing that keeps a file from being used."""

    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    outcomes: list[examples.Outcome] = field(default_factory=list)
    mappings: list[tuple[str, Mapping]] = field(default_factory=list)
    tried: dict[str, corpus.Tried] = field(default_factory=dict)
    """By version: how a mapping did on the documents that every mapping is tried on."""

    @property
    def fine(self) -> bool:
        """Whether all files can be used."""
        return not errors(self.problems)


def check(paths: Sequence[Path] = (), *, plugins: Plugins, options: Map[str, Options] = MappingProxyType({})) -> Report:
    """Check files, folders of files, or (none given) all that there are: format, paths, types, tables, duties, examples
    and the laws, on the examples and on the bundled documents. Nothing is raised for what is in a file.

    `options`: what the connected ledgers have, by TENANT/CONNECTION: codes that a mapping writes are held against it.
    """
    report = Report()
    for path in _found(paths) if paths else _all():
        report.files.append(files.shown(path))
        if not path.is_file():
            report.problems.append(Problem("file-unreadable", "There is no such file.", files.shown(path)))
            continue
        found, problems = reading.any_file(path)
        report.problems += problems
        if found is None:
            continue
        if isinstance(found.content, TenantFile):
            _tenant(report, found, plugins, options)
        elif isinstance(found.content, SharedFile):
            # What a table turns into what is checked where a system uses it.
            layer = Layer("shared", Content(tables=found.content.tables), found.source)
            report.problems += merge(found.content.shared, [layer]).problems
        else:
            _mapping(report, found, plugins)
    report.problems += [problem for outcome in report.outcomes for problem in outcome.problems]
    report.problems = sorted(dict.fromkeys(report.problems), key=lambda problem: (problem.file, problem.line))
    return report


def _all() -> Iterable[Path]:
    roots = files.roots()
    for layer in files.FOLDERS:
        for name in files.names(layer, roots):
            yield files.find(layer, name, roots)


def _found(paths: Sequence[Path]) -> Iterable[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def _mapping(report: Report, found: Read[MappingFile], plugins: Plugins) -> None:
    content, source = found.content, found.source
    shared, problems = shared_layers(content, source)
    report.problems += problems
    if problems:
        return
    layers = [*shared, Layer("system", content, source)]
    if content.layer == "office":
        try:
            below, problems = system_layers(content.system, content.extends)
        except ConnectorError as error:
            at = "extends" if error.code == "office-unknown" else "system"
            report.problems.append(Problem(error.code, error.said, source.file, source.line((at,)), error.do))
            return
        report.problems += problems
        if not below:
            return
        layers = [*below, Layer("office", content, source)]
    elif found.path.stem != content.system:
        said = f"The file is called {found.path.name} and speaks of the system `{content.system}`."
        report.problems.append(
            Problem("system-misnamed", said, source.file, source.line(("system",)), f"Call it {content.system}.yaml.")
        )
    mapping, problems = build(content.system, layers, plugins)
    report.problems += reading.telling(problems, found.damaged)
    if mapping is not None and not found.damaged:
        _try(report, source.file, mapping)
        report.outcomes += examples.run(mapping, content.examples, source, ("examples",))


def _tenant(report: Report, found: Read[TenantFile], plugins: Plugins, options: Map[str, Options]) -> None:
    tenant, problems = build_tenant(found, plugins)
    report.problems += reading.telling(problems, found.damaged)
    if tenant is not None and not found.damaged:
        for id, connection in tenant.connections.items():
            _try(report, found.source.file, connection.mapping)
            report.problems += codes_missing(connection.mapping, options.get(f"{tenant.name}/{id}", {}))
            at = ("connections", id, "examples")
            report.outcomes += examples.run(connection.mapping, connection.said.examples, found.source, at)


def _try(report: Report, file: str, mapping: Mapping) -> None:
    """Hold the laws against a mapping that is whole; the same one only once."""
    report.mappings.append((file, mapping))
    if mapping.version not in report.tried:
        report.tried[mapping.version] = tried = corpus.attempt(mapping)
        report.problems += tried.problems
