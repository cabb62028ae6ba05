"""Whose signatures count: a folder of certificates of the authorities that certify publishers, and what they revoked.

The folder holds the certificates of Peppol's SMP authority and its root (PEM or DER: `.pem`, `.crt`, `.cer`, `.der`),
and, where one keeps them, revocation lists (`.crl`). Of a document, only the signer's own certificate is taken: what
else it brings along proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from connector.errors import ConnectorError, Misconfigured

_LONGEST = 5
_Read = TypeVar("_Read")


class Untrusted(ConnectorError):
    """A signature that does not count."""

    default_code = "signature-wrong"
    default_do = "Nothing is believed of what it says. Try again later; if it stays so, tell the receiver."


@dataclass(frozen=True)
class Trust:
    """The authorities we believe, and what they have revoked."""

    authorities: tuple[x509.Certificate, ...]
    revoked: tuple[x509.CertificateRevocationList, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Trust:
        """What a folder holds.

        Raises:
            Misconfigured: there is no such folder, nothing in it, or a file that is no certificate
                (`trust-store-missing`, `trust-store-wrong`).
        """
        do = "Put the certificates of Peppol's SMP authority and its root there (.pem); OpenPeppol hands them out."
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        certificates: list[x509.Certificate] = []
        lists: list[x509.CertificateRevocationList] = []
        for file in files:
            data = file.read_bytes()
            pem = b"-----BEGIN" in data
            if file.suffix in (".pem", ".crt", ".cer", ".der"):
                certificates += _read(file, data, x509.load_pem_x509_certificates if pem else _one_der)
            elif file.suffix == ".crl":
                one = x509.load_pem_x509_crl if pem else x509.load_der_x509_crl
                lists.append(_read(file, data, one))
        if not certificates:
            raise Misconfigured(f"No certificates are in {folder}.", code="trust-store-missing", do=do)
        return cls(tuple(certificates), tuple(lists))

    def check(self, certificate: x509.Certificate, now: datetime) -> None:
        """Whether an authority we believe has certified this one, up to where our knowledge ends.

        Raises:
            Untrusted: `certificate-untrusted` (nobody we know has issued it), `certificate-expired` (or not yet
                valid), `certificate-revoked`.
        """
        one = certificate
        for _ in range(_LONGEST):
            if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
                days = f"from {one.not_valid_before_utc:%Y-%m-%d} to {one.not_valid_after_utc:%Y-%m-%d}"
                raise Untrusted(f"The certificate of {_name(one)} is valid {days}.", code="certificate-expired")
            issuer = next((other for other in self.authorities if _issued(one, other)), None)
            if issuer is None:
                if one is not certificate and one in self.authorities:
                    return  # an authority that we were told to believe, and know nothing above
                raise Untrusted(
                    f"The certificate of {_name(one)} is from {one.issuer.rfc4514_string()}, who is not trusted.",
                    code="certificate-untrusted",
                )
            if any(_revokes(found, issuer, one) for found in self.revoked):
                raise Untrusted(f"The certificate of {_name(one)} has been revoked.", code="certificate-revoked")
            if issuer == one:
                return
            one = issuer
        raise Untrusted(f"The chain above {_name(certificate)} is too long.", code="certificate-untrusted")


def _read(file: Path, data: bytes, read: Callable[[bytes], _Read]) -> _Read:
    try:
        return read(data)
    except ValueError:
        raise Misconfigured(
            f"{file} is no certificate, or no revocation list.",
            code="trust-store-wrong",
            do="Keep only certificates (.pem, .crt, .cer, .der) and revocation lists (.crl) in that folder.",
            where={"file": str(file)},
        ) from None


def _one_der(data: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(data)]


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    if one.issuer != issuer.subject or not _may_issue(issuer.extensions):
        return False
    try:
        one.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _may_issue(extensions: Iterable[x509.Extension[x509.ExtensionType]]) -> bool:
    said = {type(extension.value): extension.value for extension in extensions}
    basic, usage = said.get(x509.BasicConstraints), said.get(x509.KeyUsage)
    return (isinstance(basic, x509.BasicConstraints) and basic.ca) and (
        not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign
    )


def _revokes(found: x509.CertificateRevocationList, issuer: x509.Certificate, one: x509.Certificate) -> bool:
    key = issuer.public_key()
    if found.issuer != issuer.subject or not found.is_signature_valid(key):  # type: ignore[arg-type]
        return False
    return found.get_revoked_certificate_by_serial_number(one.serial_number) is not None


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or f"number {certificate.serial_number:x}"
