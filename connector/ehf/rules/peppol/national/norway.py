"""Norway: seller whose worked-out country is NO."""

from __future__ import annotations

import re
from typing import Final

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol import check_digits
from connector.ehf.rules.peppol.national.tree import at, everywhere, strings, trimmed_schemes, value
from connector.ehf.rules.peppol.parties import REPRESENTATIVE, SELLER, country
from connector.ehf.rules.xpath import BreaksOff, normalize

_NUMBER: Final = re.compile("[0-9]{9}MVA")


def judge(doc: Document) -> None:
    """NO-R-001, NO-R-002: a VAT number is NO, nine digits and MVA; companies say that they are registered.

    The law (foretaksregisterloven § 10-2) asks the latter of limited companies and branches of foreign ones only.
    """
    if country(doc, SELLER, REPRESENTATIVE) != "NO":
        return
    for party in at(everywhere(doc.root, SELLER), "cac:Party"):
        if normalize(value(trimmed_schemes([party], "TAX"), "cbc:CompanyID")) != "Foretaksregisteret":
            doc.fire("NO-R-002", party)
        numbers = trimmed_schemes([party], "VAT")
        prefixed = [value(one, "cbc:CompanyID") for one in numbers]
        if not any(number.startswith("NO") for number in prefixed):
            continue
        if len(prefixed) > 1 or len(strings(numbers, "cbc:CompanyID")) > 1:
            raise BreaksOff("several VAT numbers")
        number = prefixed[0]
        if _NUMBER.fullmatch(number[2:]) is None or not check_digits.mod11(number[2:11]):
            doc.fire("NO-R-001", party, value=number)
