"""The rule sets: which layers judge which kind of document, and every rule id there is."""

from __future__ import annotations

from functools import cache

from connector.ehf.rules import en16931, peppol
from connector.ehf.rules.engine import RuleSet


@cache
def rule_set(release: str, *, self_billing: bool = False) -> RuleSet:
    """The rules of a release of BIS Billing (`3.0.21`), for billing or for self-billing."""
    return RuleSet(release, (en16931.layer, peppol.self_billing if self_billing else peppol.billing))
