"""Opens the driver on a stand-in, and sends as lanes do: after every lost answer it looks before anything is called."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from adapters.access_points.phoss_ap import Secrets, Settings, plugin
from adapters.access_points.phoss_ap.sandbox import HOOK_SECRET, TOKEN
from connector.errors import UnknownOutcome
from connector.http import Http
from connector.peppol import envelope
from connector.ports import AccessPoint, ConnectionConfig, Goal, Kind, Proof, Run, Step, Transmission
from connector.testing.samples import purchase

BUYER = "923609016"
MARKER = "c-send-1"


def opened(url: str, *, timeout: float = 5.0, token: str = TOKEN, **settings: Any) -> AccessPoint:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=url, **{"settle": 0, "timeout": timeout, **settings}),
        Secrets(token=token, hook_secret=HOOK_SECRET),
    )  # fmt: skip
    return plugin.open(config, Http(url, timeout=timeout))


def transmission(number: str = "1001", instance: str = "") -> Transmission:
    """An invoice to the buyer, as the house hands it over."""
    document = purchase(BUYER, number)
    on = envelope.address(document, instance=instance or str(uuid.uuid4()), created=datetime.now(UTC))
    return Transmission(
        instance=on.instance,
        sender=on.sender.value,
        receiver=on.receiver.value,
        document_type=f"{on.document.scheme}::{on.document.value}",
        process=f"{on.process.scheme}::{on.process.value}",
        country="NO",
        root=on.document.root,
        number=number,
        document=document,
        enveloped=lambda: envelope.write(on, document),
    )


async def send(point: AccessPoint, what: Transmission) -> Proof:
    """Run its flow to the end; raises what ends it."""
    proofs: dict[str, Proof] = {}
    for step in point.flow(what):
        proofs[step.name] = await done(step, Run(Goal(Kind.INVOICE, "send", MARKER, {}), dict(proofs)))
    return list(proofs.values())[-1]


async def done(step: Step, run: Run) -> Proof:
    """Run one step to its end; raises what ends it."""
    while True:
        try:
            return await step.call(run)
        except UnknownOutcome as lost:
            assert step.look is not None
            for _ in range(2):
                if found := await step.look(run):
                    return found[0]
            if lost.refused:
                raise lost.refused from lost
