"""Settings of a connection that would only fail when they are used: told by `check`, with line and suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import plugins
from connector.mapping import files
from connector.mapping.check import check

DEMO = (files.shipped("mappings") / "tenants" / "demo.yaml").read_text(encoding="utf-8")
ADDRESS = "      base_url: http://127.0.0.1:8700/v2\n"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ('"tripletex.no/v2"', "`https://tripletex.no/v2`"),
        ('"www.tripletex.no"', "`https://www.tripletex.no`"),
        ('"//tripletex.no/v2"', "`https://tripletex.no/v2`"),
        ('"htps://tripletex.no/v2"', "`https://tripletex.no/v2`"),
        ('"ftp://tripletex.no/v2"', "`https://tripletex.no/v2`"),
        ('"127.0.0.1:8700/v2"', "`https://127.0.0.1:8700/v2`"),
        ('"https://"', "https://, the host and the path"),
        ('""', "https://, the host and the path"),
        ('"https://tripletex.no/v2?x=1"', "no query"),
        ('"https://kari:hemmelig@tripletex.no/v2"', "no user"),
        ('"https://triple tex.no/v2"', "no blanks"),
        ('"https://tripletex.no:port/v2"', "https://"),
    ],
)
def test_an_address_that_is_none(tmp_path: Path, new: str, words: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(text := DEMO.replace(ADDRESS, f"      base_url: {new}\n"), encoding="utf-8")
    [found] = check([path], plugins=plugins.accounting()).problems
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "base_url" in row)
    assert (found.code, found.line) == ("setting", line)
    assert "base_url" in found.said
    assert words in found.do


@pytest.mark.parametrize(
    "good", ["https://tripletex.no/v2", "https://api-test.tripletex.tech/v2", "http://[::1]:80/v2"]
)
def test_an_address_that_is_one(tmp_path: Path, good: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(DEMO.replace(ADDRESS, f'      base_url: "{good}"\n'), encoding="utf-8")
    assert check([path], plugins=plugins.accounting()).problems == []


@pytest.mark.parametrize(
    ("manager", "fits"), [("17", True), ("kari@example.no", True), ("kari@@no", False), ("Kari", False)]
)
def test_who_leads_projects_is_a_number_or_an_address(tmp_path: Path, manager: str, fits: bool) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(DEMO.replace(ADDRESS, ADDRESS + f'      project_manager: "{manager}"\n'), encoding="utf-8")
    found = check([path], plugins=plugins.accounting()).problems
    assert (found == []) is fits
    assert all("project_manager" in one.said and "kari@example.no" in one.do for one in found)
