"""What a company begins with: accounts, and what the names of VAT mean."""

from __future__ import annotations

from decimal import Decimal

ACCOUNTS: dict[str, str] = {
    "1500": "Kundefordringer",
    "1920": "Bankinnskudd",
    "2400": "Leverandørgjeld",
    "2700": "Utgående merverdiavgift, høy sats",
    "2701": "Utgående merverdiavgift, middels sats",
    "2702": "Utgående merverdiavgift, lav sats",
    "2710": "Inngående merverdiavgift, høy sats",
    "2711": "Inngående merverdiavgift, middels sats",
    "2712": "Inngående merverdiavgift, lav sats",
    "3000": "Salgsinntekt, avgiftspliktig",
    "3001": "Salgsinntekt, avgiftspliktig, middels sats",
    "3100": "Salgsinntekt, avgiftsfri",
    "3110": "Salgsinntekt, avgiftsfri eksport",
    "3200": "Salgsinntekt, utenfor avgiftsområdet",
    "4300": "Innkjøp av varer for videresalg",
    "6790": "Annen fremmed tjeneste",
    "7740": "Øreavrunding",
    "7770": "Bank- og kortgebyrer",
    "7830": "Tap på fordringer",
    "8060": "Valutagevinst",
}
"""Accounts of the present year by code."""

SALES: dict[str, tuple[Decimal, str]] = {
    "NONE": (Decimal(0), ""),
    "HIGH": (Decimal(25), "2700"),
    "MEDIUM": (Decimal(15), "2701"),
    "RAW_FISH": (Decimal("11.11"), "2701"),
    "LOW": (Decimal(12), "2702"),
    "EXEMPT": (Decimal(0), ""),
    "EXEMPT_IMPORT_EXPORT": (Decimal(0), ""),
    "EXEMPT_REVERSE": (Decimal(0), ""),
    "OUTSIDE": (Decimal(0), ""),
}
"""VAT types of sales: per cent, and the account of the VAT."""

PURCHASES: dict[str, tuple[Decimal, str]] = {
    "NONE": (Decimal(0), ""),
    "HIGH": (Decimal(25), "2710"),
    "MEDIUM": (Decimal(15), "2711"),
    "RAW_FISH": (Decimal("11.11"), "2711"),
    "LOW": (Decimal(12), "2712"),
}
"""VAT types of purchases that are booked here; what the buyer computes itself is not."""

RATES: dict[str, Decimal] = {
    "NOK": Decimal(1),
    "EUR": Decimal("11.52"),
    "SEK": Decimal("0.98"),
    "USD": Decimal("10.70"),
}
"""Kroner for one of a currency."""
