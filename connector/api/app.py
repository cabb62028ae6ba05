"""The application: routes over an open house."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from connector import __version__
from connector.api import (
    attention,
    commands,
    connections,
    documents,
    ehf,
    exchange,
    feed,
    files,
    health,
    hooks,
    incoming,
    oauth,
    peppol,
    preflight,
    problems,
    registers,
)
from connector.service.house import House

ABOUT = """
Keeps invoices and payments the same in an invoicing system, the ledgers it is connected to, and at the receivers.

**Post** an invoice or a payment: 202 means that it is on disk and takes effect once. **Follow** the feed at
`/v1/changes`. **Look** at a document's story when something waits. Every error is a problem document (RFC 9457) with a
stable `code`. Amounts are text (`"12500.00"`); a JSON number with a fraction is refused.
"""


def create_app(house: House | None) -> FastAPI:
    """The API over an open house; without one only what needs no store (the description, EHF) works."""
    app = FastAPI(
        title="connector",
        version=__version__,
        description=ABOUT,
        generate_unique_id_function=_operation_id,
        docs_url="/docs",
        redoc_url=None,
        dependencies=[Depends(problems.refuse_nul)],
    )
    app.state.house = house
    problems.install(app)
    for module in (
        commands,
        registers,
        incoming,
        preflight,
        documents,
        exchange,
        files,
        feed,
        attention,
        connections,
        hooks,
        oauth,
        peppol,
        ehf,
        health,
    ):
        app.include_router(module.router)
    plain = app.openapi
    app.openapi = lambda: _with_bodies(plain())  # type: ignore[method-assign]
    return app


def _with_bodies(said: dict[str, Any]) -> dict[str, Any]:
    """The description with the models that bodies are read as by hand (their bytes, so that no amount passes through a
    float): FastAPI has not seen them.
    """
    _, bodies = models_json_schema(
        [(model, "validation") for model in (*commands.BODIES, *registers.BODIES)],
        ref_template="#/components/schemas/{model}",
    )
    said["components"]["schemas"] |= bodies["$defs"]
    return said


def _operation_id(route: APIRoute) -> str:
    return route.name
