"""Peppol on loopback: certificates, a name server, and a publisher, as real as they can be on one machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from connector.peppol.identifiers import AS4, Participant, Service

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


@dataclass
class Key:
    """A key pair and its certificate."""

    private: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


def certify(
    name: str,
    by: Key | None = None,
    *,
    ca: bool = False,
    uid: str = "",
    since: datetime = NOW - timedelta(days=400),
    until: datetime = NOW + timedelta(days=400),
    sign_certificates: bool = True,
    host: str = "",
) -> Key:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    parts += [x509.NameAttribute(NameOID.USER_ID, uid)] if uid else []
    subject = x509.Name(parts)
    issuer = subject if by is None else by.certificate.subject
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False)  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=ca and sign_certificates, crl_sign=ca, **usage),
            critical=True,
        )
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return Key(private, builder.sign(private if by is None else by.private, hashes.SHA256()))


def revoke(by: Key, one: Key) -> bytes:
    """A revocation list of an authority that names a certificate, PEM."""
    entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(NOW).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
    builder = builder.last_update(NOW).next_update(NOW + timedelta(days=1)).add_revoked_certificate(entry)
    return builder.sign(by.private, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Authorities:
    """A root, its SMP authority, and a publisher that this has certified."""

    root: Key = field(default_factory=lambda: certify("Peppol Root (made up)", ca=True))
    smp: Key = field(init=False)
    publisher: Key = field(init=False)

    def __post_init__(self) -> None:
        self.smp = certify("Peppol SMP CA (made up)", self.root, ca=True)
        self.publisher = certify("PNO000001 SMP", self.smp, uid="PNO000001")


def entry(
    participant: Participant,
    service: Service,
    *,
    address: str = "https://ap.example/as4",
    process: str | None = None,
    transport: str = AS4,
    since: str = "2026-01-01T00:00:00Z",
    until: str = "2030-01-01T00:00:00Z",
    document: str | None = None,
    certificate: str = "Q0VSVA==",
) -> str:
    """An entry, not yet signed."""
    return f"""<smp:SignedServiceMetadata xmlns:smp="http://busdox.org/serviceMetadata/publishing/1.0/"
 xmlns:ids="http://busdox.org/transport/identifiers/1.0/" xmlns:wsa="http://www.w3.org/2005/08/addressing">
 <smp:ServiceMetadata>
  <smp:ServiceInformation>
   <ids:ParticipantIdentifier scheme="iso6523-actorid-upis">{participant.value}</ids:ParticipantIdentifier>
   <ids:DocumentIdentifier scheme="busdox-docid-qns">{document or service.document.value}</ids:DocumentIdentifier>
   <smp:ProcessList><smp:Process>
    <ids:ProcessIdentifier scheme="cenbii-procid-ubl">{process or service.process.value}</ids:ProcessIdentifier>
    <smp:ServiceEndpointList><smp:Endpoint transportProfile="{transport}">
     <wsa:EndpointReference><wsa:Address>{address}</wsa:Address></wsa:EndpointReference>
     <smp:RequireBusinessLevelSignature>false</smp:RequireBusinessLevelSignature>
     <smp:ServiceActivationDate>{since}</smp:ServiceActivationDate>
     <smp:ServiceExpirationDate>{until}</smp:ServiceExpirationDate>
     <smp:Certificate>{certificate}</smp:Certificate>
     <smp:ServiceDescription>x</smp:ServiceDescription>
     <smp:TechnicalContactUrl>mailto:help@ap.example</smp:TechnicalContactUrl>
    </smp:Endpoint></smp:ServiceEndpointList>
   </smp:Process></smp:ProcessList>
  </smp:ServiceInformation>
 </smp:ServiceMetadata>
</smp:SignedServiceMetadata>"""


def redirect(address: str, uid: str) -> str:
    """An entry that is elsewhere, not yet signed."""
    return f"""<smp:SignedServiceMetadata xmlns:smp="http://busdox.org/serviceMetadata/publishing/1.0/">
<smp:ServiceMetadata><smp:Redirect href="{address}"><smp:CertificateUID>{uid}</smp:CertificateUID></smp:Redirect>
</smp:ServiceMetadata></smp:SignedServiceMetadata>"""


def signed(
    text: str, key: Key, *, weak: bool = False, uri: str = "", prefix: str = "", exclusive: bool = False
) -> bytes:
    """An answer with a signature over the whole of it, made by hand (XML-DSig, enveloped).

    `prefix`: of the signature's elements; `exclusive`: its own part is canonicalised exclusively.
    """
    root = etree.fromstring(text)
    algorithm, name = (hashes.SHA1(), "sha1") if weak else (hashes.SHA256(), "sha256")
    covered = root if not uri else root.find(f".//*[@Id='{uri[1:]}']")
    covered = etree.fromstring(etree.tostring(covered, with_tail=False))
    digest = hashlib.new(name, etree.tostring(covered, method="c14n"))
    methods = {
        "sha256": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"),
        "sha1": (f"{DS}rsa-sha1", f"{DS}sha1"),
    }
    signs, digests = methods[name]
    algorithm_of = EXCLUSIVE if exclusive else C14N
    drawn = f"""<Signature xmlns="{DS}"><SignedInfo>
<CanonicalizationMethod Algorithm="{algorithm_of}"/><SignatureMethod Algorithm="{signs}"/>
<Reference URI="{uri}"><Transforms><Transform Algorithm="{DS}enveloped-signature"/></Transforms>
<DigestMethod Algorithm="{digests}"/><DigestValue>{base64.b64encode(digest.digest()).decode()}</DigestValue>
</Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate>{key.base64}</X509Certificate></X509Data>
</KeyInfo></Signature>"""
    if prefix:
        drawn = re.sub(r"<(/?)(?=[A-Z])", rf"<\1{prefix}:", drawn).replace("xmlns=", f"xmlns:{prefix}=")
    signature = etree.fromstring(drawn)
    # What is signed is SignedInfo as it stands in the document, so with the namespaces around it.
    root.append(signature)
    # (Written out and read again: lxml canonicalises a part of a tree wrongly where namespaces have no prefix.)
    info = etree.tostring(
        etree.fromstring(etree.tostring(signature[0], with_tail=False)), method="c14n", exclusive=exclusive
    )
    value = key.private.sign(info, padding.PKCS1v15(), algorithm)
    signature[1].text = base64.b64encode(value).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


# --- the name server --------------------------------------------------------------------------------------------------

Zone = dict[str, Any]
"""What is known: a name, and its NAPTR texts; a number is an answer's code; "silent" never answers."""


class _Names(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: list[str] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        self.asked.append(str(question.name))
        found = self.zone.get(str(question.name).lower().rstrip("."))
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        if found == "silent":
            return
        if found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif isinstance(found, int):
            answer.set_rcode(dns.rcode.Rcode(found))
        else:
            for name, kind, *texts in found:
                answer.answer.append(dns.rrset.from_text(name or str(question.name), 60, "IN", kind, *texts))
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[tuple[str, list[str]]]:
    """A name server on a free port of loopback: its address, and the names it was asked for."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(lambda: _Names(zone), local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}", names.asked
    finally:
        transport.close()


# --- the publisher ----------------------------------------------------------------------------------------------------

Page = tuple[int, bytes] | Callable[[], Any]


@dataclass
class Publisher:
    """Answers GET with what `pages` say, by the decoded path; 404 for what is not there."""

    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Publisher:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}" if self.tls is None else f"https://localhost:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            raw = head.split(" ")[1]
            self.asked.append(raw)
            page = self.pages.get(unquote(raw), (404, b""))
            page = await page() if callable(page) else page
            status, body, *more = page
            lines = "".join(f"{name}: {value}\r\n" for name, value in (more[0] if more else {}).items())
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
