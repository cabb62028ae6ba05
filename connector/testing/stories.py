"""What an adapter writes, as a program asks for it: one story for each thing that a system can be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.ports import Kind, Operation
from connector.testing import samples
from connector.testing.bench import Entry, Failing
from connector.testing.trial import Issuer, Trial

PART, OVER = Decimal("5000.10"), Decimal("12600.05")
"""Less than the invoice, and more."""
REGISTERS = frozenset({Kind.CUSTOMER, Kind.SUPPLIER, Kind.PRODUCT})
"""Kinds that are records others refer to, and no documents."""
Made = Mapping[Kind, Sequence[Decimal | None]]
"""What is to be in the books that was not: amounts by kind, None where a kind has none."""


@dataclass(frozen=True, slots=True)
class Story:
    """One command to a system that can do one of `needs`.

    `act` posts the command and gives where to ask for it; `after`: the stories that have ended well before it begins;
    `made`, `owed` and `notes`: what it leads to in the books, exactly (`notes`: on invoices); `leaves_credit`: whether
    a customer has then paid more than he owes.
    """

    name: str
    needs: Sequence[tuple[Kind, Operation]]
    act: Callable[[Trial], Awaitable[str]]
    made: Made = field(default_factory=dict)
    owed: Decimal = Decimal(0)
    issues: Issuer = "books"
    leaves_credit: bool = False
    after: Sequence[Story] = ()
    notes: int = 0

    @property
    def of_register(self) -> bool:
        """Whether it is about records of registers only."""
        return {kind for kind, _ in self.needs} <= REGISTERS

    def told(self, capabilities: Mapping[tuple[Kind, Operation], str]) -> bool:
        """Whether the system says that it can."""
        return any(one in capabilities for one in self.needs)

    def lacks(self, capabilities: Mapping[tuple[Kind, Operation], str]) -> list[str]:
        """What it begins with and the system does not say that it can, in words."""
        return [needed(one) for one in self.after if not one.told(capabilities)]

    async def prepare(self, trial: Trial) -> None:
        """Have in the books what must be there before. Raises `Failing` where it does not come to be."""
        for story in self.after:
            said = await trial.over(await story.act(trial))
            if said["state"] != "done":
                waits = await trial.attention()
                raise Failing(f"The {story.name} that comes before is {said['state']}: {said} {waits}")


def needed(story: Story) -> str:
    """What a system must be able to do for a story, in words."""
    return " or ".join(f"{kind} {operation}" for kind, operation in story.needs)


@dataclass(frozen=True, slots=True)
class Books:
    """What the kit looks at, at one moment."""

    things: Mapping[Kind, Mapping[str, Entry]]
    owed: Decimal
    notes: int = 0


async def books(trial: Trial, story: Story) -> Books:
    """As they are now; notes are counted where the story is of one, and the system can be told."""
    things, owed, notes = await trial.there(list(story.made)), await trial.bench.owed(), 0
    if story.notes and story.told(trial.accounting.capabilities):
        for id in things[Kind.INVOICE]:
            notes += len(await trial.bench.notes(Kind.INVOICE, id))
    return Books(things, owed, notes)


def happened(story: Story, before: Books, after: Books) -> str | None:
    """How what came of a story differs from what should have; None where it is exactly that."""
    for kind, amounts in story.made.items():
        was, now = before.things[kind], after.things[kind]
        new = [entry for id, entry in now.items() if id not in was]
        if gone := sorted(was.keys() - now.keys()):
            return f"{kind} {', '.join(gone)} is not there any more"
        if other := [one for id, one in now.items() if id in was and one.amount != was[id].amount]:
            return f"{kind} {other[0].id} is of {other[0].amount}, and was of {was[other[0].id].amount}"
        if len(new) != len(amounts):
            return f"{len(new)} of {kind} came to be, not {len(amounts)}"
        for entry, amount in zip(new, amounts, strict=True):
            if amount is not None and entry.amount is not None and entry.amount != amount:
                return f"{kind} {entry.id} is of {entry.amount}, not of {amount}"
    if after.owed - before.owed != story.owed:
        return f"customers owe {after.owed - before.owed} more than before, not {story.owed}"
    if after.notes - before.notes != story.notes:
        return f"{after.notes - before.notes} notes came to be, not {story.notes}"
    return None


async def ends(trial: Trial, story: Story, operation: str, before: Books) -> None:
    """See that a story ends as it should.

    Where it cannot be known whether a call took effect a person is asked; then it must not have, and he says so.

    Raises:
        Failing: it does not.
    """
    said = await trial.over(operation)
    while said["state"] == "waiting":
        items = [item for item in await trial.attention() if "did-not-happen" in item["verbs"]]
        if not items:
            break
        if happened(story, before, await books(trial, story)) is None:
            raise Failing(f"A person is asked what happened, and the books show it: {items[0]['said']}")
        for item in items:
            await trial.resolve(item, "did-not-happen")
        said = await trial.over(operation)
    differs = happened(story, before, await books(trial, story))
    if said["state"] != "done":
        raise Failing(f"It is {said['state']} ({differs or 'though it happened'}): {said} {await trial.attention()}")
    if differs:
        raise Failing(f"It is said to be done, and {differs}.")


# --- the stories ------------------------------------------------------------------------------------------------------


def sale(trial: Trial, n: int = 1, **more: Any) -> dict[str, Any]:
    """The invoice that most stories are about, or another, to the n-th buyer."""
    own = trial.bench.organisation_number
    return trial.bench.sample(Kind.INVOICE, samples.invoice(own, f"sale-{n}", n, **more))


def customer(trial: Trial, n: int = 1, **more: Any) -> dict[str, Any]:
    """The n-th buyer."""
    return trial.bench.sample(Kind.CUSTOMER, samples.customer(n, **more))


def product(trial: Trial, n: int = 1, **more: Any) -> dict[str, Any]:
    """The n-th product."""
    return trial.bench.sample(Kind.PRODUCT, samples.product(n, **more))


def money(trial: Trial, amount: Decimal) -> dict[str, Any]:
    """A payment of the first sale."""
    return trial.bench.sample(Kind.PAYMENT, samples.payment("bank-1", amount, "sale-1"))


def _elsewhere(trial: Trial) -> dict[str, Any]:
    return samples.issued_elsewhere(sale(trial), "10017", "0000100172")


def _credit(trial: Trial, of: dict[str, Any], **more: Any) -> dict[str, Any]:
    return trial.bench.sample(Kind.CREDIT_NOTE, samples.credit_note(of, **more))


def _reversal(trial: Trial) -> dict[str, Any]:
    return trial.bench.sample(Kind.REVERSAL, samples.reversal("back-1", "bank-1"))


def _posts(path: str, body: Callable[[Trial], dict[str, Any] | bytes]) -> Callable[[Trial], Awaitable[str]]:
    return lambda trial: trial.post(path, body(trial))


async def _noted(trial: Trial) -> str:
    return await trial.note((await trial.document(kind="invoice"))["id"])


INVOICE = Story(
    "invoice", [(Kind.INVOICE, "create")], _posts("/v1/invoices", sale),
    {Kind.CUSTOMER: [None], Kind.INVOICE: [samples.GROSS]}, samples.GROSS,
)  # fmt: skip
PAYMENT = Story(
    "payment-of-a-part", [(Kind.PAYMENT, "create")], _posts("/v1/payments", lambda it: money(it, PART)),
    {Kind.INVOICE: []}, -PART, after=[INVOICE],
)  # fmt: skip
NOTE = Story("note", [(Kind.INVOICE, "note")], _noted, {Kind.INVOICE: []}, notes=1, after=[INVOICE])
ELSEWHERE = Story(
    "invoice-issued-elsewhere", [(Kind.EXTERNAL_INVOICE, "create"), (Kind.INVOICE, "register")],
    _posts("/v1/invoices", _elsewhere), {Kind.CUSTOMER: [None], Kind.EXTERNAL_INVOICE: [samples.GROSS]}, samples.GROSS,
    "source",
)  # fmt: skip
CUSTOMER = Story(
    "customer", [(Kind.CUSTOMER, "create")], _posts("/v1/customers", customer), {Kind.CUSTOMER: [None]},
)  # fmt: skip
PRODUCT = Story(
    "product", [(Kind.PRODUCT, "create")], _posts("/v1/products", product), {Kind.PRODUCT: [None]},
)  # fmt: skip
STORIES: tuple[Story, ...] = (
    INVOICE,
    Story(
        "credit-note", [(Kind.CREDIT_NOTE, "create")], _posts("/v1/invoices", lambda it: _credit(it, sale(it))),
        {Kind.INVOICE: [], Kind.CREDIT_NOTE: [samples.CREDITED]}, -samples.CREDITED, after=[INVOICE],
    ),
    PAYMENT,
    Story(
        "payment-of-more", [(Kind.PAYMENT, "create")], _posts("/v1/payments", lambda it: money(it, OVER)),
        {Kind.INVOICE: []}, -OVER, leaves_credit=True, after=[INVOICE],
    ),
    Story(
        "reversal", [(Kind.REVERSAL, "create")], _posts("/v1/reversals", _reversal), {Kind.INVOICE: []}, PART,
        after=[INVOICE, PAYMENT],
    ),
    NOTE,
    ELSEWHERE,
    Story(
        "credit-note-issued-elsewhere", [(Kind.EXTERNAL_CREDIT_NOTE, "create")],
        _posts("/v1/invoices", lambda it: _credit(it, _elsewhere(it), number="K-1")),
        {Kind.EXTERNAL_CREDIT_NOTE: [samples.CREDITED]}, -samples.CREDITED, "source", after=[ELSEWHERE],
    ),
    CUSTOMER,
    Story(
        "customer-changed", [(Kind.CUSTOMER, "update")],
        _posts("/v1/customers", lambda it: customer(it, party=samples.renamed(1))), {Kind.CUSTOMER: []},
        after=[CUSTOMER],
    ),
    PRODUCT,
    Story(
        "product-changed", [(Kind.PRODUCT, "update")],
        _posts("/v1/products", lambda it: product(it, name="Veiledning")), {Kind.PRODUCT: []}, after=[PRODUCT],
    ),
    Story(
        "supplier-invoice", [(Kind.SUPPLIER_INVOICE, "create")],
        _posts("/v1/incoming-invoices", lambda it: samples.purchase(it.bench.organisation_number, "F-7")),
        {Kind.SUPPLIER: [None], Kind.SUPPLIER_INVOICE: [samples.PURCHASE]},
    ),
)  # fmt: skip
