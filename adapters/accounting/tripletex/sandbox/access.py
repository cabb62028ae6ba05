"""What a token may see and do: the employee's rights, the company's package, and records kept from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from adapters.accounting.tripletex.sandbox.chart import ENTITLEMENTS
from adapters.accounting.tripletex.sandbox.rules import Rules

_GUARDS = tuple(
    (re.compile(calls), right)
    for calls, right in (
        (r"(POST|PUT|GET) /ledger/voucher/(importDocument|>voucherReception)", "incoming"),
        (r"\w+ /(supplierInvoice|incomingInvoice)\b", "incoming"),
        (r"(POST|PUT|DELETE) /ledger/(voucher|posting)\b", "voucher"),
        (r"GET /ledger/(voucher/|voucher$|posting|closeGroup|openPost|accountingPeriod)", "ledger"),
        (r"GET /balanceSheet\b", "ledger"),
        (r"GET /invoice/paymentType", ""),
        (r"\w+ /(order|invoice|reminder)\b", "sales"),
        (r"\w+ /(customer|contact)\b", "customer"),
        (r"\w+ /supplier\b", "supplier"),
        (r"\w+ /product\b", "product"),
        (r"\w+ /project\b", "project"),
        (r"\w+ /department\b", "department"),
        (r"\w+ /event\b", "webhook"),
    )
)
_OF_TYPE = {"customer": "customer", "contact": "customer", "supplier": "supplier", "product": "product",
            "project": "project", "department": "department", "order": "sales", "invoice": "sales",
            "supplierInvoice": "incoming", "posting": "ledger", "closeGroup": "ledger"}  # fmt: skip
_FIELDS = {("invoice", "voucher"): "ledger", ("invoice", "postings"): "ledger",
           ("supplierInvoice", "payments"): "ledger", ("supplierInvoice", "voucher"): "ledger"}  # fmt: skip
_MODULES = {"PRO", "PROJECT"}
_LINK_FIELDS = {"department": "department", "project": "project"}


@dataclass
class Access:
    """One employee token.

    Args:
        companies: ids of the companies it reaches.
        home: id of the company of the employee: what user `0` means.
        office: whether it is an accountant's: then user `0` reaches only what says which companies there are.
        rights: keys of `chart.ENTITLEMENTS`.
        hidden: ids of records kept from it, by type.
        hidden_fields: fields kept from it, by type and name.
    """

    companies: list[int]
    home: int
    office: bool = False
    rights: set[str] = field(default_factory=lambda: set(ENTITLEMENTS))
    hidden: dict[str, set[int]] = field(default_factory=dict)
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)

    def shrink(self, rights: Iterable[str]) -> None:
        """Take rights away. Raises KeyError for one that does not exist."""
        for right in rights:
            self.rights.discard(right) if right in ENTITLEMENTS else ENTITLEMENTS[right]

    def lacks(self, method: str, path: str) -> str | None:
        """The right that a call needs and the token has not."""
        for calls, right in _GUARDS:
            if calls.match(f"{method} {path}"):
                return right if right and right not in self.rights else None
        return None

    def sees(self, type: str, id: int) -> bool:
        """Whether a record is there for it."""
        right = _OF_TYPE.get(type)
        return (right is None or right in self.rights) and id not in self.hidden.get(type, ())

    def hiding(self, rules: Rules) -> Callable[[str, str], bool] | None:
        """Which fields (type, name) are silently missing; None: none are."""
        whole = self.rights.issuperset(ENTITLEMENTS) and rules.modules.issuperset(_MODULES)
        return None if whole and not self.hidden_fields else partial(self.hides, rules)

    def hides(self, rules: Rules, type: str, name: str) -> bool:
        """Whether a field is silently missing: by rights, or by the package."""
        if (type, name) in self.hidden_fields:
            return True
        right = _FIELDS.get((type, name)) or _LINK_FIELDS.get(name)
        if right is not None and right not in self.rights:
            return True
        if name.startswith("freeAccountingDimension"):
            return "PRO" not in rules.modules
        return name == "project" and "PROJECT" not in rules.modules
