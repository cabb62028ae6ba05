"""Norway: seller whose worked-out country is NO."""

from __future__ import annotations

import re
from typing import Final

from connector.ehf.rules.engine import Document, Node, Plan, Values
from connector.ehf.rules.peppol import check_digits
from connector.ehf.rules.peppol.layers import billing
from connector.ehf.rules.peppol.national.tree import only
from connector.ehf.rules.peppol.parties import REPRESENTATIVE, SELLER, country
from connector.ehf.rules.xpath import BreaksOff, normalize

_NUMBER: Final = re.compile("[0-9]{9}MVA")
_PARTIES: Final = "parties of the seller"


@billing.on(f"{SELLER}/cac:Party")
def seller(node: Node, plan: Plan) -> None:
    """Keep the seller for `judge`: most documents here are Norwegian, and need no tree for this."""
    plan.check(lambda v, doc: doc.facts.setdefault(_PARTIES, []).append((node, v, doc.place(node.i))))


def judge(doc: Document) -> None:
    """NO-R-001, NO-R-002: a VAT number is NO, nine digits and MVA; companies say that they are registered.

    The law (foretaksregisterloven § 10-2) asks the latter of limited companies and branches of foreign ones only.
    """
    if country(doc, SELLER, REPRESENTATIVE) != "NO":
        return
    for party, v, place in doc.facts.get(_PARTIES, ()):
        registered = [text for one in _numbers(party, v, "TAX") for text in one]
        if normalize(only(registered, "cbc:CompanyID")) != "Foretaksregisteret":
            doc.fire("NO-R-002", place)
        numbers = _numbers(party, v, "VAT")
        prefixed = [only(one, "cbc:CompanyID") for one in numbers]
        if not any(number.startswith("NO") for number in prefixed):
            continue
        if len(prefixed) > 1 or sum(map(len, numbers)) > 1:
            raise BreaksOff("several VAT numbers")
        number = prefixed[0]
        if _NUMBER.fullmatch(number[2:]) is None or not check_digits.mod11(number[2:11]):
            doc.fire("NO-R-001", place, value=number)


def _numbers(party: Node, v: Values, scheme: str) -> list[list[str]]:
    """The numbers of each registration of the party whose scheme is that one but for blanks.

    Raises:
        BreaksOff: one of them has several schemes.
    """
    found = []
    for one in party.all("cac:PartyTaxScheme"):
        schemes = [v[i] or "" for i in one.places("cac:TaxScheme/cbc:ID")]
        if normalize(only(schemes, "cac:TaxScheme/cbc:ID")) == scheme:
            found.append([v[i] or "" for i in one.places("cbc:CompanyID")])
    return found
