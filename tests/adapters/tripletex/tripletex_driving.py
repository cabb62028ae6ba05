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
from connector.ports import Accounting, ConnectionConfig, File, Goal, Kind, Proof, Run, Totals

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


async def _page() -> File:
    return File("Faktura-A-17.pdf", "application/pdf", pdf([["A-17"]]), "page")


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


# --- whatever happens to any call -------------------------------------------------------------------------------------

FAULTS = ("no-answer", "no-answer-before", "500-after", "500-before", "429", "429-no-reset", "garbled", "expire")


async def struck(prepare: Any, goal_of: Any, check: Any, *, rules: Any = None, **settings: Any) -> int:
    """Run a flow once for every fault at every one of its calls, the session's own included."""
    struck = 0
    for kind in FAULTS:
        at = 0
        while True:
            async with Sandbox(**(rules or {})) as box:
                setup = opened(box, **settings)
                given = await prepare(setup)
                await setup.close()
                before = len(box.requests)
                system = opened(box, **settings)
                if kind == "expire":
                    _expire_at(box, at)
                else:
                    box.fault("", kind, after=at, seconds=0)
                proofs = await reach(system, goal_of(given))
                calls = len(box.requests) - before
                await check(box, given, proofs, f"{kind} at call {at}")
                hit = not box.faults.active if kind != "expire" else at < calls
                box.faults.active.clear()
                await system.close()
            if not hit:
                break
            struck += 1
            at += 1
            assert at < 40, "no flow has so many calls"
    return struck


def _expire_at(box: Sandbox, at: int) -> None:
    """End all sessions just before the call with this number."""
    left, handle = [at], box.handle

    def expiring(request: Any) -> Any:
        if left[0] == 0 and not request.path.startswith("/v2/token"):
            box.fault("", "expire")
            left[0] = -1
        elif left[0] > 0:
            left[0] -= 1
        return handle(request)

    box.handle = expiring  # type: ignore[method-assign]


# --- purchases --------------------------------------------------------------------------------------------------------

PAGE = b"%PDF-1.4\n1 0 obj << /Type /Page >> endobj\n%%EOF\n"
SHEET = b"%PDF-1.4\n1 0 obj << /Type /Page >> endobj\n% timesheet\n%%EOF\n"


def supplier_goal(marker: str = "m-supplier-1", **more: Any) -> Goal:
    address = {"addressLine1": "Gata 1", "postalCode": "0150", "city": "Oslo", "country": {"isoAlpha2Code": "NO"}}
    record = {"name": "Selger AS", "organizationNumber": "974760673", "postalAddress": address, **more}
    return Goal(Kind.SUPPLIER, "create", marker, {name: value for name, value in record.items() if value is not None})


def ehf_said(
    number: str = "F-7", amount: str = "12499.99", organisation: str = "974760673", root: str = "Invoice"
) -> bytes:
    """As much of an EHF as tells one invoice from another."""
    ubl = "urn:oasis:names:specification:ubl:schema:xsd"
    return f"""<{root} xmlns="{ubl}:{root}-2" xmlns:cbc="{ubl}:CommonBasicComponents-2"
 xmlns:cac="{ubl}:CommonAggregateComponents-2"><cbc:ID>{number}</cbc:ID><cbc:IssueDate>2027-01-10</cbc:IssueDate>
 <cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Selger AS</cbc:RegistrationName>
 <cbc:CompanyID>{organisation}</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
 <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="NOK">{amount}</cbc:PayableAmount></cac:LegalMonetaryTotal>
</{root}>""".encode()


def incoming_goal(supplier: str, marker: str = "m-incoming-1", *, sheets: int = 1, **more: Any) -> Goal:
    """Scenario C.1: base 10 000,00, stated VAT 2 499,99, total 12 499,99; with a timesheet."""
    taxed = {"amountExcludingVatCurrency": Decimal("10000.00"), "vatAmountCurrency": Decimal("2499.99"),
             "vatRate": Decimal(25), "vatType": {"number": "1"}}  # fmt: skip
    record = {
        "supplier": {"id": supplier, "name": "Selger AS", "organizationNumber": "974760673"},
        "invoiceNumber": "F-7", "invoiceDate": "2027-01-10", "invoiceDueDate": "2027-02-10",
        "currency": {"code": "NOK"}, "amountCurrency": Decimal("12499.99"), "isCreditNote": False,
        "lines": [taxed], **more,
    }  # fmt: skip
    files = (
        File("F-7.pdf", "application/pdf", PAGE, "page"),
        File("F-7.xml", "application/xml", ehf_said(), "original"),
        *(File(f"timeliste-{number}.pdf", "application/pdf", SHEET) for number in range(sheets)),
    )
    totals = Totals("NOK", Decimal("10000.00"), Decimal("2499.99"), Decimal("12499.99"))
    return Goal(Kind.SUPPLIER_INVOICE, "create", marker, record, totals=totals, files=files)
