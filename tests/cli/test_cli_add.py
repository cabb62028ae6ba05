"""`connector connections add`: a connection from nothing, and nothing where something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SECRETS = "consumer_token=sandbox-consumer\nemployee_token=sandbox-employee\n"


def test_a_new_tenant_from_nothing(desk: Any, ledger: str) -> None:
    file = desk.file.with_name("berg.yaml")
    done = desk.run(
        "connections", "add", "tripletex", "--tenant", "berg", "--title", "Berg AS", "--set", f"base_url={ledger}",
        gives=SECRETS,
    )  # fmt: skip
    assert "books works: " in done.stdout
    assert "connector onboard berg/books" in done.stdout
    assert "sandbox-employee" not in file.read_text() + done.stdout + done.stderr
    assert "employee_token: vault:books_employee_token" in file.read_text()
    (row,) = desk.json("connections", "list", "--tenant", "berg")
    assert (row["name"], row["mode"]) == ("books", "observe")


def test_one_more_in_a_file_that_is_there(desk: Any, ledger: str) -> None:
    before = desk.file.read_text()
    desk.run("connections", "add", "tripletex", "--name", "second", "--set", f"base_url={ledger}", gives=SECRETS)
    assert set(before.splitlines()) <= set(desk.file.read_text().splitlines())
    assert "  second:" in desk.file.read_text()


def test_nothing_is_half_done(desk: Any, ledger: str) -> None:
    before = desk.file.read_text()
    for words, gives, code in (
        (["nosuch"], SECRETS, "system-unknown"),
        (["tripletex"], SECRETS, "connection-exists"),
        (["tripletex", "--name", "x"], "consumer_token=a\n", "secrets-wrong"),
        (["tripletex", "--name", "x", "--set", "nosuch=1"], SECRETS, "setting-unknown"),
        (["tripletex", "--name", "x", "--set", "width=many"], SECRETS, "setting"),
        (["tripletex", "--tenant", "new"], SECRETS, "tenant-unknown"),
    ):
        done = desk.run("connections", "add", *words, gives=gives, ends=2)
        assert code in done.stderr, done.stderr
        assert desk.file.read_text() == before
    assert [one.name for one in desk.file.parent.iterdir()] == [desk.file.name]


def test_secrets_that_do_not_open_it(desk: Any, ledger: str) -> None:
    done = desk.run(
        "connections", "add", "tripletex", "--name", "second", "--set", f"base_url={ledger}", ends=1,
        gives=SECRETS.replace("sandbox-employee", "not-the-employee-token"),
    )  # fmt: skip
    assert "second does not work yet" in done.stderr
    assert "not-the-employee-token" not in done.stdout + done.stderr + desk.file.read_text()


def test_an_access_point(desk: Any) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "connector", "sandbox", "phoss-ap", "--port", "0", "--format", "json"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        given = json.loads(program.stdout.readline())
        words = ("phoss-ap", "--as", "post", "--set", f"base_url={given['settings']['base_url']}")
        calls = ("--webhooks", "https://connector.example")
        before = desk.file.read_text()
        assert "hook_secret" in desk.run("connections", "add", *words, *calls, gives="token=a\n", ends=2).stderr
        assert desk.file.read_text() == before
        secrets = "".join(f"{key}={value}\n" for key, value in given["secrets"].items())
        done = desk.run("connections", "add", *words, *calls, gives=secrets)
        assert "post works: " in done.stdout
        text = desk.file.read_text()
        assert text.startswith(before)
        assert text.index("\naccess_points:\n  post:\n    system: phoss-ap\n") >= len(before) - 1
        (row,) = [one for one in desk.json("connections", "list") if one["name"] == "post"]
        assert f"It calls us at https://connector.example/v1/hooks/{row['id']}" in done.stdout
        assert desk.json("connections", "test", "post")["webhooks"].endswith(row["id"])
        desk.run("mappings", "check")
        assert "connection-exists" in desk.run("connections", "add", *words, gives=secrets, ends=2).stderr
    finally:
        program.terminate()
        program.wait()
