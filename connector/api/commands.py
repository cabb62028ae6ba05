"""What programs post: invoices, payments and reversals. What can be known at once is answered at once; the rest is an
operation whose end is *done with proof*, *rejected with a reason* or *waiting for a person*.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from connector.api.access import Reader, TheHouse, Writer
from connector.api.body import body_of, media_type
from connector.api.examples import INVOICE_DRAFT, PAYMENT, REVERSAL
from connector.api.problems import declared
from connector.errors import BadInput, Clash, ConnectorError
from connector.model import Draft, Payment, Reversal
from connector.model.json import dumps, loads
from connector.service.house import House
from connector.store import Moved, Tx, arrivals, documents, idempotency, new_id, operations
from connector.store.arrivals import Arrival
from connector.store.keys import ApiKey
from connector.store.operations import Operation
from connector.sync import intake, postings
from connector.sync.canonical import stored
from connector.sync.closing import fact_for
from connector.sync.credits import credited
from connector.sync.handlers import INVOICE as INVOICE_ARRIVAL
from connector.sync.handlers import PAYMENT as PAYMENT_ARRIVAL
from connector.sync.handlers import REVERSAL as REVERSAL_ARRIVAL
from connector.sync.keys import fact_key, invoice_key
from connector.sync.spokes import route_of
from connector.sync.withdrawing import withdrawn

router = APIRouter(prefix="/v1", tags=["commands"])

MOST_INVOICE = 100 * 1024 * 1024
MOST_PAYMENT = 1024 * 1024

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Yours, new for each new request (a UUID will do), the same when you repeat one. Required.",
        examples=["7d0c4f0e-3d0e-4c8c-9c5f-0b4f6f1f0a11"],
    ),
]


class OperationView(BaseModel):
    """What became of a command."""

    id: str = Field(description="Id of the operation.")
    state: str = Field(
        description="accepted (on disk), waiting (for a person), done (with proof) or rejected (with a reason)."
    )
    kind: str = Field(
        description="As of the document: invoice, payment, customer, supplier_invoice …",
        examples=["invoice"],
    )
    document: str | None = Field(default=None, description="The document it is about, once it has been made.")
    result: Any = Field(default=None, description="The proof, the reason, or what it waits for.")


BODIES: tuple[type[BaseModel], ...] = (Draft, Payment, Reversal)
"""What bodies are read as; the description names them (`connector.api.app`)."""


def _body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}, "example": example}


_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _body(Draft, INVOICE_DRAFT),
            "application/xml": {"schema": {"type": "string", "description": "EHF: a UBL invoice or credit note."}},
        },
    }
}
_PAYMENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _body(Payment, PAYMENT)},
    }
}
_REVERSAL_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _body(Reversal, REVERSAL)},
    }
}


@router.post(
    "/invoices",
    status_code=202,
    response_model=OperationView,
    summary="Post an invoice or credit note",
    openapi_extra=_BODIES,
    responses=declared(400, 401, 403, 409, 413, 415, 422, 503),
)
async def post_invoice(
    request: Request,
    house: TheHouse,
    key: Writer,
    idempotency_key: IdempotencyKey = None,
    route: Annotated[str | None, Query(description="Route of the tenant; the only one where left out.")] = None,
    draft: Annotated[bool, Query(description="It is a draft: its number means nothing and is dropped.")] = False,
) -> Response:
    """Take an invoice or a credit note (by its type code): model JSON (totals are made when left out) or EHF.

    A credit note names the invoice it credits in `preceding_invoices`: by number, by `source_id`, or by our id of it
    (`document_id`). It is refused at once where that is unknown, or where more is asked for than is left of it.

    202 means: it is on disk and takes its way once. The same invoice again (same seller, year, type and number, and the
    same buyer where it is self-billed; without a number the same `source_id`) is the same operation; with other content
    it is refused with 409.
    """
    kind = media_type(request)
    if kind not in ("application/json", *intake.XML):
        raise BadInput(
            f"An invoice is sent as application/json or application/xml, not as {kind or 'nothing'}.",
            code="media-type",
            do="Set Content-Type.",
        )
    body = await body_of(request, MOST_INVOICE)
    invoice = intake.invoice_of(body, kind, drop_number=draft)
    tenant = house.tenant(key.tenant)
    way = route_of(tenant, route, intake.SOURCE)
    intake.check_route(way, invoice)
    intake.check_sendable(way, invoice)
    business_key = invoice_key(invoice)
    said = {"route": way.name, "draft": draft, "key": key.name}
    posted = Posted(key.tenant, INVOICE_ARRIVAL, f"{invoice.kind}/{business_key}", body, kind, said)

    def same(there: Arrival) -> bool:
        told = there.headers or {}
        before = intake.invoice_of(there.body, there.content_type, drop_number=bool(told.get("draft")))
        return told.get("route") == way.name and stored(before) == stored(invoice)

    def take(tx: Tx) -> Operation:
        there = documents.by_key(tx, key.tenant, invoice.kind, business_key)
        digest = documents.digest_of(stored(invoice))
        if there is not None and (there.digest, there.source) != (digest, way.name):
            raise _exists(invoice.kind, business_key, document=there.id)
        if there is not None and there.arrival is not None:
            return posted.operation(tx, there.arrival)
        if there is None and invoice.is_credit_note:  # what cannot be credited is refused at once, with the reason
            credited(tx, house, key.tenant, way, invoice, stated=intake.states_totals(body, kind))
        return posted.operation(tx, posted.arrive(tx, same))

    def file(tx: Tx, arrival: str) -> intake.Filed:
        return intake.file_invoice(tx, house, key.tenant, way, invoice, arrival=arrival, received=(body, kind))

    return await once_for(house, key, request, body, idempotency_key, lambda tx: posted.at_once(tx, file) or take(tx))


@router.post(
    "/payments",
    status_code=202,
    response_model=OperationView,
    summary="Post a payment",
    openapi_extra=_PAYMENT_BODY,
    responses=declared(400, 401, 403, 409, 413, 415, 422, 503),
)
async def post_payment(
    request: Request, house: TheHouse, key: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take money that moved: it lowers what is open on the invoices it settles, here and in every other system.

    What is beyond that, and money of a customer that settles nothing (`customer` instead of `allocations`), is the
    customer's credit: `open` of the payment. A refund (`kind: refund`, `direction: out`) goes out against such credit.
    A payment is known by its `source_id`; two equal payments differ in it. One that a person has cancelled before it
    was in any system does not count: it is taken back here, and its `source_id` is free for the corrected payment.
    """
    if media_type(request) != "application/json":
        raise BadInput("A payment is sent as application/json.", code="media-type", do="Set Content-Type.")
    body = await body_of(request, MOST_PAYMENT)
    payment = postings.payment_of(body)
    tenant = house.tenant(key.tenant)
    named = f"payment/{fact_key(intake.SOURCE, payment.source_id)}"
    posted = Posted(key.tenant, PAYMENT_ARRIVAL, named, body, "application/json", {"key": key.name})

    def same(there: Arrival) -> bool:
        return postings.payment_of(there.body) == payment

    def file(tx: Tx, arrival: str) -> intake.Filed:
        return postings.file_payment(tx, house, key.tenant, payment, arrival=arrival)

    def take(tx: Tx) -> Operation:
        postings.check_bank_money(tx, tenant, key.tenant, payment)
        this = posted.anew(tx, same)
        return this.at_once(tx, file) or this.operation(tx, this.arrive(tx, same))

    return await once_for(house, key, request, body, idempotency_key, take)


@router.post(
    "/reversals",
    status_code=202,
    response_model=OperationView,
    summary="Take a payment or settlement back",
    openapi_extra=_REVERSAL_BODY,
    responses=declared(400, 401, 403, 409, 413, 415, 422, 503),
)
async def post_reversal(
    request: Request, house: TheHouse, key: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take back a payment, refund or settlement that should not have been: what it closed is open again, once, here and
    in every system that has it. The fact stays and is shown as `reversed`.

    Money that really goes back to the customer is no reversal: post a payment of the kind `refund`.
    """
    if media_type(request) != "application/json":
        raise BadInput("A reversal is sent as application/json.", code="media-type", do="Set Content-Type.")
    body = await body_of(request, MOST_PAYMENT)
    reversal = postings.reversal_of(body)
    named = f"reversal/{fact_key(intake.SOURCE, reversal.source_id)}"
    posted = Posted(key.tenant, REVERSAL_ARRIVAL, named, body, "application/json", {"key": key.name})

    def same(there: Arrival) -> bool:
        return postings.reversal_of(there.body) == reversal

    def file(tx: Tx, arrival: str) -> intake.Filed:
        return postings.file_reversal(tx, house, key.tenant, reversal, arrival=arrival)

    def take(tx: Tx) -> Operation:
        fact_for(tx, key.tenant, reversal)
        this = posted.anew(tx, same)
        return this.at_once(tx, file) or this.operation(tx, this.arrive(tx, same))

    return await once_for(house, key, request, body, idempotency_key, take)


@router.get(
    "/operations/{id}",
    response_model=OperationView,
    response_model_exclude_none=True,
    summary="What became of a command",
    responses=declared(401, 403, 404),
)
async def get_operation(id: str, house: TheHouse, key: Reader) -> OperationView:
    """The state of an operation and its proof, reason, or what it waits for."""
    return await house.store.read(lambda tx: operation_view(tx, operations.get(tx, key.tenant, id)))


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted, as an arrival: `named` is what it is known by, kind and business key."""

    tenant: str
    kind: str
    named: str
    body: bytes
    content_type: str
    said: dict[str, Any]

    def anew(self, tx: Tx, same: Callable[[Arrival], bool]) -> Posted:
        """What was posted, by the name under which it is kept: where one that a person has cancelled has that name and
        said something else, this corrects it and counts instead.
        """
        count, posted = 0, self
        while True:
            there = arrivals.by_key(tx, self.tenant, intake.SOURCE, posted.named)
            if there is None or not withdrawn(tx, there) or same(there):
                return posted
            count += 1
            posted = replace(self, named=f"{self.named}#{count}")

    def at_once(self, tx: Tx, file: Callable[[Tx, str], intake.Filed]) -> Operation | None:
        """Keep and handle it in this transaction; None where something stands in the way, with nothing done."""
        id = new_id()
        try:
            with tx.savepoint():
                filed = file(tx, id)
                if not self._keep(tx, id=id, handled=filed.document)[1]:
                    raise Moved
                operation = self._accept(tx, id, filed)
                if not filed.works:
                    intake.under_way(tx, operation, filed)
                return operation
        except (ConnectorError, Moved):
            return None

    def arrive(self, tx: Tx, same: Callable[[Arrival], bool]) -> str:
        """Keep it for the inbox. What came before by its name is the same where it says the same, in whatever bytes."""
        try:
            arrival, new = self._keep(tx)
            if new:
                return arrival
        except Clash as clash:
            arrival = str(clash.where["arrival"])
        there = arrivals.get(tx, self.tenant, arrival)
        if not same(there):
            raise _exists(*self.named.split("/", 1), document=there.document)
        return arrival

    def operation(self, tx: Tx, arrival: str) -> Operation:
        """The operation of an arrival: the one there is, else a new one."""
        there = operations.find(tx, arrival=arrival, live=False)
        return there[0] if there else self._accept(tx, arrival, None)

    def _keep(self, tx: Tx, **more: Any) -> tuple[str, bool]:
        return arrivals.arrive(
            tx,
            tenant=self.tenant,
            source=intake.SOURCE,
            kind=self.kind,
            key=self.named,
            subject=self.named,
            body=self.body,
            content_type=self.content_type,
            headers=self.said,
            **more,
        )

    def _accept(self, tx: Tx, arrival: str, filed: intake.Filed | None) -> Operation:
        return operations.accept(
            tx,
            tenant=self.tenant,
            kind=self.named.partition("/")[0],
            arrival=arrival,
            document=filed.document if filed else None,
            work=filed.works[0] if filed and filed.works else None,
        )


def _exists(kind: str, business_key: str, *, document: str | None) -> Clash:
    helps = {
        "credit_note": "An issued credit note is not changed. A new one gets its own number or `source_id`.",
        "invoice": "An issued invoice is not changed: credit it. A new one gets its own number or `source_id`.",
        "payment": "A payment is a fact: send a reversal of the first, or give the second its own `source_id`.",
        "reversal": "A fact keeps what it said: give another one its own `source_id`.",
    }
    return Clash(
        f"The {kind} {business_key} is here already, with other content or on another route.",
        code="document-exists",
        do=helps[kind],
        where={"business_key": business_key} | ({"document": document} if document else {}),
    )


def operation_view(tx: Tx, operation: Operation) -> OperationView:
    """An operation as the API shows it."""
    document = operation.document
    if document is None and operation.arrival is not None:
        document = arrivals.get(tx, operation.tenant, operation.arrival).document
    return OperationView(
        id=operation.id, state=operation.state, kind=operation.kind, document=document, result=operation.result
    )


async def once_for(
    house: House, key: ApiKey, request: Request, body: bytes, said: str | None, take: Callable[[Tx], Operation]
) -> Response:
    """Do it once for an idempotency key, in the transaction that keeps the answer."""
    if not said:
        raise BadInput(
            "The header Idempotency-Key is missing.",
            code="idempotency-key-missing",
            do="Send a key of your own, new for each new request; repeat a request with the same key.",
        )
    if len(said) > 255 or not said.isprintable():
        raise BadInput(
            "The Idempotency-Key is longer than 255 characters or has unprintable ones.",
            code="idempotency-key-malformed",
        )
    asked = f"{request.method} {request.url.path}?{request.url.query}".encode()
    fingerprint = hashlib.sha256(asked + b"\0" + body).hexdigest()

    def once(tx: Tx) -> tuple[int, bytes]:
        before = idempotency.recall(tx, key.tenant, said, fingerprint)
        if before is not None:
            return before
        view = operation_view(tx, take(tx))
        answer = dumps(view.model_dump(exclude_none=True))
        idempotency.keep(tx, key.tenant, said, fingerprint, 202, answer)
        return 202, answer

    status, answer = await house.store.write(once)
    location = f"/v1/operations/{loads(answer)['id']}"
    return Response(answer, status, {"Location": location}, "application/json")
