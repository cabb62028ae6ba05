"""Which systems are installed: plugins found by their entry points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from connector.errors import Misconfigured
from connector.ports import AccountingPlugin

ACCOUNTING = "connector.accounting"
"""Entry point group of accounting systems."""


@cache
def accounting() -> Mapping[str, AccountingPlugin]:
    """The accounting systems that are installed, by name. `Misconfigured` if one cannot be loaded."""
    found: dict[str, AccountingPlugin] = {}
    for point in entry_points(group=ACCOUNTING):
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise Misconfigured(
                f"The plugin `{point.name}` ({point.value}) cannot be loaded: {error}",
                code="plugin-broken",
                do="Install it again, or take it out.",
            ) from error
    return MappingProxyType(found)
