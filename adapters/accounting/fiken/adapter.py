"""One company's books in Fiken, as the house sees accounting systems."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from adapters.accounting.fiken.attachments import Attachments
from adapters.accounting.fiken.client import Client
from adapters.accounting.fiken.companies import Companies
from adapters.accounting.fiken.contacts import CUSTOMERS, SUPPLIERS, Contacts
from adapters.accounting.fiken.credit_notes import CreditNotes
from adapters.accounting.fiken.explaining import Explaining
from adapters.accounting.fiken.external import Externals
from adapters.accounting.fiken.invoices import Invoices
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.notes import Notes
from adapters.accounting.fiken.on_account import OnAccount, entry_of
from adapters.accounting.fiken.options import Choices
from adapters.accounting.fiken.payments import Payments
from adapters.accounting.fiken.purchases import Purchases
from adapters.accounting.fiken.reading import Reader
from adapters.accounting.fiken.receivables import receivables
from adapters.accounting.fiken.registers import Registers
from connector.errors import Refused
from connector.options import Options
from connector.ports import (
    Capabilities,
    Company,
    ConnectionConfig,
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
    from adapters.accounting.fiken import Secrets, Settings
    from connector.http import Http

NOTED = "A page among the files of its sale, which are not sent to the customer."
CAPABILITIES: Capabilities = {
    (Kind.CUSTOMER, "create"): "Found by organisation number, else made.",
    (Kind.CUSTOMER, "update"): "Changed as a whole, if nobody has changed it meanwhile.",
    (Kind.PRODUCT, "create"): "Found by product number, else made.",
    (Kind.PRODUCT, "update"): "Changed as a whole, if nobody has changed it meanwhile.",
    (Kind.PROJECT, "create"): "Found by number, else made, starting today.",
    (Kind.PROJECT, "update"): "Changed, if nobody has changed it meanwhile.",
    (Kind.INVOICE, "create"): "A draft, its totals compared, then invoiced: Fiken numbers it.",
    (
        Kind.CREDIT_NOTE,
        "create",
    ): "A draft to compare the totals with, then the invoice is credited in whole or in part."
    " Invoices that Fiken has issued only.",
    (Kind.INVOICE, "note"): NOTED,
    (Kind.EXTERNAL_INVOICE, "note"): NOTED,
    (Kind.EXTERNAL_INVOICE, "create"): "Issued elsewhere: as a sale (annet salg) with the document attached.",
    (
        Kind.PAYMENT,
        "create",
    ): "Registered on the sale of an invoice, no more than is open; what settles none, and refunds, as a free entry"
    " (fri postering) on the customer's account.",
}
"""What Fiken can be told, and how that is done; the rest is refused before anything is sent."""
INCOMING: Capabilities = {
    (Kind.SUPPLIER, "create"): "Found by organisation number, else made.",
    (Kind.SUPPLIER, "update"): "Changed as a whole, if nobody has changed it meanwhile; never its bank account.",
}
"""The same for incoming invoices, unless they are switched off."""
WAYS: Mapping[str, Capabilities] = {
    "off": {},
    "inbox": {**INCOMING, (Kind.SUPPLIER_INVOICE, "create"): "Its page, with the EHF in it, into the inbox."},
    "book": {
        **INCOMING,
        (Kind.SUPPLIER_INVOICE, "create"): "Booked as a purchase by VAT type, with its page and the EHF in it attached;"
        " not where Fiken has it already. No credit notes.",
        (Kind.SUPPLIER_INVOICE, "note"): "A page among the files of its purchase.",
    },
}
"""The same by the setting `incoming`."""
READINGS: Sequence[Reading] = (
    Reading(Kind.CUSTOMER, timedelta(hours=1), holes=True),
    Reading(Kind.PRODUCT, timedelta(hours=4), holes=True),
    Reading(Kind.PROJECT, timedelta(hours=4), holes=True),
    Reading(Kind.INVOICE, timedelta(minutes=15), holes=True, after=(Kind.CUSTOMER, Kind.PRODUCT, Kind.PROJECT)),
    Reading(Kind.CREDIT_NOTE, timedelta(minutes=30), holes=True, after=(Kind.CUSTOMER, Kind.INVOICE)),
    Reading(Kind.PAYMENT, timedelta(minutes=15), holes=True, after=(Kind.CUSTOMER, Kind.INVOICE)),
)
PURCHASES: Sequence[Reading] = (
    Reading(Kind.SUPPLIER, timedelta(hours=1), holes=True),
    Reading(Kind.SUPPLIER_INVOICE, timedelta(hours=1), holes=True, after=(Kind.SUPPLIER,)),
)
"""Calls come one at a time, so what changes daily is read often and the rest seldom."""


class Fiken:
    """An open connection; makes no call before it is asked for something."""

    hooks: Hooks | None = None
    """Fiken has no webhooks."""

    def __init__(self, connection: ConnectionConfig, settings: Settings, secrets: Secrets, http: Http) -> None:
        own = secrets.token.get_secret_value() if secrets.token else None
        grant = connection.grant
        assert own or grant is not None

        async def access(refused: str | None) -> str | None:
            if own is not None:
                return own if refused is None else None
            assert grant is not None
            return await grant.token(refused=refused)

        # Calls are counted by user, whichever company they are about; the key names him without telling who he is.
        digest = hashlib.sha256(f"{settings.base_url} {own or settings.user or connection.id}".encode()).hexdigest()[
            :16
        ]
        self.lane = Lane(f"fiken:{digest}", width=1, spacing=settings.spacing)
        self.capabilities: Capabilities = {**CAPABILITIES, **WAYS[settings.incoming]}
        self.readings: Sequence[Reading] = (*READINGS, *(PURCHASES if settings.incoming != "off" else ()))
        self._address = settings.base_url.rstrip("/")
        self._timeout, self._settle = settings.timeout, settings.settle
        self._companies = Companies(settings.company, settings.user)
        self._client = client = Client(
            http, token=access, slug=self._companies.slug, user=self.lane.key, spacing=settings.spacing
        )
        self._companies.client = client
        lookups = Lookups(client, settings.payment_account, settings.invoice_account)
        explaining, files = Explaining(client, lookups), Attachments(client, settings.attachment_mb)
        self._choices = Choices(client, self._companies, lookups)
        self._reader = Reader(client, lookups, settings.open_hours)
        self._customers, self._suppliers = Contacts(client, CUSTOMERS), Contacts(client, SUPPLIERS)
        self._registers = Registers(client)
        self._invoices = Invoices(client, lookups, explaining, files)
        self._credit_notes = CreditNotes(client, lookups, explaining, self._reader.credit_note)
        self._externals = Externals(client, lookups, explaining, files)
        self._notes = Notes(client, files)
        self._on_account = OnAccount(client, lookups, explaining)
        self._payments = Payments(client, lookups, explaining, self._on_account)
        self._purchases = Purchases(
            client, lookups, explaining, files, way=settings.incoming, account=settings.incoming_account
        )

    async def company(self) -> Company:
        """Whose books these are. Raises `NeedsPerson` ("company-unclear", "sign-in", "access-lost")."""
        return replace(await self._companies.own(), at=self._address)

    async def probe(self) -> Probe:
        """Whose books these are, and what is missing. Raises `NeedsPerson`."""
        return await self._companies.probe()

    async def options(self) -> Options:
        """What this company's Fiken takes now. Raises `NeedsPerson`."""
        return await self._choices.read()

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, then what changes. Makes no call."""
        return await self._reader.begin(kind, since)

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor. Raises `BadInput` ("cursor-malformed")."""
        return await self._reader.changes(kind, cursor)

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); registers have no date, so all of them."""
        return await self._reader.sweep(kind, since, until, cursor)

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now; None where Fiken has none."""
        if kind is Kind.PAYMENT and (entry := entry_of(id)):
            return await self._on_account.read(entry)
        return await self._reader.read(kind, id)

    async def document(self, kind: Kind, id: str) -> File | None:
        """The PDF of an invoice, a credit note or an incoming invoice; None where Fiken has none."""
        address = await self._reader.page(kind, id)
        content = await self._client.content(address) if address else None
        if content is None or not content.startswith(b"%PDF"):
            return None
        return File(f"{kind}-{id.replace('/', '-')}.pdf", "application/pdf", content, "page")

    async def receivables(self) -> Receivables | None:
        """What customers owe: by the balance of their accounts, and by what is open of sales and credit notes."""
        return await receivables(self._client, self._reader.credit_note)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused` ("operation-not-supported", and per kind)."""
        return [replace(step, timeout=self._timeout, settle=self._settle) for step in self._steps(goal)]

    def _steps(self, goal: Goal) -> Sequence[Step]:
        asked = (goal.kind, goal.operation)
        if asked not in self.capabilities:
            off = asked in WAYS["book"]
            raise Refused(
                f"A {goal.kind} cannot be told to Fiken this way ({goal.operation})"
                + (": incoming invoices are switched off." if off else "."),
                code="operation-not-supported",
                do="Set `incoming` in the connection's settings."
                if off
                else "Do it in Fiken; what changes there is read back.",
            )
        match asked:
            case _, "note":
                return self._notes.flow(goal)
            case Kind.CUSTOMER, "create" | "update":
                return self._customers.flow(goal)
            case Kind.SUPPLIER, "create" | "update":
                return self._suppliers.flow(goal)
            case Kind.PRODUCT | Kind.PROJECT, "create" | "update":
                return self._registers.flow(goal)
            case Kind.INVOICE, "create":
                return self._invoices.flow(goal)
            case Kind.CREDIT_NOTE, "create":
                return self._credit_notes.flow(goal)
            case Kind.EXTERNAL_INVOICE, "create":
                return self._externals.flow(goal)
            case Kind.PAYMENT, "create":
                return self._payments.flow(goal)
        return self._purchases.flow(goal)

    async def close(self) -> None:
        """Free the sockets."""
        await self._client.close()
