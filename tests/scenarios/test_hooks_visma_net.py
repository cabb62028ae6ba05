"""A webhook of Visma Net: posted to our address, signed; what it hints at is read, and nothing else is believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from visma_net import TENANT, on_visma_net

from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.wrapping import wrapped
from connector.sync import hints

SECRET = "the key in the portal"


async def test_a_signed_request_has_records_read(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FJORD_HOOK", SECRET)
    monkeypatch.setattr(hints, "GATHER", timedelta(seconds=0.2))
    tenant = TENANT.replace("system: visma-net\n", "system: visma-net\n    webhooks: https://connector.example.no\n")
    tenant = tenant.replace("env:FJORD_VISMA_SECRET}", "env:FJORD_VISMA_SECRET, webhook_secret: env:FJORD_HOOK}")
    async with on_visma_net(founded, monkeypatch)(tenant=tenant) as fjord:
        await fjord.poll()
        before = len((await fjord.get("/v1/documents", kind="customer"))["documents"])
        fjord.box.books.add_customer(Said(wrapped({"name": "Ny kunde AS", "corporateId": "974760673"})))
        (spoke,) = fjord.house.spokes()
        body = b'[{"event": "Customer Created", "relativeResourceUri": "/v1/customer/1", "name": "Lies AS"}]'
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        path = f"/v1/hooks/{spoke.id}"
        wrong = await fjord.client.post(path, content=body, headers={"x-vwd-signature-v1": "AAAA"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "signature-wrong")
        answer = await fjord.client.post(path, content=body, headers={"x-vwd-signature-v1": signature})
        assert answer.status_code == 204
        await fjord.work(within=1)
        found = (await fjord.get("/v1/documents", kind="customer"))["documents"]
        assert len(found) == before + 1
        assert "Lies" not in str(found)
