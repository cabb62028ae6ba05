"""Calls to one company in Fiken: signed in, one at a time, lists page by page, and what answers mean."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.accounting.fiken import pacing
from adapters.accounting.fiken.records import not_as_described
from connector.errors import ConnectorError, NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http
from connector.ports import File

log = logging.getLogger(__name__)

OSLO = ZoneInfo("Europe/Oslo")
PAGE = 100
"""Entries of a list that are asked for at a time: no more are given."""
Row = dict[str, Any]


class Client:
    """One company's calls.

    Args:
        http: calls below the API's base address.
        token: the access token for the next call; given the one that was just refused, another, or None.
        slug: names the company in paths, once it is known.
        user: what the vendor counts together, see `pacing`.
        spacing: the least seconds between two calls' starts.
    """

    def __init__(
        self,
        http: Http,
        *,
        token: Callable[[str | None], Awaitable[str | None]],
        slug: Callable[[], Awaitable[str]],
        user: str,
        spacing: float,
    ) -> None:
        self._http = http
        self._token = token
        self._slug = slug
        self._user = user
        self._spacing = spacing
        self._masked: str | None = None
        self._pace: pacing.Pace | None = None
        """Kept, because it lives as long as somebody has it."""

    # --- calls about the company --------------------------------------------------------------------------------------

    async def get(self, path: str, **params: Any) -> Row:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        body = (await self.call("GET", path, params=params)).json()
        if not isinstance(body, dict):
            raise not_as_described("", "an object", path)
        return body

    async def find(self, path: str) -> Row | None:
        """One thing, or None where Fiken says that there is none, and the company is still there to be asked.

        Raises `NeedsPerson` ("access-lost"): a company that was taken away answers alike for all there is in it.
        """
        try:
            return await self.get(path)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
        await self.get("")
        return None

    async def page(self, path: str, id: str, number: int, /, **params: Any) -> tuple[list[Row], bool]:
        """One page of a list, from 0, and whether there is another. `id`: the field that every entry has."""
        return await self._page(self.call, path, id, number, params)

    async def _page(
        self, call: Callable[..., Awaitable[Answer]], path: str, id: str, number: int, params: Mapping[str, Any]
    ) -> tuple[list[Row], bool]:
        answer = await call("GET", path, params={**params, "page": number, "pageSize": PAGE})
        rows = _rows(answer.json(), id, path)
        pages = answer.headers.get("fiken-api-page-count", "")
        return rows, number + 1 < int(pages) if pages.isdigit() else len(rows) >= PAGE

    async def every(self, path: str, id: str, /, **params: Any) -> list[Row]:
        """All entries of a list that is known to be short, each once."""
        return [row async for row in self.leaf(path, id, **params)]

    async def companies(self) -> list[Row]:
        """All companies that the user reaches: the one list that is about no company."""
        return [row async for row in self._leaf(self.about_all, "/companies", "slug", {})]

    def leaf(self, path: str, id: str, /, **params: Any) -> AsyncIterator[Row]:
        """Entries of a list as long as they are wanted; pages that shift meanwhile give none of them twice."""
        return self._leaf(self.call, path, id, params)

    async def _leaf(
        self, call: Callable[..., Awaitable[Answer]], path: str, id: str, params: Mapping[str, Any]
    ) -> AsyncIterator[Row]:
        number, more, given = 0, True, set()
        while more:
            rows, more = await self._page(call, path, id, number, params)
            number += 1
            for row in rows:
                if row[id] not in given:
                    given.add(row[id])
                    yield row

    async def whole(self, path: str) -> list[Row]:
        """A list that has no pages."""
        return _rows((await self.call("GET", path)).json(), "", path)

    async def create(self, path: str, json: Mapping[str, Any], **params: Any) -> int:
        """Make a thing; its id, which stands in the header `Location`: the body is empty.

        Raises `UnknownOutcome` (also with code "vendor-answer" where it was taken and there is no such header).
        """
        return _located(await self.call("POST", path, json=json, params=params), path)

    async def upload(self, path: str, file: File, texts: Mapping[str, str], **params: Any) -> int:
        """Send a file as a form with further texts in it; the id of what was made. Raises as `create`."""
        form: dict[str, Any] = {name: (None, text) for name, text in texts.items()}
        form["file"] = (file.name, file.content, file.media_type)
        return _located(await self.call("POST", path, files=form, params=params), path)

    async def content(self, address: str) -> bytes | None:
        """A file by the address that Fiken shows of it, which must be below our own; None where there is none."""
        found = re.search(r"/companies/[^/]+(/.*)$", address)
        if not found:
            return None
        try:
            return (await self.call("GET", found[1], headers={"Accept": "*/*"})).body or None
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """A call about the company; `path` is below it. Raises as `about_all`."""
        return await self.about_all(method, f"/companies/{await self._slug()}{path}", **more)

    # --- any call -----------------------------------------------------------------------------------------------------

    async def about_all(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A call; nobody with the same user calls meanwhile. A token that is refused is made anew, once.

        Raises:
            TryLater: as `Http.call`; Fiken never says when it takes calls again, so `after` is our own guess.
            UnknownOutcome: as `Http.call`.
            Refused: "vendor-not-found" (404), "vendor-validation" (400), "refused": with Fiken's text beside it.
            NeedsPerson: "sign-in" (the token is not accepted), "access-lost" (the company, or its API module).
        """
        asked = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        token = await self._token(None)
        answer = await self._once(method, path, token, params=asked, json=json, files=files, headers=headers or {})
        if answer.status == 401 and (fresh := await self._token(token)) not in (None, token):
            answer = await self._once(method, path, fresh, params=asked, json=json, files=files, headers=headers or {})
        if answer.status < 300:
            return answer
        raise _error(answer, method, path)

    async def _once(
        self, method: str, path: str, token: str | None, *, headers: Mapping[str, str], **more: Any
    ) -> Answer:
        """The call in its turn; never sent twice, because the first may still be running."""
        self._pace = pace = pacing.of(self._user, self._spacing)
        if token is not None and token != self._masked:
            self._http.keep_secret(token)
            self._masked = token
        said = {**headers, "Authorization": f"Bearer {token}"}
        async with pace.turn():
            try:
                answer = await self._http.call(method, path, headers=said, tries=1, **more)
            except TryLater as exc:
                if exc.code == "rate-limited":
                    exc.after = pace.refused()
                elif exc.code == "answer-lost":
                    pace.lost()
                raise
            except (UnknownOutcome, asyncio.CancelledError):  # a step's time may be over before the call's
                pace.lost()
                raise
        pace.taken()
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def said_in(answer: Answer) -> str | None:
    """Fiken's own words, whichever of the shapes they have that integrators have seen."""
    try:
        body = answer.json()
    except ConnectorError:
        return answer.body.decode("utf-8", "replace")[:2000] or None
    if isinstance(body, dict):
        texts = [str(body[name]) for name in ("error", "error_description", "message") if body.get(name)]
        return ": ".join(texts)[:2000] or None
    return str(body)[:2000] if body else None


def _error(answer: Answer, method: str, path: str) -> VendorError:
    """What Fiken says, as one of our errors: by status, never by its text."""
    more: dict[str, Any] = {
        "status": answer.status,
        "said_by_vendor": said_in(answer),
        "where": {"call": f"{method} {path}"},
    }
    log.warning("Fiken: %s %s -> %s", method, path, answer.status)
    if answer.status == 401:
        do = "Sign in to Fiken again for this connection, or put in a new personal token."
        return NeedsPerson("Fiken does not accept the token of this connection.", code="sign-in", do=do, **more)
    gone = answer.status == 404 and re.fullmatch(r"/companies/[^/]+", path)
    if answer.status == 403 or gone:
        return NeedsPerson(
            "Fiken does not let this connection into the company any more.",
            code="access-lost",
            do="See in Fiken that the user has access to the company, that the company has the API module, and that the"
            " company is ticked for this integration; then try the connection again. Nothing was deleted.",
            **more,
        )
    if answer.status == 404:
        return Refused("Fiken has no such thing.", code="vendor-not-found", **more)
    if answer.status == 400:
        return Refused(
            "Fiken refused what was sent.",
            code="vendor-validation",
            do="Read what Fiken says about it, mend the document or its mapping, and try again.",
            **more,
        )
    return Refused(f"Fiken refused with status {answer.status}.", **more)


def _rows(body: Any, id: str, path: str) -> list[Row]:
    if not isinstance(body, list):
        raise not_as_described("", "a list", path)
    for row in body:
        if not isinstance(row, dict):
            raise not_as_described("[]", "an object", path)
        if id and type(row.get(id)) not in (int, str):
            raise not_as_described(f"[].{id}", "an id", path)
    return body


def _located(answer: Answer, path: str) -> int:
    found = re.search(r"/(\d+)$", answer.headers.get("location", ""))
    if found is None:
        problem = not_as_described("Location", "an address that ends with an id", path)
        raise UnknownOutcome(problem.said, code=problem.code, do=problem.do, where=problem.where, status=answer.status)
    return int(found[1])


def _text(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value
