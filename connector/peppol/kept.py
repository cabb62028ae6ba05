"""Answers of `discovery`, kept in the store."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from connector.peppol.discovery import Answer
from connector.peppol.identifiers import Participant, Service
from connector.peppol.smp import Endpoint
from connector.store import Store, Tx, peppol_lookups


class Kept:
    """As `discovery.Known`: answers of one zone."""

    def __init__(self, store: Store, zone: str) -> None:
        self._store, self._zone = store, zone

    async def get(self, participant: Participant, service: Service) -> Answer | None:
        """What is kept and still believed."""
        question = self._question(participant, service)
        body = await self._store.read(lambda tx: peppol_lookups.get(tx, *question))
        return None if body is None else _answer(participant, service, body)

    async def put(self, answer: Answer) -> None:
        """Keep an answer."""
        question, body = self._question(answer.participant, answer.service), _body(answer)

        def put(tx: Tx) -> None:
            peppol_lookups.put(tx, *question, body=body, until=answer.until)

        await self._store.write(put)

    def _question(self, participant: Participant, service: Service) -> tuple[str, ...]:
        return (self._zone, participant.value, str(service.document), str(service.process))


def _body(answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = {
        name: getattr(answer, name) for name in ("can", "code", "said", "publisher", "do")
    } | {"asked": answer.asked.isoformat(), "until": answer.until.isoformat()}  # fmt: skip
    if answer.endpoint is not None:
        moments = {"since", "until"}
        said["endpoint"] = {
            name: value.isoformat() if name in moments and value is not None else value
            for name, value in asdict(answer.endpoint).items()
        }
    return said


def _answer(participant: Participant, service: Service, body: dict[str, Any]) -> Answer:
    said = dict(body)
    for name in ("asked", "until"):
        said[name] = datetime.fromisoformat(said[name])
    if (endpoint := said.get("endpoint")) is not None:
        moments = {name: _moment(endpoint[name]) for name in ("since", "until")}
        said["endpoint"] = Endpoint(**endpoint | moments)
    return Answer(participant, service, **said)


def _moment(said: str | None) -> datetime | None:
    return None if said is None else datetime.fromisoformat(said)
