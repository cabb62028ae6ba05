"""What a ledger requires, against a document that is to go there: pure, over options as they were read.

The codes are those the push would end with; each is compared exactly, and a list that is unknown says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from connector.mapping.bound import BoundShape
from connector.mapping.codes import WORDS
from connector.mapping.every import Chosen
from connector.model import Dimensions, Invoice, plain
from connector.options import Choice, Option, Options
from connector.preflight.report import Problem
from connector.preflight.words import own

MOST = 12
"""How many of what there is are named."""
_NORWEGIAN = {
    "vat-code": "Mva-kode",
    "purchase-vat-code": "Mva-kode for kjøp",
    "payment-type": "Betalingstype",
    "currency": "Valuta",
    "department": "avdeling",
    "project": "prosjekt",
}


def company(options: Options, connection: str) -> Iterator[Problem]:
    """What the connection lacks, whatever the document; and what could not be read."""
    for right in options.missing:
        yield own("right-missing", "error", "ledger", connection=connection, right=right)
    for what in options.unknown:
        yield own("not-checked", "warning", "ledger", connection=connection, what=what)


def document(options: Options, connection: str, invoice: Invoice, *, issues: bool) -> Iterator[Problem]:
    """What the company's books say to this document as a whole. `issues`: the ledger numbers it."""
    day = invoice.issue_date
    period = options.closed_on(day) if day else None
    if period is not None and day is not None:
        after = options.first_open(day)
        said = {"day": day, "period": period.name or f"{period.start} – {period.end}", "open": after}
        yield own("period-closed", "error", "ledger", field="issue_date", connection=connection, **said)
    charged = next((n for n, line in enumerate(invoice.lines) if line.vat_rate), None)
    if options.vat_registered is False and charged is not None:
        at = f"lines[{charged}].vat_rate"
        yield own("company-not-vat-registered", "error", "ledger", field=at, connection=connection)
    if issues and options.bank_account is False:
        yield own("bank-account-missing", "error", "ledger", connection=connection)


def codes(options: Options, connection: str, invoice: Invoice, found: Sequence[Chosen]) -> Iterator[Problem]:
    """Whether the ledger has every code that the document comes to by its mapping, at the rate that it states."""
    for one in found:
        if not options.knows(one.choice):
            continue
        there = options.find(one.choice, one.code)
        word = WORDS.get(one.choice, one.choice)
        if there is None:
            known = ", ".join(sorted(option.code for option in options.lists[one.choice] if option.active)[:MOST])
            said = {"code": one.code, "known": known}
            name = "vat-code" if one.choice == Choice.PURCHASE_VAT_CODE else one.choice
            yield _at(one, own(f"{name}-unknown", "error", "ledger", field=one.field, connection=connection, **said))
        elif not there.active:
            said = {"code": one.code, "word": word[0].upper() + word[1:], "word_nb": _NORWEGIAN.get(one.choice, word)}
            name = "account-inactive" if one.choice == Choice.ACCOUNT else "code-inactive"
            yield _at(one, own(name, "error", "ledger", field=one.field, connection=connection, **said))
        elif one.choice == Choice.VAT_CODE:
            yield from _rate(connection, invoice, one, there)


def _rate(connection: str, invoice: Invoice, one: Chosen, there: Option) -> Iterator[Problem]:
    """Whether a taxed line has the rate of its code: the ledger would come to other totals."""
    for place, line in enumerate(invoice.lines):
        if not one.field.startswith(f"lines[{place}].") or line.vat_category not in (None, "S"):
            continue
        stated, rate = line.vat_rate, there.rate
        if stated is not None and rate is not None and rate >= Decimal(0) and stated != rate:
            said = {"code": one.code, "rate": plain(rate), "stated": plain(stated)}
            at = f"lines[{place}].vat_rate"
            yield _at(one, own("vat-rate-differs", "error", "ledger", field=at, connection=connection, **said))


def required(
    options: Options, connection: str, invoice: Invoice, found: Sequence[Chosen], shape: BoundShape
) -> Iterator[Problem]:
    """Dimensions that an account demands, and that the document does not have or the mapping does not carry."""
    carried = _linked(shape)
    told = set()
    for one in found:
        account = options.find(one.choice, one.code) if one.choice == Choice.ACCOUNT else None
        for kind in account.requires if account else ():
            place = int(one.field[6:].split("]")[0]) if one.field.startswith("lines[") else None
            has = _has(invoice.dimensions, kind) or (place is not None and _has(invoice.lines[place].dimensions, kind))
            if (has and kind in carried) or (one.code, kind, place) in told:
                continue
            told.add((one.code, kind, place))
            at = f"lines[{place}].dimensions.{kind}" if place is not None else f"dimensions.{kind}"
            said = {"account": one.code, "dimension": kind, "dimension_nb": _NORWEGIAN.get(kind, kind)}
            yield _at(one, own("dimension-required", "error", "ledger", field=at, connection=connection, **said))


def _linked(shape: BoundShape) -> set[str]:
    found = {line.link for line in shape.lines if line.writes and line.link}
    return found.union(*(_linked(line.each) for line in shape.lines if line.each is not None))


def _has(dimensions: Dimensions, kind: str) -> bool:
    return bool(getattr(dimensions, kind, None))


def _at(one: Chosen, problem: Problem) -> Problem:
    return replace(problem, file=one.line.origin.file, file_line=one.line.origin.line)
