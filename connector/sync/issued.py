"""From having a number to being sent: where this service sends, whoever sends is told once a document is issued."""

from __future__ import annotations

from connector.mapping.tenants import CONNECTOR
from connector.store import Tx
from connector.store.documents import Document
from connector.sync.files import ISSUED
from connector.sync.spokes import Spokes


def issued(tx: Tx, spokes: Spokes, document: Document) -> None:
    """Tell of a document that has its number, where its route says that this service sends.

    What a person has issued in a ledger comes on no route and is not sent unasked: that ledger sends it, or somebody
    asks for it.
    """
    route = spokes.tenant(document.tenant).routes.get(document.source or "")
    if route is not None and route.sends == CONNECTOR and document.number and document.kind in ISSUED:
        spokes.issued(tx, document)
