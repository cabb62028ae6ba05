"""Opens the adapter on a sandbox, and sends through it as the house does."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.access_points.folder import Secrets, Settings, plugin
from adapters.access_points.folder.sandbox import Sandbox
from connector.errors import TryLater, UnknownOutcome
from connector.http import Http
from connector.model.json import dumps, loads
from connector.ports import AccessPoint, ConnectionConfig, Goal, Kind, Proof, Run, Step, Transmission

INSTANCE = "8d4e9f9e-6a0a-4c2f-9b2a-000000000001"
ENVELOPE = b"<StandardBusinessDocument>0192:974760673 <Invoice/></StandardBusinessDocument>"


def opened(box: Sandbox, *, local: bool = False, secrets: dict[str, str] | None = None, **settings: Any) -> AccessPoint:
    said = {"path": str(box.root), "layout": box.settings["layout"]} if local else box.settings
    waits = {"quiet": 0.05, "timeout": 5, "settle": 0}
    given = {} if local else box.secrets if secrets is None else secrets
    config = ConnectionConfig("c1", "t1", Settings(**(said | waits | settings)), Secrets(**given))
    return plugin.open(config, Http("http://unused.example"))


def transmission(instance: str = INSTANCE, envelope: bytes = ENVELOPE, document: bytes = b"<Invoice/>") -> Transmission:
    return Transmission(
        instance, "0192:923609016", "0192:974760673", "busdox-docid-qns::urn:x", "cenbii-procid-ubl::urn:y", "NO",
        "Invoice", "10017", document, lambda: envelope,
    )  # fmt: skip


def run(**proofs: Proof) -> Run:
    goal = Goal(Kind.INVOICE, "send", "m-1", {})
    return Run(goal, {name: Proof(one.id, loads(dumps(one.facts))) for name, one in proofs.items()})


def steps(point: AccessPoint, **more: Any) -> tuple[Step, Step]:
    upload, publish = point.flow(transmission(**more))
    return upload, publish


async def send(point: AccessPoint, sent: Transmission) -> Proof:
    """Every step to its end: what was not taken is called again, what is unknown is looked for, twice."""
    proofs: dict[str, Proof] = {}
    for step in point.flow(sent):
        while step.name not in proofs:
            try:
                proofs[step.name] = await step.call(run(**proofs))
            except TryLater:
                await asyncio.sleep(0.01)
            except UnknownOutcome:
                assert step.look is not None
                for _ in range(2):
                    await asyncio.sleep(0.02)
                    if found := await _looked(step, proofs):
                        assert len(found) == 1
                        proofs[step.name] = found[0]
                        break
    return proofs[step.name]


async def _looked(step: Step, proofs: dict[str, Proof]) -> list[Proof]:
    assert step.look is not None
    while True:
        try:
            return list(await step.look(run(**proofs)))
        except TryLater:
            await asyncio.sleep(0.01)
