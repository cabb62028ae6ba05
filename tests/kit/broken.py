"""Adapters that are each broken in one way: Tripletex' own, with something in front of it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tripletex_bench import TripletexBench

from adapters.accounting.tripletex import plugin
from connector.errors import Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer, Http
from connector.model.json import dumps
from connector.ports import Accounting, Company, ConnectionConfig, Goal, Kind, Page, Probe, Proof, Record, Run, Step
from connector.testing import Bench


class Adapter:
    """As Tripletex' adapter; a subclass breaks one thing."""

    def __init__(self, inner: Accounting, config: ConnectionConfig) -> None:
        self.inner, self.config = inner, config

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def secret(self) -> str:
        return self.config.secrets.employee_token.get_secret_value()  # type: ignore[attr-defined,no-any-return]


class Plugin:
    """Tripletex' plugin, opening a broken adapter; `http`: what its calls go through instead."""

    def __init__(self, adapter: type[Adapter], http: type[Http] | None = None) -> None:
        self.adapter, self.http = adapter, http

    def __getattr__(self, name: str) -> Any:
        return getattr(plugin, name)

    def open(self, config: ConnectionConfig, http: Http) -> Any:
        if self.http is not None:
            http = self.http(config.settings.base_url)  # type: ignore[attr-defined]
        return self.adapter(plugin.open(config, http), config)


def bench(adapter: type[Adapter] = Adapter, http: type[Http] | None = None, **settings: Any) -> Callable[[], Bench]:
    class Broken(TripletexBench):
        plugin = Plugin(adapter, http)  # type: ignore[assignment]

        def settings(self, url: str) -> Mapping[str, Any]:
            return {**super().settings(url), **settings}

    return Broken


# --- flows ------------------------------------------------------------------------------------------------------------


class Steps(Adapter):
    """Every call of every step goes through `called`."""

    def flow(self, goal: Goal) -> Sequence[Step]:
        return [self.step(one) for one in self.inner.flow(goal)]

    def step(self, step: Step) -> Step:
        async def call(run: Run) -> Proof:
            return await self.called(lambda: step.call(run))

        return replace(step, call=call)

    async def called(self, call: Callable[[], Awaitable[Proof]]) -> Proof:
        return await call()


class Forgetful(Steps):
    """Never finds what it has made."""

    def step(self, step: Step) -> Step:
        async def look(run: Run) -> Sequence[Proof]:
            return ()

        return replace(step, look=look if step.look else None)


class Markless(Forgetful):
    """Marks what it makes with something else each time."""

    def step(self, step: Step) -> Step:
        async def call(run: Run) -> Proof:
            return await step.call(replace(run, goal=replace(run.goal, marker=f"c-{uuid.uuid4().hex[:24]}")))

        return replace(super().step(step), call=call)


class Eager(Steps):
    """Calls again when the vendor has failed."""

    async def called(self, call: Callable[[], Awaitable[Proof]]) -> Proof:
        try:
            return await call()
        except UnknownOutcome:
            return await call()


class Hopeful(Steps):
    """Takes a call that it has no answer to for done."""

    async def called(self, call: Callable[[], Awaitable[Proof]]) -> Proof:
        try:
            return await call()
        except UnknownOutcome:
            return Proof("1")


class Impatient(Steps):
    """Does not wait when it is told to."""

    async def called(self, call: Callable[[], Awaitable[Proof]]) -> Proof:
        while True:
            try:
                return await call()
            except TryLater:
                await asyncio.sleep(0)


class Patient(Steps):
    """Waits for an answer however long it takes."""

    def step(self, step: Step) -> Step:
        return replace(step, timeout=30.0)


class Settling(Adapter):
    """Registers a krone as paid with every note."""

    def flow(self, goal: Goal) -> Sequence[Step]:
        steps = list(self.inner.flow(goal))
        if goal.operation == "note":
            record = {"invoice": {"id": goal.target}, "paymentDate": "2027-02-01", "amount": Decimal("1.00")}
            paid = replace(goal, kind=Kind.PAYMENT, operation="create", record=record, files=())

            async def pay(run: Run) -> Proof:
                pays, _ = self.inner.flow(paid)
                assert pays.witness is not None
                run = replace(run, goal=paid)
                return await pays.call(replace(run, witness=await pays.witness(run)))

            steps.append(Step("pay", pay, timeout=2.0))
        return steps


class Speechless(Adapter):
    """Says that a note is there, and puts none."""

    def flow(self, goal: Goal) -> Sequence[Step]:
        return list(self.inner.flow(goal))[: 1 if goal.operation == "note" else None]


# --- reading ----------------------------------------------------------------------------------------------------------


class Pages(Adapter):
    """Every page goes through `page`."""

    async def changes(self, kind: Kind, cursor: str) -> Page:
        return await self.page(kind, await self.inner.changes(kind, cursor), cursor)

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return page

    def each(self, page: Page, change: Callable[[Record], Record | None]) -> Page:
        return replace(page, records=[one for record in page.records if (one := change(record)) is not None])


class Skipping(Pages):
    """Goes on from the end of what is there, and not from the end of what it has read."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        later = await self.inner.changes(kind, page.cursor)
        return replace(page, cursor=later.cursor)


class Losing(Pages):
    """Loses the last record of a full page."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return replace(page, records=page.records[:-1]) if page.more else page


class Repeating(Pages):
    """Stays where it is once it has read all."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        self.start = getattr(self, "start", cursor)
        return replace(page, cursor=self.start)


class Endless(Pages):
    """There is always one more page."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return replace(page, more=True)


class Blind(Pages):
    """Sees only what it has not seen yet."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        seen: set[tuple[Kind, str]] = self.__dict__.setdefault("seen", set())
        fresh = self.each(page, lambda record: None if (record.kind, record.id) in seen else record)
        seen |= {(record.kind, record.id) for record in page.records}
        return fresh


class Haunted(Adapter):
    """What is gone is still there."""

    async def read(self, kind: Kind, id: str) -> Record | None:
        known: dict[str, Record] = self.__dict__.setdefault("known", {})
        if (record := await self.inner.read(kind, id)) is not None:
            known[id] = record
        return record or known.get(id) or Record(kind, id, "0", {})


class Tidy(Adapter):
    """What is inactive is no more."""

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        page = await self.inner.sweep(kind, since, until, cursor)
        return replace(page, records=[one for one in page.records if not one.body.get("isInactive")])


# --- money ------------------------------------------------------------------------------------------------------------


def _everywhere(value: Any, change: Callable[[Decimal], Any]) -> Any:
    if isinstance(value, Decimal):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _everywhere(one, change) for name, one in value.items()}
    return [_everywhere(one, change) for one in value] if isinstance(value, list | tuple) else value


class Floating(Pages):
    """Shows amounts as floats."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return self.each(page, lambda record: replace(record, body=_everywhere(record.body, float)))


class Truncating(Steps):
    """Counts in øre by way of a float."""

    def step(self, step: Step) -> Step:
        def short(run: Run) -> Run:
            record = _everywhere(run.goal.record, lambda amount: Decimal(int(float(amount) * 100)) / 100)
            return replace(run, goal=replace(run.goal, record=record))

        async def call(run: Run) -> Proof:
            return await step.call(short(run))

        return replace(step, call=call)


class Generous(Pages):
    """Takes whatever was paid for the whole."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        def whole(record: Record) -> Record:
            if record.kind is not Kind.PAYMENT:
                return record
            return replace(record, body=_everywhere(record.body, lambda amount: Decimal("12500.00").copy_sign(amount)))

        return self.each(page, whole)


class Unforgiving(Pages):
    """Does not know that a payment can be taken back."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return self.each(page, lambda record: None if record.kind is Kind.REVERSAL else record)


# --- answers ----------------------------------------------------------------------------------------------------------


class Strict(Http):
    """Takes no field that it does not know."""

    async def call(self, *args: Any, **more: Any) -> Answer:
        answer = await super().call(*args, **more)
        known = {"value", "values", "fullResultSize", "from", "count", "versionDigest"}
        if answer.status < 300 and answer.body and set(answer.json()) - known:
            raise VendorError("There is a field that nobody knows.", code="vendor-answer")
        return answer


class Careless(Pages):
    """Reads on where an answer is not as described."""

    async def changes(self, kind: Kind, cursor: str) -> Page:
        try:
            return await self.inner.changes(kind, cursor)
        except VendorError:
            return Page((), cursor)


class Crashing(Pages):
    """Ends in an error of Python where an answer is not as described."""

    async def changes(self, kind: Kind, cursor: str) -> Page:
        try:
            return await self.inner.changes(kind, cursor)
        except VendorError:
            raise KeyError("value") from None


class Zeroing(Http):
    """Goes on with 0 where there is no id."""

    async def call(self, *args: Any, **more: Any) -> Answer:
        answer = await super().call(*args, **more)
        if answer.status < 300 and answer.body and isinstance(value := answer.json().get("value"), dict):
            answer.body = dumps({"value": {"id": 0, **value}})
        return answer


class Inventing(Http):
    """Takes what is missing for nothing."""

    async def call(self, *args: Any, **more: Any) -> Answer:
        answer = await super().call(*args, **more)
        if b'"values"' in answer.body and b'"amountOutstanding"' not in answer.body:
            answer.body = answer.body.replace(b'"invoiceNumber"', b'"amountOutstanding":0,"invoiceNumber"')
        return answer


class Silent(Pages):
    """Tells of nothing."""

    async def page(self, kind: Kind, page: Page, cursor: str) -> Page:
        return replace(page, records=())


# --- secrets ----------------------------------------------------------------------------------------------------------


class Talkative(Adapter):
    """Says in an error what it signed in with."""

    async def probe(self) -> Any:
        try:
            return await self.inner.probe()
        except VendorError as error:
            raise VendorError(f"{error.said} The token was {self.secret}.", code=error.code) from None


class Logging(Steps):
    """Logs what it signs in with."""

    async def called(self, call: Callable[[], Awaitable[Proof]]) -> Proof:
        logging.getLogger("broken").debug("signed in with %s", self.secret)
        return await call()


# --- the company ------------------------------------------------------------------------------------------------------


class Elsewhere(Adapter):
    """Opens the books of whoever it finds."""

    async def probe(self) -> Probe:
        return replace(await self.inner.probe(), organisation_number="974760673")


class Nameless(Adapter):
    """Does not say whose books it opens."""

    async def company(self) -> Company:
        return replace(await self.inner.company(), organisation_number=None)


# --- capabilities -----------------------------------------------------------------------------------------------------

CREDIT = (Kind.CREDIT_NOTE, "create")


class Boasting(Adapter):
    """Says that it can do what it then refuses."""

    def flow(self, goal: Goal) -> Sequence[Step]:
        if (goal.kind, goal.operation) == CREDIT:
            raise Refused("There are no credit notes.", code="operation-not-supported")
        return self.inner.flow(goal)


class Modest(Adapter):
    """Does what it says that it cannot."""

    @property
    def capabilities(self) -> Any:
        return {one: how for one, how in self.inner.capabilities.items() if one != CREDIT}


class Payless(Adapter):
    """Registers payments of invoices that it cannot make."""

    @property
    def capabilities(self) -> Any:
        return {one: how for one, how in self.inner.capabilities.items() if one != (Kind.INVOICE, "create")}


class Mute(Adapter):
    """Puts no notes on invoices, and says so: nothing is wrong with it."""

    @property
    def capabilities(self) -> Any:
        return {one: how for one, how in self.inner.capabilities.items() if one != (Kind.INVOICE, "note")}

    def flow(self, goal: Goal) -> Sequence[Step]:
        if (goal.kind, goal.operation) not in self.capabilities:
            raise Refused("There are no notes.", code="operation-not-supported")
        return self.inner.flow(goal)


class Lesser(Modest, Boasting):
    """Cannot, says so, and refuses: nothing is wrong with it."""
