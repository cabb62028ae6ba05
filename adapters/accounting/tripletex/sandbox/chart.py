"""What a new Norwegian company finds in its books: accounts, VAT types, payment types, currencies, countries.

VAT type ids are not codes (fact sheet, section 6): id 32 is code 33, id 311 is code 32, and so on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Row = dict[str, Any]

ACCOUNTS: dict[int, str] = {
    1500: "Kundefordringer",
    1900: "Kontanter",
    1920: "Bankinnskudd",
    1950: "Bankinnskudd for skattetrekk",
    2400: "Leverandørgjeld",
    2701: "Utgående merverdiavgift, høy sats",
    2702: "Utgående merverdiavgift, råfisk",
    2703: "Utgående merverdiavgift, middels sats",
    2704: "Utgående merverdiavgift, lav sats",
    3000: "Salgsinntekt, avgiftspliktig, høy sats",
    3010: "Salgsinntekt, avgiftspliktig, råfisk",
    3020: "Salgsinntekt, avgiftspliktig, middels sats",
    3030: "Salgsinntekt, avgiftspliktig, lav sats",
    3100: "Salgsinntekt, avgiftsfri",
    3200: "Salgsinntekt, utenfor avgiftsområdet",
    7740: "Øreavrunding",
    8060: "Valutagevinst (agio)",
    8160: "Valutatap (disagio)",
}

OUTGOING: list[tuple[int, str, str, str, int, int | None]] = [
    # id, number, name, per cent, income account, VAT account
    (3, "3", "Utgående avgift, høy sats", "25", 3000, 2701),
    (31, "31", "Utgående avgift, middels sats", "15", 3020, 2703),
    (32, "33", "Utgående avgift, lav sats", "12", 3030, 2704),
    (311, "32", "Utgående avgift, råfisk", "11.11", 3010, 2702),
    (5, "5", "Ingen utgående avgift (innenfor mva-loven)", "0", 3100, None),
    (6, "6", "Ingen utgående avgift (utenfor mva-loven)", "0", 3200, None),
    (51, "51", "Avgiftsfri innlands omsetning med omvendt avgiftsplikt", "0", 3100, None),
    (52, "52", "Avgiftsfri utførsel av varer og tjenester", "0", 3100, None),
]

INCOMING: list[tuple[int, str, str, str]] = [
    (1, "1", "Inngående avgift, høy sats", "25"),
    (11, "11", "Inngående avgift, middels sats", "15"),
    (111, "12", "Inngående avgift, råfisk", "11.11"),
    (12, "13", "Inngående avgift, lav sats", "12"),
    (13, "21", "Grunnlag ved innførsel av varer, høy sats", "0"),
    (14, "22", "Grunnlag ved innførsel av varer, middels sats", "0"),
    (23, "14", "Fradrag for innførselsavgift, høy sats", "100"),
    (24, "15", "Fradrag for innførselsavgift, middels sats", "100"),
    (34, "86", "Tjenester kjøpt fra utlandet, høy sats", "-25"),
]

INCOME_ACCOUNT = {id: income for id, _, _, _, income, _ in OUTGOING}
VAT_ACCOUNT = {id: vat for id, _, _, _, _, vat in OUTGOING}
OUTSIDE_VAT_REGISTER = frozenset({6})

CURRENCIES: list[tuple[int, str, str]] = [
    # id, code, NOK for one: the ledger's own rate
    (1, "NOK", "1"),
    (2, "SEK", "1.02"),
    (3, "DKK", "1.56"),
    (4, "USD", "10.65"),
    (5, "EUR", "11.6230"),
    (6, "GBP", "13.48"),
]
RATE = {id: Decimal(rate) for id, _, rate in CURRENCIES}

COUNTRIES: list[tuple[int, str, str]] = [
    (161, "NO", "Norge"),
    (203, "SE", "Sverige"),
    (58, "DK", "Danmark"),
    (72, "FI", "Finland"),
    (81, "DE", "Tyskland"),
    (75, "FR", "Frankrike"),
    (153, "NL", "Nederland"),
    (228, "GB", "Storbritannia"),
    (230, "US", "USA"),
]


def vat_types() -> list[Row]:
    """All VAT types; `typeOfVat` is ours, for the filter."""
    return [
        {"id": id, "version": 1, "number": number, "name": name, "percentage": Decimal(rate), "_type": "OUTGOING"}
        for id, number, name, rate, _, _ in OUTGOING
    ] + [
        {"id": id, "version": 1, "number": number, "name": name, "percentage": Decimal(rate), "_type": "INCOMING"}
        for id, number, name, rate in INCOMING
    ]


def currencies() -> list[Row]:
    """The currencies that the company uses."""
    return [{"id": id, "version": 1, "code": code, "factor": 1} for id, code, _ in CURRENCIES]


def countries() -> list[Row]:
    """Some countries."""
    return [{"id": id, "version": 1, "isoAlpha2Code": code, "name": name} for id, code, name in COUNTRIES]
