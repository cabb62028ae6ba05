"""Nothing is missed: a cursor neither skips nor repeats, what changes is seen, and what leaves leaves as declared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from connector.ports import Kind, Record
from connector.sync import reads
from connector.testing.bench import Failing, NotApplicable
from connector.testing.check import Check, Make
from connector.testing.stories import customer, product, sale
from connector.testing.trial import Trial, trial

START = date(2026, 1, 1)
MOST_PAGES = 50
"""What the kit makes fits on fewer."""
REGISTERS = (Kind.CUSTOMER, Kind.PRODUCT)
FOLLOWED = (*REGISTERS, Kind.INVOICE, Kind.PAYMENT)
MORE = Decimal("10.01")


class Follower:
    """Reads a kind as polls do, by a cursor of its own."""

    def __init__(self, it: Trial, kind: Kind) -> None:
        self._it, self.kind = it, kind
        self._cursor = ""
        self.versions: dict[str, str] = {}
        """What was seen last of each record."""

    async def news(self) -> list[Record]:
        """All that it is told now, page by page."""
        accounting, ask = self._it.accounting, self._it.ask
        self._cursor = self._cursor or await ask(accounting.begin(self.kind, START))
        found: list[Record] = []
        for _ in range(MOST_PAGES):
            page = await ask(accounting.changes(self.kind, self._cursor))
            self._cursor = page.cursor
            found += [record for record in page.records if record.kind is self.kind]
            if not page.more:
                self.versions |= {record.id: record.version for record in found}
                return found
        raise Failing(f"Reading {self.kind} does not end: {MOST_PAGES} pages, and there is always one more.")


def reads_kind(it: Trial, kind: Kind) -> None:
    """Raises `NotApplicable` where the system does not read a kind."""
    if kind not in {reading.kind for reading in it.accounting.readings}:
        raise NotApplicable(f"it does not read {kind}")


async def made(it: Trial, kind: Kind, n: int) -> str | None:
    """Have one more come to be in the books; its id, where the kit can know it.

    Raises:
        NotApplicable: the kit has no way to make one.
    """
    bench = it.bench
    if kind is Kind.PAYMENT:
        if n == 0:
            await made(it, Kind.INVOICE, 0)
        await bench.pay((await it.only(Kind.INVOICE)).id, MORE + n)
        return None
    if (kind, "create") not in it.accounting.capabilities:
        raise NotApplicable(f"its capabilities have no {kind} create, so the kit cannot make one")
    before = {entry.id for entry in await bench.there(kind)}
    match kind:
        case Kind.CUSTOMER:
            await it.done("/v1/customers", customer(it, n))
        case Kind.PRODUCT:
            await it.done("/v1/products", product(it, n))
        case Kind.INVOICE:
            await it.done("/v1/invoices", sale(it, n))
    new = {entry.id for entry in await bench.there(kind)} - before
    if len(new) != 1:
        raise Failing(f"A {kind} is said to be there, and {len(new)} came to be.")
    return new.pop()


async def _new(make: Make, kind: Kind) -> None:
    """What comes to be is seen once, and the same is not told of again for ever."""
    async with trial(make) as it:
        reads_kind(it, kind)
        follower = Follower(it, kind)
        await follower.news()
        for n in range(3):
            known = set(follower.versions)
            id = await made(it, kind, n)
            fresh = [record.id for record in await follower.news() if record.id not in known]
            if len(fresh) != 1 or id not in (None, fresh[0]):
                raise Failing(f"{kind} {id or n} came to be, and the next poll has {fresh or 'nothing'} that is new.")
        overlap = it.bench.overlap.get(kind)
        if overlap is not None:
            await it.bench.age(overlap * 2)
        await follower.news()
        if again := [record.id for record in await follower.news()]:
            raise Failing(f"Nothing happened{' within the overlap' if overlap else ''}, and a poll tells of {again}.")


async def _act(it: Trial, kind: Kind, id: str | None, n: int) -> None:
    """Something happens to a kind: a record of a register is changed, an invoice or a payment comes to be.

    While a call is held back, a lane of width 1 can make no other: an invoice is issued by a person then.
    """
    if kind in REGISTERS:
        assert id is not None
        await it.bench.change(kind, id)
    elif kind is Kind.INVOICE and it.accounting.lane.width == 1:
        assert id is not None
        await it.bench.issue(id)
    else:
        await made(it, kind, n)


async def _meanwhile(make: Make, kind: Kind) -> None:
    """What happens before any call of a poll is seen by this poll or the next."""
    async with trial(make) as it:
        reads_kind(it, kind)
        follower = Follower(it, kind)
        id = await made(it, kind, 0)
        if id is not None and kind in REGISTERS:
            await it.bench.change(kind, id)
        await follower.news()
        it.proxy.mark()
        await follower.news()
        if not it.proxy.since:
            raise Failing(f"A poll of {kind} makes no call.")
        for number in range(len(it.proxy.since)):
            known = dict(follower.versions)
            it.proxy.mark()
            it.proxy.meanwhile[number] = partial(_act, it, kind, id, number + 1)
            seen = [*await follower.news(), *await follower.news()]
            if all(known.get(record.id) == record.version for record in seen):
                call = it.proxy.since[number]
                raise Failing(f"A {kind} that came or changed just before {call} of a poll is never seen.")


async def _changed(make: Make, kind: Kind) -> None:
    """A changed record is seen, with another version and what it is now."""
    async with trial(make) as it:
        reads_kind(it, kind)
        follower = Follower(it, kind)
        id = await made(it, kind, 0)
        assert id is not None
        before = await _one(follower, id)
        if kind in REGISTERS:
            await it.bench.change(kind, id)
        else:
            await it.bench.pay(id, MORE)
        after = await _one(follower, id)
        read = await it.ask(it.accounting.read(kind, id))
        if after.version == before.version:
            raise Failing(f"{kind} {id} was changed, and its version is what it was.")
        if read is None or (read.body, read.version) != (after.body, after.version):
            raise Failing(f"{kind} {id} is one thing in a poll, and another when it is read.")
        if kind in REGISTERS and after.body == before.body:
            raise Failing(f"{kind} {id} was changed, and shows what it was.")
        if kind not in REGISTERS and None not in (before.open_amount, after.open_amount):
            assert before.open_amount is not None
            if after.open_amount != before.open_amount - MORE:
                raise Failing(f"Of {before.open_amount} {MORE} was paid, and {after.open_amount} is shown as open.")


async def _one(follower: Follower, id: str) -> Record:
    found = [record for record in await follower.news() if record.id == id]
    if not found:
        raise Failing(f"{follower.kind} {id} came or was changed, and the next poll does not tell of it.")
    return found[-1]


async def _gone(make: Make, kind: Kind) -> None:
    """A record that a person deletes is not there any more; one that he deactivates stays, and says so."""
    async with trial(make) as it:
        reads_kind(it, kind)
        how = it.bench.gone.get(kind)
        if how is None:
            raise NotApplicable(f"the bench does not say how a {kind} leaves (`gone`)")
        follower = Follower(it, kind)
        id, other = await made(it, kind, 0), await made(it, kind, 1)
        assert id is not None
        before = await _one(follower, id)
        await it.bench.remove(kind, id)
        read, swept = await it.ask(it.accounting.read(kind, id)), await _swept(it, kind)
        if other not in swept:
            raise Failing(f"{kind} {other} is there, and a sweep does not have it.")
        if how == "deleted" and (read is not None or id in swept):
            raise Failing(f"{kind} {id} was deleted, and {'a sweep' if read is None else '`read`'} still has it.")
        if how == "inactive":
            if read is None or id not in swept:
                raise Failing(
                    f"{kind} {id} was deactivated, and {'`read`' if read is None else 'a sweep'} has lost it."
                )
            if (await _one(follower, id)).body == before.body:
                raise Failing(f"{kind} {id} was deactivated, and its record does not show it.")
        await it.poll()
        await it.house.store.write(lambda tx: reads.compare(tx, it.spoke))
        await it.house.work_until_idle(within=1.0)
        if broken := [item["said"] for item in await it.attention() if item["code"] == "internal-error"]:
            raise Failing(f"A {kind} left the books, and the service stumbled: {broken[0]}")


async def _swept(it: Trial, kind: Kind) -> list[str]:
    found, cursor = [], None
    for _ in range(MOST_PAGES):
        page = await it.ask(it.accounting.sweep(kind, START, date(2100, 1, 1), cursor))
        found += [record.id for record in page.records]
        if not page.more:
            return found
        cursor = page.cursor
    raise Failing(f"A sweep of {kind} does not end.")


async def _pages(make: Make) -> None:
    """More than a page: each record once, at the first poll and in a sweep."""
    async with trial(make) as it:
        reads_kind(it, Kind.CUSTOMER)
        if not it.bench.page:
            raise NotApplicable("the bench does not say how much is a page (`page`)")
        await it.bench.fill(2 * it.bench.page + 1)
        there = sorted(entry.id for entry in await it.bench.there(Kind.CUSTOMER))
        first = sorted(record.id for record in await Follower(it, Kind.CUSTOMER).news())
        for what, found in (("The first poll", first), ("A sweep", sorted(await _swept(it, Kind.CUSTOMER)))):
            if found != there:
                raise Failing(f"{what}{_differs(found, there)}, of {len(there)} customers.")


def _differs(found: Sequence[str], there: Sequence[str]) -> str:
    missing, twice = len(set(there) - set(found)), len(found) - len(set(found))
    return f" has skipped {missing} and repeated {twice}"


CHECKS = (
    *(Check(f"new-{kind}", "What comes to be is seen by the next poll, and then not for ever.",
            partial(_new, kind=kind)) for kind in FOLLOWED),
    *(Check(f"meanwhile-{kind}", "What happens while a poll is under way is not skipped.",
            partial(_meanwhile, kind=kind)) for kind in FOLLOWED),
    *(Check(f"changed-{kind}", "A changed record is seen, as it is now.",
            partial(_changed, kind=kind)) for kind in (*REGISTERS, Kind.INVOICE)),
    *(Check(f"gone-{kind}", "What is deleted or deactivated is told of as declared.",
            partial(_gone, kind=kind)) for kind in REGISTERS),
    Check("pages-customer", "No record is skipped or repeated where one page ends and the next begins.", _pages),
)  # fmt: skip
