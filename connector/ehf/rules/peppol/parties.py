"""Where seller and buyer live, as the Peppol rules work it out.

None stands for "cannot be told": the official expression ends in an error (two VAT numbers, two countries). In the
context of a rule that means that the rule is not for this document; in a test it breaks off the evaluation.
"""

from __future__ import annotations

from typing import Final

from connector.ehf.rules.engine import Document, Node, Plan, Values
from connector.ehf.rules.peppol.layers import both
from connector.ehf.rules.xpath import BreaksOff, normalize

SELLER: Final = "cac:AccountingSupplierParty"
BUYER: Final = "cac:AccountingCustomerParty"
REPRESENTATIVE: Final = "cac:TaxRepresentativeParty"
ADDRESS_COUNTRY: Final = "cac:PostalAddress/cac:Country/cbc:IdentificationCode"
NOBODY: Final = "XX"


@both.on(
    f"/{SELLER}/cac:Party/cac:PartyTaxScheme",
    f"/{BUYER}/cac:Party/cac:PartyTaxScheme",
    f"/{REPRESENTATIVE}/cac:PartyTaxScheme",
)
def vat_number(node: Node, plan: Plan) -> None:
    """Remember the first two letters of each VAT number (tax scheme exactly `VAT`), by party."""
    schemes = node.places("cac:TaxScheme/cbc:ID")
    numbers = node.places("cbc:CompanyID")
    party = node.path.partition("/")[0]
    only = schemes[0] if len(schemes) == 1 else None

    def remember(v: Values, doc: Document) -> None:
        if (v[only] == "VAT") if only is not None else any(v[i] == "VAT" for i in schemes):
            prefix = None if len(numbers) > 1 else (v[numbers[0]] or "")[:2] if numbers else ""
            doc.facts.setdefault(party, []).append(prefix)

    if schemes:
        plan.check(remember)


def country(doc: Document, *parties: str) -> str | None:
    """The country of the first party: of its VAT number, of that of the further parties, else of its address."""
    for party in parties:
        prefixes = doc.facts.get(party, ())
        if len(prefixes) > 1 or None in prefixes:
            return None
        if prefixes and prefixes[0]:
            return normalize(prefixes[0]).upper()
    codes = doc.texts(f"{parties[0]}/cac:Party/{ADDRESS_COUNTRY}")
    if len(codes) > 1:
        return None
    return normalize(codes[0] or "").upper() if codes else NOBODY


def lives_in(doc: Document, party: str, code: str) -> bool | None:
    """Whether the address of the party is in that country, in letters of any size."""
    path = f"{party}/cac:Party/{ADDRESS_COUNTRY}" if party != REPRESENTATIVE else f"{party}/{ADDRESS_COUNTRY}"
    codes = doc.texts(path)
    if len(codes) > 1:
        return None
    return bool(codes) and normalize(codes[0] or "").upper() == code


def both_german(doc: Document) -> bool | None:
    """Whether seller and buyer have their addresses in Germany."""
    answers = (lives_in(doc, SELLER, "DE"), lives_in(doc, BUYER, "DE"))
    return False if False in answers else None if None in answers else True


def told(answer: bool | None) -> bool:
    """The answer where a test needs it.

    Raises:
        BreaksOff: it cannot be told.
    """
    if answer is None:
        raise BreaksOff("more than one country")
    return answer
