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
from adapters.accounting.tripletex.external import Externals
from adapters.accounting.tripletex.invoices import Invoices
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.payments import Payments
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.reading import Numbers, Reader
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.registered import Registered
from adapters.accounting.tripletex.rights import NEEDED, missing_entitlements
from adapters.accounting.tripletex.settlements import Settlements
from adapters.accounting.tripletex.vouchers import Vouchers
from connector.errors import NeedsPerson, Refused
from connector.ports import Capabilities, Goal, Kind, Lane, Page, Probe, Reading, Record, Step

if TYPE_CHECKING:
    from adapters.accounting.tripletex import Secrets, Settings
    from connector.http import Http


CAPABILITIES: Capabilities = {
    (Kind.CUSTOMER, "create"): "Found by organisation number, else made.",
    (Kind.CUSTOMER, "update"): "Changed with the version that was read.",
    (Kind.INVOICE, "create"): "An order, its totals compared, then invoiced: Tripletex numbers it.",
    (Kind.CREDIT_NOTE, "create"): "Over a whole invoice `:createCreditNote`; over a part an order below zero, its"
    " totals compared, then invoiced as a credit note of the invoice. Invoices of Tripletex' own register only.",
    (Kind.PAYMENT, "create"): "Registered on the invoice, no more than is open; without an invoice, as a voucher.",
    (Kind.SETTLEMENT, "create"): "Credit of the customer is matched with its invoice; an advance or a rounding is a"
    " voucher first, on the account that the mapping names.",
    (Kind.SETTLEMENT, "update"): "Matched with its invoice, once the rows come to nothing together.",
    (Kind.REVERSAL, "create"): "As a voucher.",
}
"""What Tripletex can be told, and how that is done; the rest is refused before anything is sent."""
EXTERNAL: Mapping[str, Capabilities] = {
    "voucher": {
        (Kind.EXTERNAL_INVOICE, "create"): "Issued elsewhere: as a voucher with the customer's row, income by account"
        " and VAT code, and the document attached.",
        (Kind.EXTERNAL_CREDIT_NOTE, "create"): "Issued elsewhere: as a voucher, matched with its invoice where the two"
        " sides come to nothing.",
    },
    "invoice": {
        (Kind.INVOICE, "register"): "Issued elsewhere: among Tripletex' own invoices, under the number it has.",
    },
}
"""The same for what was issued elsewhere, by the setting `external_invoices`."""


class Tripletex:
    """An open connection; makes no call before it is asked for something."""

    readings: Sequence[Reading] = (
        Reading(Kind.CUSTOMER, timedelta(minutes=15), holes=True),
        Reading(Kind.INVOICE, timedelta(minutes=15), holes=True),
        Reading(Kind.PAYMENT, timedelta(minutes=10), holes=True),
    )

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
        self.capabilities: Capabilities = {**CAPABILITIES, **EXTERNAL[settings.external_invoices]}
        self._company = settings.company
        self._timeout, self._settle = settings.timeout, settings.settle
        lookups, numbers = Lookups(self._client, settings.payment_type), Numbers(self._client)
        periods = Periods(self._client)
        self._reader = Reader(self._client, numbers, lookups.customer_range, settings.poll_days)
        self._customers = Customers(self._client, lookups)
        self._invoices = Invoices(self._client, lookups, periods, numbers.seen)
        self._credit_notes = CreditNotes(self._client, self._invoices, periods, numbers.seen)
        self._vouchers = Vouchers(self._client, lookups, periods)
        self._settlements = Settlements(self._client, lookups, periods, self._vouchers)
        self._payments = Payments(self._client, lookups, periods, self._vouchers, numbers.seen)
        self._registered = Registered(self._client, self._invoices)
        self._externals = Externals(self._client, lookups)

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
        missing += await missing_entitlements(self._client)
        return Probe(str(there.get("name", company)), there.get("organizationNumber") or None, missing, NEEDED)

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
        """A page of everything dated in [since, until); customers have no date, so all of them."""
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
        raise Refused(
            f"An issued {goal.kind} cannot be changed in Tripletex.",
            code="operation-not-supported",
            do="Do it in Tripletex; what changes there is read back.",
        )

    async def close(self) -> None:
        """End the session, as well as that goes, and close the connections."""
        await self._client.close()
