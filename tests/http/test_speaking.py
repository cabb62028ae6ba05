"""Calls in other protocols than HTTP: in the story as others are, and none after the caller's time is over."""

from __future__ import annotations

import pytest

from connector.errors import NeedsPerson, TryLater, UnknownOutcome
from connector.http import calling, now, speaking


@pytest.mark.parametrize(
    ("error", "status"),
    [(NeedsPerson("No permission."), "failed"), (UnknownOutcome("Lost."), None), (TryLater("Silence."), None)],
)
def test_a_call_is_recorded_with_its_end(error: Exception, status: str | None) -> None:
    with calling(None) as scope:
        with speaking("WRITE", "sftp://u@ap.example/out"):
            pass
        with pytest.raises(type(error)), speaking("RENAME", "sftp://u@ap.example/out"):
            raise error
    assert [(one.method, one.status, one.error) for one in scope.exchanges] == [
        ("WRITE", "ok", None),
        ("RENAME", status, str(error)),
    ]


def test_nothing_begins_when_the_time_is_over() -> None:
    begun = False
    with calling(now() - 1) as scope, pytest.raises(TryLater) as over, speaking("RENAME", "sftp://u@ap.example/out"):
        begun = True
    assert (over.value.code, begun, scope.exchanges) == ("lease-over", False, [])
