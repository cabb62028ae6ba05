"""What may be posted to a ledger now, as JSON Schema (2020-12) of a posted invoice.

Our codes, through the mapping's tables, as far as the ledger has what they lead to; closed days as patterns. Under
`$defs` are the ledger's own lists, for whoever writes mapping files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connector.mapping import Tenant
from connector.mapping.bound import BoundLine, BoundShape
from connector.mapping.codes import WORDS
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.tenants import SOURCE
from connector.options import ClosedPeriod, Option, Options
from connector.sync.external import EXTERNAL_INVOICE, INVOICE
from connector.sync.options import Known
from connector.sync.spokes import Spoke

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(spoke: Spoke, known: Known, tenant: Tenant) -> Schema:
    """The schema of what this connection takes of an invoice, from options as they were read. What buyers issue is not
    made by who asks: it does not change the form.
    """
    options = known.options
    outside = bool(spoke.taken) or any(route.issues == SOURCE for route in tenant.routes.values())
    form = EXTERNAL_INVOICE if outside and EXTERNAL_INVOICE in spoke.mapping else INVOICE
    said: Schema = {
        "$schema": DIALECT,
        "title": f"What may be posted to {spoke.name} now",
        "description": f"Read from the ledger {known.read.isoformat(timespec='seconds')}.",
        "type": "object",
        "properties": {},
        "$defs": {name: _listed(values, WORDS.get(name, name)) for name, values in options.lists.items()},
        "x-read": known.read.isoformat(),
        "x-vat-registered": options.vat_registered,
        "x-bank-account": options.bank_account,
        "x-closed-periods": None if options.closed is None else [_plain(one) for one in options.closed],
        "x-missing": list(options.missing),
        "x-unknown": list(options.unknown),
    }
    for one in options.dimensions:
        said["$defs"][one.name or one.kind] = _listed(one.values, one.name or one.kind)
    if form in spoke.mapping:
        _shape(said, spoke.mapping[form].bound.shape, spoke.mapping, options)
    if patterns := list(_closed(options.closed or ())):
        day = said["properties"].setdefault("issue_date", {"type": "string", "format": "date"})
        day["not"] = {"anyOf": [{"pattern": pattern} for pattern in patterns]}
    return said


def _shape(into: Schema, shape: BoundShape, mapping: SystemMapping, options: Options) -> None:
    for line in shape.lines:
        if not line.writes or len(line.ours) != 1 or line.when_ours:
            continue
        place = _place(into, [step.name for step in line.ours[0].path])
        if line.each is not None:
            items = place.setdefault("items", {"type": "object", "properties": {}})
            place["type"] = "array"
            _shape(items, line.each, mapping, options)
        elif offered := _offered(line, mapping, options):
            place.setdefault("allOf", []).append(offered)
    _tidy(into)


def _place(into: Schema, names: Sequence[str]) -> Schema:
    for name in names[:-1]:
        into = into.setdefault("properties", {}).setdefault(name, {"type": "object", "properties": {}})
    found: Schema = into.setdefault("properties", {}).setdefault(names[-1], {})
    return found


def _tidy(into: Schema) -> None:
    """Nothing is said of fields that nothing is known of."""
    for name, inner in list(into.get("properties", {}).items()):
        if "properties" in inner:
            _tidy(inner)
        if inner in ({}, {"type": "object", "properties": {}}):
            del into["properties"][name]


def _offered(line: BoundLine, mapping: SystemMapping, options: Options) -> Schema | None:
    """What our field may be, as far as the ledger's lists say it."""
    if line.link is not None:
        return _linked(line.link, mapping, options)
    choice = line.theirs[0].slot.chooses if len(line.theirs) == 1 else None
    if choice is None or not options.knows(choice) or line.constant is not None:
        return None
    if not line.tables:
        return {"$ref": f"#/$defs/{choice}"}
    if len(line.tables) > 1:
        return None
    rows = mapping.stack.tables[line.tables[0]].rows.values()
    found = []
    for row, _ in rows:
        there = options.find(choice, str(row.theirs[0])) if row.theirs and row.only != "in" else None
        if there is not None and there.active and len(row.ours) == 1:
            found.append({"const": str(row.ours[0]), "title": _title(there)})
    return {"type": "string", **_any_of(found)}


def _linked(kind: str, mapping: SystemMapping, options: Options) -> Schema | None:
    there = options.dimension(kind)
    if there is None:
        return None
    made = kind in mapping and mapping[kind].bound.register.creates != "never"
    listed = {"$ref": f"#/$defs/{there.name or there.kind}"}
    return {"anyOf": [listed, {"type": "string"}]} if made else listed


def _listed(values: Sequence[Option], title: str) -> Schema:
    return {
        "title": title,
        "type": "string",
        **_any_of(
            [
                {"const": one.code, "title": _title(one)} | ({"x-requires": list(one.requires)} if one.requires else {})
                for one in values
                if one.active
            ]
        ),
    }


def _any_of(found: list[Schema]) -> Schema:
    return {"anyOf": found} if found else {"not": {}}


def _title(one: Option) -> str:
    rate = f"{one.rate.normalize():f} %" if one.rate is not None else ""
    return ", ".join(part for part in (one.name or one.code, rate, one.currency or "") if part)


def _plain(period: ClosedPeriod) -> Mapping[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat(), "name": period.name}


def _closed(periods: Sequence[ClosedPeriod]) -> Iterator[str]:
    """Patterns of the days on which nothing can be dated: by year and month, day by day where it is a part of one."""
    months: dict[int, set[str]] = {}
    for period in periods:
        day = period.start
        while day <= period.end:
            after = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            last = min(period.end, after - timedelta(days=1))
            if day.day == 1 and last == after - timedelta(days=1):
                months.setdefault(day.year, set()).add(f"{day.month:02}")
            else:
                days = "|".join(f"{number:02}" for number in range(day.day, last.day + 1))
                yield f"^{day.year}-{day.month:02}-({days})$"
            day = after
    for year, found in sorted(months.items()):
        yield f"^{year}-({'|'.join(sorted(found))})-"
