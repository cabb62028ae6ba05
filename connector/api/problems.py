"""Every error of the API is a problem document (RFC 9457), with the same stable codes as everywhere in the house."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from connector.errors import (
    BadInput,
    Clash,
    ConnectorError,
    Denied,
    Misconfigured,
    Missing,
    Stop,
    TryLater,
    VendorError,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[ConnectorError], int], ...] = (
    (BadInput, 422),
    (Denied, 403),
    (Missing, 404),
    (Clash, 409),
    (Stop, 409),
    (TryLater, 503),
    (VendorError, 502),
    (Misconfigured, 500),
)

STATUS_BY_CODE = {
    "not-authenticated": 401,
    "signature-wrong": 401,
    "hook-malformed": 400,
    "idempotency-key-missing": 400,
    "idempotency-key-malformed": 400,
    "idempotency-key-in-use": 409,
    "idempotency-key-reused": 422,
    "body-malformed": 400,
    "body-too-large": 413,
    "media-type": 415,
    "route-unclear": 422,
    "cursor-expired": 410,
    "cursor-malformed": 400,
    "trust-store-missing": 404,  # nobody has set Peppol up on this service
}
"""Codes whose status is not that of their class."""


class Problem(BaseModel):
    """What went wrong (RFC 9457): decide by `code`, show `detail` and `do` to a person."""

    type: str = Field(description="URN of the kind of problem.", examples=["urn:connector:problem:already-there"])
    title: str = Field(description="The status in words.", examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(description="One sentence for a person.")
    code: str = Field(description="Stable code of the house.", examples=["already-there"])
    do: str = Field(default="", description="What a person should do.")
    again: bool = Field(default=False, description="Whether the very same request may succeed later.")
    where: dict[str, Any] | None = Field(default=None, description="The place: document, field, line, rule …")
    details: Any = Field(default=None, description="Further facts, for instance every single fault.")


_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    500: "Internal error",
    502: "A system outside failed",
    503: "Try later",
}


def status_of(error: ConnectorError) -> int:
    """The HTTP status that says what the error is."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """A problem document as an answer."""
    made = Problem(
        type=f"urn:connector:problem:{code}",
        title=_TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        **more,
    )
    headers = {"WWW-Authenticate": "Bearer"} if code == "not-authenticated" else {}
    return JSONResponse(jsonable_encoder(made, exclude_none=True), status, headers, MEDIA_TYPE)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its description in OpenAPI; parameters can be malformed on every one (422)."""
    return {
        status: {"model": Problem, "description": _TITLES[status], "content": {MEDIA_TYPE: {}}}
        for status in sorted({*statuses, 422})
    }


async def refuse_nul(request: Request) -> None:
    """No database keeps a NUL in a text: refused before anything is looked up."""
    if "\0" in request.scope["path"] or any("\0" in value for _, value in request.query_params.multi_items()):
        raise BadInput("There is a NUL in the path or the query.", code="request-malformed", do="Remove it.")


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""

    @app.exception_handler(ConnectorError)
    async def _ours(_: Request, error: ConnectorError) -> JSONResponse:
        made = problem(
            status_of(error),
            error.code,
            error.said,
            do=error.do,
            again=error.again,
            where=error.where or None,
            details=error.details,
        )
        if isinstance(error, TryLater) and error.after:
            made.headers["Retry-After"] = str(max(1, round(error.after)))
        return made

    @app.exception_handler(RequestValidationError)
    async def _parameters(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
        said = f"{faults[0]['field']}: {faults[0]['message']}" if faults else "The request is malformed."
        return problem(422, "request-malformed", said, details=faults, do="Mend the parameters named and call again.")

    @app.exception_handler(HTTPException)
    async def _framework(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "no-such-path", 405: "method-not-allowed"}.get(error.status_code, "request-refused")
        return problem(error.status_code, code, str(error.detail))

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> JSONResponse:
        log.error("internal-error", path=request.url.path, exc_info=error)
        return problem(
            500,
            "internal-error",
            "Something failed here that should not; it has been logged.",
            again=True,
            do="Try again with the same Idempotency-Key; nothing is done twice.",
        )
