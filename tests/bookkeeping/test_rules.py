"""Every rule of the layer NO-BOK: a document that keeps them all, and one change that breaks each."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector import bookkeeping
from connector.api.examples import INVOICE_DRAFT
from connector.bookkeeping import rules, series
from connector.model import Draft, Invoice, compose

Change = Callable[[dict[str, Any]], Any]


def sound(**more: Any) -> dict[str, Any]:
    """An issued invoice that keeps every rule."""
    said = copy.deepcopy(INVOICE_DRAFT) | {
        "number": "10017",
        "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}},
        "payment_means": [{"code": "30", "payment_id": "0000100172", "account": {"id": "86011117947"}}],
    }
    return said | more


def judged(change: Change | None = None, *, draft: bool = False, after: Change | None = None) -> list[tuple[str, str]]:
    """Rule and field of each finding on the sound invoice, changed before its totals are made or after."""
    said = sound()
    if change:
        change(said)
    made = compose(Draft.model_validate(said)).model_dump()
    if after:
        after(made)
    return [(one.rule, one.field) for one in bookkeeping.judge(Invoice.model_validate(made), draft=draft)]


def put(path: str, value: Any) -> Change:
    """Set what stands at a path; None takes it away."""

    def change(said: Any) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            said = said[step]
        if value is None:
            said.pop(last)
        else:
            said[last] = value

    return change


def several(*changes: Change) -> Change:
    return lambda said: [change(said) for change in changes]


def as_credit_note(said: dict[str, Any]) -> None:
    said.update(kind="credit_note", type_code="381")


BREAKS: list[tuple[str, str, Change | None, Change | None]] = [
    ("NO-BOK-01", "number", put("number", None), None),
    ("NO-BOK-02", "issue_date", put("issue_date", None), None),
    ("NO-BOK-03", "seller.name", put("seller.name", None), None),
    ("NO-BOK-04", "seller.vat_number", put("seller.vat_number", "923609016"), None),
    ("NO-BOK-05", "seller.tax_registration", put("seller.tax_registration", None), None),
    ("NO-BOK-06", "buyer.name", put("buyer.name", None), None),
    (
        "NO-BOK-06",
        "buyer.address",
        several(*(put(f"buyer.{name}", None) for name in ("address", "legal_id", "vat_number", "endpoint"))),
        None,
    ),
    ("NO-BOK-07", "lines[1].name", put("lines.1.name", "Diverse"), None),
    ("NO-BOK-07", "lines[0].quantity", None, lambda said: said["lines"][0].update(quantity=None)),
    ("NO-BOK-08", "delivery.day", put("delivery.day", None), None),
    ("NO-BOK-09", "delivery.address", put("delivery.address", None), None),
    ("NO-BOK-10", "delivery.day", put("delivery.day", "2027-02-01"), None),
    ("NO-BOK-11", "due_date", put("due_date", None), None),
    ("NO-BOK-12", "vat_breakdown", None, lambda said: said.update(vat_breakdown=said["vat_breakdown"][:1])),
    ("NO-BOK-13", "lines[0].vat_rate", put("lines.0.vat_rate", "24"), None),
    ("NO-BOK-14", "tax_currency", put("currency", "EUR"), None),
    ("NO-BOK-16", "preceding_invoices", as_credit_note, None),
    ("NO-BOK-17", "payment_means[0].payment_id", put("payment_means.0.payment_id", "0000100173"), None),
    ("NO-BOK-18", "payment_means[0].account.id", put("payment_means.0.account.id", "86011117948"), None),
    ("NO-BOK-18", "payment_means[0].account.id", put("payment_means.0.account.id", "NO9386011117948"), None),
    (
        "NO-BOK-19",
        "totals.rounding",
        None,
        lambda said: said["totals"].update(rounding=-1, payable=said["totals"]["payable"] - 1),
    ),
    ("NO-BOK-20", "vat_breakdown[0].tax_amount", None, put("vat_breakdown.0.tax_amount", "2040.05")),
]


def test_a_sound_invoice_breaks_none() -> None:
    assert judged() == []
    assert judged(draft=True) == []


@pytest.mark.parametrize(("rule", "field", "change", "after"), BREAKS, ids=[f"{r} {f}" for r, f, _, _ in BREAKS])
def test_one_change_breaks_one_rule(rule: str, field: str, change: Change | None, after: Change | None) -> None:
    assert judged(change, after=after) == [(rule, field)]


def test_reverse_charge_asks_for_the_buyers_number_and_the_words() -> None:
    def reverse(said: dict[str, Any]) -> None:
        for line in said["lines"]:
            line.update(vat_category="AE", vat_rate="0", vat_exemption_reason="Reverse charge")
        said["buyer"].pop("vat_number")

    at = [("NO-BOK-15", "buyer.vat_number"), ("NO-BOK-15", "vat_breakdown[0].exemption_reason")]
    assert judged(reverse) == at
    assert judged(reverse, draft=True) == at[:1]
    words = "Omvendt avgiftsplikt – Merverdiavgift ikke beregnet"
    assert judged(several(reverse, put("notes", [words]))) == at[:1]


def test_the_words_of_a_company_without_an_organisation_number() -> None:
    def nobody(said: dict[str, Any]) -> None:
        said["seller"] = {"name": "Kari Nordmann", "address": {"city": "Oslo", "country": "NO"}}

    assert judged(nobody) == [("NO-BOK-03", "seller.legal_id"), ("NO-BOK-04", "seller.vat_number")]


@pytest.mark.parametrize(
    "change",
    [
        put("payment_means.0.payment_id", "Faktura 10017"),  # a message is no KID
        put("payment_means.0.payment_id", "2345676"),  # MOD10
        put("payment_means.0.payment_id", "1234567892"),
        put("payment_means.0.account.id", "DE89370400440532013000"),
        put("period", {"start": "2027-01-01", "end": "2027-01-31"}),
        several(put("due_date", None), put("payment_terms", "14 dager netto")),
        put("seller.name", "Fasadevask ENK"),
    ],
)
def test_what_is_right_is_left_alone(change: Change) -> None:
    assert judged(change) == []


def test_what_the_ledger_fills_in_is_not_asked_of_a_draft() -> None:
    def bare(said: dict[str, Any]) -> None:
        said["number"] = None
        said["seller"] = {"name": "Demo AS", "address": {"country": "NO"}}
        said["currency"] = "EUR"

    assert judged(bare, draft=True) == []
    assert {rule for rule, _ in judged(bare)} == {"NO-BOK-01", "NO-BOK-03", "NO-BOK-04", "NO-BOK-05", "NO-BOK-14"}


def test_a_foreign_seller_and_a_purchase_are_not_judged() -> None:
    def swede(said: dict[str, Any]) -> None:
        said["seller"] = {"name": "Säljare AB", "address": {"country": "SE"}}
        said["number"] = None

    assert judged(swede) == []
    assert judged(several(put("number", None), put("direction", "incoming"))) == []


def test_every_rule_has_its_paragraph_and_words_and_no_words_are_without_a_rule() -> None:
    source = "".join(Path(one.__file__).read_text() for one in (rules, series))
    assert set(re.findall(r'finding\(\s*"(NO-BOK-\d\d)"', source)) == set(bookkeeping.catalogue())
    for rule, text in bookkeeping.catalogue().items():
        assert set(text) == {"law", "nb", "nb-fix", "en", "en-fix"}, rule
        assert all(text.values()), rule
    assert {rule for rule, *_ in BREAKS} | {"NO-BOK-15", "NO-BOK-21"} == set(bookkeeping.catalogue()), (
        "a rule has no test"
    )


def test_gaps_are_told_in_each_series_but_not_what_is_known_and_not_leaps() -> None:
    def told(*numbers: str, known: frozenset[str] = frozenset()) -> list[str]:
        return [one.values["missing"] for one in bookkeeping.gaps(numbers, known.__contains__)]

    assert told("1001", "1002", "1003") == []
    assert told("1003", "1001") == ["1002"]
    assert told("1003", "1001", known=frozenset({"1002"})) == []
    assert told("A-001", "A-004", "B-7", "B-8") == ["A-002, A-003"]
    assert told("2026001", "2027001", "F", "17", "5000") == []
    assert told("1", "100")[0].endswith("…")


def test_the_rules_of_the_documentation_are_those_there_are() -> None:
    text = (Path(rules.__file__).parents[2] / "docs" / "preflight.md").read_text()
    assert re.findall(r"^\| (NO-BOK-\d\d) ", text, re.MULTILINE) == sorted(bookkeeping.catalogue())
