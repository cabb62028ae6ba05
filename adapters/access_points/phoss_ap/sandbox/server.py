"""The stand-in as a server: who may call, what each call does, and what is handed over to the company."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from adapters.access_points.phoss_ap.sandbox import shapes
from adapters.access_points.phoss_ap.sandbox.forwarding import Forwarder, Target
from adapters.access_points.sandbox import AccessPointSandbox, Network, Pace, Papers, Rejected, Transmission
from adapters.access_points.sandbox import papers as reading
from adapters.loopback import Answer, Refused, Request
from connector.model.json import dumps

TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's
HOOK_SECRET = "sandbox-hook-secret"  # noqa: S105
"""What a connection to the sandbox expects in its calls (`X-Hook-Secret`)."""
_SCHEMES = {"participant": "iso6523-actorid-upis", "document": "busdox-docid-qns", "process": "cenbii-procid-ubl"}
_CUSTOM = ("custom1", "custom2", "custom3")


class Sandbox(AccessPointSandbox):
    """phoss-ap on loopback; `async with` starts and stops it.

    Args:
        pace, network: see `AccessPointSandbox`.
        token: what callers must bring in `X-Token`.
        sending: whether sending is switched on.
        forward_retry, forward_attempts: see `Forwarder`; by default quicker and longer than the real one, which begins
            with minutes.
        more: see `Loopback`: host, port, latency, keep.
    """

    prefix = "/api"
    beside = "/management"

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        network: Network | None = None,
        token: str = TOKEN,
        sending: bool = True,
        forward_retry: float = 0.2,
        forward_attempts: int = 8,
        **more: Any,
    ) -> None:
        super().__init__(pace=pace, network=network, **more)
        self.token, self.sending = token, sending
        self.forwarder = Forwarder(retry=forward_retry, attempts=forward_attempts)
        self.network.listeners.append(self.forwarder.take)

    @property
    def url(self) -> str:
        """Where the server is: what `base_url` is set to."""
        return super().url.removesuffix(self.prefix)

    def forward_to(self, url: str, headers: Mapping[str, str] | None = None, mode: Any = "sync") -> None:
        """Hand over what comes to this address, in mode `sync` or `async`, with these fixed headers; without any, with
        the one that a connection to the sandbox expects.
        """
        self.forwarder.forward_to(Target(url, {"X-Hook-Secret": HOOK_SECRET} if headers is None else headers, mode))

    async def stop(self) -> None:
        """Hand over no more, and listen no more."""
        await self.forwarder.stop()
        await super().stop()

    # --- the sandbox's own calls --------------------------------------------------------------------------------------

    def own(self, request: Request) -> Any:
        """The desk's calls, and of this access point only: `POST /_desk/forward-to {url, headers, mode}`, `GET
        /_desk/forwarded` (what became of each message), `POST /_desk/sending {on}`.
        """
        said = request.body if isinstance(request.body, dict) else {}
        match f"{request.method} {request.path}":
            case "POST /_desk/forward-to":
                self.forward_to(**said)
                return {}
            case "GET /_desk/forwarded":
                return [{**shapes.inbound(one), "answers": one.answers} for one in self.forwarder.handings]
            case "POST /_desk/sending":
                self.sending = bool(said["on"])
                return {}
        return super().own(request)

    # --- the vendor's -------------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As phoss-ap answers; `since`: the status of what was sent after that is not known yet."""
        try:
            if path.startswith("/management/"):
                return self._management(path)
            if request.headers.get("x-token") != self.token:
                return Answer(401, {"error": "The API token is missing or wrong"}, {})
            return self._api(request, since)
        except Refused as error:
            return self.failed(error)

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """An error: a JSON string, or nothing where nothing is found."""
        body = None if error.status == 404 else dumps(str(error.message)).decode()
        return Answer(error.status, body, headers or {})

    def _management(self, path: str) -> Answer:
        if path != "/management/status":
            raise Refused(404, "")
        target = self.forwarder.target
        said = {
            "build.version": "0.12.0-sandbox",
            "peppol.stage": "test",
            "peppol.owner.seatid": "POP000999",
            "peppol.owner.countrycode": "NO",
            "peppol.sending.enabled": self.sending,
            "peppol.receiving.enabled": True,
            "forwarding.mode": f"http_post_{target.mode if target else 'sync'}",
        }
        return Answer(200, said, {})

    def _api(self, request: Request, since: datetime | None) -> Answer:
        # Split before it is decoded: an identifier may hold what has a meaning in paths.
        parts = [unquote(part) for part in request.target.partition("?")[0].removeprefix("/api/").split("/")]
        match (request.method, *parts):
            case ("POST", "outbound", "submit", sender, receiver, document_type, process, country):
                return self._submit(request, sender, receiver, document_type, process, country)
            case ("POST", "outbound", "submit-sbd"):
                return self._submit_enveloped(request)
            case ("GET", "outbound", "status", instance):
                return self._status(instance, since)
            case ("GET", "outbound", "in-transmission"):
                under_way = [one for one in self.network.transmissions if one.now().state in _UNDER_WAY]
                return Answer(200, [shapes.status(one) for one in under_way], {})
            case ("GET", "inbound", "status", instance):
                if (found := self.forwarder.of(instance)) is None:
                    raise Refused(404, "")
                return Answer(200, shapes.inbound(found), {})
            case ("GET", "inbound", "in-processing"):
                open_ones = [one for one in self.forwarder.handings if one.status not in _OVER]
                return Answer(200, [shapes.inbound(one) for one in open_ones], {})
            case ("POST", "inbound", "report"):
                return self._report(request.query)
        raise Refused(404, "")

    def _submit(self, request: Request, *path: str) -> Answer:
        self._may_send()
        sender, receiver, document_type, process, country = path
        given = Papers(
            sender=_identifier(sender, "participant", "the sending participant ID"),
            receiver=_identifier(receiver, "participant", "the receiving participant ID"),
            document_type=_identifier(document_type, "document", "the document type ID"),
            process=_identifier(process, "process", "the process ID"),
            country=country,
            instance=request.query.get("sbdhInstanceID", ""),
        )
        return self._sent(request, given)

    def _submit_enveloped(self, request: Request) -> Answer:
        self._may_send()
        body = request.body if isinstance(request.body, bytes) else b""
        found = reading.read(body)
        if not found.enveloped or not all((found.sender, found.receiver, found.instance, found.country)):
            raise Refused(400, "Failed to read the envelope")
        return self._sent(request, found)

    def _sent(self, request: Request, given: Papers) -> Answer:
        custom = {name: request.query[name] for name in _CUSTOM if name in request.query}
        if too_long := [name for name, value in custom.items() if len(value) > 255]:
            raise Refused(400, f"{too_long[0]} has more than 255 characters")
        try:
            body = request.body if isinstance(request.body, bytes) else b""
            transmission = self.network.send(body, given, **custom)
        except Rejected as exc:
            raise Refused(422, f"Failed to submit: {exc}") from exc
        status, report = shapes.report(transmission)
        return Answer(status, report, {})

    def _may_send(self) -> None:
        if not self.sending:
            raise Refused(404, "")

    def _status(self, instance: str, since: datetime | None) -> Answer:
        # Two under one instance are not told apart, and none is shown.
        found: list[Transmission] = self.network.by_instance(instance, since)
        if len(found) != 1:
            raise Refused(404, "")
        return Answer(200, shapes.status(found[0]), {})

    def _report(self, query: Mapping[str, str]) -> Answer:
        if "sbdhInstanceID" not in query or not query.get("c4CountryCode"):
            raise Refused(400, "sbdhInstanceID and c4CountryCode are required")
        found = self.forwarder.of(query["sbdhInstanceID"])
        if found is None:
            raise Refused(404, "")
        if found.country:
            return Answer(400, None, {})
        found.country = query["c4CountryCode"]
        return Answer(200, {"id": found.message.id, "status": "updated", "message": "The country is kept"}, {})


_UNDER_WAY = frozenset({"accepted", "sending", "waiting"})
_OVER = frozenset({"forwarded", "permanently_failed"})


def _identifier(said: str, kind: str, what: str) -> str:
    """An identifier in its full form, or its value alone; a participant as its value, others with their scheme."""
    scheme = _SCHEMES[kind]
    value = said.removeprefix(f"{scheme}::")
    if not value or (kind == "participant" and not re.fullmatch(r"\d{4}:[\w.:+-]{1,130}", value)):
        raise Refused(400, f"Failed to parse {what} '{said}'")
    return value if kind == "participant" else f"{scheme}::{value}"
