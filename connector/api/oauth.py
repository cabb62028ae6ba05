"""People sign in at a system to give a connection access: the way there, and the way back.

The way back has no API key: it is known by the state that was given along, which is random, good once and not for long.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from connector.api.access import Settler, TheHouse
from connector.api.problems import declared, status_of
from connector.errors import ConnectorError, Missing
from connector.service import signing_in
from connector.service.signing_in import SignedIn

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/oauth", tags=["connections"])


class SignInView(BaseModel):
    """A sign-in that was begun."""

    url: str = Field(description="Where the person signs in, with a browser.")
    ends: datetime = Field(description="Until when he may come back (UTC).")


@router.get(
    "/{system}/start",
    response_model=SignInView,
    summary="Begin a sign-in for a connection",
    responses={303: {"description": "To the system, where HTML is asked for."}, **declared(401, 403, 404, 503)},
)
async def start_sign_in(
    system: str,
    request: Request,
    house: TheHouse,
    key: Settler,
    connection: Annotated[str, Query(description="Name of the connection in the tenant's file.", examples=["books"])],
) -> SignInView | Response:
    """The address that a person opens to sign in at the system and give this connection access. He comes back to
    `/v1/oauth/{system}/callback` below `CONNECTOR_PUBLIC_URL` (left out: the address this was asked at), which the
    system must know.
    """
    spoke = house.named(key.tenant, connection)
    if house.system(spoke) != system:
        raise Missing(f"{connection} is no connection to {system}.", code="connection-not-found")
    base = house.settings.public_url or str(request.base_url)
    begun = await signing_in.begin(house, spoke, redirect=signing_in.way_back(base, system), who=key.name)
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(begun.url, status_code=303)
    return SignInView(url=begun.url, ends=begun.ends)


@router.get(
    "/{system}/callback",
    response_class=HTMLResponse,
    summary="Where a person comes back to who has signed in",
    responses={
        status: {**said, "content": {**said["content"], "text/html": {}}}
        for status, said in declared(404, 422, 502, 503).items()
    },
)
async def end_sign_in(
    system: str,
    house: TheHouse,
    state: Annotated[str, Query(description="As it was given along.")] = "",
    code: Annotated[str | None, Query(description="Exchanged for tokens, once.")] = None,
    error: Annotated[str | None, Query(description="Why there is no code (RFC 6749, 4.1.2.1).")] = None,
    error_description: Annotated[str | None, Query(description="The same in words.")] = None,
) -> HTMLResponse:
    """Keeps what was granted, goes on with what waited for it, makes a test call, and says how it went."""
    try:
        done = await signing_in.finish(house, system, state=state, code=code, error=error, said=error_description)
    except ConnectorError as exc:
        log.warning("sign-in-failed", system=system, code=exc.code)
        said = _page("Tilkoblingen er ikke klar", "Not connected", [exc.said, exc.do, f"({exc.code})"])
        return HTMLResponse(said, status_code=status_of(exc), headers=_HEADERS)
    return HTMLResponse(_page(*_how(done)), headers=_HEADERS)


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def _how(done: SignedIn) -> tuple[str, str, list[str]]:
    if done.probe is None:
        assert done.error is not None
        lines = [done.error.said, done.error.do]
        return "Du er logget inn, men prøvekallet feilet", "Signed in, but the test call failed", lines
    number = done.probe.organisation_number or "uten organisasjonsnummer"
    lines = [f"{done.probe.company} ({number})", *(f"Mangler / missing: {one}" for one in done.probe.missing)]
    return "Tilkoblingen er klar", "Connected", [*lines, "Du kan lukke dette vinduet. You may close this window."]


def _page(norwegian: str, english: str, lines: list[str]) -> str:
    said = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return (
        '<!doctype html><html lang="nb"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(norwegian)}</title>"
        "<style>body{font:18px/1.5 system-ui,sans-serif;max-width:36em;margin:12vh auto;padding:0 1em}"
        "small{color:#555;font-weight:normal}</style>"
        f"<h1>{escape(norwegian)}<br><small>{escape(english)}</small></h1>{said}</html>"
    )
