"""What a company's ledger takes now: VAT codes, accounts, payment types, currencies, dimension values, closed periods.

Read by a plugin (`Accounting.options`), kept for a while, and compared with documents and mapping files before anything
is sent. A field of a wire model says what it chooses from (`chooses(Choice.ACCOUNT)`), so that the house knows which
value is an account without knowing any vendor.

What could not be read is *unknown* and never taken for empty: nothing is said against a code of an unknown list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

MARK = "chooses"


class Choice(StrEnum):
    """The lists that a field of a record may choose from."""

    VAT_CODE = "vat-code"
    """VAT codes of sales."""
    PURCHASE_VAT_CODE = "purchase-vat-code"
    ACCOUNT = "account"
    """Accounts of the ledger, by number."""
    PAYMENT_TYPE = "payment-type"
    """Where money came in: by name, or by the account that is debited."""
    CURRENCY = "currency"
    """ISO 4217."""


def chooses(choice: Choice) -> dict[str, Any]:
    """For `json_schema_extra` of a field: that its value is one of a list of the ledger's."""
    return {MARK: choice.value}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Option(_Part):
    """One value that a list has, by the code that people and mapping files use."""

    code: str
    name: str = ""
    also: tuple[str, ...] = ()
    """Other codes that it is known by: a payment type by the account it debits."""
    active: bool = True
    """False: it is there, and nothing new may be put on it."""
    rate: Decimal | None = None
    """Of a VAT code, in per cent."""
    currency: str | None = None
    """Of a payment type: the one its account is in."""
    requires: tuple[str, ...] = ()
    """Of an account: dimensions without which nothing is booked on it, by kind (department, project)."""

    def is_called(self, code: str) -> bool:
        """Whether this is what a code means; upper and lower case are the same."""
        return code.casefold() in (one.casefold() for one in (self.code, *self.also))


class DimensionOptions(_Part):
    """The values of one dimension. `kind`: department, project or dimension (a free one, then with its `name`)."""

    kind: str
    name: str | None = None
    values: tuple[Option, ...] = ()


class ClosedPeriod(_Part):
    """Days on which nothing can be booked any more, first and last included."""

    start: date
    end: date
    name: str = ""

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start <= day <= self.end


class Options(_Part):
    """What one company's ledger takes, as it was read.

    `lists`: by `Choice`; a list that is not there is unknown. `dimensions`: those that could be read. `closed`: None
    where closed periods cannot be known. `vat_registered`, `bank_account` (whether there is one that invoices ask to be
    paid to): None where nobody says. `missing`: rights and modules that the connection lacks; `unknown`: what could not
    be read, both in words for a person.
    """

    lists: Mapping[str, tuple[Option, ...]] = {}
    dimensions: tuple[DimensionOptions, ...] = ()
    closed: tuple[ClosedPeriod, ...] | None = None
    vat_registered: bool | None = None
    bank_account: bool | None = None
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def find(self, choice: str, code: str) -> Option | None:
        """What a code means in a list, an active one where there are several; None: nothing, or the list is unknown."""
        return _found(self.lists.get(choice, ()), code)

    def knows(self, choice: str) -> bool:
        """Whether the list could be read."""
        return choice in self.lists

    def dimension(self, kind: str, name: str | None = None) -> DimensionOptions | None:
        """A dimension's values; None where they are unknown."""
        return next((one for one in self.dimensions if one.kind == kind and name in (None, one.name)), None)

    def closed_on(self, day: date) -> ClosedPeriod | None:
        """The closed period that a day lies in, as far as is known."""
        return next((one for one in self.closed or () if one.has(day)), None)

    def first_open(self, day: date) -> date | None:
        """The first day after this one that is in no period known to be closed; None: this very day is."""
        period = self.closed_on(day)
        if period is None:
            return None
        later = sorted((one for one in self.closed or () if one.end >= period.end), key=lambda one: one.start)
        end = period.end
        for one in later:
            if one.start.toordinal() <= end.toordinal() + 1:
                end = max(end, one.end)
        return date.fromordinal(end.toordinal() + 1)


def _found(options: Sequence[Option], code: str) -> Option | None:
    called = [one for one in options if one.is_called(code)]
    return next((one for one in called if one.active), called[0] if called else None)
