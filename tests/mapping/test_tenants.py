"""Tenants: who does what, each with exactly one owner; settings and secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.errors import Misconfigured, Missing
from connector.mapping import load_tenant, tenants
from connector.mapping.check import check

GOOD = """\
layer: tenant
tenant: acme
title: Acme AS
organisation_number: 923609016
start: 2026-01-01
connections:
  books:
    system: toy
    settings: {pages: 2}
    secrets: {token: env:TOKEN}
  other:
    system: toy
    secrets: {token: vault:toy-token}
routes:
  sales:
    to: books
    issues: books
    takes_bank_money: books
  web:
    takes: [api, other]
    to: [books, other]
    issues: source
    sends: connector
    reminds: nobody
    takes_bank_money: {"15032080119": books}
"""


def test_a_tenant_has_one_owner_for_each_duty(folder: Path, toy: Any) -> None:
    (folder / "tenants" / "acme.yaml").write_text(GOOD)
    tenant = load_tenant("acme", plugins={"toy": toy})
    assert tenants() == ["acme"]
    assert tenant.organisation_number == "923609016"
    assert str(tenant.start) == "2026-01-01"
    sales, web = tenant.routes["sales"], tenant.routes["web"]
    assert (sales.issues, sales.sends, sales.reminds, sales.receives) == ("books", "books", "nobody", "nobody")
    assert (sales.takes, sales.to, sales.line) == (("api",), ("books",), 15)
    assert sales.takes_bank_money == {"*": "books"}
    assert (web.issues, web.sends, web.takes_bank_money) == ("source", "connector", {"15032080119": "books"})
    assert tenant.connections["books"].mapping["invoice"].version
    assert tenant.connections["books"].system == "toy"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "word"),
    [
        ("    issues: books\n", "", "duty-unset", 15, "issues"),
        ("    takes_bank_money: books\n", "", "duty-unset", 15, "takes bank money"),
        ("    takes_bank_money: books\n", "    takes_bank_money: [books, other]\n", "duty-two-owners", 18, "2 owners"),
        ("    issues: books\n", "    issues: [books, source]\n", "duty-two-owners", 17, "books, source"),
        ("    issues: books\n", "    issues: boks\n", "duty-owner-unknown", 17, "`books`"),
        ("    issues: books\n", "    issues: connector\n", "duty-owner-unknown", 17, "`connector`"),
        ("    issues: books\n", "    issues: other\n", "duty-not-on-route", 17, "`other`"),
        ('{"15032080119": books}', "other", "duty-two-owners", 25, "line 18"),
        ("    to: books\n", "    to: bokks\n", "connection-unknown", 16, "`books`"),
        ("    to: books\n", "    to: [books, books]\n", "connection-twice", 16, "`books` twice"),
        ("{token: env:TOKEN}", "\n      token: s3cret-Value", "secret-written", 11, "env:NAME"),
        ("takes: [api, other]", "takes: [api, nobody]", "connection-unknown", 20, "`nobody`"),
        ("pages: 2", "pges: 2", "setting", 9, "`pages`"),
        ("pages: 2", "pages: many", "setting", 9, "integer"),
        ("{token: env:TOKEN}", "{token: s3cret-Value}", "secret-written", 10, "env:NAME"),
        ("{token: env:TOKEN}", "{tokn: env:TOKEN}", "secret-unknown", 10, "`token`"),
        ("    secrets: {token: env:TOKEN}\n", "", "secret-missing", 7, "token"),
        ("    system: toy\n    settings", "    system: tooy\n    settings", "system-not-installed", 8, "`toy`"),
        ("    settings: {pages: 2}\n", "    office: nobody\n", "office-unknown", 8, "offices"),
        ("tenant: acme", "tenant: acne", "tenant-misnamed", 2, "acne.yaml"),
        ("start: 2026-01-01", "start: 01.01.2026", "value-type", 5, "2027-01-31"),
        ("routes:\n  sales", "routs:\n  sales", "key-unknown", 14, "`routes`"),
        ("  books:\n", "  Books:\n", "value-type", 7, ""),
    ],
)  # fmt: skip
def test_a_planted_mistake_is_found_on_its_line(
    folder: Path, toy: Any, old: str, new: str, code: str, line: int, word: str
) -> None:
    assert old in GOOD
    path = folder / "tenants" / "acme.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    report = check([path], plugins={"toy": toy})
    found = [problem for problem in report.problems if problem.code == code]
    assert line in [problem.line for problem in found], [str(problem) for problem in report.problems]
    assert any(word in str(problem) for problem in found)
    assert not report.fine
    with pytest.raises(Misconfigured):
        load_tenant("acme", plugins={"toy": toy})


def test_a_secret_that_is_written_down_is_never_repeated(folder: Path, toy: Any) -> None:
    path = folder / "tenants" / "acme.yaml"
    path.write_text(GOOD.replace("env:TOKEN", "s3cret-Value"))
    report = check([path], plugins={"toy": toy})
    assert report.problems
    assert not any("s3cret" in str(problem) for problem in report.problems)
    with pytest.raises(Misconfigured) as raised:
        load_tenant("acme", plugins={"toy": toy})
    assert "s3cret" not in str(raised.value.as_json())


def test_two_systems_may_take_the_money_of_two_accounts(folder: Path, toy: Any) -> None:
    text = GOOD.replace("    takes_bank_money: books\n", '    takes_bank_money: {"12345678903": other}\n')
    (folder / "tenants" / "acme.yaml").write_text(text)
    assert load_tenant("acme", plugins={"toy": toy}).routes["sales"].takes_bank_money == {"12345678903": "other"}


def test_a_tenant_that_has_no_file(folder: Path, toy: Any) -> None:
    with pytest.raises(Missing) as missing:
        load_tenant("nobody", plugins={"toy": toy})
    assert missing.value.code == "tenant-unknown"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "word"),
    [
        ('    takes_bank_money: {"15032080119": books}', '    takes_bank_money: {"NO50 1503 2080 119": other}',
         "duty-two-owners", 26, "15032080119"),
        ('    takes_bank_money: {"15032080119": books}',
         '    takes_bank_money: {"15032080119": books, "1503.20.80119": books}', "duty-two-owners", 26, "twice"),
        ('    takes_bank_money: {"15032080119": books}', "    takes_bank_money: {}", "duty-unset", 26, "no owner"),
        ("    sends: connector\n", "    sends: connector\n    receives: other\n", "duty-two-owners", 25, "line 18"),
        ("    to: books\n    issues: books\n", "    to: books\n    issues: books\n    sends: other\n",
         "duty-not-on-route", 18, "`other`"),
        ("    secrets: {token: vault:toy-token}\n", "    settings: {pages: 2}\n    secrets: {token: env:TOKEN}\n",
         "connection-twice", 11, "`books`"),
        ("    settings: {pages: 2}\n", "    settings: {pages: 2}\n    webhooks: https://a.example/\n",
         "webhooks-unsupported", 10, "no webhooks"),
        ("    issues: source\n    sends: connector\n", "    issues: counterparty\n    sends: connector\n",
         "self-billing-sent", 24, "`connector`"),
        ("    settings: {pages: 2}\n", "    settings: {pages: 2}\n    webhooks: http://a.example/\n",
         "address-invalid", 10, "https"),
    ],
)  # fmt: skip
def test_duties_and_connections_are_looked_at_over_the_whole_file(
    folder: Path, toy: Any, old: str, new: str, code: str, line: int, word: str
) -> None:
    bank = "{'15032080119': books}" if code == "duty-two-owners" else "{'12345678903': books}"
    text = GOOD.replace("    takes_bank_money: books\n", f"    receives: books\n    takes_bank_money: {bank}\n")
    assert old in text
    path = folder / "tenants" / "acme.yaml"
    path.write_text(text.replace(old, new, 1))
    toy.hook_secret = None
    report = check([path], plugins={"toy": toy})
    found = [problem for problem in report.problems if problem.code == code]
    assert line in [problem.line for problem in found], [str(problem) for problem in report.problems]
    assert any(word in str(problem) for problem in found)


def test_an_account_is_the_same_however_it_is_written(folder: Path, toy: Any) -> None:
    text = GOOD.replace('{"15032080119": books}', '{"NO50 1503 2080 119": books}')
    (folder / "tenants" / "acme.yaml").write_text(text)
    tenant = load_tenant("acme", plugins={"toy": toy})
    assert tenant.routes["web"].takes_bank_money == {"15032080119": "books"}


def test_webhooks_need_the_secret_they_are_signed_with(folder: Path, toy: Any) -> None:
    path = folder / "tenants" / "acme.yaml"
    path.write_text(GOOD.replace("    settings: {pages: 2}\n", "    webhooks: https://a.example\n"))
    toy.hook_secret = "token"
    assert check([path], plugins={"toy": toy}).fine
    toy.hook_secret = "signing"
    toy.secrets = type("Secrets", (toy.secrets,), {"__annotations__": {"signing": str | None}, "signing": None})
    report = check([path], plugins={"toy": toy})
    assert [(one.code, one.line) for one in report.problems if one.severity == "error"] == [("secret-missing", 10)]


def test_what_buyers_issue_takes_one_route_and_is_sent_by_nobody(folder: Path, toy: Any) -> None:
    path = folder / "tenants" / "acme.yaml"
    one = GOOD.replace("    issues: source\n    sends: connector\n", "    issues: counterparty\n")
    path.write_text(one)
    tenant = load_tenant("acme", plugins={"toy": toy})
    assert (tenant.routes["web"].issues, tenant.routes["web"].sends) == ("counterparty", "counterparty")
    assert (tenant.routes["web"].numbered, tenant.routes["sales"].numbered) == (True, False)
    path.write_text(one.replace("    issues: books\n", "    issues: counterparty\n"))
    report = check([path], plugins={"toy": toy})
    assert [(problem.code, problem.line) for problem in report.problems] == [("self-billing-twice", 22)]
