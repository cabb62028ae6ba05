"""The rules' own arithmetic on identifiers, and XPath's notions of numbers and dates."""

from decimal import Decimal
from math import inf, isnan

import pytest

from connector.ehf.rules import xpath
from connector.ehf.rules.peppol import check_digits as check
from connector.ehf.rules.xpath import BreaksOff


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        (check.gln, ["7300010000001", "0", "00"], ["7300010000002", "1"]),
        (check.mod11, ["974760673", "923609016"], ["974760674", "000000000", "97476067x", "٩٧٤٧٦٠٦٧٣"]),
        (check.mod97, ["0403170701", "0000000097"], ["0403170702", "0000000000"]),
        (check.codice_ipa, ["ABC123", "abcdef"], ["ABC12", "ABC-12", "ÅBC123", "ABC1234"]),
        (
            check.codice_fiscale,
            ["RSSMRA80A01H501U", "00000000000", "+1234567890"],
            ["RSSMRA8XA01H501U", "123", "1234567890x"],
        ),
        (check.partita_iva, ["IT00000010215", "FR1", "It1"], ["IT00000010216", "IT1", "itx0000010215"]),
        (check.abn, ["53004085616", "51824753556"], ["53004085617", "00000000000"]),
        (check.greek_tin, ["123456783", "000000000", "123456783xyz"], ["123456784", "12345678", "12345678x"]),
        (check.swedish, ["5567321707", "55673217079999"], ["5567321708", "", "556732170", "556732170x"]),
    ],
)
def test_check_digits(test, good, bad) -> None:
    assert [code for code in good if not test(code)] == []
    assert [code for code in bad if test(code)] == []


@pytest.mark.parametrize(
    ("function", "text"),
    [(check.partita_iva, "IT+0000001021"), (check.partita_iva, "IT 1234567890"), (check.swedish, "٥567321707")],
)
def test_what_the_official_arithmetic_cannot_do(function, text) -> None:
    with pytest.raises(BreaksOff):
        function(text)


def test_half_goes_towards_plus_infinity() -> None:
    assert xpath.round_half_up(Decimal("2.345"), 2) == Decimal("2.35")
    assert xpath.round_half_up(Decimal("-2.345"), 2) == Decimal("-2.34")
    assert xpath.round_half_up(Decimal("12345678901234567890123456789012.345"), 2) == Decimal(
        "12345678901234567890123456789012.35"
    )


def test_division_has_eighteen_decimals() -> None:
    assert xpath.divide(Decimal(1), Decimal(3)) == Decimal("0.333333333333333333")
    assert xpath.divide(Decimal(-2), Decimal(3)) == Decimal("-0.666666666666666667")
    with pytest.raises(BreaksOff):
        xpath.divide(Decimal(1), Decimal(0))


@pytest.mark.parametrize("text", ["1e5", "1,5", "", ".", "NaN", "1_0", "٣", "--1"])
def test_no_decimal(text: str) -> None:
    with pytest.raises(BreaksOff):
        xpath.decimal(text)


def test_numbers() -> None:
    assert [xpath.number(text) for text in (" 5. ", ".5", "1e2", "INF", "-INF")] == [5, 0.5, 100, inf, -inf]
    assert all(isnan(xpath.number(text)) for text in ("", "x", "1_0", "infinity", "nan", "٣"))
    assert [xpath.decimal(text) for text in ("+1", " 5. ", ".5")] == [1, 5, Decimal("0.5")]


def test_dates() -> None:
    good = ("2026-05-01", " 2024-02-29 ", "2026-05-01Z", "2026-05-01+14:00", "0000-02-29", "-2026-05-01", "12026-05-01")
    bad = ("2026-02-30", "2025-02-29", "20260501", "2026-5-1", "2026-05-01+14:01", "02026-05-01", "2026-13-01", "")
    assert [text for text in good if not xpath.is_date(text)] == []
    assert [text for text in bad if xpath.is_date(text)] == []
    assert xpath.date("2026-05-01+02:00") < xpath.date("2026-05-01") < xpath.date("2026-05-02")


def test_blanks_are_those_of_xml() -> None:
    assert xpath.normalize(" a \t\n b ") == "a b"
    assert xpath.normalize("\u00a0a ") == "\u00a0a"


def test_and_and_or_look_at_the_other_side_of_an_error() -> None:
    def broken() -> bool:
        raise BreaksOff("x")

    assert xpath.conjunction(broken, lambda: False) is False
    assert xpath.disjunction(broken, lambda: True) is True
    for undecided in (
        lambda: xpath.conjunction(broken, lambda: True),
        lambda: xpath.disjunction(broken, lambda: False),
    ):
        with pytest.raises(BreaksOff):
            undecided()
