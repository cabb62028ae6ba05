"""A company whose books are in Visma Net's sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import Company, company

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


@asynccontextmanager
async def on_visma_net(
    folder: Path, database: str, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> AsyncIterator[Company]:
    """A company on this database with its books in Visma Net; `more` as `company` takes it."""
    monkeypatch.setenv("FJORD_VISMA_ID", CLIENT_ID)
    monkeypatch.setenv("FJORD_VISMA_SECRET", CLIENT_SECRET)
    async with company(folder, database, monkeypatch, **{"books": Sandbox, "tenant": TENANT, **more}) as made:
        yield made


def balance(box: Sandbox, account: str) -> Decimal:
    """What stands on an account."""
    return sum((amount for _, number, amount in box.books.entries if number == account), Decimal(0))


def invoices(box: Sandbox) -> list[Any]:
    """Everything that lies in the register of invoices, drafts as well."""
    return list(box.books.tables.get("invoice", {}).values())


def payments(box: Sandbox) -> list[Any]:
    """Everything that lies in the register of payments, drafts as well."""
    return list(box.books.tables.get("payment", {}).values())
