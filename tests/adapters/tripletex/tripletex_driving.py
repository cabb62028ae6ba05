"""Drives the adapter as lanes do: after every lost answer it looks before anything is called again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from adapters.accounting.tripletex import Secrets, Settings, plugin
from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from adapters.accounting.tripletex.sandbox.uploads import pdf
from connector.errors import Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Http
from connector.model.json import dumps, loads
from connector.ports import Accounting, ConnectionConfig, Goal, Kind, Paper, Proof, Run, Totals

T = TypeVar("T")


def opened(box: Sandbox, *, timeout: float = 5.0, **settings: Any) -> Accounting:
    config = ConnectionConfig(
        "c1", "t1",
        Settings(base_url=box.url, **{"payment_type": "1920", **settings}),
        Secrets(consumer_token=CONSUMER_TOKEN, employee_token=EMPLOYEE_TOKEN),
    )  # fmt: skip
    return plugin.open(config, Http(box.url, timeout=timeout))


class SeveralFound(Exception):
    pass


async def later(call: Callable[[], Awaitable[T]]) -> T:
    """A read, again until it comes through."""
    for _ in range(9):
        try:
            return await call()
        except TryLater:
            pass
        except VendorError as exc:
            if exc.code != "vendor-answer":
                raise
    return await call()


async def reach(system: Accounting, goal: Goal, looks: int = 2) -> dict[str, Proof]:
    """Run a flow to its end; the proofs by step name, each as it comes back from the store."""
    proofs: dict[str, Proof] = {}
    for step in system.flow(goal):
        while step.name not in proofs:
            run = Run(goal, proofs)
            if step.witness is not None:
                witness = step.witness
                run = Run(goal, proofs, loads(dumps(await later(lambda run=run, witness=witness: witness(run)))))
            try:
                proof = await step.call(run)
            except UnknownOutcome:
                if step.look is None:
                    continue
                for _ in range(looks):
                    look = step.look
                    found = await later(lambda run=run, look=look: look(run))
                    if len(found) > 1:
                        raise SeveralFound(step.name) from None
                    if found:
                        proofs[step.name] = _stored(found[0])
                        break
            except TryLater:
                pass
            except Refused:
                raise
            except VendorError as exc:
                if exc.code != "vendor-answer":
                    raise
            else:
                proofs[step.name] = _stored(proof)
    return proofs


def _stored(proof: Proof) -> Proof:
    return Proof(proof.id, loads(dumps(proof.facts)), proof.record)


def customer_goal(marker: str = "m-customer-1", **more: Any) -> Goal:
    address = {"addressLine1": "Gata 1", "postalCode": "0150", "city": "Oslo", "country": {"isoAlpha2Code": "NO"}}
    record = {"name": "Kjøper AS", "organizationNumber": "974760673", "invoiceSendMethod": "MANUAL",
              "postalAddress": address, **more}  # fmt: skip
    return Goal(Kind.CUSTOMER, "create", marker, {name: value for name, value in record.items() if value is not None})


def line(description: str, quantity: int, price: str, vat: str) -> dict[str, Any]:
    return {"description": description, "count": quantity, "unitPriceExcludingVatCurrency": Decimal(price),
            "vatType": {"number": vat}}  # fmt: skip


def with_order(goal: Goal, **order: Any) -> Goal:
    """The goal with other fields in its order."""
    return replace(goal, record={**goal.record, "order": {**goal.record["order"], **order}})


def invoice_goal(customer: str, marker: str = "m-invoice-1", **totals: str) -> Goal:
    """Scenario A.1: 8 hours × 1 020,00 at 25 % and 20 lunches × 100,00 at 15 %."""
    lines = [line("Timer", 8, "1020.00", "3"), line("Lunsj", 20, "100.00", "31")]
    sums = {"net": "10160.00", "vat": "2340.00", "gross": "12500.00", **totals}
    return Goal(
        Kind.INVOICE, "create", marker,
        {
            "order": {"customer": {"id": customer}, "deliveryDate": "2027-01-14", "currency": {"code": "NOK"},
                      "reference": "PO 7", "orderLines": lines},
            "invoice": {"invoiceDate": "2027-01-15", "invoiceDueDate": "2027-01-29"},
        },
        totals=Totals("NOK", **{name: Decimal(value) for name, value in sums.items()}),
    )  # fmt: skip


def credit_goal(invoice: str, customer: str, marker: str = "m-credit-1", *, whole: bool = False) -> Goal:
    """Scenario A.3: 2 hours and 5 lunches of the invoice of A.1, or all of it."""
    hours, lunches = (8, 20) if whole else (2, 5)
    sums = ("10160.00", "2340.00", "12500.00") if whole else ("2540.00", "585.00", "3125.00")
    order = {
        "customer": {"id": customer}, "currency": {"code": "NOK"}, "invoiceComment": "For mye",
        "orderLines": [line("Timer", hours, "1020.00", "3"), line("Lunsj", lunches, "100.00", "31")],
    }  # fmt: skip
    record = {"credits": {"id": invoice}, "order": order, "invoice": {"invoiceDate": "2027-03-10"}}
    return Goal(Kind.CREDIT_NOTE, "create", marker, record, totals=Totals("NOK", *map(Decimal, sums)))


async def _page() -> Paper:
    return Paper("Faktura-A-17.pdf", pdf([["A-17"]]))


def external_goal(customer: str, marker: str = "c-" + "1" * 24, **more: Any) -> Goal:
    """Scenario A.1, issued elsewhere as A-17."""
    lines = [
        {"amount": Decimal("8160.00"), "vatType": {"number": "3"}, "account": {"number": 3000}},
        {"amount": Decimal("2000.00"), "vatType": {"number": "31"}, "account": {"number": 3001}},
    ]
    record = {
        "customer": {"id": customer}, "invoiceNumber": "A-17", "invoiceDate": "2027-01-15",
        "invoiceDueDate": "2027-01-29", "kid": "0000100172", "lines": lines,
        "vat": [{"percentage": 25, "amount": Decimal(2040)}, {"percentage": 15, "amount": Decimal(300)}], **more,
    }  # fmt: skip
    totals = Totals("NOK", Decimal(10160), Decimal(2340), Decimal(12500))
    return Goal(Kind.EXTERNAL_INVOICE, "create", marker, record, totals=totals, paper=_page)


def external_credit_goal(customer: str, credited: str, marker: str = "c-" + "2" * 24) -> Goal:
    """Scenario A.3, of that invoice, issued elsewhere as K-1."""
    lines = [
        {"amount": Decimal("2040.00"), "vatType": {"number": "3"}, "account": {"number": 3000}},
        {"amount": Decimal("500.00"), "vatType": {"number": "31"}, "account": {"number": 3001}},
    ]
    record = {
        "customer": {"id": customer}, "credits": {"id": credited}, "invoiceNumber": "K-1", "invoiceDate": "2027-03-10",
        "lines": lines,
        "vat": [{"percentage": 25, "amount": Decimal(510)}, {"percentage": 15, "amount": Decimal(75)}],
    }  # fmt: skip
    totals = Totals("NOK", Decimal(2540), Decimal(585), Decimal(3125))
    return Goal(Kind.EXTERNAL_CREDIT_NOTE, "create", marker, record, totals=totals, paper=_page)


def money_goal(marker: str, amount: str, **record: Any) -> Goal:
    """Money on the customer's account, matched with the row in `settles`."""
    said = {"paymentDate": "2027-03-12", "amount": Decimal(amount), **record}
    return Goal(Kind.PAYMENT, "create", marker, said)


def payment_goal(invoice: str, amount: str = "5000.00", marker: str = "m-payment-1", **more: Any) -> Goal:
    record = {"invoice": {"id": invoice}, "paymentDate": "2027-02-01", "amount": Decimal(amount), **more}
    return Goal(Kind.PAYMENT, "create", marker, record)
