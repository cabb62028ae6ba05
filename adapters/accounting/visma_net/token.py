"""The access token of one company, from Visma Connect (OAuth 2.0 client credentials with a tenant).

There is no refresh token: before one ends, another is asked for. It is kept in memory only, and one is fetched at a
time however many calls wait for it.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode, urlsplit

from connector.errors import NeedsPerson, TryLater, VendorError
from connector.http import Http, now

EARLY = 60.0
"""Seconds before its end from which on a token is not used any more, or a tenth of its life where that is less."""


class Tokens:
    """Gives a token that is good.

    Args:
        url: where tokens are given.
        client_id, client_secret: of our service client.
        tenant_id: of the company.
        api: the caller of the API, so that it masks the token, too.
    """

    def __init__(self, url: str, *, client_id: str, client_secret: str, tenant_id: str, api: Http) -> None:
        parts = urlsplit(url)
        self._http = Http(f"{parts.scheme}://{parts.netloc}")
        self._path = parts.path or "/"
        self._api = api
        for http in (self._http, api):
            http.keep_secret(client_id, client_secret, names={"client_id", "client_secret", "access_token"})
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "tenant_id": tenant_id,
            "scope": " ".join(f"vismanet_erp_service_api:{right}" for right in ("create", "read", "update", "delete")),
        }
        self._token: str | None = None
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """A token that is good now.

        Raises:
            NeedsPerson: "sign-in": Visma Connect does not accept the client or the tenant.
            TryLater: it does not answer.
            VendorError: "vendor-answer": its answer is not as described.
        """
        async with self._lock:
            if self._token is None or now() >= self._good_until:
                await self._fetch()
            assert self._token is not None
            return self._token

    def refused(self, token: str) -> None:
        """It was not accepted: the next call gets another."""
        if token == self._token:
            self._token = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _fetch(self) -> None:
        asked = now()
        # A token more than needed harms nobody, so this counts as reading: it is tried again.
        answer = await self._http.call(
            "POST",
            self._path,
            content=urlencode(self._form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            writes=False,
        )
        said: Any = None
        try:
            said = answer.json()
        except VendorError:
            if answer.status < 300:
                raise
        said = said if isinstance(said, dict) else {}
        if answer.status == 408:
            raise TryLater("Visma Connect waited too long for the request.", status=answer.status)
        if answer.status >= 300:
            raise NeedsPerson(
                "Visma Connect gives no token for this connection.",
                code="sign-in",
                status=answer.status,
                said_by_vendor=str(said.get("error_description") or said.get("error") or "")[:300] or None,
                do="See that client_id and client_secret are right, that the company has connected our application in"
                " Visma App Store, and that tenant_id is the company's.",
                details={"error": said.get("error")},
            )
        token, life = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token or isinstance(life, bool) or not isinstance(life, int) or life <= 0:
            raise VendorError(
                "Visma Connect's answer is not as described: access_token and expires_in.",
                code="vendor-answer",
                status=answer.status,
                do="Try again later; if it stays so, see whether Visma has changed it.",
            )
        for http in (self._http, self._api):
            http.keep_secret(token)
        self._token, self._good_until = token, asked + life - min(EARLY, life / 10)
