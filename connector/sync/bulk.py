"""Changes in bulk: when more of a kind changes at once than the mapping believes, nothing is taken over unasked.

A script that went astray in a ledger changes every customer in a minute. What one read shows, all its pages together,
is held against the share that `changed_at_most` allows; above it the page is not kept, its cursor stays, and a person
is asked. When the person says that it is meant, what changes is taken for a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from connector.errors import Stop
from connector.lanes import Verb
from connector.ports import Kind
from connector.store import Tx, attention, connections, links
from connector.sync.spokes import Spoke

MANY_CHANGED = "many-changed"
BELIEVED = timedelta(days=1)
"""How long a person's word holds."""


def too_many(tx: Tx, spoke: Spoke, kind: Kind, changed: int) -> bool:
    """Whether so many changed records of a kind, in one read or comparison, are more than is believed."""
    share = spoke.mapping[kind].limits.changed_at_most if kind in spoke.mapping else None
    if share is None or changed <= _most(tx, spoke, kind, share):
        return False
    word = connections.cursor(tx, spoke.id, _word(kind))
    return word is None or datetime.fromisoformat(word) + BELIEVED < tx.now


def ask(tx: Tx, spoke: Spoke, kind: Kind, changed: int) -> None:
    """Ask a person whether so many changes are meant."""
    share = spoke.mapping[kind].limits.changed_at_most or Decimal(0)
    there, most = links.count(tx, spoke.id, kind), _most(tx, spoke, kind, share)
    reason = Stop(
        f"At least {changed} of {there} {kind}s have changed in {spoke.name} at once; the mapping believes {most}."
        " No more of it is taken over.",
        code="too-many-changed",
        do="See what happened there, and mend it there where it is not meant. Then say that what stands there holds:"
        " connector attention resolve ITEM theirs; what changes is taken over for a day.",
        where={"connection": spoke.id, "kind": str(kind)},
        details={"linked": there, "changed": changed, "at_most": most},
    )
    verbs = (Verb.THEIRS, Verb.IGNORE)
    attention.ask(tx, tenant=spoke.tenant, about=_about(spoke, kind), reason=reason, verbs=verbs, connection=spoke.id)


def so_far(tx: Tx, spoke: Spoke, kind: Kind) -> int:
    """How many changes the pages of the read that is under way have shown."""
    return int(connections.cursor(tx, spoke.id, _counted(kind)) or 0)


def count(tx: Tx, spoke: Spoke, kind: Kind, changed: int) -> None:
    """Note how many they were with this page; 0: it was the last one."""
    if changed != so_far(tx, spoke, kind):
        connections.put_cursor(tx, spoke.id, _counted(kind), str(changed))


def settled(tx: Tx, spoke: Spoke, kind: Kind) -> None:
    """A read was kept: what was asked about is over."""
    attention.close(tx, _about(spoke, kind), who=spoke.name, how="in order again")


def believe(tx: Tx, spoke: Spoke, kind: Kind) -> None:
    """A person says that the changes are meant."""
    connections.put_cursor(tx, spoke.id, _word(kind), tx.now.isoformat())


def _most(tx: Tx, spoke: Spoke, kind: Kind, share: Decimal) -> int:
    return max(1, int(links.count(tx, spoke.id, kind) * share / Decimal(100)))


def _about(spoke: Spoke, kind: Kind) -> str:
    return f"{MANY_CHANGED}:{spoke.id}:{kind}"


def _word(kind: Kind) -> str:
    return f"believed:{kind}"


def _counted(kind: Kind) -> str:
    return f"changed:{kind}"
