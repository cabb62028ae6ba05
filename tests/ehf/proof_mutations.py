"""Spoil a UBL document in one or more ways, at random but seeded.

What is put in is taken from the official rules themselves: the paths their tests speak of and the literals they compare
with, so that every rule has a fair chance to fire and just not to fire.
"""

from __future__ import annotations

import copy
import functools
import random
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree

from connector.ehf.rules.peppol import check_digits

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC = f"{{{UBL}CommonAggregateComponents-2}}"
CBC = f"{{{UBL}CommonBasicComponents-2}}"
SPACES = {"cac": CAC, "cbc": CBC}
SCH = "{http://purl.oclc.org/dsdl/schematron}"

NUMBERS = (
    "0", "0.00", "-0", "1", "1.0", "1.00", "01", "025", "25", "25.0", "25.00", " 25 ", "+25", "0.5", "0.49",
    "0.005", "-1",
    "-0.005", "2.345", "-2.345", "100", "100.000", "99.999", "1e2", "1E5", "NaN", "INF", "", "1,5", "1.",
    ".5", "-.5", ".",
    "12", "15", "6", "19", "21", "11.11", "0.00000000001", "99999999999999.99", "1000000000000000000000000000000", "٣",
)  # fmt: skip
TEXTS = (
    "", " ", "x", " x ", "a b", "ZZZ", "#", "#1#", "1#2", "0012", "10000", "-1", "æøå", "\u00a0", "\n", "x" * 40,
    "#SKONTO#TAGE=7#PROZENT=2.00#\n", "#SKONTO#TAGE=7#PROZENT=2.00#", "#SKONTO#TAGE=7#PROZENT=2#\n", "a\n#SKONTO#",
    "#SKONTO#TAGE=14#PROZENT=1.00#BASISBETRAG=-2.00#\n#SKONTO#TAGE=7#PROZENT=2.00#\n", "01#123", "04#1234567890123456",
    "15#1234567890123456", "71#123456789012345", "71#1234567890123456", "73#", "75#12", "12345678", "1234567",
    "##M.AR.K##", "##INVOICE|URL##", "EINDAGI", "http://x", "ht tp:x", "a@b.c", "a@b", "SE:BANKGIRO", "SE:PLUSGIRO",
    "DE89370400440532013000", "DE88370400440532013000", "de89 3704 0044 0532 0130 00", "GODKÄND FÖR F-SKATT",
    "Foretaksregisteret", " Foretaksregisteret ", "SEPA", "urn:x::y",
)  # fmt: skip
DATES = (
    "2026-05-01", " 2026-05-01 ", "2026-05-01Z", "2026-05-01+02:00", "2026-02-30", "2024-02-29", "2026-5-1", "20260501",
    "2025-12-31", "9999-12-31", "12026-05-01", "-2026-05-01", "0000-01-01", "", "2026-06-30", "2026-04-01",
)  # fmt: skip
IDENTIFIERS = (
    "974760673", "974760674", "000000000", "NO974760673MVA", "NO974760674MVA", "no974760673mva", "NO 974760673MVA",
    "NO974760673", "97476067", "9747606733", "SE556732170701", "SE55673217070", "SE5567321707ab", "5567321707",
    "5567321708", "556732170", "55673217070", "DK12345674", "DK1234567", "12345674", "1234567", "1234567890",
    "DE123456788",
    "IT00000010215", "IT00000010216", "IT0000001021", "it00000010215", "FR1234", "00000010215", "RSSMRA80A01H501U",
    "RSSMRA80A01H5011", "rssmra80a01h501u", "ABC123", "ABC12", "NL123456789B12", "NL123456789", "12345678901234567890",
    "123456789012", "EL123456783", "EL123456780", "GR123456783", "123456783", "EL000000000", "0403170701", "0403170700",
    "0000000097", "53004085616", "51824753556", "00000000000", "7300010000001", "7300010000002", "73000100", "0", "1",
    "4402692039", "4402692030", " 974760673 ", "٩٧٤٧٦٠٦٧٣", "123456783|01/05/2026|1|1.1|A|B",
    "123456783|1/5/2026|x|1.1|A|",
    "123456783|01/05/2026|-1|1.1||B", "|01/05/2026||||", "123456783|01-05-2026|1e2|9|A|B|C", "||", "|",
    "123456783|01/05/2026|1.5|1.6|A|B",
)  # fmt: skip
COUNTRIES = (
    "NO",
    "SE",
    "DK",
    "DE",
    "IT",
    "NL",
    "IS",
    "GR",
    "EL",
    "BE",
    "GB",
    "XI",
    "ZZ",
    "no",
    "se",
    " SE ",
    "",
    "DE ",
    "FR",
)
SCHEMES = (
    "0088", "0192", "0184", "0096", "0198", "0208", "0201", "0210", "9907", "0211", "0007", "0151", "0106",
    "0190", "9944",
    "0217", "0196", "0060", "9933", "9930", "9932", "0002", "0037", "0246", "SEPA", "ABT", "", " 0192", "EM",
    "9906", "0013",
)  # fmt: skip
CURRENCIES = ("NOK", "EUR", "SEK", "USD", "BGN", "XCG", "ANG", "STD", "STN", "nok", "", "NO K", "ZZZ", " NOK", "XXX")
CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B", "s", " S ", "", "H", "X", "S S")
MEANS = (
    "1",
    "9",
    "10",
    "30",
    "31",
    "42",
    "48",
    "49",
    "50",
    "54",
    "55",
    "56",
    "57",
    "58",
    "59",
    "93",
    "97",
    " 30 ",
    "030",
    "ZZZ",
)
TYPES = (
    "380",
    "381",
    "384",
    "326",
    "389",
    "261",
    "527",
    "875",
    "71",
    "396",
    "532",
    "83",
    " 380 ",
    "380 381",
    "",
    "999",
    "386",
)
PROFILES = (
    "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0", "urn:fdc:peppol.eu:2017:poacc:billing:02:1.0",
    "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0", "urn:peppol:bis:billing_with_response",
    "urn:peppol:france:billing:regulated", " urn:fdc:peppol.eu:2017:poacc:billing:01:1.0 ", "x",
    "zurn:fdc:peppol.eu:2017:poacc:billing:01:1.0x", "urn:fdc:peppol+eu:2017:poacc:billing:01:1.0",
    "a:urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
)  # fmt: skip
CUSTOMIZATIONS = (
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0",
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0#conformant#urn:x",
    " urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::x", "urn:cen.eu:en16931:2017", "x",
)  # fmt: skip
BOOLEANS = ("true", "false", "1", "0", " true ", "TRUE", "")
SPECIAL: dict[str, tuple[str, ...]] = {
    "ChargeIndicator": BOOLEANS, "IdentificationCode": COUNTRIES, "DocumentCurrencyCode": CURRENCIES,
    "TaxCurrencyCode": CURRENCIES, "PaymentMeansCode": MEANS, "InvoiceTypeCode": TYPES, "CreditNoteTypeCode": TYPES,
    "ProfileID": PROFILES, "CustomizationID": CUSTOMIZATIONS, "CompanyID": IDENTIFIERS, "EndpointID": IDENTIFIERS,
    "Percent": NUMBERS, "MultiplierFactorNumeric": NUMBERS,
}  # fmt: skip


GOOD: dict[str, tuple[str, Callable[[str], bool]]] = {
    "0088": ("9999999999999", check_digits.gln), "0192": ("999999999", check_digits.mod11),
    "0208": ("0999999999", check_digits.mod97), "0007": ("9999999999", check_digits.swedish),
    "0151": ("99999999999", check_digits.abn), "0211": ("IT99999999999", check_digits.partita_iva),
    "0210": ("AAAAAA99A99A999A", check_digits.codice_fiscale), "9907": ("99999999999", check_digits.codice_fiscale),
    "0201": ("AAA999", check_digits.codice_ipa), "0184": ("DK99999999", bool), "0096": ("9999999999", bool),
    "0198": ("DK99999999", bool), "0106": ("99999999", bool), "0190": ("9" * 20, bool), "0217": ("9" * 12, bool),
    "9944": ("NL999999999B99", bool),
}  # fmt: skip
"""Schemes of identifiers that Peppol checks: how they look, and what is right."""


def _identifies(element: etree._Element) -> bool:
    parent = element.getparent()
    return local(element) == "ID" and parent is not None and local(parent) == "PartyIdentification"


def local(element: etree._Element) -> str:
    """The name without its namespace ("" for comments and the like)."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


class RuleWords:
    """What the official rule files speak of: paths to build, literals to put in, by element name."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.paths: list[tuple[str, tuple[str, ...]]] = []
        self.literals: dict[str, list[str]] = {}
        self.codes: dict[str, list[str]] = {}
        """By element or attribute (`@schemeID`): the codes of the lists that the tests spell out."""
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for file in files:
            for rule in etree.parse(str(file)).iter(f"{SCH}rule"):
                context = re.sub(r"\[[^][]*\]", "", rule.get("context") or "")
                names = [part.strip().split("/")[-1].split(":")[-1] for part in context.split("|")]
                for check in rule.iter(f"{SCH}assert"):
                    test = check.get("test") or ""
                    for steps in self._paths(test):
                        for name in names[:2]:
                            if (name, steps) not in seen:
                                seen.add((name, steps))
                                self.paths.append((name, steps))
                    words = re.findall(r"'([^']{1,40})'", test + " " + (rule.get("context") or ""))
                    spoken_of = set(re.findall(r"(?:cbc|cac):(\w+)|(@\w+)", test + " " + (rule.get("context") or "")))
                    listed = [code for literal in re.findall(r"'([^']{41,})'", test) for code in literal.split()]
                    for element, attribute in spoken_of:
                        self.literals.setdefault(element or attribute, []).extend(words)
                        self.codes.setdefault(element or attribute, []).extend(listed)
        for table in (self.literals, self.codes):
            for name, found in table.items():
                table[name] = sorted(set(found))

    @staticmethod
    def _paths(test: str) -> set[tuple[str, ...]]:
        plain = re.sub(r"\[[^][]*\]", "", test)
        found = re.findall(r"(?<![\w:])(?:cac|cbc):\w+(?:/(?:cac|cbc):\w+)*(?:/@\w+)?|(?<![\w/])@\w+", plain)
        return {tuple(path.split("/")) for path in found}


class Mutator:
    """Mutations of documents; `donors` are trees whose parts may be grafted in."""

    def __init__(self, words: RuleWords, donors: list[etree._Element], chance: random.Random) -> None:
        self.words, self.donors, self.chance = words, donors, chance
        self.parts: dict[str, list[etree._Element]] = {}
        for donor in donors:
            for element in donor.iter(etree.Element):
                parent = element.getparent()
                if parent is not None:
                    self.parts.setdefault(local(parent), []).append(element)
        self.ways: list[tuple[int, Callable[[etree._Element], None]]] = [
            (14, self.drop), (6, self.repeat), (4, self.move), (24, self.value), (10, self.attribute), (4, self.cent),
            (12, self.graft), (14, self.build), (3, self.swap), (2, self.blank), (1, self.foreign), (1, self.comment),
            (3, self.everywhere), (2, self.country), (2, self.kind), (6, self.code), (4, self.identifier),
            (2, self.space),
        ]  # fmt: skip
        self.gentle = [self.value, self.attribute, self.cent, self.code, self.identifier, self.everywhere, self.country]
        """Ways after which a document often still passes the XSD."""

    def mutate(self, root: etree._Element) -> etree._Element:
        """A spoilt copy: one to a handful of mutations."""
        root = copy.deepcopy(root)
        ways = [way for _, way in self.ways]
        weights = [weight for weight, _ in self.ways]
        if self.chance.random() < 0.4:
            for way in self.chance.choices(self.gentle, k=self.chance.choice((1, 1, 2, 3))):
                way(root)
            return root
        for way in self.chance.choices(ways, weights, k=self.chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
            way(root)
        return root

    def some(self, root: etree._Element, *, leaf: bool | None = None) -> etree._Element | None:
        """Any element below the root."""
        found = [e for e in root.iter(etree.Element) if e is not root and (leaf is None or leaf == (len(e) == 0))]
        return self.chance.choice(found) if found else None

    def drop(self, root: etree._Element) -> None:
        element = self.some(root)
        if element is not None:
            remove(element)

    def repeat(self, root: etree._Element) -> None:
        element = self.some(root)
        if element is not None:
            element.addnext(copy.deepcopy(element))

    def move(self, root: etree._Element) -> None:
        element, target = self.some(root), self.some(root, leaf=False)
        if element is not None and target is not None:
            target.insert(self.chance.randint(0, len(target)), copy.deepcopy(element))

    def swap(self, root: etree._Element) -> None:
        element = self.some(root)
        if element is not None and element.getnext() is not None:
            following = element.getnext()
            assert following is not None
            following.addnext(element)

    def blank(self, root: etree._Element) -> None:
        element = self.some(root)
        if element is not None:
            for child in list(element):
                element.remove(child)
            element.text = self.chance.choice((None, "", " ", "\n "))

    def pool(self, name: str) -> tuple[str, ...] | list[str]:
        """Values worth putting into an element of that name."""
        pools: list[tuple[str, ...] | list[str]] = [self.words.literals.get(name) or TEXTS]
        if name in SPECIAL:
            pools += [SPECIAL[name]] * 3
        if name.endswith("Date"):
            pools += [DATES] * 3
        if name.endswith(("Amount", "Quantity")):
            pools += [NUMBERS] * 3
        if name == "ID":
            pools += [IDENTIFIERS, CATEGORIES, SCHEMES, TEXTS, ("VAT", "TAX", "vat", " VAT ", "GST"), DATES]
        if name in {"Note", "Name", "PaymentID", "DocumentDescription", "AllowanceChargeReason", "URI"}:
            pools += [TEXTS] * 2
        pools.append(TEXTS)
        return self.chance.choice(pools)

    def value(self, root: etree._Element) -> None:
        element = self.some(root, leaf=True)
        if element is None:
            return
        if self.chance.random() < 0.1 and element.text:
            element.text = self.chance.choice((" {} ", "\n{}", "{} x", "{0}{0}")).format(element.text)
        elif self.chance.random() < 0.1 and element.text:
            element.text = self.chance.choice((element.text.lower(), element.text.upper(), element.text[:-1]))
        else:
            element.text = self.chance.choice(self.pool(local(element)))

    def cent(self, root: etree._Element) -> None:
        amounts = [e for e in root.iter(etree.Element) if local(e).endswith(("Amount", "Quantity", "Percent"))]
        if not amounts:
            return
        element = self.chance.choice(amounts)
        try:
            number = Decimal((element.text or "").strip())
        except InvalidOperation:
            return
        by = self.chance.choice(
            ("0.01", "-0.01", "0.02", "-0.02", "0.021", "1", "-1", "0.99", "-0.99", "0.001", "0.005")
        )
        changed = self.chance.choice((number + Decimal(by), -number, number * 100, number / 10))
        element.text = self.chance.choice(("{}", "{:f}", "{:.3f}", "{:.1f}", " {:f} ")).format(changed)

    def attribute(self, root: etree._Element) -> None:
        element = self.some(root, leaf=True)
        if element is None:
            return
        names = [
            "schemeID",
            "currencyID",
            "unitCode",
            "listID",
            "mimeCode",
            "filename",
            "schemeVersionID",
            "listVersionID",
        ]
        names += ["schemeName", "schemeAgencyID", "listName", "name", "languageID", "format", "unitCodeListID"]
        name = self.chance.choice(list(element.attrib) or names if self.chance.random() < 0.7 else names)
        if name in element.attrib and self.chance.random() < 0.3:
            del element.attrib[name]
            return
        pool = {"schemeID": SCHEMES, "currencyID": CURRENCIES, "unitCode": ("EA", "XPP", "HUR", "ZZZ", "", "C62")}
        others = (
            "",
            "x",
            "TST",
            "STI",
            "19.05.01",
            "26.08.01",
            "application/pdf",
            "image/gif",
            "text/csv",
            "vedlegg.pdf",
        )
        element.set(str(name), self.chance.choice(pool.get(str(name), others)))

    def code(self, root: etree._Element) -> None:
        """A code of a list, or one that is nearly in it."""
        fields: list[tuple[etree._Element, str]] = []
        for element in root.iter(etree.Element):
            is_code = not local(element).endswith(("Amount", "Quantity", "Percent", "Date"))
            if is_code and len(element) == 0 and self.words.codes.get(local(element)):
                fields.append((element, ""))
            fields += [(element, str(name)) for name in element.attrib if self.words.codes.get(f"@{name}")]
        if not fields:
            return
        element, attribute = self.chance.choice(fields)
        code = self.chance.choice(self.words.codes[f"@{attribute}" if attribute else local(element)])
        if self.chance.random() < 0.4:
            near = (code.lower(), code.upper(), f" {code}", f"{code} ", code[:-1], f"{code}0", f"0{code}", code[::-1])
            code = self.chance.choice((*near, f"{code} {code}"))
        if attribute:
            element.set(attribute, code)
        else:
            element.text = code

    def identifier(self, root: etree._Element) -> None:
        """An identifier of a scheme that has check digits: mostly a good one, or good but for one character."""
        places = [e for e in root.iter(etree.Element) if local(e) in ("EndpointID", "CompanyID") or _identifies(e)]
        if not places:
            return
        scheme = self.chance.choice(list(GOOD))
        number = next((made for _ in range(3000) if GOOD[scheme][1](made := self._drawn(GOOD[scheme][0]))), "974760673")
        if self.chance.random() < 0.4:
            at = self.chance.randrange(len(number))
            number = number[:at] + self.chance.choice("0123456789AZ a") + number[at + self.chance.choice((0, 1, 1)) :]
        element = self.chance.choice(places)
        element.text = number
        if self.chance.random() < 0.9:
            element.set("schemeID", scheme)

    def _drawn(self, pattern: str) -> str:
        """A text of that pattern: `9` for a digit, `A` for a capital letter, all else as it stands."""
        drawn = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
        return "".join(self.chance.choice(drawn.get(sign, sign)) for sign in pattern)

    def space(self, root: etree._Element) -> None:
        """Blanks around a text, of all kinds, or a text as a CDATA section."""
        element = self.some(root, leaf=True)
        if element is not None and element.text and "]]>" not in element.text and element.text.isprintable():
            if self.chance.random() < 0.4:
                element.text = etree.CDATA(element.text)
            else:
                blank = self.chance.choice((" ", "\n", "\t", "\r", "\u00a0", "\u2003", "  \n"))
                element.text = self.chance.choice(("{0}{1}", "{1}{0}", "{0}{1}{0}")).format(blank, element.text)

    def graft(self, root: etree._Element) -> None:
        parents = [e for e in root.iter(etree.Element) if local(e) in self.parts]
        parent = self.chance.choice(parents)
        part = copy.deepcopy(self.chance.choice(self.parts[local(parent)]))
        same = [child for child in parent if child.tag == part.tag]
        if same and self.chance.random() < 0.5:
            parent.replace(self.chance.choice(same), part)
        elif same:
            same[-1].addnext(part)
        else:
            parent.insert(self.chance.randint(0, len(parent)), part)

    def build(self, root: etree._Element) -> None:
        context, steps = self.chance.choice(self.words.paths)
        places = [e for e in root.iter(etree.Element) if local(e) == context]
        if not places:
            if context not in ("Invoice", "CreditNote"):
                return
            places = [root]
        place = self.chance.choice(places)
        for step in steps:
            if step.startswith("@"):
                place.set(step[1:], self.chance.choice((*SCHEMES, "EUR", "x", "")))
                return
            prefix, name = step.split(":")
            existing = place.find(SPACES[prefix] + name)
            if existing is not None and step is not steps[-1]:
                place = existing
                continue
            made = etree.Element(SPACES[prefix] + name)
            place.insert(self.chance.randint(0, len(place)), made)
            place = made
        if steps[-1].startswith("cbc"):
            place.text = self.chance.choice(self.pool(local(place)))

    def foreign(self, root: etree._Element) -> None:
        place = self.some(root, leaf=False)
        place = root if place is None else place
        made = etree.Element(self.chance.choice(("{urn:x}Extra", "{urn:x}ID", "Plain", CBC + "Extra", CAC + "Extra")))
        made.text = self.chance.choice(("x", "", " "))
        place.insert(self.chance.randint(0, len(place)), made)

    def comment(self, root: etree._Element) -> None:
        element = self.some(root)
        if element is None:
            return
        made: etree._Element = self.chance.choice((etree.Comment("x"), etree.ProcessingInstruction("x", "y")))
        if len(element) == 0 and element.text:
            cut = self.chance.randint(0, len(element.text))
            made.tail, element.text = element.text[cut:], element.text[:cut]
        element.insert(0, made)

    def everywhere(self, root: etree._Element) -> None:
        """The same change at every element of one name: a currency, a VAT category, a rate."""
        name = self.chance.choice(
            ("currencyID", "ID", "Percent", "PaymentMeansCode", "IdentificationCode", "DocumentCurrencyCode")
        )
        if name == "currencyID":
            value = self.chance.choice(CURRENCIES)
            for element in root.iter(etree.Element):
                if name in element.attrib:
                    element.set(name, value)
        elif name == "ID":
            value = self.chance.choice(CATEGORIES)
            for element in root.iter(etree.Element):
                if local(element) in ("TaxCategory", "ClassifiedTaxCategory"):
                    for child in element.findall(CBC + "ID"):
                        child.text = value
        else:
            value = self.chance.choice(self.pool(name))
            for element in root.iter(etree.Element):
                if local(element) == name:
                    element.text = value

    def country(self, root: etree._Element) -> None:
        """Another home for seller and buyer, with or without their VAT number following."""
        for side in ("AccountingSupplierParty", "AccountingCustomerParty"):
            if self.chance.random() < 0.3:
                continue
            code = self.chance.choice(COUNTRIES)
            for party in root.iter(CAC + side):
                for element in party.iter(CBC + "IdentificationCode"):
                    element.text = code
                if self.chance.random() < 0.6:
                    fitting = [i for i in IDENTIFIERS if i.startswith(code[:2] or "NO")] or list(IDENTIFIERS)
                    for element in party.iter(CBC + "CompanyID"):
                        if self.chance.random() < 0.7:
                            element.text = self.chance.choice(fitting)

    def kind(self, root: etree._Element) -> None:
        """An invoice becomes a credit note in part or in whole, or the other way."""
        pairs = (("InvoiceLine", "CreditNoteLine"), ("InvoicedQuantity", "CreditedQuantity"))
        pairs += (("InvoiceTypeCode", "CreditNoteTypeCode"),)
        for pair in pairs:
            if self.chance.random() < 0.7:
                for element in list(root.iter(etree.Element)):
                    if local(element) in pair:
                        space = element.tag.rpartition("}")[0] + "}"
                        element.tag = space + pair[pair[0] == local(element)]
        if self.chance.random() < 0.7:
            other = "CreditNote" if local(root) == "Invoice" else "Invoice"
            root.tag = f"{{{UBL}{other}-2}}{other}"


def remove(element: etree._Element) -> None:
    """Take an element out; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


@functools.cache
def rule_words(files: tuple[Path, ...]) -> RuleWords:
    """Read the rule files once."""
    return RuleWords(files)
