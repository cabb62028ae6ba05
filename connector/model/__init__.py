"""Canonical documents, money and Norwegian identifiers. No I/O; every other room speaks in these terms.

    invoice = compose(Draft(currency="NOK", seller=…, buyer=…, lines=(Line(id="1", …),)))   # totals of our documents
    judge(invoice)                                                                          # stated against computed

Amounts are `Decimal` in whole units of their currency; in JSON they are text, and a float is refused.
"""

from connector.model.base import Day, Term, Text
from connector.model.charges import AllowanceCharge, VatBreakdown
from connector.model.completing import completed
from connector.model.credit import CreditNote, Excess, Left, Uncreditable, check_credit, fitted, left_of
from connector.model.dimension import Dimension, DimensionKind, Dimensions, FreeDimension
from connector.model.extension import Kept
from connector.model.identifiers import BankAccount, Gln, Iban, Kid, OrganisationNumber, VatNumber
from connector.model.invoice import Direction, Draft, Invoice, Kind, Totals
from connector.model.judgement import Difference, judge
from connector.model.line import Classification, ItemAttribute, Line
from connector.model.money import (
    Amount,
    Currency,
    Number,
    from_minor,
    minor_units,
    parse_decimal,
    plain,
    round2,
    round_to,
    to_minor,
)
from connector.model.party import (
    Address,
    Contact,
    Customer,
    Identifier,
    Party,
    Payee,
    Supplier,
    TaxRepresentative,
    TradingPartner,
)
from connector.model.payment import (
    Allocation,
    DocumentKey,
    Payment,
    Reversal,
    Settlement,
    SettlementKind,
)
from connector.model.payment_means import Account, Card, Mandate, PaymentMeans
from connector.model.product import Product
from connector.model.references import Attachment, Delivery, DocumentReference, Embedded, Period
from connector.model.totals import Uncomposable, compose

__all__ = [
    "Account",
    "Address",
    "Allocation",
    "AllowanceCharge",
    "Amount",
    "Attachment",
    "BankAccount",
    "Card",
    "Classification",
    "Contact",
    "CreditNote",
    "Currency",
    "Customer",
    "Day",
    "Delivery",
    "Difference",
    "Dimension",
    "DimensionKind",
    "Dimensions",
    "Direction",
    "DocumentKey",
    "DocumentReference",
    "Draft",
    "Embedded",
    "Excess",
    "FreeDimension",
    "Gln",
    "Iban",
    "Identifier",
    "Invoice",
    "ItemAttribute",
    "Kept",
    "Kid",
    "Kind",
    "Left",
    "Line",
    "Mandate",
    "Number",
    "OrganisationNumber",
    "Party",
    "Payee",
    "Payment",
    "PaymentMeans",
    "Period",
    "Product",
    "Reversal",
    "Settlement",
    "SettlementKind",
    "Supplier",
    "TaxRepresentative",
    "Term",
    "Text",
    "Totals",
    "TradingPartner",
    "Uncomposable",
    "Uncreditable",
    "VatBreakdown",
    "VatNumber",
    "check_credit",
    "completed",
    "compose",
    "fitted",
    "from_minor",
    "judge",
    "left_of",
    "minor_units",
    "parse_decimal",
    "plain",
    "round2",
    "round_to",
    "to_minor",
]
