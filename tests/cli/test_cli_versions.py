"""Versions of mappings at the command line: looked at before they are in force, put in force, taken back, redone."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

NO_DAY = "    mapping: {kinds: {invoice: {fields: {delivery.day: null}, loses: {delivery.day: Not used.}}}}\n"
REFUSES = """\
    mapping:
      kinds:
        invoice:
          refuse:
            everything: {when: {ours: {currency: NOK}}, says: No kroner.}
"""


def says(desk: Any, mapping: str) -> None:
    """Have the tenant's file say this of the mapping of its connection."""
    desk.file.write_text(desk.before + mapping + "routes:" + desk.routes)


@pytest.fixture
def ledger(a_ledger: Any) -> Iterator[str]:
    """A ledger of its own: what is issued in it is seen by no other desk."""
    with a_ledger() as address:
        yield address


@pytest.fixture
def desk(desk: Any) -> Any:
    """The desk, with what stands before and after the mapping in its file at hand."""
    desk.before, _, desk.routes = desk.file.read_text().partition("routes:")
    return desk


def of(desk: Any) -> dict[str, Any]:
    """What has been in force at `books`."""
    (one,) = desk.json("mappings", "versions")
    return dict(one)


def lines(said: str) -> list[Any]:
    """JSON, one object a line."""
    return [json.loads(line) for line in said.splitlines()]


def issued(desk: Any, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """An invoice that has been issued in the books; its id."""
    secret = desk.json("keys", "create", uuid.uuid4().hex, "--scope", "write")["secret"]
    desk.run("connections", "activate", "books")
    desk.post(monkeypatch, secret, source_id=uuid.uuid4().hex, **changes)
    desk.run("sync")
    return str(desk.json("documents", "find", "--kind", "invoice")[0]["id"])


def test_an_edit_is_looked_at_applied_and_taken_back(desk, monkeypatch):
    assert of(desk)["log"] == []
    id = issued(desk, monkeypatch, delivery={"day": "2027-01-13"})
    (first,) = of(desk)["log"]
    assert (first["did"], first["who"]) == ("first", "connector")

    says(desk, NO_DAY)
    assert "is not applied" in desk.run("mappings", "versions").stderr
    said = desk.run("mappings", "diff", ends=1).stdout
    assert "delivery.day" in said
    assert "fjord.yaml" in said
    [one] = desk.json("mappings", "diff", ends=1)
    assert (one["a"], one["b"]) == (first["version"], of(desk)["files"])

    shown = desk.run("mappings", "preview", "-c", "books", "--document", id).stdout
    assert "order.invoicesDueIn" in shown or "invoice.invoiceDueDate" in shown
    assert "2027-01-13" not in shown
    assert (
        "2027-01-13" in desk.run("mappings", "preview", "-c", "books", "--document", id, "--version", "applied").stdout
    )
    *differing, last = lines(
        desk.run("mappings", "preview", "-c", "books", "--against", "applied", "--format", "json").stdout
    )
    assert [(d["way"], d["differs"]) for d in differing if d["document"] == id] == [
        ("out", [{"field": "order.deliveryDate", "against": "2027-01-13", "now": None}]),
        ("in", [{"field": "delivery.day", "against": "2027-01-13", "now": None}]),
    ]
    assert last["summary"]["stop_anew"] == 0

    done = desk.json("mappings", "apply")
    assert done[0]["before"] == first["version"]
    assert done[0]["changes"]
    assert "in force already" in desk.run("mappings", "apply").stdout
    assert of(desk)["log"][0]["who"] == "kari"
    assert desk.run("mappings", "diff").stdout.count("They say the same") == 1
    assert "delivery.day" in desk.run("mappings", "diff", first["version"][:6], "files", ends=1).stdout

    back = desk.json("mappings", "rollback", "-c", "books")
    assert (back["version"], back["before"]) == (first["version"], done[0]["version"])
    assert [entry["did"] for entry in of(desk)["log"]] == ["rollback", "apply", "first"]
    assert "mapping-nothing-before" in desk.run("mappings", "rollback", "-c", "books", ends=2).stderr
    assert desk.json("mappings", "rollback", "-c", "books", "--to", done[0]["version"])["before"] == first["version"]


def test_nothing_is_applied_that_is_not_right_or_would_stop(desk, monkeypatch):
    issued(desk, monkeypatch)
    good = of(desk)["log"][0]["version"]
    says(desk, REFUSES)
    refused = desk.run("mappings", "apply", ends=2).stderr
    assert "mapping-stops" in refused
    assert "No kroner." in refused
    assert "No kroner." in desk.run("mappings", "preview", "-c", "books", "--against", "applied", ends=1).stdout
    assert of(desk)["log"][0]["version"] == good
    example = "    examples: [{name: x, kind: invoice, only: out, ours: {currency: NOK}, theirs: {comment: y}}]\n"
    says(desk, example)
    assert "mapping-not-fine" in desk.run("mappings", "apply", ends=2).stderr
    says(desk, "    mapping: {kinds: {invoice: {fields: {nothing: where}}}}\n")
    assert "fjord.yaml" in desk.run("mappings", "apply", ends=2).stderr
    assert "nothing-before" in desk.run("mappings", "rollback", "-c", "books", ends=2).stderr, "no file is needed"
    says(desk, REFUSES)
    desk.run("mappings", "apply", "--accept-stops")
    assert of(desk)["log"][0]["version"] == of(desk)["files"]


def test_a_plan_is_saved_and_done_and_what_another_version_made_is_shown(desk, monkeypatch):
    secret = desk.json("keys", "create", "shop", "--scope", "write")["secret"]
    said = {"source_id": uuid.uuid4().hex, "delivery": {"day": "2027-01-13"}}
    desk.post(monkeypatch, secret, **said)
    desk.run("sync")  # observed only
    shown = desk.run("plan", "-c", "books", "--save", "plan.json").stdout
    assert re.search(r"create\s+customer", shown)
    assert re.search(r"create\s+invoice", shown)
    assert "connection-observes" in desk.run("sync", "--plan", "plan.json", ends=2).stderr
    assert "2 step(s) of the plan are done" in desk.run("sync", "--plan", "plan.json", "--activate").stdout
    moved = desk.run("sync", "--plan", "plan.json", ends=2).stderr
    assert "plan-moved" in moved
    assert "nothing is to be done" in moved or "now it is `leave`" in moved
    assert {step["action"] for step in desk.json("plan", "-c", "books", "--all")} == {"leave"}
    (desk.folder / "bad.json").write_text("{")
    assert "plan-malformed" in desk.run("sync", "--plan", "bad.json", ends=2).stderr
    assert "plan-malformed" in desk.run("sync", "--plan", "none.json", ends=2).stderr

    (found,) = desk.json("documents", "find", "--kind", "invoice")
    [link] = desk.json("documents", "show", found["id"])["links"]
    first = of(desk)["log"][0]["version"]
    assert (link["written_by"], link["read_by"]) == (first, first)
    says(desk, NO_DAY)
    assert f"works with version {first}" in desk.run("mappings", "check").stdout
    assert desk.run("sync").stderr.count("something else than is in force") == 1
    assert json.loads(desk.run("sync", "--format", "json").stdout)["attention"] == 0
    for words in (("attention",), ("documents", "show", found["number"]), ("plan", "-c", "books")):
        assert "in force" not in desk.run(*words).stderr, "said where nobody needs it"
    desk.run("mappings", "apply")
    assert "works with version" not in desk.run("mappings", "check").stdout
    assert "not the version in force" in desk.run("documents", "show", found["number"]).stdout
    shown = desk.run("documents", "remap", "-c", "books", "--made-by", first[:5], ends=1).stdout
    assert "order.deliveryDate" in shown
    assert "1 differs, and stays" in shown
    *redone, last = lines(desk.run("documents", "remap", "-c", "books", "--do", "--format", "json", ends=1).stdout)
    assert last["summary"] == {"drift": 1, "same": 1}
    assert [(one["fate"], one["preview"]["kind"]) for one in redone] == [("same", "customer"), ("drift", "invoice")]
    assert (
        "mapping-version-unknown" in desk.run("documents", "remap", "-c", "books", "--made-by", "ffff", ends=2).stderr
    )
