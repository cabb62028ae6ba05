"""Documents that we compose hold the official arithmetic by construction: `validate` is asked, not our own figures."""

from __future__ import annotations

import os
import re
from decimal import Decimal

import pytest
from hypothesis import given, settings

from connector.ehf import read, validate, write
from connector.model import Draft, Line, compose, judge
from tests.ehf.official import official
from tests.model.documents import BUYER, SELLER, drafts

ARITHMETIC = re.compile(
    r"BR-CO-1[0-7]|BR-(?:S|Z|E|AE|IC|G|O|AF|AG)-0[89]|BR-DEC-\d+|UBL-DT-01|BR-2[78]|PEPPOL-EN16931-R(?:120|040|041|042|046|051)"
)
FULL = os.environ.get("CONNECTOR_PROOF") == "full"


def judged(draft: Draft) -> list[str]:
    report = validate(write(compose(draft)))
    return [f"{found.rule} {found.path}" for found in report.findings if ARITHMETIC.fullmatch(found.rule)]


@settings(max_examples=100, deadline=None)
@given(drafts())
def test_any_mix_holds_the_arithmetic_of_the_rules(draft: Draft) -> None:
    assert judged(draft) == []


@pytest.mark.proof
@settings(max_examples=20_000 if FULL else 200, deadline=None)
@given(drafts(prices_include_vat=True))
def test_any_mix_with_prices_including_vat(draft: Draft) -> None:
    assert judged(draft) == []


def test_many_allowances_on_a_line_with_vat_do_not_add_up_to_an_oere() -> None:
    item = {"is_charge": False, "amount": "0.01", "reason": "Rabatt"}
    vat = {"vat_category": "S", "vat_rate": "25"}
    lines = [
        Line(id=str(n), name="Vare", unit_code="C62", quantity="3", price="0.33", allowances_charges=[item] * n, **vat)
        for n in range(1, 40)
    ]
    draft = Draft(
        currency="NOK",
        number="1",
        issue_date="2027-01-15",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        prices_include_vat=True,
    )
    assert judged(draft) == []
    made = compose(draft)
    assert made.totals is not None
    assert made.totals.tax_inclusive == sum((Decimal("0.99") - Decimal("0.01") * n for n in range(1, 40)), Decimal(0))


def test_figures_are_judged_as_the_rules_judge_them() -> None:
    """`judge` on what was read, and `validate` on the document itself, name the same arithmetic rules."""
    judged_rules = re.compile(r"BR-CO-1[0-7]|BR-(?:S|Z|E|AE|IC|G|O|AF|AG)-0[89]|PEPPOL-EN16931-R(?:120|040|046)")
    fired = 0
    for path in official():
        data = path.read_bytes()
        rules = {found.rule for found in validate(data).findings if judged_rules.fullmatch(found.rule)}
        assert {each.rule for each in judge(read(data))} == rules, path.name
        fired += len(rules)
    assert fired > 10


def scenario_a() -> Draft:
    """Hours and lunches, two rates, a KID."""
    vat = {"vat_category": "S"}
    lines = [
        Line(id="1", name="Rådgivning", unit_code="HUR", quantity="8", price="1020.00", vat_rate="25", **vat),
        Line(id="2", name="Lunsj", unit_code="C62", quantity="20", price="100.00", vat_rate="15", **vat),
    ]
    means = {"code": "30", "payment_id": "0000100172", "account": {"id": "86011117947"}}
    return Draft(
        currency="NOK",
        number="10017",
        issue_date="2027-01-15",
        due_date="2027-01-29",
        buyer_reference="Kari",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        payment_means=[means],
        delivery={"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}},
    )


def test_scenario_a_has_no_fatal_finding() -> None:
    draft = scenario_a()
    report = validate(write(compose(draft)))
    assert report.valid, report.findings
    assert report.findings == ()
    credit = draft.model_copy(update={"kind": "credit_note", "type_code": "381", "payment_means": ()})
    report = validate(write(compose(credit)))
    assert report.valid, report.findings
