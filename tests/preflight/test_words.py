"""The words of preflight: in two languages, for every code that is said, with every placeholder filled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

import connector.preflight
from connector.errors import Stop
from connector.mapping import files
from connector.model import Invoice
from connector.preflight import words
from connector.preflight.labels import label
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


# --- Norwegian for who reads it ---------------------------------------------------------------------------------------

PASSED_ON = [
    "sync/intake", "sync/credits", "sync/keys", "sync/identity", "sync/coded", "sync/external", "model/credit",
    "model/totals", "model/base", "model/money", "model/invoice", "model/party", "mapping/lenses", "mapping/faults",
    "mapping/dimensions", "mapping/mapper", "mapping/compile", "preflight/foreseen", "preflight/posted",
    "ehf/ubl/document", "ehf/xml",
]  # fmt: skip
"""Modules whose errors a report passes on."""
_CODE = re.compile(r'(?:code=|(?:LensStop|_stop|Excess|Problem|PydanticCustomError)\(\s*)"([a-z]+(?:-[a-z]+)+)"')


@pytest.mark.parametrize("module", PASSED_ON)
def test_every_error_that_is_passed_on_has_norwegian_words(module: str) -> None:
    known = words.catalogue()
    said = set(_CODE.findall((Path(connector.__file__).parent / f"{module}.py").read_text()))
    missing = {code for code in said if not {code, f"model-{code}", f"mapping-{code}"} & set(known)}
    assert missing == set()


def test_no_norwegian_text_passes_on_english_words() -> None:
    whole = {"other", "not-expressible"}  # the mapping's own words, in Norwegian where the mapping has them
    for code, text in words.catalogue().items():
        assert code in whole or not {"said", "do"} & placeholders(text["nb"] + text["nb-fix"]), code


def test_every_field_of_an_invoice_has_a_norwegian_name() -> None:
    known = tomllib.loads((Path(connector.preflight.__file__).parent / "fields.toml").read_text())
    assert _names(Invoice) - _KEPT <= set(known)
    assert label("lines[2].vat_code") == "linje 3, mva-kode"
    assert label("buyer.legal_id.value") == "kjøper, organisasjonsnummer"
    assert label("") == ""


_KEPT = {"at", "what", "instead_of", "place", "wrap", "width", "between", "before", "after", "order", "kept"}
"""Of what a received line held besides; nobody sets it."""


def _names(model: type[BaseModel]) -> set[str]:
    found, open_, seen = set(), [model], set()
    while open_:
        one: Any = open_.pop()
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            seen.add(one)
            found |= set(one.model_fields)
            open_ += [field.annotation for field in one.model_fields.values()]
        else:
            open_ += get_args(one)
    return found


def test_every_refusal_as_shipped_has_norwegian_words() -> None:
    for mapping in files.shipped("systems").glob("*.yaml"):
        for said, at in _refusals(yaml.safe_load(mapping.read_text())):
            assert said.get("says_nb"), f"{mapping.name}: {at}"
            assert bool(said.get("do")) == bool(said.get("do_nb")), f"{mapping.name}: {at}"


def _refusals(node: Any, at: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ()):
        if key == "refuse":
            yield from ((said, f"{at}.{name}") for name, said in value.items() if said)
        else:
            yield from _refusals(value, f"{at}.{key}")
