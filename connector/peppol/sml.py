"""The name servers of Peppol (SML): at which publisher a participant's entry is.

A NAPTR record under `BASE32(SHA-256(participant)).iso6523-actorid-upis.<zone>`. The older way (a CNAME on an MD5 hash)
is forbidden since November 2025 and not here.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from connector.errors import TryLater
from connector.peppol.identifiers import ACTOR, Participant

PRODUCTION: Final = "participant.sml.prod.tech.peppol.org"
"""The zone of real participants."""
TEST: Final = "participant.sml.test.tech.peppol.org"
"""The zone of trials; an answer in one zone says nothing about the other."""

_SERVICE: Final = b"meta:smp"
_PATTERNS: Final = frozenset({".*", "^.*$"})


def name(participant: Participant, zone: str = PRODUCTION) -> str:
    """The name under which a participant's entry is looked for."""
    digest = hashlib.sha256(participant.value.encode()).digest()
    return f"{base64.b32encode(digest).decode().rstrip('=')}.{ACTOR}.{zone}"


async def find(resolver: dns.asyncresolver.Resolver, participant: Participant, zone: str = PRODUCTION) -> str | None:
    """Address of the publisher that has the participant's entry; None: it is not registered.

    Raises:
        TryLater: nobody knows now (`sml-unreachable`: no answer in time, or a name server that failed;
            `sml-answer`: a record that cannot be understood). Nothing follows from it about the receiver.
    """
    asked = name(participant, zone)
    try:
        answer = await resolver.resolve(dns.name.from_text(asked), dns.rdatatype.NAPTR)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except (dns.exception.DNSException, OSError) as error:
        raise TryLater(
            f"The name servers of Peppol gave no answer about {participant} ({type(error).__name__}).",
            code="sml-unreachable",
            do="Try again; if it stays so, see whether this machine may ask name servers (port 53).",
        ) from None
    records = sorted(
        (record for record in answer if record.flags.upper() == b"U" and record.service.lower() == _SERVICE),
        key=lambda record: (record.order, record.preference),
    )
    return _address(records[0].regexp.decode("utf-8", "replace"), participant) if records else None


def _address(regexp: str, participant: Participant) -> str:
    """What a record's regular expression puts in place of the whole name: the text between its last two marks.

    It is not applied: the pattern matches everything, and an engine that replaces every match would write it twice.
    """
    parts = regexp.split(regexp[:1]) if regexp else []
    if len(parts) != 4 or parts[1] not in _PATTERNS or not _is_address(parts[2]):
        raise TryLater(
            f"What the name servers of Peppol say about {participant} cannot be understood: {regexp[:120]!r}.",
            code="sml-answer",
            do="Try again later; if it stays so, the receiver's access point must mend its registration.",
        )
    return parts[2].rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)
