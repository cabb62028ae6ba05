"""Keep secrets out of what people and logs see."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote

STARS = "***"

ALWAYS = frozenset(
    {"password", "token", "access_token", "refresh_token", "id_token", "secret", "client_secret", "client_assertion"}
    | {"assertion", "api_key", "apikey", "authorization", "code_verifier"}
)
"""Names whose values are secret with every vendor."""


class Mask:
    """Knows the names of secret fields (any case) and secret values, and takes both out of a text."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names: set[str] = {name.lower() for name in ALWAYS}
        self._values: set[str] = set()
        self.keep(names=names)

    def keep(self, *values: str, names: Collection[str] = ()) -> None:
        """From now on mask these values wherever they stand, and whatever stands in fields with these names."""
        for value in filter(None, values):
            self._values |= {value, quote(value, safe="")}
        self._names |= {name.lower() for name in names}
        # Looked for first, since most texts hold none of them: names that contain another one add nothing.
        self._hints = [name for name in self._names if not any(other in name for other in self._names - {name})]
        one_of = "|".join(re.escape(name) for name in sorted(self._names))
        # In JSON (also where the text was cut within the value), and in a query or a form.
        self._named = re.compile(
            rf'("(?:{one_of})"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,"{{}}\[\]]+)'
            rf"|((?:^|[?&])(?:{one_of})=)[^&\s#]*",
            re.IGNORECASE | re.ASCII,
        )

    def text(self, text: str) -> str:
        """`text` without secrets."""
        for value in self._values:
            text = text.replace(value, STARS)
        lower = text.lower()
        if not any(hint in lower for hint in self._hints):
            return text
        return self._named.sub(lambda found: f'{found[1]}"{STARS}"' if found[1] else f"{found[2]}{STARS}", text)
