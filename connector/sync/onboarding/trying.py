"""The test call: whose books these are, and which rights and modules are missing; in the connection's lane."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connector.errors import VendorError
from connector.lanes import Found, Work
from connector.store import Store, Tx, onboarding
from connector.sync.asking import ask_read
from connector.sync.onboarding.checklist import TEST_CALL
from connector.sync.reads import check_company
from connector.sync.spokes import Spoke, Spokes

TRY = "try-connection"
"""Kind of the work that makes the test call."""


def ask(tx: Tx, spoke: Spoke) -> None:
    """Have the test call made, before everything else that waits in the lane."""
    ask_read(tx, spoke, TRY)


class Try:
    """Makes the test call, and notes what it found (`lanes.ReadHandler`)."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    async def read(self, work: Work) -> Found:
        """A refusal is what was found, too: nothing is paused for a test."""
        spoke = self.spokes.spoke(work.connection or "")
        said: dict[str, Any]
        try:
            found = await spoke.accounting.probe()
            await check_company(spoke, self.spokes)
            said = {"company": found.company, "missing": list(found.missing), "needs": list(found.needs)}
            said["reaches"] = [asdict(one) for one in found.reaches]
        except VendorError as error:
            said = {"company": "", "missing": [f"{error.said} {error.do}".strip()], "error": error.as_json()}
        state = "wanting" if said["missing"] else "works"
        return Found(
            lambda tx: onboarding.put(tx, spoke.tenant, spoke.id, TEST_CALL, state, who="connector", details=said)
        )
