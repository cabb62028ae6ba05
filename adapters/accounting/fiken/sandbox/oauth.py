"""Who may call: personal tokens, and grants by the authorization code flow with refresh tokens that work once."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from adapters.accounting.fiken.sandbox.errors import SandboxError
from adapters.loopback import Answer, Request

TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but this sandbox
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
LIFE = 86_157
"""Seconds that an access token lives."""


@dataclass(slots=True)
class Grant:
    """What a user has let somebody do: as whom, and in which companies."""

    user: str
    companies: list[str]
    access: str = ""
    refresh: str = ""
    ends: float = 0.0


class Access:
    """Tokens and grants.

    Args:
        companies: slugs that the user reaches; those a person ticks when asked, too.
        life: seconds that an access token lives.
    """

    def __init__(self, companies: list[str], life: float = LIFE) -> None:
        self.companies = companies
        self.life = life
        self.personal = {TOKEN: Grant("kari", companies)}
        self.grants: list[Grant] = []
        self.asked: dict[str, tuple[str, str]] = {}
        """Codes that have not been exchanged: client and redirect address."""

    def grant(self, headers: dict[str, str]) -> Grant:
        """Who calls. Raises `SandboxError` (401)."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if token in self.personal:
                return self.personal[token]
            for grant in self.grants:
                if grant.access == token and time.monotonic() < grant.ends:
                    return grant
        raise SandboxError(401, "Invalid access token", word="invalid_token")

    def expire(self) -> None:
        """Every access token ends now; refresh tokens stay."""
        for grant in self.grants:
            grant.ends = 0.0

    def answer(self, request: Request) -> Answer:
        """What lies under `/oauth`. Raises `SandboxError`."""
        call = f"{request.method} {request.path}"
        if call == "GET /oauth/authorize":
            return self._authorize(request.query)
        if call == "POST /oauth/token":
            return Answer(200, self._token(request), {"Cache-Control": "no-store"})
        if call == "POST /oauth/revoke":
            self.grants.remove(self.grant(request.headers))
            return Answer(200, None, {})
        raise SandboxError(404, "Not Found", shape="text")

    def _authorize(self, said: dict[str, str]) -> Answer:
        """The person says yes at once, for every company there is."""
        if said.get("response_type") != "code" or said.get("client_id") != CLIENT_ID or not said.get("redirect_uri"):
            raise SandboxError(400, "Unknown client", word="invalid_client")
        code = secrets.token_urlsafe(16)
        self.asked[code] = (said["client_id"], said["redirect_uri"])
        more = {"code": code, **({"state": said["state"]} if "state" in said else {})}
        joint = "&" if "?" in said["redirect_uri"] else "?"
        return Answer(302, None, {"Location": f"{said['redirect_uri']}{joint}{urlencode(more)}"})

    def _token(self, request: Request) -> dict[str, Any]:
        said = request.body if isinstance(request.body, dict) else {}
        self._client(request.headers.get("authorization", ""))
        if said.get("grant_type") == "authorization_code":
            if self.asked.pop(said.get("code", ""), None) != (CLIENT_ID, said.get("redirect_uri")):
                raise SandboxError(400, "Invalid authorization code", word="invalid_grant")
            self.grants.append(Grant("ola", list(self.companies)))
            return self._renewed(self.grants[-1])
        if said.get("grant_type") == "refresh_token":
            for grant in self.grants:
                if grant.refresh and grant.refresh == said.get("refresh_token"):
                    return self._renewed(grant)
            raise SandboxError(400, "Invalid refresh token", word="invalid_grant")
        raise SandboxError(400, "Unsupported grant type", word="unsupported_grant_type")

    def _client(self, authorization: str) -> None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            said = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            said = ""
        if scheme.lower() != "basic" or said != f"{CLIENT_ID}:{CLIENT_SECRET}":
            raise SandboxError(401, "Bad client credentials", word="invalid_client")

    def _renewed(self, grant: Grant) -> dict[str, Any]:
        """New tokens; the old refresh token is worth nothing from now on."""
        grant.access, grant.refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        grant.ends = time.monotonic() + self.life
        return {
            "access_token": grant.access,
            "refresh_token": grant.refresh,
            "token_type": "bearer",
            "expires_in": int(self.life),
        }
