"""What programs post to registers: customers, products, and dimensions (departments, projects, free ones).

A record that is here already is changed: what the body says is set, null empties, what it does not say stays (JSON
merge patch, RFC 7396). It is brought to every ledger that has it, and made where the mapping of the ledger allows.
"""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from connector.api.access import TheHouse, Writer
from connector.api.body import body_of, media_type
from connector.api.commands import MOST_PAYMENT, IdempotencyKey, OperationView, Posted, once_for
from connector.api.examples import CUSTOMER, DEPARTMENT, PRODUCT
from connector.api.problems import declared
from connector.errors import BadInput
from connector.model import Customer, Dimension, Product
from connector.service.house import House
from connector.store import Tx
from connector.store.keys import ApiKey
from connector.store.operations import Operation
from connector.sync import intake, registers
from connector.sync.handlers import API

router = APIRouter(prefix="/v1", tags=["commands"])

BODIES: tuple[type[BaseModel], ...] = (Customer, Product, Dimension)
"""What bodies are read as; the description names them (`connector.api.app`)."""


def _described(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


_RESPONSES = declared(400, 401, 403, 409, 413, 415, 422, 503)


@router.post(
    "/customers",
    status_code=202,
    response_model=OperationView,
    summary="Post a customer",
    openapi_extra=_described(Customer, CUSTOMER),
    responses=_RESPONSES,
)
async def post_customer(
    request: Request, house: TheHouse, key: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a customer, or what changes of one.

    A customer is known by its organisation number, else by its `source_id`, else by name and e-mail address together.
    Deactivate with `active: false`; nothing is ever deleted.
    """
    return await _take(house, key, request, idempotency_key, "customer")


@router.post(
    "/products",
    status_code=202,
    response_model=OperationView,
    summary="Post a product",
    openapi_extra=_described(Product, PRODUCT),
    responses=_RESPONSES,
)
async def post_product(
    request: Request, house: TheHouse, key: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a product, or what changes of one. It is known by its `number`, else by its `source_id`: with a `source_id`
    its number may change.
    """
    return await _take(house, key, request, idempotency_key, "product")


@router.post(
    "/dimensions",
    status_code=202,
    response_model=OperationView,
    summary="Post a department, project or value of a free dimension",
    openapi_extra=_described(Dimension, DEPARTMENT),
    responses=_RESPONSES,
)
async def post_dimension(
    request: Request, house: TheHouse, key: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a value of a dimension, or what changes of one. It is known by its `code` (a free one with the `dimension`
    it belongs to), else by its `source_id`.
    """
    return await _take(house, key, request, idempotency_key, "dimension")


async def _take(house: House, key: ApiKey, request: Request, said: str | None, what: str) -> Response:
    if media_type(request) != "application/json":
        raise BadInput(f"A {what} is sent as application/json.", code="media-type", do="Set Content-Type.")
    body = await body_of(request, MOST_PAYMENT)
    kind, fields = registers.posted(body, what)
    # A record may change and change back: each request is one of its own, known by its Idempotency-Key.
    named = f"{kind}/{hashlib.sha256((said or '').encode() + b'/' + body).hexdigest()}"
    posted = Posted(key.tenant, API + kind, named, body, "application/json", {"key": key.name})

    def file(tx: Tx, arrival: str) -> intake.Filed:
        return registers.file_record(tx, house, key.tenant, kind, fields, arrival=arrival)

    def take(tx: Tx) -> Operation:
        registers.check(tx, key.tenant, kind, fields)
        return posted.at_once(tx, file) or posted.operation(tx, posted.arrive(tx, lambda there: True))

    return await once_for(house, key, request, body, said, take)
