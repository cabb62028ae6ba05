"""`connections options` and `verify`, `mappings check --connection`: at the desk, with the books running beside."""

from __future__ import annotations

from typing import Any

import jsonschema


def test_what_a_ledger_takes(desk: Any) -> None:
    said = desk.run("connections", "options", "books").stdout
    assert "3000" in said
    assert "Salgsinntekt" in said
    schema = desk.json("connections", "options", "books")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert desk.json("connections", "options", "books")["x-read"] == schema["x-read"], "it was not kept"
    assert desk.json("connections", "options", "books", "--refresh")["x-read"] > schema["x-read"]


def test_it_ends_with_2_where_the_ledger_cannot_be_read(desk: Any) -> None:
    desk.file.write_text(desk.file.read_text().replace("http://127.0.0.1:", "http://127.0.0.1:1"))
    done = desk.run("connections", "options", "books", ends=2)
    assert done.stderr


def test_a_code_that_is_not_there_is_found_with_its_line(desk: Any) -> None:
    # The desk's setting names a payment type that these books do not have.
    done = desk.run("connections", "verify", "books", ends=1)
    assert "Innbetaling bank" in done.stdout
    assert "fjord.yaml:9" in done.stdout
    desk.file.write_text(desk.file.read_text().replace("Innbetaling bank", "Betalt til bank"))
    assert "0 wait" in desk.run("connections", "verify", "books").stdout
    own = "    mapping: {tables: {vat-code: {rows: {'7': '66'}}}}\nroutes:"
    desk.file.write_text(desk.file.read_text().replace("routes:", own))
    problems = desk.json("mappings", "check", "--connection", "fjord/books", ends=1)["problems"]
    [wrong] = [one for one in problems if one["severity"] == "error"]
    assert wrong["code"] == "code-not-in-ledger"
    assert wrong["line"] == next(n for n, t in enumerate(desk.file.read_text().splitlines(), 1) if "'66'" in t)
    assert desk.run("mappings", "check").returncode == 0


def test_a_closed_month_and_a_foreign_code_do_not_pass_the_schema(desk: Any) -> None:
    schema = desk.json("connections", "options", "books")
    check = jsonschema.Draft202012Validator(schema)
    line = {"vat_code": "3"}
    assert check.is_valid({"currency": "NOK", "lines": [line]})
    assert not check.is_valid({"currency": "NOK", "lines": [{"vat_code": "99"}]})
    assert not check.is_valid({"currency": "XXX", "lines": [line]})
