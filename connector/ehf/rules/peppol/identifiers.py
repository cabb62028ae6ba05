"""Identifiers whose scheme Peppol checks, wherever they stand: GLN, Norwegian, Danish, Belgian and other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from connector.ehf.rules.engine import Document, Node, Plan, Values
from connector.ehf.rules.peppol import check_digits
from connector.ehf.rules.peppol.layers import both
from connector.ehf.rules.xpath import BreaksOff, normalize, number

Test = Callable[[str], bool]

_DUTCH_VAT: Final = re.compile("NL[0-9]{9}B[0-9]{2}")


def _digits(count: int) -> Test:
    """That many digits, 0 to 9, with blanks around them allowed."""

    def test(text: str) -> bool:
        code = normalize(text)
        return len(code) == count and code.isascii() and code.isdigit()

    return test


_8, _9, _10, _11, _12, _20 = (_digits(count) for count in (8, 9, 10, 11, 12, 20))


def _all_digits(text: str) -> bool:
    return not text.strip("0123456789")


def _gln(text: str) -> bool:
    code = normalize(text)
    return code.isascii() and code.isdigit() and check_digits.gln(code)


def _norwegian(text: str) -> bool:
    return _9(text) and check_digits.mod11(normalize(text))


def _danish_cvr(text: str) -> bool:
    # Blanks count here: the official test looks at the text as it stands.
    return _danish_se(text) or (len(text) == 8 and _all_digits(text))


def _danish_p(text: str) -> bool:
    return len(text) == 10 and _all_digits(text)


def _danish_se(text: str) -> bool:
    return len(text) == 10 and text.startswith("DK") and _all_digits(text[2:])


def _belgian(text: str) -> bool:
    return _10(text) and check_digits.mod97(normalize(text))


def _swedish(text: str) -> bool:
    code = normalize(text)
    return len(code) == 10 and number(code) == number(code) and check_digits.swedish(code)


def _australian(text: str) -> bool:
    return _11(text) and check_digits.abn(normalize(text))


def _dutch_vat(text: str) -> bool:
    return _DUTCH_VAT.fullmatch(normalize(text)) is not None


def _is_dutch_vat(text: str, scheme: str | None) -> bool:
    return "NL" in text and normalize(text).startswith("NL") and normalize(scheme or "") == "VAT"


# By scheme: rule, test. In the official file the first rule that fits an identifier is the only one.
_TESTS: Final[dict[str, tuple[str, Test]]] = {
    "0088": ("PEPPOL-COMMON-R040", _gln),
    "0192": ("PEPPOL-COMMON-R041", _norwegian),
    "0184": ("PEPPOL-COMMON-R042", _danish_cvr),
    "0096": ("PEPPOL-COMMON-R052", _danish_p),
    "0198": ("PEPPOL-COMMON-R053", _danish_se),
    "0208": ("PEPPOL-COMMON-R043", _belgian),
    "0201": ("PEPPOL-COMMON-R044", lambda text: check_digits.codice_ipa(normalize(text))),
    "0210": ("PEPPOL-COMMON-R045", lambda text: check_digits.codice_fiscale(normalize(text))),
    "9907": ("PEPPOL-COMMON-R046", lambda text: check_digits.codice_fiscale(normalize(text))),
    "0211": ("PEPPOL-COMMON-R047", lambda text: check_digits.partita_iva(normalize(text))),
    "0007": ("PEPPOL-COMMON-R049", _swedish),
    "0151": ("PEPPOL-COMMON-R050", _australian),
    "0106": ("PEPPOL-COMMON-R054", _8),
    "0190": ("PEPPOL-COMMON-R055", _20),
    "9944": ("PEPPOL-COMMON-R056-1", _dutch_vat),
    "0217": ("PEPPOL-COMMON-R057", _12),
}
_NO_SCHEME: Final[frozenset[str | None]] = frozenset({None})
_ENDPOINTS_ONLY: Final = frozenset({"9907"})
# Behind the rule on Dutch VAT numbers in the file: a Dutch number is then judged as such and not by its scheme.
_BEHIND_DUTCH_VAT: Final = frozenset({"0217"})


def broken_by(text: str, scheme: str | None, *, endpoint: bool = False, vat: bool = False) -> str | None:
    """The rule of the newest release that a number breaks, PEPPOL-COMMON-R040 to R057; None where it fits its scheme,
    or the scheme is not one of these. For documents other than invoices, which have the same rules.

    Args:
        text: the number as it stands.
        endpoint: it is an electronic address.
        vat: it is a company's number within a tax scheme that is VAT.
    """
    found = _TESTS.get(scheme or "") if endpoint or scheme not in _ENDPOINTS_ONLY else None
    if vat and (found is None or scheme in _BEHIND_DUTCH_VAT) and _is_dutch_vat(text, "VAT"):
        found = ("PEPPOL-COMMON-R056-2", _dutch_vat)
    if found is None:
        return None
    try:
        return None if found[1](text) else found[0]
    except BreaksOff:  # the official arithmetic has no answer, so it is not in order either
        return found[0]


@both.on("cbc:EndpointID", "cac:PartyIdentification/cbc:ID", "cbc:CompanyID")
def identifier(node: Node, plan: Plan) -> None:
    """PEPPOL-COMMON-R040 to R057: the number fits the scheme that it names."""
    i, scheme = node.i, node.attr("schemeID")
    endpoint = node.tag == "cbc:EndpointID"
    parent = node.parent
    vat_schemes: tuple[int, ...] = ()
    if (
        plan.since("3.0.21")
        and node.tag == "cbc:CompanyID"
        and parent is not None
        and parent.tag == "cac:PartyTaxScheme"
    ):
        vat_schemes = parent.places("cac:TaxScheme/cbc:ID")
    tests = {
        code: test
        for code, test in _TESTS.items()
        if test[0] in plan.rules.entries and (endpoint or code not in _ENDPOINTS_ONLY)
    }

    def check(v: Values, doc: Document) -> None:
        code = v[scheme]
        found = tests.get(code) if code is not None else None
        text = v[i] or ""
        if vat and (found is None or code in _BEHIND_DUTCH_VAT) and _is_dutch_vat(text, v[vat_schemes[0]]):
            found = ("PEPPOL-COMMON-R056-2", _dutch_vat)
        if found is not None and not found[1](text):
            doc.fire(found[0], i, value=text)

    vat = len(vat_schemes) == 1  # with several, the official context is an error and fits nothing
    if vat:
        plan.check(check)
    else:
        plan.unless(scheme, _NO_SCHEME, check)


@both.on("cbc:EndpointID")
def endpoint_scheme(node: Node, plan: Plan) -> None:
    """CL008: the scheme of an electronic address is one that Peppol can address."""
    i, scheme = node.i, node.attr("schemeID")
    codes: frozenset[str | None] = plan.codes("peppol-endpoint-scheme") | {None}  # without a scheme the rule is silent
    if plan.since("3.0.20") and not plan.since("3.0.21"):
        codes |= {""}  # the list of that release ended in a blank, which made an empty code one of it

    plan.unless(scheme, codes, lambda v, doc: doc.fire("PEPPOL-EN16931-CL008", i, value=v[scheme]))
