"""What would stand behind a document's references, if it were taken: the mapping's view of links to come."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from connector.errors import Stop
from connector.options import Option, Options
from connector.store import Tx, documents, links
from connector.sync.identity import CODED, by_code
from connector.sync.spokes import Linked, Spoke

_LATER = "0"
"""Stands for a record that is made, or found, just before."""


class Foreseen(Linked):
    """As `Linked` when the document is pushed. What is made on the way counts as there; what never is must be there:
    among the hub's links, or in the ledger's options.

    `kinds`: the kinds that the document's references are of (customer, the invoice it credits).
    """

    def __init__(self, tx: Tx, spoke: Spoke, options: Options | None, kinds: Mapping[str, str]) -> None:
        super().__init__(tx, spoke.id, dict(kinds))
        self.spoke = spoke
        self.options = options

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The vendor's id, or what stands for one that is there by then.

        Raises:
            Stop: `…-inactive`, `…-unknown`: as the push would end.
        """
        if self.other(kind):
            return None
        if kind in CODED and isinstance(ours, str):
            return self._coded(kind, ours)
        return _LATER

    def _coded(self, kind: str, code: str) -> str:
        there = by_code(self.tx, self.spoke.tenant, kind, code)
        link = links.of(self.tx, there.id, self.spoke.id, kind) if there else None
        if there is not None and not (there.body or {}).get("active", True):
            raise _closed(kind, code)
        if link is not None:
            return link.vendor_id
        known = self.options.dimension(kind) if self.options else None
        if known is None:
            return _LATER  # nothing can be said against it
        found = [one for one in known.values if one.is_called(code)]
        if any(one.active for one in found):
            return _LATER
        if found:
            raise _closed(kind, code)
        if kind in self.spoke.mapping and self.spoke.mapping[kind].bound.register.creates != "never":
            return _LATER
        raise _missing(self.spoke, kind, code, [one for one in known.values if one.active])


def _closed(kind: str, code: str) -> Stop:
    return Stop(
        f"The {kind} {code} is closed for new documents.",
        code=f"{kind}-inactive",
        do="Use another, or make it active again.",
        where={"kind": kind, "code": code},
    )


def _missing(spoke: Spoke, kind: str, code: str, values: list[Option]) -> Stop:
    shown = {name: f"{one.code} {one.name}".strip() for one in values for name in (one.code, one.name) if name}
    near = list(dict.fromkeys(shown[name] for name in get_close_matches(code, shown, n=3, cutoff=0.5)))
    return Stop(
        f"{spoke.name} has no {kind} {code}, and the mapping does not have one made."
        + (f" Did you mean {' or '.join(near)}?" if near else ""),
        code=f"{kind}-unknown",
        do=f"Make it there; mend the document; or let the mapping make it (kinds.{kind}, creates: needed).",
        where={"kind": kind, "code": code, "meant_nb": f" Mente du {' eller '.join(near)}?" if near else ""},
        details={"near": near},
    )


def customer_there(tx: Tx, id: str | None, tenant: str) -> bool | None:
    """Whether the customer that a document is for may have new ones; None: it is not known here yet."""
    there = documents.peek(tx, tenant, id) if id else None
    return None if there is None else bool((there.body or {}).get("active", True))
