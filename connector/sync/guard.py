"""Guard against drift of configuration: what a mapping relies on and the ledger no longer has waits for a person, with
file, line and code, before a document fails. It closes itself when it is mended on either side.

What a company's own files name must be there. A row as shipped is told only where the ledger once had what it leads to:
many companies never need raw fish.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import groupby

from connector.errors import Stop
from connector.lanes import Verb
from connector.mapping.codes import WORDS, Use, missing, of_settings, problem_of, uses
from connector.mapping.layers import Origin
from connector.options import Options
from connector.store import Tx, attention
from connector.sync.external import EXTERNAL
from connector.sync.spokes import Spoke, Spokes

GONE = "code-gone"
"""Code of what waits."""


def compare(tx: Tx, spokes: Spokes, spoke: Spoke, options: Options, had: Mapping[str, Set[str]]) -> None:
    """Ask a person about every code that is relied on and not there, and close what is mended.

    Args:
        had: every code that the ledger has ever shown, by list.
    """
    gone = {_about(spoke, list_, code): found for (list_, code), found in relied(spokes, spoke, options, had).items()}
    for about, found in gone.items():
        reason = _reason(spoke, found, options)
        if not attention.ignored(tx, tenant=spoke.tenant, about=about, reason=reason):
            attention.ask(
                tx, tenant=spoke.tenant, about=about, reason=reason, verbs=(Verb.IGNORE,), connection=spoke.id
            )
    for about in sorted(attention.open_of(tx, spoke.id, GONE) - gone.keys()):
        attention.close(tx, about, who="connector", how="mended")


def relied(
    spokes: Spokes, spoke: Spoke, options: Options, had: Mapping[str, Set[str]]
) -> dict[tuple[str, str], list[Use]]:
    """By list and code, everything in the files that leads to a code which is not there, as far as a person is told."""
    found = [
        use
        for use in missing(all_uses(spokes, spoke), options)
        if use.of_company or use.code in had.get(use.choice, ())
    ]
    found.sort(key=lambda use: (use.choice, use.code))
    return {key: list(group) for key, group in groupby(found, key=lambda use: (use.choice, use.code))}


def all_uses(spokes: Spokes, spoke: Spoke) -> list[Use]:
    """Every code that the connection's mapping and settings lead to."""
    kinds = {kind for kind in spoke.mapping.mappers if kind not in EXTERNAL or spoke.elsewhere}
    tenant = spokes.tenant(spoke.tenant)
    said = tenant.connections[spoke.name]
    lines = {name: Origin(f"tenant {tenant.name}", tenant.file, line) for name, line in said.setting_lines.items()}
    settings = of_settings(said.settings, said.said.settings, lines) if said.settings else []
    return [*uses(spoke.mapping, kinds), *settings]


def _about(spoke: Spoke, choice: str, code: str) -> str:
    return f"code:{spoke.id}:{choice}:{code}"


def _reason(spoke: Spoke, found: list[Use], options: Options) -> Stop:
    first = found[0]
    problems = [problem_of(use, options) for use in found]
    places = ", ".join(f"{one.file}:{one.line}" for one in problems)
    word = WORDS.get(first.choice, first.choice)
    is_closed = options.find(first.choice, first.code) is not None
    return Stop(
        f"{spoke.name} {'has closed' if is_closed else 'no longer has' if not first.of_company else 'does not have'}"
        f" {word} {first.code}, which the mapping leads to ({places}). Documents that need it will stop.",
        code=GONE,
        do="Open or make it again in the ledger, or name another in the mapping; this closes by itself at the next"
        f" look: connector connections verify {spoke.name}",
        where={"connection": spoke.name, "list": first.choice, "value": first.code}
        | {"file": problems[0].file, "line": problems[0].line},
        details={"problems": [one.as_json() for one in problems]},
    )
