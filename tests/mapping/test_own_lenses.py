"""Lenses of one's own: packages that are installed, found by their entry points, and held to the laws."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.errors import Stop

PACKAGE = '''\
class Upper:
    """Their codes are ours in capital letters."""

    title = "in capital letters"
    ours = "text"
    theirs = "text"
    our_samples = ("kari", "å")
    their_samples = ("KARI", "Å")

    def out(self, value):
        if value != value.lower():
            raise ValueError("capital letters would be lost")
        return value.upper()

    def into(self, value):
        if value != value.upper():
            raise ValueError("it has small letters")
        return value.lower()


upper = Upper()
'''
LINE = "      shout: {ours: accounting_cost, theirs: comment, lens: upper}\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Installs the package with this text, as pip would leave it."""

    def install(text: str = PACKAGE) -> None:
        folder = tmp_path / "site"
        about = folder / "own_upper-1.0.dist-info"
        about.mkdir(parents=True)
        (folder / "own_upper.py").write_text(text)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-upper\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[connector.lenses]\nupper = own_upper:upper\n")
        monkeypatch.syspath_prepend(str(folder))
        plugins.lenses.cache_clear()

    yield install
    sys.modules.pop("own_upper", None)
    monkeypatch.undo()
    plugins.lenses.cache_clear()


def line(built: Any, good: str, new: str = LINE) -> Any:
    text = good.replace('      notes: {theirs: comment, join: " / "}\n', new)
    above, _, below = text.rpartition("accounting_cost: '', ")
    return built(text=f"{above}notes: '', {below}")


def test_a_lens_goes_both_ways(built: Any, good: str, links: Any, installed: Any) -> None:
    installed()
    mapping, problems = line(built, good)
    assert [str(problem) for problem in problems] == []
    mapper = mapping["invoice"]
    assert mapper.out({"accounting_cost": "kari"}, links)["comment"] == "KARI"
    assert mapper.into({"comment": "KARI"}, links)["accounting_cost"] == "kari"
    assert mapper.explain("accounting_cost")[0].does == "in capital letters"
    with pytest.raises(Stop) as stopped:
        mapper.out({"accounting_cost": "Kari"}, links)
    assert stopped.value.code == "lens-refused"
    assert "capital letters would be lost" in stopped.value.said
    assert stopped.value.where["field"] == "accounting_cost"


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ("return value.upper()", "return value", "lens-law-broken", "it has small letters"),
        ("return value.lower()", "return value.lower() + 'x'", "lens-law-broken",
         "'kari' is 'karix' when it is read back"),
        ('"KARI", "Å"', '"KARI", "ß"', "lens-law-broken", "is a sample of its own, and stops"),
        ('our_samples = ("kari", "å")', "our_samples = ()", "lens-law-broken", "no samples"),
        ("return value.upper()", "return 7", "lens-law-broken", "no str"),
        ("return value.upper()", "return value.uper()", "lens-law-broken", "AttributeError"),
        ('ours = "text"', 'ours = "integer"', "type-mismatch", "a whole number of ours"),
    ],
)  # fmt: skip
def test_a_lens_that_breaks_its_word_is_found_where_it_is_named(
    built: Any, good: str, installed: Any, old: str, new: str, code: str, word: str
) -> None:
    assert old in PACKAGE
    installed(PACKAGE.replace(old, new, 1))
    mapping, problems = line(built, good)
    assert mapping is None
    assert (code, 18) in [(problem.code, problem.line) for problem in problems]
    assert any(word in problem.said for problem in problems), [str(problem) for problem in problems]


def test_a_lens_that_is_not_installed_has_a_near_miss(built: Any, good: str, installed: Any) -> None:
    installed()
    _, problems = line(built, good, LINE.replace("lens: upper", "lens: uper"))
    assert [(p.code, p.line, p.do) for p in problems if p.code == "lens-unknown"] == [
        ("lens-unknown", 18, "Did you mean `upper`?")
    ]


def test_a_package_that_cannot_be_loaded_is_said(built: Any, good: str, installed: Any) -> None:
    installed("raise RuntimeError('no')\n")
    with pytest.raises(Exception, match="cannot be loaded") as stopped:
        line(built, good)
    assert stopped.value.code == "plugin-broken"
