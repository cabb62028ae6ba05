"""`connector preflight` at the desk: files and folders in, a report out, an exit status, and nothing written."""

from __future__ import annotations

import copy
import json
import re
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


ENGLISH = re.compile(r"\b(the|is|are|of|cannot|leave|state|with|and|there|line|mend|not)\b", re.IGNORECASE)
"""Words that no Norwegian sentence of a report has."""


def test_a_bookkeeper_reads_no_english(desk: Any) -> None:
    line = {"id": "1", "name": "Arbeid", "quantity": "1", "price": "100.00", "unit_code": "HUR"}
    faulty = {
        "refused": SOUND | {"payee": {"name": "Factoring AS"}, "tax_point_date": "2027-01-10"},
        "lines": SOUND | {"lines": [
            line | {"vat_code": "88", "vat_category": "S", "vat_rate": "25"},
            line | {"id": "2", "vat_code": "3", "vat_category": "S", "vat_rate": "25", "base_quantity": "10",
                    "dimensions": {"department": "NN"}},
        ]},
        "uncomposable": SOUND | {"lines": [line, {"id": "2", "name": "Arbeid"}]},
        "dimensions": SOUND | {"dimensions": {"department": "NN", "location": "Oslo", "seller": "Kari"}},
        "numbered": SOUND | {"number": "17"},
        "model": SOUND | {"issue_date": "yesterday", "currency": "Kroner", "lines": "none", "nothing": 1},
        "identifiers": SOUND | {"buyer": SOUND["buyer"] | {"legal_id": {"value": "123", "scheme": "0192"}}},
        "credit": SOUND | {"type_code": "381", "source_id": "c", "preceding_invoices": [{"number": "none"}]},
    }  # fmt: skip
    folder = desk.folder / "feil"
    folder.mkdir()
    for name, body in faulty.items():
        (folder / f"{name}.json").write_text(json.dumps(body))
    (folder / "broken.json").write_text("{")
    (folder / "broken.xml").write_text("<Invoice")
    done = desk.run("preflight", str(folder), ends=2)
    told = [said for said in done.stdout.splitlines() if said.startswith("    ") and "hjemmel:" not in said]
    assert len(told) > 40
    for said in told:
        plain = re.sub(r"`[^`]*`|\([^()]*\)|\S*[_./:{}]\S*", " ", said)  # names in the file, paths
        assert not ENGLISH.search(plain), said
    assert "felt: linje 1, mva-kode" in done.stdout
    assert "En annen betalingsmottaker enn selgeren" in done.stdout
    assert "not-expressible" in done.stdout, "the codes stay"
