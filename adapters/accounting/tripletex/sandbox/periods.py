"""Accounting periods, years and VAT terms: what is closed, and refusing to book in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.store import Store
from adapters.accounting.tripletex.sandbox.things import Thing, invalid

YEARS = range(2020, 2036)
_MONTHS = ("Januar", "Februar", "Mars", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Desember")  # fmt: skip


class Periods(Store):
    """Months and years, closed one by one or until `rules.closed_until`; VAT terms until `rules.vat_closed_until`."""

    def __init__(self, rules: Rules | None = None, *, first_id: int = 2_147_001) -> None:
        super().__init__(rules, first_id=first_id)
        self.closed_months: set[tuple[int, int]] = set()
        self.closed_years: set[int] = set()

    def accounting_periods(self) -> Iterator[Thing]:
        """One period a month, `isClosed` as it is now."""
        if "accountingPeriod" not in self.things:
            for year in YEARS:
                for month in range(1, 13):
                    self._period(year, month)
        return self.all("accountingPeriod")

    def annual_accounts(self) -> Iterator[Thing]:
        """One a year. Whether a year is closed shows on its periods only."""
        if "annualAccount" not in self.things:
            for year in YEARS:
                self.add("annualAccount", year=year, start=f"{year}-01-01", end=self._end(date(year + 1, 1, 1)))
        return self.all("annualAccount")

    def _period(self, year: int, month: int) -> None:
        after = date(year + month // 12, month % 12 + 1, 1)
        self.add("accountingPeriod", name=f"{_MONTHS[month - 1]} {year}", number=month,
                 start=date(year, month, 1).isoformat(), end=self._end(after),
                 isClosed=lambda: self._is_closed(after - timedelta(days=1)))  # fmt: skip

    def _end(self, after: date) -> str:
        return (after if self.rules.period_end == "exclusive" else after - timedelta(days=1)).isoformat()

    def _is_closed(self, day: date) -> bool:
        until = self.rules.closed_until
        return (
            (day.year, day.month) in self.closed_months or day.year in self.closed_years or day <= (until or date.min)
        )

    def check_open(self, day: date, field: str, *, vat: bool = False) -> None:
        """Raises `SandboxError` (422) where the day lies in a closed year or period, or with `vat` in a VAT term whose
        return was delivered.
        """
        if day.year in self.closed_years:
            raise invalid(field, f"Regnskapsåret {day.year} er avsluttet.")
        if self._is_closed(day):
            raise invalid(field, "Perioden er avsluttet.")
        if vat and self.rules.vat_closed_until and day <= self.rules.vat_closed_until:
            raise invalid(field, "Mva-terminen er avsluttet.")
