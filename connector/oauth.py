"""How a person lets us into a system by signing in there: OAuth 2.0, authorization code (RFC 6749 §4.1) with PKCE
(RFC 7636), and the tokens that come of it.

Pure but for the two calls to the vendor's token endpoint. Who keeps the tokens, and who renews them when, is the
house's affair; an adapter asks its `Grant` for a token.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from pydantic import SecretStr

from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http


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
