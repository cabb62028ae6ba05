"""What every access point's stand-in shares: a small Peppol network in memory, and a desk to move things in it.

A stand-in is an `AccessPointSandbox` that speaks its vendor's language on top of `network`. In a test:

    async with Sandbox(pace=Pace(sent=0.1, delivered=0.1)) as box:
        box.network.plans.append(Plan(number="1001", failures=1))   # the first attempt fails, the second succeeds
        …                                                           # the driver sends
        box.network.become(box.network.find("1001"), "refused", "The buyer is unknown here.", "BV")   # late
        assert box.network.arrived() == {"1001": 1}
        box.network.come(invoice, times=2)                          # the same message, delivered twice
        box.network.answer(box.network.find("1001"), response)      # the buyer answers

What can go wrong: status that comes later (`Pace`), attempts that fail, giving up, refusal before it was sent and long
after (`Plan`, `become`), duplicates (`times`), and everything that a network does to a caller (`adapters.loopback`):
`box.fault("POST /…", "no-answer")` takes the document and cuts the connection, `box.fault("GET /…", "stale", count=2)`
does not know yet what was sent since then, twice.

From outside, over HTTP: `/_desk/…` (see `desk`) and `/fault`.

`papers` what stands on documents and envelopes, `network` what becomes of them, `desk` the calls that move things,
`calling` a stand-in's own calls to others.
"""

from __future__ import annotations

from typing import Any

from adapters.access_points.sandbox import desk
from adapters.access_points.sandbox.network import Incoming, Moment, Network, Pace, Plan, Rejected, Transmission
from adapters.access_points.sandbox.papers import Papers
from adapters.loopback import Loopback, Request

__all__ = [
    "AccessPointSandbox",
    "Incoming",
    "Moment",
    "Network",
    "Pace",
    "Papers",
    "Plan",
    "Rejected",
    "Transmission",
]


class AccessPointSandbox(Loopback):
    """An access point on loopback.

    Args:
        pace: how long things take; without it everything that is sent has arrived at once.
        network: one that is shared with other stand-ins, instead of one of its own.
        more: see `Loopback`: host, port, latency, keep.
    """

    def __init__(self, *, pace: Pace | None = None, network: Network | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.network = network or Network(pace)

    def own(self, request: Request) -> Any:
        """The desk's calls, see `desk`."""
        return desk.call(self.network, request)
