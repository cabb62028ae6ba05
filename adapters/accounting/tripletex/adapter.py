"""One company's books in Tripletex, as the house sees accounting systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from adapters.accounting.tripletex import session
from adapters.accounting.tripletex.attachments import MB, OrderFiles
from adapters.accounting.tripletex.by_hand import ByHand
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.companies import Companies
from adapters.accounting.tripletex.credit_notes import CreditNotes
from adapters.accounting.tripletex.customers import Customers
from adapters.accounting.tripletex.external import Externals
from adapters.accounting.tripletex.incoming import Incoming
from adapters.accounting.tripletex.invoices import Invoices
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.notes import Notes
from adapters.accounting.tripletex.options import Choices
from adapters.accounting.tripletex.payments import Payments
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.reading import Numbers, Reader
from adapters.accounting.tripletex.receivables import receivables
from adapters.accounting.tripletex.received import Received
from adapters.accounting.tripletex.reception import KINDS as PURCHASES
from adapters.accounting.tripletex.reception import Purchases
from adapters.accounting.tripletex.registered import Registered
from adapters.accounting.tripletex.registers import REGISTERS, Registers
from adapters.accounting.tripletex.settlements import Settlements
from adapters.accounting.tripletex.suppliers import Suppliers
from adapters.accounting.tripletex.vouchers import Vouchers
from adapters.accounting.tripletex.webhooks import Webhooks
from connector.errors import Refused
from connector.options import Options
from connector.ports import (
    Capabilities,
    Company,
    File,
    Goal,
    Hooks,
    Kind,
    Lane,
    Page,
    Probe,
    Reading,
    Receivables,
    Record,
    Step,
)

if TYPE_CHECKING:
    from adapters.accounting.tripletex import Secrets, Settings
    from connector.http import Http


NOTED = "A page on its voucher, behind what lies there."
BY_HAND = "Booked there by hand: named by its voucher (2027/1043) or its id, and compared."
CAPABILITIES: Capabilities = {
    (Kind.CUSTOMER, "create"): "Found by organisation number, else made.",
    (Kind.CUSTOMER, "update"): "Changed with the version that was read.",
    (Kind.PRODUCT, "create"): "Found by product number, else made.",
    (Kind.PRODUCT, "update"): "Changed with the version that was read.",
    (Kind.DEPARTMENT, "create"): "Found by department number, else made.",
    (Kind.DEPARTMENT, "update"): "Changed with the version that was read.",
    (Kind.PROJECT, "create"): "Found by project number, else made, led by whom the settings name, starting today.",
    (Kind.PROJECT, "update"): "Changed with the version that was read.",
    (Kind.DIMENSION, "create"): "Found by number, else made, where the company has the dimension.",
    (Kind.DIMENSION, "update"): "Changed with the version that was read.",
    (Kind.INVOICE, "create"): "An order, its totals compared, then invoiced: Tripletex numbers it.",
    (Kind.CREDIT_NOTE, "create"): "Over a whole invoice `:createCreditNote`; over a part an order below zero, its"
    " totals compared, then invoiced as a credit note of the invoice. Invoices of Tripletex' own register only.",
    (Kind.PAYMENT, "create"): "Registered on the invoice, no more than is open; without an invoice, as a voucher.",
    (Kind.SETTLEMENT, "create"): "Credit of the customer is matched with its invoice; an advance or a rounding is a"
    " voucher first, on the account that the mapping names.",
    (Kind.SETTLEMENT, "update"): "Matched with its invoice, once the rows come to nothing together.",
    (Kind.REVERSAL, "create"): "As a voucher.",
    (Kind.SUPPLIER, "create"): "Found by organisation number, else made.",
    (Kind.SUPPLIER, "update"): "Changed with the version that was read; never its bank accounts.",
    (Kind.SUPPLIER_INVOICE, "create"): "Into the voucher reception as PDF or EHF, or by `/incomingInvoice`, as the"
    " setting `incoming` says; not where Tripletex has received it itself.",
    (Kind.INVOICE, "link"): BY_HAND,
    (Kind.CREDIT_NOTE, "link"): BY_HAND,
    (Kind.SUPPLIER_INVOICE, "link"): BY_HAND,
    (Kind.INVOICE, "note"): NOTED,
    (Kind.CREDIT_NOTE, "note"): NOTED,
    (Kind.SUPPLIER_INVOICE, "note"): NOTED,
}
"""What Tripletex can be told, and how that is done; the rest is refused before anything is sent."""
EXTERNAL: Mapping[str, Capabilities] = {
    "voucher": {
        (Kind.EXTERNAL_INVOICE, "create"): "Issued elsewhere: as a voucher with the customer's row, income by"
        " account, VAT code and dimensions, and the document attached.",
        (Kind.EXTERNAL_CREDIT_NOTE, "create"): "Issued elsewhere: as a voucher, matched with its invoice where the two"
        " sides come to nothing.",
        (Kind.EXTERNAL_INVOICE, "link"): BY_HAND,
        (Kind.EXTERNAL_CREDIT_NOTE, "link"): BY_HAND,
        (Kind.EXTERNAL_INVOICE, "note"): NOTED,
        (Kind.EXTERNAL_CREDIT_NOTE, "note"): NOTED,
    },
    "invoice": {
        (Kind.INVOICE, "register"): "Issued elsewhere: among Tripletex' own invoices, under the number it has.",
    },
}
"""The same for what was issued elsewhere, by the setting `external_invoices`."""
READINGS: Sequence[Reading] = (
    Reading(Kind.CUSTOMER, timedelta(minutes=15), holes=True),
    *(Reading(kind, timedelta(minutes=30), holes=True) for kind in REGISTERS),
    Reading(Kind.INVOICE, timedelta(minutes=15), holes=True, after=(Kind.CUSTOMER, *REGISTERS)),
    Reading(Kind.PAYMENT, timedelta(minutes=10), holes=True, after=(Kind.CUSTOMER, Kind.INVOICE)),
)


class Tripletex:
    """An open connection; makes no call before it is asked for something."""

    readings = READINGS
    """Suppliers and incoming invoices, too, unless they are switched off."""

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        consumer, token = secrets.consumer_token.get_secret_value(), secrets.employee_token.get_secret_value()
        # Calls are counted per pair of tokens, whichever company they are about; the key names it without telling it.
        digest = session.digest(settings.base_url, consumer, token)
        self.lane = Lane(f"tripletex:{digest}", width=settings.width)
        self._client = Client(
            http,
            consumer_token=consumer,
            employee_token=token,
            shared=f"{digest} {settings.session_days} {settings.legacy_session}",
            company=settings.company,
            days=settings.session_days,
            legacy=settings.legacy_session,
        )
        self.capabilities: Capabilities = {**CAPABILITIES, **EXTERNAL[settings.external_invoices]}
        self._companies = Companies(self._client, settings.company, settings.incoming)
        if settings.incoming != "off":
            self.readings = (*READINGS, *(Reading(kind, timedelta(minutes=15), holes=True) for kind in PURCHASES))
        self.hooks: Hooks | None = None
        if secrets.webhook_secret is not None:
            kinds = {reading.kind for reading in self.readings}
            self.hooks = Webhooks(self._client, secrets.webhook_secret.get_secret_value(), kinds)
            http.keep_secret(secrets.webhook_secret.get_secret_value(), names={"hmacSharedSecret"})
        self._timeout, self._settle = settings.timeout, settings.settle
        self._address = settings.base_url.rstrip("/")
        lookups, numbers = Lookups(self._client, settings.payment_type), Numbers(self._client)
        periods = Periods(self._client)
        self._choices = Choices(self._client, self._companies, periods)
        self._lookups = lookups
        self._registers = Registers(self._client, lookups, settings.project_manager)
        self._reader = Reader(self._client, numbers, self._registers, lookups.customer_range, settings.poll_days)
        self._customers = Customers(self._client, lookups)
        most = settings.attachment_mb * MB
        self._invoices = Invoices(self._client, lookups, periods, numbers.seen, OrderFiles(self._client, most))
        self._credit_notes = CreditNotes(self._client, self._invoices, periods, numbers.seen, most)
        self._vouchers = Vouchers(self._client, lookups, periods)
        self._settlements = Settlements(self._client, lookups, periods, self._vouchers)
        self._payments = Payments(self._client, lookups, periods, self._vouchers, numbers.seen)
        self._registered = Registered(self._client, self._invoices)
        self._externals = Externals(self._client, lookups, periods)
        self._suppliers = Suppliers(self._client, lookups)
        received = Received(self._client)
        self._incoming = Incoming(self._client, lookups, received, settings.incoming, settings.incoming_account, most)
        self._purchases = Purchases(self._client, self._reader, received)
        self._by_hand = ByHand(self._client, self._reader, received)
        self._notes = Notes(self._client, most)

    async def company(self) -> Company:
        """Whose books these are. Raises `NeedsPerson` ("company-unclear", "sign-in", "right-missing")."""
        return replace(await self._companies.own(), at=self._address)

    async def probe(self) -> Probe:
        """Whose books these are, and which of the rights we need are missing. Raises `NeedsPerson`."""
        return await self._companies.probe()

    async def options(self) -> Options:
        """What this company's Tripletex takes now. Raises `NeedsPerson` ("sign-in", "company-unclear")."""
        return await self._choices.read()

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, then what changes. Makes no call."""
        return await self._reader.begin(kind, since)

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor. Raises `BadInput` ("cursor-malformed")."""
        if kind in PURCHASES:
            return await self._purchases.changes(kind, cursor)
        return await self._reader.changes(kind, cursor)

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); registers have no date, so all of them."""
        if kind in PURCHASES:
            return await self._purchases.sweep(kind, since, until, cursor)
        return await self._reader.sweep(kind, since, until, cursor)

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now; None where Tripletex has none."""
        if kind in PURCHASES:
            return await self._purchases.read(kind, id)
        return await self._reader.read(kind, id)

    async def document(self, kind: Kind, id: str) -> File | None:
        """The PDF of an invoice, a credit note or an incoming invoice; None where Tripletex has none."""
        if kind in (Kind.INVOICE, Kind.CREDIT_NOTE):
            content = await self._client.content(f"/invoice/{id}/pdf", download=False)
        elif kind is Kind.SUPPLIER_INVOICE:
            content = await self._client.content(f"/ledger/voucher/{id}/pdf")
        else:
            return None
        return File(f"{kind}-{id}.pdf", "application/pdf", content, "page") if content else None

    async def receivables(self) -> Receivables | None:
        """The balance sheet's customer accounts and the open rows on them; None where the key may not read them."""
        return await receivables(self._client, self._lookups)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused` ("operation-not-supported", and per kind)."""
        return [replace(step, timeout=self._timeout, settle=self._settle) for step in self._steps(goal)]

    def _steps(self, goal: Goal) -> Sequence[Step]:
        if (goal.kind, goal.operation) not in self.capabilities:
            raise Refused(
                f"Tripletex cannot be told to {goal.operation} this: {goal.kind}.",
                code="operation-not-supported",
                do="Do it in Tripletex; what changes there is read back.",
            )
        match goal.kind, goal.operation:
            case _, "link":
                return self._by_hand.flow(goal)
            case _, "note":
                return self._notes.flow(goal)
            case Kind.CUSTOMER, _:
                return self._customers.flow(goal)
            case Kind.SUPPLIER, _:
                return self._suppliers.flow(goal)
            case kind, _ if kind in REGISTERS:
                return self._registers.flow(goal)
            case Kind.SUPPLIER_INVOICE, "create":
                return self._incoming.flow(goal)
            case Kind.INVOICE, "create":
                return self._invoices.flow(goal)
            case Kind.INVOICE, "register":
                return self._registered.flow(goal)
            case Kind.EXTERNAL_INVOICE | Kind.EXTERNAL_CREDIT_NOTE, "create":
                return self._externals.flow(goal)
            case Kind.CREDIT_NOTE, "create":
                return self._credit_notes.flow(goal)
            case Kind.PAYMENT, "create" if (goal.record.get("invoice") or {}).get("id"):
                return self._payments.flow(goal)
            case Kind.PAYMENT, "create":
                return self._vouchers.money(goal)
            case Kind.SETTLEMENT, _:
                return self._settlements.flow(goal)
            case Kind.REVERSAL, "create":
                return self._vouchers.reversal(goal)
        raise AssertionError(f"the table has {goal.kind} {goal.operation}, and no flow does it")

    async def close(self) -> None:
        """End the session, as well as that goes, and close the connections."""
        await self._client.close()
