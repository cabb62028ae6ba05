"""What the sandbox takes and answers is what the vendor's OpenAPI document describes."""

from __future__ import annotations

import pytest

from adapters.accounting.tripletex.sandbox.rest import route as routes

WINDOW = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}


def test_every_call_and_parameter_of_the_sandbox_exists(contract):
    for route in routes:
        path = route.path.pattern.replace(r"(\d+)", "1").replace(r"([\w.]+)", "1").replace("\\", "")
        declared = {at["name"] for at in contract.operation(route.method, path).get("parameters", ())}
        assert route.query <= declared, (path, route.query - declared)


async def test_every_answer_is_as_described(checked):
    """A session along the old road: each request and answer is checked on its way."""
    call = checked
    await call("GET", "/token/session/>whoAmI", fields="*,company(*)")
    await call("GET", "/company/>withLoginAccess")
    address = {"addressLine1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": {"id": 161}}
    customer = await call.customer(email="a@b.no", postalAddress=address, invoiceSendMethod="EHF")
    await call("PUT", f"/customer/{customer['id']}", {"version": 1, "invoiceEmail": "faktura@b.no"})
    await call("GET", "/customer", fields="*,changes,postalAddress(*,country(*))", changedSince="2026-01-01T00:00:00")
    invoice = await call.invoice(customer=customer["id"], number="a-1", reference="PO 7", invoiceComment="Takk")
    await call("GET", "/order", orderDateFrom="2027-01-01", orderDateTo="2027-02-01", number="a-1", isClosed=True)
    everything = "*,orders(*,orderLines(*,vatType(*))),postings(*,voucher(*),closeGroup(*)),voucher(*),currency(*)"
    await call("GET", f"/invoice/{invoice['id']}", fields=everything)
    how = await call.payment_type()
    paid = {"paymentDate": "2027-02-01", "paymentTypeId": how}
    await call("PUT", f"/invoice/{invoice['id']}/:payment", **paid, paidAmount=12500)
    await call("PUT", f"/invoice/{invoice['id']}/:createCreditNote", date="2027-03-01", sendToCustomer=False)
    await call("GET", "/invoice", **WINDOW, fields=everything, sorting="id")
    dated = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01"}
    for path in ("/ledger/posting", "/ledger/voucher", "/ledger/closeGroup"):
        for one in await call("GET", path, **dated, fields="*" if path.endswith("posting") else "*,postings(*)"):
            assert one["id"]
    await call("GET", "/balanceSheet", **dated, accountNumberFrom=1500, accountNumberTo=1501)
    for path in ("/currency", "/country", "/ledger/account", "/ledger/vatType", "/invoice/paymentType"):
        await call("GET", path)
    await call("GET", "/ledger/vatType", typeOfVat="OUTGOING", vatDate="2027-01-01", fields="id,number,percentage")
    await call.refused("GET", f"/invoice/{invoice['id']}", fields="nonsense")
    await call.refused("POST", "/order", {})
    await call.refused("PUT", f"/customer/{customer['id']}", {"version": 1, "name": "x"})


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/nowhere", {}, None),
        ("GET", "/customer", {"nonsense": "1"}, None),
        ("GET", "/invoice", {"invoiceDateFrom": "2027-01-01"}, None),
        ("GET", "/customer", {"isInactive": "yes"}, None),
        ("PUT", "/order/1/:invoice", {"invoiceDate": "2027-01-01", "paymentTypeId": "1.5"}, None),
        ("PUT", "/order/1/:invoice", {"invoiceDate": "2027-01-01", "sendType": "FAX"}, None),
        ("POST", "/customer", {}, {"name": 7}),
        ("POST", "/customer", {}, {"navn": "x"}),
        ("POST", "/order", {}, {"orderLines": [{"vatType": {"code": "3"}}]}),
        ("POST", "/order", {}, {"customer": {"id": "7"}}),
        ("PUT", "/invoice/1/:payment", {"paymentDate": "x", "paymentTypeId": "1", "paidAmount": "1"}, {"a": 1}),
    ],
)
def test_the_check_can_fail(contract, method, path, query, body):
    with pytest.raises(AssertionError):
        contract.check_request(method, path, query, body)
