"""The checklist of a connection: each step done, open or blocked; who does what, and how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from connector.ports import Formality
from connector.sync.first_sync.status import GO_LIVE
from connector.sync.first_sync.status import STEP as FIRST_SYNC
from connector.sync.left_out import CUT_OVER

State = Literal["done", "open", "blocked"]
TEST_CALL, OWNERS, KID, PEPPOL = "test-call", "who-does-what", "kid-agreement", "peppol"
TOTALS, OBSERVED, ATTENTION = "open-items", "observed", "attention"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `who` does it, `do` is what, `takes` how long: in words for a person. `said` is what is known of it;
    `after` the steps that come first, where it is blocked; `confirm`: whether a person can say that it is done.
    """

    name: str
    title: str
    state: State
    who: str
    do: str
    takes: str
    said: str = ""
    after: tuple[str, ...] = ()
    confirm: bool = False

    def as_json(self) -> dict[str, Any]:
        """The step as programs read it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """That a person has said so: who, when (UTC date), and what else."""

    who: str
    at: date
    note: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checklist goes by.

    `tried`: None before the first test call; else what keeps it from working (empty: nothing). `owners`: who does what,
    a sentence for each route. `ehf`: whether this service receives or sends on a route of the connection. `joined`:
    how far the first sync is (None: not begun). `apart`: what of the open items does not agree; None: not counted.
    `nights`: reports of nights since the first sync; `stops`: what the last one could not have done. `waiting`: how
    many things of this connection wait for a person. `live`: the day of the cut-over, once it is done; `begun`:
    whether it was begun and broken off.
    """

    connection: str
    formalities: Sequence[Formality]
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    tried: Sequence[str] | None = None
    company: str = ""
    owners: Sequence[str] = ()
    ehf: bool = False
    joined: str | None = None
    apart: Sequence[str] | None = None
    nights: int = 0
    stops: int = 0
    waiting: int = 0
    paused: str | None = None
    live: date | None = None
    begun: bool = False


def checklist(facts: Facts, *, today: date) -> list[Step]:
    """All steps, in the order they are done."""
    steps = [*_arranged(facts), _test_call(facts), *_agreed(facts, today), *_rehearsed(facts)]
    missing = tuple(step.name for step in steps if step.state != "done")
    live = facts.live
    steps.append(
        Step(
            CUT_OVER,
            "From now on it is written to",
            "done" if live else "blocked" if missing and not facts.begun else "open",
            "whoever runs this service, with the accountant",
            f"connector onboard cut-over {facts.connection}; the way back is connector onboard back.",
            "minutes",
            f"since {live}" if live else "begun, and not over: run it again, and it goes on" if facts.begun else "",
            () if live or facts.begun else missing,
        )
    )
    return steps


def open_steps(steps: Sequence[Step]) -> list[Step]:
    """What keeps the cut-over from being done."""
    return [step for step in steps if step.state != "done" and step.name != CUT_OVER]


def _arranged(facts: Facts) -> list[Step]:
    works = facts.tried is not None and not facts.tried
    made = []
    for one in facts.formalities:
        said = facts.confirmed.get(one.name)
        done = (one.proved and works) or said is not None
        words = "shown by the test call" if one.proved and works else _words(said)
        made.append(
            Step(one.name, one.title, "done" if done else "open", one.who, one.do, one.takes, words, confirm=True)
        )
    return made


def _test_call(facts: Facts) -> Step:
    said, state = f"it opens {facts.company}", "done"
    if facts.paused is not None:
        said, state = f"the connection is paused: {facts.paused}", "open"
    elif facts.tried is None:
        said, state = "not tried yet", "open"
    elif facts.tried:
        said, state = "; ".join(facts.tried), "open"
    return Step(
        TEST_CALL,
        "The keys work, with all rights and modules",
        "done" if state == "done" else "open",
        "whoever gave the keys",
        f"Give what is missing, then try again: connector onboard {facts.connection}",
        "minutes; a module may have to be ordered",
        said,
    )


def _agreed(facts: Facts, today: date) -> list[Step]:
    known = facts.confirmed
    go_live = known.get(GO_LIVE)
    day = go_live.day if go_live else None
    early = day is not None and day > today
    ehf = known.get(PEPPOL)
    return [
        Step(
            OWNERS,
            "Who does what is agreed",
            "done" if OWNERS in known else "open",
            "the accountant and the customer, together",
            "Read who issues, sends, receives, reminds and takes bank money above (it stands in the tenant's file), and"
            " switch it off everywhere else. Two systems that both remind, or both read the bank, are the usual fault.",
            "an hour",
            "; ".join([*facts.owners, *filter(None, [_words(known.get(OWNERS))])]),
            confirm=True,
        ),
        Step(
            GO_LIVE,
            "The day from which it is written to",
            "done" if day is not None and not early else "open",
            "the accountant and the customer",
            f"Choose a day, best the first of a VAT period: connector onboard confirm {GO_LIVE} --date YYYY-MM-DD. What"
            " is dated before it stays where it was booked.",
            "the notice that everybody needs; a VAT period is two months",
            (f"{day}, in {(day - today).days} day(s)" if early else str(day)) if day else "",
            confirm=True,
        ),
        Step(
            KID,
            "The KID agreement with the bank",
            "done" if KID in known else "open",
            "the customer, at the bank",
            "See which lengths and which check digit (MOD10 or MOD11) the bank has agreed for the account, and that"
            " they are those of whoever numbers the invoices. With forced KID the bank refuses all others.",
            "days to two weeks at the bank; minutes where there is an agreement",
            _words(known.get(KID)),
            confirm=True,
        ),
        Step(
            PEPPOL,
            "Registered in Peppol (ELMA) with the right access point",
            "done" if ehf is not None or not facts.ehf else "open",
            "the access point, on the customer's order",
            "Have the company registered as a receiver of EHF by the access point that delivers here. A company is"
            " registered with one access point only: the one it has now must let go first.",
            "a day or two; longer where another access point has to let go",
            _words(ehf) if facts.ehf else "not needed: nobody here sends or receives EHF on these routes",
            confirm=True,
        ),
    ]


def _rehearsed(facts: Facts) -> list[Step]:
    works = facts.tried is not None and not facts.tried
    joined = facts.joined in ("applied", "waived")
    shown, known = facts.connection, facts.confirmed
    agrees = facts.joined == "waived" or (facts.apart is not None and not facts.apart) or TOTALS in known
    apart = "not counted yet" if facts.apart is None else "; ".join(facts.apart[:5])
    watched = (facts.nights > 0 and facts.stops == 0) or OBSERVED in known
    after: tuple[str, ...] = () if joined else (FIRST_SYNC,)
    return [
        Step(
            FIRST_SYNC,
            "What both sides have already is joined",
            "done" if joined else "open" if works else "blocked",
            "the accountant",
            f"connector first-sync propose {_name(shown)}, edit the file, connector first-sync apply. Is one side"
            f" empty: connector onboard confirm {FIRST_SYNC}.",
            "an hour for some hundred customers",
            facts.joined or "not begun",
            () if works or joined else (TEST_CALL,),
            confirm=True,
        ),
        Step(
            TOTALS,
            "Open items agree with the receivable account",
            "done" if joined and agrees else "open" if joined else "blocked",
            "the accountant",
            f"connector first-sync totals {_name(shown)}; mend in the ledger what is apart, or say why it may be:"
            f" connector onboard confirm {TOTALS} --note …",
            "an hour",
            _words(known.get(TOTALS)) or ("" if agrees else apart),
            after,
            confirm=True,
        ),
        Step(
            OBSERVED,
            "It has been watched what it would have done",
            "done" if joined and watched else "open" if joined else "blocked",
            "the accountant",
            f"Let the service run over night, then: connector onboard report {shown}. Mend what would have stopped.",
            "at least a night; a week with an invoice run in it is better",
            _words(known.get(OBSERVED)) or f"{facts.nights} night(s), {facts.stops} thing(s) would have stopped",
            after,
            confirm=True,
        ),
        Step(
            ATTENTION,
            "Nothing waits for a person",
            "open" if facts.waiting else "done",
            "the accountant",
            "connector attention list",
            "depends on what it is",
            f"{facts.waiting} thing(s) wait" if facts.waiting else "",
        ),
    ]


def _name(connection: str) -> str:
    return connection.rpartition("/")[2]


def _words(said: Confirmed | None) -> str:
    if said is None:
        return ""
    return f"confirmed {said.at} by {said.who}" + (f": {said.note}" if said.note else "")
