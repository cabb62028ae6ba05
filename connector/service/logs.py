"""Logging: one event a line, with the same codes as errors have; never a secret, never a document's content."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO, cast

import structlog


class _StandardError:
    """Standard error as it is when a line is written: whoever has put another in its place may have closed that."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str = "info", format: Literal["json", "text"] = "json") -> None:
    """Send structlog to standard error, as JSON or for people; UTC time on every line."""
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
