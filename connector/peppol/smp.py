"""What a service metadata publisher (SMP) answers: what a participant takes, and where, as the publisher has signed it.

Nothing is read from an answer but the part that its signature covers.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from cryptography import x509
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from connector.ehf.xml import parse_whole
from connector.errors import BadInput
from connector.peppol.identifiers import AS4, DocumentType, Participant, Process
from connector.peppol.trust import Trust, Untrusted

_SMP: Final = "http://busdox.org/serviceMetadata/publishing/1.0/"
_IDS: Final = "http://busdox.org/transport/identifiers/1.0/"
_WSA: Final = "http://www.w3.org/2005/08/addressing"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_NS: Final = {"smp": _SMP, "ids": _IDS, "wsa": _WSA, "ds": _DS}

_SIGNED: Final = SignatureConfiguration(
    require_x509=True,
    location="./",
    expect_references=1,
    signature_methods=frozenset(
        {
            SignatureMethod.RSA_SHA256,
            SignatureMethod.RSA_SHA384,
            SignatureMethod.RSA_SHA512,
            SignatureMethod.ECDSA_SHA256,
            SignatureMethod.ECDSA_SHA384,
            SignatureMethod.ECDSA_SHA512,
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a document may be delivered. Times are UTC; None where there is no limit."""

    transport: str
    address: str
    certificate: str
    """The receiving access point's, base64 of DER."""
    since: datetime | None = None
    until: datetime | None = None
    contact: str = ""

    def open(self, now: datetime) -> bool:
        """Whether it is in service."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a participant takes: one document type, and the processes it takes it in."""

    participant: Participant
    document: DocumentType
    processes: tuple[tuple[Process, tuple[Endpoint, ...]], ...]

    def endpoints(self, process: Process, transport: str = AS4) -> list[Endpoint] | None:
        """Where a document of this process may go; None where the process is not taken."""
        found = [endpoints for known, endpoints in self.processes if known == process]
        return [one for endpoints in found for one in endpoints if one.transport == transport] if found else None


@dataclass(frozen=True, slots=True)
class Redirect:
    """The entry is at another publisher's, whose certificate has this UID."""

    address: str
    certificate_uid: str


def address(publisher: str, participant: Participant, document: DocumentType) -> str:
    """Where a publisher shows what a participant takes of a document type; everything reserved is encoded."""
    return f"{publisher.rstrip('/')}/{quote(participant.whole, safe='')}/services/{quote(str(document), safe='')}"


def read(data: bytes, trust: Trust, now: datetime, *, signer_uid: str | None = None) -> Entry | Redirect:
    """What an answer says, after its signature has been verified.

    Args:
        signer_uid: the UID that the signer's certificate must have: after a redirect.

    Raises:
        Untrusted: the signature is missing, wrong, weak, or somebody else's (`signature-missing`, `signature-wrong`,
            `signer-differs`), or as `Trust.check` says.
        BadInput: it is no answer of a publisher (`smp-answer`), or no sound XML (as `connector.ehf.xml.parse`).
    """
    root = _verified(data, trust, now, signer_uid)
    if (redirect := root.find("smp:ServiceMetadata/smp:Redirect", _NS)) is not None:
        return Redirect(redirect.get("href", ""), _text(redirect, "smp:CertificateUID"))
    said = root.find("smp:ServiceMetadata/smp:ServiceInformation", _NS)
    if said is None:
        raise _no_answer("neither an entry nor a redirect is in it")
    try:
        return Entry(
            participant=Participant.read(_identifier(said, "ids:ParticipantIdentifier"), in_use=False),
            document=DocumentType(_text(said, "ids:DocumentIdentifier"), _scheme(said, "ids:DocumentIdentifier")),
            processes=tuple(
                (
                    Process(_text(one, "ids:ProcessIdentifier"), _scheme(one, "ids:ProcessIdentifier")),
                    tuple(_endpoint(found) for found in one.iterfind("smp:ServiceEndpointList/smp:Endpoint", _NS)),
                )
                for one in said.iterfind("smp:ProcessList/smp:Process", _NS)
            ),
        )
    except (ValueError, BadInput) as error:
        raise _no_answer(str(error)) from None


class _Verifier(XMLVerifier):
    # lxml writes xmlns="" into a part of a tree whose namespaces have no prefix when it canonicalises it, so that what
    # many publishers sign with Java would never verify; no entry has such a declaration of its own.
    excise_empty_xmlns_declarations = True


def _verified(data: bytes, trust: Trust, now: datetime, signer_uid: str | None) -> etree._Element:
    root = parse_whole(data)
    if root.tag != f"{{{_SMP}}}SignedServiceMetadata":
        raise _no_answer(f"its root is {root.tag}")
    signer = _signer(root)
    trust.check(signer, now)
    if signer_uid is not None and _uid(signer) != signer_uid:
        raise Untrusted(
            f"The entry was to be signed by {signer_uid}, and was by {_uid(signer) or 'somebody without UID'}.",
            code="signer-differs",
        )
    try:
        config = replace(_SIGNED, verification_time=now)
        covered = _Verifier().verify(data, x509_cert=signer, expect_config=config).signed_xml  # type: ignore[union-attr]
    except (SignXMLException, ValueError, etree.LxmlError) as error:
        raise Untrusted(
            f"The publisher's signature does not fit what it says ({error}).", code="signature-wrong"
        ) from None
    if covered is None or covered.tag != root.tag:
        raise Untrusted("The publisher's signature covers only a part of what it says.", code="signature-wrong")
    return covered


def _signer(root: etree._Element) -> x509.Certificate:
    found = root.findtext("ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", namespaces=_NS)
    if not found:
        raise Untrusted("The publisher's answer is not signed.", code="signature-missing")
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(found.split()), validate=True))
    except (ValueError, binascii.Error):
        raise Untrusted("The signer's certificate cannot be read.", code="signature-wrong") from None


def _uid(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(x509.oid.NameOID.USER_ID)
    return str(found[0].value) if found else ""


def _endpoint(said: etree._Element) -> Endpoint:
    return Endpoint(
        transport=said.get("transportProfile", ""),
        address=_text(said, "wsa:EndpointReference/wsa:Address"),
        certificate="".join(_text(said, "smp:Certificate").split()),
        since=_time(_text(said, "smp:ServiceActivationDate")),
        until=_time(_text(said, "smp:ServiceExpirationDate")),
        contact=_text(said, "smp:TechnicalContactUrl"),
    )


def _time(text: str) -> datetime | None:
    """A moment; without a zone it is taken as UTC."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(said: etree._Element, path: str) -> str:
    return (said.findtext(path, "", _NS) or "").strip()


def _scheme(said: etree._Element, path: str) -> str:
    found = said.find(path, _NS)
    return "" if found is None else found.get("scheme", "")


def _identifier(said: etree._Element, path: str) -> str:
    return f"{_scheme(said, path)}::{_text(said, path)}"


def _no_answer(why: str) -> BadInput:
    return BadInput(
        f"The publisher's answer is none ({why}).",
        code="smp-answer",
        do="Try again later; if it stays so, the receiver's access point must mend its registration.",
    )
