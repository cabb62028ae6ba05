"""Which plugins are installed, found by their entry points: accounting systems, access points, and lenses for mapping
files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connector.errors import Misconfigured
from connector.ports import AccessPointPlugin, AccountingPlugin, LensPlugin

ACCOUNTING = "connector.accounting"
"""Entry point group of accounting systems."""
ACCESS_POINTS = "connector.access_points"
"""Entry point group of access points."""
LENSES = "connector.lenses"
"""Entry point group of lenses."""


class Installed(Mapping[str, Any]):
    """Plugins by name, each loaded when it is first asked for: a company does not wait for systems it does not have.

    What cannot be loaded is `Misconfigured` (`plugin-broken`) when it is asked for.
    """

    def __init__(self, group: str) -> None:
        self._points = {point.name: point for point in entry_points(group=group)}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(self._points[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


@cache
def accounting() -> Mapping[str, AccountingPlugin]:
    """The accounting systems that are installed, by name."""
    return Installed(ACCOUNTING)


@cache
def access_points() -> Mapping[str, AccessPointPlugin]:
    """The access points that are installed, by name."""
    return Installed(ACCESS_POINTS)


@cache
def lenses() -> Mapping[str, LensPlugin]:
    """The lenses that are installed, by name."""
    return Installed(LENSES)


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise Misconfigured(
            f"The plugin `{point.name}` ({point.value}) cannot be loaded: {error}",
            code="plugin-broken",
            do="Install it again, or take it out.",
        ) from error
