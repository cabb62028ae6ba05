"""Logging goes where standard error is now."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from connector.service import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def test_a_standard_error_that_was_closed_meanwhile_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as inner:
        closed = io.StringIO()
        inner.setattr("sys.stderr", closed)
        logs.configure()
        log = structlog.get_logger("kept")
        log.info("first")
        assert json.loads(closed.getvalue())["event"] == "first"
        closed.close()
    log.info("second")
    assert json.loads(capsys.readouterr().err)["event"] == "second"
