from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connector.mapping import source
from connector.mapping.source import MAX_BYTES, MAX_NODES, parse, read


def test_plain_yaml_keeps_lines_and_text_as_written() -> None:
    found, problems = parse("a: 1\nb:\n  c: no\n  d: [x, 11.11, true, ~]\n  '7': \"0017\"\n", "f")
    assert problems == []
    assert found is not None
    assert found.data == {"a": 1, "b": {"c": "no", "d": ["x", Decimal("11.11"), True, None], "7": "0017"}}
    assert found.line(("b", "c")) == 3
    assert found.line(("b", "d", 1)) == 4
    assert found.line(("b", "nowhere", "at all")) == 2


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: [1, 2\n", "not-yaml", 2),
        ("a: 'x\n", "not-yaml", 1),
        ('a: 1\nb: "x\nc: 1\nd: 2\n', "not-yaml", 2),
        ("a: 1\n\tb: 2\n", "tab", 2),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3),
        ("x:\n  a: 1\n  a: 2\n", "duplicate-key", 3),
        ("a: &x 1\nb: 2\n", "anchor", 1),
        ("a: 1\nb: *x\n", "anchor", 2),
        ("a: 1\n<<: {b: 2}\n", "merge", 2),
        ("a: 1\nb: !!python/object:os.system 2\n", "tag", 2),
        ("? [1, 2]\n: 3\n", "key-not-text", 1),
        ("a: 1\n---\nb: 2\n", "several-documents", 2),
        ("a: 1\nkid: 0000100172\n", "number-ambiguous", 2),
        ("a: 1e5\n", "number-ambiguous", 1),
        ("- 1\n- 2\n", "not-a-mapping", 1),
        ("", "not-a-mapping", 1),
        ("a: " + "[" * 40 + "]" * 40, "nested-too-deeply", 1),
        ("a: " + "{b: " * 2000 + "1" + "}" * 2000, "nested-too-deeply", 1),
        ("a: [" + "1, " * (MAX_NODES + 5) + "1]\n", "file-too-large", 1),
    ],
)
def test_what_is_surprising_in_yaml_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    found, problems = parse(text, "f.yaml")
    assert found is None
    assert (problems[-1].code, problems[-1].line, problems[-1].file) == (code, line, "f.yaml")


def test_all_duplicate_keys_are_shown_at_once() -> None:
    _, problems = parse("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n", "f")
    assert [(p.code, p.line) for p in problems] == [("duplicate-key", 2), ("duplicate-key", 5)]


def test_a_billion_laughs_end_at_the_first() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    _, problems = parse(bomb, "f")
    assert problems[0].code == "anchor"


def test_huge_and_unreadable_files(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * (MAX_BYTES + 1))
    assert read(big)[1][0].code == "file-too-large"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: Børs\n".encode("latin-1"))
    assert read(latin)[1][0].code == "not-utf-8"
    assert read(tmp_path / "nowhere.yaml")[1][0].code == "file-unreadable"
    assert source.parse("﻿a: 1\n".lstrip("﻿"), "f")[0] is not None
