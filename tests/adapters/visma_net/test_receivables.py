"""What customers owe: the ledger's balance, and what is open of each document."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Request, Sandbox
from adapters.loopback import Answer
from connector.ports import Receivables

sys.path.append(str(Path(__file__).parent))
from visma_contract import Checked, described
from visma_driving import credit_goal, customer_goal, invoice_goal, opened, payment_goal, reach


@pytest.mark.parametrize("accounts", [(), ("1500",)])
async def test_two_answers_to_one_question(accounts: tuple[str, ...]) -> None:
    async with Checked(most=2) as box:
        box.contract = described()
        system = opened(box, receivable_accounts=accounts)
        assert await system.receivables() == Receivables(Decimal(0), {})
        one = (await reach(system, customer_goal()))["read"].id
        other = (await reach(system, customer_goal("m-2", name="Annen AS", corporateId="923609016")))["read"].id
        first = (await reach(system, invoice_goal(one)))["read"].id
        await reach(system, invoice_goal(other, "m-b", documentDate="2027-04-15", documentDueDate="2027-05-15"))
        await reach(system, payment_goal(one, (first, "12500.00"), amount="13125.00"))  # 625 too much
        await reach(system, credit_goal(one, first))  # of what is paid: the customer's credit
        box.pays(("100002", "2500.00"), day=date(2027, 5, 2))
        expected = Receivables(Decimal("6250.00"), {one: Decimal("-3750.00"), other: Decimal("10000.00")})
        assert await opened(box, receivable_accounts=accounts).receivables() == expected
        box.books.entries.append(("Journal 1", "1500", Decimal("0.50")))  # by hand, on a control account
        apart = await system.receivables()
        assert (apart.account, sum(apart.open.values())) == (Decimal("6250.50"), Decimal("6250.00"))
        contract, requests = box.contract, box.requests
    contract.check_requests(requests)
    assert box.broke == []


class Shut(Sandbox):
    """Our client may not read the ledger."""

    def vendor(self, request: Request, path: str, since: Any) -> Any:
        answer = super().vendor(request, path, since)
        return Answer(403, {}, {}) if path == "/v2/generalLedgerBalance" else answer


async def test_what_cannot_be_told_is_not_guessed() -> None:
    async with Sandbox() as box:
        system = opened(box)
        made = (await reach(system, invoice_goal((await reach(system, customer_goal()))["read"].id)))["read"].id
        assert await system.receivables() is not None
        box.books.tables["invoice"][made]["currencyId"] = "EUR"
        assert await system.receivables() is None
        box.books.tables["invoice"][made]["currencyId"] = "NOK"
        del box.books.tables["account"]["1500"]["controlAccountModule"]
        assert await system.receivables() is None
    async with Shut() as box:
        assert await opened(box).receivables() is None
