"""phoss-ap as the house sees it: one step that submits, a status that is asked for, and documents that are pushed.

Documents are submitted raw (`submit`) and not in our envelope (`submit-sbd`): so the access point writes the envelope
that its own version and registration call for (the scopes for message level status among them), and its own checks of
outgoing documents, where they are switched on, see the document. The instance id is ours both ways, and both are asked
about alike.

It knows no duplicates: an instance that is submitted twice is sent twice, and afterwards its status may be 404, as if
it had never been there. So a look that finds nothing speaks for one lost answer and never for two (`Step.speaks_for`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.access_points.phoss_ap.callbacks import Callbacks
from adapters.access_points.phoss_ap.client import Client
from adapters.access_points.phoss_ap.wire import Report, Transaction
from connector import ports
from connector.errors import ConnectorError, Refused, UnknownOutcome
from connector.ports import (
    ConnectionConfig,
    Inbox,
    Lane,
    Probe,
    Proof,
    Reason,
    Run,
    State,
    Status,
    Step,
    Transmission,
)

if TYPE_CHECKING:
    from adapters.access_points.phoss_ap import Secrets, Settings
    from connector.http import Http

ACTOR = "iso6523-actorid-upis"
FORWARDING = "http_post_sync"
"""How it must hand over: in no other of its modes does it read our answer."""
LONGEST = 255
"""Characters of a custom field."""
_MLS: dict[str, State] = {"received_ap": "delivered", "received_ab": "delivered", "received_re": "refused"}
_REFUSED = Reason(
    "RE",
    "The receiver's access point does not hand it on. Why stands in its message (MLS), which whoever runs phoss-ap can"
    " read.",
)
_STATES: dict[str, State] = {
    "pending": "accepted",
    "sending": "accepted",
    "failed": "accepted",  # an attempt failed, another is planned
    "sent": "sent",
    "rejected": "failed",  # by its own checks: nothing was sent
    "permanently_failed": "failed",
}


class PhossAp:
    """A company's connection to one phoss-ap.

    Args:
        connection: whose it is.
        settings, secrets: as in the tenant's file.
        http: calls below the server's address.
    """

    def __init__(self, connection: ConnectionConfig, settings: Settings, secrets: Secrets, http: Http) -> None:
        self._settings = settings
        self._client = Client(http, secrets.token)
        digest = hashlib.sha256(f"{settings.base_url} {secrets.token.get_secret_value()}".encode()).hexdigest()
        self.lane = Lane(f"phoss-ap:{digest[:16]}", width=settings.parallel)
        self.largest = None if settings.largest_mb is None else settings.largest_mb * 2**20
        self.inbox_every: timedelta | None = None
        self.looks_up = False
        self.follow_after = timedelta(seconds=settings.follow_after)
        self.callbacks: ports.Callbacks | None = None
        if secrets.hook_secret is not None:
            secret = secrets.hook_secret.get_secret_value()
            http.keep_secret(secret)
            self.callbacks = Callbacks(header=settings.hook_header, secret=secret, country=settings.country)

    async def probe(self) -> Probe:
        """Ask for what is under way, which needs the token, and what the server says of itself."""
        await self._client.under_way()
        said = await self._client.management()
        missing = []
        if said.peppol_sending_enabled is False:
            missing.append("Sending is switched off in phoss-ap (peppol.sending.enabled).")
        if said.peppol_receiving_enabled is False:
            missing.append("Receiving is switched off in phoss-ap (peppol.receiving.enabled).")
        if self.callbacks is not None and said.forwarding_mode not in (None, FORWARDING):
            missing.append(
                f"phoss-ap hands over by {said.forwarding_mode}: set forwarding.mode={FORWARDING} there, so that it"
                " reads our answer."
            )
        about = (said.build_version, said.peppol_stage and f"{said.peppol_stage} network", said.peppol_owner_seatid)
        return Probe(" ".join(("phoss-ap", *filter(None, about))), None, missing=missing)

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """Submit it. Raises `Refused` ("document-too-large")."""
        if self.largest is not None and len(transmission.document) > self.largest:
            raise Refused(
                f"The document has {len(transmission.document)} bytes; this access point takes {self.largest}.",
                code="document-too-large",
                do="Make the attachments smaller.",
            )

        async def call(run: Run) -> Proof:
            try:
                report = await self._client.submit(
                    (
                        f"{ACTOR}::{transmission.sender}",
                        f"{ACTOR}::{transmission.receiver}",
                        transmission.document_type,
                        transmission.process,
                        transmission.country,
                    ),
                    transmission.document,
                    timeout=self._settings.timeout,
                    sbdhInstanceID=transmission.instance,
                    custom1=run.goal.marker[:LONGEST],
                    custom2=transmission.number[:LONGEST] if transmission.number else None,
                )
            except UnknownOutcome as lost:
                if lost.refused is None:
                    raise
                # It says that it did not take it, and may have: asked at once, and by the lanes once more.
                try:
                    found = await look(run)
                except ConnectorError:
                    raise lost from None
                if not found:
                    raise
                return found[0]
            return _submitted(report, transmission.instance)

        async def look(_: Run) -> Sequence[Proof]:
            there = await self._client.transaction(transmission.instance)
            return [] if there is None else [_taken(there, transmission.instance)]

        return [Step("submit", call, look, timeout=self._settings.timeout, settle=self._settings.settle, speaks_for=1)]

    async def status(self, id: str, instance: str) -> Status | None:
        """What became of a transmission; None: it is not known here, or was submitted twice."""
        found = await self._client.transaction(id or instance)
        return None if found is None else status_of(found)

    async def inbox(self, cursor: str | None) -> Inbox:
        """Nothing ever waits: phoss-ap hands over by its calls, or into a folder (which is another driver's)."""
        return Inbox(())

    async def acknowledge(self, message: str) -> None:
        """Nothing: the answer to its call has said so."""

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """It does not tell."""
        return None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def status_of(found: Transaction) -> Status:
    """A transaction in the house's words. What the receiver's access point says comes before all: it has the document,
    whatever was written down here.
    """
    mls = found.mlsStatus or ""
    if mls in _MLS:
        # `errorDetails` is of the last attempt that failed, and stays when a later one succeeds: no reason for this.
        return Status(_MLS[mls], mls, [_REFUSED] if _MLS[mls] == "refused" else [])
    said = found.status or ""
    state = _STATES.get(said, "accepted")
    reasons = [Reason(said, found.errorDetails)] if found.errorDetails and state != "sent" else []
    if state == "failed" and not reasons:
        reasons = [Reason(said, "phoss-ap does not tell why.")]
    at = found.completedDT if state == "sent" else found.createdDT if said == "pending" else None
    return Status(state, said, reasons, at)


def _submitted(report: Report, instance: str) -> Proof:
    """It was taken: `sent` where the first attempt went well, also where what comes after it did not."""
    sent = report.sendingSuccess if report.sendingSuccess is not None else report.overallSuccess
    facts: dict[str, object] = {"state": "sent" if sent else "accepted", "said": report.sendingResult or "taken"}
    if report.as4MessageId:
        facts["as4_message"] = report.as4MessageId
    if not sent:
        facts["reasons"] = [{"code": code, "text": text[:1000]} for code, text in report.reasons()]
    return Proof(report.sbdhInstanceIdentifier or instance, facts)


def _taken(found: Transaction, instance: str) -> Proof:
    """It is there. What has become of it since is for `status`; the flow knows it as taken."""
    state = status_of(found).state
    return Proof(
        instance, {"state": "sent" if state in ("sent", "delivered", "refused") else "accepted", "said": found.status}
    )
