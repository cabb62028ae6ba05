"""Companies that send and receive through access points."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from company import company


@pytest.fixture
def founded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with founded(points=2) as fjord`: a company with two access points, on each database."""
    return partial(company, tmp_path, monkeypatch, database_url)
