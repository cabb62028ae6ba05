"""Calls to Storecove, and what answers mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http

log = logging.getLogger(__name__)

Row = dict[str, Any]


class SubmittedAlready(Refused):
    """Our key was used before: the first document under it was taken."""


class Client:
    """The calls of one account.

    Args:
        http: calls below the API's base address.
        base_url: that address: links to it may be followed whatever its scheme.
        api_key: of the account.
    """

    def __init__(self, http: Http, base_url: str, api_key: str) -> None:
        self._http, self._key = http, api_key
        self._own = urlsplit(base_url)
        http.keep_secret(api_key)

    async def get(self, path: str) -> Row:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        said = (await self.call("GET", path)).json()
        if not isinstance(said, dict):
            raise not_as_described(f"GET {path}")
        return said

    async def find(self, path: str) -> Row | None:
        """One thing, or None where there is none (yet). Raises what `call` raises."""
        try:
            return await self.get(path)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def submit(self, submission: Mapping[str, Any]) -> Any:
        """Send a document; what the answer says.

        Raises `UnknownOutcome` (also with "vendor-answer": it was taken, and the answer cannot be read),
        `SubmittedAlready`, and what `call` raises.
        """
        path = "/document_submissions"
        answer = await self.call("POST", path, json=submission, collection=True)
        try:
            return answer.json()
        except VendorError as exc:
            where = {"call": f"POST {path}"}
            raise UnknownOutcome(exc.said, code=exc.code, do=exc.do, where=where, status=answer.status) from exc

    async def call(
        self, method: str, path: str, *, json: Any = None, writes: bool | None = None, collection: bool = False
    ) -> Answer:
        """One call. `writes`: see `Http.call`; `collection`: what is there for every account, so that a 404 speaks of
        the connection and not of a thing.

        Raises:
            TryLater, UnknownOutcome: as `Http.call`.
            SubmittedAlready: our key was used before ("submitted-already").
            Refused: "vendor-not-found", "vendor-validation", "document-too-large", "refused".
            NeedsPerson: "sign-in" (401), "access-refused" (403), "address-wrong" (404 where there is always something).
        """
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = await self._http.call(method, path, json=json, headers=headers, writes=writes)
        if answer.status < 300:
            return answer
        raise _error(answer, f"{method} {path}", collection=collection)

    async def follow(self, link: str) -> bytes:
        """What lies behind a link that Storecove gives for a short time; our key does not go there.

        Raises `Refused` ("link-ended" where it does not hold any more; "link-unfit": another than https), `TryLater`.
        """
        parts = urlsplit(link)
        ours = (parts.scheme, parts.netloc) == (self._own.scheme, self._own.netloc)
        if parts.scheme != "https" and not ours:
            raise Refused("Storecove gives a link that is not https.", code="link-unfit")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        http = Http(f"{parts.scheme}://{parts.netloc}", mask=query.keys())
        try:
            answer = await http.call("GET", parts.path or "/", params=query, headers={"Accept": "*/*"})
        finally:
            await http.aclose()
        if answer.status >= 300:
            raise Refused("The link to the document does not hold any more.", code="link-ended", status=answer.status)
        return answer.body

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def not_as_described(call: str) -> VendorError:
    """An answer that nobody can use."""
    return VendorError(
        "Storecove's answer is not as described.",
        code="vendor-answer",
        do="Try again later; if it stays so, see whether Storecove has changed it.",
        where={"call": call},
    )


def _error(answer: Answer, call: str, *, collection: bool) -> VendorError:
    """What Storecove says, as one of our errors: a list of `{source, details}` (422), or `{errors: […]}` (403)."""
    problems = list(_problems(answer))
    said = "; ".join(": ".join(filter(None, problem)) for problem in problems)[:2000]
    more: dict[str, Any] = {
        "status": answer.status,
        "said_by_vendor": said or answer.body.decode("utf-8", "replace")[:2000] or None,
        "where": {"call": call},
    }
    if problems:
        more["details"] = [{"source": source, "details": details} for source, details in problems]
    if answer.status != 404 or collection:
        log.warning("Storecove: %s -> %s", call, answer.status)
    match answer.status:
        case 401:
            return NeedsPerson(
                "Storecove does not accept the API key of this connection.",
                code="sign-in",
                do="Put in a key that holds (connector connections secret), of the same environment.",
                **more,
            )
        case 403:
            return NeedsPerson(
                "Storecove does not let this key do that.",
                code="access-refused",
                do="See at Storecove that the key may act for the LegalEntity in the setting legal_entity.",
                **more,
            )
        case 404 if collection:
            return NeedsPerson(
                "There is no such call at this address.",
                code="address-wrong",
                do="See that the setting base_url is Storecove's (https://api.storecove.com/api/v2).",
                **more,
            )
        case 404:
            return Refused("Storecove has no such thing.", code="vendor-not-found", **more)
        case 408:
            return TryLater("Storecove waited too long for the request.", **more)
        case 413:
            do = "Send it with smaller attachments, or through an access point that takes it."
            return Refused("The document is too large for Storecove.", code="document-too-large", do=do, **more)
        case 422 if any("idempotency" in f"{source} {details}".lower() for source, details in problems):
            # Ours is always a UUID, so the key itself is not what is wrong with it.
            return SubmittedAlready("Storecove has this already.", code="submitted-already", **more)
        case 400 | 422:
            return Refused(
                "Storecove refused the document.",
                code="vendor-validation",
                do="Read what Storecove says about it, mend the document, and send it again.",
                **more,
            )
    return Refused(f"Storecove refused with status {answer.status}.", **more)


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
