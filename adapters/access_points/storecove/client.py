"""Calls to Storecove, and what answers mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.access_points import links
from adapters.access_points.answers import Vendor
from adapters.access_points.storecove import wire
from connector.errors import Refused, VendorError
from connector.http import Answer, Http

Row = dict[str, Any]


STORECOVE = Vendor(
    "Storecove",
    "https://api.storecove.com/api/v2",
    sign_in="Put in an API key that holds (connector connections secret), of the same environment.",
    access="See at Storecove that the key may act for the LegalEntity in the setting legal_entity.",
)


class Client:
    """The calls of one account.

    Args:
        http: calls below the API's base address.
        base_url: that address: links to it may be followed whatever its scheme.
        api_key: of the account.
    """

    def __init__(self, http: Http, base_url: str, api_key: str) -> None:
        self._http, self._base_url, self._key = http, base_url, api_key
        http.keep_secret(api_key)

    async def get(self, path: str) -> Row:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        said = (await self.call("GET", path)).json()
        if not isinstance(said, dict):
            raise STORECOVE.undescribed(f"GET {path}", "it is no object")
        return said

    async def find(self, path: str) -> Row | None:
        """One thing, or None where there is none (yet). Raises what `call` raises."""
        try:
            return await self.get(path)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def submit(self, submission: Mapping[str, Any]) -> str:
        """Send a document; its guid.

        Raises `UnknownOutcome` (also with "vendor-answer": it was taken, and the answer cannot be read),
        `ThereAlready`, and what `call` raises.
        """
        path = "/document_submissions"
        answer = await self.call("POST", path, json=submission, collection=True)
        return STORECOVE.made(wire.Submitted, answer, f"POST {path}").guid

    async def call(
        self, method: str, path: str, *, json: Any = None, writes: bool | None = None, collection: bool = False
    ) -> Answer:
        """One call. `writes`: see `Http.call`; `collection`: what is there for every account, so that a 404 speaks of
        the connection and not of a thing.

        Raises:
            TryLater, UnknownOutcome: as `Http.call`.
            ThereAlready: our key was used before ("there-already").
            Refused: "vendor-not-found", "vendor-validation", "document-too-large", "refused".
            NeedsPerson: "sign-in" (401), "access-refused" (403), "address-wrong" (404 where there is always something).
        """
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = await self._http.call(method, path, json=json, headers=headers, writes=writes)
        if answer.status < 300:
            return answer
        raise _error(answer, f"{method} {path}", collection=collection)

    async def follow(self, link: str) -> bytes:
        """What lies behind a link that Storecove gives for a short time. Raises as `links.follow`."""
        return await links.follow(link, name="Storecove", own=self._base_url)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _error(answer: Answer, call: str, *, collection: bool) -> VendorError:
    """What Storecove says, as one of our errors: a list of `{source, details}` (422), or `{errors: […]}` (403)."""
    problems = list(_problems(answer))
    words = "; ".join(": ".join(filter(None, problem)) for problem in problems)[:2000]
    details = [{"source": source, "details": details} for source, details in problems]
    # Ours is always a UUID, so the key itself is not what is wrong with it.
    there = answer.status == 422 and "idempotency" in words.lower()
    return STORECOVE.refusal(answer, call, words=words, details=details, collection=collection, there=there)


def _problems(answer: Answer) -> Iterator[tuple[str, str]]:
    try:
        said = answer.json()
    except VendorError:
        return
    found = said.get("errors", said.get("error", ())) if isinstance(said, dict) else said
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield str(one.get("source") or ""), str(one.get("details") or one.get("message") or "")
        elif one:
            yield "", str(one)
