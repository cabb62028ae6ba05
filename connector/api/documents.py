"""Read documents, their originals, their pages, and their whole story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from connector.api.access import Reader, TheHouse
from connector.api.problems import declared
from connector.ehf.pdf import Language, render_pdf
from connector.errors import Missing
from connector.lanes import story
from connector.model import CreditNote, Invoice
from connector.store import Tx, documents, links, transmissions
from connector.store.documents import Document
from connector.store.links import Link
from connector.store.transmissions import Transmission

router = APIRouter(prefix="/v1/documents", tags=["documents"])


class LinkView(BaseModel):
    """What a document is called in a connected system."""

    connection: str = Field(description="Name of the connection.")
    vendor_id: str
    number: str | None = None
    voucher: str | None = Field(default=None, description="Voucher in the ledger.", examples=["2027/1043"])
    series: str | None = Field(default=None, description="The voucher's series, as the ledger calls it.")
    period: str | None = Field(default=None, description="The period it is booked in.", examples=["2027-01"])
    dispatch: str | None = Field(
        default=None,
        description="What the system says about having sent it itself: sent (it is never sent again), or failed.",
    )


class DocumentView(BaseModel):
    """A document's plain facts. Amounts are text in `currency`."""

    id: str
    kind: str = Field(examples=["invoice"])
    state: str = Field(
        description="accepted, issued, paid, credited, written_off; received, booked, reversed; known. Of a supplier"
        " invoice: received, held (waits for a person), refused, delivered (to the ledger), booked, paid."
    )
    version: int
    number: str | None = None
    source_id: str | None = None
    kid: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    currency: str | None = None
    payable: str | None = None
    open: str | None = Field(
        default=None, description="What is still open; of a payment or credit note, the customer's credit."
    )
    counterparty: str | None = None
    route: str | None = None
    created: datetime
    changed: datetime
    links: list[LinkView] | None = None
    transmissions: list[TransmissionView] | None = Field(
        default=None, description="Its ways through Peppol, the first one first."
    )
    body: Any = Field(default=None, description="The canonical document.")


class TransmissionView(BaseModel):
    """One intention to send a document through Peppol, and how far it has come."""

    id: str
    kind: str = Field(description="The document's kind, or `invoice_response`.", examples=["invoice"])
    instance: str = Field(description="The envelope's InstanceIdentifier, the same however often it is tried.")
    state: str = Field(
        description="waiting (no access point has it), accepted, sent (the receiver's access point has it), delivered,"
        " refused, failed (the receiver does not have it), withdrawn."
    )
    access_point: str | None = None
    receiver: str | None = Field(default=None, examples=["0192:974760673"])
    said: str | None = Field(default=None, description="The access point's own word for it.")
    reasons: list[dict[str, Any]] | None = None
    created: datetime
    changed: datetime


class DocumentPage(BaseModel):
    """A page of documents; `next` is given as `after` to read on."""

    documents: list[DocumentView]
    next: str | None = None


def transmitted(there: Transmission, names: Mapping[str, str]) -> TransmissionView:
    """A transmission as the API shows it; `names`: of access points by their ids."""
    said = there.said or {}
    return TransmissionView(
        id=there.id,
        kind=there.kind,
        instance=there.instance,
        state=there.state,
        access_point=names.get(there.connection or "", there.connection),
        receiver=there.receiver,
        said=said.get("said"),
        reasons=said.get("reasons") or None,
        created=there.created,
        changed=there.changed,
    )


def view(
    document: Document,
    *,
    found: list[Link] | None = None,
    ways: Sequence[Transmission] = (),
    names: Mapping[str, str] | None = None,
) -> DocumentView:
    """A document as the API shows it."""
    shown = None
    if found is not None:
        shown = [
            LinkView(
                connection=(names or {}).get(link.connection, link.connection),
                vendor_id=link.vendor_id,
                number=link.number,
                voucher=link.voucher,
                series=link.series,
                period=link.period,
                dispatch=link.dispatch,
            )
            for link in found
        ]
    return DocumentView(
        id=document.id,
        kind=document.kind,
        state=document.state,
        version=document.version,
        number=document.number,
        source_id=document.source_id,
        kid=document.kid,
        issue_date=document.issue_date,
        due_date=document.due_date,
        currency=document.currency,
        payable=None if document.payable is None else str(document.payable),
        open=None if document.open_amount is None else str(document.open_amount),
        counterparty=document.counterparty_name,
        route=document.source,
        created=document.created,
        changed=document.changed,
        links=shown,
        transmissions=[transmitted(one, names or {}) for one in ways] or None,
        body=document.body,
    )


@router.get(
    "",
    response_model=DocumentPage,
    response_model_exclude_none=True,
    summary="Find documents",
    responses=declared(401, 403, 422),
)
async def find_documents(
    house: TheHouse,
    key: Reader,
    kind: Annotated[
        str | None,
        Query(
            description="invoice, credit_note, payment, settlement, reversal, supplier_invoice; customer, supplier, "
            "product, department …"
        ),
    ] = None,
    state: Annotated[str | None, Query()] = None,
    number: Annotated[str | None, Query()] = None,
    source_id: Annotated[str | None, Query()] = None,
    kid: Annotated[str | None, Query()] = None,
    counterparty: Annotated[str | None, Query(description="Part of the name, or the number.")] = None,
    voucher: Annotated[str | None, Query(description="Voucher in a ledger: 2027/1043.")] = None,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DocumentPage:
    """Documents in the order they came, page by page, without their bodies."""
    found = await house.store.read(
        lambda tx: documents.find(
            tx,
            key.tenant,
            kind=kind,
            state=state,
            number=number,
            source_id=source_id,
            kid=kid,
            counterparty=counterparty,
            voucher=voucher,
            after=after,
            limit=limit,
        )
    )
    following = found[-1].id if len(found) == limit else None
    return DocumentPage(documents=[view(document) for document in found], next=following)


@router.get(
    "/{id}",
    response_model=DocumentView,
    response_model_exclude_none=True,
    summary="One document",
    responses=declared(401, 403, 404),
)
async def get_document(id: str, house: TheHouse, key: Reader) -> DocumentView:
    """One document with its canonical body and what it is called in every connected system."""
    names = house.names(key.tenant)

    def one(tx: Tx) -> DocumentView:
        ways = transmissions.of_document(tx, key.tenant, id)
        return view(documents.get(tx, key.tenant, id), found=links.all_of(tx, id), ways=ways, names=names)

    return await house.store.read(one)


@router.get("/{id}/story", summary="The whole story of a document", responses=declared(401, 403, 404))
async def get_story(id: str, house: TheHouse, key: Reader) -> list[dict[str, Any]]:
    """Everything that happened to it, in order: what came, calls and answers (secrets masked), events, what it waits
    for, and who decided what.
    """
    return await house.store.read(lambda tx: [entry.as_json() for entry in story(tx, key.tenant, id)])


@router.get(
    "/{id}/original",
    response_class=Response,
    summary="The document as it was received",
    responses={200: {"content": {"application/xml": {}}}, **declared(401, 403, 404)},
)
async def get_original(id: str, house: TheHouse, key: Reader) -> Response:
    """The very bytes that were received; 404 where the document was not received as bytes."""
    found = await house.store.read(lambda tx: documents.original(tx, key.tenant, id))
    if found is None:
        raise Missing("This document was not received as a file.", code="no-original", where={"document": id})
    return Response(found[0], media_type=found[1] or "application/octet-stream")


@router.get(
    "/{id}/pdf",
    response_class=Response,
    summary="The document as a page",
    responses={200: {"content": {"application/pdf": {}}}, **declared(401, 403, 404)},
)
async def get_pdf(id: str, house: TheHouse, key: Reader, language: Language = "nb") -> Response:
    """A plain, readable PDF of an invoice or credit note."""
    document = await house.store.read(lambda tx: documents.get(tx, key.tenant, id))
    if document.kind not in ("invoice", "credit_note", "supplier_invoice"):
        raise Missing("Only invoices and credit notes are shown as a page.", code="no-page", where={"document": id})
    invoice = (CreditNote if document.kind == "credit_note" else Invoice).model_validate(document.body)
    page = await run_in_threadpool(render_pdf, invoice, language=language)
    return Response(page, media_type="application/pdf")
