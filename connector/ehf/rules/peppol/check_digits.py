"""The arithmetic on identifiers that the Peppol rules spell out themselves.

It is the rules' own and not that of the registers: a GLN of any length passes if its last digit fits, a Belgian number
is compared as a number, an Italian tax code of eleven characters need only be a whole number. Where the official
arithmetic itself breaks off, these functions raise `BreaksOff`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from connector.ehf.rules.xpath import BreaksOff, is_integer

_CODICE_FISCALE: Final = re.compile(r"[A-Za-z]{6}(.{2})[A-Za-z](.{2}).{3}(.)[A-Za-z]", re.DOTALL)


def gln(digits: str) -> bool:
    """`u:gln`: GS1's modulus 10 with weights 3 and 1 from the right, for digits of any number."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits[:-1])))
    return (10 - total % 10) % 10 == int(digits[-1])


def mod11(digits: str) -> bool:
    """`u:mod11`: modulus 11, weights 2 to 7 from the right (Norwegian organisation numbers); not all zeros."""
    if not digits.isascii() or not digits.isdigit():
        return False
    total = sum(int(digit) * (place % 6 + 2) for place, digit in enumerate(reversed(digits[:-1])))
    return int(digits) > 0 and (11 - total % 11) % 11 == int(digits[-1])


def mod97(digits: str) -> bool:
    """`u:mod97-0208`: the last two of a Belgian number's ten digits are 97 less the first eight modulo 97."""
    return int(digits[8:10]) == 97 - int(digits[:8]) % 97


def codice_ipa(code: str) -> bool:
    """`u:checkCodiceIPA`: six letters or digits (A-Z, a-z, 0-9)."""
    return len(code) == 6 and code.isascii() and code.isalnum()


def codice_fiscale(code: str) -> bool:
    """`u:checkCF`: sixteen characters in the shape of a personal tax code, or eleven that are a whole number."""
    if len(code) == 11:
        return is_integer(code)
    shape = _CODICE_FISCALE.fullmatch(code)
    return shape is not None and all(is_integer(part) for part in shape.groups())


def partita_iva(code: str) -> bool:
    """`u:checkPIVAseIT`: what starts with IT or it has eleven digits whose weighted sum is a multiple of ten.

    Raises:
        BreaksOff: a sign or a blank before the digits; the official arithmetic then casts it to a number.
    """
    if code[:2] not in ("IT", "it"):
        return True
    number = code[2:]
    if len(number) != 11 or not is_integer(number):
        return False
    if not number.isdigit():
        raise BreaksOff(f"xs:integer({number[0]!r})")
    return sum(int("0246813579"[int(d)]) if place % 2 else int(d) for place, d in enumerate(number)) % 10 == 0


def abn(digits: str) -> bool:
    """`u:abn`: modulus 89 of an Australian business number's eleven digits, the first less one."""
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) - weights[0]
    return total % 89 == 0


def greek_tin(text: str) -> bool:
    """`u:TinVerification`: the ninth character is the check digit of the first eight; what follows is not looked at."""
    digits = text[:9]
    if len(digits) < 9 or not digits.isascii() or not digits.isdigit():
        return False
    return sum(int(digit) << 8 - place for place, digit in enumerate(digits[:8])) % 11 % 10 == int(digits[8])


def swedish(number: str) -> bool:
    """`u:checkSEOrgnr`: Luhn over the first nine characters against the tenth; what follows is not looked at.

    Raises:
        BreaksOff: digits of another script, which the official pattern lets through and its arithmetic does not.
    """
    if not number or any(unicodedata.category(character) != "Nd" for character in number):
        return False
    main = number[:9]
    if not main.isascii():
        raise BreaksOff(f"xs:integer({main!r})")
    doubled = (int(d) * (1 if place % 2 else 2) for place, d in enumerate(reversed(main)))
    check = (10 - sum(d // 10 + d % 10 for d in doubled) % 10) % 10
    return number[9:10].isascii() and number[9:10] == str(check)
