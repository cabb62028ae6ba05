"""What a new company has: accounts, VAT codes, cash accounts, periods, currencies."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.accounting.visma_net.sandbox.store import Store

ACCOUNTS = {
    "1500": ("Kundefordringer", "Asset"), "1920": ("Bank", "Asset"), "1900": ("Kasse", "Asset"),
    "1921": ("Bank EUR", "Asset"), "8060": ("Valutagevinst", "Income"), "8160": ("Valutatap", "Expense"),
    "2700": ("Utgående mva høy sats", "Liability"), "2701": ("Utgående mva middels sats", "Liability"),
    "2702": ("Utgående mva råfisk", "Liability"), "2703": ("Utgående mva lav sats", "Liability"),
    "2400": ("Leverandørgjeld", "Liability"), "2710": ("Inngående mva", "Liability"), "4300": ("Varekjøp", "Expense"),
    "3000": ("Salg høy sats", "Income"), "3001": ("Salg middels sats", "Income"), "3002": ("Salg lav sats", "Income"),
    "3003": ("Salg råfisk", "Income"), "3100": ("Salg fritatt", "Income"), "3150": ("Eksport", "Income"),
    "3200": ("Salg unntatt", "Income"), "7740": ("Øreavrunding", "Expense"), "7770": ("Bankgebyr", "Expense"),
    "7830": ("Tap på fordringer", "Expense"),
}  # fmt: skip
VAT: dict[str, tuple[str, Decimal, str | None]] = {
    "3": ("Utgående mva 25 %", Decimal(25), "2700"), "31": ("Utgående mva 15 %", Decimal(15), "2701"),
    "32": ("Utgående mva råfisk", Decimal("11.11"), "2702"), "33": ("Utgående mva 12 %", Decimal(12), "2703"),
    "5": ("Fritatt", Decimal(0), None), "51": ("Omvendt avgiftsplikt", Decimal(0), None),
    "52": ("Utførsel", Decimal(0), None), "6": ("Unntatt", Decimal(0), None), "7": ("Uten mva", Decimal(0), None),
}  # fmt: skip
"""VAT code, what it is, rate, and the account of the VAT."""
PURCHASE_VAT: dict[str, Decimal] = {
    "1": Decimal(25), "11": Decimal(15), "12": Decimal("11.11"), "13": Decimal(12), "0": Decimal(0),
}  # fmt: skip
"""VAT codes of purchases and their rates."""
PAYABLES, INPUT_VAT = "2400", "2710"
RECEIVABLES, ROUNDING = "1500", "7740"
GAIN, LOSS, LOST = "8060", "8160", "7830"
RATES: dict[str, Decimal] = {"NOK": Decimal(1), "EUR": Decimal("11.50"), "SEK": Decimal("1.02")}
"""Kroner for one of a currency, by the company's own table."""
FEES = {"BANKGEBYR": "7770"}
"""Entry types of cash accounts by which a bank's charges are booked, and the account of each."""
YEARS = range(2024, 2029)


def seed(store: Store, name: str, number: str) -> None:
    """Fill a new company."""
    store.keep(
        "organization", "1",
        {"organizationCd": "1", "name": name, "corporateId": number, "vatRegistrationId": f"NO{number}MVA",
         "baseCurrency": "NOK"},
    )  # fmt: skip
    for code, (what, type) in ACCOUNTS.items():
        row = {"accountID": int(code), "accountCD": code, "description": what, "type": type, "active": True}
        if module := {RECEIVABLES: "AR", PAYABLES: "AP"}.get(code):
            row |= {"controlAccountModule": module, "allowManualEntry": False}
        store.keep("account", code, row)
    for code, (what, rate, _) in VAT.items():
        schedule = {"startDate": "2000-01-01T00:00:00", "vatRate": rate, "groupType": "Output"}
        store.keep("vat", code, {"vatId": code, "description": what, "type": "Vat", "schedules": [schedule]})
    for code, rate in PURCHASE_VAT.items():
        schedule = {"startDate": "2000-01-01T00:00:00", "vatRate": rate, "groupType": "Input"}
        row = {"vatId": code, "description": f"Inngående mva {rate} %", "type": "Vat", "schedules": [schedule]}
        store.keep("vat", code, row)
    for code, what, money in (("1920", "Driftskonto", "NOK"), ("1900", "Kontantkasse", "NOK"), ("1921", "Euro", "EUR")):
        account = {"type": "Asset", "number": code, "description": ACCOUNTS[code][0]}
        store.keep("cashaccount", code, {"number": code, "description": what, "currency": money, "account": account})
    for method in ("1", "BANK"):
        store.keep("paymentmethod", method, {"paymentMethodID": method, "active": True, "description": "Bank"})
    for currency in ("NOK", "EUR", "SEK"):
        store.keep(
            "currency", currency,
            {"id": currency, "description": currency, "isBaseCurrency": currency == "NOK", "isUsedForAccounting": True},
        )  # fmt: skip
    for year in YEARS:
        for month in range(1, 13):
            store.keep("period", f"{year}{month:02}", _period(year, month))


def _period(year: int, month: int) -> dict[str, Any]:
    start = date(year, month, 1)
    end = (start + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return {
        "year": year, "period": f"{month:02}", "startDate": f"{start}T00:00:00", "endDate": f"{end}T00:00:00",
        "description": f"{month:02}-{year}", "active": True, "closedInCustomerLedger": False,
        "closedInGeneralLedger": False,
    }  # fmt: skip
