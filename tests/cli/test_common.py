"""What all commands print: errors and tables that a person can read, copy and search."""

from __future__ import annotations

import pytest
import typer

from connector.cli.common import Exit, Format, fail, show
from connector.errors import Misconfigured

LONG = "A name that is longer than any terminal is wide, and a word more, " * 3


def test_a_table_that_is_piped_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show(Format.text, None, ("Id", "Name"), [("0" * 32, LONG), ("1" * 32, "Rør [x] og [bold] AS")], "")
    said = capsys.readouterr().out.splitlines()
    assert "0" * 32 in said[1]
    assert LONG.strip() in said[1]
    assert "Rør [x] og [bold] AS" in said[2], "what looks like markup is text"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"file": "a.csv", "line": 4, "message": "It waits.", "do": "Answer."}, "  - a.csv:4: It waits. Answer."),
        ({"file": "a.csv", "message": "It is empty."}, "  - a.csv: It is empty."),
        ({"step": "go-live", "state": "open", "do": "Choose a day."}, "  - go-live: Choose a day."),
        ({"company": "7", "name": "Fjord"}, "  - company: 7; name: Fjord"),
    ],
)
def test_each_fault_of_many_is_a_sentence_at_its_place(
    capsys: pytest.CaptureFixture[str], fault: dict[str, object], said: str
) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(Misconfigured("Wrong.", code="x", details=[fault]))
    assert ended.value.exit_code == Exit.UNUSABLE
    assert said in capsys.readouterr().err.splitlines()
