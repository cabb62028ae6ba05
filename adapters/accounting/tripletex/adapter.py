"""One company's books in Tripletex, as the house sees accounting systems."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adapters.accounting.tripletex.client import OSLO, Client
from adapters.accounting.tripletex.credit_notes import CreditNotes
from adapters.accounting.tripletex.customers import Customers
from adapters.accounting.tripletex.invoices import Invoices
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.payments import Payments
from adapters.accounting.tripletex.reading import Numbers, Reader
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.registers import REGISTERS, Registers
from adapters.accounting.tripletex.vouchers import Vouchers
from connector.errors import NeedsPerson, Refused
from connector.ports import Capabilities, Goal, Kind, Lane, Page, Probe, Reading, Record, Step

if TYPE_CHECKING:
    from adapters.accounting.tripletex import Secrets, Settings
    from connector.http import Http


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
    (Kind.REVERSAL, "create"): "As a voucher.",
}
"""What Tripletex can be told, and how that is done; the rest is refused before anything is sent."""


class Tripletex:
    """An open connection; makes no call before it is asked for something."""

    readings: Sequence[Reading] = (
        Reading(Kind.CUSTOMER, timedelta(minutes=15), holes=True),
        Reading(Kind.PRODUCT, timedelta(minutes=30), holes=True),
        Reading(Kind.DEPARTMENT, timedelta(minutes=30), holes=True),
        Reading(Kind.PROJECT, timedelta(minutes=30), holes=True),
        Reading(Kind.DIMENSION, timedelta(minutes=30), holes=True),
        Reading(Kind.INVOICE, timedelta(minutes=15), holes=True),
        Reading(Kind.PAYMENT, timedelta(minutes=10), holes=True),
    )

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        token = secrets.employee_token.get_secret_value()
        # Calls are counted per employee token; the key names it without telling it.
        digest = hashlib.sha256(f"tripletex lane {settings.base_url} {token}".encode()).hexdigest()[:16]
        self.lane = Lane(f"tripletex:{digest}", width=settings.width)
        self._client = Client(
            http,
            consumer_token=secrets.consumer_token.get_secret_value(),
            employee_token=token,
            company=settings.company,
            days=settings.session_days,
            legacy=settings.legacy_session,
        )
        self._company = settings.company
        self._timeout, self._settle = settings.timeout, settings.settle
        lookups, numbers = Lookups(self._client, settings.payment_type), Numbers(self._client)
        self._registers = Registers(self._client, lookups, settings.project_manager)
        self._reader = Reader(self._client, numbers, self._registers, settings.poll_days)
        self._customers = Customers(self._client, lookups)
        self._invoices = Invoices(self._client, lookups, numbers.seen)
        self._credit_notes = CreditNotes(self._client, self._invoices, numbers.seen)
        self._payments = Payments(self._client, lookups, numbers.seen)
        self._vouchers = Vouchers(self._client, lookups)

    async def probe(self) -> Probe:
        """Whose books these are, and which of the rights we need are missing. Raises `NeedsPerson`."""
        company = self._company or await self._who()
        there: Mapping[str, Any] = {"name": f"Tripletex company {company}"}
        missing = []
        try:
            there = await self._client.get(f"/company/{company}", fields="id,name,organizationNumber")
        except (NeedsPerson, Refused) as exc:
            if exc.code == "sign-in":
                raise
            missing.append("Company information (Firmainformasjon)")
        day = datetime.now(OSLO).date()
        end = day + timedelta(days=1)
        needed: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("Customers (Kunder)", "/customer", {}),
            ("Invoices (Faktura)", "/invoice", {"invoiceDateFrom": day, "invoiceDateTo": end}),
            ("Orders (Ordre)", "/order", {"orderDateFrom": day, "orderDateTo": end}),
            ("Ledger (Regnskap)", "/ledger/posting", {"dateFrom": day, "dateTo": end}),
            ("Payment types (Betalingstyper)", "/invoice/paymentType", {}),
        )
        for right, path, params in needed:
            try:
                await self._client.rows(path, fields="id", count=1, **params)
            except NeedsPerson as exc:
                if exc.code != "right-missing":
                    raise
                missing.append(right)
        return Probe(str(there.get("name", company)), there.get("organizationNumber") or None, missing)

    async def _who(self) -> int:
        path = "/token/session/>whoAmI"
        body = (await self._client.call("GET", path, params={"fields": "companyId,employeeId"})).json()
        value = body.get("value") if isinstance(body, dict) else None
        company = value.get("companyId") if isinstance(value, dict) else None
        if not isinstance(company, int):
            raise not_as_described("value.companyId", "an integer", path)
        return company

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
        """One record as it is now; None where Tripletex has none."""
        return await self._reader.read(kind, id)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused` ("operation-not-supported", and per kind)."""
        return [replace(step, timeout=self._timeout, settle=self._settle) for step in self._steps(goal)]

    def _steps(self, goal: Goal) -> Sequence[Step]:
        match goal.kind, goal.operation:
            case Kind.CUSTOMER, _:
                return self._customers.flow(goal)
            case kind, _ if kind in REGISTERS:
                return self._registers.flow(goal)
            case Kind.INVOICE, "create":
                return self._invoices.flow(goal)
            case Kind.CREDIT_NOTE, "create":
                return self._credit_notes.flow(goal)
            case Kind.PAYMENT, "create" if (goal.record.get("invoice") or {}).get("id"):
                return self._payments.flow(goal)
            case Kind.PAYMENT, "create":
                return self._vouchers.money(goal)
            case Kind.REVERSAL, "create":
                return self._vouchers.reversal(goal)
        raise Refused(
            f"An issued {goal.kind} cannot be changed in Tripletex.",
            code="operation-not-supported",
            do="Do it in Tripletex; what changes there is read back.",
        )

    async def close(self) -> None:
        """End the session, as well as that goes, and close the connections."""
        await self._client.close()
