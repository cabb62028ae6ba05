"""The test call: whose books these are, and which rights and modules are missing; in the connection's lane."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connector.errors import Misconfigured, NeedsPerson, TryLater, VendorError
from connector.lanes import Found, Turn, Work
from connector.ports import Company, Probe
from connector.store import Tx, onboarding, work
from connector.sync.onboarding.checklist import TEST_CALL
from connector.sync.spokes import Handler, Outside

TRY = "try-connection"
"""Kind of the work that makes the test call."""


def ask(tx: Tx, spoke: Outside) -> str:
    """Have the test call made, before everything else that waits in the lane. The work that does it.

    The work names the connection in its task alone: a paused connection is tried, too, for that is how a person sees
    whether it may go on.
    """
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.PERSON,
        role="read",
        kind=TRY,
        task={"connection": spoke.id, "name": spoke.name},
        coalesce=f"{TRY}:{spoke.id}",
    )


def found(tx: Tx, spoke: Outside) -> Probe:
    """What the last test call found.

    Raises:
        NeedsPerson: the connection itself, with the plugin's own code; `company-differs`: another company's books.
        VendorError: why it failed otherwise.
    """
    entry = onboarding.get(tx, spoke.id, TEST_CALL)
    said: dict[str, Any] = entry.details if entry is not None else {}
    if (error := said.get("error")) is not None:
        made = NeedsPerson if said.get("person") else VendorError
        raise made(**{name: error.get(key) for name, key in _ERROR.items()})
    return Probe(
        said["company"],
        said.get("organisation_number"),
        tuple(said["missing"]),
        tuple(said["needs"]),
        tuple(Company(**one) for one in said["reaches"]),
    )


_ERROR = {"said": "message", "code": "code", "do": "do", "where": "where", "details": "details"}


class Try(Handler):
    """Makes the test call, and notes what it found (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """A refusal is what was found, too: nothing is paused for a test.

        Raises:
            TryLater: whoever serves the lane was started before the connection stood in the file.
        """
        id, name = work.task["connection"], work.task["name"]
        said: dict[str, Any]
        try:
            said = asdict(await self.spokes.try_out(id))
        except Misconfigured:
            raise TryLater(
                f"The service that is running does not know {name}: it was started before {name} stood in the file.",
                code="connection-not-known-yet",
                do="Start the service again, then try once more.",
                after=5.0,
            ) from None
        except VendorError as error:
            said = {"company": "", "missing": [f"{error.said} {error.do}".strip()], "error": error.as_json()}
            said["person"] = isinstance(error, NeedsPerson)
        state = "wanting" if said["missing"] else "works"
        return Found(lambda tx: onboarding.put(tx, work.tenant, id, TEST_CALL, state, who="connector", details=said))
