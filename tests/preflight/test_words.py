"""The words of preflight: in two languages, for every code that is said, with every placeholder filled."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import connector.preflight
from connector.errors import Stop
from connector.preflight import words
from connector.preflight.places import place, pointer, vendors

SOURCE = "".join(path.read_text() for path in Path(connector.preflight.__file__).parent.glob("*.py"))
SAID = set(re.findall(r'own\(\s*"([a-z-]+)"', SOURCE)) | {
    "vat-code-unknown",
    "account-unknown",
    "payment-type-unknown",
    "currency-unknown",
    "account-inactive",
    "code-inactive",
}


def test_what_preflight_says_itself_has_both_languages() -> None:
    for code in SAID:
        text = words.catalogue()[code]
        assert set(text) == {"nb", "nb-fix", "en", "en-fix"}, code
        assert placeholders(text["nb"] + text["nb-fix"]) == placeholders(text["en"] + text["en-fix"]), code


def placeholders(text: str) -> set[str]:
    return {name.removesuffix("_nb") for _, name, _, _ in Formatter().parse(text) if name}


def test_what_others_say_is_said_in_norwegian_too() -> None:
    for code, text in words.catalogue().items():
        assert text["nb"], code
        assert "nb-fix" in text, code
    error = Stop("No such thing.", code="numbered-document", do="Do it.", where={"route": "sales"})
    message, fix = words.said_by(error)
    assert message["en"] == "No such thing."
    assert "sales" in message["nb"]
    assert fix["en"] == "Do it."
    unheard, _ = words.said_by(Stop("Never heard of.", code="never-heard-of"))
    assert unheard == {"nb": "Never heard of.", "en": "Never heard of."}


@pytest.mark.parametrize(
    ("field", "there"),
    [
        ("lines[2].vat_code", "/lines/2/vat_code"),
        ("payment_means.account.id", "/payment_means"),
        ("buyer.address", "/buyer/address"),
        ("lines[0].allowances_charges[1].amount", "/lines/0/allowances_charges/1/amount"),
        ("", ""),
    ],
)
def test_pointers(field: str, there: str) -> None:
    assert pointer(field) == there


def test_places_of_both_forms_and_of_the_source() -> None:
    assert place("json", "lines[0].name", "Invoice") == {"pointer": "/lines/0/name", "term": "BT-153"}
    assert place("xml", "lines[0].name", "Invoice")["xpath"].startswith("/Invoice/cac:InvoiceLine[1]/")
    assert place("json", "", "Invoice") == {}
    fields = {"lines": "order.orderLines", "lines.name": "order.orderLines.description", "buyer": "order.customer.id"}
    assert vendors("lines[1].name", fields) == "order.orderLines[1].description"
    assert vendors("lines[1].vat_code", fields) == "order.orderLines[1]"
    assert vendors("buyer.address.city", fields) == "order.customer.id"
    assert vendors("payee", fields) is None
