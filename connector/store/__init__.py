"""Tables, transactions, event sequence, vault, migrations.

    store = await open_store("sqlite:///connector.db")
    document = await store.write(lambda tx: documents.insert(tx, …))

Functions are in modules named after their noun: `documents`, `links`, `connections`, `arrivals`, `work`, `attempts`,
`attention`, `events`, `operations`, `idempotency`, `keys`, `audit`, `meta`, `options`, `mapping_versions`,
`onboarding`, `first_sync`, `grants`, `peppol_lookups`, `transmissions`, `responses`. Tables are in `schema`; those that
one module alone knows stand in it.
"""

from connector.store import first_sync as first_sync
from connector.store import grants as grants
from connector.store import mapping_versions as mapping_versions
from connector.store import onboarding as onboarding
from connector.store import options as options
from connector.store import peppol_lookups as peppol_lookups
from connector.store import responses as responses
from connector.store import transmissions as transmissions
from connector.store.engine import Store
from connector.store.opening import open_store
from connector.store.schema import new_id
from connector.store.tx import Event, Moved, Stats, Tx
from connector.store.vault import Vault

__all__ = ["Event", "Moved", "Stats", "Store", "Tx", "Vault", "new_id", "open_store"]
