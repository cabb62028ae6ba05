"""A company whose books are in Visma Net's sandbox."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox

TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: visma-net
    settings: {{base_url: "{url}", token_url: "{url}/connect/token", tenant_id: COMPANY, cash_account: "1920",
      payment_method: "1", timeout: 5, settle: {settle}{more}}}
    secrets: {{client_id: env:FJORD_VISMA_ID, client_secret: env:FJORD_VISMA_SECRET}}
    mapping: {mapping}
routes:
  sales:
    takes: api
    to: books
    issues: {issues}
    sends: nobody
    reminds: nobody
    receives: nobody
    takes_bank_money: {{"86011117947": books, "15032080119": source}}
""".replace("COMPANY", TENANT_ID)


def on_visma_net(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What founds companies (`conftest.founded`), with their books in Visma Net."""
    monkeypatch.setenv("FJORD_VISMA_ID", CLIENT_ID)
    monkeypatch.setenv("FJORD_VISMA_SECRET", CLIENT_SECRET)
    return partial(founded, books=Sandbox, tenant=TENANT)


def balance(box: Sandbox, account: str) -> Decimal:
    """What stands on an account."""
    return sum((amount for _, number, amount in box.books.entries if number == account), Decimal(0))


def invoices(box: Sandbox) -> list[Any]:
    """Everything that lies in the register of invoices, drafts as well."""
    return list(box.books.tables.get("invoice", {}).values())


def payments(box: Sandbox) -> list[Any]:
    """Everything that lies in the register of payments, drafts as well."""
    return list(box.books.tables.get("payment", {}).values())
