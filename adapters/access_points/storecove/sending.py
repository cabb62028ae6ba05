"""Documents on their way out: one call with our own key in it.

No e-mail address goes along, so that Storecove sends by Peppol or not at all. The first call under a key is the one
that counts, and nothing can be looked up by it; so the way to find out whether a call was taken is to make it again.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from adapters.access_points import taking
from adapters.access_points.answers import ThereAlready
from adapters.access_points.storecove.client import Client
from connector.errors import Refused, UnknownOutcome
from connector.http import now
from connector.ports import Proof, Run, Step, Transmission

SCHEMES: Mapping[str, str] = {"0192": "NO:ORG", "0088": "GLN"}
"""Storecove's names for schemes of participants."""


class Sending:
    """The flow of a transmission.

    Args:
        client: the account's calls.
        legal_entity: who sends.
        schemes: names of schemes beside `SCHEMES`.
        parse, timeout, settle: see the settings.
        largest: bytes that a document may have.
    """

    def __init__(
        self,
        client: Client,
        *,
        legal_entity: int,
        schemes: Mapping[str, str],
        parse: bool,
        largest: int | None,
        timeout: float,
        settle: float,
    ) -> None:
        self._client, self._legal_entity, self._parse = client, legal_entity, parse
        self._schemes = {**SCHEMES, **schemes}
        self._largest, self._timeout, self._settle = largest, timeout, settle
        self._lost: dict[str, float] = {}
        """When answers were lost, by our key, on the clock of `connector.http`."""

    def routed(self, participant: str) -> dict[str, str] | None:
        """A participant in Storecove's names; None where its scheme has none that we know."""
        scheme, _, id = participant.partition(":")
        return {"scheme": self._schemes[scheme], "id": id} if scheme in self._schemes else None

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """One step. Raises `Refused` ("document-type-not-sent", "scheme-unknown", "document-too-large",
        "key-unfit").
        """
        submission = self._submission(transmission)

        async def call(run: Run) -> Proof:
            try:
                return await self._submitted(transmission, submission)
            except UnknownOutcome:
                self._lost[transmission.instance] = now()
                raise

        async def look(run: Run) -> Sequence[Proof]:
            # The call may still be at work there: two at once under one key are nothing to rely on.
            if now() - self._lost.get(transmission.instance, -inf) < self._settle:
                return []
            try:
                return [await self._submitted(transmission, submission)]
            except Refused:  # then the call before was refused as well; the next one says why
                return []

        return [Step("send", call, look, timeout=self._timeout, settle=self._settle)]

    async def _submitted(self, transmission: Transmission, submission: Mapping[str, Any]) -> Proof:
        try:
            id, said = await self._client.submit(submission), "submitted"
        except ThereAlready:
            # What Storecove calls it, its queue tells, with our key beside it.
            id, said = transmission.instance, "submitted already"
        self._lost.pop(transmission.instance, None)
        return Proof(id, {"state": "accepted", "said": said})

    def _submission(self, transmission: Transmission) -> dict[str, Any]:
        if not taking.billing(transmission.document_type):
            raise taking.not_sent(transmission, "Storecove", "invoices and credit notes")
        if refusal := taking.too_large(transmission, self._largest):
            raise refusal
        receiver = self.routed(transmission.receiver)
        if receiver is None:
            raise Refused(
                f"Storecove's name for the scheme of {transmission.receiver} is not known.",
                code="scheme-unknown",
                do="Look it up in Storecove's list of schemes and put it into the setting schemes.",
            )
        raw: dict[str, Any] = {"document": base64.b64encode(transmission.document).decode()}
        if self._parse:
            raw |= {"parse": True, "parseStrategy": "ubl"}
        else:
            raw |= {"parse": False, "documentTypeId": transmission.document_type, "processId": transmission.process}
        return {
            "legalEntityId": self._legal_entity,
            "idempotencyGuid": _guid(transmission.instance),
            "routing": {"eIdentifiers": [receiver]},
            "document": {"documentType": "invoice", "rawDocumentData": raw},
        }


def _guid(instance: str) -> str:
    try:
        return str(uuid.UUID(instance))
    except ValueError:
        do = "Send the document anew; it gets a key that is a UUID."
        raise Refused(f"The key {instance!r} is no UUID.", code="key-unfit", do=do) from None
