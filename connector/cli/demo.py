"""`connector demo`: the main job from end to end, for real, on loopback: nothing is left running, nothing is kept."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.rule import Rule

from connector import plugins
from connector.cli.common import out
from connector.ehf import read, validate, write
from connector.mapping import load_tenant
from connector.model import Account, Address, Delivery, Draft, Line, Party, PaymentMeans, compose

TENANT = "demo"
PATIENCE = 45.0
"""Seconds that a step of the demo may take before it is given up."""


def commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo() -> None:
    """Show the main job end to end on loopback: a ledger's sandbox, the service with its embedded store, real EHF.

    Invoices are posted, numbered once by the ledger, paid there, and the payment comes back; a worker is killed between
    a call and its answer, and nothing happens twice. Takes under a minute, leaves nothing running and nothing behind.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="connector-demo-") as folder, contextlib.ExitStack() as stack:
        _Demo(Path(folder), stack).run()
    out.print(Rule(f"done in {time.monotonic() - started:.0f} seconds; nothing is left running", align="left"))


class _Demo:
    """The pieces of one run: programs on loopback, and what the demo knows of them."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.step = 0
        self.cursor: str | None = None
        self.env = dict(os.environ)
        self.api = f"http://127.0.0.1:{_free_port()}"
        self.ledger = f"http://127.0.0.1:{_free_port()}"
        self.client = stack.enter_context(httpx.Client(timeout=20))

    # --- the show

    def run(self) -> None:
        """All steps."""
        self.say("A ledger's sandbox, an embedded store, the API and a worker are started on loopback")
        worker = self.start()
        self.say("Three EHF invoices are posted; the ledger on this route numbers them")
        operations = [self.post(_invoice(n)) for n in range(1, 4)]
        self.post(_invoice(1), again=True)
        self.say("A fourth one has a total that is one krone off: it is explained, not posted")
        self.broken(_invoice(4))
        self.say("Each is made in the ledger once; number and KID come back")
        documents = [self.finished(operation) for operation in operations]
        self.feed(lambda seen: seen.count("invoice.issued") >= len(documents))
        self.say("The first customer pays: the bookkeeper registers 5 000,00 in the ledger, and it comes back")
        first = documents[0]
        self.pay(first, Decimal("5000.00"))
        self.cli("sync")
        self.feed(lambda seen: "payment.received" in seen)
        after = self.get(f"/v1/documents/{first['id']}")
        out.print(f"   invoice {after['number']}: {after['payable']}, open {after['open']} {after['currency']}")
        self.say("The worker is killed between a call and its answer, and started again")
        fourth = self.kill_between_call_and_answer(worker)
        self.say("The books: every invoice once, although a worker died")
        self.books([*documents, fourth])
        self.say(f"The story of invoice {fourth['number']}, as `connector documents explain` tells it")
        out.print(self.cli("documents", "explain", fourth["id"]), markup=False)

    def start(self) -> subprocess.Popen[bytes]:
        """Start everything; returns the worker."""
        tenant = load_tenant(TENANT, plugins=plugins.accounting())
        source = Path(tenant.file).read_text()
        for connection in tenant.connections.values():
            address = str(connection.said.settings["base_url"])
            path = address.split("/", 3)[3]
            source = source.replace(address, f"{self.ledger}/{path}")
            self.spawn("sandbox", connection.system, "--port", self.ledger.rsplit(":", 1)[1])
        tenants = self.folder / "mappings" / "tenants"
        tenants.mkdir(parents=True)
        (tenants / f"{TENANT}.yaml").write_text(source)
        self.env |= {
            "CONNECTOR_MAPPINGS": str(self.folder / "mappings"),
            "CONNECTOR_DATABASE": f"sqlite:///{self.folder}/connector.db",
            "CONNECTOR_PORT": self.api.rsplit(":", 1)[1],
            "CONNECTOR_LOG_LEVEL": "error",
            "DEMO_TRIPLETEX_CONSUMER_TOKEN": "sandbox-consumer",
            "DEMO_TRIPLETEX_EMPLOYEE_TOKEN": "sandbox-employee",
        }
        for name in tenant.connections:
            self.cli("connections", "activate", name)
        secret = self.cli("keys", "create", "demo", "--scope", "read", "--scope", "write").split()[0]
        self.client.headers["Authorization"] = f"Bearer {secret}"
        self.spawn("serve", "--no-worker")
        worker = self.spawn("worker")
        self.until(lambda: self.client.get(f"{self.api}/health/ready").status_code == 200, "the API")
        self.until(lambda: self.client.get(f"{self.ledger}/fault").status_code == 200, "the sandbox")
        return worker

    def post(self, ehf: bytes, *, again: bool = False) -> str:
        """Post an EHF draft; the operation's id."""
        answer = self.client.post(
            f"{self.api}/v1/invoices?draft=true",
            content=ehf,
            headers={"Content-Type": "application/xml", "Idempotency-Key": uuid.uuid4().hex},
        )
        answer.raise_for_status()
        operation = answer.json()
        note = "the same again: the same operation" if again else f"operation {operation['id'][-8:]}"
        out.print(f"   202 {operation['state']}  ({note})")
        return str(operation["id"])

    def broken(self, ehf: bytes) -> None:
        """Judge an invoice with a wrong total, and show the verdict."""
        total = str(_payable(ehf))
        wrong = ehf.replace(f">{total}<".encode(), f">{Decimal(total) + 1}<".encode())
        out.print(_indented(validate(wrong).as_text("faktura.xml", "nb")), markup=False)
        answer = self.client.post(
            f"{self.api}/v1/invoices?draft=true",
            content=wrong,
            headers={"Content-Type": "application/xml", "Idempotency-Key": uuid.uuid4().hex},
        )
        problem = answer.json()
        out.print(f"   {answer.status_code} {problem['code']}: {problem['detail']}", markup=False)

    def finished(self, operation: str) -> dict[str, Any]:
        """The document of an operation, once that has ended with proof."""

        def ended() -> bool:
            now = self.get(f"/v1/operations/{operation}")
            if now["state"] in ("waiting", "rejected"):
                raise RuntimeError(f"operation {operation} is {now['state']}: {now.get('result')}")
            return bool(now["state"] == "done")

        self.until(ended, f"operation {operation}")
        document: dict[str, Any] = self.get("/v1/documents/" + self.get(f"/v1/operations/{operation}")["document"])
        return document

    def feed(self, enough: Callable[[list[str]], bool]) -> None:
        """Follow the feed until enough has happened."""
        seen: list[str] = []
        end = time.monotonic() + PATIENCE
        while not enough(seen):
            if time.monotonic() > end:
                raise RuntimeError(f"the feed showed only {seen}")
            answer = self.get("/v1/changes", wait=2, **({"after": self.cursor} if self.cursor else {}))
            self.cursor = answer["cursor"]
            for event in answer["events"]:
                seen.append(event["kind"])
                told = event.get("data") or {}
                facts = ("number", "kid", "payable", "amount", "open", "currency", "voucher", "code")
                words = ", ".join(f"{name} {told[name]}" for name in facts if told.get(name))
                out.print(f"   {event['seq']:>3}  {event['kind']:<18} {words}", markup=False)

    def pay(self, document: dict[str, Any], amount: Decimal) -> None:
        """Register a payment in the ledger's books, behind our back."""
        body = {"invoiceNumber": int(document["number"]), "amount": str(amount), "date": "2027-02-01"}
        self.client.post(f"{self.ledger}/_sandbox/payment", json=body).raise_for_status()

    def kill_between_call_and_answer(self, worker: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Kill the worker when the ledger has done what it was asked and has not answered; then start another."""
        fault = {"calls": "^(POST|PUT) .*:", "kind": "slow", "seconds": 20, "count": 1}
        self.client.post(f"{self.ledger}/fault", json=fault).raise_for_status()
        operation = self.post(_invoice(5))
        # A fault that is used up is no longer listed: the call has been taken.
        self.until(lambda: self.client.get(f"{self.ledger}/fault").json() == [], "the call")
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        out.print("   SIGKILL while the ledger was answering: the outcome is unknown")
        self.spawn("worker")
        out.print("   a new worker looks for what became of the call before it does anything")
        return self.finished(operation)

    def books(self, documents: list[dict[str, Any]]) -> None:
        """What the ledger holds."""
        for document in documents:
            link = document["links"][0]
            out.print(f"   invoice {document['number']}  voucher {link.get('voucher', '-')}  KID {document['kid']}")

    # --- plumbing

    def say(self, words: str) -> None:
        """The headline of a step."""
        self.step += 1
        out.print(f"\n[bold]{self.step}. {words}[/]")

    def get(self, path: str, **params: Any) -> Any:
        """Read something from the API."""
        answer = self.client.get(self.api + path, params=params)
        answer.raise_for_status()
        return answer.json()

    def cli(self, *words: str) -> str:
        """Run a command of our own and return what it says."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "connector", *words], env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"connector {' '.join(words)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done.stdout

    def spawn(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program of our own that ends with the demo."""
        program = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "connector", *words], env=self.env, stdout=subprocess.DEVNULL
        )
        self.stack.enter_context(_ended(program))
        return program

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(httpx.TransportError):
                if holds():
                    return
            if time.monotonic() > end:
                waits = self.cli("attention", "list")
                raise RuntimeError(f"{what} did not come about in {PATIENCE:.0f} seconds\n{waits}")
            time.sleep(0.1)


@contextlib.contextmanager
def _ended(program: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if program.poll() is None:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())


def _payable(ehf: bytes) -> Decimal:
    totals = read(ehf).totals
    assert totals is not None
    return totals.payable


_BUYERS = (("974760673", "Eksempel AS", "Bergen"), ("991825827", "Havn Drift AS", "Stavanger"))


def _invoice(n: int) -> bytes:
    """A real EHF invoice of the demo company, as its invoicing system would send it."""
    number, name, city = _BUYERS[n % 2]
    home = Address(street="Storgata 1", postal_code="0155", city="Oslo", country="NO")
    invoice = compose(
        Draft(
            currency="NOK",
            number=f"UTKAST-{n}",
            issue_date="2027-01-15",
            due_date="2027-01-29",
            buyer_reference="Kari Nordmann",
            seller=Party.norwegian("923609016", "Demo AS", in_business_register=True, address=home),
            buyer=Party.norwegian(number, name, address=Address(street="Bryggen 5", city=city, country="NO")),
            delivery=Delivery(day="2027-01-14", address=Address(city="Oslo", country="NO")),
            payment_means=(PaymentMeans(code="30", account=Account(id="15032080119")),),
            lines=(
                Line(id="1", name="Rådgivning", quantity=Decimal(7 + n), unit_code="HUR", price=Decimal("1020.00"),
                     vat_category="S", vat_rate=Decimal(25)),
                Line(id="2", name="Lunsj", quantity=Decimal(20), unit_code="C62", price=Decimal("100.00"),
                     vat_category="S", vat_rate=Decimal(15)),
            ),
        )
    )  # fmt: skip
    return write(invoice)
