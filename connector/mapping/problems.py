"""What is wrong with a mapping or tenant file: values, so that all of it can be shown at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal

from connector.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a file.

    `code` is stable and kebab-case; `file` as it was named, `line` counted from 1 (0: the file as a whole); `do` says
    what helps. A warning does not keep a file from being used, an error does. `field`: the one that `said` begins with,
    where others may be wrong in the same way.
    """

    code: str
    said: str
    file: str
    line: int = 0
    do: str = ""
    severity: Literal["error", "warning"] = "error"
    field: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.severity} {self.code}: {self.said}" + (f" {self.do}" if self.do else "")

    def as_json(self) -> dict[str, Any]:
        """The problem as programs read it."""
        return {
            "file": self.file,
            "line": self.line,
            "severity": self.severity,
            "code": self.code,
            "message": self.said,
            "do": self.do,
        }


def as_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Problems as a person reads them, a line each. What is wrong with many fields in the same way, at the same place,
    is said once and names them all.
    """
    alike: dict[tuple[str, int, str, str], list[Problem]] = {}
    for one in problems:
        alike.setdefault((one.file, one.line, one.code, one.said.removeprefix(f"`{one.field}`")), []).append(one)
    for (*_, same), (first, *others) in alike.items():
        fields = list(dict.fromkeys(one.field for one in (first, *others)))
        said = ", ".join(f"`{field}`" for field in fields) + same
        do = first.do.replace(f"{first.field}: why", ", ".join(f"{field}: why" for field in fields))
        yield str(replace(first, said=said, do=do) if len(fields) > 1 else first)


def near(word: str, words: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    return _near(word[:_LONGEST], tuple(words))


_LONGEST = 80


@lru_cache(maxsize=1024)
def _near(word: str, known: tuple[str, ...]) -> str | None:
    folded = {w.lower().replace("-", "_"): w for w in known}
    found = get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A suggestion in words: the near miss, else what there is (the first few), else nothing."""
    known = sorted(set(words))
    guess = near(word, known)
    if guess:
        return f"Did you mean `{guess}`?"
    if not known:
        return ""
    return "There is: " + ", ".join(f"`{w}`" for w in known[:12]) + (" …" if len(known) > 12 else "") + "."


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that keep a file from being used."""
    return [problem for problem in problems if problem.severity == "error"]


def stop_on(problems: Sequence[Problem]) -> None:
    """Raise `Misconfigured` (code, file and line of the first error, all of them in `details`) if there is an error."""
    wrong = errors(problems)
    if not wrong:
        return
    first = wrong[0]
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    raise Misconfigured(
        f"{first.file}:{first.line}: {first.said}{more}",
        code=first.code,
        do=first.do or None,
        where={"file": first.file, "line": first.line},
        details=[problem.as_json() for problem in wrong],
    )
