"""Purchases in the sandbox: the reception, EHF that the ledger received itself, approval, payment, pilot customers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapters.accounting.tripletex.sandbox import behind, uploads
from adapters.loopback import Upload

YEAR = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}
ISSUED, DUE = date(2027, 1, 10), date(2027, 2, 10)
EHF = b"""<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2">
 <cbc:ID>F-7</cbc:ID><cbc:IssueDate>2027-01-10</cbc:IssueDate><cbc:DueDate>2027-02-10</cbc:DueDate>
 <cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Selger AS</cbc:RegistrationName>
 <cbc:CompanyID>974760673</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
 <cac:PaymentMeans><cbc:PaymentID>0000100172</cbc:PaymentID></cac:PaymentMeans>
 <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="NOK">12499.99</cbc:PayableAmount></cac:LegalMonetaryTotal>
</Invoice>"""


def problem(said):
    (one,) = said["validationMessages"]
    return one["field"], one["message"]


def received(box, number="F-7", amount="12500.00"):
    """An EHF through the company's own inbox: (supplier, voucher)."""
    supplier = behind.supplier_named(box.books, "974760673", "Selger AS")
    paper = Upload(uploads.pdf([["Faktura"]]), "faktura.pdf")
    voucher = box.books.receive_ehf(supplier, number, ISSUED, DUE, Decimal(amount), paper, kid="0000100172")
    return supplier, voucher


def registered(box, number="F-7", amount="12500.00"):
    supplier, voucher = received(box, number, amount)
    return behind.register_voucher(box.books, voucher, supplier, number, ISSUED, DUE, Decimal(amount))


# --- the reception ----------------------------------------------------------------------------------------------------


async def test_documents_come_into_the_reception(box, checked):
    call = checked
    paper = uploads.pdf([["side 1"], ["side 2"], ["side 3"]])
    answer = await call.upload("/ledger/voucher/importDocument", paper, "kvittering.pdf")
    assert answer.status_code == 201
    (made,) = answer.json()["values"]
    assert (made["description"], made["number"]) == ("kvittering.pdf", 0)
    shown = await call("GET", f"/ledger/voucher/{made['id']}", fields="attachment(size,mimeType)")
    assert shown == {"attachment": {"size": len(paper), "mimeType": "application/pdf"}}
    assert (await call.raw("GET", f"/ledger/voucher/{made['id']}/pdf")).content == paper
    split = await call.upload("/ledger/voucher/importDocument", paper, "tre.pdf", split="true")
    assert len(split.json()["values"]) == 3
    found = await call("GET", "/ledger/voucher/>voucherReception", searchText="tre")
    assert len(found) == 3
    assert box.state()["balances"] == {}
    assert await call("GET", "/supplierInvoice", **YEAR) == []


@pytest.mark.parametrize("agreed", [False, True])
async def test_ehf_only_by_agreement(box, checked, agreed):
    box.books.rules.ehf_import = agreed
    answer = await checked.upload("/ledger/voucher/importDocument", EHF, "F-7.xml")
    if not agreed:
        assert problem(answer.json())[0] == "file"
        assert not box.books.things.get("voucher")
        return
    (made,) = answer.json()["values"]
    assert (made["vendorInvoiceNumber"], made["description"]) == ("F-7", "Faktura F-7 fra Selger AS")
    (supplier,) = await checked("GET", "/supplier", organizationNumber="974760673")
    assert supplier["name"] == "Selger AS"
    bad = await checked.upload("/ledger/voucher/importDocument", b"<Invoice/>", "tom.xml")
    assert problem(bad.json()) == ("file", "Filen er ikke en gyldig EHF.")


async def test_a_form_without_a_file_is_refused(call):
    answer = await call.client.post("/ledger/voucher/importDocument", files={"other": ("a", b"%PDF-")})
    assert problem(answer.json()) == ("file", "Kan ikke være null.")
    answer = await call.raw("POST", "/ledger/voucher/importDocument", {"file": "x"})
    assert answer.status_code == 422


@pytest.mark.parametrize("listed", [False, True])
async def test_what_the_ledger_received_itself(box, checked, listed):
    box.books.rules.reception_in_list = listed
    supplier, voucher = received(box)
    (shown,) = await checked("GET", "/ledger/voucher/>voucherReception", fields="id,vendorInvoiceNumber,ediDocument")
    assert (shown["id"], shown["vendorInvoiceNumber"]) == (voucher["id"], "F-7")
    assert "ediDocument" in shown
    found = await checked("GET", "/supplierInvoice", **YEAR, supplierId=supplier["id"], invoiceNumber="F-7")
    assert len(found) == int(listed)


# --- supplier invoices ------------------------------------------------------------------------------------------------


async def test_a_registered_invoice_is_booked_open_and_paid(box, checked):
    made = registered(box)
    everything = "*,supplier(*),voucher(*,postings(*)),currency(*)"
    shown = await checked("GET", f"/supplierInvoice/{made['id']}", fields=everything)
    assert (shown["amount"], shown["amountExcludingVat"], shown["outstandingAmount"]) == (12500, 10000, 12500)
    assert (shown["invoiceDueDate"], shown["isCreditNote"], shown["payments"]) == ("2027-02-10", False, [])
    assert shown["voucher"]["number"] == 1
    assert box.state()["balances"] == {"2400": -12500, "2710": 2500, "6800": 10000}
    assert await checked("GET", "/ledger/voucher/>voucherReception") == []
    assert (await checked.raw("GET", f"/supplierInvoice/{made['id']}/pdf")).content.startswith(b"%PDF-")
    path = f"/supplierInvoice/{made['id']}/:addPayment"
    assert (await checked.refused("POST", path, paymentType=0))["code"] == 9000
    box.books.rules.supplier_payments = True
    assert problem(await checked.refused("POST", path, paymentType=0))[0] == "paymentType"  # none was used yet
    how = (await checked("GET", "/ledger/paymentTypeOut", description="bank"))[0]["id"]
    part = await checked("POST", path, paymentType=how, amount=5000, paymentDate="2027-02-01")
    assert (part["outstandingAmount"], len(part["payments"])) == (7500, 1)
    refused = await checked.refused("POST", path, paymentType=0, amount=7500, paymentDate="2027-02-02")
    assert problem(refused)[0] == "partialPayment"
    paid = await checked("POST", path, paymentType=0, amount=7500, paymentDate="2027-02-02", partialPayment=True)
    assert paid["outstandingAmount"] == 0
    assert {number: sum_ for number, sum_ in box.state()["balances"].items() if sum_} == {
        "1920": -12500, "2710": 2500, "6800": 10000,
    }  # fmt: skip
    assert await checked("GET", "/ledger/posting/openPost", date="2028-01-01") == []


async def test_approval_before_anything_is_booked(box, checked):
    box.books.rules.approval = True
    made, other = registered(box), registered(box, "F-8", "1250.00")
    assert box.state()["balances"] == {}
    waiting = await checked("GET", "/supplierInvoice/forApproval", fields="id,approvalListElements(status)")
    assert {one["id"] for one in waiting} == {made["id"], other["id"]}
    assert await checked("GET", "/ledger/voucher/>nonPosted", includeNonApproved=False) == []
    assert len(await checked("GET", "/ledger/voucher/>nonPosted", includeNonApproved=True)) == 2
    await checked("PUT", f"/supplierInvoice/{made['id']}/:approve", comment="ok")
    assert box.state()["balances"]["2400"] == -12500
    path = f"/supplierInvoice/{other['id']}/:reject"
    await checked("PUT", path, comment="feil")
    (back,) = await checked("GET", "/ledger/voucher/>voucherReception")
    assert back["id"] == other["voucher"].id
    shown = await checked("GET", f"/supplierInvoice/{other['id']}", fields="approvalListElements(*)")
    assert shown["approvalListElements"][0]["comment"] == "feil"
    assert problem(await checked.refused("PUT", path, comment="x")) == ("id", "Fakturaen er ikke til godkjenning.")
    third = registered(box, "F-9", "100.00")
    await checked("PUT", "/supplierInvoice/:approve", invoiceIds=third["id"])
    assert box.state()["balances"]["2400"] == -12600


# --- pilot customers --------------------------------------------------------------------------------------------------


async def delivery(call, **header):
    supplier = await call("POST", "/supplier", {"name": "Selger AS", "organizationNumber": "974760673"})
    account = (await call.account(6800))["id"]
    head = {"vendorId": supplier["id"], "invoiceDate": "2027-01-10", "dueDate": "2027-02-10", "currencyId": 1,
            "invoiceAmount": 12500, "invoiceNumber": "F-7", **header}  # fmt: skip
    lines = [{"externalId": "l1", "row": 1, "accountId": account, "amountInclVat": 12500, "vatTypeId": 1}]
    return {"invoiceHeader": head, "orderLines": lines}


async def test_incoming_invoices_are_for_pilot_customers(checked):
    assert (await checked.refused("POST", "/incomingInvoice", await delivery(checked)))["code"] == 9000
    assert (await checked.refused("GET", "/incomingInvoice/search"))["status"] == 403


@pytest.mark.parametrize(
    ("place", "cycle", "balances"),
    [
        ("inbox", "DRAFT_IN_INBOX", {}),
        ("nonPosted", "DRAFT_IN_NON_POSTED", {}),
        ("ledger", "IN_LEDGER", {"2400": -12500, "2710": 2500, "6800": 10000}),
    ],
)
async def test_where_an_incoming_invoice_is_sent(box, checked, place, cycle, balances):
    box.books.rules.incoming_pilot = True
    made = await checked("POST", "/incomingInvoice", await delivery(checked), sendTo=place)
    assert made["invoiceLifeCycle"] == cycle
    assert box.state()["balances"] == balances
    shown = await checked("GET", f"/incomingInvoice/{made['voucherId']}")
    assert shown["invoiceHeader"]["invoiceNumber"] == "F-7"
    assert shown["orderLines"][0]["externalId"] == "l1"
    found = await checked("GET", "/incomingInvoice/search", status=place, invoiceNumber="F-7")
    assert [one["voucherId"] for one in found] == [made["voucherId"]]
    assert len(await checked("GET", "/incomingInvoice/search")) == int(place == "ledger")
    pay = {"amountCurrency": 12500, "paymentDate": "2027-02-01"}
    path = f"/incomingInvoice/{made['voucherId']}/addPayment"
    if place == "ledger":
        await checked("POST", path, pay)
        assert box.state()["balances"]["2400"] == 0
    else:
        assert (await checked.refused("POST", path, pay))["status"] == 422
    attached = await checked.upload(f"/ledger/voucher/{made['voucherId']}/attachment", uploads.pdf([["x"]]))
    assert attached.status_code == 201


async def test_incoming_invoices_that_are_refused(box, checked):
    box.books.rules.incoming_pilot = True
    box.books.rules.duplicates = "refused"
    good = await delivery(checked)
    await checked("POST", "/incomingInvoice", good)
    refused = await checked.refused("POST", "/incomingInvoice", good)
    assert problem(refused) == ("invoiceNumber", "Fakturanummeret er allerede registrert på leverandøren.")
    for change, field in [
        ({"invoiceNumber": ""}, "invoiceNumber"),
        ({"vendorId": 1}, "vendorId.id"),
        ({"invoiceDate": "x"}, "invoiceDate"),
        ({"invoiceAmount": Decimal("0.001")}, "invoiceAmount"),
    ]:
        said = {**good, "invoiceHeader": {**good["invoiceHeader"], **change}}
        assert problem(await checked.refused("POST", "/incomingInvoice", said))[0] == f"invoiceHeader.{field}"
    other = {**good, "invoiceHeader": {**good["invoiceHeader"], "invoiceNumber": "F-9", "invoiceAmount": 1}}
    assert problem(await checked.refused("POST", "/incomingInvoice", other, sendTo="ledger"))[0] == "orderLines"
    assert (len(box.books.things["voucher"]), len(box.books.things["supplierInvoice"])) == (1, 1)


async def test_a_draft_is_changed_as_a_whole_and_sent_on(box, checked):
    box.books.rules.incoming_pilot = True
    said = await delivery(checked)
    made = await checked("POST", "/incomingInvoice", said)
    path = f"/incomingInvoice/{made['voucherId']}"
    changed = {"version": made["version"], "invoiceHeader": {**said["invoiceHeader"], "invoiceNumber": "F-8"},
               "orderLines": said["orderLines"]}  # fmt: skip
    later = await checked("PUT", path, changed, sendTo="nonPosted")
    assert later["invoiceLifeCycle"] == "DRAFT_IN_NON_POSTED"
    assert (await checked.refused("PUT", path, changed, sendTo="ledger"))["code"] == 8000
    done = await checked("PUT", path, {**changed, "version": later["version"]}, sendTo="ledger")
    assert (done["invoiceLifeCycle"], done["voucherNumber"]) == ("IN_LEDGER", 1)
    (found,) = await checked("GET", "/supplierInvoice", **YEAR, invoiceNumber="F-8")
    assert found["outstandingAmount"] == 12500
    again = {**changed, "version": done["version"]}
    assert problem(await checked.refused("PUT", path, again))[0] == "voucherId"
    assert box.state()["balances"]["2400"] == -12500
