"""Files of a document: what is attached to it, and its page in a connected system."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from connector.api.access import Reader, TheHouse
from connector.api.problems import declared
from connector.ehf import read
from connector.errors import Missing
from connector.model import CreditNote, Invoice
from connector.ports import File
from connector.service.house import House
from connector.store import Tx, documents, links
from connector.sync.files import embedded
from connector.sync.pages import ask_for_page, page_of
from connector.sync.spokes import Spoke

router = APIRouter(prefix="/v1/documents", tags=["documents"])

LONGEST = 30.0


class AttachmentView(BaseModel):
    """A file inside a document (BG-24)."""

    number: int = Field(description="Its place: `/attachments/{number}` is the file.")
    name: str
    media_type: str
    size: int = Field(description="Bytes.")


@router.get("/{id}/attachments", summary="What is attached to a document", responses=declared(401, 403, 404))
async def list_attachments(id: str, house: TheHouse, key: Reader) -> list[AttachmentView]:
    """The files embedded in an invoice or credit note, outgoing or incoming."""
    found = await _attached(house, key.tenant, id)
    return [
        AttachmentView(number=number, name=file.name, media_type=file.media_type, size=len(file.content))
        for number, file in enumerate(found, 1)
    ]


@router.get(
    "/{id}/attachments/{number}",
    response_class=Response,
    summary="An attached file",
    responses={200: {"content": {"application/octet-stream": {}}}, **declared(401, 403, 404)},
)
async def get_attachment(id: str, number: int, house: TheHouse, key: Reader) -> Response:
    """The bytes of one attachment, as they were received. A browser is told to save them, never to show them."""
    found = await _attached(house, key.tenant, id)
    if not 1 <= number <= len(found):
        raise Missing(f"The document has no attachment {number}.", code="no-attachment", where={"document": id})
    file = found[number - 1]
    # What somebody else sent us is never run in anybody's browser, whatever it says it is.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(file.content, media_type="application/octet-stream", headers=headers)


@router.get(
    "/{id}/page",
    response_class=Response,
    summary="The document's page in a connected system",
    responses={
        200: {"content": {"application/pdf": {}}},
        202: {"description": "It is being read; ask again."},
        **declared(401, 403, 404),
    },
)
async def get_page(
    id: str,
    house: TheHouse,
    key: Reader,
    connection: Annotated[str | None, Query(description="Name of the connection; the only one if left out.")] = None,
    wait: Annotated[float, Query(ge=0, le=LONGEST, description="Seconds to wait until it has been read.")] = 10,
) -> Response:
    """The PDF that the ledger has of it: read once through the connection's lane, then kept."""
    spoke = await _spoke(house, key.tenant, id, connection)
    found = await house.store.read(lambda tx: page_of(tx, spoke, id))
    if found is None:
        await house.store.write(lambda tx: ask_for_page(tx, spoke, id))
        end = asyncio.get_running_loop().time() + wait
        while found is None and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.1)
            found = await house.store.read(lambda tx: page_of(tx, spoke, id))
    if found is None:
        return Response(status_code=202, headers={"Retry-After": "2"})
    if not found[0]:
        raise Missing(f"{spoke.name} has no page of this document.", code="no-page", where={"document": id})
    return Response(found[0], media_type=found[1])


async def _spoke(house: House, tenant: str, id: str, name: str | None) -> Spoke:
    if name is not None:
        return house.named(tenant, name)

    def linked(tx: Tx) -> list[str]:
        documents.get(tx, tenant, id)
        return [link.connection for link in links.all_of(tx, id)]

    known = await house.store.read(linked)
    there = [spoke for spoke in house.spokes(tenant) if spoke.id in known]
    if len(there) != 1:
        raise Missing(
            f"The document is in {len(there)} connected systems.",
            code="no-page",
            do="Name one of them: `connection=…`." if there else "It has not come to any yet.",
            where={"document": id},
        )
    return there[0]


async def _attached(house: House, tenant: str, id: str) -> list[File]:
    def kept(tx: Tx) -> tuple[documents.Document, tuple[bytes, str | None] | None]:
        return documents.get(tx, tenant, id), documents.original(tx, tenant, id)

    document, original = await house.store.read(kept)
    if document.kind == "supplier_invoice":
        if original is None:
            return []
        return embedded(await asyncio.to_thread(read, original[0], direction="incoming"))
    if document.kind not in ("invoice", "credit_note"):
        return []
    return embedded((CreditNote if document.kind == "credit_note" else Invoice).model_validate(document.body))
