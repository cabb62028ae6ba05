"""Identifiers that check themselves: organisation number, VAT number, KID, account number, IBAN, GLN.

Each is a `str` and keeps its zeros. Making one from something wrong raises `ValueError` with a stable code
("organisation-number-invalid" …); spaces and dots that people write between groups are removed. Documents received
from others hold plain text in these places (an invalid number must still be readable and explained); these types stand
where we or our own systems make the value, and behind properties such as `Party.organisation_number`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from stdnum import ean, iban, luhn
from stdnum.exceptions import ValidationError as NumberError
from stdnum.no import kontonr, orgnr


class CheckedText(str):
    """A string of a known form. Subclasses say the form (`_form`), the check (`_fits`) and what to tell people."""

    __slots__ = ()
    _code: ClassVar[str]
    _says: ClassVar[str]
    _form: ClassVar[re.Pattern[str]]
    _example: ClassVar[str]
    _between: ClassVar[re.Pattern[str]] = re.compile(r"[\s\u00a0]+")

    def __new__(cls, value: str) -> Self:
        """The identifier, without the blanks people put between groups; ValueError if it is none."""
        if type(value) is cls:
            return value
        if not isinstance(value, str):
            raise PydanticCustomError(
                "identifier-not-text",
                "An identifier is text, never a number: a number would lose its leading zeros.",
            )
        text = cls._between.sub("", value)
        if not cls._form.fullmatch(text) or not cls._fits(text):
            raise PydanticCustomError(cls._code, cls._says, {"value": value})
        return super().__new__(cls, text)

    @classmethod
    def _fits(cls, text: str) -> bool:
        raise NotImplementedError

    @classmethod
    def maybe(cls, value: object) -> Self | None:
        """The identifier that the value is; None if it is none."""
        try:
            return cls(value)  # type: ignore[arg-type]
        except ValueError:
            return None

    @classmethod
    def valid(cls, value: object) -> bool:
        """Whether the value is such an identifier."""
        return cls.maybe(value) is not None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{cls._form.pattern}$", "examples": [cls._example]}


class OrganisationNumber(CheckedText):
    """Norwegian organisation number: nine digits, the last by modulus 11 (weights 3 2 7 6 5 4 3 2)."""

    __slots__ = ()
    _code = "organisation-number-invalid"
    _says = "{value} is no Norwegian organisation number: nine digits whose last is the check digit."
    _form = re.compile(r"[0-9]{9}")
    _example = "923609016"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return text != "000000000" and bool(orgnr.is_valid(text))

    @property
    def vat_number(self) -> VatNumber:
        """The VAT number of this organisation if it is in the VAT register: NO…MVA."""
        return VatNumber(f"NO{self}MVA")


class VatNumber(CheckedText):
    """Norwegian VAT number as EHF writes it: NO, organisation number, MVA (rule NO-R-001)."""

    __slots__ = ()
    _code = "vat-number-invalid"
    _says = "{value} is no Norwegian VAT number: NO, nine digits with a valid check digit, MVA (NO923609016MVA)."
    _form = re.compile(r"NO[0-9]{9}MVA")
    _example = "NO923609016MVA"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return OrganisationNumber.valid(text[2:11])

    @property
    def organisation_number(self) -> OrganisationNumber:
        """The nine digits inside."""
        return OrganisationNumber(self[2:11])


class Kid(CheckedText):
    """Customer identification of a Norwegian payment: 2 to 25 digits, the last by MOD10 or MOD11; MOD11 may end in '-'.

    The type accepts either modulus. Which one and which lengths a bank account takes is agreed with the bank:
    where that is known, ask `fits` for it.
    """

    __slots__ = ()
    _code = "kid-invalid"
    _says = (
        "{value} is no KID: 2 to 25 digits whose last is a check digit by MOD10 or MOD11 (MOD11 may end in a minus)."
    )
    _form = re.compile(r"[0-9]{1,24}[0-9-]")
    _example = "0000100172"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return text[-1] in (kid_check_digit(text[:-1], "mod10"), kid_check_digit(text[:-1], "mod11"))

    def fits(self, modulus: Literal["mod10", "mod11"]) -> bool:
        """Whether the last character is the check digit by this modulus."""
        return self[-1] == kid_check_digit(self[:-1], modulus)

    @classmethod
    def of(cls, body: str, modulus: Literal["mod10", "mod11"]) -> Self:
        """The KID of a body of digits: the body and its check digit."""
        return cls(body + kid_check_digit(body, modulus))


def kid_check_digit(body: str, modulus: Literal["mod10", "mod11"]) -> str:
    """Check character of a KID's body: MOD10 (Luhn), or MOD11 with weights 2 to 7 from the right, where 10 is '-'."""
    if modulus == "mod10":
        return str(luhn.calc_check_digit(body))
    check = -sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(body))) % 11
    return "-" if check == 10 else str(check)


class BankAccount(CheckedText):
    """Norwegian bank account number: eleven digits, the last by modulus 11. Dots between groups are removed."""

    __slots__ = ()
    _code = "bank-account-invalid"
    _says = "{value} is no Norwegian bank account: eleven digits whose last is the check digit."
    _form = re.compile(r"[0-9]{11}")
    _between = re.compile(r"[\s\u00a0.]+")
    _example = "12345678903"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return text != "00000000000" and bool(kontonr.is_valid(text))

    @property
    def iban(self) -> Iban:
        """The same account as an IBAN: NO, two check digits, the eleven digits."""
        check = 98 - int(f"{self}232400") % 97  # N is 23 and O is 24 in the sum of ISO 13616
        return Iban(f"NO{check:02d}{self}")


class Iban(CheckedText):
    """International bank account number (ISO 13616), checked by modulus 97 and the length of its country."""

    __slots__ = ()
    _code = "iban-invalid"
    _says = "{value} is no IBAN: its length or check digits do not fit."
    _form = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")
    _example = "NO9386011117947"

    @classmethod
    def _fits(cls, text: str) -> bool:
        try:
            iban.validate(text, check_country=False)
        except NumberError:
            return False
        return True

    @property
    def bank_account(self) -> BankAccount | None:
        """The Norwegian account number inside; None for an account of another country."""
        return BankAccount(self[4:]) if self.startswith("NO") and BankAccount.valid(self[4:]) else None


class Gln(CheckedText):
    """Global location number (GS1): thirteen digits, scheme 0088 in EHF."""

    __slots__ = ()
    _code = "gln-invalid"
    _says = "{value} is no GLN: thirteen digits whose last is the check digit."
    _form = re.compile(r"[0-9]{13}")
    _example = "7080000985616"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return bool(ean.is_valid(text))
