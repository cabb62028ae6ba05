"""What the EN 16931 rules gather from block to block, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final, cast

from connector.ehf.rules.en16931.layer import layer
from connector.ehf.rules.engine import LINES, Document, Elements, Node, Place, Values, strip
from connector.ehf.rules.xpath import BreaksOff, number

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
KEY: Final = "en16931"

MANY_DIGITS: Final = 20
"""Numbers as long as this are left to the slow and exact way."""

_HALF: Final = Decimal("0.5")
_CENT: Final = Decimal("0.01")
_NEAR: Final = Decimal(98)
_HALF_CENT: Final = Decimal("0.005")

SELLER_ANY: Final = "seller"
"""In `Facts.identified`: the seller has a tax number of some kind (BT-31 or BT-32)."""
SELLER_VAT: Final = "seller VAT"
"""The seller has a VAT number (BT-31)."""
REPRESENTATIVE_VAT: Final = "representative VAT"
"""The tax representative has one (BT-63)."""
BUYER_VAT: Final = "buyer VAT"
"""The buyer has one (BT-48)."""
BUYER_LEGAL: Final = "buyer registration"
"""The buyer has a registration number (BT-47)."""

Pair = tuple["str | None", "str | None"]
"""A VAT category as it stands: the texts of its `cbc:ID` and of its `cac:TaxScheme/cbc:ID`."""

Allowances = list[tuple[bool, frozenset[str], tuple[str, ...], tuple["str | None", ...]]]
"""Charge?, categories, rates and amounts, as their texts stand."""

_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False}
INDICATORS: Final = frozenset(_TRUTH)
"""How `xs:boolean` is written."""
_ONLY: Final = {False: frozenset({False}), True: frozenset({True})}


class LineGroup:
    """The lines that have one VAT category, scheme and rate in common, as their texts stand, and their net amounts."""

    __slots__ = ("net", "rules")

    def __init__(self, rules: tuple[str, ...]) -> None:
        self.net = ZERO
        self.rules = rules
        """The rules that such a line's VAT category breaks."""


class OddLine:
    """A line with several VAT categories or none, or one that failed the XSD: texts as they stand.

    It is in a sum if any of its categories and any of its rates fit. Its texts are cast only when a sum is made, as the
    official evaluation does: a text that is no number matters only there.
    """

    __slots__ = ("categories", "nested", "nets", "rates", "tag")

    def __init__(
        self,
        tag: str,
        categories: frozenset[str],
        rates: tuple[str | None, ...],
        nets: tuple[str | None, ...],
        nested: bool,
    ) -> None:
        self.tag = tag
        self.categories = categories
        self.rates = rates
        self.nets = nets
        self.nested = nested
        """Whether it stands below another line, which only XSD-invalid documents have."""


class Facts:
    """Of one document. Texts are as they stand."""

    __slots__ = (
        "allowances",
        "breakdown",
        "categories",
        "charge_categories",
        "groups",
        "identified",
        "item_categories",
        "odd_lines",
        "payment_codes",
        "payment_ids",
        "rated_charges",
        "sepa",
        "tax_currencies",
        "totals",
    )

    def __init__(self) -> None:
        self.groups: dict[str, dict[tuple[str | None, ...], LineGroup]] = {tag: {} for tag in LINES}
        """Line tag -> (category, scheme, rate) -> the lines that have them."""
        self.odd_lines: list[OddLine] = []
        self.item_categories: set[Pair] = set()
        """`cac:ClassifiedTaxCategory` outside the groups."""
        self.categories: set[Pair] = set()
        """Every `cac:TaxCategory`."""
        self.charge_categories: set[tuple[bool | None, bool, str | None, str | None]] = set()
        """Those of allowances (False), charges (True) and neither: that, whether of the document, category, scheme."""
        self.allowances: Allowances = []
        """Of the document: charge?, categories, rates and amounts as they stand."""
        self.rated_charges: set[tuple[frozenset[str], tuple[str, ...]]] = set()
        """Categories and rates of every allowance and charge that has any."""
        self.totals: list[tuple[list[str | None], list[int], Elements, Allowances | None]] = []
        """Of each `cac:LegalMonetaryTotal`: texts and places of its amounts (place 0 is its own) in these elements; the
        allowances and charges beside it, None for those of the document."""
        self.breakdown: list[Breakdown] = []
        self.identified: set[str] = set()
        """Which numbers there are: `SELLER_ANY`, `SELLER_VAT` and so on."""
        self.tax_currencies: set[str | None] = set()
        self.payment_ids: dict[str, Place] = {}
        self.payment_codes: dict[str, Place] = {}
        self.sepa: list[Place] = []


class Breakdown:
    """One VAT category of a VAT breakdown (BG-23) of the document."""

    __slots__ = ("base", "has_reason", "pair", "place", "rate", "tax")

    def __init__(
        self,
        place: Place,
        pair: Pair,
        values: tuple[str | None, ...],
        has_reason: bool,
    ) -> None:
        self.place = place
        self.pair = pair
        self.rate, self.base, self.tax = values
        """None where there is no such element; a text that is empty is ''."""
        self.has_reason = has_reason


@layer.start
def lay_out(doc: Document) -> None:
    """A fresh sheet for each document."""
    doc.facts[KEY] = Facts()


def facts(doc: Document) -> Facts:
    """What is gathered about the document."""
    found: Facts = doc.facts[KEY]
    return found


def is_vat(scheme: str | None) -> bool:
    """`normalize-space(upper-case(cbc:ID)) = 'VAT'`."""
    return scheme == "VAT" or strip(scheme).upper() == "VAT"


def indicator(text: str | None) -> bool | None:
    """`cbc:ChargeIndicator` as `xs:boolean`; None when it is none."""
    found = _TRUTH.get(text or "")
    return found if found is not None else _TRUTH.get(strip(text))


def scheme_place(node: Node) -> tuple[int, ...]:
    """The places of the identifiers of the tax schemes of a category or registration."""
    return node.places("cac:TaxScheme/cbc:ID")


def pair_of(v: Values, ids: Sequence[int], schemes: Sequence[int]) -> Pair:
    """The category's pair; of several schemes the one that is VAT."""
    if len(schemes) == len(ids) == 1:
        return (v[ids[0]], v[schemes[0]])
    scheme = next((v[i] for i in schemes if is_vat(v[i])), v[schemes[0]] if schemes else None)
    return (v[ids[0]] if ids else None, scheme)


def kinds_of(v: Values, indicators: Sequence[int]) -> frozenset[bool]:
    """False for an allowance, True for a charge; BreaksOff when it says neither."""
    if len(indicators) == 1 and (kind := _TRUTH.get(v[indicators[0]] or "")) is not None:
        return _ONLY[kind]
    kinds = {indicator(v[i]) for i in indicators}
    if None in kinds:
        raise BreaksOff("cbc:ChargeIndicator is neither true nor false")
    return cast("frozenset[bool]", frozenset(kinds))


def double(text: str | None) -> float:
    """The text compared with a number: `xs:double`, and an error for what is none."""
    value = number(text or "")
    if value != value and strip(text) != "NaN":
        raise BreaksOff(f"xs:double({text!r})")
    return value


def cents(value: Decimal) -> Decimal:
    """`round(value * 100) div 100`: half goes towards plus infinity, so -2.345 gives -2.34."""
    return (value + _HALF_CENT).quantize(_CENT, ROUND_FLOOR)


def tax_is_near(base: Decimal, rate: Decimal, tax: Decimal) -> bool:
    """Whether the tax is base × rate ÷ 100 with so little between them that no rounding brings it out of the slack.

    False when the rate may round to 0, and when it is close: then one has to look at it in full.
    """
    return rate >= 1 and -_NEAR < abs(tax) * HUNDRED - abs(base) * rate < _NEAR


def whole(value: Decimal) -> Decimal:
    """`round(value)`, likewise."""
    return (value + _HALF).to_integral_value(ROUND_FLOOR)


def shown(value: Decimal) -> str:
    """An amount as a person reads it: at least two decimals, no exponent."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        value = value.quantize(_CENT)
    return f"{value:f}"
