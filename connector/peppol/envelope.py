"""The envelope a document travels in (SBDH): who sends what to whom, in which process, and which transmission it is.

Peppol's Business Message Envelope (specification 2.0.2 and older). The document inside stays as it is, byte for byte
but for its XML declaration; envelope and document are UTF-8. What is written and what is read is checked against
`schemas/sbdh.xsd`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lxml import etree

from connector.ehf.xml import CAC, CBC, parse, parse_whole, schema_of
from connector.errors import BadInput
from connector.peppol.identifiers import ACTOR, DOCUMENT, PROCESS, DocumentType, Participant, Process

SBDH: Final = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
"""Namespace of envelopes."""
_NS: Final = {"sh": SBDH, "cbc": CBC, "cac": CAC}
_DECLARATION: Final = re.compile(rb"\s*<\?xml\s[^>]*?\?>\s*")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_INSIDE: Final = re.compile(
    rb"</(?:\w+:)?StandardBusinessDocumentHeader\s*>(.*)</(?:\w+:)?StandardBusinessDocument\s*>", re.DOTALL
)
_SELF_BILLING: Final = frozenset({"261", "389"})
_HEADER: Final = 16 * 1024
"""Bytes within which an envelope says where it goes."""
_PARTIES: Final = {"ApplicationResponse": ("SenderParty", "ReceiverParty")}
_SOLD: Final = ("AccountingSupplierParty/cac:Party", "AccountingCustomerParty/cac:Party")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands on the envelope.

    `instance` is a UUID for one intention to send: the same again when that is tried again. `created` is UTC. `country`
    is the sender's (ISO 3166-1 alpha-2; the scope COUNTRY_C1): None only on what others have sent before 2024.
    `scopes` are further ones as they stand (MLS_TO, MLS_TYPE …).
    """

    sender: Participant
    receiver: Participant
    document: DocumentType
    process: Process
    instance: str
    created: datetime
    country: str | None
    scopes: Mapping[str, str] = field(default_factory=dict)


def address(document: bytes, *, instance: str, created: datetime, country: str = "NO") -> Envelope:
    """The envelope for a UBL document, from what the document says: the endpoints of seller and buyer (BT-34, BT-49),
    its specification (BT-24) and its process (BT-23). A self-billed one goes from the buyer to the seller; a response
    from its sender to its receiver.

    Raises:
        BadInput: it does not say one of them (`envelope-unaddressed`), or as `connector.ehf.xml.parse`, or
            `Participant.read`.
    """
    root = parse(document)
    name = etree.QName(root)
    seller, buyer = (_endpoint(root, party) for party in _PARTIES.get(name.localname, _SOLD))
    type_code = root.findtext("cbc:InvoiceTypeCode", None, _NS) or root.findtext("cbc:CreditNoteTypeCode", "", _NS)
    sender, receiver = (buyer, seller) if type_code in _SELF_BILLING else (seller, buyer)
    version = root.findtext("cbc:UBLVersionID", "2.1", _NS).strip()
    follows = _said(root, "CustomizationID", "BT-24")
    return Envelope(
        sender=sender,
        receiver=receiver,
        document=DocumentType.of(name.namespace or "", name.localname, follows, version),
        process=Process(_said(root, "ProfileID", "BT-23")),
        instance=instance,
        created=created,
        country=country,
    )


def write(envelope: Envelope, document: bytes) -> bytes:
    """The envelope with the document inside, UTF-8.

    Raises:
        BadInput: the document is not of the type on the envelope (`envelope-differs`), is an envelope itself
            (`envelope-nested`), or no sound XML; the country is none (`envelope-malformed`).
    """
    _check_document(envelope, parse(document))
    root = etree.Element(f"{{{SBDH}}}StandardBusinessDocument", nsmap={"sh": SBDH})
    header = _add(root, "StandardBusinessDocumentHeader")
    _add(header, "HeaderVersion", "1.0")
    for name, participant in (("Sender", envelope.sender), ("Receiver", envelope.receiver)):
        _add(_add(header, name), "Identifier", participant.value, Authority=ACTOR)
    identification = _add(header, "DocumentIdentification")
    _add(identification, "Standard", envelope.document.namespace)
    _add(identification, "TypeVersion", envelope.document.version)
    _add(identification, "InstanceIdentifier", envelope.instance)
    _add(identification, "Type", envelope.document.root)
    _add(identification, "CreationDateAndTime", envelope.created.astimezone(UTC).isoformat(timespec="seconds"))
    scopes = _add(header, "BusinessScope")
    _scope(scopes, "DOCUMENTID", envelope.document.value, envelope.document.scheme)
    _scope(scopes, "PROCESSID", envelope.process.value, envelope.process.scheme)
    if not re.fullmatch("[A-Z]{2}", envelope.country or ""):
        raise _malformed("COUNTRY_C1 must be the sender's country in two capitals")
    _scope(scopes, "COUNTRY_C1", envelope.country or "")
    for name, value in envelope.scopes.items():
        _scope(scopes, name, value)
    text = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    start, end = text.rsplit(b"</sh:StandardBusinessDocument>", 1)
    made = start + _bare(document) + b"</sh:StandardBusinessDocument>" + end
    _check_schema(parse(made))
    return made


def read(data: bytes) -> tuple[Envelope, bytes]:
    """What stands on an envelope, and the document inside (UTF-8).

    Raises:
        BadInput: it is no envelope (`envelope-malformed`), what stands on it is not what is inside
            (`envelope-differs`), an envelope is inside (`envelope-nested`), or it is no sound XML.
    """
    root = parse_whole(data)
    if root.tag != f"{{{SBDH}}}StandardBusinessDocument":
        raise _malformed(f"its root is {root.tag}")
    _check_schema(root)
    header, inside = (one for one in root if isinstance(one.tag, str))  # comments may stand between them
    scopes = {
        scope.findtext("sh:Type", "", _NS).strip(): (
            scope.findtext("sh:InstanceIdentifier", "", _NS).strip(),
            (scope.findtext("sh:Identifier", "", _NS) or "").strip(),
        )
        for scope in header.iterfind("sh:BusinessScope/sh:Scope", _NS)
    }
    missing = [name for name in ("DOCUMENTID", "PROCESSID") if name not in scopes]
    if missing:
        raise _malformed(f"the scope {missing[0]} is missing")
    (document, document_scheme), (process, process_scheme) = scopes.pop("DOCUMENTID"), scopes.pop("PROCESSID")
    said = "sh:DocumentIdentification/sh:"
    envelope = Envelope(
        sender=_partner(header, "Sender"),
        receiver=_partner(header, "Receiver"),
        document=DocumentType(document, document_scheme or DOCUMENT),  # version 1.0 wrote no schemes
        process=Process(process, process_scheme or PROCESS),
        instance=header.findtext(f"{said}InstanceIdentifier", "", _NS).strip(),
        created=datetime.fromisoformat(header.findtext(f"{said}CreationDateAndTime", "", _NS).strip()).astimezone(UTC),
        country=scopes.pop("COUNTRY_C1", (None, ""))[0],
        scopes={name: value for name, (value, _) in scopes.items()},
    )
    _check_document(envelope, inside)
    return envelope, _taken_out(data, inside)


def addressee(data: bytes) -> str | None:
    """The receiver that stands on an envelope, as it stands there (`0192:923609016`), found without reading what is
    inside; None where it is no envelope, or none that can be read.
    """
    head = data[:_HEADER]
    parser = etree.XMLPullParser(events=("end",), resolve_entities=False, no_network=True, load_dtd=False)
    try:
        parser.feed(head)
        for _, element in parser.read_events():
            if isinstance(element, etree._Element) and element.tag == f"{{{SBDH}}}Receiver":
                return element.findtext("sh:Identifier", "", _NS).strip() or None
    except etree.XMLSyntaxError:
        return None
    return None


def _endpoint(root: etree._Element, party: str) -> Participant:
    found = root.find(f"cac:{party}/cbc:EndpointID", _NS)
    if found is None or not (found.text or "").strip() or not found.get("schemeID"):
        term = {_SOLD[0]: " (BT-34)", _SOLD[1]: " (BT-49)"}.get(party, "")
        raise _unaddressed(f"the electronic address of {party.partition('/')[0]}{term}")
    return Participant.read(f"{found.get('schemeID')}:{(found.text or '').strip()}")


def _said(root: etree._Element, name: str, term: str) -> str:
    found = root.findtext(f"cbc:{name}", "", _NS).strip()
    if not found:
        raise _unaddressed(f"{name} ({term})")
    return found


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    made = etree.SubElement(parent, f"{{{SBDH}}}{name}", attributes)
    made.text = text
    return made


def _scope(parent: etree._Element, type: str, instance: str, identifier: str | None = None) -> None:
    scope = _add(parent, "Scope")
    _add(scope, "Type", type)
    _add(scope, "InstanceIdentifier", instance)
    if identifier is not None:
        _add(scope, "Identifier", identifier)


def _partner(header: etree._Element, name: str) -> Participant:
    found = header.find(f"sh:{name}/sh:Identifier", _NS)
    assert found is not None  # the schema asks for it
    return Participant.read(f"{found.get('Authority')}::{(found.text or '').strip()}", in_use=False)


def _check_document(envelope: Envelope, root: etree._Element) -> None:
    name = etree.QName(root)
    if name.namespace == SBDH:
        raise BadInput("An envelope stands in the envelope.", code="envelope-nested", do="Send the document itself.")
    if (name.namespace, name.localname) != (envelope.document.namespace, envelope.document.root):
        raise BadInput(
            f"The envelope says {envelope.document.root}, inside is {name.localname} ({name.namespace}).",
            code="envelope-differs",
            do="Write the type of the document on the envelope as it is.",
        )


def _check_schema(root: etree._Element) -> None:
    schema = _schema()
    if not schema.validate(root):
        found = re.search(r"Element '(?:\{[^}]*\})?(\w+)'[^:]*: (.*)", str(schema.error_log))
        raise _malformed(f"{found[1]}: {found[2].rstrip('.')}" if found else str(schema.error_log))


@functools.cache
def _schema() -> etree.XMLSchema:
    package = Path(__file__).parent.parent
    shipped = package / "shipped" / "schemas" / "sbdh.xsd"
    return schema_of(shipped if shipped.is_file() else package.parent / "schemas" / "sbdh.xsd")


def _bare(document: bytes) -> bytes:
    """A document as UTF-8, without mark and declaration, so that it can stand within another."""
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        document = document.decode("utf-16").encode()
    elif found := _DECLARATION.match(document.removeprefix(b"\xef\xbb\xbf")):
        named = _ENCODING.search(found[0])
        encoding = named[1].decode() if named else "utf-8"
        if encoding.lower() not in ("utf-8", "utf8"):
            document = document.decode(encoding).encode()
    document = document.removeprefix(b"\xef\xbb\xbf")
    found = _DECLARATION.match(document)
    return document[found.end() :] if found else document


def _taken_out(data: bytes, inside: etree._Element) -> bytes:
    """The document as it was put in, where it can stand alone so; else with the namespaces it had from around it."""
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    if found := _INSIDE.search(data):
        alone = declaration + found[1].strip()
        try:
            if _same(etree.fromstring(alone), inside):
                return alone
        except etree.XMLSyntaxError:
            pass
    return declaration + etree.tostring(inside, encoding="UTF-8", with_tail=False)


def _same(one: etree._Element, other: etree._Element) -> bool:
    first, second = (etree.tostring(root, method="c14n2", with_tail=False) for root in (one, other))
    return first == second


def _unaddressed(what: str) -> BadInput:
    return BadInput(
        f"The document does not say {what}, so that it cannot be sent.",
        code="envelope-unaddressed",
        do="Let the document have both electronic addresses, its specification and its process.",
    )


def _malformed(why: str) -> BadInput:
    return BadInput(
        f"This is no envelope of Peppol: {why}.",
        code="envelope-malformed",
        do="The sending access point must mend it.",
    )
