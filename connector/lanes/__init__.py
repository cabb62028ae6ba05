"""Arrivals and effects: order, leases, attempts, retries, schedule.

"Once" and "nothing lost" are built here and in the store, and nowhere else:

    arrive(tx, …)      stores something that came in; a handler makes of it what it means, in one transaction
    submit(tx, …)      has something done in a lane: an effect (durable steps) or a read
    Worker(store, …)   does it; any number of them, on one host (SQLite) or many (PostgreSQL)
"""

from connector.lanes.handlers import ArrivalHandler, EffectHandler, Found, Later, Nothing, ReadHandler
from connector.store.arrivals import Arrival, arrive
from connector.store.work import Turn, Work, submit

__all__ = [
    "Arrival",
    "ArrivalHandler",
    "EffectHandler",
    "Found",
    "Later",
    "Nothing",
    "ReadHandler",
    "Turn",
    "Work",
    "arrive",
    "submit",
]
