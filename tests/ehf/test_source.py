"""Findings name the field of the system that the document was made from."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchmarks.invoices import invoice
from connector import plugins
from connector.ehf import validate, write
from connector.ehf.rules import catalogue
from connector.ehf.source import TERMS, source_field
from connector.mapping import load
from connector.model import Invoice, compose
from tests.ehf.test_composed import scenario_a

FIELDS = {
    "lines": "order.rows",
    "lines.quantity": "order.rows.count",
    "lines.vat_category": "order.rows.vat",
    "buyer": "customer.id",
    "buyer.name": "customer.name",
    "due_date": "due",
    "payment_terms": "terms",
    "accounting_cost": "cost",
}
LINE = "/Invoice/cac:InvoiceLine[3]/cac:Item"


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, in a list or optional too."""
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple, list):
        return next((found for each in get_args(annotation) if (found := model_of(each))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def field(path: str) -> FieldInfo:
    """The field at a path in the model of an invoice."""
    model: type[BaseModel] | None = Invoice
    for name in path.split("."):
        assert model is not None, path
        found = model.model_fields[name]
        model = model_of(found.annotation)
    return found


@pytest.mark.parametrize("term", sorted(TERMS))
def test_the_field_says_that_it_carries_the_term(term: str) -> None:
    said = field(TERMS[term]).description or ""
    # Prices (BG-29), VAT (BG-30) and goods (BG-31) are no objects of their own in the model; notes have BT-21 in front.
    assert term in said.replace(",", " ").split() or term in ("BG-1", "BG-29", "BG-30", "BG-31", "BT-21"), said


def test_every_term_that_rules_speak_of_has_a_field() -> None:
    spoken = {
        one.rpartition("/")[2]
        for rule in catalogue.rules()
        for one in (rule.as_json()["term"] or "").split(", ")
        if one
    }
    assert spoken - TERMS.keys() == {"BT-90"}  # a bank's creditor identifier lies among the seller's identifiers


@pytest.mark.parametrize(
    ("term", "path", "said"),
    [
        ("BG-25/BT-129", "/Invoice/cac:InvoiceLine[3]", "order.rows[2].count"),
        ("BG-25/BT-129", "/CreditNote/cac:CreditNoteLine", "order.rows[0].count"),
        ("BG-31/BT-153", LINE, "order.rows[2]"),  # no field of its own: the line it is in
        ("BT-95, BT-151", LINE, "order.rows[2].vat"),
        ("BG-23/BT-118, BT-151", "/Invoice", "order.rows[].vat"),
        ("BT-27, BT-44", "/Invoice/cac:AccountingCustomerParty/cac:Party", "customer.name"),
        ("BT-48", "/Invoice/cac:AccountingCustomerParty/cac:Party", "customer.id"),
        ("BT-9, BT-20", "/Invoice", "due, terms"),
        ("BT-31", "/Invoice/cac:AccountingSupplierParty", None),
        ("BT-158-1", LINE, None),
        (None, LINE, None),
    ],
)
def test_fields(term: str | None, path: str, said: str | None) -> None:
    assert source_field(term, path, FIELDS) == said


def test_a_document_from_the_model_through_a_shipped_mapping() -> None:
    """An invoice as it is posted, spoilt, judged: what a bookkeeper is told stands in the ledger's own words."""
    mapper = load("tripletex", plugins=plugins.accounting())["invoice"]
    draft = scenario_a()
    spoilt = draft.model_copy(update={"buyer_reference": None})
    report = validate(write(compose(spoilt))).in_source(mapper.their_fields)
    (finding,) = [each for each in report.findings if each.rule == "PEPPOL-EN16931-R003"]
    assert finding.source_field == "order.reference"
    assert finding.as_json()["source_field"] == "order.reference"
    assert "felt i kildesystemet: order.reference" in report.as_text()
    assert "field in the source system: order.reference" in report.as_text(language="en")


def test_without_a_mapping_nothing_is_said_of_a_source() -> None:
    report = validate(invoice().replace(b">NO974760673MVA<", b">NO974760674MVA<"))
    assert report.findings
    assert all("source_field" not in finding.as_json() for finding in report.findings)
    assert "kildesystem" not in report.as_text()
