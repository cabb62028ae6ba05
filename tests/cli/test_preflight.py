"""`connector preflight` at the desk: files and folders in, a report out, an exit status, and nothing written."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from connector.api.examples import INVOICE_DRAFT
from connector.ehf import write
from connector.model import Draft, compose

SOUND: dict[str, Any] = copy.deepcopy(INVOICE_DRAFT) | {
    "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}}
}


@pytest.fixture
def out(desk: Any) -> Path:
    """A folder of documents to be sent: one sound, one with two problems."""
    folder = desk.folder / "utboks"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(SOUND))
    bad = SOUND | {"source_id": "b", "payee": {"name": "Factoring AS"}, "buyer": {"name": "Eksempel AS"}}
    (folder / "b.json").write_text(json.dumps(bad))
    return folder


def test_one_sound_document(desk: Any, out: Path) -> None:
    done = desk.run("preflight", str(out / "a.json"))
    assert "a.json: i orden" in done.stdout
    assert "a.json: fine" in desk.run("preflight", "--language", "en", str(out / "a.json")).stdout


def test_all_problems_of_a_folder(desk: Any, out: Path) -> None:
    done = desk.run("preflight", str(out), ends=1)
    assert "1 i orden, 1 ikke i orden" in done.stderr
    for said in ("not-expressible", "NO-BOK-06", "/payee", "Kjøperens adresse", "bff § 5-1-1"):
        assert said in done.stdout
    found = desk.run("connections", "list", "--format", "json").stdout
    assert json.loads(found)[0]["mode"] == "observe"
    assert json.loads(desk.run("documents", "find", "--format", "json").stdout) == []


def test_a_line_for_each_as_json(desk: Any, out: Path) -> None:
    done = desk.run("preflight", "--format", "json", "--system", "books", str(out), ends=1)
    connection, first, second, sums = map(json.loads, done.stdout.splitlines())
    assert connection["connection"] == "books"
    assert connection["read"]
    assert (first["fine"], second["fine"]) == (True, False)
    assert sums == {"documents": 2, "fine": 1, "wrong": 1, "unusable": 0}
    [address] = [one for one in second["problems"] if one["code"] == "NO-BOK-06"]
    assert address["source_field"] == "order.customer.id"


def test_what_cannot_be_read_ends_with_2(desk: Any, out: Path) -> None:
    (out / "c.xml").write_text("<Invoice")
    done = desk.run("preflight", "--offline", str(out), ends=2)
    assert "c.xml: KAN IKKE LESES" in done.stdout
    none = desk.run("preflight", "--offline", str(out / "none.xml"), ends=2)
    assert "none.xml: No such file" in none.stderr
    assert "JSON" not in none.stdout, "a file that is not there was judged for what is in it"
    (desk.folder / "empty").mkdir()
    desk.run("preflight", str(desk.folder / "empty"), ends=2)
    desk.run("preflight", "--route", "none", str(out), ends=2)


def test_standard_input_and_offline(desk: Any) -> None:
    xml = write(compose(Draft.model_validate(SOUND | {"number": "1001"})))
    done = desk.run("preflight", "--offline", "--draft", "-", gives=xml.decode())
    assert "options-unread" in done.stdout, "it was not said that the ledger was not asked"
    assert "i orden" in done.stdout
    assert "numbered-document" in desk.run("preflight", "--offline", "-", gives=xml.decode(), ends=1).stdout
