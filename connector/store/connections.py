"""Connections: a tenant's access to one system, with its settings and secrets, and how far each kind has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import bindparam, select, text

from connector.errors import Clash, ConnectorError, Missing
from connector.store import grants, schema, work
from connector.store.prepared import Prepared
from connector.store.schema import Moment, new_id
from connector.store.tx import Tx

_t = schema.connections
_ALL = select(_t, grants.there_is(_t.c.id).label("signed_in"))
_GET = Prepared(_ALL.where(_t.c.id == bindparam("id")))
_NAMED = Prepared(_ALL.where(_t.c.tenant == bindparam("tenant"), _t.c.name == bindparam("name")))
_PAUSED = Prepared(select(_t.c.id).where(_t.c.paused.is_not(None)))


@dataclass(frozen=True, slots=True)
class Connection:
    """A tenant's connection to a system.

    `mode` is `observe` (nothing is written there) or `active`. `paused` is the code of the reason why nothing is done
    with it, None when something is; `paused_said` and `paused_do` say it to a person. `signed_in`: a person has granted
    it access by signing in at the system. Secrets are left out of `repr`.
    """

    id: str
    tenant: str
    system: str
    name: str
    mode: str
    start_date: date | None
    lane: str | None
    settings: Mapping[str, Any]
    secrets: _Hidden
    paused: str | None
    paused_said: str | None
    paused_do: str | None
    paused_at: datetime | None
    created: datetime
    changed: datetime
    signed_in: bool

    @property
    def state(self) -> State:
        """How it stands, in one word; `do` says what a person must do where it does not work."""
        if self.paused == "sign-in" and self.signed_in:
            return "needs-sign-in"
        if self.paused is not None:
            return _BY_PAUSE.get(self.paused, "paused")
        return "active" if self.mode == "active" else "new"

    @property
    def do(self) -> str | None:
        """What a person must do: what the system wants, and where the keys that he has got there are put in."""
        if self.state != "needs-keys":
            return self.paused_do
        return (
            f"{self.paused_do or ''} Put in what is new: connector connections secret {self.name} KEY (KEY stands after"
            " `vault:` in the tenant's file; what stands after `env:` is in the environment). Start the service again;"
            f" then connector connections resume {self.name}."
        ).strip()


State = Literal["new", "active", "needs-keys", "needs-sign-in", "missing-right", "paused"]
"""`new`: it is read at most. Paused until a person has done something: `needs-keys`, put in keys that the system takes;
`needs-sign-in`, signed in at the system; `missing-right`, got a right or module there.
"""
_BY_PAUSE: dict[str, State] = {
    "sign-in": "needs-keys",
    "oauth-client-wrong": "needs-keys",
    "sign-in-needed": "needs-sign-in",
    "right-missing": "missing-right",
    "module-missing": "missing-right",
}


class _Hidden(dict[str, Any]):
    """Values that do not print themselves."""

    def __repr__(self) -> str:
        return "{…}"

    __str__ = __repr__


def add(
    tx: Tx,
    *,
    tenant: str,
    system: str,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, Any],
    start_date: date | None = None,
    mode: str = "observe",
    lane: str | None = None,
) -> Connection:
    """Keep a new connection; `name` is unique for the tenant.

    Raises:
        Clash: `connection-exists`.
    """
    there = tx.execute(select(_t.c.id).where(_t.c.tenant == tenant, _t.c.name == name)).scalar_one_or_none()
    if there is not None:
        raise Clash(f"There is already a connection {name}.", code="connection-exists", where={"connection": there})
    id = new_id()
    tx.execute(
        _t.insert(),
        {
            "id": id,
            "tenant": tenant,
            "system": system,
            "name": name,
            "mode": mode,
            "start_date": start_date,
            "lane": lane,
            "settings": tx.seal_json("connections.settings", id, settings),
            "secrets": tx.seal_json("connections.secrets", id, secrets),
            "created": tx.now,
            "changed": tx.now,
        },
    )
    return get(tx, id)


def get(tx: Tx, id: str, *, tenant: str | None = None) -> Connection:
    """One connection, by id.

    Raises:
        Missing: there is none (or it is not this tenant's).
    """
    row = tx.row(_GET, {"id": id})
    if row is None or tenant not in (None, row.tenant):
        raise Missing(f"There is no connection {id}.", code="connection-not-found", where={"connection": id})
    return _connection(tx, row)


def named(tx: Tx, tenant: str, name: str) -> Connection:
    """One connection, by its name.

    Raises:
        Missing: there is none.
    """
    row = tx.row(_NAMED, {"tenant": tenant, "name": name})
    if row is None:
        raise Missing(f"There is no connection {name}.", code="connection-not-found", where={"connection": name})
    return _connection(tx, row)


def find(tx: Tx, *, tenant: str | None = None, system: str | None = None) -> list[Connection]:
    """All connections, of a tenant or a system where named."""
    query = _ALL
    for column, value in ((_t.c.tenant, tenant), (_t.c.system, system)):
        if value is not None:
            query = query.where(column == value)
    return [_connection(tx, row) for row in tx.execute(query.order_by(_t.c.tenant, _t.c.name))]


def paused(tx: Tx) -> frozenset[str]:
    """The ids of all that are paused."""
    return frozenset(row.id for row in tx.rows(_PAUSED))


def change(tx: Tx, id: str, **changes: Any) -> None:
    """Change `mode`, `start_date`, `lane`, `name`, `settings` or `secrets`."""
    unknown = changes.keys() - {"mode", "start_date", "lane", "name", "settings", "secrets"}
    if unknown:
        raise TypeError(f"connections have no column {', '.join(sorted(unknown))}")
    for column in ("settings", "secrets"):
        if column in changes:
            changes[column] = tx.seal_json(f"connections.{column}", id, changes[column])
    done = tx.execute(_t.update().where(_t.c.id == id).values(**changes, changed=tx.now))
    if done.rowcount != 1:
        raise Missing(f"There is no connection {id}.", code="connection-not-found", where={"connection": id})
    tx.ring("control")


def pause(tx: Tx, id: str, reason: ConnectorError) -> bool:
    """Do nothing with it any more, for this reason; its work waits as it is. False when it was paused already."""
    done = tx.execute(
        _t.update()
        .where(_t.c.id == id, _t.c.paused.is_(None))
        .values(paused=reason.code, paused_said=reason.said, paused_do=reason.do, paused_at=tx.now, changed=tx.now)
    )
    if done.rowcount == 1:
        work.hold(tx, id)
        tx.ring("control")
    return done.rowcount == 1


def resume(tx: Tx, id: str) -> bool:
    """Go on with it. False when it was not paused."""
    done = tx.execute(
        _t.update()
        .where(_t.c.id == id, _t.c.paused.is_not(None))
        .values(paused=None, paused_said=None, paused_do=None, paused_at=None, changed=tx.now)
    )
    if done.rowcount == 1:
        work.release(tx, id)
        tx.ring("control")
    return done.rowcount == 1


_c = schema.cursors.c
_CURSOR = Prepared(select(_c.value).where(_c.connection == bindparam("connection"), _c.name == bindparam("name")))
_PUT_CURSOR = Prepared(
    text(
        "INSERT INTO cursors (connection, name, value, changed) VALUES (:connection, :name, :value, :now) "
        "ON CONFLICT (connection, name) DO UPDATE SET value = excluded.value, changed = excluded.changed"
    ).bindparams(bindparam("now", type_=Moment()))
)


def cursor(tx: Tx, connection: str, name: str) -> str | None:
    """How far the connection has been read, under a name (a kind, usually); None before the first time."""
    row = tx.row(_CURSOR, {"connection": connection, "name": name})
    return None if row is None else row.value


def put_cursor(tx: Tx, connection: str, name: str, value: str) -> None:
    """Note how far it has been read; in the transaction that keeps what was read."""
    tx.run(_PUT_CURSOR, {"connection": connection, "name": name, "value": value, "now": tx.now})


def _connection(tx: Tx, row: Any) -> Connection:
    fields = row._asdict()
    fields["settings"] = tx.unseal_json("connections.settings", row.id, row.settings)
    fields["secrets"] = _Hidden(tx.unseal_json("connections.secrets", row.id, row.secrets))
    return Connection(**fields)
