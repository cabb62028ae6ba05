"""Identifiers of Peppol: canonical forms, comparison, and the code lists they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import BadInput
from connector.model.identifiers import OrganisationNumber
from connector.peppol import code_lists
from connector.peppol.identifiers import INVOICE, PROCESS, SERVICES, DocumentType, Participant, Process

LISTS = Path(__file__).parents[3] / "shared" / "standards" / "codelists" / "edelivery"
OURS = Participant("0192", "923609016")


@pytest.mark.parametrize(
    "said",
    ["0192:923609016", "iso6523-actorid-upis::0192:923609016", " 0192:923609016\n", "9908:923609016"],
)
def test_an_organisation_is_one_participant_however_it_is_written(said: str) -> None:
    assert Participant.read(said) == OURS == Participant.of(OrganisationNumber("923609016"))


def test_a_participant_is_written_in_two_ways_and_is_an_organisation() -> None:
    assert str(OURS) == OURS.value == "0192:923609016"
    assert OURS.whole == "iso6523-actorid-upis::0192:923609016"
    assert OURS.organisation_number == "923609016"
    assert Participant.read("0088:7080000985616").organisation_number is None


@given(st.text("abcdefABCDEF0123456789-.", min_size=1, max_size=130))
def test_participants_compare_without_regard_to_case(number: str) -> None:
    assert Participant.read(f"9915:{number.upper()}") == Participant.read(f"9915:{number.lower()}")
    assert Participant.read(Participant.read(f"9915:{number}").whole) == Participant.read(f"9915:{number}")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("923609016", "participant-invalid"),
        ("0192:", "participant-invalid"),
        ("0192:923609017", "participant-invalid"),  # its check digit is wrong
        ("0192:923 609 016", "participant-invalid"),
        ("0088:" + "1" * 131, "participant-invalid"),
        ("other-scheme::0192:923609016", "participant-invalid"),
        ("iso6523-ACTORID-upis::0192:923609016", "participant-invalid"),
        ("1234:923609016", "participant-scheme-unknown"),
        ("9956:0123456789", "participant-scheme-unknown"),
        ("", "participant-invalid"),
    ],
)
def test_what_is_no_participant_is_said(said: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        Participant.read(said)
    assert caught.value.code == code
    assert caught.value.do


def test_document_types_compare_as_they_are_written_and_have_parts() -> None:
    assert DocumentType(INVOICE.document.value.lower()) != INVOICE.document
    assert INVOICE.document.root == "Invoice"
    assert INVOICE.document.namespace == "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    assert INVOICE.document.customization.endswith("poacc:billing:3.0")
    assert INVOICE.document.version == "2.1"
    made = DocumentType.of(INVOICE.document.namespace, "Invoice", INVOICE.document.customization)
    assert made == INVOICE.document


@pytest.mark.parametrize("value", ["", "a b", "æ", "x" * 501])
def test_what_is_no_document_type_is_said(value: str) -> None:
    with pytest.raises(BadInput) as caught:
        DocumentType(value)
    assert caught.value.code == "peppol-identifier-invalid"
    with pytest.raises(BadInput):
        Process("x" * 201)


def _list(name: str) -> list[dict[str, Any]]:
    path = LISTS / f"Peppol_Code_Lists_-_{name}_v{code_lists.VERSION}.json"
    if not path.exists():
        pytest.skip("the official code lists are not here")
    return list(json.loads(path.read_text())["values"])


def test_schemes_are_those_of_the_code_list() -> None:
    official = {row["iso6523"]: (row["schemeid"], row["state"]) for row in _list("Participant_identifier_schemes")}
    assert {code: (name, code_lists.state(code)) for code, name in code_lists.SCHEMES.items()} == official
    assert code_lists.state("1234") is None


def test_services_are_active_in_the_code_list() -> None:
    official = {row["value"]: row for row in _list("Document_types")}
    for service in SERVICES:
        row = official[service.document.value]
        assert row["state"] == "active"
        assert {"scheme": PROCESS, "value": service.process.value} in row["process-ids"]
        assert row["scheme"] == service.document.scheme
    assert {row["value"]: row["state"] for row in _list("Processes")}[INVOICE.process.value] == "active"
    assert {row["profile-id"]: row["state"] for row in _list("Transport_profiles")}["peppol-transport-as4-v2_0"] == (
        "active"
    )
