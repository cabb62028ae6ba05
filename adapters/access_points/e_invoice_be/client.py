"""Calls to e-invoice.be, and what answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from adapters.access_points import links
from adapters.access_points.answers import S, Vendor
from adapters.access_points.e_invoice_be import wire
from connector.errors import NeedsPerson, Refused, VendorError
from connector.http import Answer, Http

PAGE = 100
"""Rows of a list that are asked for at a time, unless said: no more are given."""

E_INVOICE_BE = Vendor(
    "e-invoice.be",
    "https://api.e-invoice.be",
    sign_in="Put in an API key that holds (connector connections secret), of the same environment.",
    access="See at e-invoice.be that the account is active and has credit.",
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

    async def get(self, path: str, shape: type[S], *, collection: bool = False, **params: Any) -> S:
        """One thing. Raises `Refused` ("vendor-not-found") and what `call` raises."""
        answer = await self.call("GET", path, params=params, collection=collection)
        return E_INVOICE_BE.read(shape, answer.json(), f"GET {path}")

    async def document(self, id: str) -> wire.Document | None:
        """A document; None where there is none. Raises what `call` raises."""
        try:
            return await self.get(f"/api/documents/{id}", wire.Document)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None

    async def documents(self, path: str, **params: Any) -> AsyncIterator[wire.Document]:
        """Every document of a list, the latest first. Raises what `call` raises."""
        order = {"sort_by": "created_at", "sort_order": "desc", "page_size": PAGE}
        page, more = 0, True
        while more:
            page += 1
            rows = await self.get(path, wire.Page, collection=True, **order, **params, page=page)
            for row in rows.items:
                yield E_INVOICE_BE.read(wire.Document, row, f"GET {path}")
            more = rows.has_next_page and bool(rows.items)

    async def ubl(self, id: str) -> tuple[wire.Ubl, bytes]:
        """A document's UBL and its addresses.

        Raises `Refused` ("vendor-not-found", "link-missing", "link-ended", "link-unfit"): it cannot be had (yet).
        """
        ubl = await self.get(f"/api/documents/{id}/ubl", wire.Ubl)
        if not ubl.signed_url:
            raise Refused("e-invoice.be gives no link to the document.", code="link-missing", where={"id": id})
        return ubl, await links.follow(ubl.signed_url, name=E_INVOICE_BE.name, own=self._base_url)

    async def upload(self, document: bytes, name: str) -> wire.Document:
        """Make a draft of a document.

        Raises `UnknownOutcome` (also with "vendor-answer": it was made, and the answer cannot be read) and what `call`
        raises.
        """
        path = "/api/documents/ubl"
        files = [("file", (name, document, "application/xml"))]
        answer = await self.call("POST", path, files=files, collection=True)
        return E_INVOICE_BE.made(wire.Document, answer, f"POST {path}")

    async def send(self, id: str, sender: str, receiver: str) -> wire.Document:
        """Send a draft by Peppol, to a participant (`0192:923609016`) and in the name of one. Raises as `upload`;
        `Refused` with status 405: it is no draft any more.
        """
        path = f"/api/documents/{id}/send"
        params: dict[str, str] = {}
        for role, participant in (("sender", sender), ("receiver", receiver)):
            scheme, _, value = participant.partition(":")
            params |= {f"{role}_peppol_scheme": scheme, f"{role}_peppol_id": value}
        answer = await self.call("POST", path, params=params)
        return E_INVOICE_BE.made(wire.Document, answer, f"POST {path}")

    async def validate(self, id: str) -> wire.Validation:
        """What e-invoice.be finds in a document; changes nothing. Raises what `call` raises."""
        path = f"/api/documents/{id}/validate"
        answer = await self.call("POST", path, writes=False)
        return E_INVOICE_BE.read(wire.Validation, answer.json(), f"POST {path}")

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
        writes: bool | None = None,
        collection: bool = False,
    ) -> Answer:
        """One call. `writes`: see `Http.call`; `collection`: what is there for every account, so that a 404 speaks of
        the connection and not of a thing.

        Raises:
            TryLater, UnknownOutcome: as `Http.call`.
            Refused: "vendor-not-found", "vendor-validation", "document-too-large", "refused".
            NeedsPerson: "sign-in" (401), "access-refused" (402, 403), "sender-not-allowed" (409: not from this Peppol
                identifier), "address-wrong" (404 where there is always something).
        """
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = await self._http.call(
            method, path, params=params, json=json, files=files, headers=headers, writes=writes
        )
        if answer.status < 300:
            return answer
        raise _error(answer, f"{method} {path}", collection=collection)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _error(answer: Answer, call: str, *, collection: bool) -> VendorError:
    """What e-invoice.be says, as one of our errors: `{detail: "…"}`, or `{detail: [{loc, msg, type}, …]}`."""
    problems = list(_problems(answer))
    words = "; ".join(problems)[:2000]
    if answer.status == 409:
        return NeedsPerson(
            "e-invoice.be does not let this account send in this company's name.",
            code="sender-not-allowed",
            do="See that the account has the company's Peppol identifier (0192 and its organisation number).",
            status=409,
            said_by_vendor=words or None,
            where={"call": call},
        )
    if answer.status in {406, 415}:  # its words for "this is no valid document"
        answer = Answer(422, answer.headers, answer.body)
    return E_INVOICE_BE.refusal(answer, call, words=words, details=problems, collection=collection, there=False)


def _problems(answer: Answer) -> Iterator[str]:
    try:
        said = answer.json()
    except VendorError:
        return
    found = said.get("detail") if isinstance(said, dict) else said
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            place = one.get("loc")
            where = ".".join(map(str, place)) if isinstance(place, list) else ""
            yield ": ".join(filter(None, (where, str(one.get("msg") or one.get("message") or ""))))
        elif one:
            yield str(one)
