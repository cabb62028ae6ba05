"""Everything the adapter sends is in the vendor's own description: paths, parameters, body fields and their types."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.accounting.tripletex import Secrets, Settings, closing, customer_rows, external, plugin, settled
from adapters.accounting.tripletex.options import ROWS, fields_of, values_of
from adapters.accounting.tripletex.purchases import SUPPLIER_FIELDS, SUPPLIER_INVOICE_FIELDS, VOUCHER_FIELDS
from adapters.accounting.tripletex.records import (
    CLOSING_FIELDS,
    CUSTOMER_FIELDS,
    INVOICE_FIELDS,
    POSTING_FIELDS,
    VERSION_FIELDS,
)
from adapters.accounting.tripletex.registers import REGISTERS
from adapters.accounting.tripletex.sandbox import ACCOUNTANT_TOKEN, CONSUMER_TOKEN, Sandbox
from adapters.accounting.tripletex.sandbox.things import parse_fields
from adapters.accounting.tripletex.settlements import ROW_FIELDS, ROWS_OF_INVOICE
from connector.errors import Stop
from connector.http import Http
from connector.ports import ConnectionConfig, File, Goal, Issued, Kind

sys.path.append(str(Path(__file__).parent))
from test_register_flows import GOALS
from tripletex_driving import (
    PAGE,
    credit_goal,
    customer_goal,
    external_credit_goal,
    external_goal,
    incoming_goal,
    invoice_goal,
    line,
    money_goal,
    opened,
    payment_goal,
    reach,
    supplier_goal,
    with_order,
)


async def registers_driven(system: Any, box: Sandbox, name: str) -> None:
    """Every flow of every register, and a search by name and e-mail address."""
    if not box.books.things.get("accountingDimensionName"):
        box.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=1, active=True)
    for kind, record in GOALS.items():
        register = REGISTERS[kind]
        box.fault(f"POST {register.path}", "no-answer")
        made = await reach(system, Goal(kind, "create", f"m-{kind}-{name}", {**record, register.number: f"n{name}"}))
        await reach(system, Goal(kind, "create", f"m-{kind}-n", {**record, register.number: None, register.name: name}))
        with contextlib.suppress(Stop):
            missing = {**record, register.number: "none"}
            await reach(system, Goal(kind, "create", "m", missing, may_create=False))
        id = made["read"].id
        await reach(system, Goal(kind, "update", "m-2", {register.name: f"Ny {name}"}, target=id))
    await reach(system, customer_goal(f"m-mail-{name}", organizationNumber=None, name="Ola", email=f"ola@{name}.no"))


async def test_every_request_of_every_flow_and_read(contract: Any) -> None:
    async with Sandbox() as box:
        for legacy in (False, True):
            system = opened(box, legacy_session=legacy)
            await system.probe()
            await system.options()
            await system.receivables()
            kinds = [one.kind for one in system.readings]
            cursors = {kind: await system.begin(kind, date(2027, 1, 1)) for kind in kinds}
            id = (await reach(system, customer_goal()))["read"].id
            name = f"Kari Nordmann {legacy}"
            box.fault("POST /customer", "no-answer")
            await reach(system, customer_goal(f"m-kari-{legacy}", organizationNumber=None, name=name))
            await registers_driven(system, box, str(legacy))
            change = {"name": "Kjøper AS", "email": "post@kjoper.no", "invoicesDueIn": 14, "isInactive": False}
            await reach(system, Goal(Kind.CUSTOMER, "update", "m", change, target=id))
            box.fault("POST /order", "no-answer")
            box.fault("PUT /order/.*/:invoice", "no-answer")
            goal = invoice_goal(id, f"m-{legacy}")
            goal = with_order(
                goal, receiverEmail="a@b.no", invoiceComment="Takk", isPrioritizeAmountsIncludingVat=False
            )
            made = (await reach(system, goal))["read"].id
            euro = invoice_goal(id, f"m-eur-{legacy}", net="10.00", vat="0.00", gross="10.00")
            euro = with_order(euro, currency={"code": "EUR"}, orderLines=[line("Eksport", 1, "10.00", "52")])
            foreign = (await reach(system, euro))["read"].id
            await reach(system, payment_goal(made))
            box.fault("PUT /order/.*/:invoice", "no-answer")
            await reach(system, credit_goal(made, id, f"m-part-{legacy}"))
            again = (await reach(system, invoice_goal(id, f"m-whole-{legacy}")))["read"].id
            box.fault("PUT /invoice/.*/:createCreditNote", "no-answer")
            await reach(system, credit_goal(again, id, f"m-c-{legacy}", whole=True))
            box.fault("POST /ledger/voucher", "no-answer", count=2)
            outside = (await reach(system, external_goal(id, f"c-{legacy:024d}", invoiceNumber=f"{legacy:d}7")))[
                "read"
            ].id
            await reach(system, external_credit_goal(id, outside, f"c-{legacy + 2:024d}"))
            await reach(system, money_goal(f"m-last-{legacy}", "9375.00", settles={"id": outside}))
            over = (await reach(system, money_goal(f"m-over-{legacy}", "100.00", customer={"id": id})))["read"].id
            back = {"isRefund": True, "settles": {"id": over}, "customer": {"id": id}}
            await reach(system, money_goal(f"m-back-{legacy}", "100.00", **back))
            more = (await reach(system, external_goal(id, f"c-{legacy + 4:024d}", invoiceNumber=f"B-{legacy}")))[
                "read"
            ].id
            box.payment_on(int(more), Decimal("500.00"), date(2027, 2, 1))
            own = opened(box, external_invoices="invoice", nothing_invoiced_here=True)
            box.fault("POST /invoice", "no-answer")
            issued = Issued(f"{90_000 + legacy}", None)
            await reach(own, replace(invoice_goal(id, f"m-own-{legacy}"), operation="register", issued=issued))
            kept = [{"account": "7770", "amount": Decimal("1.00")}]
            box.fault("POST /ledger/voucher", "no-answer")
            euro_paid = {"amountCurrency": Decimal("9.00"), "currency": {"code": "EUR"}, "deductions": kept}
            await reach(system, payment_goal(foreign, "92.00", f"m-fee-{legacy}", **euro_paid))
            on_account = {**payment_goal("1", "92.00", **euro_paid).record, "customer": {"id": id}, "invoice": None}
            on_account["inClosedPeriod"] = "first-open-day"
            box.fault("POST /ledger/voucher", "no-answer")
            credit = await reach(system, Goal(Kind.PAYMENT, "create", f"m-credit-{legacy}", on_account))
            third = (await reach(system, invoice_goal(id, f"m-third-{legacy}")))["read"].id
            settled = {"invoice": {"id": third}, "date": "2027-02-01", "amount": Decimal("12500.00")}
            matching = Goal(Kind.SETTLEMENT, "create", "m", {**settled, "credit": {"id": credit["read"].id}})
            assert (await reach(system, matching))["read"].facts["matched"] is False
            box.fault("POST /ledger/voucher", "no-answer")
            box.fault("PUT /ledger/posting/:closePostings", "no-answer")
            advance = Goal(Kind.SETTLEMENT, "create", f"m-a-{legacy}", {**settled, "account": {"number": "2900"}})
            assert (await reach(system, advance))["read"].facts["matched"] is True
            page = (File("Merknad.pdf", "application/pdf", PAGE, "page"),)
            for kind, at in ((Kind.INVOICE, made), (Kind.EXTERNAL_INVOICE, outside)):
                box.fault("POST .*/attachment", "no-answer")
                await reach(system, Goal(kind, "note", f"m-n-{kind}", {}, target=at, files=page))
            for kind in kinds:
                for _ in range(3):
                    page = await system.changes(kind, cursors[kind])
                    cursors[kind] = page.cursor
                await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)
                for record in page.records:
                    await system.read(kind, record.id)
            await system.close()
        assert {request.method for request in box.requests} == {"POST", "PUT", "GET", "DELETE"}
        assert len(box.requests) > 80
        contract.check_requests(list(box.requests))


async def test_every_request_of_purchases(contract: Any) -> None:
    async with Sandbox(incoming_pilot=True, ehf_import=True) as box:
        for way in ("pdf", "ehf", "inbox", "nonPosted", "ledger"):
            system = opened(box, incoming=way, incoming_account=4300)
            await system.probe()
            id = (await reach(system, supplier_goal()))["read"].id
            await reach(system, supplier_goal(f"m-{way}-f", organizationNumber=None, name=f"Säljare {way}"))
            await reach(system, Goal(Kind.SUPPLIER, "update", "m", {"name": "Selger AS", "email": "a@b.no"}, target=id))
            for call in ("voucher/importDocument", "/incomingInvoice", "/attachment", "/supplier"):
                box.fault(f"POST .*{call}", "no-answer")
            goal = incoming_goal(id, f"m-{way}", invoiceNumber=f"F-{way}", kidOrReceiverReference="0000100172")
            made = (await reach(system, goal))["read"].id
            box.faults.active.clear()
            assert await system.document(Kind.SUPPLIER_INVOICE, made) is not None
            for kind in (Kind.SUPPLIER, Kind.SUPPLIER_INVOICE):
                page = await system.changes(kind, await system.begin(kind, date(2027, 1, 1)))
                await system.changes(kind, page.cursor)
                await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)
                for record in page.records:
                    await system.read(kind, record.id)
            await system.close()
        system = opened(box)
        customer = (await reach(system, customer_goal()))["read"].id
        goal = replace(invoice_goal(customer), files=(File("a.pdf", "application/pdf", PAGE),))
        box.fault("PUT /order/.*/:attach", "no-answer")
        made = (await reach(system, goal))["read"].id
        assert await system.document(Kind.INVOICE, made) is not None
        await system.close()
        contract.check_requests(list(box.requests))


async def test_every_request_about_webhooks_and_client_companies(contract: Any) -> None:
    async with Sandbox(clients=["Fjord AS"]) as box:
        company = box.client("Fjord AS").company["id"]
        secrets = Secrets(
            consumer_token=CONSUMER_TOKEN, employee_token=ACCOUNTANT_TOKEN, webhook_secret="a secret of ours"
        )
        config = ConnectionConfig("c", "t", Settings(base_url=box.url, company=company), secrets)
        system = plugin.open(config, Http(box.url))
        await system.probe()
        assert system.hooks is not None
        first = await system.hooks.keep("https://a.example/v1/hooks/1", None)
        for one in box.client("Fjord AS").things["subscription"].values():
            one["status"] = "DISABLED_TOO_MANY_ERRORS"
        moved = await system.hooks.keep("https://a.example/v1/hooks/1", first.state)
        assert set(moved.events.values()) == {"DISABLED_TOO_MANY_ERRORS"}
        await system.hooks.keep(None, moved.state)
        assert not box.client("Fjord AS").things["subscription"]
        await system.close()
        assert {request.method for request in box.requests} == {"POST", "PUT", "GET", "DELETE"}
        contract.check_requests(list(box.requests))


def test_every_field_that_is_asked_for_exists(contract: Any) -> None:
    def check(schema: dict[str, Any], tree: dict[str, Any], where: str) -> None:
        schema = resolved(schema)
        for name, inner in tree.items():
            assert name in schema["properties"], f"{where} has no field {name}"
            found = resolved(schema["properties"][name])
            check(resolved(found.get("items", found)), inner, f"{where}.{name}")

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = contract._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    asked = {
        "Customer": [CUSTOMER_FIELDS],
        "Product": [REGISTERS[Kind.PRODUCT].fields],
        "Department": [REGISTERS[Kind.DEPARTMENT].fields],
        "Project": [REGISTERS[Kind.PROJECT].fields],
        "AccountingDimensionValue": [REGISTERS[Kind.DIMENSION].fields],
        "AccountingDimensionName": ["id,dimensionName,dimensionIndex"],
        "Invoice": [INVOICE_FIELDS, VERSION_FIELDS, CLOSING_FIELDS, ROWS_OF_INVOICE],
        "Posting": [POSTING_FIELDS, customer_rows.FIELDS, closing.ROW, settled.ROW, ROW_FIELDS],
        "Supplier": [SUPPLIER_FIELDS],
        "SupplierInvoice": [SUPPLIER_INVOICE_FIELDS],
        "Voucher": [external.VOUCHER_FIELDS, VOUCHER_FIELDS],
    }
    choices = {
        "/ledger/account": "Account",
        "/ledger/vatType": "VatType",
        "/invoice/paymentType": "PaymentType",
        "/currency": "Currency",
        "/ledger/accountingDimensionName/search": "AccountingDimensionName",
        "/ledger/vatSettings": "VatSettings",
    }
    assert choices.keys() == ROWS.keys()
    for path, name in choices.items():
        asked[name] = [*asked.get(name, ()), fields_of(ROWS[path])]
    for kind, name in ((Kind.DEPARTMENT, "Department"), (Kind.PROJECT, "Project")):
        asked[name].append(values_of(REGISTERS[kind]))
    asked["AccountingDimensionValue"].append(values_of(REGISTERS[Kind.DIMENSION]))
    for name, patterns in asked.items():
        for fields in patterns:
            check({"$ref": f"#/components/schemas/{name}"}, parse_fields(fields), name)
