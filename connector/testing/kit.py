"""The kit as pytest runs it, and as any program does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from connector.testing.bench import Bench, NotApplicable
from connector.testing.check import Check
from connector.testing.checks import answers, capable, money, once, reading, silence

CHECKS: tuple[Check, ...] = (
    *capable.CHECKS,
    *once.CHECKS,
    *reading.CHECKS,
    *money.CHECKS,
    *answers.CHECKS,
    *silence.CHECKS,
)
"""Every check, by promise."""


class AdapterKit:
    """All checks as tests: subclass it, and say what the bench is.

    class TestMySystem(AdapterKit):
        bench = MyBench
    """

    bench: type[Bench]
    """A new one is made for every check."""
    checks: Sequence[Check] = CHECKS
    """Which checks are tried: all, unless fewer are named."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each check."""
        metafunc.parametrize("check", self.checks, ids=[check.name for check in self.checks])

    def test_keeps(self, check: Check) -> None:
        """The adapter keeps one promise."""
        import pytest  # whoever runs this has it; who runs `check.run` by hand need not

        try:
            asyncio.run(check.run(self.bench))
        except NotApplicable as reason:
            pytest.skip(str(reason))
