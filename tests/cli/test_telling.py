"""What a person reads on the command line."""

from __future__ import annotations

from connector.cli.telling import differing


def test_a_question_shows_what_each_side_says_since_when_and_by_whom() -> None:
    change = {"ours": {"at": "2027-01-15T09:12:00+00:00", "by": "api"},
              "theirs": {"at": "2027-01-15T10:40:00+00:00", "by": "books, employee 1"}}  # fmt: skip
    one = {"field": "party.contact.phone", "known": "1", "ours": "3", "theirs": "2", "changed": change,
           "proposal": "theirs"}  # fmt: skip
    field, ours, theirs = differing({"details": [one]})
    assert field == "party.contact.phone   (was 1)"
    assert ours.endswith(", api")
    assert theirs.endswith(", books, employee 1  <- proposed")
    assert list(differing({"details": {"ids": [1]}})) == list(differing(None)) == []
