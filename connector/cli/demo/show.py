"""What the demo shows, chapter by chapter."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector import plugins
from connector.cli.common import out
from connector.cli.demo import exchange
from connector.cli.demo.invoices import BUYERS, DAY, PAID_ON, invoice, one_krone_off, payable
from connector.cli.demo.stage import Company, Failed, Sandbox, Stage, at_once, environment, sync, until
from connector.cli.demo.words import kroner, line
from connector.cli.documents import explained, tell_all
from connector.ehf import validate
from connector.http import Http
from connector.ports import ConnectionConfig, Kind
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import attention

PART = Decimal(5000)
"""Kroner of the first payment."""
NET = Decimal(1000)
"""Kroner before VAT of the invoice that is carried over."""
SALES = """  sales:
    takes: api               # what programs post …
    to: books                # … goes to this ledger,
    issues: books            # which numbers it
    sends: connector         # the invoice leaves through our access point,
    receives: connector      # by which those of suppliers come
    reminds: nobody
    takes_bank_money: books  # payments are read there
"""
CARRIED = """  carried:
    takes: shop              # what is issued in one ledger …
    to: books                # … is booked in the other,
    issues: shop             # under the number it has
    reminds: nobody
    takes_bank_money: books  # payments are read there, and brought back
"""
SHOWN = 8
"""Lines of the mapping that the story of a document shows."""


class Show:
    """One run of the demo with these systems, in `folder`."""

    def __init__(self, folder: Path, systems: list[str]) -> None:
        self.stage = Stage(folder)
        self.systems = systems
        self.chapter = 0

    async def run(self) -> None:
        """All of it. Raises `Failed` where something does not come about."""
        async with self.stage as stage:
            self.say(
                "Sandboxes of the ledgers and of an access point, a company for each ledger, and the service start"
            )
            point, *started = await asyncio.gather(*map(stage.sandbox, [exchange.access_point(), *self.systems]))
            pair = self.pair(started)
            both = dict(zip(pair, await asyncio.gather(*map(stage.sandbox, pair.values())), strict=True))
            for ledger in started:
                stage.found(_tenant(ledger), f"Demo AS, {ledger.title}", {"books": ledger}, SALES, point)
                self.line(ledger.title, f"{ledger.root}, one connection, one route")
            if both:
                stage.found("demo-two", "Demo AS, two ledgers", both, CARRIED)
                self.line("two ledgers", " → ".join(one.title for one in both.values()) + ", sandboxes of their own")
            self.line("access point", f"{point.root}, {point.title}, a small Peppol behind it")
            with environment(stage.env):
                async with open_house(Settings(database=stage.env["CONNECTOR_DATABASE"])) as house:
                    await self.shown(house, point, started, both)

    async def shown(self, house: House, point: Sandbox, ledgers: list[Sandbox], both: dict[str, Sandbox]) -> None:
        """What happens once everything runs."""
        stage = self.stage
        serving = asyncio.create_task(stage.serve())
        worker = await stage.spawn("worker")
        companies = [await stage.enter(house, _tenant(one), {"books": one}) for one in ledgers]
        two = [await stage.enter(house, "demo-two", both)] if both else []
        await serving
        self.line("the service", f"API on {stage.address}, a worker, the store in one file")
        trader = next((one for one in companies if one.takes_bills), companies[0])
        chapters = [
            *((f"{one.ledgers['books'].title} numbers and books", self.ledger(house, point, one)) for one in companies),
            *((f"From {_pair(one)}: issued in one, booked in the other", self.carried(house, one)) for one in two),
        ]
        try:
            async with at_once([story for _, story in chapters]) as told:
                for (heading, _), lines in zip(chapters, told, strict=True):
                    await self.tell(heading, lines)
            await self.tell(
                "An invoice leaves through Peppol, and its buyer rejects it", exchange.leaves(house, point, trader)
            )
            await self.tell("An invoice comes through Peppol", exchange.comes(stage, point, trader))
        except Failed as error:
            waits = [f"{one.tenant}: {one.said}" for one in await house.store.read(attention.find)]
            error.details = [error.details, *waits] if error.details else waits
            raise
        self.say("An invoice with a total that is one krone off is explained, and goes nowhere")
        await self.broken(companies[0])
        self.say("The worker is killed while the ledgers are answering it, and another takes over")
        documents = await self.killed(companies, worker)
        for company, document in zip(companies, documents, strict=True):
            await exchange.arrived(point, document, await company.sent(document["id"]))
        out.print(await exchange.all_arrived(point, 2 * len(companies) + 1), markup=False)
        self.say(f"The story of invoice {documents[0]['number']}, as `connector documents explain` tells it")
        await self.story(house, companies[0], documents[0])

    async def tell(self, heading: str, lines: AsyncIterator[str]) -> None:
        """A chapter whose lines come as it happens."""
        self.say(heading)
        async for told in lines:
            out.print(told, markup=False)

    def pair(self, ledgers: list[Sandbox]) -> dict[str, str]:
        """Systems for a company with two ledgers, where there are any: one that books what was issued elsewhere
        (`books`), and another that issues (`shop`).
        """
        for books in ledgers:
            plugin = plugins.accounting()[books.system]
            settings, secrets = plugin.settings(**books.given.settings), plugin.secrets(**books.given.secrets)
            with_it = plugin.open(ConnectionConfig("demo", "demo", settings, secrets), Http(books.root))
            if (Kind.EXTERNAL_INVOICE, "create") in with_it.capabilities:
                for shop in ledgers:
                    if shop is not books:
                        return {"shop": shop.system, "books": books.system}
        return {}

    # --- chapters

    async def ledger(self, house: House, point: Sandbox, company: Company) -> AsyncIterator[str]:
        """A ledger issues an invoice, it is sent, it is paid there, and the payment comes back."""
        ledger, ehf = company.ledgers["books"], invoice(1)
        operation = await self.accepted(company, ehf)
        yield line("posted", f"an EHF over {kroner(payable(ehf))} without a number: accepted, it is on disk")
        if await self.accepted(company, ehf) != operation:
            raise Failed("The same invoice, posted again, is another operation.")
        yield line("posted again", "the same operation: it is one invoice, however often it is sent")
        document = await company.finished(operation)
        yield line("issued", f"by {ledger.title}: {_numbered(document)}")
        way = await company.sent(document["id"])
        await exchange.arrived(point, document, way)
        yield line("sent", f"as EHF through {point.title} to {way['receiver']}: it has arrived, once")
        said = {"number": document["number"], "amount": str(PART), "day": PAID_ON}
        await ledger.desk("payment", said)
        yield line("paid", f"a bookkeeper registers {kroner(PART)} in {ledger.title}; nobody tells us")
        await sync(house, company.tenant)

        async def came_back() -> bool:
            now = await company.get(f"/v1/documents/{document['id']}")
            return Decimal(now["open"]) == Decimal(document["payable"]) - PART

        await until(came_back, f"the payment out of {ledger.title}", again=lambda: sync(house, company.tenant))
        events = [event["kind"] for event in (await company.get("/v1/changes"))["events"]]
        if events.count("payment.received") != 1:
            raise Failed(f"The feed tells of {events.count('payment.received')} payments.")
        open_now = Decimal(document["payable"]) - PART
        yield line("read back", f"open {kroner(open_now)} of {kroner(document['payable'])}")
        yield line("the feed", ", ".join(events))
        yield line("the books", _stand(await ledger.desk("books")))

    async def carried(self, house: House, company: Company) -> AsyncIterator[str]:
        """What one ledger issues is booked in the other, and its payment comes back."""
        shop, books = company.ledgers["shop"], company.ledgers["books"]
        for written in f"routes:\n{CARRIED}".splitlines():
            yield f"      {written}"
        number, buyer, _ = BUYERS[1]
        said = {"buyer": buyer, "organisation_number": number, "net": str(NET), "day": DAY}
        issued = await shop.desk("invoice", said)
        gross = Decimal(str(issued["gross"]))
        yield line("issued", f"somebody invoices {kroner(gross)} in {shop.title}: number {issued['number']}")
        await sync(house, company.tenant)

        async def booked() -> bool:
            found = (await company.get("/v1/documents", kind="invoice"))["documents"]
            ids = [one["id"] for one in found]
            return any([len((await company.get(f"/v1/documents/{id}"))["links"]) == 2 for id in ids])

        await until(booked, f"the invoice of {shop.title} in {books.title}", again=lambda: sync(house, company.tenant))
        yield line("booked", f"in {books.title} under the same number: {_stand(await books.desk('books'))}")
        await books.desk("payment", {"number": issued["number"], "amount": str(gross), "day": PAID_ON})
        yield line("paid", f"a bookkeeper registers {kroner(gross)} in {books.title}")
        await sync(house, company.tenant)

        async def brought() -> bool:
            return int((await shop.desk("books"))["payments"]) == 1

        await until(
            brought, f"the payment out of {books.title} in {shop.title}", again=lambda: sync(house, company.tenant)
        )
        yield line("brought back", f"to {shop.title}: {_stand(await shop.desk('books'))}")
        await sync(house, company.tenant)
        await house.work_until_idle()
        for ledger in (shop, books):
            stands = await ledger.desk("books")
            once = stands["invoices"] == stands["payments"] == 1
            if not once or Decimal(str(stands["owed"])):
                raise Failed(f"{ledger.title} does not have everything once: {stands}")
        yield line("read again", "both once more: one invoice, one payment, nothing owed, in either")

    async def broken(self, company: Company) -> None:
        """An invoice with a wrong total, and the verdict."""
        wrong = one_krone_off(invoice(4))
        for told in validate(wrong).as_text("faktura.xml", "nb").splitlines():
            out.print(f"   {told}", markup=False)
        answer = await company.post(wrong)
        problem = answer.json()
        if answer.status_code != 422:
            raise Failed(f"An invoice with a wrong total was answered with {answer.status_code}.")
        self.line(str(answer.status_code), f"{problem['code']}: {problem['detail']}")

    async def killed(self, companies: list[Company], worker: asyncio.subprocess.Process) -> list[dict[str, Any]]:
        """Kill the worker when the ledgers have done what they were asked and have not answered; then start another."""
        ledgers = [company.ledgers["books"] for company in companies]
        before = [(await ledger.desk("books"))["invoices"] for ledger in ledgers]
        for ledger in ledgers:  # of two writes, the second is what cannot be taken back
            await ledger.fault(calls="^(POST|PUT) ", kind="slow", seconds=3, after=1)
        operations = [await self.accepted(company, invoice(5)) for company in companies]

        async def taken() -> bool:
            return not any([await ledger.faults() for ledger in ledgers])

        await until(taken, "the calls in which the worker is killed")
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        self.line("SIGKILL", "each ledger has done what it was asked, and nobody hears its answer")
        await self.stage.spawn("worker")
        self.line("a new worker", "looks for what became of the calls before it does anything")
        documents = []
        for company, operation, ledger, count in zip(companies, operations, ledgers, before, strict=True):
            document = await company.finished(operation)
            there = (await ledger.desk("books"))["invoices"] - count
            if there != 1:
                raise Failed(f"There are {there} invoices more in {ledger.title}, and one was posted.")
            self.line(ledger.title, f"{_numbered(document)}; one was posted, one is there")
            documents.append(document)
        return documents

    async def story(self, house: House, company: Company, document: Mapping[str, Any]) -> None:
        """The story of a document; its mapping in short."""
        with out.capture() as captured:
            tell_all(await explained(house, company.tenant, document["id"]))
        lines = captured.get().splitlines()
        mapped = next((at for at, told in enumerate(lines) if told.startswith("mapping to ")), len(lines)) + 1
        out.print("\n".join(f"   {told}" for told in lines[: mapped + SHOWN]), markup=False)
        if (left := len(lines) - mapped - SHOWN) > 0:
            out.print(f"     … and {left} lines of the mapping more", markup=False)

    # --- words

    @staticmethod
    async def accepted(company: Company, ehf: bytes) -> str:
        """Post an EHF; the operation's id."""
        answer = await company.post(ehf)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def say(self, words: str) -> None:
        """The headline of a chapter."""
        self.chapter += 1
        out.print(f"\n[bold]{self.chapter}. {words}[/]")

    def line(self, what: str, words: str) -> None:
        """A line of a chapter."""
        out.print(line(what, words), markup=False)


def _tenant(ledger: Sandbox) -> str:
    return f"demo-{ledger.system}"


def _pair(company: Company) -> str:
    return " to ".join(one.title for one in company.ledgers.values())


def _numbered(document: Mapping[str, Any]) -> str:
    (link,) = document["links"]
    voucher = f", voucher {link['voucher']}" if link.get("voucher") else ""
    return f"invoice {document['number']}, KID {document['kid']}{voucher}"


def _stand(books: Mapping[str, Any]) -> str:
    counts = [f"{books[name]} {name[:-1]}{'s' * (books[name] != 1)}" for name in ("invoices", "payments")]
    return f"{' and '.join(counts)}, customers owe {kroner(books['owed'])}, {kroner(books['bank'])} on the bank account"
