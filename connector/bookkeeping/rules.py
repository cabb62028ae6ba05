"""The rules `NO-BOK-*`, in the order of their numbers: each a pure function over an invoice or credit note of ours.

What a ledger that issues the document fills in itself (number, the seller's own details, VAT in kroner) is not asked of
a *draft*; what it can only have from us is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from connector.bookkeeping.finding import Finding, finding
from connector.model import Address, BankAccount, Iban, Invoice, Kid, VatNumber, plain, round2

Rule = Callable[[Invoice, bool], Iterator[Finding]]

NORWAY, KRONER = "NO", "NOK"
REGISTERED = "Foretaksregisteret"
_COMPANY = re.compile(r"\b(AS|ASA|NUF)\b")
_WITHOUT_MEANING = frozenset({"diverse", "div", "div.", "misc", "misc.", "various", "-", "."})
_KID_LIKE = re.compile(r"[0-9 ]*[0-9][0-9 ]*-?")
_ORE = Decimal("0.01")


def judge(invoice: Invoice, *, draft: bool) -> list[Finding]:
    """Every rule that a sales document of a Norwegian seller breaks; none for another's, or for a purchase.

    Args:
        draft: the ledger issues it: what the ledger fills in is not asked for.
    """
    if invoice.direction != "outgoing" or not _norwegian(invoice):
        return []
    return [found for rule in RULES for found in rule(invoice, draft)]


def _norwegian(invoice: Invoice) -> bool:
    seller = invoice.seller
    country = seller.address.country if seller.address else None
    return country == NORWAY or (country is None or seller.organisation_number is not None)


# --- number, date, parties --------------------------------------------------------------------------------------------


def number(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-01: an issued document has a number."""
    if not draft and not invoice.number:
        yield finding("NO-BOK-01", "error", "number")


def day(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-02: an issued document has a date."""
    if not draft and invoice.issue_date is None:
        yield finding("NO-BOK-02", "error", "issue_date")


def seller(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-03: the seller's name and organisation number."""
    if draft:
        return
    if not invoice.seller.name:
        yield finding("NO-BOK-03", "error", "seller.name", what_nb="navn", what_en="name")
    if invoice.seller.organisation_number is None:
        what = {"what_nb": "organisasjonsnummer", "what_en": "organisation number"}
        yield finding("NO-BOK-03", "error", "seller.legal_id", **what)


def vat_number(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-04: who charges VAT has MVA after the organisation number."""
    if not draft and _charges_vat(invoice) and not VatNumber.valid(invoice.seller.vat_number or ""):
        yield finding("NO-BOK-04", "error", "seller.vat_number")


def business_register(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-05: the word Foretaksregisteret, for whom the name shows to be an AS, ASA or NUF."""
    name = invoice.seller.name or ""
    if not draft and _COMPANY.search(name) and (invoice.seller.tax_registration or "").strip() != REGISTERED:
        yield finding("NO-BOK-05", "warning", "seller.tax_registration", name=name)


def buyer(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-06: the buyer's name, and an address or organisation number (of a foreigner: a registration)."""
    who = invoice.buyer
    if not who.name:
        yield finding("NO-BOK-06", "error", "buyer.name", what_nb="navn", what_en="name")
    if who.organisation_number is None and who.legal_id is None and not _is_place(who.address):
        what = {"what_nb": "adresse eller organisasjonsnummer", "what_en": "address or organisation number"}
        yield finding("NO-BOK-06", "error", "buyer.address", **what)


# --- what was sold, when and where ------------------------------------------------------------------------------------


def nature_and_extent(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-07: every line says what it is, and how much."""
    for place, line in enumerate(invoice.lines):
        words = (line.name or line.description or "").strip()
        at = f"lines[{place}]"
        if not words or words.casefold() in _WITHOUT_MEANING:
            what = {"what_nb": "hva som er solgt", "what_en": "what was sold"}
            yield finding("NO-BOK-07", "warning" if words else "error", f"{at}.name", line=line.id, **what)
        if line.quantity is None:
            what = {"what_nb": "hvor mye", "what_en": "how much"}
            yield finding("NO-BOK-07", "error", f"{at}.quantity", line=line.id, **what)


def time_of_delivery(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-08: when it was delivered. A ledger prints the invoice's day where a draft does not say it."""
    delivered = invoice.delivery is not None and invoice.delivery.day is not None
    if delivered or invoice.period is not None or invoice.is_credit_note:
        return
    if not all(line.period is not None for line in invoice.lines):
        yield finding("NO-BOK-08", "warning" if draft else "error", "delivery.day")


def place_of_delivery(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-09: where it was delivered."""
    there = invoice.delivery
    stated = there is not None and (there.location_id is not None or _is_place(there.address))
    if not stated and not invoice.is_credit_note:
        yield finding("NO-BOK-09", "warning", "delivery.address")


def delivery_before_invoice(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-10: nothing is invoiced before it is delivered, but for what may be."""
    delivered, issued = invoice.delivery.day if invoice.delivery else None, invoice.issue_date
    if delivered and issued and delivered > issued and not invoice.is_credit_note:
        yield finding("NO-BOK-10", "warning", "delivery.day", delivered=delivered, issued=issued)


# --- price, VAT -------------------------------------------------------------------------------------------------------


def due(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-11: when it falls due. A ledger takes the customer's terms where a draft does not say it."""
    if invoice.is_credit_note or invoice.due_date or invoice.payment_terms:
        return
    if invoice.totals is None or invoice.totals.payable > 0:
        yield finding("NO-BOK-11", "warning" if draft else "error", "due_date")


def specified(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-12: taxable amount and VAT for every rate that a line has."""
    if draft:
        return
    stated = {one.group for one in invoice.vat_breakdown if one.taxable_amount is not None}
    for category, rate in dict.fromkeys(line.vat_group for line in invoice.lines):
        if category is not None and (category, rate) not in stated:
            group = f"{category} {plain(rate)} %" if rate is not None else category
            yield finding("NO-BOK-12", "error", "vat_breakdown", group=group)


def rate(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-13: a rate of category S is one of the day's."""
    when = (invoice.delivery.day if invoice.delivery else None) or invoice.issue_date
    known = rates_on(when) if when else None
    for place, line in enumerate(invoice.lines):
        if known and line.vat_category == "S" and line.vat_rate is not None and line.vat_rate not in known:
            said = {"rate": plain(line.vat_rate), "day": when, "rates": ", ".join(map(plain, known))}
            yield finding("NO-BOK-13", "error", f"lines[{place}].vat_rate", **said)


def vat_in_kroner(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-14: an invoice in another currency states its VAT in kroner, too."""
    if draft or invoice.currency == KRONER or not any(one.tax_amount for one in invoice.vat_breakdown):
        return
    stated = invoice.totals.tax_in_accounting_currency if invoice.totals else None
    if invoice.tax_currency != KRONER or stated is None:
        at = "tax_currency" if invoice.tax_currency != KRONER else "totals.tax_in_accounting_currency"
        yield finding("NO-BOK-14", "error", at, currency=invoice.currency)


def reverse_charge(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-15: under reverse charge the buyer's number with MVA, and the words the law asks for."""
    if not any(line.vat_category == "AE" for line in invoice.lines):
        return
    if not VatNumber.valid(invoice.buyer.vat_number or ""):
        what = {"what_nb": "kjøperens organisasjonsnummer med MVA", "what_en": "the buyer's number with MVA"}
        yield finding("NO-BOK-15", "error", "buyer.vat_number", **what)
    reasons = [one.exemption_reason for one in invoice.vat_breakdown]
    words = [*reasons, *(line.vat_exemption_reason for line in invoice.lines), *invoice.notes]
    if not draft and not any("omvendt avgiftsplikt" in (text or "").casefold() for text in words):
        what = {"what_nb": "teksten om omvendt avgiftsplikt", "what_en": "the statement of reverse charge"}
        at = next((n for n, one in enumerate(invoice.vat_breakdown) if one.category == "AE"), None)
        yield finding("NO-BOK-15", "error", "notes" if at is None else f"vat_breakdown[{at}].exemption_reason", **what)


def credits(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-16: a credit note refers to its invoice."""
    if invoice.is_credit_note and not invoice.preceding_invoices:
        yield finding("NO-BOK-16", "error", "preceding_invoices")


# --- payment ----------------------------------------------------------------------------------------------------------


def kid(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-17: what looks like a KID is one. Which modulus an account takes is agreed with the bank; both pass."""
    for place, means in enumerate(invoice.payment_means):
        said = means.payment_id
        foreign = means.account is not None and means.account.bank_account is None and Iban.valid(means.account.id)
        if said and not foreign and _KID_LIKE.fullmatch(said) and not Kid.valid(said):
            yield finding("NO-BOK-17", "error", f"payment_means[{place}].payment_id", kid=said)


def account(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-18: the account to pay to has its check digits."""
    for place, means in enumerate(invoice.payment_means):
        number = means.account.id if means.account else None
        bare = re.sub(r"[\s.]", "", number or "")
        digits = bare.isdigit() and len(bare) == 11
        if (digits and not BankAccount.valid(bare)) or (bare[:2].upper() == NORWAY and not Iban.valid(bare)):
            yield finding("NO-BOK-18", "error", f"payment_means[{place}].account.id", account=number)


def rounding(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-19: kroner are rounded to whole ones, by øre."""
    rounded = invoice.totals.rounding if invoice.totals else None
    if invoice.totals is None or not rounded or invoice.currency != KRONER:
        return
    payable = invoice.totals.payable
    if abs(rounded) >= 1 or payable != payable.to_integral_value():
        yield finding("NO-BOK-19", "error", "totals.rounding", rounding=plain(rounded), payable=plain(payable))


def vat_computed(invoice: Invoice, draft: bool) -> Iterator[Finding]:
    """NO-BOK-20: VAT is computed of the sum of each rate. The official tolerance is a krone; a ledger has none."""
    for place, one in enumerate(invoice.vat_breakdown):
        if one.taxable_amount is None or one.rate is None:
            continue
        expected = round2(one.taxable_amount * one.rate / 100)
        if abs(expected - one.tax_amount) >= _ORE:
            said = {"rate": one.rate, "base": one.taxable_amount, "expected": expected, "stated": one.tax_amount}
            yield finding(
                "NO-BOK-20",
                "warning",
                f"vat_breakdown[{place}].tax_amount",
                **{name: plain(value) for name, value in said.items()},
            )


RULES: tuple[Rule, ...] = (
    number,
    day,
    seller,
    vat_number,
    business_register,
    buyer,
    nature_and_extent,
    time_of_delivery,
    place_of_delivery,
    delivery_before_invoice,
    due,
    specified,
    rate,
    vat_in_kroner,
    reverse_charge,
    credits,
    kid,
    account,
    rounding,
    vat_computed,
)
"""Every rule, by its number."""


def rates_on(when: date) -> tuple[Decimal, ...] | None:
    """The rates of category S on a day, highest first; None for a day before the table begins."""
    rows = [row for row in _rates() if row[0] <= when]
    return rows[-1][1] if rows else None


@cache
def _rates() -> tuple[tuple[date, tuple[Decimal, ...]], ...]:
    said = tomllib.loads(files(__package__).joinpath("rates.toml").read_text(encoding="utf-8"))["rates"]
    found = [
        (row["from"], tuple(sorted((Decimal(v) for k, v in row.items() if k != "from"), reverse=True))) for row in said
    ]
    return tuple(sorted(found))


def _charges_vat(invoice: Invoice) -> bool:
    return any(line.vat_rate for line in invoice.lines) or any(one.tax_amount for one in invoice.vat_breakdown)


def _is_place(address: Address | None) -> bool:
    return address is not None and bool(address.city or address.street or address.postal_code or address.line)
