"""The documents that every mapping is tried on: real ones, that leave no field out, and find what gets lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import files, load
from connector.mapping.check import check
from connector.mapping.corpus import attempt, documents
from connector.mapping.load import CANONICAL
from connector.mapping.paths import filled, leaves
from connector.mapping.shrink import smallest

FILES = sorted((files.shipped("mappings") / "corpus").glob("*.json"))
UNCONVERTED = {
    # A kept remainder of XML has one of several forms; one is enough, no ledger carries any.
    "extension",
    "lines.extension",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_document_is_one_and_together_they_fill_every_field(path: Path) -> None:
    model = CANONICAL[path.stem]
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = [model.model_validate_json(json.dumps(row["document"])).model_dump() for row in rows]
    assert len({row["name"] for row in rows}) == len(rows)
    empty = [
        leaf
        for leaf in leaves(model)
        if not any(leaf.startswith(skipped) for skipped in UNCONVERTED)
        and not any(values(one, leaf.split(".")) for one in found)
    ]
    assert empty == []


def values(data: Any, steps: list[str]) -> bool:
    if isinstance(data, tuple):
        return any(values(item, steps) for item in data)
    if not steps:
        return data is False or filled(data)
    return isinstance(data, dict) and values(data.get(steps[0]), steps[1:])


def test_every_kind_has_documents() -> None:
    assert {kind for kind in CANONICAL if not documents(kind)} == set()


def test_what_is_shipped_keeps_all_laws_on_all_of_them() -> None:
    tried = attempt(load("tripletex", plugins=plugins.accounting()))
    assert [str(problem) for problem in tried.problems] == []
    assert tried.documents - tried.refused > 500


TRIPLETEX = (files.shipped("mappings") / "systems" / "tripletex.yaml").read_text(encoding="utf-8")
BREAKS = [
    # what is planted, the code, what the message says of the field, and the smallest document that shows it
    ("      party.legal_id.value: A number of another register than the Norwegian one (scheme 0192) has no field.\n",
     "",
     "loss-undeclared", "`party.legal_id.value` was '5560160680'", '"scheme":"0007"'),
    ("      invoice_email: invoiceEmail\n",
     "      invoice_email: {theirs: invoiceEmail, when: {ours: {currency: NOK}, theirs: {email: {present: true}}}}\n",
     "loss-undeclared", "`invoice_email` was", '"invoice_email":"faktura@example.no"'),
    ("      price: priceExcludingVatCurrency\n",
     "      price: {theirs: priceExcludingVatCurrency,"
     " when: {ours: {price: {above: 99}}, theirs: {priceExcludingVatCurrency: {above: 99}}}}\n",
     "loss-undeclared", "`price` was Decimal('80.00')", '"price":80.00'),
    ("      kroner: {ours: currency, constant: NOK, only: in, when: {theirs: {currency.code: [NOK, null]}}}\n"
     "\n      # Of",
     "\n      # Of", "loss-undeclared", "`currency` was 'NOK'", '"currency":"NOK"'),
    ("      notes[only]: {theirs: order.invoiceComment,",
     '      "notes[first]": {theirs: order.invoiceComment,', "loss-undeclared", "`notes`", '"notes":["En","To"]'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "said", "least"), BREAKS)
def test_a_line_that_loses_something_is_found_with_the_smallest_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, code: str, said: str, least: str
) -> None:
    assert old in TRIPLETEX
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tripletex.yaml"
    path.write_text(TRIPLETEX.replace(old, new, 1))
    report = check([path], plugins=plugins.accounting())
    found = [problem for problem in report.problems if problem.code == code and said in problem.said]
    assert found, [str(problem) for problem in report.problems]
    assert least in found[0].said
    shown = json.loads(found[0].said.split("shows it: ", 1)[1])
    assert len(json.dumps(shown)) < 1500
    name = said.strip("`").split("`")[0].split(".")[0]
    line = path.read_text().splitlines()[found[0].line - 1]
    assert name.split("[")[0] in line or "currency" in line


def test_the_smallest_has_nothing_that_is_not_needed() -> None:
    document = {"a": 1, "b": {"c": 2, "d": (1, 2, 3)}, "e": ({"f": 1, "g": 2}, {"f": 3, "g": 4}), "h": None}

    def shows(one: Any) -> bool:
        return any(item.get("g") == 4 for item in one.get("e", ())) and 2 in one.get("b", {}).get("d", ())

    assert smallest(document, shows) == {"b": {"d": (2,)}, "e": ({"g": 4},)}


def test_a_check_that_fails_on_the_way_is_no_smaller_document() -> None:
    def shows(one: Any) -> bool:
        return bool(one["a"] and one["b"])

    assert smallest({"a": 1, "b": 2, "c": 3}, shows) == {"a": 1, "b": 2}
