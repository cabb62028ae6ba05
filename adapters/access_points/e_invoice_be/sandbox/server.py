"""The stand-in as a server: who may call, and what each call does."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.access_points.e_invoice_be.sandbox import documents
from adapters.access_points.e_invoice_be.sandbox.calling import Caller, Webhook
from adapters.access_points.e_invoice_be.sandbox.documents import Draft, Shown
from adapters.access_points.sandbox import AccessPointSandbox, Incoming, Network, Pace, Papers, Rejected, papers
from adapters.loopback import Answer, Refused, Request, Upload

API_KEY = "sandbox-key"
NUMBER = "923609016"
"""The company's organisation number."""
_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
TAKES = [f"busdox-docid-qns::{_UBL}:{kind}-2::{kind}##{_BILLING}::2.1" for kind in documents.TYPES]
"""What a receiver in the stand-in's Peppol takes."""


@dataclass(slots=True)
class Rules:
    """Where the vendor's behaviour is uncertain.

    `receiver`: how a document's receiver is shown. `writes_anew`: the UBL behind a link is not byte for byte what was
    given. `links`: seconds that a link holds; None: there is none yet.
    """

    receiver: Shown = "whole"
    writes_anew: bool = False
    links: float | None = 60.0


class Sandbox(AccessPointSandbox):
    """e-invoice.be on loopback; `async with` starts and stops it.

    Args:
        pace, network: see `AccessPointSandbox`.
        outside: participants that are not in Peppol; everybody else takes invoices and credit notes.
        foreign: participants in whose name the account may not send.
        rules: see `Rules`.
        more: see `Loopback`: host, port, latency, keep.
    """

    prefix = "/api"
    beside = "/files"

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        network: Network | None = None,
        outside: Collection[str] = (),
        foreign: Collection[str] = (),
        rules: Rules | None = None,
        **more: Any,
    ) -> None:
        super().__init__(pace=pace, network=network, **more)
        self.rules, self.outside, self.foreign = rules or Rules(), set(outside), set(foreign)
        self.drafts: list[Draft] = []
        self.credit = 1000
        self.guessed: list[str] = []
        """Numbers of what was sent without all of its addresses."""
        self.mailed: list[str] = []
        """Numbers of what went by e-mail."""
        self.caller = Caller()
        self.network.listeners.append(lambda one: self.caller.tell("document.received", one.id))
        self._links: dict[str, tuple[float, bytes]] = {}

    @property
    def url(self) -> str:
        """Where the server is: what `base_url` is set to."""
        return super().url.removesuffix(self.prefix)

    async def stop(self) -> None:
        """Call nobody, and listen no more."""
        await self.caller.stop()
        await super().stop()

    # --- one request --------------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As e-invoice.be answers; `since`: what was made or sent after that is not seen yet."""
        try:
            if path.startswith("/files/"):
                return self._linked(path.removeprefix("/files/"), request)
            if request.headers.get("authorization") != f"Bearer {API_KEY}":
                raise Refused(401, "Invalid API key")
            return self._called(request, path.removeprefix("/").split("/"), since)
        except Refused as error:
            return self.failed(error)

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """`{detail: "…"}`; what is wrong with the call itself as a list, with its place (`place: words`)."""
        if error.status != 422:
            return Answer(error.status, {"detail": error.message}, headers or {})
        place, _, words = error.message.partition(": ")
        said = [{"loc": place.split("."), "msg": words, "type": "value_error"}]
        return Answer(422, {"detail": said}, headers or {})

    def _called(self, request: Request, parts: list[str], since: datetime | None) -> Answer:
        query, body = request.query, request.body if isinstance(request.body, dict) else {}
        match (request.method, *parts):
            case ("POST", "documents", "ubl"):
                return Answer(201, self._outgoing(self._made(body.get("file")), None), {})
            case ("POST", "documents", id, "validate"):
                return self._validated(self._draft(id))
            case ("POST", "documents", id, "send"):
                return self._sent(self._draft(id), query)
            case ("GET", "documents", id):
                return Answer(200, self._shown(id, since), {})
            case ("GET", "documents", id, "timeline"):
                events = self._draft(id, since).timeline(since)
                return Answer(200, {"document_id": id, "events": events}, {})
            case ("GET", "documents", id, "ubl"):
                return Answer(200, self._ubl(id, since), {})
            case ("GET", "drafts" | "outbox" as box, ""):
                return self._listed(query, self._rows(query, since, sent=box == "outbox"))
            case ("GET", "inbox", ""):
                return self._listed(query, (documents.incoming(one) for one in self.network.incoming))
            case ("GET", "validate", "peppol-id"):
                return self._looked_up(query)
            case ("GET", "me", ""):
                return self._account()
            case (_, "webhooks", *_):
                return self._webhooks(request.method, parts[1:], body)
        raise Refused(404, "Not Found")

    # --- out ----------------------------------------------------------------------------------------------------------

    def _made(self, file: Any) -> Draft:
        if not isinstance(file, Upload):
            raise Refused(422, "body.file: Field required")
        read = papers.read(file.content)
        if not file.file_name or read.root not in documents.TYPES:
            raise Refused(415, "UBL file is not valid or empty")
        made = Draft(f"doc-{uuid.uuid4().hex}", read, file.content, datetime.now(UTC))
        self.drafts.append(made)
        return made

    def _validated(self, one: Draft) -> Answer:
        on = one.papers
        plans = [plan for plan in self.network.plans if plan.fits(on.number, on.receiver) and plan.end == "rejected"]
        issues = [
            {"message": plan.reason, "type": "error", "rule_id": plan.code, "schematron": "PEPPOL-EN16931-UBL.sch"}
            for plan in plans[:1]
        ]
        return Answer(200, {"id": one.id, "file_name": None, "is_valid": not issues, "issues": issues}, {})

    def _sent(self, one: Draft, query: Mapping[str, str]) -> Answer:
        if one.state() != "DRAFT":
            raise Refused(405, "Document is not in draft state")
        if self.credit <= 0:
            raise Refused(402, "Insufficient credits")
        said = {role: self._participant(role, query) for role in ("sender", "receiver")}
        if not all(said.values()):
            self.guessed.append(str(one.papers.number))
        if said["sender"] in self.foreign:
            raise Refused(409, "Document is not allowed to send from the given Peppol ID")
        if query.get("email"):
            self.mailed.append(str(one.papers.number))
        try:
            sent = self.network.send(one.body, Papers(sender=said["sender"], receiver=said["receiver"]))
        except Rejected as why:
            raise Refused(406, str(why)) from None
        if sent.papers.receiver in self.outside:
            self.network.become(sent, "failed", "The receiver is not in Peppol.")
        sent.id, one.sent = one.id, sent
        if one.state() != "TRANSIT":
            self.caller.tell("document.sent" if one.state() == "SENT" else "document.sent.failed", one.id)
        return Answer(200, self._outgoing(one, None), {})

    @staticmethod
    def _participant(role: str, query: Mapping[str, str]) -> str:
        scheme, id = query.get(f"{role}_peppol_scheme"), query.get(f"{role}_peppol_id")
        return f"{scheme}:{id}" if scheme and id else ""

    def _draft(self, id: str, since: datetime | None = None) -> Draft:
        for one in self.drafts:
            if one.id == id and (since is None or one.created <= since):
                return one
        raise Refused(404, "Document not found")

    def _outgoing(self, one: Draft, since: datetime | None) -> dict[str, Any]:
        return documents.outgoing(one, since, self.rules.receiver)

    def _rows(self, query: Mapping[str, str], since: datetime | None, *, sent: bool) -> Iterable[dict[str, Any]]:
        for one in self.drafts:
            if (since is None or one.created <= since) and (one.state(since) == "SENT") == sent:
                fits = query.get("type") in (None, documents.TYPES[one.papers.root])
                if fits and query.get("search", "") in str(one.papers.number):
                    yield self._outgoing(one, since)

    # --- both ways ----------------------------------------------------------------------------------------------------

    def _incoming(self, id: str) -> Incoming | None:
        return next((one for one in self.network.incoming if one.id == id), None)

    def _shown(self, id: str, since: datetime | None) -> dict[str, Any]:
        came = self._incoming(id)
        return documents.incoming(came) if came else self._outgoing(self._draft(id, since), since)

    def _ubl(self, id: str, since: datetime | None) -> dict[str, Any]:
        came = self._incoming(id)
        if came is not None:
            return documents.ubl(id, came.papers, self._link(came.document), len(came.document))
        draft = self._draft(id, since)
        return documents.ubl(id, draft.papers, self._link(draft.body), len(draft.body))

    def _listed(self, query: Mapping[str, str], rows: Iterable[dict[str, Any]]) -> Answer:
        page, size = int(query.get("page", "1")), int(query.get("page_size", "20"))
        if not 1 <= size <= 100:
            raise Refused(422, "query.page_size: Input should be less than or equal to 100")
        falling = query.get("sort_order", "desc") == "desc"
        found = sorted(rows, key=lambda row: str(row[query.get("sort_by", "created_at")]), reverse=falling)
        pages = -(-len(found) // size)
        said = {"total": len(found), "page": page, "page_size": size, "pages": pages, "has_next_page": page < pages}
        return Answer(200, {"items": found[(page - 1) * size :][:size], **said}, {})

    def _link(self, body: bytes) -> str | None:
        if self.rules.links is None:
            return None
        if self.rules.writes_anew:
            body = body.replace(b"\n", b"")
        name = secrets.token_urlsafe(16)
        self._links[name] = (time.monotonic() + self.rules.links, body)
        return f"{self.url}/files/{name}?X-Goog-Signature={secrets.token_urlsafe(8)}%2B"

    def _linked(self, name: str, request: Request) -> Answer:
        until, body = self._links.get(name, (0.0, b""))
        if "authorization" in request.headers:
            raise Refused(400, "")  # as object stores answer to a second way of authentication
        if until <= time.monotonic() or not request.query.get("X-Goog-Signature", "").endswith("+"):
            return Answer(403, "<Error><Code>AccessDenied</Code></Error>", {})
        return Answer(200, body, {})

    # --- beside -------------------------------------------------------------------------------------------------------

    def _looked_up(self, query: Mapping[str, str]) -> Answer:
        known = query["peppol_id"] not in self.outside
        said = {"is_valid": known, "dns_valid": known, "business_card_valid": known, "business_card": None}
        return Answer(200, {**said, "supported_document_types": TAKES if known else []}, {})

    def _account(self) -> Answer:
        said = {"name": "Fjord", "company_name": "Fjord AS", "peppol_ids": [f"0192:{NUMBER}"]}
        return Answer(200, {**said, "credit_balance": self.credit, "smp_registration": True}, {})

    def _webhooks(self, method: str, parts: list[str], said: Mapping[str, Any]) -> Answer:
        there = self.caller.webhooks
        match (method, *parts):
            case ("GET", ""):
                return Answer(200, [one.shown() for one in there], {})
            case ("POST", ""):
                there.append(Webhook(said["url"], list(said["events"]), said.get("enabled", True)))
                return Answer(201, there[-1].shown(), {})
            case ("PUT", id) if found := next((one for one in there if one.id == id), None):
                found.url, found.events = said.get("url", found.url), said.get("events", found.events)
                found.enabled = said.get("enabled", found.enabled)
                return Answer(200, found.shown(), {})
        raise Refused(404, "Not Found")
