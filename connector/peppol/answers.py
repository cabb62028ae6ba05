"""What others answer to our documents: message level statuses and invoice responses."""

from __future__ import annotations

from connector.errors import Stop
from connector.mapping import Tenant
from connector.peppol.points import Points
from connector.store import Tx


def take(tx: Tx, points: Points, tenant: Tenant, document: bytes, *, key: str, sender: str | None) -> str | None:
    """An answer that came in; the id of the document it speaks of."""
    raise Stop("It is an answer to a document of ours.", code="document-type-unknown", where={"sender": sender})
