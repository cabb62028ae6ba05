"""How we are let into a system with OAuth 2.0 (RFC 6749).

A person signs in there: authorization code (§4.1) with PKCE (RFC 7636), and the tokens that come of it. Pure but for
the two calls to the vendor's token endpoint; who keeps the tokens, and who renews them when, is the house's affair; an
adapter asks its `Grant` for a token.

Or the system knows our service itself: client credentials (§4.4, `ClientTokens`), kept in memory only.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http
from connector.http import now as clock


@dataclass(frozen=True, slots=True)
class OAuth:
    """A vendor's authorization server, and who we are there.

    `authorize`: the address a person is sent to; `token`: where codes and refresh tokens are exchanged. `pkce`: the
    server checks a code challenge (S256). `repeats_state`: it wants the state with the code.
    """

    authorize: str
    token: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    pkce: bool = True
    repeats_state: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What came of a sign-in. `refresh` None: it cannot be renewed; `ends` (UTC) None: the vendor did not say."""

    access: str
    refresh: str | None = None
    ends: datetime | None = None

    def __repr__(self) -> str:
        return f"Tokens(…, ends={self.ends})"

    def good(self, now: datetime, ahead: timedelta) -> bool:
        """Whether the access token will do for so long from now on."""
        return self.ends is None or now + ahead < self.ends

    def as_json(self) -> dict[str, Any]:
        """As it is kept, sealed."""
        return {"access": self.access, "refresh": self.refresh, "ends": self.ends and self.ends.isoformat()}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Tokens:
        """The reverse of `as_json`."""
        ends = said.get("ends")
        return cls(said["access"], said.get("refresh"), datetime.fromisoformat(ends) if ends else None)


class Grant(Protocol):
    """What a person has granted a connection by signing in at the vendor; the house keeps and renews it."""

    async def token(self, *, refused: str | None = None) -> str:
        """A token that is good for a call made now.

        Args:
            refused: the token that the vendor has just refused (401): it is renewed, if nobody else has done so.

        Raises:
            NeedsPerson: `sign-in-needed`: nobody has signed in, or the vendor takes what was granted no more.
            TryLater: it could not be renewed now.
        """


def challenge(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636 §4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def address(oauth: OAuth, *, redirect: str, state: str, verifier: str) -> str:
    """Where the person is sent to sign in."""
    said = {"response_type": "code", "client_id": oauth.client_id, "redirect_uri": redirect, "state": state}
    if oauth.scope:
        said["scope"] = oauth.scope
    if oauth.pkce:
        said |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    return f"{oauth.authorize}{'&' if '?' in oauth.authorize else '?'}{urlencode(said)}"


async def exchange(oauth: OAuth, *, code: str, redirect: str, state: str, verifier: str, now: datetime) -> Tokens:
    """The tokens for the code that the person came back with. A code is good once.

    Raises:
        NeedsPerson: `sign-in-needed`: the code is not taken (too old, used before): sign in again.
        NeedsPerson: `oauth-client-wrong`: the vendor does not know us by this id and secret.
        TryLater, UnknownOutcome: the vendor did not answer; signing in again is harmless.
    """
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    if oauth.pkce:
        said["code_verifier"] = verifier
    if oauth.repeats_state:
        said["state"] = state
    return await _ask(oauth, said, now, None)


async def renew(oauth: OAuth, tokens: Tokens, *, now: datetime) -> Tokens:
    """New tokens for a refresh token, which may be good only once: what comes is kept before it is used.

    Raises:
        NeedsPerson: `sign-in-needed`: there is no refresh token, or the vendor takes it no more;
            `oauth-client-wrong`.
        TryLater: the vendor did not answer; the old refresh token is tried again.
    """
    if tokens.refresh is None:
        raise sign_in_needed("What was granted has ended, and it cannot be renewed.")
    try:
        return await _ask(oauth, {"grant_type": "refresh_token", "refresh_token": tokens.refresh}, now, tokens.refresh)
    except UnknownOutcome as exc:  # no call of the flow was made: nothing is unknown about that
        raise TryLater(f"The access token could not be renewed: {exc.said}", code="token-not-renewed") from exc


def sign_in_needed(why: str, connection: str = "CONNECTION") -> NeedsPerson:
    """Somebody has to sign in at the vendor, for the connection of this name."""
    return NeedsPerson(
        why,
        code="sign-in-needed",
        do=f"Have somebody who has the rights there sign in: connector connections sign-in {connection}",
        where={"connection": connection},
    )


async def _ask(oauth: OAuth, said: Mapping[str, str], now: datetime, refresh: str | None) -> Tokens:
    http = Http(oauth.token, mask={"code"})
    secret = oauth.client_secret.get_secret_value()
    basic = base64.b64encode(f"{oauth.client_id}:{secret}".encode()).decode()
    http.keep_secret(secret, basic, *(said[name] for name in ("code", "refresh_token") if name in said))
    try:
        answer = await http.call(
            "POST",
            "",
            content=urlencode(said).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"},
        )
    finally:
        await http.aclose()
    if answer.status != 200:
        raise _refusal(answer)
    return _tokens(answer, now, refresh)


def _tokens(answer: Answer, now: datetime, refresh: str | None) -> Tokens:
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
        raise VendorError("The token endpoint answered without an access token.", code="vendor-answer")
    if str(body.get("token_type", "bearer")).lower() != "bearer":
        raise VendorError(f"The token is of type {body['token_type']!r}, not bearer.", code="vendor-answer")
    try:
        lasts = float(body["expires_in"]) if body.get("expires_in") is not None else None
    except (TypeError, ValueError):
        lasts = None
    ends = None if lasts is None else now.astimezone(UTC) + timedelta(seconds=lasts)
    return Tokens(body["access_token"], str(body.get("refresh_token") or refresh or "") or None, ends)


def _refusal(answer: Answer) -> Exception:
    try:
        body = answer.json()
    except VendorError:
        body = None
    said = body if isinstance(body, dict) else {}
    code, words = str(said.get("error", "")), str(said.get("error_description", "")) or f"status {answer.status}"
    if code == "invalid_grant":
        return sign_in_needed(f"The system takes what was granted no more: {words}")
    if code in {"invalid_client", "unauthorized_client"} or answer.status == 401:
        return NeedsPerson(
            f"The system does not know this client: {words}",
            code="oauth-client-wrong",
            do="Mend client_id and client_secret of the connection, then start again.",
            status=answer.status,
        )
    return Refused(
        f"The token endpoint refused: {code or 'no reason'}: {words}", code="oauth-refused", status=answer.status
    )


# --- client credentials -----------------------------------------------------------------------------------------------

EARLY = 60.0
"""Seconds before its end from which on a token is not used any more, or a tenth of its life where that is less."""


class ClientTokens:
    """Gives a token of our own service that is good. There is no refresh token: before one ends, another is asked for,
    one at a time however many calls wait for it. It is kept in memory only.

    Args:
        who: gives the tokens, as a person knows it.
        url: where it does so.
        form: what is sent there, `grant_type` and who we are included.
        secrets: the values in it that are never shown.
        api: the caller of the API, so that it masks them and the tokens, too.
        refusal: what it means that none was given: the answer, and its body where that is a JSON object.
    """

    def __init__(
        self,
        who: str,
        url: str,
        form: Mapping[str, str],
        *,
        secrets: Collection[str],
        api: Http,
        refusal: Callable[[Answer, Mapping[str, Any]], VendorError],
    ) -> None:
        parts = urlsplit(url)
        self._who, self._form, self._refusal = who, dict(form), refusal
        self._http = Http(f"{parts.scheme}://{parts.netloc}")
        self._path = parts.path or "/"
        self._api = api
        names = {name for name, value in form.items() if value in secrets} | {"access_token"}
        for http in (self._http, api):
            http.keep_secret(*secrets, names=names)
        self._token: str | None = None
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """A token that is good now.

        Raises:
            TryLater: nobody answers there.
            VendorError: "vendor-answer": the answer is not as described; else what `refusal` makes of it.
        """
        async with self._lock:
            if self._token is None or clock() >= self._good_until:
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
        asked = clock()
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
            raise TryLater(f"{self._who} waited too long for the request.", status=answer.status)
        if answer.status >= 300:
            raise self._refusal(answer, said)
        token, life = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token or isinstance(life, bool) or not isinstance(life, int) or life <= 0:
            raise VendorError(
                f"The answer of {self._who} is not as described: access_token and expires_in.",
                code="vendor-answer",
                status=answer.status,
                do="Try again later; if it stays so, see whether the vendor has changed it.",
            )
        for http in (self._http, self._api):
            http.keep_secret(token)
        self._token, self._good_until = token, asked + life - min(EARLY, life / 10)
