"""The calls that a sandbox knows, as a table: methods and paths, and what is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Call = TypeVar("Call")
Reply = TypeVar("Reply")


class NoRoute(Exception):
    """No call has this path; `known`: one has, with another method."""

    def __init__(self, *, known: bool) -> None:
        super().__init__("another method" if known else "no such path")
        self.known = known


@dataclass(frozen=True, slots=True)
class Route(Generic[Call, Reply]):
    """A call that exists: its path, the query parameters it has, what it does."""

    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    run: Callable[[Call], Reply]


class Routes(Generic[Call, Reply]):
    """The table; calling it enters a call (`@route("GET", "/things/{id}", "page")`).

    Args:
        case: whether upper and lower case differ in paths.
        parts: what a placeholder in a path stands for, by its name: a regular expression.
    """

    def __init__(self, *, case: bool = True, **parts: str) -> None:
        self._flags = re.NOFLAG if case else re.IGNORECASE
        self._parts = parts
        self._routes: list[Route[Call, Reply]] = []

    def __call__(
        self, method: str, path: str, query: str = ""
    ) -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
        """Enter a call; `query` names its parameters, separated by spaces."""

        def enter(run: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
            written = re.escape(path)
            for name, part in self._parts.items():
                written = written.replace(rf"\{{{name}\}}", f"({part})")
            self._routes.append(Route(method, re.compile(written, self._flags), frozenset(query.split()), run))
            return run

        return enter

    def __iter__(self) -> Iterator[Route[Call, Reply]]:
        return iter(self._routes)

    def find(self, method: str, path: str) -> tuple[Route[Call, Reply], tuple[str, ...]]:
        """The call, and what stands for its placeholders. Raises `NoRoute`."""
        known = False
        for route in self._routes:
            if found := route.path.fullmatch(path):
                if route.method == method:
                    return route, found.groups()
                known = True
        raise NoRoute(known=known)
