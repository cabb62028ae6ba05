"""What a person reads on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connector.cli.telling import differing, tell
from connector.lanes.story import Entry


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


def test_the_way_through_peppol_in_words() -> None:
    at = datetime(2027, 1, 15, tzinfo=UTC)

    def told(what: str, **said: Any) -> str:
        (line,) = tell([Entry(at, "event", "1", what, {"data": said})], {})
        return line[0].split("  ", 1)[1]

    through = {"access_point": "ap", "said": "sent"}
    assert told("invoice.sent", **through) == "The receiver's access point has it (ap: sent)"
    assert told("invoice.sent", by="books", channel="ehf") == "Sent by books itself: channel ehf"
    assert told("supplier_invoice.response_sent", **through) == "The receiver's access point has it (ap: sent)"
    reasons = [{"code": "BV", "text": "Nobody is called so."}, {"code": None, "text": "Full."}]
    assert told("credit_note.not_delivered", reasons=reasons) == "Not delivered: BV: Nobody is called so.; Full."
    assert told("invoice.response", status="RE", title="Kunden har avvist fakturaen") == (
        "The customer answers (RE): Kunden har avvist fakturaen"
    )
