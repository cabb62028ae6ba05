"""The commands as people and programs run them."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
import uuid
from typing import Any

import pytest

from connector.api.examples import BUYER, INVOICE_DRAFT, SELLER
from connector.cli import GROUPS
from connector.ehf import write
from connector.model import Draft, compose


def post(desk: Any, monkeypatch: pytest.MonkeyPatch, secret: str, **changes: Any) -> str:
    """Post an invoice to the API over the desk's store, as a program would; the operation's id."""
    return str(desk.post(monkeypatch, secret, **changes))


def fault(ledger: str, **said: Any) -> None:
    """Switch a fault of the sandbox on."""
    request = urllib.request.Request(
        ledger.removesuffix("/v2") + "/fault", json.dumps(said).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=5)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_help(desk, group):
    said = desk.run(group, "--help").stdout
    assert "Usage: connector" in said
    assert len(said.splitlines()) > 5


def test_the_help_names_every_group(desk):
    said = desk.run("--help").stdout
    for group in GROUPS:
        assert re.search(rf"\b{group}\b", said)
    assert "connector demo" in said


def test_keys_are_made_listed_and_taken_back(desk):
    assert "No keys yet" in desk.run("keys", "list").stdout
    made = desk.json("keys", "create", "webshop", "--scope", "read", "--scope", "write")
    assert made["secret"].startswith("ck_")
    [listed] = desk.json("keys", "list")
    assert (listed["id"], listed["name"], listed["scopes"]) == (made["id"], "webshop", ["read", "write"])
    assert made["secret"] not in json.dumps(listed)
    desk.run("keys", "revoke", made["id"])
    assert "revoked" in desk.run("keys", "list").stdout
    assert "key-not-found" in desk.run("keys", "revoke", made["id"], ends=2).stderr
    assert "settle" in desk.run("keys", "create", "x", "--scope", "everything", ends=2).stderr
    [(kept,)] = sqlite3.connect(desk.folder / "connector.db").execute("select hash from api_keys").fetchall()
    assert made["secret"] not in kept


def test_connections_are_tried_and_switched(desk):
    assert desk.json("connections", "test", "books")["works"] is True
    assert desk.json("connections", "list")[0]["mode"] == "observe"
    desk.run("connections", "activate", "books")
    assert desk.json("connections", "list")[0]["mode"] == "active"
    desk.run("connections", "observe", "books")
    assert desk.json("connections", "list")[0]["mode"] == "observe"
    desk.run("connections", "pause", "books")
    assert "Paused by a person" in desk.run("connections", "list").stdout
    desk.run("connections", "resume", "books")
    assert "Paused" not in desk.run("connections", "list").stdout.split("\n", 1)[1]
    assert "There is: books" in desk.run("connections", "test", "bank", ends=2).stderr
    wrong = desk.run("connections", "test", "books", ends=1, FJORD_EMPLOYEE="nonsense").stdout
    assert "does not work" in wrong
    assert "nonsense" not in wrong


def test_an_invoice_is_planned_synced_found_and_explained(desk, ledger, monkeypatch):
    secret = desk.json("keys", "create", "shop", "--scope", "write")["secret"]
    post(desk, monkeypatch, secret)
    desk.run("sync")
    assert "create" in desk.run("plan", "-c", "books").stdout  # observed only: nothing was pushed
    assert "1 document(s)" in desk.run("connections", "activate", "books").stdout
    done = desk.json("sync")
    assert (done["connections"], done["attention"]) == (["books"], 0)
    assert desk.json("plan", "-c", "books") == []
    [found] = desk.json("documents", "find", "--kind", "invoice")
    assert (found["state"], found["payable"]) == ("issued", "12500.00")
    assert found["number"] in desk.run("documents", "find", "--counterparty", "eksempel").stdout

    told = desk.run("documents", "explain", found["id"]).stdout
    assert f"Issued in books: number {found['number']}, KID {found['kid']}" in told
    assert "Received from a program: invoice (application/json)" in told
    assert re.search(r"PUT /v2/order/\d+/:invoice\?\S+  200  0\.\d\d s", told)
    assert "Rådgivning" in told  # letters, no escapes
    assert '"unitPriceExcludingVatCurrency":1020.00' in told  # with the digits that were sent
    for hidden in (secret, "sandbox-consumer", "sandbox-employee"):
        assert hidden not in told
    assert max(map(len, told.splitlines())) < 360
    whole = desk.json("documents", "explain", "order-4711")  # by the source's own id
    assert whole["document"]["id"] == found["id"]
    assert {entry["kind"] for entry in whole["story"]} >= {"arrival", "event", "work", "attempt"}
    assert whole["mapping"]["books"][0]["line"].count(":") == 1
    assert "document-unclear" in desk.run("documents", "explain", "nothing", ends=2).stderr


def test_what_waits_is_listed_explained_and_settled(desk, ledger, monkeypatch):
    secret = desk.json("keys", "create", "shop", "--scope", "write")["secret"]
    desk.run("connections", "activate", "books")
    line = INVOICE_DRAFT["lines"][0] | {"base_quantity": "3", "quantity": "8", "price": "3060.00"}
    post(desk, monkeypatch, secret, source_id=uuid.uuid4().hex, lines=[line])
    assert desk.json("sync", ends=1)["attention"] == 1
    [item] = desk.json("attention", "list")
    assert item["verbs"]
    listed = desk.run("attention").stdout
    assert item["said"] in listed
    assert item["do"] in listed
    told = desk.run("documents", "explain", item["document"]).stdout
    assert f"Waits for a person: {item['code']}" in told
    assert f"connector documents resolve {item['document']} --cancel" in told
    assert "exactly one" in desk.run("documents", "resolve", item["document"], ends=2).stderr
    refused = desk.run("documents", "resolve", item["document"], "--happened", "1", ends=2).stderr
    assert "nothing-to-settle" in refused
    desk.run("documents", "resolve", item["document"], "--cancel")
    assert "Nothing waits" in desk.run("attention", "list").stdout
    after = desk.run("documents", "explain", item["document"]).stdout
    assert "kari decided: cancel" in after


def test_incoming_invoices_are_received_from_files_and_settled(desk, ledger):
    seller = BUYER | {"name": "Selger AS"}
    said = INVOICE_DRAFT | {"number": "F-7", "seller": seller, "buyer": SELLER, "source_id": None}
    for name, account in (("F-7", "86011117947"), ("F-8", "15032080119")):
        means = [{"code": "30", "payment_id": "0000100172", "account": {"id": account}}]
        draft = Draft.model_validate_json(json.dumps(said | {"number": name, "payment_means": means}))
        (desk.folder / f"{name}.xml").write_bytes(write(compose(draft)))
    desk.run("connections", "activate", "books")
    assert "F-7.xml: kept" in desk.run("documents", "receive", "F-7.xml").stdout
    assert desk.json("sync")["attention"] == 0
    desk.run("documents", "receive", "F-7.xml", "F-8.xml")
    assert desk.json("sync", ends=1)["attention"] == 1  # the first is the same message, the second another account
    [item] = desk.json("attention", "list")
    assert item["code"] == "bank-account-changed"
    desk.run("documents", "resolve", item["document"], "--accept")
    assert desk.json("sync")["attention"] == 0
    found = desk.json("documents", "find", "--kind", "supplier_invoice")
    assert sorted((one["number"], one["state"]) for one in found) == [("F-7", "delivered"), ("F-8", "delivered")]
    told = desk.run("documents", "explain", item["document"]).stdout
    assert "kari decided: accept (code bank-account-changed)" in told


def test_the_store_is_brought_up_to_date_rotated_and_held(desk):
    assert "up to date" in desk.run("store", "upgrade").stdout
    assert "sealed" in desk.run("store", "rotate").stdout
    desk.run("store", "restored")
    desk.run("store", "go-on")


def test_a_missing_secret_is_named(desk):
    del desk.env["FJORD_EMPLOYEE"]
    said = desk.run("keys", "list", ends=2).stderr
    assert "secret-missing" in said
    assert "FJORD_EMPLOYEE" in said
    assert "Set FJORD_EMPLOYEE" in said


def test_a_secret_is_kept_in_the_vault_before_anything_can_be_opened(desk):
    desk.file.write_text(desk.file.read_text().replace("env:FJORD_EMPLOYEE", "vault:employee"))
    said = desk.run("connections", "test", "books", ends=2).stderr
    assert "Store it: connector connections secret books employee" in said
    assert "standard input" in desk.run("connections", "secret", "books", "employee", ends=2, gives="").stderr
    kept = desk.run("connections", "secret", "books", "employee", gives="sandbox-employee\n")
    assert "sandbox-employee" not in kept.stdout + kept.stderr
    assert desk.json("connections", "test", "books")["works"] is True
    assert b"sandbox-employee" not in (desk.folder / "connector.db").read_bytes()


def test_a_broken_tenant_file_is_named_with_its_line(desk):
    desk.file.write_text(desk.file.read_text().replace("    issues: books", "    isues: books"))
    said = desk.run("keys", "list", ends=2).stderr
    line = next(n for n, text in enumerate(desk.file.read_text().splitlines(), 1) if "isues" in text)
    assert "fjord.yaml" in said
    assert re.search(rf"\b(line\W+)?{line}\b", said)


def test_a_file_that_is_no_yaml_is_named_with_its_line(desk):
    desk.file.write_text("layer: tenant\ntenant: [fjord\n")
    said = desk.run("sync", ends=2).stderr
    assert "fjord.yaml" in said


def test_a_store_that_cannot_be_opened_is_said(desk):
    said = desk.run("keys", "list", ends=2, CONNECTOR_DATABASE=f"sqlite:///{desk.file}/c.db").stderr
    assert "database-unreachable" in said
    assert "fjord.yaml/c.db" in said
    desk.run("keys", "list", ends=2, CONNECTOR_DATABASE="mysql://x")


def test_settings_that_are_wrong_are_said(desk):
    said = desk.run("keys", "list", ends=2, CONNECTOR_LEASE="soon").stderr
    assert "settings-wrong" in said
    assert "CONNECTOR_LEASE" in said


def test_health_says_that_nothing_runs(desk):
    assert "not ready" in desk.run("health", "--port", "9", ends=1).stderr


def test_everything_is_compared_on_demand(desk):
    desk.run("sync")
    said = desk.json("connections", "compare", "books")
    assert said["complete"]
    assert {one["kind"] for one in said["compared"]} >= {"customer", "invoice", "payment"}
    assert all(one["missed"] == 0 and one["ended"] for one in said["compared"])
    assert "Missed" in desk.run("connections", "compare", "books").stdout
    assert "There is: books" in desk.run("connections", "compare", "bank", ends=2).stderr


def test_another_companys_books_are_not_activated(desk, ledger):
    request = urllib.request.Request(ledger.removesuffix("/v2") + "/_sandbox/state")
    assert urllib.request.urlopen(request, timeout=5).status == 200
    said = desk.json("connections", "test", "books")
    assert said["works"]
    assert said["reaches"] == []


def test_a_stopped_tenant_is_named_and_the_others_go_on(desk):
    (desk.file.parent / "dal.yaml").write_text(
        desk.file.read_text().replace("fjord", "dal").replace("issues: books", "issues: x")
    )
    assert "duty-owner-unknown" in desk.run("mappings", "check", ends=1).stdout
    said = desk.run("sync", "--tenant", "dal", ends=2).stderr
    assert "tenant-stopped" in said
    assert "dal.yaml" in said
    assert "--tenant" in desk.run("sync", ends=2).stderr
    assert "Synced books of fjord" in desk.run("sync", "--tenant", "fjord").stdout
