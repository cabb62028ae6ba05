"""What a webhook of Visma Net hints at, and that only a signed one does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from adapters.accounting.visma_net.webhooks import Webhooks
from connector.errors import BadInput, Denied
from connector.ports import Heard, Hint, Kind

SECRET, TENANT = "a key from the portal", "tenant-1"
FOLLOWED = (Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT)
HOOKS = Webhooks(SECRET, TENANT, FOLLOWED)


def signed(body: bytes, secret: str = SECRET, **more: str) -> dict[str, str]:
    made = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-vwd-signature-v1": made, "x-vwd-tenant-id": TENANT, "x-vwd-notification-id": "n-1"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }


def heard(said: Any, **more: str) -> Heard:
    body = json.dumps(said).encode()
    return HOOKS.hear(signed(body, **more), body, None)


SALES = [Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT]


@pytest.mark.parametrize(
    ("event", "uri", "kinds"),
    [
        ("Customer Changed", "controller/api/v1/customer/10001", [Kind.CUSTOMER]),
        ("AR Invoice Status Changed", "/v1/customerinvoice/100001", SALES),
        ("AR Invoice Status Changed", "", SALES),
        ("ARInvoiceChanged", None, SALES),
        ("Inventory Item Created", "https://api.finance.visma.net/v1/inventory/7", [Kind.PRODUCT]),
        ("InventoryItemCreated", "", [Kind.PRODUCT]),
        ("Account Deleted", "/v1/account/3000", []),
        ("Supplier Created", "/v1/supplier/1", []),  # purchases are not followed here
        ("Background API Operation Response Ready", "", []),
        ("Something New", "/v9/unheard/1", list(FOLLOWED)),
    ],
)
def test_an_event_says_where_to_look(event: str, uri: str | None, kinds: list[Kind]) -> None:
    found = heard([{"event": event, "relativeResourceUri": uri, "status": "x"}])
    assert (found.event, found.hints) == (event, [Hint(kind) for kind in kinds])


def test_events_come_in_groups_and_twice() -> None:
    both = [{"event": "Customer Changed"}, {"event": "AR Invoice Changed"}, {"event": "Customer Changed"}, "odd"]
    found = heard(both)
    assert found.hints == [Hint(kind) for kind in (Kind.CUSTOMER, *SALES)]
    assert found.event == "Customer Changed, AR Invoice Changed"
    assert found.key == "n-1"
    body = b'{"event": "Customer Changed"}'
    headers = signed(body)
    del headers["x-vwd-notification-id"], headers["x-vwd-tenant-id"]
    again = [HOOKS.hear(headers, body, None) for _ in range(2)]
    assert again[0].key == again[1].key == hashlib.sha256(body).hexdigest()
    assert again[0].hints == [Hint(Kind.CUSTOMER)]


@pytest.mark.parametrize("said", [[], {}, "text", [{"event": 7}], [{"resourceUri": None}], None])
def test_what_nobody_has_described_is_harmless(said: Any) -> None:
    found = heard(said)
    assert set(found.hints) <= {Hint(kind) for kind in FOLLOWED}


def test_only_what_is_signed_for_this_company_is_heard() -> None:
    body = b'[{"event": "Customer Changed"}]'
    for headers in ({}, signed(body, "another key"), {"x-vwd-signature-v1": "~"}, signed(body + b" ")):
        with pytest.raises(Denied) as caught:
            HOOKS.hear(headers, body, None)
        assert caught.value.code == "signature-wrong"
    with pytest.raises(Denied) as caught:
        HOOKS.hear(signed(body, x_vwd_tenant_id="tenant-2"), body, None)
    assert caught.value.code == "hook-for-another"
    with pytest.raises(BadInput) as wrong:
        HOOKS.hear(signed(b"no json"), b"no json", None)
    assert wrong.value.code == "hook-malformed"


async def test_nobody_can_be_subscribed() -> None:
    kept = await HOOKS.keep("https://connector.example.no/v1/hooks/1", None)
    assert (dict(kept.events), list(kept.mended)) == ({}, [])
