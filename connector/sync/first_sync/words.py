"""The words of a proposal: Norwegian in the file that a bookkeeper edits, English on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from connector.sync.first_sync.matching import Line

Language = Literal["nb", "en"]

ACTIONS: Mapping[str, str] = {
    "link": "koble",
    "duplicate": "dublett",
    "create": "opprett",
    "leave": "la stå",
}
"""What can be done with a line, as the file says it; English is understood, too."""
QUESTION = "?"
"""What a line says that a person has to answer."""
CERTAINTIES: Mapping[str, str] = {"certain": "sikker", "likely": "sannsynlig", "weak": "svak"}
KINDS: Mapping[str, str] = {
    "customer": "kunde",
    "supplier": "leverandør",
    "product": "produkt",
    "department": "avdeling",
    "project": "prosjekt",
    "dimension": "dimensjon",
    "invoice": "faktura",
    "credit_note": "kreditnota",
}
_FIELDS: Mapping[str, tuple[str, str]] = {
    "party.legal_id.value": ("organisasjonsnummer", "organisation number"),
    "buyer.legal_id.value": ("kundens organisasjonsnummer", "customer's organisation number"),
    "buyer.name": ("kundens navn", "customer's name"),
    "party.name": ("navn", "name"),
    "party.address.postal_code": ("postnummer", "postal code"),
    "name": ("navn", "name"),
    "number": ("nummer", "number"),
    "code": ("kode", "code"),
    "dimension": ("dimensjon", "dimension"),
    "invoice_email": ("e-post", "e-mail"),
    "party.contact.email": ("e-post", "e-mail"),
    "totals.payable": ("beløp", "amount"),
    "issue_date": ("dato", "date"),
    "payment_means[first].payment_id": ("KID", "KID"),
    "standard_id.value": ("GTIN", "GTIN"),
}


def why(line: Line, language: Language) -> str:
    """Why a line stands in the proposal as it does."""
    at = 0 if language == "nb" else 1
    rules = (
        " + ".join(_FIELDS[path][at] if path in _FIELDS else path for path in rule.split(" + ")) for rule in line.equal
    )
    said = ", ".join(dict.fromkeys(rules))
    if line.like:
        return (
            f"samme {said} som {line.like}, som står i en annen linje"
            if language == "nb"
            else f"same {said} as {line.like}, which stands in another line"
        )
    if line.rivals:
        return f"{said} ({line.rivals} par er mulige)" if language == "nb" else f"{said} ({line.rivals} could be meant)"
    return said
