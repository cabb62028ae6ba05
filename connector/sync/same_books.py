"""Two connections that open the same books: everything in them would be here twice, and what both are told, there.

In one tenant's file they are one too many, whatever secrets open them; of two tenants a person is told, on the later
one's list: it may be meant (a tenant for trying things out), and neither sees anything of the other.
"""

from __future__ import annotations

from connector.errors import NeedsPerson, Stop
from connector.lanes import Verb
from connector.ports import Company
from connector.store import Tx, attention, connections
from connector.sync.spokes import Spoke, Spokes

_OPENS = "opens"
"""Cursor of a connection: which books it opens."""


def opened(tx: Tx, spokes: Spokes, spoke: Spoke, there: Company) -> None:
    """Note which books a connection opens, before the first is kept of what it reads.

    Raises:
        NeedsPerson: another connection of the tenant opens them already (`connection-twice`).
    """
    books = f"{spoke.mapping.system} {there.at} {there.id}"
    others = [one for one in spokes.spokes() if one.id != spoke.id and connections.cursor(tx, one.id, _OPENS) == books]
    ours = next((one for one in others if one.tenant == spoke.tenant), None)
    if ours is not None:
        raise NeedsPerson(
            f"{spoke.name} opens the books of {there.name}, and so does {ours.name}: everything in them would be here"
            " twice.",
            code="connection-twice",
            do=f"Use {ours.name} on the routes and take {spoke.name} out of {spokes.tenant(spoke.tenant).file}; or give"
            f" {spoke.name} the secrets of the books that are meant, then start again and resume it.",
            where={"connection": spoke.name, "file": spokes.tenant(spoke.tenant).file},
            details={"company": there.id, "name": there.name, "other": ours.name},
        )
    connections.put_cursor(tx, spoke.id, _OPENS, books)
    if others:
        reason = Stop(
            f"{spoke.name} opens the books of {there.name}, which another tenant of this service has connected as well:"
            " what both are told is booked there twice.",
            code="books-of-another-tenant",
            do="Where that is not meant, pause one of the two (`connector connections pause`) and take it out of its"
            " tenant's file. ignore: it is meant.",
            where={"connection": spoke.name},
            details={"company": there.id, "name": there.name},
        )
        about = f"opens:{spoke.id}"
        attention.ask(tx, tenant=spoke.tenant, about=about, reason=reason, verbs=(Verb.IGNORE,), connection=spoke.id)
