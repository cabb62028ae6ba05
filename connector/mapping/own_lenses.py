"""Lenses of one's own: plugins that a line names, held to the same laws as those of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connector.mapping.lenses import WORDS, Lens, LensStop, Unfit, call
from connector.mapping.paths import Slot
from connector.mapping.problems import did_you_mean
from connector.ports import LensPlugin

_TYPES: Mapping[tuple[str, bool], type] = {
    ("text", False): str, ("integer", False): int, ("number", False): Decimal, ("boolean", False): bool,
    ("date", False): date, ("date", True): str,
}  # fmt: skip
"""What a value of a form is; of the vendor's (True) where that differs."""


def own_lens(name: str, installed: Mapping[str, LensPlugin], ours: Slot, theirs: Slot) -> Lens:
    """The lens of that name between these places.

    Raises:
        Unfit: it is not installed (`lens-unknown`), stands between other forms (`type-mismatch`), or breaks a law on
            one of its samples (`lens-law-broken`).
    """
    plugin = installed.get(name)
    if plugin is None:
        raise Unfit("lens-unknown", f"No lens `{name}` is installed.",
                    did_you_mean(name, installed) or "Install the package that brings it.")  # fmt: skip
    for slot, form, whose in ((ours, plugin.ours, "ours"), (theirs, plugin.theirs, "theirs")):
        if slot.form not in (form, "any"):
            said = f"The lens `{name}` takes {WORDS[form]} of {whose}, not {WORDS[slot.form]}."
            raise Unfit("type-mismatch", said)
    broken = broken_law(plugin)
    if broken:
        said = f"The lens `{name}` does not keep its word: {broken}"
        raise Unfit("lens-law-broken", said, "Mend the plugin; nothing goes through it until then.")
    return Lens(
        plugin.title,
        call(_held(name, plugin.out, _type(plugin.theirs, vendor=True))),
        call(_held(name, plugin.into, _type(plugin.ours, vendor=False))),
    )


def broken_law(plugin: LensPlugin) -> str | None:
    """What a lens does wrong on its own samples, in words; None where it keeps both laws."""
    out = _held("", plugin.out, _type(plugin.theirs, vendor=True))
    into = _held("", plugin.into, _type(plugin.ours, vendor=False))
    for there, back, samples, words in (
        (out, into, plugin.our_samples, "read back after it was written"),
        (into, out, plugin.their_samples, "written back after it was read"),
    ):
        if not samples:
            return "it brings no samples to try it on."
        for sample in samples:
            try:
                became = back(there(sample))
            except LensStop as stop:
                return f"{sample!r} is a sample of its own, and stops: {stop.said}"
            except Exception as error:
                return f"{sample!r} makes it fail: {type(error).__name__}: {error}"
            if became != sample or type(became) is not type(sample):
                return f"{sample!r} is {became!r} when it is {words}."
    return None


def _type(form: str, *, vendor: bool) -> type:
    return _TYPES.get((form, vendor)) or _TYPES[form, False]


def _held(name: str, function: Callable[[Any], Any], made: type) -> Callable[[Any], Any]:
    """The function of a plugin: what it refuses is a stop, and what it makes is of the form it promised."""

    def through(value: Any) -> Any:
        try:
            found = function(value)
        except ValueError as error:
            said = f"The lens `{name}` does not take {value!r}: {error}"
            raise LensStop("lens-refused", said, "Mend the value.") from error
        if type(found) is not made:
            said = f"The lens `{name}` made {found!r} of {value!r}, which is no {made.__name__}."
            raise LensStop("lens-refused", said, "Mend the plugin.")
        return found

    return through
