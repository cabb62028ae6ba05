"""Calls to Maventa: the token, and what answers mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.access_points.answers import S, Vendor
from connector.errors import NeedsPerson, Refused, VendorError
from connector.http import Answer, Http
from connector.oauth import ClientTokens

PAGE = 100
"""Rows of a list that are asked for at a time, unless said: no more are given."""
Row = dict[str, Any]
Field = tuple[str, str]

_THERE_ALREADY = re.compile(r"duplicat|already|(?<!not )exists|unique", re.IGNORECASE)
"""The words for a key that was used before are not described, but those for documents."""
MAVENTA = Vendor(
    "Maventa",
    "https://ax.maventa.com",
    sign_in="See that the user's API key still holds, and that the company's identity is verified in Maventa: before"
    " that everything is refused as unauthorised.",
    access="See in Maventa that the company is authorised and has the service that the call needs.",
)


class Client:
    """One company's calls.

    Args:
        http: calls below the API's base address.
        tokens: gives the token of a call.
    """

    def __init__(self, http: Http, tokens: ClientTokens) -> None:
        self._http, self._tokens = http, tokens

    async def get(self, path: str, **params: Any) -> Row:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        said = (await self.call("GET", path, params=params)).json()
        if not isinstance(said, dict):
            raise MAVENTA.undescribed(path, "it is no object")
        return said

    async def find(self, path: str) -> Row | None:
        """One thing, or None where there is none. Raises what `call` raises."""
        try:
            return await self.get(path)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def rows(self, path: str, **params: Any) -> list[Row]:
        """One page of a list. Raises what `call` raises."""
        answer = await self.call("GET", path, params={"per_page": PAGE, **params}, collection=True)
        said = answer.json()
        if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
            raise MAVENTA.undescribed(path, "it is no list")
        return said

    async def content(self, path: str, **params: Any) -> bytes:
        """A file. Raises as `get`."""
        return (await self.call("GET", path, params=params, headers={"Accept": "*/*"})).body

    async def upload(self, path: str, document: bytes, fields: Sequence[Field], shape: type[S]) -> S:
        """Send a document with what is to be done with it; what was made of it.

        Raises `UnknownOutcome` (also with "vendor-answer": it was taken, and the answer cannot be read),
        `ThereAlready`, and what `call` raises.
        """
        form: list[tuple[str, Any]] = [("file", ("document.xml", document, "application/xml"))]
        form += [(name, (None, value)) for name, value in fields]
        answer = await self.call("POST", path, files=form, collection=True)
        return MAVENTA.made(shape, answer, f"POST {path}")

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        collection: bool = False,
    ) -> Answer:
        """One call; a token that is refused is fetched anew, once. `collection`: what is there for every company, so
        that a 404 speaks of the connection and not of a thing.

        Raises:
            TryLater, UnknownOutcome: as `Http.call`.
            ThereAlready: Maventa has this already, as it says ("there-already").
            Refused: "vendor-not-found", "vendor-validation", "document-too-large", "refused".
            NeedsPerson: "sign-in" (401), "access-refused" (403), "address-wrong" (404 where there is always something).
        """
        for again in (True, False):
            token = await self._tokens.current()
            answer = await self._http.call(
                method,
                path,
                params=params,
                json=json,
                files=files,
                headers={**(headers or {}), "Authorization": f"Bearer {token}"},
            )
            if answer.status != 401 or not again:
                break
            self._tokens.refused(token)  # nothing was taken: the same call may be made again
        if answer.status < 300:
            return answer
        raise _error(answer, f"{method} {path}", collection=collection)

    async def close(self) -> None:
        """Close the connections."""
        await self._tokens.close()
        await self._http.aclose()


def refusal(answer: Answer, said: Mapping[str, Any]) -> NeedsPerson:
    """What it means that no token was given."""
    return NeedsPerson(
        "Maventa gives no token for this connection.",
        code="sign-in",
        status=answer.status,
        said_by_vendor=_words(said),
        do="See that the setting company (its UUID) and the secrets api_key and vendor_api_key are right and of the"
        " same environment (production or test).",
    )


def _error(answer: Answer, call: str, *, collection: bool) -> VendorError:
    """What Maventa says, as one of our errors: by status; the words decide only whether it has something already."""
    said = _said(answer)
    words = _words(said)
    details = {name: said[name] for name in ("code", "message", "details") if name in said}
    there = answer.status == 409 or (answer.status in {400, 422} and bool(_THERE_ALREADY.search(words or "")))
    return MAVENTA.refusal(answer, call, words=words, details=details, collection=collection, there=there)


def _said(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except VendorError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(said: Mapping[str, Any]) -> str | None:
    """`code: message (detail; detail)`, as far as it is there."""
    details = said.get("details")
    more = "; ".join(map(str, details)) if isinstance(details, list) else str(details or "")
    names = ("code", "error", "message", "error_description")
    text = ": ".join(str(said[name]) for name in names if said.get(name)) + (f" ({more})" if more else "")
    return text[:2000] or None
