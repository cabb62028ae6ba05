"""Who calls: an API key in `Authorization: Bearer ck_…`, hashed in the store, of one tenant, with scopes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from connector.errors import Denied
from connector.service.house import House
from connector.store import keys
from connector.store.keys import ApiKey


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    """Read documents, feed, operations, attention."""
    WRITE = "write"
    """Post invoices and payments."""
    SETTLE = "settle"
    """Settle what waits for a person."""


_bearer = HTTPBearer(auto_error=False, description="API key, made by `connector keys create`.")


async def house_of(request: Request) -> House:
    """The service behind the API."""
    house: House = request.app.state.house
    return house


def key_with(scope: Scope) -> Callable[..., Awaitable[ApiKey]]:
    """A dependency that gives the caller's key, if it has the scope."""

    async def access(
        request: Request, said: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> ApiKey:
        store = (await house_of(request)).store
        key = await store.read(lambda tx: keys.find(tx, said.credentials)) if said else None
        if key is None:
            raise Denied(
                "No API key, or one that is not in force.",
                code="not-authenticated",
                do="Send `Authorization: Bearer ck_…`; `connector keys create` makes a key.",
            )
        if scope not in key.scopes:
            raise Denied(
                f"This key has not the scope `{scope}`.",
                code="scope-missing",
                do=f"Use a key with the scope `{scope}`.",
                where={"key": key.name},
            )
        return key

    return access


Reader = Annotated[ApiKey, Depends(key_with(Scope.READ))]
Writer = Annotated[ApiKey, Depends(key_with(Scope.WRITE))]
Settler = Annotated[ApiKey, Depends(key_with(Scope.SETTLE))]
TheHouse = Annotated[House, Depends(house_of)]
