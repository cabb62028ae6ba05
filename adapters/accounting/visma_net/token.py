"""The access token of one company, from Visma Connect (OAuth 2.0 client credentials with a tenant)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.errors import NeedsPerson
from connector.http import Answer, Http
from connector.oauth import ClientTokens


class Tokens(ClientTokens):
    """Gives a token that is good.

    Args:
        url: where tokens are given.
        client_id, client_secret: of our service client.
        tenant_id: of the company.
        api: the caller of the API.

    `current` raises `NeedsPerson` ("sign-in") where Visma Connect does not accept the client or the tenant.
    """

    def __init__(self, url: str, *, client_id: str, client_secret: str, tenant_id: str, api: Http) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "tenant_id": tenant_id,
            "scope": " ".join(f"vismanet_erp_service_api:{right}" for right in ("create", "read", "update", "delete")),
        }
        secrets = (client_id, client_secret)
        super().__init__("Visma Connect", url, form, secrets=secrets, api=api, refusal=_refusal)


def _refusal(answer: Answer, said: Mapping[str, Any]) -> NeedsPerson:
    return NeedsPerson(
        "Visma Connect gives no token for this connection.",
        code="sign-in",
        status=answer.status,
        said_by_vendor=str(said.get("error_description") or said.get("error") or "")[:300] or None,
        do="See that client_id and client_secret are right, that the company has connected our application in"
        " Visma App Store, and that tenant_id is the company's.",
        details={"error": said.get("error")},
    )
