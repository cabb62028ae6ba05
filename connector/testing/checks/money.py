"""Money: exact to the øre, both ways; and payments that are made in the books, of a part, of more, and taken back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connector.ports import Kind, Record
from connector.testing import samples
from connector.testing.bench import Failing, NotApplicable
from connector.testing.check import Check, Make, able
from connector.testing.checks.reading import Follower
from connector.testing.stories import INVOICE, OVER, PART, PAYMENT, money, sale
from connector.testing.trial import LONG, Trial, trial

CENT = Decimal("0.29")
"""29 øre are 28.999999999999996 where somebody multiplies by a hundred."""


async def _exact(make: Make, n: int) -> None:
    lines, gross = samples.ODD[n]
    async with trial(make) as it:
        able(it, INVOICE)
        body = sale(it, lines=list(lines))
        said = await it.over(await it.post("/v1/invoices", body))
        there = await it.bench.there(Kind.INVOICE)
        if said["state"] != "done":
            waits = await it.attention()
            if n in samples.ROUNDED and not there and any("total" in item["code"] for item in waits):
                return  # a ledger that rounds line by line may not take it, but then it does not have it either
            raise Failing(f"An invoice of {gross} is {said['state']}: {said} {waits}")
        if (amounts := [entry.amount for entry in there]) != [gross] or await it.bench.owed() != gross:
            raise Failing(f"{gross} was invoiced; the books have {amounts}, and customers owe {await it.bench.owed()}.")
        if PAYMENT.told(it.accounting.capabilities):
            await it.done("/v1/payments", money(it, CENT))
            if (owed := await it.bench.owed()) != gross - CENT:
                raise Failing(f"{CENT} of {gross} was paid, and customers owe {owed}.")
            gross -= CENT
        await _no_floats(it, gross)


async def _no_floats(it: Trial, left: Decimal) -> None:
    for reading in it.accounting.readings:
        for record in await Follower(it, reading.kind).news():
            if place := floating(record.body):
                raise Failing(f"`{place}` of {record.kind} {record.id} is a float: money is Decimal.")
            for name in ("open_amount",):
                _decimal(record, name)
            if record.kind is Kind.INVOICE and record.open_amount not in (None, left):
                raise Failing(f"{left} is open, and {record.open_amount} is shown as open.")
    if (owes := await it.ask(it.accounting.receivables())) is not None and owes.account != left:
        raise Failing(f"Customers owe {left}, and `receivables` says {owes.account}.")


def _decimal(record: Record, name: str) -> None:
    value = getattr(record, name)
    if value is not None and not isinstance(value, Decimal):
        raise Failing(f"`{name}` of {record.kind} {record.id} is a {type(value).__name__}: money is Decimal.")


def floating(value: Any, place: str = "") -> str | None:
    """Where a float is in what a record shows; None where there is none."""
    if isinstance(value, float):
        return place
    inside: Sequence[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        inside = [(f"{place}.{name}".lstrip("."), one) for name, one in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{place}[{n}]", one) for n, one in enumerate(value)]
    return next((found for where, one in inside if (found := floating(one, where)) is not None), None)


# --- made in the books ------------------------------------------------------------------------------------------------


async def _sold(it: Trial) -> str:
    able(it, INVOICE)
    await it.done("/v1/invoices", sale(it))
    await it.poll()
    return (await it.only(Kind.INVOICE)).id


async def _shown(it: Trial, opened: Decimal, payments: int) -> None:
    """However often it is looked: so much is open, there are so many payments, and nobody is asked."""
    for _ in range(2):
        await it.poll()
    said = Decimal((await it.document(kind="invoice"))["open"])
    if said != opened:
        raise Failing(f"{opened} is open, and the service says {said}. {await it.attention()}")
    found = (await it.get("/v1/documents", kind="payment"))["documents"]
    if len(found) != payments:
        raise Failing(f"There are {payments} payments in the books, and the service has {len(found)}.")
    if waits := await it.attention():
        raise Failing(f"A person is asked, and everything is clear: {waits[0]['said']}")


async def _part(make: Make) -> None:
    async with trial(make) as it:
        invoice = await _sold(it)
        await it.bench.pay(invoice, PART)
        await _shown(it, samples.GROSS - PART, 1)
        await it.bench.pay(invoice, CENT)
        await _shown(it, samples.GROSS - PART - CENT, 2)
        await it.bench.pay(invoice, CENT)  # another one of the same amount is another one
        await _shown(it, samples.GROSS - PART - 2 * CENT, 3)


async def _more(make: Make) -> None:
    async with trial(make) as it:
        if not it.bench.keeps_credit:
            raise NotApplicable("its ledger keeps no credit of customers (`keeps_credit`)")
        await it.bench.pay(await _sold(it), OVER)
        for _ in range(2):
            await it.poll()
        opened = Decimal((await it.document(kind="invoice"))["open"])
        beyond = OVER - samples.GROSS
        credit = Decimal((await it.document(kind="payment"))["open"] or 0)
        if opened - credit != -beyond:
            raise Failing(f"{beyond} too much was paid; {opened} is open of the invoice and {credit} of the payment.")


async def _back(make: Make) -> None:
    async with trial(make) as it:
        invoice = await _sold(it)
        await it.bench.pay(invoice, PART)
        await _shown(it, samples.GROSS - PART, 1)
        await it.bench.take_back(invoice, PART)
        end = time.monotonic() + LONG  # a row that is only gone is looked for twice before it is believed
        while Decimal((await it.document(kind="invoice"))["open"]) != samples.GROSS and time.monotonic() < end:
            await it.poll()
            await asyncio.sleep(1)
        await _shown(it, samples.GROSS, 1)


CHECKS = (
    *(Check(f"exact-{gross}", "Amounts are exact to the øre, written and read.", partial(_exact, n=n))
      for n, (_, gross) in enumerate(samples.ODD)),
    Check("paid-a-part", "Payments of a part that are made in the books come back, each once.", _part),
    Check("paid-more", "A payment of more than was open is credit of the customer.", _more),
    Check("paid-and-taken-back", "A payment that is taken back in the books leaves the invoice open again.", _back),
)  # fmt: skip
