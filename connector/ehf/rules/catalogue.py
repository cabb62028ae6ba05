"""The rule sets: which layers judge which kind of document, and every rule there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from connector.ehf.report import Layer as LayerName
from connector.ehf.report import Severity
from connector.ehf.rules import en16931, peppol, releases
from connector.ehf.rules.engine import RuleSet
from connector.ehf.texts import explain

LAYERS = (en16931.layer, peppol.billing, peppol.self_billing)


@cache
def rule_set(release: str, *, self_billing: bool = False) -> RuleSet:
    """The rules of a release of BIS Billing (`3.0.21`), for billing or for self-billing."""
    return RuleSet(release, (en16931.layer, peppol.self_billing if self_billing else peppol.billing))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, its layer, and how severe it is in each release of BIS Billing that has it, from old to new."""

    rule: str
    layer: LayerName
    severities: Mapping[str, Severity]

    @property
    def severity(self) -> Severity:
        """How severe it is in the newest release that has it."""
        return [*self.severities.values()][-1]

    def as_json(self) -> dict[str, Any]:
        """The rule as programs read it, with its text."""
        text = explain(self.rule, self.layer)
        return {
            "rule": self.rule,
            "severity": self.severity,
            "layer": self.layer,
            "versions": dict(self.severities),
            "term": text.term,
            "message": dict(text.message),
            "fix": dict(text.fix),
        }


def rules() -> Iterator[Rule]:
    """Every rule of every layer, by layer and id."""
    for layer in LAYERS:
        found: dict[str, dict[str, Severity]] = {}
        for release in releases.RELEASES:
            for rule, (severity, name) in RuleSet(release.version, (layer,)).entries.items():
                if name == layer.name:
                    found.setdefault(rule, {})[release.version] = severity
        for rule, severities in sorted(found.items()):
            yield Rule(rule, layer.name, severities)
