"""`/v1/preflight`: everything that can be known of documents before anything is numbered or sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from connector.api.access import Reader, TheHouse
from connector.api.body import body_of, media_type
from connector.api.examples import INVOICE_DRAFT, PREFLIGHT
from connector.api.problems import declared
from connector.errors import BadInput
from connector.model.json import dumps
from connector.preflight import read_posted
from connector.sync import intake

router = APIRouter(prefix="/v1", tags=["commands"])

MOST = 1000
"""Documents of one request."""

_SEVERAL = {
    "documents": [
        {"name": "order-4711", "document": INVOICE_DRAFT},
        {"name": "faktura.xml", "ehf": "PD94bWwgdmVyc2lvbj0iMS4wIj8+…"},
    ]
}
_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/Draft"},
                        {
                            "type": "object",
                            "required": ["documents"],
                            "properties": {
                                "documents": {
                                    "type": "array",
                                    "maxItems": MOST,
                                    "items": {
                                        "type": "object",
                                        "properties": {
                                            "name": {"type": "string", "description": "What the report calls it."},
                                            "document": {"$ref": "#/components/schemas/Draft"},
                                            "ehf": {
                                                "type": "string",
                                                "contentEncoding": "base64",
                                                "description": "Instead of `document`: an EHF.",
                                            },
                                        },
                                    },
                                }
                            },
                        },
                    ]
                },
                "examples": {"one": {"value": INVOICE_DRAFT}, "several": {"value": _SEVERAL}},
            },
            "application/xml": {"schema": {"type": "string", "description": "EHF: a UBL invoice or credit note."}},
        },
    }
}

Document = tuple[str, bytes, str]
"""Name, body, media type."""


@router.post(
    "/preflight",
    summary="Check documents before they are posted",
    response_class=Response,
    openapi_extra=_BODIES,
    responses={
        200: {"content": {"application/json": {"example": PREFLIGHT}}},
        **declared(400, 401, 403, 404, 409, 413, 415, 422, 503),
    },
)
async def preflight(
    request: Request,
    house: TheHouse,
    key: Reader,
    route: Annotated[str | None, Query(description="Route they would take; the only one where left out.")] = None,
    draft: Annotated[bool, Query(description="Their numbers mean nothing, and would be dropped.")] = False,
    system: Annotated[
        str | None,
        Query(description="System, or connection, that they were made in: problems name the field there, too."),
    ] = None,
    refresh: Annotated[bool, Query(description="Read from the ledger now what it takes.")] = False,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for what is to be read.")] = 10,
) -> Response:
    """All problems of one document, or of many (`documents`), in one report: form, totals, EHF rules, Norwegian
    bookkeeping rules, mapping, and what every ledger on the route takes now. Each names the field of the source to be
    mended, with words in Norwegian and English. Nothing is written, numbered or sent; 200 whatever is found.
    """
    posted = _documents(await body_of(request), media_type(request))
    judges = await house.preflight(key.tenant, route=route, system=system, refresh=refresh, wait=wait)
    checked = []
    for name, body, kind in posted:
        read = await run_in_threadpool(read_posted, name, body, kind, draft=draft)
        checked.append(await house.store.read(partial(judges.check, posted=read)))
    connections = [target.as_json() for target in judges.targets]
    stands = [one for target in judges.targets for one in target.problems() if one.severity == "error"]
    said = {
        "fine": not stands and all(one.fine for one in checked),
        "connections": connections,
        "documents": [one.as_json() for one in checked],
        "series": [one.as_json() for one in await house.store.read(judges.series)],
    }
    return Response(dumps(said), media_type="application/json")


def _documents(body: bytes, kind: str) -> Sequence[Document]:
    """One document as it would be posted, or many in an envelope.

    Raises:
        BadInput: `media-type`, `body-malformed`, `too-many-documents`.
    """
    if kind in intake.XML:
        return [("1", body, kind)]
    if kind != "application/json":
        raise BadInput(
            f"Documents are sent as application/json or application/xml, not as {kind or 'nothing'}.",
            code="media-type",
            do="Set Content-Type.",
        )
    said = intake.json_of(body)
    if not isinstance(said, Mapping) or "documents" not in said:
        return [("1", body, kind)]
    items = said["documents"]
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise BadInput("`documents` is no list of objects.", code="body-malformed", do="See /openapi.json.")
    if len(items) > MOST:
        raise BadInput(
            f"{len(items)} documents are more than {MOST}.",
            code="too-many-documents",
            do="Send them in several requests, or use `connector preflight`.",
        )
    return [_document(item, number) for number, item in enumerate(items, 1)]


def _document(item: Mapping[str, Any], number: int) -> Document:
    name = str(item.get("name") or number)
    if ("document" in item) == ("ehf" in item):
        raise BadInput(
            f"Document {name} has neither or both of `document` and `ehf`.",
            code="body-malformed",
            do="Give one of them.",
            where={"field": f"documents.{number - 1}"},
        )
    if "document" in item:
        return name, dumps(item["document"]), "application/json"
    try:
        return name, base64.b64decode(str(item["ehf"]), validate=True), "application/xml"
    except (binascii.Error, ValueError):
        raise BadInput(
            f"The EHF of document {name} is no base64.",
            code="body-malformed",
            where={"field": f"documents.{number - 1}"},
        ) from None
