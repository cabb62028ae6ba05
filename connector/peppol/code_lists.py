"""What may stand in front of a participant's number: the codes of Peppol, as facts.

Source: OpenPeppol's eDelivery code lists, "Participant identifier schemes". A newer version is entered here as a whole.
"""

from __future__ import annotations

from typing import Final, Literal

VERSION: Final = "9.7"
"""Version of the code lists, of all four: participants, document types, processes, transport profiles."""

State = Literal["active", "deprecated", "removed"]

SCHEMES: Final[dict[str, str]] = {
    "0002": "FR:SIRENE", "0007": "SE:ORGNR", "0009": "FR:SIRET", "0037": "FI:OVT", "0060": "DUNS", "0088": "GLN",
    "0096": "DK:P", "0097": "IT:FTI", "0106": "NL:KVK", "0130": "EU:NAL", "0135": "IT:SIA", "0142": "IT:SECETI",
    "0151": "AU:ABN", "0158": "SK:ICO", "0183": "CH:UIDB", "0184": "DK:DIGST", "0188": "JP:SST", "0190": "NL:OINO",
    "0191": "EE:CC", "0192": "NO:ORG", "0193": "UBLBE", "0195": "SG:UEN", "0196": "IS:KTNR", "0198": "DK:ERST",
    "0199": "LEI", "0200": "LT:LEC", "0201": "IT:CUUO", "0204": "DE:LWID", "0205": "IT:COD", "0208": "BE:EN",
    "0209": "GS1", "0210": "IT:CFI", "0211": "IT:IVA", "0212": "FI:ORG", "0213": "FI:VAT", "0215": "FI:NSI",
    "0216": "FI:OVT2", "0218": "LV:URN", "0221": "JP:IIN", "0225": "FR:CTC", "0230": "MY:EIF", "0235": "AE:TIN",
    "0240": "LU:MAT", "0242": "SPIS", "0244": "NG:TID", "0245": "SK:DIC", "0246": "DE:GEBA", "0248": "OM:VAT",
    "9901": "DK:CPR", "9902": "DK:CVR", "9904": "DK:SE", "9905": "DK:VANS", "9906": "IT:VAT", "9907": "IT:CF",
    "9908": "NO:ORGNR", "9909": "NO:VAT", "9910": "HU:VAT", "9912": "EU:VAT", "9913": "EU:REID", "9914": "AT:VAT",
    "9915": "AT:GOV", "9916": "AT:CID", "9917": "IS:KT", "9918": "IBAN", "9919": "AT:KUR", "9920": "ES:VAT",
    "9921": "IT:IPA", "9922": "AD:VAT", "9923": "AL:VAT", "9924": "BA:VAT", "9925": "BE:VAT", "9926": "BG:VAT",
    "9927": "CH:VAT", "9928": "CY:VAT", "9929": "CZ:VAT", "9930": "DE:VAT", "9931": "EE:VAT", "9932": "GB:VAT",
    "9933": "GR:VAT", "9934": "HR:VAT", "9935": "IE:VAT", "9936": "LI:VAT", "9937": "LT:VAT", "9938": "LU:VAT",
    "9939": "LV:VAT", "9940": "MC:VAT", "9941": "ME:VAT", "9942": "MK:VAT", "9943": "MT:VAT", "9944": "NL:VAT",
    "9945": "PL:VAT", "9946": "PT:VAT", "9947": "RO:VAT", "9948": "RS:VAT", "9949": "SI:VAT", "9950": "SK:VAT",
    "9951": "SM:VAT", "9952": "TR:VAT", "9953": "VA:VAT", "9954": "NL:OIN", "9955": "SE:VAT", "9956": "BE:CBE",
    "9957": "FR:VAT", "9958": "DE:LID", "9959": "US:EIN",
}  # fmt: skip
"""Scheme's name (`NO:ORG`) by its code (`0192`)."""

DEPRECATED: Final = frozenset(["0193", "9909", "9912", "9916", "9917"])
"""Codes that still work and are on their way out."""

REMOVED: Final = frozenset((
    "0037", "0212", "0213", "0215", "9901", "9902", "9904", "9905", "9906", "9907", "9908", "9921",
    "9954", "9955", "9956", "9958",
))  # fmt: skip
"""Codes that are no longer used: nobody is found under them."""


def state(scheme: str) -> State | None:
    """How a code stands; None: there is no such code."""
    if scheme not in SCHEMES:
        return None
    return "removed" if scheme in REMOVED else "deprecated" if scheme in DEPRECATED else "active"
