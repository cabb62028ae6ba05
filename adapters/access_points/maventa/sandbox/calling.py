"""The stand-in's calls to those who subscribe: once each, with what stands in their address."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.access_points.sandbox import calling
from connector.model.json import dumps


@dataclass(slots=True)
class Subscription:
    """Who is called, for what. `answers`: the status of each call, None where there was no answer."""

    id: str
    destination: str
    events: list[str]
    answers: list[int | None] = field(default_factory=list)


class Caller(calling.Caller):
    """Calls subscribers in the background."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions: list[Subscription] = []

    def tell(self, event: str, company: str, id: str) -> None:
        """Something has happened to an invoice."""
        said = dumps({"event": event, "company_id": company, "data": {"id": id}})
        for one in self.subscriptions:
            if event in one.events:
                self.call(one.destination, said, {}, one.answers)
