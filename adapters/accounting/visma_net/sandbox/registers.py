"""Items and dimensions in the sandbox: what a company's inventory holds, and what a line may be booked with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.store import Row, Store

STATUSES = {"Active", "NoSales", "NoPurchases", "NoRequest", "Inactive", "MarkedForDeletion"}
SEGMENTS: Mapping[int, tuple[str, Mapping[str, str]]] = {
    1: ("Avdeling", {"000": "Ingen", "10": "Salg", "20": "Kantine", "90": "Nedlagt"}),
    2: ("Kampanje", {"00": "Ingen", "K1": "Vinter", "K2": "Sommer"}),
}
"""The segments that the subaccounts of a new company are cut into, with their values; 90 is closed."""
OF_ACCOUNTS: Mapping[str, Mapping[int, str]] = {"3001": {1: "20"}}
"""What an account says of segments that a line leaves open: sales at the middle rate are the canteen's."""
BRANCHES = {"1": "Oslo", "2": "Bergen"}
CLASSES = {"NONSTOCK": "NonStockItem", "STOCK": "FinishedGoodItem"}
ALL_UNITS = "STK"


class Registers(Store):
    """A company's items, projects, branches and the segments of its subaccounts."""

    def __init__(self) -> None:
        super().__init__()
        self._items = itertools.count(7_001)
        self._projects = itertools.count(801)
        for at, (_, values) in SEGMENTS.items():
            for code, what in values.items():
                self.add_value(at, code, what, active=code != "90")
        for number, name in BRANCHES.items():
            self.keep("branch", number, {"number": number, "name": name})
        self.add_project("X", "Ikke prosjekt")
        self.add_project("P1", "Nytt bygg")
        self.add_project("P2", "Ferdig bygg", status="Completed")

    # --- what a bookkeeper does in the program ------------------------------------------------------------------------

    def add_value(self, segment: int, code: str, what: str, *, active: bool = True) -> Row:
        """A value of a segment."""
        row: Row = {"segmentId": segment, "valueId": code, "description": what, "active": active}
        return self.keep("segment", f"{segment}/{code}", row)

    def add_project(self, code: str, what: str, *, status: str = "Active") -> Row:
        """A project."""
        id = 0 if code == "X" else next(self._projects)
        return self.keep("project", code, {"internalID": id, "projectID": code, "description": what, "status": status})

    # --- items --------------------------------------------------------------------------------------------------------

    def add_item(self, said: Said) -> Row:
        """A new item. Raises `SandboxError`."""
        number, kind = said.text("inventoryNumber") or "", said.text("itemClass") or ""
        if not number or not said.text("description"):
            raise invalid("Error creating item. Error: 'Item ID' and 'Description' cannot be empty.")
        if number in self.tables.get("inventory", {}):
            raise invalid(f"Error creating item. Error: The item ID '{number}' already exists.")
        if kind not in CLASSES:
            raise unknown("Item class", kind)
        type = said.text("type") or CLASSES[kind]
        row: Row = {
            "inventoryId": next(self._items), "inventoryNumber": number, "status": "Active", "type": type,
            "itemClass": {"id": kind, "type": CLASSES[kind]}, "stockItem": CLASSES[kind] == "FinishedGoodItem",
            "baseUnit": ALL_UNITS, "salesUnit": ALL_UNITS, "purchaseUnit": ALL_UNITS,
            "vatCode": {"id": "3", "description": "Utgående mva 25 %"}, "accountInformation": {},
        }  # fmt: skip
        self._item(row, said)
        return self.keep("inventory", number, row)

    def change_item(self, row: Row, said: Said) -> None:
        """Change what is said; what is left out stays. Raises `SandboxError`."""
        self._item(row, said)
        self.touch(row)

    def _item(self, row: Row, said: Said) -> None:
        status = said.text("status")
        if status is not None and status not in STATUSES:
            raise invalid(f"The status '{status}' is not valid.")
        if said.has("description") and not said.text("description"):
            raise invalid("Error updating item. Error: 'Description' cannot be empty.")
        code, account = said.text("vatCode"), said.text("salesAccount")
        vat = self.find("vat", code) if code else None
        if code and vat is None:
            raise unknown("TaxCategoryID", code)
        there = self.find("account", account) if account else None
        if account and there is None:
            raise unknown("Account", account)
        row |= {name: said.text(name) for name in ("description", "status") if said.has(name)}
        if said.has("defaultPrice"):
            row["defaultPrice"] = said.number("defaultPrice")
        if vat is not None:
            row["vatCode"] = {"id": code, "description": vat["description"]}
        if there is not None:
            told = {"number": account, "description": there["description"], "type": there["type"]}
            row["accountInformation"] = {"salesAccount": told}

    def sold(self, number: str | None) -> dict[str, Any]:
        """What a line says of the item it names. Raises `SandboxError`."""
        if number is None:
            return {}
        row = self.find("inventory", number)
        if row is None:
            raise unknown("Inventory item", number)
        if row["status"] in ("Inactive", "NoSales", "MarkedForDeletion"):
            raise invalid(f"Error: The item status of '{number}' is '{row['status']}'.")
        if row["stockItem"]:
            raise invalid(f"Error: Inventory item '{number}' is a stock item. Only a non-stock item can be selected.")
        return {"inventoryNumber": number}

    # --- dimensions ---------------------------------------------------------------------------------------------------

    def booked_with(self, said: Said) -> dict[str, Any]:
        """Subaccount and branch of a line: what is not said is as its account or the company has it.

        Raises `SandboxError`.
        """
        values = {at: next(iter(codes)) for at, (_, codes) in SEGMENTS.items()}
        values |= OF_ACCOUNTS.get(said.text("accountNumber") or "", {})
        for one in said.fields.get("subaccount") or []:
            if not isinstance(one, dict) or set(one) != {"segmentId", "segmentValue"}:
                raise invalid("The request is invalid.")  # wrapped, as the rest is
            at, code = one["segmentId"], one["segmentValue"]
            row = self.find("segment", f"{at}/{code}")
            if row is None:
                raise unknown(f"Subaccount segment {at} value", code)
            if not row["active"]:
                raise invalid(f"Error: Subaccount segment value '{code}' is inactive.")
            values[at] = code
        branch = said.text("branchNumber") or "1"
        there = self.find("branch", branch)
        if there is None:
            raise unknown("Branch", branch)
        return {
            "subaccount": {
                "subaccountNumber": "-".join(values[at] for at in sorted(values)),
                "active": True,
                "segments": [
                    {"segmentId": at, "segmentDescription": SEGMENTS[at][0], "segmentValue": code}
                    for at, code in sorted(values.items())
                ],
            },
            "branchNumber": {"number": branch, "name": there["name"]},
        }

    def worked_for(self, row: Row | None, code: Any) -> dict[str, Any]:
        """What is said of the project that something is booked on; non-project where none is named.

        Raises `SandboxError`.
        """
        row = self.tables["project"]["X"] if row is None and code is None else row
        if row is None:
            raise unknown("Project", code)
        if row["status"] != "Active":
            raise invalid(f"Error: Project '{row['projectID']}' is inactive: its status is '{row['status']}'.")
        return {"project": {"internalId": row["internalID"], "id": row["projectID"], "description": row["description"]}}
