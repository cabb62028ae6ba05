"""The stand-in as a server: tokens, who may call, and what each call does."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.access_points.maventa.sandbox import shapes
from adapters.access_points.maventa.sandbox.calling import Caller, Subscription
from adapters.access_points.sandbox import AccessPointSandbox, Incoming, Network, Pace, Papers, Rejected, Transmission
from adapters.loopback import Answer, Refused, Request, Upload

COMPANY = "5a301110-db65-48fe-8993-61db26939d74"
API_KEY = "sandbox-user-key"
VENDOR_API_KEY = "sandbox-vendor-key"
NUMBER = "923609016"
"""The company's organisation number."""
_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
TAKES = [
    {
        "document_type": kind.upper(),
        "document_identifier": f"{_UBL}:{kind}-2::{kind}##{_BILLING}::2.1",
        "process_identifier": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    }
    for kind in ("Invoice", "CreditNote")
]
"""What a receiver in the stand-in's Peppol takes."""


@dataclass(slots=True)
class Rules:
    """Where the vendor's behaviour is uncertain.

    `own_ids`: the id of what is sent is Maventa's own, and not our key. `known_key`: status of the answer to a key that
    was used before. `shows_actions`: an invoice is shown with what happened to it. `converts`: what was received can be
    had in our format.
    """

    own_ids: bool = True
    known_key: int = 422
    shows_actions: bool = False
    converts: bool = True


@dataclass(slots=True)
class Call:
    """A call that may be made. `hidden`: what was made after that is not seen yet."""

    request: Request
    parts: list[str]
    hidden: datetime | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


class Sandbox(AccessPointSandbox):
    """Maventa on loopback; `async with` starts and stops it.

    Args:
        pace, network: see `AccessPointSandbox`.
        life: seconds that a token holds.
        verified: whether the company's identity is; if not, every call but that for its status is unauthorised.
        takes: what receivers take, by participant; others are not in Peppol.
        rules: see `Rules`.
        more: see `Loopback`: host, port, latency, keep.
    """

    prefix = "/v1"
    beside = "/oauth2"

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        network: Network | None = None,
        life: int = 3600,
        verified: bool = True,
        takes: Mapping[str, Any] | None = None,
        rules: Rules | None = None,
        **more: Any,
    ) -> None:
        super().__init__(pace=pace, network=network, **more)
        self.life, self.verified, self.rules = life, verified, rules or Rules()
        self.takes = dict(takes or {"0192:974760673": TAKES, f"0192:{NUMBER}": TAKES})
        self.tokens: dict[str, tuple[float, list[str]]] = {}
        """Until when each holds, and what for."""
        self.printed: list[str] = []
        """Numbers of what was sent without a way, and went on paper."""
        self.caller = Caller()
        self.network.listeners.append(self._came)

    @property
    def url(self) -> str:
        """Where the server is: what `base_url` is set to."""
        return super().url.removesuffix(self.prefix)

    async def stop(self) -> None:
        """Call nobody, and listen no more."""
        await self.caller.stop()
        await super().stop()

    def _came(self, one: Incoming) -> None:
        if one.papers.root != shapes.RESPONSE:
            self.caller.tell("DOCUMENTS.INVOICE.RECEIVED", COMPANY, one.id)

    # --- one request --------------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As Maventa answers; `since`: what was made after that is not seen yet."""
        try:
            if path == "/oauth2/token":
                return self._token(request)
            parts = path.strip("/").split("/")
            scopes = self._enter(request)
            if not self.verified and parts[0] not in {"companies", "oauth2"}:
                raise Refused(401, "unauthorized: The company is not authorized")
            body = request.body if isinstance(request.body, dict) else {}
            return self._called(Call(request, parts, since, body), scopes)
        except Refused as error:
            return self.failed(error)

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """`code: message`, as an object with both."""
        code, _, message = error.message.partition(": ")
        return Answer(error.status, {"code": code, "message": message or code, "details": []}, headers or {})

    def _token(self, request: Request) -> Answer:
        said = request.body if isinstance(request.body, dict) else {}
        if request.method != "POST" or said.get("grant_type") != "client_credentials":
            raise Refused(400, "unsupported_grant_type")
        given = tuple(said.get(name) for name in ("client_id", "client_secret", "vendor_api_key"))
        if given != (COMPANY, API_KEY, VENDOR_API_KEY):
            raise Refused(401, "invalid_client: Client authentication failed")
        token, scope = secrets.token_urlsafe(24), said.get("scope", "global company")
        self.tokens[token] = (time.monotonic() + self.life, scope.split())
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": self.life, "scope": scope}, {})

    def _enter(self, request: Request) -> list[str]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        until, scopes = self.tokens.get(token, (0.0, []))
        if scheme != "Bearer" or until <= time.monotonic():
            raise Refused(401, "unauthorized: The access token is not valid")
        return scopes

    def _called(self, call: Call, scopes: list[str]) -> Answer:
        match (call.request.method, *call.parts):
            case ("GET", "oauth2", "current"):
                company = {"id": COMPANY, "name": "Fjord AS", "bid": NUMBER, "country": "NO", "disabled": False}
                return Answer(200, {"user": {"id": str(uuid.uuid4())}, "company": company, "scopes": scopes}, {})
            case ("GET", "companies", id, "status") if id == COMPANY:
                return Answer(200, {"company_state": "VERIFIED" if self.verified else "UNVERIFIED"}, {})
            case ("POST", "invoices" | "documents" as door):
                return self._take(call, door)
            case ("GET", "invoices" | "documents" as door):
                return self._listed(call, door)
            case ("GET", "invoices", id, "actions"):
                return Answer(200, shapes.actions(self._sent(call, "invoices", id)), {})
            case ("GET", "invoices" | "documents" as door, id):
                return self._shown(call, door, id)
            case ("PATCH", "invoices", id, "invoice_events") if call.form == {"state": "HANDLED"}:
                self._incoming("invoices", id).handled = True
                return Answer(204, None, {})
            case ("PATCH", "documents", id) if call.form == {"status": "CONFIRMED_DELIVERY"}:
                return self._confirmed(id)
            case ("GET", "invoices", id, "files", file) if file == f"{id}-file":
                return Answer(200, self._incoming("invoices", id).document, {})
            case ("GET", "files"):
                one = self._incoming("documents", call.request.query.get("document_id", ""))
                return Answer(200, [{"id": f"{one.id}-file", "filename": "a.xml", "mimetype": "text/xml"}], {})
            case ("GET", "files", file):
                return Answer(200, self._incoming("documents", file.removesuffix("-file")).document, {})
            case ("GET", "lookup", "receivers"):
                return self._looked_up(call.request.query)
            case (_, "company", "notifications", *_):
                return self._subscriptions(call, scopes)
        raise Refused(404, "not_found: The requested resource can not be found")

    # --- out ----------------------------------------------------------------------------------------------------------

    def _take(self, call: Call, door: str) -> Answer:
        file, said = call.form.get("file"), call.form
        if not isinstance(file, Upload) or not file.file_name:
            raise Refused(400, "invalid_parameters: file is missing, or its name")
        if door == "invoices" and said.get("format") != "PEPPOLBIS30":
            raise Refused(400, "invalid_parameters: format does not have a valid value")
        key = said.get("uuid" if door == "invoices" else "transmission_id") or str(uuid.uuid4())
        if any(one.said["key"] == key for one in self.network.transmissions if "key" in one.said):
            code = "invoice_uuid_exists" if door == "invoices" else "document_duplicate_transmission_id"
            raise Refused(self.rules.known_key, f"{code}: The provided id is already in use")
        given = Papers(receiver=said.get("recipient_eia", ""), sender=said.get("sender_eia", ""), instance=key)
        try:
            one = self.network.send(file.content, given, key=key, door=door)
        except Rejected as why:
            raise Refused(422, f"invoice_validation_failed: {why}") from None
        if not one.papers.root:
            self.network.transmissions.remove(one)
            raise Refused(422, "invoice_validation_failed: The file is no XML")
        if not self.rules.own_ids:
            one.id = key
        if not (said.get("recipient_eia") and said.get("recipient_operator")) and "print" not in str(
            said.get("disabled_routes[]")
        ):
            self.printed.append(str(one.number))
        show = shapes.sent_invoice if door == "invoices" else shapes.sent_document
        return Answer(201, show(one), {})

    def _sent(self, call: Call, door: str, id: str) -> Transmission:
        for one in self._of(door, call.hidden):
            if one.id == id:
                return one
        raise Refused(404, "not_found: The requested resource can not be found")

    def _of(self, door: str, hidden: datetime | None) -> Iterable[Transmission]:
        for one in self.network.transmissions:
            if one.said.get("door") == door and (hidden is None or one.created <= hidden):
                yield one

    # --- both ways ----------------------------------------------------------------------------------------------------

    def _listed(self, call: Call, door: str) -> Answer:
        query = call.request.query
        rows: list[dict[str, Any]]
        if query.get("direction", "RECEIVED") == "SENT":
            show = shapes.sent_invoice if door == "invoices" else shapes.sent_document
            rows = [show(one) for one in self._of(door, call.hidden) if query.get("number") in (None, one.number)]
        else:
            came = [one for one in self.network.incoming if _door(one) == door]
            fits = _within(query, "received_at" if door == "invoices" else "created_at")
            display = shapes.received_invoice if door == "invoices" else shapes.received_document
            rows = [row for row in map(display, came) if fits(row)]
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        if not 1 <= size <= 100:
            raise Refused(400, "invalid_parameters: per_page does not have a valid value")
        return Answer(200, rows[::-1][(page - 1) * size :][:size], {"X-Total": str(len(rows))})

    def _shown(self, call: Call, door: str, id: str) -> Answer:
        if any(one.id == id for one in self.network.incoming if _door(one) == door):
            one = self._incoming(door, id)
            if call.request.query.get("return_format") == "PEPPOLBIS30":
                if not self.rules.converts:
                    raise Refused(422, "conversion_failed: The invoice cannot be converted")
                return Answer(200, one.document, {})
            return Answer(200, (shapes.received_invoice if door == "invoices" else shapes.received_document)(one), {})
        sent = self._sent(call, door, id)
        if door == "documents":
            return Answer(200, shapes.sent_document(sent), {})
        more = {"actions": shapes.actions(sent)} if self.rules.shows_actions else {}
        return Answer(200, shapes.sent_invoice(sent) | more, {})

    # --- in -----------------------------------------------------------------------------------------------------------

    def _incoming(self, door: str, id: str) -> Incoming:
        for one in self.network.incoming:
            if one.id == id and _door(one) == door:
                return one
        raise Refused(404, "not_found: The requested resource can not be found")

    def _confirmed(self, id: str) -> Answer:
        one = self._incoming("documents", id)
        if one.handled:
            raise Refused(409, "document_in_invalid_state: Document must be in the delivered state")
        one.handled = True
        return Answer(204, None, {})

    # --- beside -------------------------------------------------------------------------------------------------------

    def _looked_up(self, query: Mapping[str, str]) -> Answer:
        who = query.get("eia", "")
        if query.get("network") != "PEPPOL" or who not in self.takes:
            return Answer(200, [], {})
        return Answer(200, [{"eia": who, "network": "PEPPOL", "document_types": self.takes[who]}], {})

    def _subscriptions(self, call: Call, scopes: list[str]) -> Answer:
        if call.request.method != "GET" and "company:write" not in scopes:
            raise Refused(403, "insufficient_scope: company:write is needed")
        there = self.caller.subscriptions
        match (call.request.method, *call.parts[2:]):
            case ("GET",):
                shown = [{"id": one.id, "destination": one.destination, "events": one.events} for one in there]
                return Answer(200, shown, {})
            case ("POST",):
                made = Subscription(str(uuid.uuid4()), call.form["destination"], call.form["events"])
                there.append(made)
                return Answer(201, {"id": made.id}, {})
            case ("DELETE", id):
                self.caller.subscriptions = [one for one in there if one.id != id]
                return Answer(204, None, {})
        raise Refused(405, "method_not_allowed")


def _door(one: Incoming) -> str:
    return "invoices" if re.fullmatch("Invoice|CreditNote|", one.papers.root) else "documents"


def _within(query: Mapping[str, str], name: str) -> Callable[[Mapping[str, Any]], bool]:
    start, end = query.get(f"{name}_start", ""), query.get(f"{name}_end", "9")
    return lambda row: start <= row[name] <= end
