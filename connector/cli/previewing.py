"""A preview as people and programs read it: one after the other, so that nothing piles up."""

from __future__ import annotations

import typer
from rich.markup import escape
from rich.rule import Rule

from connector.cli.common import Format, out, print_table, table_of
from connector.cli.documents import the_document
from connector.mapping import Mapping
from connector.model.json import dumps
from connector.service.applying import Counted
from connector.store import Tx
from connector.sync import preview
from connector.sync.preview import Preview
from connector.sync.spokes import Spoke

_WAY = {"out": "written there", "in": "read from there"}


class Shown:
    """Shows each preview as it comes; where two versions are compared, only what differs."""

    def __init__(self, format: Format, mapping: Mapping, against: Mapping | None) -> None:
        self.format, self.mapping, self.against = format, mapping, against

    def add(self, one: Preview) -> None:
        """Show one."""
        if self.against is not None and not one.differs:
            return
        if self.format is Format.json:
            typer.echo(dumps(one.as_json()).decode())
            return
        name = " ".join(filter(None, (one.kind.replace("_", " "), one.number or (one.document or "")[:8])))
        out.print(Rule(f"{name} {one.counterparty or ''}, {_WAY[one.way]}", align="left"))
        if one.made.stop is not None:
            stop = one.made.stop
            out.print(f"stops: {stop['code']}: {stop['message']}\n  {stop.get('do') or ''}".rstrip(), markup=False)
        if self.against is None:
            self._sides(one)
        else:
            self._differences(one, self.against)

    def _sides(self, one: Preview) -> None:
        table = table_of("Here", "", "", "There", "", "Line")
        for line in preview.lines(self.mapping[one.kind], one) if one.made.stop is None else ():
            cells = (line.ours, line.here, line.arrow, line.there, line.theirs, line.origin)
            table.add_row(*map(escape, cells))
        if table.row_count:
            print_table(table)

    def _differences(self, one: Preview, against: Mapping) -> None:
        columns = ("Field", f"under {against.version}", f"under {self.mapping.version}")
        table = table_of(*columns)
        for differs in one.differs:
            table.add_row(*map(escape, (differs.field or one.kind, _said(differs.against), _said(differs.now))))
        print_table(table)


def _said(value: object) -> str:
    return "–" if value is None else str(value)


def one(tx: Tx, spoke: Spoke, new: Mapping, old: Mapping | None, document: str) -> list[Preview]:
    """The previews of the document that is called so."""
    return preview.one(tx, spoke, new, old, the_document(tx, spoke.tenant, document))


def summary(format: Format, counted: Counted, against: str | None) -> None:
    """The figures, at the end."""
    if format is Format.json:
        typer.echo(dumps({"summary": counted.as_json()}).decode())
        return
    said = f"{counted.looked_at} looked at"
    if against is not None:
        out.print(f"{said}; {counted.differ} differ, {counted.stop_anew} stop that do not under {against}.")
    else:
        out.print(f"{said}; {counted.stop} stop.")
