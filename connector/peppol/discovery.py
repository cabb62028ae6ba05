"""Can this receiver take this document? Yes, no, or not known now: three answers, never two.

*No* is a fact about the receiver (it is not registered; it does not take this document type; its endpoint has closed)
and may be kept for a while. *Unknown* is a fact about the moment (a name server, a publisher or a signature): nothing
follows from it, nothing is kept, and a document waits for the next try rather than going another way.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

import dns.asyncresolver
import dns.exception

from connector.errors import BadInput, ConnectorError, Misconfigured, TryLater
from connector.peppol import sml, smp
from connector.peppol.fetching import Fetcher
from connector.peppol.identifiers import Participant, Service
from connector.peppol.trust import Trust, Untrusted

Can = Literal["yes", "no", "unknown"]

KEPT: Final = {"yes": timedelta(hours=24), "no": timedelta(hours=1)}
"""How long an answer is believed; a yes at most until its endpoint closes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a participant can take a service, and what that rests on."""

    participant: Participant
    service: Service
    can: Can
    code: str
    """Stable: `takes`, `not-registered`, `document-type-not-taken`, `process-not-taken`, `endpoint-missing`,
    `endpoint-closed`, or the error's code where it is not known."""
    said: str
    """The reason, for a person."""
    asked: datetime
    """When it was found out, UTC."""
    until: datetime
    """How long it is believed, UTC; `asked` where it is not known."""
    publisher: str | None = None
    endpoint: smp.Endpoint | None = None
    do: str = ""

    def as_json(self) -> dict[str, Any]:
        """The answer as programs read it."""
        said: dict[str, Any] = {
            "participant": self.participant.value,
            "document_type": str(self.service.document),
            "process": str(self.service.process),
            "can": self.can,
            "code": self.code,
            "message": self.said,
            "asked": self.asked.isoformat(),
            "until": self.until.isoformat(),
        }
        if self.do:
            said["do"] = self.do
        if self.publisher:
            said["publisher"] = self.publisher
        if self.endpoint is not None:
            said["endpoint"] = {"transport": self.endpoint.transport, "address": self.endpoint.address}
        return said


class Known(Protocol):
    """Where answers are kept."""

    async def get(self, participant: Participant, service: Service) -> Answer | None:
        """What is kept and still believed."""

    async def put(self, answer: Answer) -> None:
        """Keep an answer."""


@dataclass
class Discovery:
    """Finds out what participants can take.

    Args:
        trust: whose signatures count.
        zone: the zone of the name servers; those of production and of test never mix.
        name_servers: addresses, with a port where it is not 53, instead of the machine's own.
        timeout: seconds for everything together; what takes longer is not known.
        known: where answers are kept; without, each is asked for.
        now: the wall clock, UTC.
    """

    trust: Trust
    zone: str = sml.PRODUCTION
    name_servers: Sequence[str] = ()
    timeout: float = 15.0
    fetcher: Fetcher = field(default_factory=Fetcher)
    known: Known | None = None
    now: Any = field(default=lambda: datetime.now(UTC))

    async def can_take(self, participant: Participant, service: Service, *, fresh: bool = False) -> Answer:
        """Whether a participant takes a service now. It always answers, within `timeout`.

        Args:
            fresh: do not take an answer that is kept.

        Raises:
            Misconfigured: a name server is none (`name-server-wrong`).
        """
        if self.known is not None and not fresh and (kept := await self.known.get(participant, service)) is not None:
            return kept
        try:
            async with asyncio.timeout(self.timeout):
                answer = await self._ask(participant, service)
        except TimeoutError:
            late = TryLater(
                f"It could not be found out in {self.timeout:g} seconds.", code="lookup-timeout", do="Try again later."
            )
            return self._unknown(participant, service, late)
        except (TryLater, Untrusted, BadInput) as error:
            return self._unknown(participant, service, error)
        if self.known is not None:
            await self.known.put(answer)
        return answer

    async def _ask(self, participant: Participant, service: Service) -> Answer:
        publisher = await sml.find(self._resolver(), participant, self.zone)
        if publisher is None:
            said = f"{participant} is not registered in Peppol ({self.zone})."
            return self._no(participant, service, "not-registered", said, None)
        found = await self._entry(publisher, participant, service)
        if found is None:
            said = f"{participant} is in Peppol, but takes no {service.title}."
            return self._no(participant, service, "document-type-not-taken", said, publisher)
        if found.participant != participant or found.document != service.document:
            raise BadInput(
                f"Asked about {participant}, the publisher answers about {found.participant} and {found.document}.",
                code="smp-answer-differs",
                do="Try again later; if it stays so, the receiver's access point must mend its registration.",
            )
        endpoints = found.endpoints(service.process)
        if endpoints is None:
            said = f"{participant} takes {service.title}, but not in the process {service.process.value}."
            return self._no(participant, service, "process-not-taken", said, publisher)
        if not endpoints:
            said = f"{participant} has no endpoint that takes AS4."
            return self._no(participant, service, "endpoint-missing", said, publisher)
        now = self.now()
        if not (usable := [one for one in endpoints if one.open(now)]):
            said = f"The endpoint of {participant} is closed: {_span(endpoints[0])}."
            return self._no(participant, service, "endpoint-closed", said, publisher)
        (endpoint, *_) = usable
        until = min(now + KEPT["yes"], endpoint.until or datetime.max.replace(tzinfo=UTC))
        said = f"{participant} takes {service.title}."
        return Answer(participant, service, "yes", "takes", said, now, until, publisher, endpoint)

    async def _entry(self, publisher: str, participant: Participant, service: Service) -> smp.Entry | None:
        """The publisher's entry, at most one redirect away; None where it has none of this type."""
        address, uid = smp.address(publisher, participant, service.document), None
        for _ in range(2):
            status, body = await self.fetcher.get(address)
            if status == 404:
                return None
            if status != 200:
                raise TryLater(
                    f"The publisher {publisher} answers {status}.",
                    code="smp-unreachable",
                    do="Try again later; if it stays so, the receiver's access point must mend it.",
                )
            said = await asyncio.to_thread(smp.read, body, self.trust, self.now(), signer_uid=uid)
            if isinstance(said, smp.Entry):
                return said
            if said.address == address:
                break
            address, uid = said.address, said.certificate_uid
        raise TryLater(
            f"The publisher {publisher} sends us on and on.",
            code="smp-redirect",
            do="Try again later; if it stays so, the receiver's access point must mend its registration.",
        )

    def _resolver(self) -> dns.asyncresolver.Resolver:
        try:
            resolver = dns.asyncresolver.Resolver(configure=not self.name_servers)
        except dns.exception.DNSException:
            raise TryLater(
                "This machine names no name servers.",
                code="sml-unreachable",
                do="Set CONNECTOR_PEPPOL_NAME_SERVERS, or mend the machine's own settings (/etc/resolv.conf).",
            ) from None
        resolver.lifetime = min(5.0, self.timeout)
        if self.name_servers:
            servers = [_server(one) for one in self.name_servers]
            resolver.nameservers = [host for host, _ in servers]
            resolver.nameserver_ports = dict(servers)
        return resolver

    def _no(self, participant: Participant, service: Service, code: str, said: str, publisher: str | None) -> Answer:
        now = self.now()
        do = "Reach the receiver another way, or ask it to have its access point register it."
        return Answer(participant, service, "no", code, said, now, now + KEPT["no"], publisher, do=do)

    def _unknown(self, participant: Participant, service: Service, error: ConnectorError) -> Answer:
        now = self.now()
        return Answer(participant, service, "unknown", error.code, error.said, now, now, do=error.do)


def _server(said: str) -> tuple[str, int]:
    """Address and port of a name server: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.

    Raises:
        Misconfigured: it is none (`name-server-wrong`).
    """
    found = re.fullmatch(r"\[(?P<six>.+)\](?::(\d+))?|(?P<four>[^:]+)(?::(\d+))?|(?P<bare>.*)", said)
    assert found is not None
    host = found["six"] or found["four"] or found["bare"]
    try:
        return str(ipaddress.ip_address(host)), int(found[2] or found[4] or 53)
    except ValueError:
        raise Misconfigured(
            f"{said} is no address of a name server.",
            code="name-server-wrong",
            do="Write its number, with the port where it is not 53: 192.0.2.1, 192.0.2.1:5353, [2001:db8::1]:5353.",
        ) from None


def _span(endpoint: smp.Endpoint) -> str:
    since, until = endpoint.since, endpoint.until
    return " ".join([f"from {since:%Y-%m-%d}" if since else "", f"until {until:%Y-%m-%d}" if until else ""]).strip()
