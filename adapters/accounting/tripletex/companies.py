"""Whose books a connection opens: the employee's own company, or a client company of an accountant's token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.accounting.tripletex.client import OSLO, PAGE, Client
from adapters.accounting.tripletex.incoming import PILOT
from adapters.accounting.tripletex.records import not_as_described
from adapters.accounting.tripletex.rights import NEEDED, missing_entitlements
from connector.errors import NeedsPerson, Refused, VendorError
from connector.ports import Company, Probe

_OWN = 0
"""User name of calls about the employee's own company: all that an accountant's token may use before it names one."""
_FIELDS = "id,name,organizationNumber"
_WHO = f"companyId,employeeId,company({_FIELDS})"


class Companies:
    """`company`: id of the company that the connection is about; 0: the employee's own. `incoming`: how incoming
    invoices are delivered, which asks for rights of its own.
    """

    def __init__(self, client: Client, company: int, incoming: str) -> None:
        self._client = client
        self._company = company
        self._incoming = incoming

    async def own(self) -> Company:
        """The company the connection is about, by one call where it may be read (two where the settings name none and
        the token is an accountant's). Raises `NeedsPerson` ("company-unclear").
        """
        if self._company:
            try:
                return _company(await self._client.get(f"/company/{self._company}", fields=_FIELDS))
            except (NeedsPerson, Refused) as exc:
                if exc.code == "sign-in":
                    raise
                return await self._chosen(await self.reached(), exc)
        path = "/token/session/>whoAmI"
        said = (await self._client.call("GET", path, params={"fields": _WHO})).json()
        value = said.get("value") if isinstance(said, dict) else None
        if not isinstance(value, Mapping) or type(value.get("companyId")) is not int:
            raise not_as_described("value.companyId", "an integer", path)
        there = value.get("company")
        there = there if isinstance(there, Mapping) else {}
        return _company({**there, "id": value["companyId"]})

    async def _chosen(self, reached: Sequence[Company], refused: VendorError) -> Company:
        """The company of the settings among those reached; its own page may be kept from the token."""
        for one in reached:
            if one.id == str(self._company):
                return one
        if not reached:
            raise refused
        raise NeedsPerson(
            f"The token does not reach company {self._company} in Tripletex.",
            code="company-unclear",
            status=refused.status,
            do=f"Set `company` to the id of one that it reaches: {_listed(reached)}.",
            details=[_shown(one) for one in reached],
        )

    async def reached(self) -> list[Company]:
        """Every company that the token opens. None where the token may not ask."""
        found: list[Company] = []
        while True:
            asked = {"from": len(found), "count": PAGE, "fields": _FIELDS}
            try:
                answer = await self._client.call("GET", "/company/>withLoginAccess", params=asked, company=_OWN)
            except (NeedsPerson, Refused) as exc:
                if exc.code == "sign-in":
                    raise
                return found
            said = answer.json()
            rows = said.get("values") if isinstance(said, dict) else None
            if not isinstance(rows, list) or not all(type(row.get("id")) is int for row in rows):
                raise not_as_described("values[].id", "an integer", "/company/>withLoginAccess")
            found += [_company(row) for row in rows]
            if len(rows) < PAGE:
                return found

    async def probe(self) -> Probe:
        """Whose books, which others the token opens, and which of the rights we need are missing."""
        own, reached = await self.own(), await self.reached()
        day = datetime.now(OSLO).date()
        end = day + timedelta(days=1)
        needed: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("Company information (Firmainformasjon)", f"/company/{own.id}", {}),
            ("Customers (Kunder)", "/customer", {}),
            ("Invoices (Faktura)", "/invoice", {"invoiceDateFrom": day, "invoiceDateTo": end}),
            ("Orders (Ordre)", "/order", {"orderDateFrom": day, "orderDateTo": end}),
            ("Ledger (Regnskap)", "/ledger/posting", {"dateFrom": day, "dateTo": end}),
            ("Payment types (Betalingstyper)", "/invoice/paymentType", {}),
            ("Products (Produkter)", "/product", {}),
            ("Departments (Avdelinger)", "/department", {}),
            ("Projects (Prosjekter), or the package has none", "/project", {}),
        )
        if self._incoming != "off":
            needed += (
                ("Suppliers (Leverandører)", "/supplier", {}),
                ("Incoming invoices (Leverandørfaktura)", "/supplierInvoice", needed[2][2]),
                ("Voucher reception (Bilagsmottak)", "/ledger/voucher/>voucherReception", {}),
            )
        missing = []
        for right, path, params in needed:
            try:
                if path.startswith("/company/"):
                    there = await self._client.get(path, fields=_FIELDS)
                    own = _company({"organizationNumber": own.organisation_number, "name": own.name, **there})
                else:
                    await self._client.rows(path, fields="id", count=1, **params)
            except (NeedsPerson, Refused) as exc:
                if exc.code not in ("right-missing", "vendor-not-found"):
                    raise
                missing.append(right)
        if not self._company and len(missing) == len(needed) and reached:
            # An accountant's token, and no client named: as user 0 it reaches nothing but this list.
            raise NeedsPerson(
                "The token is an accountant's, and the connection does not say which client company it is about.",
                code="company-unclear",
                do=f"Set `company` to the id of one that it reaches: {_listed(reached)}.",
                details=[_shown(one) for one in reached],
            )
        others = reached if len(reached) > 1 or [one.id for one in reached] not in ([], [own.id]) else []
        if self._incoming in PILOT:
            missing += await self._no_pilot()
        missing += await missing_entitlements(self._client)
        return Probe(own.name, own.organisation_number, missing, NEEDED, others)

    async def _no_pilot(self) -> list[str]:
        """`/incomingInvoice` is for pilot customers: whether this one is."""
        try:
            await self._client.call("GET", "/incomingInvoice/search", params={"count": 1})
        except NeedsPerson as exc:
            if exc.code not in ("right-missing", "module-missing"):
                raise
            return [
                f"The pilot of /incomingInvoice, which `incoming: {self._incoming}` needs; `incoming: pdf` does not"
            ]
        return []


def _company(row: Mapping[str, Any]) -> Company:
    number = row.get("organizationNumber")
    digits = "".join(filter(str.isdigit, str(number or "")))
    return Company(str(row["id"]), str(row.get("name") or f"Tripletex company {row['id']}"), digits or None)


def _shown(one: Company) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "organisation_number": one.organisation_number}


def _listed(companies: Sequence[Company]) -> str:
    shown = ", ".join(f"{one.id} ({one.name})" for one in companies[:20])
    return shown + (f" and {len(companies) - 20} more" if len(companies) > 20 else "")
