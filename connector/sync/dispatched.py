"""What a system has sent itself: read, kept with the link, told in the feed, and never sent again."""

from __future__ import annotations

from connector.ports import Record
from connector.store import Tx, links
from connector.store.links import Link
from connector.sync.spokes import Spoke

SENT = "sent"
"""`Link.dispatch` of what the system has sent to its receiver. It stays so, whatever is said later."""
_EVENTS = {SENT: "sent", "failed": "not_sent"}


def note(tx: Tx, spoke: Spoke, link: Link, record: Record) -> Link:
    """Keep what the record says about having been sent, and tell it once."""
    said = record.dispatch
    if said is None or link.dispatch in (SENT, said.state):
        return link
    data = {"connection": spoke.name, "by": spoke.name, "channel": said.channel, "said": said.said}
    kind = link.kind.partition(":")[0]
    tx.emit(
        spoke.tenant,
        f"{kind}.{_EVENTS[said.state]}",
        document=link.document,
        connection=spoke.id,
        data={name: value for name, value in (data | {"number": link.number}).items() if value is not None},
    )
    return links.change(tx, link, state=link.state, dispatch=said.state)
