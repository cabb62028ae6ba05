"""Countries: Fiken has names in addresses, Norwegian or English; records have ISO 3166-1 codes."""

from __future__ import annotations

from functools import cache

from babel import Locale


def name_of(code: str) -> str:
    """The English name of a country, as Fiken's own examples have it; what is no code stays as it is."""
    return str(Locale("en").territories.get(code.upper(), code))


def code_of(name: str) -> str | None:
    """The code of a country by its name; None: nobody knows it by that name."""
    return _codes().get(name.strip().casefold())


@cache
def _codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "nb"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found |= {name.casefold(): code, code.casefold(): code}
    return found | {"usa": "US", "storbritannia": "GB", "uk": "GB"}
