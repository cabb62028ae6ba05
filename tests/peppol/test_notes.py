"""What the network could not deliver is seen by whoever opens the invoice in the ledger."""

from __future__ import annotations

import io
from typing import Any

import pytest
from company import TENANT, ehf
from pypdf import PdfReader

from adapters.access_points.sandbox import Pace, Plan
from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from connector.store import connections

BOOKS = """connections:
  books:
    system: tripletex
    settings: {{{{base_url: "{url}", payment_type: Betalt til bank, timeout: 5, settle: 0.2}}}}
    secrets: {{{{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}}}
"""


async def test_it_lies_on_the_voucher_once(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FJORD_CONSUMER", CONSUMER_TOKEN)
    monkeypatch.setenv("FJORD_EMPLOYEE", EMPLOYEE_TOKEN)
    async with Sandbox() as books:
        said = TENANT.replace("connections: {{}}\n", BOOKS.format(url=books.url))
        said = said.replace("to: []", "to: books").replace("takes_bank_money: nobody", "takes_bank_money: books")
        async with founded(pace=Pace(sent=0.1, delivered=0.1), tenant=said) as fjord:
            (spoke,) = fjord.house.spokes()
            await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
            fjord.box.network.plans.append(Plan(number="1001", end="failed", reason="Nobody is called so.", code="BV"))
            id = await fjord.issue(ehf("1001"))
            (way,) = await fjord.sends(id)
            assert way["state"] == "accepted"  # and is followed, for weeks where nothing more is said: yet
            assert (await fjord.get(fjord.command))["state"] == "done"  # is the command, which asked for no more
            await fjord.work(within=2.5)
            events = await fjord.events(id)
            assert (events.count("invoice.not_delivered"), events.count("invoice.noted")) == (1, 1)
            (voucher,) = [one for one in books.books.all("voucher") if "1001" in (one.get("description") or "")]
            paper, note = books.books.find(voucher["attachment"])["_uploads"]
            assert (paper.file_name, note.file_name.startswith("1-Merknad-1001-c-")) == ("Faktura-1001.pdf", True)
            shown = " ".join(PdfReader(io.BytesIO(note.content)).pages[0].extract_text().split())
            for word in ("Ikke levert til kunden", "Nobody is called so.", "Faktura 1001"):
                assert word in shown
