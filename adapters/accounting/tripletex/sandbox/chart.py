"""What every company has from the beginning: chart of accounts, VAT types, currencies, countries, payment types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.accounting.tripletex.sandbox.things import Link

if TYPE_CHECKING:
    from adapters.accounting.tripletex.sandbox.ledger import Ledger

VAT_OUT: Mapping[str, tuple[int, str]] = {
    "3": (3, "25"), "31": (31, "15"), "33": (32, "12"), "32": (311, "11.11"), "5": (5, "0"), "6": (6, "0"),
    "7": (7, "0"), "51": (51, "0"), "52": (52, "0"), "0": (0, "0"),
}  # fmt: skip
"""Codes of outgoing VAT: (id, per cent). The ids are not the codes, as observed."""
VAT_IN: Mapping[str, tuple[int, str]] = {
    "1": (1, "25"), "11": (11, "15"), "13": (12, "12"), "12": (111, "11.11"), "14": (23, "25"), "15": (24, "15"),
    "20": (230, "0"), "21": (13, "0"), "22": (14, "0"), "81": (81, "-25"), "82": (82, "-25"), "83": (83, "-15"),
    "84": (84, "-15"), "85": (85, "0"), "86": (34, "-25"), "87": (35, "-25"), "88": (88, "-12"), "89": (89, "-12"),
    "91": (91, "-25"), "92": (92, "-25"),
}  # fmt: skip
"""Codes of incoming VAT. A negative rate: the buyer computes VAT on what is stated, and owes it."""
WITHOUT_DEDUCTION = frozenset({"82", "84", "87", "89", "92"})
INCOME = {"3": 3000, "31": 3001, "33": 3002, "32": 3003, "5": 3100, "6": 3200, "52": 3150}
VAT_ACCOUNT = {"3": 2700, "31": 2701, "33": 2702, "32": 2704, "1": 2710, "11": 2711, "13": 2713, "12": 2712,
               "14": 2714, "15": 2714}  # fmt: skip
REVERSE_OUT, REVERSE_IN = 2706, 2715
ACCOUNTS = {
    1500: "Kundefordringer", 1580: "Avsetning tap på fordringer", 1900: "Kontanter", 1920: "Bankinnskudd",
    1921: "Bankinnskudd valuta", 2050: "Annen egenkapital", 2400: "Leverandørgjeld",
    2700: "Utgående merverdiavgift, høy sats", 2701: "Utgående merverdiavgift, middels sats",
    2702: "Utgående merverdiavgift, lav sats", 2704: "Utgående merverdiavgift, råfisk",
    2706: "Utgående merverdiavgift, innførsel og omvendt avgiftsplikt", 2710: "Inngående merverdiavgift, høy sats",
    2711: "Inngående merverdiavgift, middels sats", 2712: "Inngående merverdiavgift, råfisk",
    2713: "Inngående merverdiavgift, lav sats", 2714: "Inngående merverdiavgift, innførsel",
    2715: "Inngående merverdiavgift, omvendt avgiftsplikt", 2900: "Forskudd fra kunder",
    3000: "Salgsinntekt, avgiftspliktig", 3001: "Salgsinntekt, middels sats", 3002: "Salgsinntekt, lav sats",
    3003: "Salgsinntekt, råfisk", 3100: "Salgsinntekt, avgiftsfri", 3150: "Eksport av varer og tjenester",
    3200: "Salgsinntekt, utenfor avgiftsområdet", 4300: "Innkjøp av varer for videresalg", 6300: "Leie lokaler",
    6540: "Inventar", 6800: "Kontorrekvisita", 7740: "Øreavrunding", 7770: "Bank- og kortgebyrer",
    7830: "Tap på fordringer", 8050: "Annen renteinntekt", 8060: "Valutagevinst (agio)",
    8160: "Valutatap (disagio)",
}  # fmt: skip
LEDGERS = {1500: "CUSTOMER", 2400: "VENDOR"}
CURRENCIES = {"NOK": (1, "1"), "SEK": (2, "1.02"), "DKK": (3, "1.54"), "USD": (4, "10.10"), "EUR": (5, "11.50")}
COUNTRIES = {"NO": (161, "Norge"), "SE": (205, "Sverige"), "DK": (58, "Danmark"), "DE": (80, "Tyskland")}
VOUCHER_TYPES = ("Utgående faktura", "Innbetaling", "Leverandørfaktura", "Utbetaling", "Purring", "Manuelt bilag")
ENTITLEMENTS: Mapping[str, tuple[int, str]] = {
    "customer": (1, "Kunder"), "supplier": (2, "Leverandører"), "product": (3, "Produkter"),
    "project": (4, "Prosjekter"), "department": (5, "Avdelinger"), "sales": (6, "Ordre og faktura"),
    "ledger": (7, "Regnskapsrapporter"), "voucher": (8, "Bilag"), "advanced_voucher": (9, "Avansert bilag"),
    "incoming": (10, "Bilagsmottak og leverandørfaktura"), "webhook": (11, "Webhooks"),
}  # fmt: skip
"""The rights of the sandbox: by which name they are switched, their id and the name shown. They are coarser than
Tripletex' own, whose names change between releases."""


def account_type(number: int) -> str:
    """The kind of an account, by its number."""
    for limit, kind in ((2000, "ASSETS"), (2100, "EQUITY"), (3000, "LIABILITIES"), (4000, "OPERATING_REVENUES"),
                        (8000, "OPERATING_EXPENSES"), (8100, "INVESTMENT_INCOME")):  # fmt: skip
        if number < limit:
            return kind
    return "COST_OF_CAPITAL"


def seed(books: Ledger, name: str, organisation_number: str) -> None:
    """Put it into empty books."""
    for code, (id, rate) in CURRENCIES.items():
        books.add("currency", id=id, code=code, description=code, factor=1, displayName=code, isDisabled=False)
        books.rates[code] = Decimal(rate)
    for code, (id, country) in COUNTRIES.items():
        books.add("country", id=id, isoAlpha2Code=code, name=country, displayName=country)
    for number, text in ACCOUNTS.items():
        books.add_account(number, text, isBankAccount=number in (1920, 1921), isInvoiceAccount=number == 1920,
                          bankAccountNumber=_bank_account(books) if number == 1920 else "")  # fmt: skip
    for codes, direction in ((VAT_OUT, "OUTGOING"), (VAT_IN, "INCOMING")):
        for code, (id, percent) in codes.items():
            text = f"Mva-kode {code}"
            books.add("vatType", id=id, number=code, name=text, displayName=f"{code}: {text}",
                      percentage=Decimal(percent), deductionPercentage=Decimal(0 if code in WITHOUT_DEDUCTION else 100),
                      _direction=direction)  # fmt: skip
    for place, (text, account, code) in enumerate(
        [("Kontant", 1900, "NOK"), ("Betalt til bank", 1920, "NOK"), ("Betalt til valutakonto", 1921, "EUR")], 1
    ):
        books.add("paymentType", description=text, displayName=text, debitAccount=books.account(account),
                  sequence=place, currencyId=CURRENCIES[code][0], currencyCode=code)  # fmt: skip
    books.company = books.add("company", name=name, displayName=name, type="AS", organizationNumber=organisation_number,
                              currency=Link("currency", 1))  # fmt: skip
    for place, (text, account) in enumerate([("Betalt fra bank", 1920), ("Betalt kontant", 1900)], 1):
        books.add("paymentTypeOut", description=text, displayName=text, creditAccount=books.account(account),
                  sequence=place, currencyId=1, currencyCode="NOK", isInactive=False, showIncomingInvoice=True,
                  showVatReturns=False, requiresSeparateVoucher=False)  # fmt: skip
    for text in VOUCHER_TYPES:
        books.add("voucherType", name=text, displayName=text)
    for text, short, code in (("Stykk", "stk", "H87"), ("Time", "t", "HUR")):
        books.add("productUnit", name=text, displayName=text, nameShort=short, displayNameShort=short, commonCode=code,
                  isDeletable=False)  # fmt: skip
    books.add("employee", id=1, firstName="Kari", lastName="Nordmann", displayName="Kari Nordmann",
              email="kari@example.no", employeeNumber="1", userType="EXTENDED", isContact=False)  # fmt: skip
    status = "VAT_REGISTERED" if books.rules.vat_registered else "VAT_NOT_REGISTERED"
    books.add("vatSettings", vatRegistrationStatus=status)


def _bank_account(books: Ledger) -> Callable[[], str]:
    return lambda: "15032080119" if books.rules.bank_account else ""
