"""One company's books in Visma Net, as the house sees accounting systems."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.dimensions import Dimensions
from adapters.accounting.visma_net.files import MB, Files
from adapters.accounting.visma_net.items import Items
from adapters.accounting.visma_net.lines import Lines
from adapters.accounting.visma_net.notes import Notes
from adapters.accounting.visma_net.options import Choices
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.payments import Payments
from adapters.accounting.visma_net.places import Places
from adapters.accounting.visma_net.purchases import Purchases
from adapters.accounting.visma_net.reading import Reader
from adapters.accounting.visma_net.receivables import receivables
from adapters.accounting.visma_net.records import SALES
from adapters.accounting.visma_net.registers import CUSTOMERS, SUPPLIERS, Registers
from adapters.accounting.visma_net.releasing import Releasing
from adapters.accounting.visma_net.sales import Sales
from adapters.accounting.visma_net.token import Tokens
from adapters.accounting.visma_net.webhooks import Webhooks
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
    from adapters.accounting.visma_net import Secrets, Settings
    from connector.http import Http


NOTED = "A page among the files of the document."
CAPABILITIES: Capabilities = {
    (Kind.CUSTOMER, "create"): "Found by organisation number, else made.",
    (Kind.CUSTOMER, "update"): "Changed where nobody else has changed it since it was read.",
    (Kind.PRODUCT, "create"): "Found by number, else made: an item without stock, of the class that the settings name.",
    (Kind.PRODUCT, "update"): "Changed where nobody else has changed it since it was read.",
    (Kind.DEPARTMENT, "create"): "Found by code where the settings say that departments stand; never made.",
    (Kind.PROJECT, "create"): "Found by code where the settings say that projects stand; never made.",
    (Kind.DIMENSION, "create"): "Found by code where the settings say that the dimension stands; never made.",
    (Kind.INVOICE, "create"): "A draft, its totals compared, then released: Visma Net numbers it.",
    (Kind.CREDIT_NOTE, "create"): "A draft, its totals compared, applied to its invoice as far as that is open, then"
    " released.",
    (Kind.PAYMENT, "create"): "Registered on the invoice, no more than is open, and released; without an invoice, on"
    " the customer's account. In another currency than kroner on an account in that currency, with what the bank kept.",
    (Kind.REVERSAL, "create"): "The payment is voided: a row of its own under the same number, released.",
    (Kind.INVOICE, "note"): NOTED,
    (Kind.CREDIT_NOTE, "note"): NOTED,
}
"""What Visma Net can be told, and how that is done; the rest is refused before anything is sent."""
OWN_NUMBERS: Capabilities = {
    (Kind.INVOICE, "register"): "Issued elsewhere: among Visma Net's own invoices, under the number and KID it has.",
}
"""The same where the company's number series takes numbers of others."""
INCOMING: Capabilities = {
    (Kind.SUPPLIER, "create"): "Found by organisation number, else made.",
    (Kind.SUPPLIER, "update"): "Changed where nobody else has changed it since it was read; never its bank accounts.",
    (Kind.SUPPLIER_INVOICE, "create"): "Made on hold with its page and EHF attached, and released where the setting"
    " `incoming` says so; not where Visma Net has received it itself.",
    (Kind.SUPPLIER_INVOICE, "note"): NOTED,
}
"""The same for incoming invoices, by the setting `incoming`."""
_NAMED = (Kind.PRODUCT, Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION)
"""What lines of documents name."""
READINGS: Sequence[Reading] = (
    Reading(Kind.CUSTOMER, timedelta(minutes=15), holes=True),
    Reading(Kind.PRODUCT, timedelta(minutes=30), holes=True),
    Reading(Kind.INVOICE, timedelta(minutes=15), holes=True, after=(Kind.CUSTOMER, *_NAMED)),
    Reading(Kind.CREDIT_NOTE, timedelta(minutes=15), holes=True, after=(Kind.CUSTOMER, Kind.INVOICE, *_NAMED)),
    Reading(Kind.PAYMENT, timedelta(minutes=10), holes=True, after=(Kind.CUSTOMER, Kind.INVOICE)),
)
"""What is deleted is never told, so all of them have holes."""
PURCHASES: Sequence[Reading] = (
    Reading(Kind.SUPPLIER, timedelta(minutes=15), holes=True),
    Reading(Kind.SUPPLIER_INVOICE, timedelta(minutes=15), holes=True, after=(Kind.SUPPLIER,)),
)


class VismaNet:
    """An open connection; makes no call before it is asked for something."""

    hooks: Hooks | None = None

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        client_id, secret = secrets.client_id.get_secret_value(), secrets.client_secret.get_secret_value()
        # Calls are counted per company and client; the key names the pair without telling it.
        digest = hashlib.sha256(f"visma-net lane {settings.base_url} {client_id} {settings.tenant_id}".encode())
        self.lane = Lane(f"visma-net:{digest.hexdigest()[:16]}", width=settings.width)
        tokens = Tokens(
            settings.token_url, client_id=client_id, client_secret=secret, tenant_id=settings.tenant_id, api=http
        )
        incoming = settings.incoming != "off"
        places = Places(settings.dimensions, settings.empty_segments)
        self.readings: Sequence[Reading] = (
            *READINGS,
            *(Reading(kind, timedelta(minutes=30), holes=True) for kind in places.kinds),
            *(PURCHASES if incoming else ()),
        )
        self.capabilities: Capabilities = {
            **CAPABILITIES,
            **(OWN_NUMBERS if settings.own_numbers else {}),
            **(INCOMING if incoming else {}),
        }
        if signs := secrets.webhook_secret:
            key = signs.get_secret_value()
            self.hooks = Webhooks(key, settings.tenant_id, [reading.kind for reading in self.readings])
            http.keep_secret(key)
        self._tenant, self._address = settings.tenant_id, settings.base_url.rstrip("/")
        self._timeout, self._settle = settings.timeout, settings.settle
        self._receivable = settings.receivable_accounts
        self._client = Client(http, tokens)
        parties, releasing = Parties(self._client), Releasing(self._client, settings.release_hours)
        self._parties = parties
        self._dimensions = Dimensions(self._client, places)
        self._choices = Choices(self._client, self._dimensions)
        self._items = Items(self._client, settings.item_class)
        lines = Lines(self._client, places, self._items)
        self._reader = Reader(self._client, parties, lines, self._dimensions)
        self._customers = Registers(self._client, CUSTOMERS)
        self._suppliers = Registers(self._client, SUPPLIERS)
        files = Files(self._client, settings.attachment_mb * MB)
        self._sales = Sales(self._client, parties, releasing, files, lines, settings.branch, settings.settle)
        self._notes = Notes(files)
        self._purchases = Purchases(
            self._client,
            releasing,
            files,
            lines,
            way=settings.incoming,
            account=settings.incoming_account,
            branch=settings.branch,
        )
        self._payments = Payments(
            self._client,
            parties,
            releasing,
            method=settings.payment_method,
            account=settings.cash_account,
            accounts=settings.cash_accounts,
            fee_type=settings.fee_entry_type,
            branch=settings.branch,
            settle=settings.settle,
        )

    async def company(self) -> Company:
        """Whose books these are. Raises `NeedsPerson` ("company-unclear", "sign-in", "right-missing")."""
        # Codes of organisations repeat from company to company; a tenant is one company's.
        return replace(await self._choices.company(), id=self._tenant, at=self._address)

    async def probe(self) -> Probe:
        """Whose books these are, and what our client may not read. Raises `NeedsPerson`."""
        return await self._choices.probe()

    async def options(self) -> Options:
        """What this company's Visma Net takes now. Raises `NeedsPerson` ("sign-in")."""
        return await self._choices.read()

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, then what changes. Makes no call."""
        return self._reader.begin(kind, since)

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor. Raises `BadInput` ("cursor-malformed")."""
        return await self._reader.changes(kind, cursor)

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); customers have no date, so all of them."""
        return await self._reader.sweep(kind, since, until, cursor)

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now; None where Visma Net has none, or has not released it."""
        return await self._reader.read(kind, id)

    async def document(self, kind: Kind, id: str) -> File | None:
        """The PDF of an invoice or credit note; None where Visma Net has none."""
        if kind not in SALES:
            return None
        content = await self._client.content(f"{SALES[kind].path}/{segment(id)}/print")
        return File(f"{kind}-{id}.pdf", "application/pdf", content, "page") if content else None

    async def receivables(self) -> Receivables | None:
        """What customers owe, now; None where our client may not read it, or something open is in another currency."""
        return await receivables(self._client, self._parties, self._receivable)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused` ("operation-not-supported", and per kind)."""
        return [replace(step, timeout=self._timeout, settle=self._settle) for step in self._steps(goal)]

    def _steps(self, goal: Goal) -> Sequence[Step]:
        match goal.kind, goal.operation:
            case _, "note" if (goal.kind, goal.operation) in self.capabilities:
                return self._notes.flow(goal)
            case Kind.PRODUCT, "create" | "update":
                return self._items.flow(goal)
            case ((Kind.DEPARTMENT | Kind.PROJECT | Kind.DIMENSION), "create"):
                return self._dimensions.flow(goal)
            case Kind.CUSTOMER, "create" | "update":
                return self._customers.flow(goal)
            case (Kind.INVOICE, "create" | "register") | (Kind.CREDIT_NOTE, "create"):
                return self._sales.flow(goal)
            case Kind.SUPPLIER, "create" | "update":
                return self._suppliers.flow(goal)
            case Kind.SUPPLIER_INVOICE, "create":
                return self._purchases.flow(goal)
            case Kind.PAYMENT, "create":
                return self._payments.flow(goal)
            case Kind.REVERSAL, "create":
                return self._payments.reversal(goal)
        raise Refused(
            f"This cannot be done to a {goal.kind} in Visma Net from here.",
            code="operation-not-supported",
            do="Do it in Visma Net; what changes there is read back.",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
