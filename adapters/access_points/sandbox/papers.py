"""What a stand-in reads of the documents it carries, and the envelope that an access point puts around them.

The envelope is written and read here a second time, and on purpose: a stand-in is the other end, and shares no code
with what it is there to try.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from lxml import etree

_SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_NS = {"sh": _SBDH, "cac": _CAC, "cbc": _CBC}
_ROLES = (
    ("cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"),
    ("cac:SenderParty", "cac:ReceiverParty"),
)
_INSIDE = re.compile(
    rb"</(?:\w+:)?StandardBusinessDocumentHeader\s*>\s*(.*)</(?:\w+:)?StandardBusinessDocument\s*>", re.S
)
_DECLARATION = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>\s*")


@dataclass(frozen=True, slots=True)
class Papers:
    """What stands on a document or its envelope; empty where it does not say. Participants as `0192:923609016`,
    document type and process with their scheme.
    """

    number: str | None = None
    root: str = ""
    sender: str = ""
    receiver: str = ""
    document_type: str = ""
    process: str = ""
    country: str = ""
    instance: str = ""
    enveloped: bool = False


def read(body: bytes) -> Papers:
    """What stands on it; nothing where it is no XML."""
    try:
        root = _parsed(body)
    except (etree.XMLSyntaxError, ValueError):
        return Papers()
    return _envelope(root) if etree.QName(root).localname == "StandardBusinessDocument" else _document(root)


def inside(body: bytes) -> bytes:
    """The document in an envelope, byte for byte; a document without one as it is."""
    found = _INSIDE.search(body)
    return found[1] if found else body


def enveloped(document: bytes, papers: Papers) -> bytes:
    """A document in an envelope (SBDH) that says what `papers` say."""
    name = etree.QName(_parsed(document))
    version = papers.document_type.rpartition("::")[2] or "2.1"
    scopes = [("DOCUMENTID", papers.document_type), ("PROCESSID", papers.process)]
    written = "".join(
        f"<sh:Scope><sh:Type>{kind}</sh:Type><sh:InstanceIdentifier>{escape(value.partition('::')[2])}"
        f"</sh:InstanceIdentifier><sh:Identifier>{escape(value.partition('::')[0])}</sh:Identifier></sh:Scope>"
        for kind, value in scopes
    )
    parties = "".join(
        f'<sh:{role}><sh:Identifier Authority="iso6523-actorid-upis">{escape(who)}</sh:Identifier></sh:{role}>'
        for role, who in (("Sender", papers.sender), ("Receiver", papers.receiver))
    )
    header = (
        f"<sh:StandardBusinessDocumentHeader><sh:HeaderVersion>1.0</sh:HeaderVersion>{parties}"
        f"<sh:DocumentIdentification><sh:Standard>{escape(name.namespace or '')}</sh:Standard>"
        f"<sh:TypeVersion>{escape(version)}</sh:TypeVersion>"
        f"<sh:InstanceIdentifier>{escape(papers.instance)}</sh:InstanceIdentifier><sh:Type>{name.localname}</sh:Type>"
        f"<sh:CreationDateAndTime>{datetime.now(UTC).isoformat(timespec='seconds')}</sh:CreationDateAndTime>"
        f"</sh:DocumentIdentification><sh:BusinessScope>{written}"
        f"<sh:Scope><sh:Type>COUNTRY_C1</sh:Type><sh:InstanceIdentifier>{escape(papers.country or 'NO')}"
        "</sh:InstanceIdentifier></sh:Scope></sh:BusinessScope></sh:StandardBusinessDocumentHeader>"
    )
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<sh:StandardBusinessDocument xmlns:sh="{_SBDH}">{header}'
    return opening.encode() + _DECLARATION.sub(b"", document) + b"</sh:StandardBusinessDocument>"


def _parsed(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _document(root: etree._Element) -> Papers:
    name = etree.QName(root)
    follows, version = _text(root, "cbc:CustomizationID"), _text(root, "cbc:UBLVersionID") or "2.1"
    process = _text(root, "cbc:ProfileID")
    sender, receiver = next(
        (found for roles in _ROLES if any(found := tuple(_endpoint(root, role) for role in roles))), ("", "")
    )
    if _text(root, "cbc:InvoiceTypeCode") == "389" or _text(root, "cbc:CreditNoteTypeCode") == "261":
        sender, receiver = receiver, sender  # self-billed: from the buyer to the seller
    return Papers(
        number=_text(root, "cbc:ID") or None,
        root=name.localname,
        sender=sender,
        receiver=receiver,
        document_type=f"busdox-docid-qns::{name.namespace}::{name.localname}##{follows}::{version}" if follows else "",
        process=f"cenbii-procid-ubl::{process}" if process else "",
    )


def _envelope(root: etree._Element) -> Papers:
    header = "sh:StandardBusinessDocumentHeader/"
    scopes = {
        _text(scope, "sh:Type"): (_text(scope, "sh:Identifier"), _text(scope, "sh:InstanceIdentifier"))
        for scope in root.iterfind(f"{header}sh:BusinessScope/sh:Scope", _NS)
    }
    inner = next((one for one in root if etree.QName(one).localname != "StandardBusinessDocumentHeader"), None)
    return Papers(
        number=None if inner is None else _text(inner, "cbc:ID") or None,
        root=_text(root, f"{header}sh:DocumentIdentification/sh:Type"),
        sender=_text(root, f"{header}sh:Sender/sh:Identifier"),
        receiver=_text(root, f"{header}sh:Receiver/sh:Identifier"),
        document_type="::".join(scopes.get("DOCUMENTID", ())),
        process="::".join(scopes.get("PROCESSID", ())),
        country=scopes.get("COUNTRY_C1", ("", ""))[1],
        instance=_text(root, f"{header}sh:DocumentIdentification/sh:InstanceIdentifier"),
        enveloped=True,
    )


def _text(root: etree._Element, path: str) -> str:
    return (root.findtext(path, "", _NS) or "").strip()


def _endpoint(root: etree._Element, role: str) -> str:
    found = root.find(f"{role}/cbc:EndpointID", _NS)
    return "" if found is None or not found.text else f"{found.get('schemeID', '')}:{found.text.strip()}"
