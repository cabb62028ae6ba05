"""Purchases: the voucher reception, supplier invoices with their approval, and paying them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox.ledger import Row
from adapters.accounting.tripletex.sandbox.matching import Matching
from adapters.accounting.tripletex.sandbox.store import today, wall_time
from adapters.accounting.tripletex.sandbox.things import Link, Thing, invalid
from adapters.loopback import Upload

NOK = Link("currency", 1)
WAITING, APPROVED, REJECTED = 0, 1, 2
"""`VoucherApprovalListElement.status`. The vendor does not say what its numbers mean; these are the sandbox's own."""


class Purchases(Matching):
    """A document comes into the reception; somebody registers it as a supplier invoice; it is approved where the
    company works so, booked, and paid.
    """

    # --- documents ----------------------------------------------------------------------------------------------------

    def document(self, upload: Upload) -> Link:
        """Keep an uploaded file."""
        kept = self.add("document", fileName=upload.file_name, size=len(upload.content),
                        mimeType=upload.content_type, _uploads=[upload])  # fmt: skip
        return Link("document", kept["id"])

    def attach(self, thing: Thing, upload: Upload) -> None:
        """Put a file on a voucher: appended to what it has, as pages of one PDF."""
        held: Link | None = thing.get("attachment")
        if held is None:
            link = self.document(upload)
        else:
            before: list[Upload] = self.find(held)["_uploads"]
            link = self.document(upload)
            self.find(link).update(_uploads=[*before, upload], fileName="vedlegg.pdf", mimeType="application/pdf",
                                   size=sum(len(one.content) for one in before) + len(upload.content))  # fmt: skip
        self.touch(thing, attachment=link, document=link)

    # --- the reception ------------------------------------------------------------------------------------------------

    def receive(self, upload: Upload, text: str, day: date, **more: Any) -> Thing:
        """A document comes into the reception: a voucher without rows. `more`: `vendorInvoiceNumber`, `ediDocument`."""
        voucher = self.draft(day, text, [], "inbox", **more)
        self.attach(voucher, upload)
        status = self.add("voucherStatus", voucher=Link("voucher", voucher["id"]), type="TRIPLETEX", status="DONE",
                          timestamp=wall_time(datetime.now(UTC)), message="NONE")  # fmt: skip
        self.tell("voucherstatus.ready", status["id"])
        return voucher

    def receive_ehf(
        self, supplier: Thing, number: str, day: date, due: date, amount: Decimal, upload: Upload, *,
        kid: str | None = None,
    ) -> Thing:  # fmt: skip
        """An EHF comes through the company's own inbox. It is no supplier invoice until somebody registers it, unless
        `Rules.reception_in_list` says that the list shows it at once.
        """
        voucher = self.receive(upload, f"Faktura {number} fra {supplier['name']}", day, vendorInvoiceNumber=number)
        voucher["ediDocument"] = voucher["attachment"]
        if upload.content_type == "application/xml":  # people see a page; the EHF itself is kept beside it
            voucher["ediDocument"] = self.document(upload)
            self.find(voucher["ediDocument"])["_as_it_came"] = True
        if self.rules.reception_in_list:
            self.supplier_invoice(voucher, supplier, number, day, due, amount, kid=kid)
        return voucher

    # --- supplier invoices --------------------------------------------------------------------------------------------

    def supplier_invoice(
        self, voucher: Thing, supplier: Thing, number: str, day: date, due: date, amount: Decimal, *,
        kid: str | None = None, currency: Link = NOK,
    ) -> Thing:  # fmt: skip
        """The register's entry of a supplier invoice whose voucher is there. `amount`: with VAT, in its currency."""
        taken = any(one["supplier"].id == supplier["id"] and one["invoiceNumber"] == number
                    for one in self.things.get("supplierInvoice", {}).values())  # fmt: skip
        if taken and self.rules.duplicates == "refused":
            raise invalid("invoiceNumber", "Fakturanummeret er allerede registrert på leverandøren.")
        made = self.add(
            "supplierInvoice", invoiceNumber=number, invoiceDate=day.isoformat(), invoiceDueDate=due.isoformat(),
            supplier=Link("supplier", supplier["id"]), kidOrReceiverReference=kid, currency=currency,
            voucher=Link("voucher", voucher["id"]), amountCurrency=amount, isCreditNote=amount < 0, orderLines=[],
            approvalListElements=[],
        )  # fmt: skip
        made["amount"] = (amount * self.rate(currency)).quantize(Decimal("0.01"))
        made["amountExcludingVat"] = lambda: self._net(voucher, "amount")
        made["amountExcludingVatCurrency"] = lambda: self._net(voucher, "amountCurrency")
        made["outstandingAmount"] = lambda: -self.open_amount(made["id"], "amountCurrency")
        made["payments"] = lambda: [Link("posting", p["id"]) for p in self.items(made["id"]) if p.get("_payment")]
        if voucher.get("ediDocument"):
            made["originalInvoiceDocumentId"] = voucher["ediDocument"].id
        return made

    def _net(self, voucher: Thing, name: str) -> Decimal:
        table = "posting" if voucher["_state"] == "ledger" else "draft"
        rows = [self.things[table][link.id] for link in voucher["postings"]]
        return sum((p[name] for p in rows if not p.get("supplier") and not p["systemGenerated"]), Decimal(0))

    def supplier_rows(self, invoice: Thing, lines: list[Row]) -> list[Row]:
        """The rows of a supplier invoice: costs (gross, VAT comes with them) against the supplier.

        Each line needs `account`, `amountGross` and `amountGrossCurrency`. Raises `SandboxError` (422) where they do
        not come to the invoice's amount.
        """
        total = sum((line["amountGross"] for line in lines), Decimal(0))
        foreign = sum((line["amountGrossCurrency"] for line in lines), Decimal(0))
        if foreign != invoice["amountCurrency"]:
            raise invalid("orderLines", "Summen av linjene er ikke lik fakturabeløpet.")
        numbered = [{"row": at, "currency": invoice["currency"], "type": "INVOICE_EXPENSE", **line}
                    for at, line in enumerate(lines, 1)]  # fmt: skip
        owed = {"account": self.account(2400), "supplier": invoice["supplier"], "amount": -total, "row": 0,
                "amountCurrency": -foreign, "currency": invoice["currency"], "systemGenerated": True,
                "type": "INCOMING_INVOICE_CUSTOMER_POSTING", "invoiceNumber": invoice["invoiceNumber"],
                "termOfPayment": invoice["invoiceDueDate"], "externalRef": invoice.get("kidOrReceiverReference"),
                "_invoice": invoice["id"]}  # fmt: skip
        return [owed, *self.gross_rows(numbered)]

    def register(self, voucher: Thing, invoice: Thing, lines: list[Row]) -> None:
        """Somebody fills in what a voucher is for: it goes to approval where there is one, else to the ledger."""
        self.redraft(voucher, self.supplier_rows(invoice, lines))
        voucher["voucherType"] = self.voucher_type("Leverandørfaktura")
        if self.rules.approval:
            element = self.add("voucherApprovalListElement", voucher=Link("voucher", voucher["id"]), status=WAITING,
                               employee=Link("employee", 1))  # fmt: skip
            self.touch(invoice, approvalListElements=[Link(element.type, element["id"])])
            self.touch(voucher, _state="nonPosted")
        else:
            self.post(voucher)

    def waits_for_approval(self, invoice: Thing) -> bool:
        """Whether somebody must approve it."""
        return any(self.find(link)["status"] == WAITING for link in invoice["approvalListElements"])

    def decide(self, invoice: Thing, comment: str | None, *, approved: bool) -> None:
        """Approve (the voucher is booked) or reject (it goes back to the reception)."""
        if not self.waits_for_approval(invoice):
            raise invalid("id", "Fakturaen er ikke til godkjenning.")
        voucher = self.find(invoice["voucher"])
        if approved:
            self.post(voucher)
        else:
            self.touch(voucher, _state="inbox")
        for link in invoice["approvalListElements"]:
            self.touch(self.find(link), status=APPROVED if approved else REJECTED, comment=comment,
                       actionDate=today().isoformat())  # fmt: skip
        self.touch(invoice)

    def pay_supplier(self, invoice: Thing, day: date, amount: Decimal, how: Thing) -> Thing:
        """Money to a supplier; `amount` in the invoice's currency. Gives the voucher."""
        self.check_open(day, "paymentDate")
        kroner = (amount * self.rate(invoice["currency"])).quantize(Decimal("0.01"))
        common = {"currency": invoice["currency"], "invoiceNumber": invoice["invoiceNumber"],
                  "externalRef": invoice.get("kidOrReceiverReference")}  # fmt: skip
        rows: list[Row] = [
            {**common, "account": self.account(2400), "supplier": invoice["supplier"], "amount": kroner,
             "amountCurrency": amount, "_invoice": invoice["id"], "_payment": True},
            {**common, "account": how["creditAccount"], "amount": -kroner, "amountCurrency": -amount},
        ]  # fmt: skip
        voucher = self.book(day, "Utbetaling", rows, "Utbetaling")
        self.settle(invoice["id"], day)
        return voucher
