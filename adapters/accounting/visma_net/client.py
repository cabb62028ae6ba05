"""Calls to Visma Net: the token, what answers mean, and how lists are read."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from adapters.accounting.visma_net.refusals import refusal, text_of
from adapters.accounting.visma_net.token import Tokens
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http, now, retry_after
from connector.model.json import loads
from connector.ports import File

log = logging.getLogger(__name__)

PAGE = 500
"""Rows of a list that are asked for at a time; an endpoint gives no more than its own maximum, and does not say so."""

Row = dict[str, Any]

HOUR = 3600
"""Seconds of the window in which calls are counted."""


class Rows(NamedTuple):
    """A page of a list. `more`: there are further pages."""

    rows: list[Row]
    more: bool


class Client:
    """One company's calls.

    Args:
        http: calls below the API's base address.
        tokens: gives the token of a call.
    """

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens
        self._left: int | None = None
        self._resets_at = 0.0

    # --- reading ------------------------------------------------------------------------------------------------------

    async def get(self, path: str, **params: Any) -> Row:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        return _row((await self.call("GET", path, params=params)).json(), path)

    async def find(self, path: str, **params: Any) -> Row | None:
        """One thing, or None where there is none. Raises what `call` raises."""
        try:
            return await self.get(path, **params)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def page(self, path: str, number: int, **params: Any) -> Rows:
        """Page `number` (from 1) of a list.

        A page may be shorter than was asked for: how long pages really are, and how many rows there are, stands in each
        row (`metadata`); an empty list says nothing. Raises what `call` raises.
        """
        asked = {**params, "pageNumber": number, "pageSize": PAGE}
        rows = _list((await self.call("GET", path, params=asked)).json(), path)
        told = rows[0].get("metadata") if rows else None
        total, most = (told.get("totalCount"), told.get("maxPageSize")) if isinstance(told, dict) else (None, None)
        if not isinstance(total, int) or not isinstance(most, int):
            return Rows(rows, bool(rows))
        return Rows(rows, bool(rows) and number * min(PAGE, most or PAGE) < total)

    async def every(self, path: str, **params: Any) -> list[Row]:
        """All rows of a list that has pages. Raises what `call` raises."""
        found: list[Row] = []
        number, more = 1, True
        while more:
            rows, more = await self.page(path, number, **params)
            found += rows
            number += 1
        return found

    async def listed(self, path: str, **params: Any) -> list[Row]:
        """All rows of a list that has no pages. Raises what `call` raises."""
        return _list((await self.call("GET", path, params=params)).json(), path)

    async def content(self, path: str) -> bytes | None:
        """A file; None where there is none. Raises what `call` raises."""
        try:
            return (await self.call("GET", path)).body or None
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    # --- writing ------------------------------------------------------------------------------------------------------

    async def create(self, path: str, body: Mapping[str, Any]) -> str:
        """Make something; its number, from the address that the answer names.

        Raises `UnknownOutcome` (also, with code "vendor-answer", when it was taken and the answer names no address) and
        what `call` raises.
        """
        answer = await self.call("POST", path, json=body)
        number = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if answer.status != 201 or not number:
            raise UnknownOutcome(
                "Visma Net's answer does not say what was made.",
                code="vendor-answer",
                where={"call": f"POST {path}"},
                status=answer.status,
            )
        return _unsegment(number)

    async def upload(self, path: str, file: File) -> None:
        """Send a file as a form. Raises what `call` raises."""
        await self.call("POST", path, files={"file": (file.name, file.content, file.media_type)})

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
        only_if: str | None = None,
    ) -> Answer:
        """One call; a token that is refused is fetched anew, once. `only_if`: the version that is to be changed, and no
        other (`If-Match`); what was changed meanwhile is refused ("revision-conflict") where Visma Net heeds it.

        Raises:
            TryLater: as `Http.call`; "rate-limited" also without a call while the hour's calls are used up.
            UnknownOutcome: as `Http.call`; with what the text of a 500 means, where the table knows it.
            Refused: by status and text.
            NeedsPerson: "sign-in" (the token is not accepted), "right-missing" (403).
        """
        if params is not None:
            params = {name: _text(value) for name, value in params.items() if value is not None}
        condition = {"If-Match": f'"{only_if}"'} if only_if else {}
        for again in (True, False):
            token = await self._tokens.current()
            self._not_used_up()
            try:
                answer = await self._http.call(
                    method,
                    path,
                    params=params,
                    json=json,
                    files=files,
                    headers={"Authorization": f"Bearer {token}", **condition},
                    hint=self._hint,
                )
            except UnknownOutcome as exc:
                exc.refused = self._meant(exc, f"{method} {path}")
                raise
            except TryLater as exc:
                if exc.code == "rate-limited" and exc.after is not None and exc.after <= HOUR:
                    self._left, self._resets_at = 0, now() + exc.after  # also for the calls that would follow at once
                raise
            self._limits(answer.headers)
            if answer.status == 401 and again:
                self._tokens.refused(token)
                continue
            break
        if answer.status < 300:
            return answer
        raise self._error(answer.status, _json(answer), f"{method} {path}")

    async def close(self) -> None:
        """Close the connections."""
        await self._tokens.close()
        await self._http.aclose()

    # --- limits -------------------------------------------------------------------------------------------------------

    def _hint(self, headers: Mapping[str, str]) -> float | None:
        self._limits(headers)
        said = retry_after(headers)
        return _number(headers, "x-ratelimit-reset") if said is None else said

    def _limits(self, headers: Mapping[str, str]) -> None:
        left, reset = _number(headers, "x-ratelimit-remaining"), _number(headers, "x-ratelimit-reset")
        if left is not None:
            self._left = int(left)
        # The window is an hour: what is far more is no number of seconds, and is not believed.
        if reset is not None and reset <= HOUR:
            self._resets_at = now() + reset

    def _not_used_up(self) -> None:
        wait = self._resets_at - now()
        if self._left == 0 and wait > 0:
            raise TryLater("The calls of this hour are used up.", code="rate-limited", after=wait)

    # --- what answers mean --------------------------------------------------------------------------------------------

    def _meant(self, exc: UnknownOutcome, call: str) -> Refused | None:
        """What a 500 means if a look finds nothing: its text fits a business fault of the table. The text alone proves
        nothing: Visma describes no error by which it could be told from a fault after the work was done.
        """
        if exc.status != 500 or not exc.said_by_vendor:
            return None
        try:
            body = loads(exc.said_by_vendor.encode())
        except ValueError:
            return None
        text, _ = text_of(body)
        error = self._error(500, body, call) if text and refusal(text) else None
        return error if isinstance(error, Refused) else None

    def _error(self, status: int, body: Any, call: str) -> VendorError:
        text, support = text_of(body)
        log.warning("Visma Net: %s -> %s, VismaId %s", call, status, support)
        more: dict[str, Any] = {
            "status": status,
            "said_by_vendor": text or None,
            "where": {"call": call, **({"visma_id": support} if support else {})},
        }
        if status == 401:
            return NeedsPerson(
                "Visma Net does not accept the token of this connection.",
                code="sign-in",
                do="See that tenant_id is the company's and not the contract's, and that the company still has our"
                " application in Visma App Store.",
                **more,
            )
        if status == 403:
            return NeedsPerson(
                "The connection has no right to this in Visma Net.",
                code="right-missing",
                do="See which scopes our client has, and whether the company has the module.",
                **more,
            )
        if status == 408:
            return TryLater("Visma Net waited too long for the request.", **more)
        if status == 404:
            return Refused("Visma Net has no such thing.", code="vendor-not-found", **more)
        if status == 412:
            return Refused("It was changed in Visma Net in the meantime.", code="revision-conflict", **more)
        row = refusal(text)
        if row is None:
            return Refused("Visma Net does not accept what was sent.", code="vendor-validation", **more)
        return Refused(row.says, code=row.ours, do=row.do, **more)


def segment(number: str) -> str:
    """A number as a part of a path: one with reserved characters is written in base64."""
    if re.fullmatch(r"[A-Za-z0-9._-]+", number):
        return number
    return f"b64({base64.urlsafe_b64encode(number.encode()).decode()})"


def _unsegment(part: str) -> str:
    found = re.fullmatch(r"b64\(([A-Za-z0-9_=-]+)\)", part)
    return base64.urlsafe_b64decode(found[1]).decode() if found else part


def not_as_described(field: str, wanted: str, call: str) -> VendorError:
    """An answer (to `call`) that is not what Visma Net's own description says."""
    return VendorError(
        f"Visma Net's answer is not as its description says: {field} should be {wanted}.",
        code="vendor-answer",
        do="Try again later; if it stays so, see whether Visma Net has changed its API.",
        where={"field": field, "call": call},
    )


def _row(body: Any, path: str) -> Row:
    if not isinstance(body, dict):
        raise not_as_described("the answer", "an object", path)
    return body


def _list(body: Any, path: str) -> list[Row]:
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise not_as_described("the answer", "a list of objects", path)
    return body


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except VendorError:
        return None


def _text(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


def _number(headers: Mapping[str, str], name: str) -> float | None:
    said = headers.get(name, "").strip()
    return float(said) if re.fullmatch(r"\d+(\.\d+)?", said) else None
