"""`/v1/ehf`: judge an EHF document, and show it as a page."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from connector import mapping, plugins
from connector.api.body import body_of
from connector.api.problems import declared
from connector.ehf import read, validate
from connector.ehf.pdf import Language, render_pdf
from connector.errors import Missing

router = APIRouter(prefix="/v1/ehf", tags=["ehf"])

_XML = {
    "requestBody": {
        "required": True,
        "content": {"application/xml": {"schema": {"type": "string", "description": "A UBL invoice or credit note."}}},
    }
}
_EXAMPLE = {
    "file": None,
    "document_type": "Invoice",
    "rules_version": "3.0.21",
    "valid": False,
    "layers": {"xml": "passed", "xsd": "passed", "en16931": "failed", "peppol": "passed"},
    "findings": [
        {
            "rule": "BR-CO-15",
            "severity": "fatal",
            "layer": "en16931",
            "path": "/Invoice/cac:LegalMonetaryTotal",
            "line": 118,
            "term": "BT-112",
            "values": {"stated": "12500.01", "expected": "12500.00", "calculation": "10160.00 + 2340.00 = 12500.00"},
            "message": {"nb": "…", "en": "…"},
            "fix": {"nb": "…", "en": "…"},
        }
    ],
}


@router.post(
    "/validate",
    summary="Judge an EHF document",
    openapi_extra=_XML,
    responses={200: {"content": {"application/json": {"example": _EXAMPLE}}}, **declared(404, 413, 422)},
)
async def validate_document(
    request: Request,
    rules: Annotated[str | None, Query(description="Release of BIS Billing; by default the one in force.")] = None,
    all_layers: Annotated[bool, Query(description="Run the rules also on what fails the XSD.")] = False,
    file: Annotated[str | None, Query(description="A name to carry in the answer.")] = None,
    system: Annotated[
        str | None,
        Query(
            description="The system that the document was made from: findings name the field there.",
            examples=["tripletex"],
        ),
    ] = None,
) -> dict[str, Any]:
    """The official verdict with explanations in Norwegian and English, the same JSON as `connector ehf validate`.

    The answer is 200 whether the document is valid or not: the verdict is the answer.
    """
    data = await body_of(request)
    fields = await run_in_threadpool(_fields, system) if system is not None else {}
    report = await run_in_threadpool(validate, data, rules=rules, all_layers=all_layers)
    if system is not None:
        report = report.in_source(fields.get(report.document_type or "", {}))
    return report.as_json(file)


@cache
def _fields(system: str) -> dict[str, dict[str, str]]:
    """By type of document, what makes the model's fields in a system, as shipped."""
    known = plugins.accounting()
    if system not in known:
        raise Missing(f"There is no system `{system}`.", do=f"Name one of: {', '.join(known)}.")
    mappers = mapping.load(system, plugins=known)
    kinds = {"Invoice": "invoice", "CreditNote": "credit_note"}
    return {kind: mappers[name].their_fields for kind, name in kinds.items() if name in mappers}


@router.post(
    "/pdf",
    summary="Show an EHF document as a page",
    openapi_extra=_XML,
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **declared(413, 422)},
)
async def show_document(
    request: Request,
    language: Annotated[Language, Query(description="Labels, amounts and dates: nb or en.")] = "nb",
) -> Response:
    """A plain, readable PDF of an invoice or credit note."""
    data = await body_of(request)
    page = await run_in_threadpool(lambda: render_pdf(read(data), language=language))
    return Response(page, media_type="application/pdf")
