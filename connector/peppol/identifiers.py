"""Identifiers of Peppol: participants, document types, processes and transport profiles.

Policy for use of identifiers 4.4.0: a participant's *value* compares without regard to case; scheme names, document
types, processes and transport profiles compare with regard to it. A participant is therefore made lower case when it
is read, and nothing else is ever touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from connector.errors import BadInput
from connector.model.identifiers import OrganisationNumber
from connector.peppol import code_lists

ACTOR: Final = "iso6523-actorid-upis"
"""Scheme of participants."""
DOCUMENT: Final = "busdox-docid-qns"
"""Scheme of document types."""
PROCESS: Final = "cenbii-procid-ubl"
"""Scheme of processes."""
AS4: Final = "peppol-transport-as4-v2_0"
"""The transport profile in use."""
NORWAY: Final = "0192"
"""Code of the Norwegian organisation number (NO:ORG)."""

_OLD_NORWAY: Final = "9908"  # removed in 2023; who has it stored means the same number under 0192
_VALUE = re.compile(r"[!-~]{1,130}")
_PLAIN = re.compile(r"[!-~]+")
_LONGEST_TYPE, _LONGEST_PROCESS = 500, 200


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who can send and receive: a code and a number (`0192:923609016`), in lower case."""

    scheme: str
    """Code of the number's scheme: four digits (ISO 6523 ICD, or a code of Peppol's own)."""
    number: str

    @classmethod
    def read(cls, said: str, *, in_use: bool = True) -> Self:
        """The participant that is written as `0192:923609016` or `iso6523-actorid-upis::0192:923609016`.

        The old Norwegian `9908:` is read as `0192:`.

        Args:
            in_use: only what can be found today; False reads what others have written, whatever its code.

        Raises:
            BadInput: it is none (`participant-invalid`), or its code is not in use (`participant-scheme-unknown`).
        """
        scheme, _, rest = said.strip().rpartition("::")
        code, colon, number = rest.partition(":")
        if scheme not in ("", ACTOR) or not colon or not _VALUE.fullmatch(number):
            raise BadInput(
                f"{said[:80]!r} is no participant of Peppol.",
                code="participant-invalid",
                do="Write the code and the number: 0192: and the organisation number, for a Norwegian one.",
            )
        code = NORWAY if code == _OLD_NORWAY else code
        if not in_use:
            return cls(code, number.lower())
        if code_lists.state(code) in (None, "removed"):
            raise BadInput(
                f"Nobody is found under the code {code} (Peppol's code lists {code_lists.VERSION}).",
                code="participant-scheme-unknown",
                do="Take the receiver's number under a code that is in use: 0192 for a Norwegian organisation number.",
            )
        made = cls(code, number.lower())
        if code == NORWAY and made.organisation_number is None:
            raise BadInput(
                f"{number} is no Norwegian organisation number.",
                code="participant-invalid",
                do="Check the nine digits; the last is a check digit.",
            )
        return made

    @classmethod
    def of(cls, number: OrganisationNumber) -> Self:
        """A Norwegian organisation as a participant."""
        return cls(NORWAY, str(number))

    @property
    def organisation_number(self) -> OrganisationNumber | None:
        """The Norwegian organisation number; None for others."""
        return OrganisationNumber.maybe(self.number) if self.scheme == NORWAY else None

    @property
    def value(self) -> str:
        """`0192:923609016`: what is hashed for the name servers, and stands in an envelope."""
        return f"{self.scheme}:{self.number}"

    @property
    def whole(self) -> str:
        """`iso6523-actorid-upis::0192:923609016`: as it stands in addresses."""
        return f"{ACTOR}::{self.value}"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Process:
    """What a document is part of; compared as it is written."""

    value: str
    scheme: str = PROCESS

    def __post_init__(self) -> None:
        _fits(self.value, _LONGEST_PROCESS, "process")

    def __str__(self) -> str:
        return f"{self.scheme}::{self.value}"


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A kind of document: namespace and name of its root, what it follows (BT-24) and the version of UBL.

    `urn:…:Invoice-2::Invoice##urn:cen.eu:en16931:2017#…::2.1`; compared as it is written.
    """

    value: str
    scheme: str = DOCUMENT

    def __post_init__(self) -> None:
        _fits(self.value, _LONGEST_TYPE, "document type")

    @classmethod
    def of(cls, namespace: str, root: str, customization: str, version: str = "2.1") -> Self:
        """The type of a UBL document with this root element and `CustomizationID` (BT-24)."""
        return cls(f"{namespace}::{root}##{customization}::{version}")

    @property
    def namespace(self) -> str:
        """Namespace of the root element."""
        return self.value.partition("::")[0]

    @property
    def root(self) -> str:
        """Name of the root element."""
        return self.value.partition("##")[0].rpartition("::")[2]

    @property
    def customization(self) -> str:
        """What the document says it follows (BT-24)."""
        return self.value.partition("##")[2].rpartition("::")[0]

    @property
    def version(self) -> str:
        """Version of the syntax: 2.1."""
        return self.value.rpartition("::")[2]

    def __str__(self) -> str:
        return f"{self.scheme}::{self.value}"


@dataclass(frozen=True, slots=True)
class Service:
    """What a receiver can offer to take: a document type in a process."""

    title: str
    """What people call it."""
    document: DocumentType
    process: Process


def _fits(value: str, longest: int, what: str) -> None:
    if len(value) > longest or not _PLAIN.fullmatch(value):
        raise BadInput(
            f"{value[:80]!r} is no {what} of Peppol (1 to {longest} characters, no blanks).",
            code="peppol-identifier-invalid",
            do="Take it from Peppol's code lists as it stands there.",
        )


def _ubl(name: str) -> str:
    return f"urn:oasis:names:specification:ubl:schema:xsd:{name}-2"


_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_SELF_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"
_BILLS = Process("urn:fdc:peppol.eu:2017:poacc:billing:01:1.0")
_SELF_BILLS = Process("urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0")


def _service(title: str, root: str, customization: str, process: Process, version: str = "2.1") -> Service:
    return Service(title, DocumentType.of(_ubl(root), root, customization, version), process)


INVOICE: Final = _service("EHF invoice", "Invoice", _BILLING, _BILLS)
CREDIT_NOTE: Final = _service("EHF credit note", "CreditNote", _BILLING, _BILLS)
SELF_BILLED_INVOICE: Final = _service("self-billed invoice", "Invoice", _SELF_BILLING, _SELF_BILLS)
SELF_BILLED_CREDIT_NOTE: Final = _service("self-billed credit note", "CreditNote", _SELF_BILLING, _SELF_BILLS)
INVOICE_RESPONSE: Final = _service(
    "invoice response",
    "ApplicationResponse",
    "urn:fdc:peppol.eu:poacc:trns:invoice_response:3",
    Process("urn:fdc:peppol.eu:poacc:bis:invoice_response:3"),
)
MESSAGE_LEVEL_RESPONSE: Final = _service(
    "message level response",
    "ApplicationResponse",
    "urn:fdc:peppol.eu:poacc:trns:mlr:3",
    Process("urn:fdc:peppol.eu:poacc:bis:mlr:3"),
)
MESSAGE_LEVEL_STATUS: Final = _service(
    "message level status", "ApplicationResponse", "urn:peppol:edec:mls:1.0", Process("urn:peppol:edec:mls")
)
REMINDER: Final = _service(
    "EHF reminder",
    "Invoice",
    f"{_BILLING}#conformant#urn:fdc:anskaffelser.no:2019:ehf:reminder:3.0",
    Process("urn:fdc:anskaffelser.no:2019:ehf:postaward:g3:06:1.0"),
    "2.2",
)
PAYMENT_REQUEST: Final = _service(
    "EHF payment request",
    "Invoice",
    "urn:fdc:anskaffelser.no:2019:ehf:spec:payment-request:3.0",
    Process("urn:fdc:anskaffelser.no:2019:ehf:postaward:g3:07:1.0"),
    "2.2",
)
SERVICES: Final = (
    INVOICE, CREDIT_NOTE, SELF_BILLED_INVOICE, SELF_BILLED_CREDIT_NOTE, INVOICE_RESPONSE, MESSAGE_LEVEL_RESPONSE,
    MESSAGE_LEVEL_STATUS, REMINDER, PAYMENT_REQUEST,
)  # fmt: skip
"""What we know how to make or to read, as the code lists of version `code_lists.VERSION` name it."""
