"""Where a field of the model stands in an EHF, and which business term it is: for findings about a model document that
came as XML.

    place("lines[2].vat_rate", "Invoice")
    Place(xpath="/Invoice/cac:InvoiceLine[3]/cac:Item/cac:ClassifiedTaxCategory/cbc:Percent", term="BT-152")

A field that EHF does not carry (a VAT code, a department) is looked for one level up, where a person would mend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

from connector.ehf.source import TERMS


class Place(NamedTuple):
    """`xpath` has positions, in the prefixes `cac` and `cbc`; `term` is None where EN 16931 knows none."""

    xpath: str
    term: str | None


_ADDRESS: Final = {
    "": "",
    "street": "cbc:StreetName", "additional_street": "cbc:AdditionalStreetName", "line": "cac:AddressLine/cbc:Line",
    "city": "cbc:CityName", "postal_code": "cbc:PostalZone", "region": "cbc:CountrySubentity",
    "country": "cac:Country/cbc:IdentificationCode",
}  # fmt: skip
_PARTY: Final = {
    "": "",
    "name": "cac:PartyLegalEntity/cbc:RegistrationName",
    "trading_name": "cac:PartyName/cbc:Name",
    "identifiers": "cac:PartyIdentification/cbc:ID",
    "legal_id": "cac:PartyLegalEntity/cbc:CompanyID",
    "vat_number": "cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID",
    "tax_registration": "cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='TAX']/cbc:CompanyID",
    "legal_form": "cac:PartyLegalEntity/cbc:CompanyLegalForm",
    "endpoint": "cbc:EndpointID",
    **{f"address.{name}".rstrip("."): f"cac:PostalAddress/{to}" for name, to in _ADDRESS.items()},
    "contact": "cac:Contact",
    "contact.name": "cac:Contact/cbc:Name",
    "contact.phone": "cac:Contact/cbc:Telephone",
    "contact.email": "cac:Contact/cbc:ElectronicMail",
}
_ADJUSTMENT: Final = {
    "": "",
    "is_charge": "cbc:ChargeIndicator", "amount": "cbc:Amount", "base": "cbc:BaseAmount",
    "percent": "cbc:MultiplierFactorNumeric", "reason": "cbc:AllowanceChargeReason",
    "reason_code": "cbc:AllowanceChargeReasonCode", "vat_category": "cac:TaxCategory/cbc:ID",
    "vat_rate": "cac:TaxCategory/cbc:Percent",
}  # fmt: skip
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "{0}": {
        "": "",
        "customization": "cbc:CustomizationID", "profile": "cbc:ProfileID", "number": "cbc:ID",
        "issue_date": "cbc:IssueDate", "due_date": "{due}", "type_code": "cbc:{0}TypeCode", "kind": "cbc:{0}TypeCode",
        "notes": "cbc:Note", "tax_point_date": "cbc:TaxPointDate", "currency": "cbc:DocumentCurrencyCode",
        "tax_currency": "cbc:TaxCurrencyCode", "accounting_cost": "cbc:AccountingCost",
        "buyer_reference": "cbc:BuyerReference", "period": "cac:InvoicePeriod",
        "period.start": "cac:InvoicePeriod/cbc:StartDate", "period.end": "cac:InvoicePeriod/cbc:EndDate",
        "tax_point_code": "cac:InvoicePeriod/cbc:DescriptionCode", "order_reference": "cac:OrderReference/cbc:ID",
        "sales_order_reference": "cac:OrderReference/cbc:SalesOrderID",
        "preceding_invoices": "cac:BillingReference",
        "preceding_invoices.number": "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
        "preceding_invoices.issue_date": "cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate",
        "despatch_reference": "cac:DespatchDocumentReference/cbc:ID",
        "receipt_reference": "cac:ReceiptDocumentReference/cbc:ID",
        "tender_reference": "cac:OriginatorDocumentReference/cbc:ID",
        "contract_reference": "cac:ContractDocumentReference/cbc:ID",
        "project_reference": "cac:ProjectReference/cbc:ID", "attachments": "cac:AdditionalDocumentReference",
        "invoiced_object": "cac:AdditionalDocumentReference/cbc:ID",
        "payee": "cac:PayeeParty", "payee.name": "cac:PayeeParty/cac:PartyName/cbc:Name",
        "tax_representative": "cac:TaxRepresentativeParty", "payment_terms": "cac:PaymentTerms/cbc:Note",
        "delivery": "cac:Delivery", "delivery.day": "cac:Delivery/cbc:ActualDeliveryDate",
        "delivery.location_id": "cac:Delivery/cac:DeliveryLocation/cbc:ID",
        "delivery.name": "cac:Delivery/cac:DeliveryParty/cac:PartyName/cbc:Name",
        "payment_means": "cac:PaymentMeans", "payment_means.code": "cac:PaymentMeans/cbc:PaymentMeansCode",
        "payment_means.payment_id": "cac:PaymentMeans/cbc:PaymentID",
        "payment_means.account": "cac:PaymentMeans/cac:PayeeFinancialAccount",
        "payment_means.account.id": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
        "vat_breakdown": "cac:TaxTotal/cac:TaxSubtotal",
        "vat_breakdown.taxable_amount": "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount",
        "vat_breakdown.tax_amount": "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount",
        "vat_breakdown.category": "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:ID",
        "vat_breakdown.rate": "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent",
        "vat_breakdown.exemption_reason": "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:TaxExemptionReason",
        "vat_breakdown.exemption_code": "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:TaxExemptionReasonCode",
        "totals": "cac:LegalMonetaryTotal", "totals.line_total": "cac:LegalMonetaryTotal/cbc:LineExtensionAmount",
        "totals.tax_exclusive": "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount",
        "totals.tax_inclusive": "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount",
        "totals.allowance_total": "cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount",
        "totals.charge_total": "cac:LegalMonetaryTotal/cbc:ChargeTotalAmount",
        "totals.prepaid": "cac:LegalMonetaryTotal/cbc:PrepaidAmount",
        "totals.rounding": "cac:LegalMonetaryTotal/cbc:PayableRoundingAmount",
        "totals.payable": "cac:LegalMonetaryTotal/cbc:PayableAmount", "totals.tax": "cac:TaxTotal/cbc:TaxAmount",
        "totals.tax_in_accounting_currency": "cac:TaxTotal[last()]/cbc:TaxAmount",
    },
    "seller": {name: f"cac:AccountingSupplierParty/cac:Party/{to}" for name, to in _PARTY.items()},
    "buyer": {name: f"cac:AccountingCustomerParty/cac:Party/{to}" for name, to in _PARTY.items()},
    "delivery.address": {n: f"cac:Delivery/cac:DeliveryLocation/cac:Address/{to}" for n, to in _ADDRESS.items()},
    "allowances_charges": {name: f"cac:AllowanceCharge/{to}" for name, to in _ADJUSTMENT.items()},
    "lines": {
        name: f"cac:{{0}}Line/{to}"
        for name, to in {
            "": "",
            "id": "cbc:ID", "note": "cbc:Note", "quantity": "cbc:{quantity}Quantity",
            "unit_code": "cbc:{quantity}Quantity/@unitCode",
            "net": "cbc:LineExtensionAmount", "order_line": "cac:OrderLineReference/cbc:LineID",
            "accounting_cost": "cbc:AccountingCost", "period": "cac:InvoicePeriod",
            "period.start": "cac:InvoicePeriod/cbc:StartDate", "period.end": "cac:InvoicePeriod/cbc:EndDate",
            "object_id": "cac:DocumentReference/cbc:ID", "price": "cac:Price/cbc:PriceAmount",
            "price_discount": "cac:Price/cac:AllowanceCharge/cbc:Amount",
            "gross_price": "cac:Price/cac:AllowanceCharge/cbc:BaseAmount",
            "base_quantity": "cac:Price/cbc:BaseQuantity", "name": "cac:Item/cbc:Name",
            "description": "cac:Item/cbc:Description",
            "seller_item_id": "cac:Item/cac:SellersItemIdentification/cbc:ID",
            "buyer_item_id": "cac:Item/cac:BuyersItemIdentification/cbc:ID",
            "standard_item_id": "cac:Item/cac:StandardItemIdentification/cbc:ID",
            "classifications": "cac:Item/cac:CommodityClassification",
            "origin_country": "cac:Item/cac:OriginCountry/cbc:IdentificationCode",
            "attributes": "cac:Item/cac:AdditionalItemProperty",
            "vat_category": "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
            "vat_rate": "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent",
            "vat_code": "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
            **{f"allowances_charges.{n}".rstrip("."): f"cac:AllowanceCharge/{to}" for n, to in _ADJUSTMENT.items()},
        }.items()
    },
}  # fmt: skip
_STEP: Final = re.compile(r"([a-z_]+)(?:\[(\d+)\])?")
_REPEATED: Final = {
    "lines": "cac:{0}Line", "payment_means": "cac:PaymentMeans", "vat_breakdown": "cac:TaxSubtotal",
    "allowances_charges": "cac:AllowanceCharge", "preceding_invoices": "cac:BillingReference", "notes": "cbc:Note",
    "attachments": "cac:AdditionalDocumentReference",
}  # fmt: skip
"""Lists of the model, and the element that stands for one item."""
_LIKE: Final = {"lines.vat_code": "lines.vat_category"}
"""What EHF carries in place of what it does not."""


def place(field: str, document_type: str) -> Place:
    """Where a field stands, or should.

    Args:
        field: path in `connector.model.Invoice`, items of lists counted from 0: `lines[2].vat_rate`.
        document_type: `Invoice` or `CreditNote`.
    """
    steps = _STEP.findall(field)
    names, table = [name for name, _ in steps], _table(document_type)
    known = next((cut for cut in range(len(names), 0, -1) if ".".join(names[:cut]) in table), 0)
    path = ".".join(names[:known])
    xpath = f"/{document_type}/{table[path]}".rstrip("/") if path else f"/{document_type}"
    for name, number in steps[:known]:
        if number and name in _REPEATED:
            element = _REPEATED[name].format(document_type)
            xpath = xpath.replace(f"/{element}", f"/{element}[{int(number) + 1}]", 1)
    return Place(xpath, _term(path))


@cache
def _table(document_type: str) -> Mapping[str, str]:
    return dict(_written(document_type))


def _written(document_type: str) -> Iterator[tuple[str, str]]:
    note = document_type == "CreditNote"
    due = "cac:PaymentMeans/cbc:PaymentDueDate" if note else "cbc:DueDate"
    words = {"due": due, "quantity": "Credited" if note else "Invoiced"}
    for above, fields in _FIELDS.items():
        for name, to in fields.items():
            path = name if above == "{0}" else f"{above}.{name}".rstrip(".")
            yield path, to.format(document_type, **words).rstrip("/")


def _term(path: str) -> str | None:
    path = _LIKE.get(path, path)
    while path and path not in _terms():
        path = path.rpartition(".")[0]
    return _terms().get(path)


@cache
def _terms() -> Mapping[str, str]:
    return {path: term for term, path in reversed(list(TERMS.items()))}
