"""What a ledger takes: read through the lane, kept, believed for a while; and the guard that compares it with files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import EMPLOYEE_TOKEN
from connector.api.examples import INVOICE_DRAFT
from connector.errors import ConnectorError, Stop
from connector.lanes import Verb
from connector.store import attention
from connector.store import options as kept_options
from connector.sync import options


async def gone(fjord: Any) -> dict[str, dict[str, Any]]:
    """What the guard tells, by code."""
    return {item["where"]["value"]: item for item in await told(fjord)}


async def told(fjord: Any) -> list[dict[str, Any]]:
    items = await fjord.get("/v1/attention")
    return [item | item["details"] for item in items if item["code"] == "code-gone"]


async def look(fjord: Any) -> options.Known:
    return await fjord.house.options(fjord.house.spokes()[0], refresh=True, alone=True)


async def test_they_are_read_once_and_kept_sealed(founded: Any) -> None:
    async with founded(closed_until=date(2026, 8, 31)) as fjord:
        spoke = fjord.house.spokes()[0]
        first = await fjord.house.options(spoke, alone=True)
        calls = len(fjord.box.requests)
        again = await fjord.house.options(spoke, alone=True)
        assert again == first
        assert len(fjord.box.requests) == calls, "kept options were read again"
        assert first.options.find("account", "3000").active
        assert first.options.find("vat-code", "3").rate == 25
        assert first.options.find("payment-type", "1920").code == "Betalt til bank"
        assert first.options.closed_on(date(2026, 8, 31)) is not None
        assert first.options.closed_on(date(2026, 9, 1)) is None
        assert first.options.first_open(date(2026, 3, 5)) == date(2026, 9, 1)
        row = await fjord.house.store.read(lambda tx: kept_options.get(tx, spoke.id))
        assert "Salgsinntekt" in str(row.body)
        raw = await fjord.house.store.read(lambda tx: tx.conn.exec_driver_sql("SELECT body FROM options").scalar_one())
        assert b"Salgsinntekt" not in bytes(raw)
        assert (await look(fjord)).read >= first.read
        assert len(fjord.box.requests) > calls


@pytest.mark.parametrize("ends", ["exclusive", "inclusive"])
async def test_the_last_day_of_a_period_is_closed_and_the_next_is_not(founded: Any, ends: str) -> None:
    async with founded(closed_until=date(2026, 8, 31), period_end=ends) as fjord:
        found = (await look(fjord)).options
        assert found.closed_on(date(2026, 8, 31)).end == date(2026, 8, 31)
        assert found.closed_on(date(2026, 9, 1)) is None


async def test_reading_them_brings_about_nothing_else(fjord: Any) -> None:
    answer = await fjord.post("/v1/invoices", INVOICE_DRAFT)
    assert answer.status_code == 202
    await look(fjord)
    assert {one.method for one in fjord.box.requests if "session" not in one.path} == {"GET"}
    await fjord.work()
    assert fjord.box.state()["counts"]["invoice"] == 1


async def test_why_they_cannot_be_read_is_said(fjord: Any) -> None:
    fjord.box.fault("GET /ledger/account", "500-before", count=50)
    with pytest.raises(ConnectorError) as said:
        await look(fjord)
    assert said.value.where["connection"] == "books"


async def test_what_may_not_be_read_is_unknown_and_never_gone(founded: Any) -> None:
    async with founded(issues="source", without_right="403") as fjord:
        assert (await look(fjord)).options.unknown == ()
        key = fjord.box.access[EMPLOYEE_TOKEN]
        key.shrink(["ledger", "department"])
        key.hidden["account"] = {one["id"] for one in fjord.box.books.all("account")}
        found = (await look(fjord)).options
        assert not found.knows("account"), "an empty chart of accounts was believed"
        assert found.closed is None
        assert found.bank_account is None
        assert found.dimension("department") is None
        assert found.dimension("project") is not None
        assert {"Accounts (Kontoplan)", "Departments (Avdelinger)"} <= set(found.unknown)
        assert "Ledger (Regnskap)" in found.missing
        assert await told(fjord) == []


async def test_a_code_of_the_companys_own_that_is_not_there_waits_until_it_is_mended(founded: Any) -> None:
    own = "{tables: {income-account: {rows: {'31': 3055}}}}"
    async with founded(issues="source", mapping=own) as fjord:
        await look(fjord)
        [item] = await told(fjord)
        assert item["where"]["list"] == "account"
        assert item["where"]["value"] == "3055"
        assert item["where"]["file"].endswith("fjord.yaml")
        [line] = [n for n, text in enumerate(tenant_file(fjord).splitlines(), 1) if "3055" in text]
        assert item["where"]["line"] == line
        fjord.box.books.add_account(3055, "Servering")
        await look(fjord)
        assert await told(fjord) == []


async def test_what_a_person_has_looked_at_is_not_asked_again_until_it_is_another(founded: Any) -> None:
    own = "{tables: {income-account: {rows: {'31': 3055}}}}"
    async with founded(issues="source", mapping=own) as fjord:
        await look(fjord)
        [item] = await told(fjord)
        answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "ignore"})
        assert answer.status_code == 204, answer.text
        await look(fjord)
        assert await told(fjord) == []
        fjord.box.books.touch(fjord.box.books.add_account(3055, "Servering"), isInactive=True)
        await look(fjord)
        assert [one["where"]["value"] for one in await told(fjord)] == ["3055"], "there now, and closed"


async def test_however_much_waits_what_is_mended_is_closed(founded: Any) -> None:
    own = "{tables: {income-account: {rows: {'31': 3055}}}}"
    async with founded(issues="source", mapping=own) as fjord:
        [spoke] = fjord.house.spokes()

        def wait(tx: Any) -> None:
            for number in range(1001):
                reason = Stop("Somebody must look.", code="something-else")
                attention.ask(
                    tx, tenant="fjord", about=f"x:{number}", reason=reason, verbs=(Verb.IGNORE,), connection=spoke.id
                )

        await fjord.house.store.write(wait)
        await look(fjord)
        gone = await fjord.house.store.read(lambda tx: attention.open_of(tx, spoke.id, "code-gone"))
        assert gone == {f"code:{spoke.id}:account:3055"}
        fjord.box.books.add_account(3055, "Servering")
        await look(fjord)
        assert await fjord.house.store.read(lambda tx: attention.open_of(tx, spoke.id, "code-gone")) == set()


async def test_however_often_it_was_asked_the_last_answer_holds(fjord: Any) -> None:
    reason = Stop("The account is gone.", code="code-gone")

    def asked(tx: Any, how: str) -> None:
        attention.ask(tx, tenant="fjord", about="code:x", reason=reason, verbs=(Verb.IGNORE,))
        attention.close(tx, "code:x", who="kari", how=how)

    def ignored(tx: Any) -> bool:
        return attention.ignored(tx, tenant="fjord", about="code:x", reason=reason)

    for _ in range(101):
        await fjord.house.store.write(lambda tx: asked(tx, "mended"))
    assert not await fjord.house.store.read(ignored)
    await fjord.house.store.write(lambda tx: asked(tx, "ignore"))
    assert await fjord.house.store.read(ignored)


async def test_a_row_as_shipped_is_told_only_when_the_ledger_had_it(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        account = next(one for one in fjord.box.books.all("account") if one["number"] == 3003)
        fjord.box.books.touch(account, isInactive=True)
        await look(fjord)
        assert await told(fjord) == [], "a company that never had it was told"
        fjord.box.books.touch(account, isInactive=False)
        await look(fjord)
        fjord.box.books.touch(account, isInactive=True)
        await look(fjord)
        await look(fjord)
        assert set(await gone(fjord)) == {"3003"}
        assert (await gone(fjord))["3003"]["where"]["file"].endswith("systems/tripletex.yaml")
        fjord.box.books.touch(account, isInactive=False)
        await look(fjord)
        assert await told(fjord) == []


async def test_the_settings_are_compared_too(founded: Any) -> None:
    async with founded() as fjord:
        await look(fjord)
        assert await told(fjord) == []
        [kind] = [one for one in fjord.box.books.all("paymentType") if one["description"] == "Betalt til bank"]
        fjord.box.books.touch(kind, description="Innbetalt")
        await look(fjord)
        assert set(await gone(fjord)) == {"Betalt til bank"}


async def test_it_is_looked_at_every_night(fjord: Any) -> None:
    spoke = fjord.house.spokes()[0]
    await fjord.house.store.write(lambda tx: options.ask_nightly(tx, spoke))
    await fjord.work()
    assert await fjord.house.store.read(lambda tx: options.known(tx, spoke)) is not None


def tenant_file(fjord: Any) -> str:
    from pathlib import Path

    return Path(fjord.house.tenant("fjord").file).read_text()
