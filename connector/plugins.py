"""Which plugins are installed, found by their entry points: accounting systems, and lenses for mapping files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from connector.errors import Misconfigured
from connector.ports import AccountingPlugin, LensPlugin

ACCOUNTING = "connector.accounting"
"""Entry point group of accounting systems."""
LENSES = "connector.lenses"
"""Entry point group of lenses."""


@cache
def accounting() -> Mapping[str, AccountingPlugin]:
    """The accounting systems that are installed, by name. `Misconfigured` if one cannot be loaded."""
    return _loaded(ACCOUNTING)


@cache
def lenses() -> Mapping[str, LensPlugin]:
    """The lenses that are installed, by name. `Misconfigured` if one cannot be loaded."""
    return _loaded(LENSES)


def _loaded(group: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for point in entry_points(group=group):
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise Misconfigured(
                f"The plugin `{point.name}` ({point.value}) cannot be loaded: {error}",
                code="plugin-broken",
                do="Install it again, or take it out.",
            ) from error
    return MappingProxyType(found)
