"""A vendor at which people sign in: an authorization server on loopback, and a plugin whose books need its tokens."""

from __future__ import annotations

import base64
import itertools
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, SecretStr

from adapters.accounting.tripletex import TripletexPlugin
from adapters.accounting.tripletex.adapter import Tripletex
from adapters.loopback import Answer, Loopback, Refused, Request
from connector.oauth import OAuth, challenge
from connector.ports import ConnectionConfig, Probe

CLIENT, SECRET = "the-client", "the-client-secret"


class Server(Loopback):
    """Codes and refresh tokens are good once; the tokens made later end those made before."""

    prefix = "/oauth"

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.lasts: int | None = 3600
        self.good: str | None = None
        """The access token that is taken."""
        self.refresh: str | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self._numbers = itertools.count(1)

    def signs_in(self, url: str) -> dict[str, str]:
        """A person opens the address and agrees; what he comes back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        code = f"code-{next(self._numbers)}"
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        said = request.body or {}
        if request.headers.get("authorization") != basic:
            return Answer(401, {"error": "invalid_client"}, {})
        if said.get("grant_type") == "authorization_code":
            asked = self.codes.pop(said.get("code", ""), None)
            right = asked is not None and (
                asked["redirect_uri"] == said["redirect_uri"]
                and asked["code_challenge"] == challenge(said["code_verifier"])
            )
        else:
            right = self.refresh is not None and said.get("refresh_token") == self.refresh
        if not right:
            return Answer(400, {"error": "invalid_grant", "error_description": "gone"}, {})
        number = next(self._numbers)
        self.good, self.refresh = f"access-{number}", f"refresh-{number}"
        made = {"access_token": self.good, "refresh_token": self.refresh, "token_type": "Bearer"}
        return Answer(200, made | ({"expires_in": self.lasts} if self.lasts else {}), {})

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        return Answer(error.status, {"error": error.message}, headers or {})

    def own(self, request: Request) -> Any:
        return {}


class Books(Tripletex):
    """Books that are opened by a token of the server."""

    grant: Any
    server: Server

    async def probe(self) -> Probe:
        token = await self.grant.token()
        if token != self.server.good:
            token = await self.grant.token(refused=token)
        assert token == self.server.good
        return await super().probe()


class Plugin(TripletexPlugin):
    """Tripletex, with a door in front of it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def oauth(self, settings: BaseModel, secrets: BaseModel) -> OAuth | None:
        return OAuth(f"{self.server.url}/authorize", f"{self.server.url}/token", CLIENT, SecretStr(SECRET))

    def open(self, connection: ConnectionConfig, http: Any) -> Books:
        books = Books(connection.settings, connection.secrets, http)  # type: ignore[arg-type]
        books.grant, books.server = connection.grant, self.server
        return books
