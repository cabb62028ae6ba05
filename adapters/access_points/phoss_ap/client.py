"""Calls to one phoss-ap: with its token, its addresses percent-encoded, and what its answers mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

from adapters.access_points.phoss_ap.wire import Management, Report, Transaction, Wire
from connector.errors import ConnectorError, NeedsPerson, Refused, UnknownOutcome, VendorError
from connector.http import Answer, Http

log = logging.getLogger(__name__)

_Model = TypeVar("_Model", bound=Wire)


class Client:
    """The calls.

    Args:
        http: calls below the server's address.
        token: what it wants in `X-Token`.
    """

    def __init__(self, http: Http, token: SecretStr) -> None:
        self._http = http
        self._token = token.get_secret_value()
        http.keep_secret(self._token)

    async def submit(self, path: Sequence[str], document: bytes, *, timeout: float, **query: str | None) -> Report:
        """Have a document sent: `path` are the identifiers that stand in the address, in their order.

        Answers are returned where the document was taken, however the first attempt went.

        Raises:
            UnknownOutcome: the answer was lost or is none; with `refused` where it is 422 without a report: then the
                document was not taken, most likely.
            Refused: "vendor-validation" (400), "document-too-large" (413), "refused".
            NeedsPerson: "sending-off" (404), and what `_error` says of the connection.
            TryLater: as `Http.call`.
        """
        address = "/".join(("/api/outbound/submit", *(quote(part, safe="") for part in path)))
        answer = await self._call(
            "POST",
            address,
            params=query,
            content=document,
            headers={"Content-Type": "application/xml"},
            timeout=timeout,
        )
        if answer.status < 300:
            report = _read(answer, Report)
            if report is None:
                raise UnknownOutcome("The answer is no report of an attempt.", code="vendor-answer", **_more(answer))
            return report
        if answer.status == 422:
            report = _read(answer, Report)
            if report is not None and report.tells():
                return report
            said = Refused("phoss-ap did not take the document.", code="not-taken", do=_READ_IT, **_more(answer))
            raise UnknownOutcome("phoss-ap says that it did not take the document.", refused=said, **_more(answer))
        if answer.status == 408:
            raise UnknownOutcome("Something on the way has not waited for the answer.", **_more(answer))
        if answer.status == 404:
            raise NeedsPerson(
                "Sending is switched off in this phoss-ap.",
                code="sending-off",
                do="Have whoever runs it switch sending on (peppol.sending.enabled), or see that the address (base_url)"
                " is right; then try the connection again. What was to be sent waits.",
                **_more(answer),
            )
        raise _error(answer)

    async def transaction(self, instance: str) -> Transaction | None:
        """What became of a transmission, also long ago; None: it is not known, or two are known under this id.

        Raises `VendorError`, `NeedsPerson`, `TryLater`.
        """
        path = f"/api/outbound/status/{quote(instance, safe='')}"
        answer = await self._call("GET", path, params={"includeArchive": "true"})
        if answer.status == 404:
            if answer.body.lstrip().startswith(b"<"):  # a proxy or another server: no word of phoss-ap's
                raise _error(answer)
            return None
        if answer.status >= 300:
            raise _error(answer)
        found = _read(answer, Transaction)
        if found is None or found.status is None:
            raise VendorError("The answer is no status of a transmission.", code="vendor-answer", **_more(answer))
        return found

    async def under_way(self) -> None:
        """The cheapest call that proves the token: what is being sent. Raises as `transaction`."""
        answer = await self._call("GET", "/api/outbound/in-transmission")
        if answer.status >= 300:
            raise _error(answer)

    async def management(self) -> Management:
        """What the server says of itself, without the token; empty where it says nothing."""
        answer = await self._call("GET", "/management/status")
        return (_read(answer, Management) if answer.status < 300 else None) or Management()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        return await self._http.call(method, path, headers={**(headers or {}), "X-Token": self._token}, **more)


_READ_IT = "Read what phoss-ap says about it, mend the document, and send it again."


def said_in(answer: Answer) -> str | None:
    """Its own words: a JSON string, one of the usual fields, or the text as it is."""
    try:
        body = answer.json()
    except ConnectorError:
        return answer.body.decode("utf-8", "replace").strip()[:2000] or None
    if isinstance(body, dict):
        texts = [str(body[name]) for name in ("error", "message", "errorMessage", "detail") if body.get(name)]
        if texts:
            return ": ".join(texts)[:2000]
    return body[:2000] if isinstance(body, str) else answer.body.decode()[:2000] if body else None


def _more(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "said_by_vendor": said_in(answer)}


def _read(answer: Answer, model: type[_Model]) -> _Model | None:
    """A body as it is described; None where it is something else."""
    try:
        body = answer.json()
    except ConnectorError:
        return None
    if not isinstance(body, dict):
        return None
    try:
        return model.model_validate(body)
    except ValidationError:
        return None


def _error(answer: Answer) -> VendorError:
    """What an answer means, by its status and never by its words: 400 and 413 are about the document, everything that
    is about the address or the token is the connection's.
    """
    more = _more(answer)
    log.warning("phoss-ap answers %s", answer.status)
    if answer.status == 400:
        return Refused("phoss-ap refuses what was sent.", code="vendor-validation", do=_READ_IT, **more)
    if answer.status == 401:
        do = "Put the token in that phoss-ap wants (phase4.api.requiredtoken there; the secret `token` here)."
        return NeedsPerson("phoss-ap does not accept the token of this connection.", code="sign-in", do=do, **more)
    if answer.status == 403:
        do = "See what stands between here and phoss-ap: a proxy that lets only some callers through, mostly."
        return NeedsPerson("phoss-ap does not let this connection in.", code="access-lost", do=do, **more)
    if answer.status == 413:
        do = "Make the attachments smaller, or have the limit of the server raised."
        return Refused("The document is too large for this phoss-ap.", code="document-too-large", do=do, **more)
    if answer.status < 400 or answer.status in (404, 405, 407):
        do = "See that the address (base_url) is the one of phoss-ap itself, without /api, and is not sent elsewhere."
        return NeedsPerson("There is no phoss-ap at this address.", code="address-wrong", do=do, **more)
    return Refused(f"phoss-ap refused with status {answer.status}.", **more)
