"""What is refused before anything is sent: documents that an access point cannot carry."""

from __future__ import annotations

import re

from connector.errors import Refused
from connector.ports import Transmission

_BILLING = re.compile(
    r"busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:(?:Invoice-2::(Invoice)|CreditNote-2::(CreditNote))"
    r"##urn:cen\.eu:en16931:2017#compliant#urn:fdc:peppol\.eu:2017:poacc:billing:3\.0::2\.1"
)


def billing(document_type: str) -> str | None:
    """`Invoice` or `CreditNote` where it is one of Peppol BIS Billing 3.0 (EHF); None for everything else, self-billed
    invoices included.
    """
    found = _BILLING.fullmatch(document_type)
    return None if found is None else found[1] or found[2]


def too_large(transmission: Transmission, largest: int | None) -> Refused | None:
    """The refusal of a document with more bytes than are sent."""
    if largest is None or len(transmission.document) <= largest:
        return None
    return Refused(
        f"The document has {len(transmission.document)} bytes; this connection sends {largest} at most.",
        code="document-too-large",
        do="Send it with smaller attachments, or through an access point that takes it.",
    )


def not_sent(transmission: Transmission, name: str, what: str) -> Refused:
    """The refusal of a type of document; `what` goes through this access point."""
    return Refused(
        f"Nothing of this type is sent through {name}: {transmission.root} ({transmission.document_type}).",
        code="document-type-not-sent",
        do=f"Name another access point for it; through {name} go {what}.",
    )
