"""Calls to Tripletex: the session, what its answers mean, and how its lists are read."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.accounting.tripletex import session as sessions
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.refusals import refusal
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http, now, retry_after
from connector.ports import File

log = logging.getLogger(__name__)

OSLO = ZoneInfo("Europe/Oslo")
PAGE = 1000
"""Rows of a list that are asked for at a time."""


class Client:
    """One company's calls. The session is made when it is first needed and again before or once it has ended.

    Args:
        http: calls below the API's base address.
        consumer_token, employee_token: what Tripletex gave for access.
        company: the user name of every call; 0 is the employee's own company.
        days: for how long a session is asked.
        legacy: begin sessions by `PUT`, with the tokens in the address.
        shared: key of the session that others with the same tokens use, too; None: one of its own.
    """

    def __init__(
        self,
        http: Http,
        *,
        consumer_token: str,
        employee_token: str,
        company: int,
        days: int,
        legacy: bool,
        shared: str | None = None,
    ) -> None:
        http.keep_secret(consumer_token, employee_token, names={"consumerToken", "employeeToken", "sessionToken"})
        self._http = http
        self._tokens = {"consumerToken": consumer_token, "employeeToken": employee_token}
        self._company = company
        self._days = days
        self._legacy = legacy
        self._session = sessions.join(shared or f"own {id(self)}")
        self._masked: str | None = None
        self._closed = False
        self.server_time: datetime | None = None
        """What the vendor's clock said in its last answer (UTC)."""

    # --- calls --------------------------------------------------------------------------------------------------------

    async def get(self, path: str, *, fields: str, **params: Any) -> dict[str, Any]:
        """One thing with the fields named. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        return _value(await self.call("GET", path, params={**params, "fields": fields}), path)

    async def rows(
        self, path: str, *, fields: str, start: int = 0, count: int = PAGE, sorting: str = "id", **params: Any
    ) -> list[dict[str, Any]]:
        """One page of a list, from row `start`. The last page has fewer than `count` rows.

        Raises `Refused` ("too-many-rows") where the query matches more than Tripletex gives, and what `call` raises.
        """
        asked = {**params, "from": start, "count": count, "sorting": sorting, "fields": fields}
        return _rows((await self.call("GET", path, params=asked)).json(), path)

    async def page_unless(
        self, digest: str, path: str, *, fields: str, start: int, sorting: str = "id", **params: Any
    ) -> tuple[list[dict[str, Any]] | None, str]:
        """One page of a list and its checksum (`versionDigest`); None where it still has the checksum `digest`.

        The vendor's checksum knows rows by id and version: it may miss changes in what they refer to, and of rights.
        """
        asked = {**params, "from": start, "count": PAGE, "sorting": sorting, "fields": fields}
        answer = await self.call("GET", path, params=asked, headers={"If-None-Match": digest})
        if answer.status == 304:
            return None, digest
        body = answer.json()
        return _rows(body, path), str(body.get("versionDigest") or "")

    async def every(self, path: str, *, fields: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a list that is known to be short."""
        found: list[dict[str, Any]] = []
        while True:
            rows = await self.rows(path, fields=fields, start=len(found), **params)
            found += rows
            if len(rows) < PAGE:
                return found

    async def write(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> dict[str, Any]:
        """A call that changes something; the thing it answers with, which has an `id`.

        Raises `UnknownOutcome` (also, with code "vendor-answer", when it was taken and the answer is not as described)
        and what `call` raises.
        """
        answer = await self.call(method, path, params=params, json=json)
        try:
            return _value(answer, path)
        except VendorError as exc:
            raise UnknownOutcome(exc.said, code=exc.code, do=exc.do, where=exc.where, status=answer.status) from None

    async def upload(
        self, method: str, path: str, file: File, *, params: Mapping[str, Any] | None = None, **texts: str
    ) -> Answer:
        """Send a file as a form, with further `texts` in it. Raises what `call` raises."""
        form: dict[str, Any] = {name: (None, text) for name, text in texts.items()}
        form["file"] = (file.name, file.content, file.media_type)
        return await self.call(method, path, params=params, files=form)

    async def content(self, path: str, **params: Any) -> bytes | None:
        """A file; None where Tripletex has none."""
        try:
            return (await self.call("GET", path, params=params, headers={"Accept": "*/*"})).body or None
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
        company: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call in the session; a session that is refused is made anew, once. An answer of 304 is given as it is.
        `company`: another user name than the usual.

        Raises:
            TryLater: as `Http.call`; "rate-limited" also without a call while the period's calls are used up.
            UnknownOutcome: as `Http.call`.
            Refused: by status and the vendor's code; `details` has the vendor's own code and fields.
            NeedsPerson: "sign-in" (the tokens are not accepted), "right-missing" (403).
        """
        if params is not None:
            params = {name: _text(value) for name, value in params.items() if value is not None}
        for again in (True, False):
            token = await self._in_session()
            self._not_used_up()
            try:
                answer = await self._http.call(
                    method,
                    path,
                    params=params,
                    json=json,
                    files=files,
                    headers={**(headers or {}), **self._headers(token, company)},
                    hint=self._hint,
                )
            except TryLater as exc:
                if exc.code == "rate-limited" and exc.after is None and self._session.resets_at > now():
                    exc.after = self._session.resets_at - now()
                raise
            self._heard(answer)
            if answer.status == 401 and again:
                # Not taken: the session has ended. Whoever comes first makes a new one, the others use it.
                async with self._session.lock:
                    if self._session.token == token:
                        self._session.token = None
                continue
            break
        if answer.status < 300 or answer.status == 304:
            return answer
        raise self._error(answer, f"{method} {path}")

    async def close(self) -> None:
        """End the session where nobody else uses it, as well as that goes, and close the connections."""
        token = None if self._closed else sessions.leave(self._session)
        self._closed = True
        if token is not None:
            self._hide(token)
            try:
                await self._http.call("DELETE", f"/token/session/{token}", headers=self._headers(token), timeout=5.0)
            except VendorError as exc:
                log.info("The session could not be ended: %s", exc.said)
        await self._http.aclose()

    # --- the session --------------------------------------------------------------------------------------------------

    async def _in_session(self) -> str:
        session = self._session
        async with session.lock:
            if session.token is None or datetime.now(UTC) >= session.dies - timedelta(minutes=10):
                await self._begin()
            assert session.token is not None
            self._hide(session.token)
            return session.token

    def _hide(self, token: str) -> None:
        if token != self._masked:
            self._http.keep_secret(token)
            self._masked = token

    def _headers(self, token: str, company: int | None = None) -> dict[str, str]:
        user = self._company if company is None else company
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}

    async def _begin(self) -> None:
        day = datetime.now(OSLO).date() + timedelta(days=self._days)
        asked = {**self._tokens, "expirationDate": day.isoformat()}
        path = "/token/session/:create"
        # A session more than needed harms nobody, so this counts as reading: it is tried again.
        if self._legacy:
            answer = await self._http.call("PUT", path, params=asked, writes=False, hint=self._hint)
        else:
            answer = await self._http.call("POST", path, json=asked, writes=False, hint=self._hint)
        if answer.status >= 300:
            error = self._error(answer, f"session at {path}")
            if isinstance(error, TryLater):
                raise error
            raise NeedsPerson(
                "Tripletex does not accept the tokens of this connection.",
                code="sign-in",
                status=error.status,
                said_by_vendor=error.said_by_vendor,
                do="Have the customer make a new key for our application under API-tilgang, and put it in.",
                where=error.where,
                details=error.details,
            )
        session = _value(answer, path, id_named="token", of=str)
        try:
            day = date.fromisoformat(str(session.get("expirationDate", day.isoformat()))[:10])
        except ValueError:
            raise not_as_described("value.expirationDate", "a day", path) from None
        # It ends at midnight, Norwegian time, as that day begins.
        self._session.dies = datetime(day.year, day.month, day.day, tzinfo=OSLO).astimezone(UTC)
        self._session.token = session["token"]

    # --- what answers mean --------------------------------------------------------------------------------------------

    def _hint(self, headers: Mapping[str, str]) -> float | None:
        self._limits(headers)
        reset = _seconds(headers, "x-rate-limit-reset")
        return retry_after(headers) if reset is None else reset

    def _limits(self, headers: Mapping[str, str]) -> None:
        left, reset = _seconds(headers, "x-rate-limit-remaining"), _seconds(headers, "x-rate-limit-reset")
        if left is not None:
            self._session.left = int(left)
        if reset is not None:
            self._session.resets_at = now() + reset

    def _heard(self, answer: Answer) -> None:
        self._limits(answer.headers)
        try:
            self.server_time = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError):
            self.server_time = None

    def _not_used_up(self) -> None:
        wait = self._session.resets_at - now()
        if self._session.left == 0 and wait > 0:
            raise TryLater("The calls of this period are used up.", code="rate-limited", after=wait)

    def _error(self, answer: Answer, call: str) -> VendorError:
        """What Tripletex says, as one of our errors: by status, code and fields, never by its text."""
        try:
            body = answer.json()
        except VendorError:
            body = None
        body = body if isinstance(body, dict) else {}
        code = body.get("code") if isinstance(body.get("code"), int) else None
        problems = [item for item in body.get("validationMessages") or () if isinstance(item, dict)]
        fields = [
            str(item.get("path") or item.get("field")) for item in problems if item.get("path") or item.get("field")
        ]
        said = [str(text) for text in (body.get("message"), *(item.get("message") for item in problems)) if text]
        request_id = answer.headers.get("x-tlx-request-id") or body.get("requestId")
        log.warning(
            "Tripletex: %s -> %s, code %s, fields %s, request id %s", call, answer.status, code, fields, request_id
        )
        more: dict[str, Any] = {
            "status": answer.status,
            "said_by_vendor": " ".join(said)[:2000] or None,
            "where": {"call": call, **({"request_id": request_id} if request_id else {})},
            "details": {"vendor_code": code, "fields": fields},
        }
        if answer.status == 401:
            do = "See that the key under API-tilgang is still active, or put in a new one."
            return NeedsPerson("Tripletex does not accept this session.", code="sign-in", do=do, **more)
        if answer.status == 408:
            return TryLater("Tripletex waited too long for the request.", **more)
        row = refusal(call, answer.status, code, fields)
        if row is None:
            return Refused(f"Tripletex refused with status {answer.status}.", **more)
        if answer.status == 403:
            return NeedsPerson(row.says, code=row.ours, do=row.do, **more)
        named = f" Fields: {', '.join(fields)}." if fields else ""
        return Refused(row.says + named, code=row.ours, do=row.do, **more)


def _rows(answer: Any, path: str) -> list[dict[str, Any]]:
    rows = answer.get("values") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise not_as_described("values", "a list", path)
    for row in rows:
        if not isinstance(row, dict) or type(row.get("id")) is not int:
            raise not_as_described("values[].id", "an integer", path)
    return rows


def _text(value: Any) -> Any:
    """A query parameter as Tripletex reads it; amounts never with an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value


def _seconds(headers: Mapping[str, str], name: str) -> float | None:
    said = headers.get(name, "").strip()
    return float(said) if said.isdigit() else None


def _value(answer: Answer, path: str, *, id_named: str = "id", of: type = int) -> dict[str, Any]:
    body = answer.json()
    value = body.get("value") if isinstance(body, dict) else None
    if not isinstance(value, dict):
        raise not_as_described("value", "an object", path)
    if type(value.get(id_named)) is not of:
        raise not_as_described(f"value.{id_named}", "an integer" if of is int else "a text", path)
    return value
