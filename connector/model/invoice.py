"""The canonical invoice and credit note: every term of EN 16931 that EHF can carry, and what books need besides.

A field's description begins with its business term (BT) or group (BG). Amounts are without VAT and in the document's
currency unless they say otherwise. `totals` and `vat_breakdown` are as *stated* by whoever issued the document;
`connector.model.compose` makes them for a document of ours, `connector.model.judge` compares.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from connector.model.base import Day, Term, Text
from connector.model.charges import AllowanceCharge, VatBreakdown, as_carried
from connector.model.dimension import Dimensions
from connector.model.extension import Extension
from connector.model.line import Line, line_as_carried
from connector.model.money import Amount, Currency
from connector.model.party import Identifier, Party, Payee, TaxRepresentative
from connector.model.payment_means import PaymentMeans
from connector.model.references import Attachment, Delivery, DocumentReference, Period

Direction = Literal["outgoing", "incoming"]
Kind = Literal["invoice", "credit_note"]

CREDIT_NOTE_TYPES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"})
"""Type codes of UNCL1001 that EN 16931 takes for credit notes (rule BR-CL-01)."""

SELF_BILLING_TYPES = frozenset({"261", "389", "527"})
"""Type codes of documents that the buyer makes in the seller's name; they follow the self-billing specification."""

BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
BILLING_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
SELF_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"
SELF_BILLING_PROFILE = "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0"


class Totals(Term):
    """Document totals as stated (BG-22)."""

    line_total: Amount | None = None
    """BT-106 Sum of the lines' net amounts."""
    allowance_total: Amount | None = None
    """BT-107 Sum of allowances on the document."""
    charge_total: Amount | None = None
    """BT-108 Sum of charges on the document."""
    tax_exclusive: Amount | None = None
    """BT-109 Total without VAT."""
    tax: Amount | None = None
    """BT-110 Total VAT."""
    tax_in_accounting_currency: Amount | None = None
    """BT-111 Total VAT in `tax_currency` (NOK on a Norwegian invoice in another currency), as the issuer states it."""
    tax_inclusive: Amount | None = None
    """BT-112 Total with VAT."""
    prepaid: Amount | None = None
    """BT-113 Paid in advance."""
    rounding: Amount | None = None
    """BT-114 Added to reach a payable amount in whole kroner."""
    payable: Amount
    """BT-115 Amount due for payment."""


class Invoice(Term):
    """An invoice or credit note."""

    kind: Kind = "invoice"
    """Invoice or credit note; follows from the type code where it is left out."""
    type_code: Text = "380"
    """BT-3 UNCL1001: 380 invoice, 381 credit note, 389 and 261 self-billed …; from the kind where it is left out."""
    direction: Direction = "outgoing"
    """Outgoing: our sale. Incoming: our purchase. Not carried by EHF."""
    customization: Text | None = BILLING
    """BT-24 Specification the document follows; by default Peppol BIS Billing 3.0 (EHF) or self-billing."""
    profile: Text | None = BILLING_PROFILE
    """BT-23 Business process."""

    number: Text | None = None
    """BT-1 Number; None until it is issued, by the ledger for instance."""
    source_id: Text | None = None
    """The document's id in the system it comes from; unique there for ever. Not carried by EHF."""
    issue_date: Day | None = None
    """BT-2 Date of issue; None where the issuer sets it when it numbers the document."""
    due_date: Day | None = None
    """BT-9 Due date. On a credit note EHF carries it with a payment means."""
    tax_point_date: Day | None = None
    """BT-7 VAT point date."""
    tax_point_code: Text | None = None
    """BT-8 VAT point date code: 3, 35, 432 (UNCL2005)."""
    currency: Currency
    """BT-5 Currency of all amounts."""
    tax_currency: Currency | None = None
    """BT-6 Currency of `totals.tax_in_accounting_currency`."""
    accounting_cost: Text | None = None
    """BT-19 Buyer's accounting reference."""
    buyer_reference: Text | None = None
    """BT-10 Buyer's reference; EHF wants this or an order reference (PEPPOL-EN16931-R003)."""
    period: Period | None = None
    """BG-14 Invoicing period."""
    notes: tuple[Text, ...] = ()
    """BT-22 Notes; a subject code (BT-21) stands in front as #AAI#."""

    order_reference: Text | None = None
    """BT-13 Purchase order."""
    sales_order_reference: Text | None = None
    """BT-14 Sales order; EHF carries it with an order reference only."""
    preceding_invoices: tuple[DocumentReference, ...] = ()
    """BG-3 Invoices that this document corrects or credits."""
    despatch_reference: Text | None = None
    """BT-16 Despatch advice."""
    receipt_reference: Text | None = None
    """BT-15 Receiving advice."""
    tender_reference: Text | None = None
    """BT-17 Tender or lot."""
    contract_reference: Text | None = None
    """BT-12 Contract."""
    project_reference: Text | None = None
    """BT-11 Project."""
    invoiced_object: Identifier | None = None
    """BT-18 What the invoice is about: a meter, a subscription, a vehicle."""
    attachments: tuple[Attachment, ...] = ()
    """BG-24 Supporting documents."""

    seller: Party
    """BG-4 Seller."""
    buyer: Party
    """BG-7 Buyer."""
    customer_id: Text | None = None
    """The source's own number of the customer (of the supplier, incoming). Not carried by EHF."""
    payee: Payee | None = None
    """BG-10 Payee, where it is not the seller."""
    tax_representative: TaxRepresentative | None = None
    """BG-11 Seller's tax representative."""
    delivery: Delivery | None = None
    """BG-13 Delivery."""
    payment_means: tuple[PaymentMeans, ...] = ()
    """BG-16 Ways to pay."""
    payment_terms: Text | None = None
    """BT-20 Payment terms."""

    lines: tuple[Line, ...]
    """BG-25 Lines; at least one."""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-20, BG-21 Allowances and charges on the document."""
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    """BG-23 VAT by category and rate, as stated."""
    totals: Totals | None = None
    """BG-22 Totals, as stated; None in a draft."""

    dimensions: Dimensions = Dimensions()
    """Department, project … of the document. Not carried by EHF."""
    extension: Extension = ()
    """What a received document held besides (see `Kept`); nobody sets it by hand."""

    @model_validator(mode="before")
    @classmethod
    def _kind_and_type(cls, given: Any) -> Any:
        """Fill the kind from the type code or the other way round."""
        if not isinstance(given, dict):
            return given
        kind, code = given.get("kind"), given.get("type_code")
        if code in SELF_BILLING_TYPES and "customization" not in given and "profile" not in given:
            given = {**given, "customization": SELF_BILLING, "profile": SELF_BILLING_PROFILE}
        if kind is None and code is not None:
            return {**given, "kind": "credit_note" if code in CREDIT_NOTE_TYPES else "invoice"}
        if code is None and kind == "credit_note":
            return {**given, "type_code": "381"}
        return given

    @model_validator(mode="after")
    def _has_lines(self) -> Invoice:
        if not self.lines:
            raise PydanticCustomError("no-lines", "An invoice has at least one line (BG-25).")
        return self

    @property
    def is_credit_note(self) -> bool:
        """Whether it lowers what the buyer owes."""
        return self.kind == "credit_note"

    @property
    def is_self_billed(self) -> bool:
        """Whether the buyer has made it for the seller, by its type code (BT-3) or the rules it follows (BT-24)."""
        return self.type_code in SELF_BILLING_TYPES or (self.customization or "").startswith(SELF_BILLING)

    @property
    def payment_id(self) -> str | None:
        """BT-83 The first remittance information (KID) of the payment means."""
        return next((means.payment_id for means in self.payment_means if means.payment_id), None)

    def as_carried(self) -> Invoice:
        """The document as EHF carries it: without ids of ours, VAT codes, dimensions and composing hints.

        `read(write(invoice), direction=invoice.direction) == invoice.as_carried()` for every invoice that can be
        written.
        """
        given_order = None if self.sales_order_reference and self.order_reference == "NA" else self.order_reference
        update: dict[str, Any] = {
            "order_reference": given_order,
            "source_id": None,
            "customer_id": None,
            "dimensions": Dimensions(),
            "preceding_invoices": tuple(
                DocumentReference(number=one.number, issue_date=one.issue_date)
                for one in self.preceding_invoices
                if one.number
            ),
            "lines": tuple(line_as_carried(line) for line in self.lines),
            "allowances_charges": tuple(as_carried(item) for item in self.allowances_charges),
        }
        return self.model_copy(update=update)


class Draft(Invoice):
    """An invoice before its totals are made: what `compose` needs to know besides the document itself."""

    prices_include_vat: bool = False
    """Prices, discounts, allowances and charges are with VAT, as a consumer saw them; the sum is kept to the øre."""
    prepaid: Amount | None = None
    """BT-113 Paid in advance, with VAT."""
    round_payable_to: Amount | None = None
    """Unit the payable amount is rounded to through BT-114: "1" for whole kroner, "0.05" for Swiss francs."""
    tax_in_accounting_currency: Amount | None = None
    """BT-111 Total VAT in `tax_currency`, stated by the issuer (its rate, its rounding); never computed here."""
