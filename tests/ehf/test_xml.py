"""The one way to read XML: what it refuses, and that it says why."""

from __future__ import annotations

import pytest
from lxml import etree

from connector.ehf import xml
from connector.errors import BadInput

INVOICE = f'<Invoice xmlns="{xml.INVOICE}" xmlns:cbc="{xml.CBC}">%s</Invoice>'


def code_of(data: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        xml.parse(data)
    assert caught.value.said
    assert caught.value.do
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml-empty"),
        (b" \r\n", "xml-empty"),
        (b"\x00\x00", "xml-empty"),
        (b"%PDF-1.7\n", "xml-not-well-formed"),
        (b"PK\x03\x04", "xml-not-well-formed"),
        (b'{"invoice": 1}', "xml-not-well-formed"),
        (b"<html><body><br></body></html>", "xml-not-well-formed"),
        (b"<a>&unknown;</a>", "xml-not-well-formed"),
        (b"<a/><b/>", "xml-not-well-formed"),
        (b"<!DOCTYPE html><html/>", "xml-dtd"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "xml-dtd"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "xml-dtd"),
        (b"<!--" + b"x" * 70_000 + b"--><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "xml-dtd"),
        ("<a>æ</a>".encode("latin-1"), "xml-encoding"),
        (b'<?xml version="1.0" encoding="KLINGON"?><a/>', "xml-encoding"),
        (b"<a>" * 10_000 + b"</a>" * 10_000, "xml-too-deep"),
        (b"<a>" * 300 + b"</a>" * 300, "xml-too-deep"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_bomb_hidden_from_the_first_look_is_never_expanded() -> None:
    entities = b'<!ENTITY a "' + b"a" * 1000 + b'">'
    entities += b'<!ENTITY b "' + b"&a;" * 1000 + b'"><!ENTITY c "' + b"&b;" * 1000 + b'">'
    bomb = b"<!--" + b"x" * 70_000 + b"--><!DOCTYPE a [" + entities + b"]><a>&c;</a>"
    assert code_of(bomb) in {"xml-dtd", "xml-not-well-formed"}


def test_too_large_and_too_many_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MAX_BYTES", 1000)
    assert code_of(b"<a>" + b"x" * 1000 + b"</a>") == "xml-too-large"
    monkeypatch.setattr(xml, "MAX_TAGS", 10)
    assert code_of(b"<a>" + b"<b/>" * 10 + b"</a>") == "xml-too-large"


def test_a_large_document_may_have_a_large_text_and_still_no_depth() -> None:
    text = b"x" * 11_000_000
    assert len(xml.parse(b"<a><b>" + text + b"</b></a>")[0].text or "") == len(text)
    assert code_of(b"<a>" * 300 + text + b"</a>" * 300) == "xml-too-deep"


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_encodings_and_byte_order_marks(declared: str, written: str) -> None:
    data = f'<?xml version="1.0" encoding="{declared}"?><a>Bø &amp; Ås</a>'.encode(written)
    assert xml.parse(data).text == "Bø & Ås"


def test_comments_instructions_and_blanks_are_gone_but_leaf_text_stays() -> None:
    root = xml.parse(
        (INVOICE % "\n <!-- a --> <cbc:ID>1<!-- b -->2<?pi x?></cbc:ID>\n <cbc:Note> </cbc:Note>").encode()
    )
    assert [(xml.name_of(child.tag), child.text) for child in root] == [("cbc:ID", "12"), ("cbc:Note", " ")]


def test_position_of_an_error() -> None:
    with pytest.raises(BadInput) as caught:
        xml.parse(b"<a>\n  <b>\n</a>")
    assert caught.value.where["line"] == 3


def test_paths_count_siblings_of_the_same_name_and_lines_are_those_of_the_file() -> None:
    root = xml.parse((INVOICE % "<cbc:ID/>\n<cbc:Note/>\n<cbc:Note/>").encode())
    assert [xml.path_of(child) for child in root] == [
        "/Invoice/cbc:ID",
        "/Invoice/cbc:Note[1]",
        "/Invoice/cbc:Note[2]",
    ]
    assert [xml.line_of(child) for child in root] == [1, 2, 3]


def test_foreign_names_stay_whole() -> None:
    assert xml.name_of("{urn:x}Thing") == "{urn:x}Thing"
    assert xml.path_of(etree.fromstring("<a xmlns='urn:x'><b/></a>")[0]) == "/{urn:x}a/{urn:x}b"
