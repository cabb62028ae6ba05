"""What a plugin's author says once, so that the kit can hold his adapter to the promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from connector.oauth import Tokens
from connector.ports import AccountingPlugin, Kind

Gone = Literal["deleted", "inactive"]
"""How a record of a register leaves: `deleted`, it is not there any more; `inactive`, it stays and says so."""


class Failing(AssertionError):
    """The adapter does not keep what is promised."""


class NotApplicable(Exception):
    """The system has nothing that this check is about; the reason is the message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is in the vendor's books: its id there, and its amount with VAT where it has one."""

    id: str
    amount: Decimal | None = None


class Bench(ABC):
    """One company's books at the vendor's, with nothing in them that the kit would take for its own, and a person who
    works in them. `async with bench` starts and stops it; every check starts a new one.

    What the kit sees of the books (`there`, `owed`) and does in them (`pay` … `remove`) goes past the adapter: straight
    into the stand-in's memory, or by plain calls to a demo company. A method that is not written makes the checks that
    need it be skipped, with its name.
    """

    plugin: AccountingPlugin
    """The plugin that is held to the promises."""
    mapping: Path | None = None
    """Its mapping file, where that is not among the shipped ones (`mappings/systems/NAME.yaml`)."""
    organisation_number: str = "923609016"
    """The company's, as the vendor shows it."""
    shows_number: bool = True
    """Whether the vendor tells a company's organisation number at all; where not, nobody notices other books."""
    url: str
    """Where the vendor's stand-in listens, once it is started, e.g. `http://127.0.0.1:8700/v2`. The adapter is given
    an address of the kit instead, which passes every call on."""
    busy: Mapping[str, str] = {"Retry-After": "1"}
    """The headers by which the vendor says that it is too much, and that the next call may come a second later."""
    patience: float = 3.0
    """Seconds after which no step of a flow waits for an answer any longer (`Step.timeout`), by `settings`."""
    keeps_credit: bool = True
    """Whether the ledger can hold more of a customer's money than he owes; where not, a payment of more than is open is
    refused."""
    overlap: Mapping[Kind, timedelta] = {}
    """How far back a poll of a kind reads what it has read already, at most: the resolution of the vendor's change
    times, and what the adapter adds for its clock. A kind that is not named is read from where the last poll ended."""
    page: int = 0
    """How many customers the vendor gives in one answer at most; 0: the kit does not try more than one page."""
    gone: Mapping[Kind, Gone] = {}
    """How a record of each register leaves, by `remove`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    # --- the connection -----------------------------------------------------------------------------------------------

    @abstractmethod
    def settings(self, url: str) -> Mapping[str, Any]:
        """The connection's settings in the tenant's file, with the vendor at `url` (that is: `base_url`, and whatever
        else of the vendor's addresses is on the same host). Settling and time-outs as short as the stand-in allows: the
        kit waits for them often.
        """

    @abstractmethod
    def secrets(self) -> Mapping[str, str]:
        """The connection's secrets, by name. None of them may be seen anywhere afterwards."""

    async def signed_in(self) -> Tokens | None:
        """What a person has granted by signing in at the vendor, new for every check; None where secrets alone open the
        connection.
        """
        return None

    def sample(self, kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
        """A document as the kit posts it; changed here where this company's books need another (a VAT code, a unit).

        `kind` is what it is for whoever posts it: invoice or credit note, also for one that was issued elsewhere;
        payment, reversal, customer, product. An EHF of a supplier goes as it is.
        """
        return body

    # --- what is there ------------------------------------------------------------------------------------------------

    @abstractmethod
    async def there(self, kind: Kind) -> Sequence[Entry]:
        """All things of a kind in the books, with the ids of their records: customers, suppliers, products, invoices
        and credit notes (those issued elsewhere, wherever they are booked, under `EXTERNAL_INVOICE` and
        `EXTERNAL_CREDIT_NOTE`), incoming invoices. Only of the kinds that the system can be told.
        """

    @abstractmethod
    async def owed(self) -> Decimal:
        """What all customers owe together, by the ledger: the balance of the receivable accounts."""

    async def notes(self, kind: Kind, id: str) -> Sequence[str]:
        """What lies on a record for people to see, each under its name: the files of the document or of its voucher.
        Needed where the system can be told to `note`.
        """
        raise NotApplicable("the bench has no `notes`")

    # --- what a person does in the program ----------------------------------------------------------------------------

    async def pay(self, invoice: str, amount: Decimal) -> None:
        """A person books a payment from the bank on an invoice (its id there), perhaps of more than is open."""
        raise NotApplicable("the bench has no `pay`")

    async def issue(self, invoice: str) -> None:
        """A person issues another invoice like this one (its id there): to the same customer, with the same lines."""
        raise NotApplicable("the bench has no `issue`")

    async def take_back(self, invoice: str, amount: Decimal) -> None:
        """A person takes the payment of this amount on an invoice back."""
        raise NotApplicable("the bench has no `take_back`")

    async def change(self, kind: Kind, id: str) -> None:
        """A person changes something of a record that the mapping carries (its name, say), each time to something
        else.
        """
        raise NotApplicable("the bench has no `change`")

    async def remove(self, kind: Kind, id: str) -> None:
        """A person deletes or deactivates a record; `gone` says which it is."""
        raise NotApplicable("the bench has no `remove`")

    async def fill(self, customers: int) -> None:
        """So many customers more, straight into the books."""
        raise NotApplicable("the bench has no `fill`")

    async def age(self, by: timedelta) -> None:
        """Everything in the books was made and changed so much earlier."""
        raise NotApplicable("the bench has no `age`")
