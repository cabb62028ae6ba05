"""The quick way to read a document says the same as the tree, or leaves it to the tree."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.invoices import invoice
from connector.ehf import flat, validate
from connector.ehf.validation import rules_for
from connector.ehf.xml import LARGE
from tests.ehf.official import official

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
PLAIN = invoice(3)
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
COMMON = "urn:oasis:names:specification:ubl:schema:xsd:Common"


def put(old: str, new: str, times: int = -1) -> bytes:
    assert old in PLAIN.decode()
    return PLAIN.decode().replace(old, new, times).encode()


def prefixes_change_places() -> bytes:
    """Inside the seller `cac` means `cbc` and the other way."""
    start, end = PLAIN.index(b"<cac:AccountingSupplierParty>"), PLAIN.index(b"</cac:AccountingSupplierParty>")
    inside = PLAIN[start:end].replace(b"cac:", b"x:").replace(b"cbc:", b"cac:").replace(b"x:", b"cbc:")
    spaces = f' xmlns:cac="{COMMON}BasicComponents-2" xmlns:cbc="{COMMON}AggregateComponents-2">'.encode()
    inside = inside.replace(b">", spaces, 1)
    return (
        PLAIN[:start]
        + inside
        + b"</cbc:AccountingSupplierParty>"
        + PLAIN[end + len("</cac:AccountingSupplierParty>") :]
    )


SAME: dict[str, bytes] = {
    "plain": PLAIN,
    "one line": b"".join(PLAIN.splitlines()),
    "CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "entities": put("</cbc:Name>", " &amp; S&#248;n &lt;x&gt; &#xE6;</cbc:Name>"),
    "blanks in tags": put("<cbc:ID>", "<cbc:ID  >").replace(b"</cbc:Name>", b"</cbc:Name\n>"),
    "single quotes": put('currencyID="NOK"', "currencyID = 'NOK'"),
    "other prefixes": PLAIN.replace(b"cbc:", b"b:")
    .replace(b":cbc", b":b")
    .replace(b"cac:", b"a.1:")
    .replace(b":cac", b":a.1"),
    "empty field": put("</cbc:Name>", "</cbc:Name><cbc:Name/>", 1),
    "a field without text": re.sub(rb"<cbc:BuyerReference>[^<]*<", b"<cbc:BuyerReference><", PLAIN),
    "attribute without a place": put("<cbc:InvoiceTypeCode>", '<cbc:InvoiceTypeCode name="x&amp;y" listID="z">'),
    "attribute with a namespace": put("<Invoice ", '<Invoice xmlns:i="urn:i" i:schemaLocation="a b" ', 1),
    "amount off": put("</cbc:PayableAmount>", "1</cbc:PayableAmount>"),
    "no tax total": PLAIN[: PLAIN.index(b"<cac:TaxTotal")] + PLAIN[PLAIN.index(b"</cac:TaxTotal>") + 15 :],
    "a group without content": put(
        "<cac:AccountingSupplierParty>", "<cac:InvoicePeriod/><cac:AccountingSupplierParty>"
    ),
    "blank group": put(
        "<cac:AccountingSupplierParty>", "<cac:Delivery>\n </cac:Delivery><cac:AccountingSupplierParty>"
    ),
    "bracket in a text": put("</cbc:Name>", "></cbc:Name>"),
    "namespace further down": put("<cac:AccountingSupplierParty>", '<cac:AccountingSupplierParty xmlns:x="u">'),
    "namespace further down on a field": put("<cbc:ID>", '<cbc:ID xmlns:x="u">', 1),
    "prefixes that change places": prefixes_change_places(),
    "blank name": put("<cbc:Name>", "<cbc:Name>   </cbc:Name><cbc:Name>", 1),
}

NOT_PLAIN: dict[str, Callable[[], bytes]] = {
    "comment": lambda: put("</Invoice>", "<!-- --></Invoice>"),
    "CDATA": lambda: put("</cbc:Name>", "<![CDATA[x]]></cbc:Name>"),
    "processing instruction": lambda: put("</Invoice>", "<?x y?></Invoice>"),
    "prefix that means another thing": lambda: put("<cbc:ID>", f'<cbc:ID xmlns:cbc="{COMMON}AggregateComponents-2">'),
    "UTF-16": lambda: PLAIN.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "other encoding": lambda: PLAIN.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1", "replace"),
    "byte order mark": lambda: b"\xef\xbb\xbf" + PLAIN,
    "bare carriage return": lambda: put("</cbc:Name>", "\r</cbc:Name>"),
    "bracket in a text": lambda: put("</cbc:Name>", "></cbc:Name>"),
    "fails the XSD": lambda: put("<cbc:ID>", "<cbc:Foo/><cbc:ID>"),
    "a wrong date": lambda: put("<cbc:IssueDate>", "<cbc:IssueDate>x"),
    "cut off": lambda: PLAIN[:-20],
    "end tag of another": lambda: put("</Invoice>", "</Invoic>"),
    "another document": lambda: PLAIN.replace(b"Invoice-2", b"Order-2").replace(b"Invoice", b"Order"),
    "empty": lambda: b"",
    "DOCTYPE": lambda: put("<Invoice ", "<!DOCTYPE Invoice><Invoice ", 1),
}


def said(data: bytes, **options: Any) -> str:
    return json.dumps(validate(data, **options).as_json(), sort_keys=True)


@pytest.mark.parametrize("name", SAME)
def test_both_ways_say_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = said(SAME[name])
    monkeypatch.setattr(flat, "read", lambda data: None)
    assert quick == said(SAME[name])


@pytest.mark.parametrize(
    "name", ["plain", "one line", "CRLF", "entities", "blanks in tags", "other prefixes", "single quotes", "amount off"]
)
def test_what_is_plain_is_read_flat(name: str) -> None:
    assert flat.read(SAME[name]) is not None


def test_a_large_document_is_read_flat_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = put("</cbc:PayableAmount>", "7</cbc:PayableAmount>")
    extra = b"<cbc:Note>" + b"x" * 450_000 + b"</cbc:Note>"
    data = data.replace(b"<cbc:DocumentCurrencyCode>", extra * 23 + b"<cbc:DocumentCurrencyCode>", 1)
    assert len(data) > LARGE
    assert flat.read(data) is not None
    quick = said(data)
    monkeypatch.setattr(flat, "MAX_TAGS", 10)
    assert flat.read(data) is None  # what is too much for the tree is for the tree to refuse
    assert quick == said(data)


def test_a_long_text_is_left_to_the_tree() -> None:
    extra = b"<cbc:Note>" + b"x" * 11_000_000 + b"</cbc:Note>"
    data = PLAIN.replace(b"<cbc:DocumentCurrencyCode>", extra + b"<cbc:DocumentCurrencyCode>", 1)
    assert flat.read(data) is None
    assert validate(data).layers["xsd"] == "passed"


@pytest.mark.parametrize("before", [0, 1, flat.LONG // 2, flat.LONG - 20, flat.LONG, flat.LONG + 1])
@pytest.mark.parametrize(
    ("length", "is_long"), [(flat.LONG - 100, False), (flat.LONG + 1, True), (3 * flat.LONG, True)]
)
def test_a_long_text_is_found_wherever_it_begins(before: int, length: int, is_long: bool) -> None:
    filling = b"<cbc:Note>" + b"x" * 100 + b"</cbc:Note>"
    many = filling * (before // len(filling)) + b"<cbc:Note>" + b"y" * (before % len(filling)) + b"</cbc:Note>"
    data = PLAIN.replace(b"<cbc:DocumentCurrencyCode>", many + b"<cbc:Note>" + b"x" * length + b"</cbc:Note>"
                         b"<cbc:DocumentCurrencyCode>", 1)  # fmt: skip
    assert (flat.read(data) is None) == is_long


def test_prefixes_that_change_places_are_valid_and_no_shape_is_kept_of_them() -> None:
    data = prefixes_change_places()
    assert validate(data).layers["xsd"] == "passed"
    rules = rules_for("3.0.21")
    before = {written for known in rules.fits.values() for written in known}
    validate(data, rules="3.0.21")
    assert not [one for known in rules.fits.values() for one in known if one not in before and "xmlns" in one]


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_tree(name: str) -> None:
    assert flat.read(NOT_PLAIN[name]()) is None


def test_the_official_documents_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    # Most have comments; without them they are plain.
    documents = [COMMENT.sub(b"", path.read_bytes()) for path in official()]
    plain = [data for data in documents if flat.read(data) is not None]
    assert len(plain) > 50
    quick = [said(data) for data in plain]
    monkeypatch.setattr(flat, "read", lambda data: None)
    assert quick == [said(data) for data in plain]


# fmt: off
BITS = (
    b"<", b">", b"/", b"&", b"&#0;", b"&#x110000;", b"&x;", b"&amp;", b"&lt;", b'"', b"'", b"=", b" ", b"\n", b"\r",
    b"\x00", b"\xff", b"\xc3", b"!", b"<!", b"<!--", b"-->", b"<?", b"?>", b"<![CDATA[", b"]]>", b"xmlns", b":", b"x",
    b"\t", b' xmlns:cbc="x"', b"<cbc:ID>", b"</cbc:ID>", b"<cbc:ID/>", b"a>cbc:ID", "\u2028".encode(),
)
# fmt: on


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The document with a byte or a few put in, taken out or moved: what breaks on the way, or is broken on purpose."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, until = sorted(chance.randrange(len(data)) for _ in range(2))
        way = chance.random()
        if way < 0.6:
            data = data[:at] + chance.choice(BITS) + data[at + chance.choice((0, 0, 1, 3)) :]
        elif way < 0.8:
            data = data[:at] + data[min(until, at + 40) :]
        else:
            data = data[:at] + data[at : at + 30] + data[at:]
    return data


@pytest.mark.proof
def test_damaged_documents_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20)
    documents = [damaged(PLAIN, chance) for _ in range(8000 if FULL else 300)]
    quick = [flat.read(data) is not None for data in documents]
    assert any(quick)
    # That something is said at all, and no traceback, is half of the matter.
    said_quickly = [*map(said, documents)]
    monkeypatch.setattr(flat, "read", lambda data: None)
    for data, plain, quickly in zip(documents, quick, said_quickly, strict=True):
        if plain:
            assert quickly == said(data), data


def test_a_place_is_found_in_the_tree_all_the_same() -> None:
    report = validate(put("</cbc:PayableAmount>", "7</cbc:PayableAmount>"))
    (finding,) = [each for each in report.findings if each.rule == "BR-CO-16"]
    assert finding.path == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert finding.line
