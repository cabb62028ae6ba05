"""Dimension rules: what follows from something else, what a document must carry, and what it must not.

On the way out, what the document leaves open is derived first; then it is asked for what is required and forbidden. On
the way in, a dimension that no line reads is derived from what was read: so what a system cannot say comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector.errors import Stop
from connector.mapping import paths
from connector.mapping.conditions import Condition
from connector.mapping.layers import Origin
from connector.mapping.lenses import COPY, Conversion
from connector.mapping.paths import Path, Step, shown

DIMENSIONS = Step("dimensions")
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DimensionRule:
    """A rule bound to the models (`rules.DimensionRule` says what each part means).

    `path`: the dimension it speaks of, from the document or line it stands on. `written`, `read`: whether a line
    carries the derived dimension that way. `lists`: lists of the document whose items have dimensions of their own.
    """

    name: str
    how: Literal["derive", "require", "forbid"]
    path: Path
    origin: Origin
    sources: tuple[Path, ...] = ()
    conversion: Conversion = COPY
    constant: Any = None
    when: Condition = ()
    only: Literal["in", "out"] | None = None
    written: bool = False
    read: bool = False
    lists: tuple[str, ...] = ()
    says: str = ""
    do: str = ""
    tables: tuple[str, ...] = ()
    table_origin: Origin | None = None

    @property
    def goes_out(self) -> bool:
        """Whether it is asked of a document that is written."""
        return self.only != "in"

    @property
    def comes_in(self) -> bool:
        """Whether it is asked of a record that was read. What a line reads is the ledger's own word."""
        return self.only == "in" or (self.how == "derive" and self.only is None and not self.read)

    @property
    def gives_back(self) -> bool:
        """Whether a dimension that the system cannot say comes back by it, whatever the document."""
        return self.how == "derive" and self.only is None and not self.when

    @property
    def sentence(self) -> str:
        """The rule as a person reads it."""
        named = shown(self.path)
        under = ", under a condition" if self.when else ""
        if self.how != "derive":
            return f"{named} is {'required' if self.how == 'require' else 'forbidden'}{under}"
        if not self.sources:
            return f"{named} is {self.constant} where it is not stated{under}"
        by = f" by table {self.tables[0]}" if self.tables else ""
        return f"{named} follows from {' and '.join(map(shown, self.sources))}{by} where it is not stated{under}"

    def ask(self, way: str) -> Callable[[Data, Data], Data]:
        """The rule as a function of what it stands on and the whole document; it gives back what it stands on."""
        if self.how == "derive":
            return self._derive_out if way != "into" else self._derive_in
        return self._require if self.how == "require" else self._forbid

    # --- derive -------------------------------------------------------------------------------------------------------

    def _derived(self, here: Data) -> Any:
        if not self.sources:
            return self.constant
        values = [paths.get(here, path) for path in self.sources]
        if all(value is None for value in values):
            return None
        return self.conversion.apply(values[0] if len(values) == 1 else tuple(values))

    def _derive_out(self, here: Data, whole: Data) -> Data:
        stated = paths.get(here, self.path)
        if stated is not None and self.written:
            return here
        wanted = self._derived(here)
        if stated is None:
            return here if wanted is None else paths.put(here, self.path, wanted)
        if wanted != stated and self.gives_back:
            name = shown(self.path)
            raise self._stop(
                "dimension-contradicted",
                self.says
                or f"`{name}` is {stated}, and by the mapping it is {'none' if wanted is None else wanted};"
                " this system cannot say another.",
                self.do or f"Leave `{name}` out, or add what it follows from to the rule `{self.name}`.",
                name,
            )
        return here

    def _derive_in(self, here: Data, whole: Data) -> Data:
        if paths.get(here, self.path) is not None:
            return here
        wanted = self._derived(here)
        return here if wanted is None else paths.put(here, self.path, wanted)

    # --- require, forbid ----------------------------------------------------------------------------------------------

    def _require(self, here: Data, whole: Data) -> Data:
        path, named = self.path, shown(self.path)
        if paths.get(here, path) is not None or paths.get(whole, path) is not None:
            return here
        items = [(where, paths.get(item, path)) for where, item in self._items(here)]
        lacking = [where for where, code in items if code is None]
        if items and not lacking:
            return here
        one = lacking[0] if len(lacking) < len(items) else ""
        said = self.says or f"`{one}{named}` is required and not stated."
        raise self._stop(
            "dimension-required", said, self.do or f"State {named}, once or on every line.", f"{one}{named}"
        )

    def _forbid(self, here: Data, whole: Data) -> Data:
        for where, item in (("", here), *self._items(here)):
            code = paths.get(item, self.path)
            if code is not None:
                named = f"{where}{shown(self.path)}"
                said = self.says or f"`{named}` may not be stated here; it is {code}."
                raise self._stop("dimension-forbidden", said, self.do or f"Leave {named} out.", named)
        return here

    def _items(self, here: Data) -> Iterator[tuple[str, Data]]:
        for name in self.lists:
            for number, item in enumerate(here.get(name) or ()):
                yield f"{name}[{number}].", item

    def _stop(self, code: str, said: str, do: str, at: str) -> Stop:
        # Inside a list the place of the item is filled in by who knows it.
        field = {"field": at} if at != shown(self.path) else {}
        return Stop(said, code=code, do=do, where={"rule": self.name, **field})
