"""One company: its registers, its drafts, and what is booked."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.sandbox import forms, lines
from adapters.accounting.fiken.sandbox.chart import ACCOUNTS, RATES, SALES
from adapters.accounting.fiken.sandbox.errors import SandboxError, invalid
from adapters.accounting.fiken.sandbox.rules import Rules
from adapters.accounting.fiken.sandbox.store import Store, Thing

BANK_ACCOUNTS = (("1920:10001", "Driftskonto", "86011117947"), ("1920:10002", "Nettbutikk", "15032080119"))


class Books(Store):
    """Registers and ledger of one company. Money is øre."""

    def __init__(self, rules: Rules, *, slug: str, name: str, organisation_number: str) -> None:
        super().__init__()
        self.rules = rules
        self.company = {
            "name": name, "slug": slug, "organizationNumber": organisation_number, "vatType": rules.vat,
            "creationDate": "2020-01-01", "hasApiAccess": True, "testCompany": True,
            "accountingStartDate": "2020-01-01",
        }  # fmt: skip
        self.accounts = dict(ACCOUNTS)
        self.vouchers: list[list[tuple[str, int]]] = []
        """What is booked: account (of customers and bank with their own number behind it) and øre of each row."""
        self.outbox: list[dict[str, Any]] = []
        """What would have been sent to customers by now."""
        self._paid: dict[int, list[Thing]] = {}
        self._indexed = 0
        self._customers, self._suppliers = itertools.count(10001), itertools.count(20001)
        self._series = {"invoice": itertools.count(10001), "creditNote": itertools.count(50001)}
        for code, title, number in BANK_ACCOUNTS:
            self.add("bankAccount", accountCode=code, name=title, bankAccountNumber=number, type="normal",
                     inactive=False)  # fmt: skip

    # --- what may be used ---------------------------------------------------------------------------------------------

    def open_on(self, day: str) -> None:
        """Raises `SandboxError` (400) where the books are closed on a day."""
        if day <= self.rules.closed_until:
            raise SandboxError(400, f"Perioden er låst: kan ikke bokføre på {day}", shape="text")

    def account(self, code: str | None) -> str:
        """An account that can be booked on. Raises `SandboxError` (400)."""
        if code is None or code.partition(":")[0] not in self.accounts or code in self.rules.inactive_accounts:
            raise invalid(f"Konto {code} finnes ikke eller er ikke aktiv")
        return code

    def bank(self, code: str) -> Thing:
        """A bank account by its code. Raises `SandboxError` (400)."""
        found = next((one for one in self.all("bankAccount") if one["accountCode"] == code), None)
        if found is None or found["inactive"]:
            raise invalid(f"Bankkonto {code} finnes ikke")
        return found

    def contact(self, id: Any, what: str) -> Thing:
        """A contact that is an active customer (or supplier). Raises `SandboxError` (400)."""
        found = self.things.get("contact", {}).get(id)
        if found is None or not found.get(what):
            raise invalid(f"Fant ingen {'kunde' if what == 'customer' else 'leverandør'} med id {id}")
        if found.get("inactive"):
            raise invalid(f"Kontakten {found['name']} er deaktivert")
        return found

    def project(self, id: int | None) -> Thing | None:
        """An open project. Raises `SandboxError` (400)."""
        if id is None:
            return None
        found = self.things.get("project", {}).get(id)
        if found is None or found.get("completed"):
            raise invalid(f"Prosjekt {id} finnes ikke eller er avsluttet")
        return found

    def lines(self, said: Iterable[Any], form: forms.Form) -> list[dict[str, Any]]:
        """Lines of a sale as Fiken completes them. Raises `SandboxError` (400)."""
        made = []
        for place, one in enumerate(said):
            line = forms.read(one, form, f"lines[{place}].")
            if "productId" in line:
                product = self.find("product", line["productId"])
                if not product["active"]:
                    raise invalid(f"Produktet {product['name']} er ikke aktivt")
                line = {"unitPrice": product.get("unitPrice"), "vatType": product["vatType"],
                        "incomeAccount": product["incomeAccount"], "description": product["name"], **line}  # fmt: skip
            for name in ("description", "unitPrice", "vatType", "incomeAccount"):
                if line.get(name) is None:
                    raise invalid(f"lines[{place}].{name} må fylles ut")
            self.sells(line["vatType"])
            self.account(line["incomeAccount"])
            made.append(line)
        return lines.priced(made, self.rules.rounding)

    def sells(self, vat_type: str) -> None:
        """Whether a sale may have this VAT. Raises `SandboxError` (400)."""
        if vat_type not in SALES:
            raise invalid(f"Ugyldig vatType: {vat_type}")
        if self.rules.vat == "no" and SALES[vat_type][0]:
            raise invalid("Selskapet er ikke mva-registrert")

    # --- contacts -----------------------------------------------------------------------------------------------------

    def add_contact(self, said: Mapping[str, Any]) -> Thing:
        """A new contact; neither customer nor supplier said: it is both nothing."""
        return self.in_role(self.add("contact", **{"inactive": False, **said}))

    def in_role(self, contact: Thing) -> Thing:
        """Give a contact the numbers of what it is."""
        if contact.get("customer") and "customerNumber" not in contact:
            number = next(self._customers)
            contact |= {"customerNumber": number, "customerAccountCode": f"1500:{number}"}
        if contact.get("supplier") and "supplierNumber" not in contact:
            number = next(self._suppliers)
            contact |= {"supplierNumber": number, "supplierAccountCode": f"2400:{number}"}
        return contact

    # --- sales --------------------------------------------------------------------------------------------------------

    def invoice(self, draft: Thing) -> Thing:
        """Number and book an invoice of a draft."""
        if not self.rules.counter:
            raise invalid("Fakturanummerserien er ikke opprettet")
        day = draft.get("issueDate") or self.day()
        self.open_on(day)
        customer = self.contact(draft["customerId"], "customer")
        project = self.project(draft.get("projectId"))
        if not draft.get("bankAccountNumber"):
            raise invalid("Kontonummer mangler på fakturaen")
        cash, number = draft["type"] == "cash_invoice", next(self._series["invoice"])
        due = (forms.day(day, "issueDate").toordinal()) + draft["daysUntilDueDate"]
        shown = {name: draft[name] for name in ("invoiceText", "yourReference", "ourReference", "orderReference",
                                                "bankAccountNumber") if draft.get(name)}  # fmt: skip
        invoice = self.add(
            "invoice", invoiceNumber=number, kid=kid(number), issueDate=day,
            dueDate=_day(due), originalDueDate=_day(due), cash=cash, lines=draft["lines"],
            currency=draft["currency"], invoiceDraftUuid=draft["uuid"], sentManually=False, associatedCreditNotes=[],
            dispatches=[], attachments=list(draft.get("attachments", ())), _customer=customer["_id"],
            _project=project and project["_id"], **shown, **with_kroner(draft),
        )  # fmt: skip
        sale = self._sale(
            "cash_sale" if cash else "invoice", invoice, saleNumber=str(number), date=day, dueDate=_day(due),
            kid=invoice["kid"],
        )  # fmt: skip
        invoice["_sale"] = sale["_id"]
        self._book(invoice, 1)
        if cash:
            self.pay(sale, day, self.account(draft.get("paymentAccount") or "1920:10001"), sale["_gross"])
        return invoice

    def external_sale(self, said: Mapping[str, Any]) -> Thing:
        """Book a sale that was invoiced elsewhere."""
        self.open_on(said["date"])
        if said["kind"] not in ("cash_sale", "external_invoice"):
            raise invalid(f"Ugyldig kind: {said['kind']}")
        external = said["kind"] == "external_invoice"
        customer = self.contact(said.get("customerId"), "customer") if external else {"_id": None}
        rate, project = RATES[said["currency"]], self.project(said.get("projectId"))
        foreign = said["currency"] != "NOK"
        made = []
        for place, one in enumerate(said["lines"]):
            line = forms.read(one, forms.ORDER_LINE, f"lines[{place}].")
            self.sells(line["vatType"])
            self.account(line.get("account"))
            net = line.get("netPriceInCurrency" if foreign else "netPrice")
            if net is None:
                raise invalid(f"lines[{place}].netPrice må fylles ut")
            expected = lines.whole(net * SALES[line["vatType"]][0] / 100)
            vat = line.get("vatInCurrency" if foreign else "vat", expected)
            if abs(vat - expected) > 100:
                raise invalid(f"lines[{place}].vat stemmer ikke med {line['vatType']}")
            made.append({"description": line["description"], "vatType": line["vatType"], "net": net, "vat": vat,
                         "incomeAccount": line["account"]})  # fmt: skip
        net, vat = sum(line["net"] for line in made), sum(line["vat"] for line in made)
        whole = {"lines": made, "currency": said["currency"], "_customer": customer["_id"],
                 "_project": project and project["_id"], "net": net, "vat": vat, "gross": net + vat, "_rounding": 0,
                 "_rate": rate}  # fmt: skip
        shown = {name: said[name] for name in ("saleNumber", "date", "dueDate", "kid") if said.get(name)}
        sale = self._sale(said["kind"], whole, **shown)
        self._book(whole, 1)
        if not external:
            self.pay(sale, said["date"], self.account(said.get("paymentAccount")), sale["_gross"])
        return sale

    def _sale(self, kind: str, of: Thing, **shown: Any) -> Thing:
        return self.add(
            "sale", kind=kind, lines=of["lines"], currency=of["currency"], deleted=False, settled=False,
            writeOff=False, _net=of["net"], _vat=of["vat"], _gross=of["gross"], _credited=0, _lost=0,
            _customer=of["_customer"], _project=of.get("_project"), _rate=RATES[of["currency"]], **shown,
        )  # fmt: skip

    def _book(self, of: Mapping[str, Any], sign: int) -> None:
        rate = RATES[of["currency"]]
        rows: list[tuple[str, int]] = []
        for line in of["lines"]:
            rows.append((line["incomeAccount"], -sign * lines.whole(line["net"] * rate)))
            if line["vat"]:
                rows.append((SALES[line["vatType"]][1], -sign * lines.whole(line["vat"] * rate)))
        if of["_rounding"]:
            rows.append(("7740", -sign * of["_rounding"]))
        receivable = self.things["contact"].get(of["_customer"], {}).get("customerAccountCode", "1920:10001")
        self.vouchers.append([(receivable, -sum(amount for _, amount in rows)), *rows])

    def outstanding(self, sale: Mapping[str, Any]) -> int:
        """What is open of a sale, in its currency; what was open of one that is deleted."""
        paid = sum(one["amount"] for one in self.payments(sale))
        return int(sale["_gross"] - sale["_credited"] - sale["_lost"] - paid)

    def payments(self, sale: Mapping[str, Any]) -> list[Thing]:
        """The payments of a sale."""
        there = self.things.get("payment", {})
        if self._indexed != len(there):
            self._indexed, self._paid = len(there), {}
            for one in there.values():
                self._paid.setdefault(one["_sale"], []).append(one)
        return self._paid.get(sale["_id"], [])

    def pay(
        self, sale: Thing, day: str, account: str, amount: int, *, fee: int = 0, in_nok: int | None = None
    ) -> Thing:
        """Book a payment of a sale. `amount`: in the sale's currency; `in_nok`: what came to the account."""
        self.open_on(day)
        self.bank(account)
        kroner = in_nok if in_nok is not None else lines.whole(amount * sale["_rate"])
        said: dict[str, Any] = {"date": day, "account": account, "amount": amount, "currency": sale["currency"]}
        if sale["currency"] != "NOK":
            said["amountInNok"] = kroner
        if fee:
            said["fee"] = fee
        before = self.payments(sale)
        made = self.add("payment", _sale=sale["_id"], **said)
        self._paid[sale["_id"]], self._indexed = [*before, made], self._indexed + 1
        booked = lines.whole(amount * sale["_rate"])
        rows = [(account, kroner), (self._receivable(sale), -booked)]
        if booked != kroner:
            rows.append(("8060", booked - kroner))
        if fee:
            rows += [("7770", fee), (account, -fee)]
        self.vouchers.append(rows)
        made["_rows"] = rows
        self.settle(sale, day)
        return made

    def unpay(self, payment: Thing) -> None:
        """Take a payment away, as people can: it is booked back, and is not there any more."""
        sale = self.find("sale", payment["_sale"])
        self.vouchers.append([(code, -amount) for code, amount in payment["_rows"]])
        self.remove("payment", payment["_id"])
        self._indexed = -1
        self.settle(sale, payment["date"])

    def settle(self, sale: Thing, day: str) -> None:
        """See whether a sale is settled."""
        closed = self.outstanding(sale) <= 0
        changed = {"settled": closed, "settledDate": day if closed else None}
        if self.rules.touches:
            self.touch(sale, **changed)
            for invoice in self.all("invoice"):
                if invoice["_sale"] == sale["_id"]:
                    self.touch(invoice)
        else:
            sale.update(changed)

    def write_off(self, sale: Thing, day: str) -> None:
        """Book what is open as a loss."""
        lost = self.outstanding(sale)
        self.vouchers.append([("7830", lost), (self._receivable(sale), -lost)])
        self.touch(sale, writeOff=True, _lost=sale["_lost"] + lost)
        self.settle(sale, day)

    def _receivable(self, sale: Mapping[str, Any]) -> str:
        contact = self.things.get("contact", {}).get(sale["_customer"], {})
        return str(contact.get("customerAccountCode", "1500"))

    # --- credit notes -------------------------------------------------------------------------------------------------

    def credit(self, day: str, made: list[dict[str, Any]], of: Mapping[str, Any], invoice: Thing | None) -> Thing:
        """Number and book a credit note. `of`: customer, currency, texts and totals; `invoice`: what it credits."""
        self.open_on(day)
        number = next(self._series["creditNote"])
        sale = self.find("sale", invoice["_sale"]) if invoice else None
        closes = min(of["gross"], max(0, self.outstanding(sale))) if sale else 0
        note = self.add(
            "creditNote", creditNoteNumber=number, issueDate=day, lines=made,
            settled=sale is not None and closes == of["gross"], _closes=closes, **of,
        )  # fmt: skip
        self._book({**note, "lines": made}, -1)
        if invoice is not None and sale is not None:
            note["associatedInvoiceId"] = invoice["_id"]
            self.touch(invoice, associatedCreditNotes=[*invoice["associatedCreditNotes"], note["_id"]])
            self.touch(sale, _credited=sale["_credited"] + closes)
            self.settle(sale, day)
        return note

    # --- what is booked -----------------------------------------------------------------------------------------------

    def balance(self, account: str) -> int:
        """Øre on an account, or on all accounts of this number."""
        rows = (row for voucher in self.vouchers for row in voucher)
        return sum(amount for code, amount in rows if code == account or code.startswith(f"{account}:"))


def kid(number: int) -> str:
    """A KID of an invoice number, with its control digit (MOD10)."""
    digits = f"{number:07d}"
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-sum(sum(divmod(one, 10)) for one in doubled) % 10}"


def checked_uuid(said: str | None) -> str:
    """The uuid of a draft: theirs or a new one. Raises `SandboxError` (400)."""
    try:
        return str(uuid.UUID(said)) if said else str(uuid.uuid4())
    except ValueError:
        raise invalid("Invalid value for uuid") from None


def with_kroner(of: Mapping[str, Any]) -> dict[str, int]:
    """The totals of something, in its currency and in kroner."""
    rate: Decimal = RATES[of["currency"]]
    in_kroner = {f"{name}InNok": lines.whole(of[name] * rate) for name in ("net", "vat", "gross")}
    return {**{name: of[name] for name in ("net", "vat", "gross", "_rounding")}, **in_kroner}


def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()
