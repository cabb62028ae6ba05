"""Arrivals and effects: order, leases, attempts, retries, schedule.

"Once" and "nothing lost" are built here and in the store, and nowhere else:

    arrive(tx, …)      stores something that came in; a handler makes of it what it means, in one transaction
    submit(tx, …)      has something done in a lane: an effect (durable steps) or a read
    Worker(store, …)   does it; any number of them, on one host (SQLite) or many (PostgreSQL)
    resolve(tx, …)     what a person decided about something that waits; `story(tx, …)` what happened to a document
"""

from connector.lanes.ends import Patience
from connector.lanes.handlers import ArrivalHandler, EffectHandler, Found, Handlers, Later, Nothing, ReadHandler
from connector.lanes.schedule import Schedule
from connector.lanes.story import Entry, story
from connector.lanes.verbs import BY_HAND, Verb, cancel, pause, replay, resolve, resume
from connector.lanes.worker import Worker
from connector.store.arrivals import Arrival, arrive
from connector.store.work import Turn, Work, submit

__all__ = [
    "BY_HAND",
    "Arrival",
    "ArrivalHandler",
    "EffectHandler",
    "Entry",
    "Found",
    "Handlers",
    "Later",
    "Nothing",
    "Patience",
    "ReadHandler",
    "Schedule",
    "Turn",
    "Verb",
    "Work",
    "Worker",
    "arrive",
    "cancel",
    "pause",
    "replay",
    "resolve",
    "resume",
    "story",
    "submit",
]
