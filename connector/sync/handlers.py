"""What sync gives to the lanes: handlers by name. Whoever adds a kind adds it here."""

from __future__ import annotations

from functools import partial

from connector.lanes import Handlers
from connector.ports import Kind
from connector.store import Store
from connector.sync.arriving import RECORD
from connector.sync.control import LOOK, Look, take_control
from connector.sync.effects import PUSH
from connector.sync.first_sync.reading import COUNT, Count, FirstRead
from connector.sync.first_sync.reading import READ as FIRST_READ
from connector.sync.first_sync.undoing import UNDO, Undo
from connector.sync.hints import HOOK, KEEP, Keep, take_hook
from connector.sync.identity import REGISTERS
from connector.sync.incoming import INCOMING, take_incoming
from connector.sync.intake import take_invoice
from connector.sync.ledger_facts import CONTROL, told_apart
from connector.sync.matches import MATCH, take_match
from connector.sync.notes import NOTE, PutNote
from connector.sync.onboarding.trying import TRY, Try
from connector.sync.options import OPTIONS, ReadOptions
from connector.sync.pages import PAGE, ReadPage
from connector.sync.postings import take_payment, take_reversal
from connector.sync.push import Push
from connector.sync.reads import HINT, POLL, SWEEP, Hint, Poll, Sweep
from connector.sync.records import take_record
from connector.sync.registers import take_posted
from connector.sync.self_billing import SALE, take_sale
from connector.sync.spokes import Spokes
from connector.sync.vanished import LOOK_AGAIN, LookAgain

API = "api-"
INVOICE, PAYMENT, REVERSAL = "api-invoice", "api-payment", "api-reversal"
"""Kinds of arrivals that programs post."""


def handlers(store: Store, spokes: Spokes) -> Handlers:
    """All handlers of sync."""
    push = Push(store, spokes)
    return Handlers(
        arrivals={
            INVOICE: partial(take_invoice, spokes=spokes),
            PAYMENT: partial(take_payment, spokes=spokes),
            REVERSAL: partial(take_reversal, spokes=spokes),
            HOOK: partial(take_hook, spokes=spokes),
            INCOMING: partial(take_incoming, spokes=spokes),
            SALE: partial(take_sale, spokes=spokes),
            MATCH: partial(take_match, spokes=spokes, told_apart=told_apart),
            CONTROL: partial(take_control, spokes=spokes),
            **{API + kind: partial(take_posted, spokes=spokes) for kind in REGISTERS},
            **{RECORD + kind: partial(take_record, spokes=spokes) for kind in Kind},
        },
        effects={**{PUSH + kind: push for kind in Kind}, UNDO: Undo(store, spokes), NOTE: PutNote(store, spokes)},
        reads={
            POLL: Poll(store, spokes),
            HINT: Hint(store, spokes),
            SWEEP: Sweep(store, spokes),
            KEEP: Keep(store, spokes),
            PAGE: ReadPage(store, spokes),
            OPTIONS: ReadOptions(store, spokes),
            LOOK: Look(store, spokes),
            LOOK_AGAIN: LookAgain(store, spokes),
            FIRST_READ: FirstRead(store, spokes),
            COUNT: Count(store, spokes),
            TRY: Try(store, spokes),
        },
    )
