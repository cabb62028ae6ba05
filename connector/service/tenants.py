"""Tenants of a service: one whose file or secrets are not right is stopped, whole, and keeps nobody else from working.

Nothing of a stopped tenant is applied: no connection is opened, nothing is read or pushed; what waits for it waits. It
is said in the log, in `/health/ready`, on the attention list, and to whoever asks for something of the tenant.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from connector import mapping
from connector.errors import ConnectorError, TryLater
from connector.mapping import Tenant
from connector.ports import AccountingPlugin
from connector.store import Tx, attention

log = structlog.get_logger(__name__)

PATIENCE = 60.0
"""Seconds after which work of a stopped tenant is looked at again: another worker may have what this one lacks."""

Stopped = dict[str, ConnectorError]
"""Why each stopped tenant is stopped."""


def load(known: Mapping[str, AccountingPlugin]) -> tuple[dict[str, Tenant], Stopped]:
    """Every tenant that has a file, and those that are stopped by what is in it.

    Raises:
        Misconfigured: the folder of mapping files is not right.
    """
    tenants: dict[str, Tenant] = {}
    stopped: Stopped = {}
    for name in mapping.tenants():
        try:
            tenants[name] = mapping.load_tenant(name, plugins=known)
        except ConnectorError as error:
            stop(stopped, name, error)
    return tenants, stopped


def stop(stopped: Stopped, name: str, reason: ConnectorError) -> None:
    """Stop a tenant, and say so in the log."""
    stopped[name] = reason
    place = {key: reason.where[key] for key in ("file", "line") if key in reason.where}
    log.error("tenant-stopped", tenant=name, code=reason.code, said=reason.said, do=reason.do, **place)


def refusal(name: str, reason: ConnectorError) -> TryLater:
    """What is answered to whoever wants something of a stopped tenant."""
    return TryLater(
        f"The tenant {name} is stopped: {reason.said}",
        code="tenant-stopped",
        do=f"{reason.do} Then start the service again.".strip(),
        where={"tenant": name, **reason.where},
        details=reason.details,
        after=PATIENCE,
    )


def tell(tx: Tx, tenants: Mapping[str, Tenant], stopped: Stopped) -> None:
    """Put every stopped tenant on its attention list, and take off those that work again."""
    for name, reason in stopped.items():
        attention.ask(tx, tenant=name, about=_about(name), reason=refusal(name, reason), verbs=())
    for name in tenants:
        attention.close(tx, _about(name), who="connector", how="mended")


def shown(stopped: Stopped) -> list[dict[str, object]]:
    """The stopped tenants, as health shows them."""
    return [
        {"tenant": name, "code": reason.code, "message": reason.said, "do": reason.do}
        | {key: reason.where[key] for key in ("file", "line") if key in reason.where}
        for name, reason in sorted(stopped.items())
    ]


def _about(name: str) -> str:
    return f"tenant:{name}"
