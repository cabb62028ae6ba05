"""Who does what, looked at over a whole tenant: what no single duty of a single route shows.

One account is one account however it is written; incoming documents have one receiver, whatever the route; who sends or
reminds has the documents; and the same books are connected once.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.mapping.format import TenantFile
from connector.mapping.problems import Problem
from connector.mapping.reading import Read
from connector.model.identifiers import BankAccount, Iban

NOBODY, COUNTERPARTY = "nobody", "counterparty"


def account(written: str) -> str:
    """One way to write an account: the eleven digits of a Norwegian one, else the IBAN; else as it is written.

    >>> account("NO93 8601 1117 947"), account("8601.11.17947"), account("*")
    ('86011117947', '86011117947', '*')
    """
    if BankAccount.valid(written):
        return str(BankAccount(written))
    if Iban.valid(written):
        iban = Iban(written)
        return str(iban.bank_account or iban)
    return written


def across(found: Read[TenantFile]) -> Iterator[Problem]:
    """What is wrong with the duties and connections of a tenant taken together."""
    yield from _accounts_twice(found)
    yield from _receivers(found)
    yield from _without_documents(found)
    yield from _connected_twice(found)
    yield from _no_way_out(found)
    yield from _self_billed(found)


def _accounts_twice(found: Read[TenantFile]) -> Iterator[Problem]:
    """One account written in two ways on one route."""
    for name, route in found.content.routes.items():
        if route.takes_bank_money == {}:
            line = found.source.line(("routes", name, "takes_bank_money"))
            said = f"The route `{name}` names no owner of bank money."
            yield Problem("duty-unset", said, found.source.file, line, 'Name one for each account, or for `"*"`.')
        seen: dict[str, str] = {}
        for written in route.takes_bank_money or {}:
            before = seen.setdefault(account(written), written)
            if before != written:
                line = found.source.line(("routes", name, "takes_bank_money", written))
                said = f"The route `{name}` names the account {account(written)} twice: `{before}` and `{written}`."
                yield Problem("duty-two-owners", said, found.source.file, line, "Leave one of them.")


def _receivers(found: Read[TenantFile]) -> Iterator[Problem]:
    """Incoming documents of a company come to one place: two receivers would each book them."""
    first: tuple[str, str, int] | None = None
    for name, route in found.content.routes.items():
        for owner in route.receives or ():
            line = found.source.line(("routes", name, "receives"))
            if owner == NOBODY:
                continue
            if first is None:
                first = (owner, name, line)
            elif first[0] != owner and first[1] != name:
                said = (
                    f"Two systems receive incoming documents: `{first[0]}` on the route `{first[1]}` (line {first[2]})"
                    f" and `{owner}` here."
                )
                yield Problem("duty-two-owners", said, found.source.file, line, "Name one; the other gets them.")


def _without_documents(found: Read[TenantFile]) -> Iterator[Problem]:
    """Sending and reminding is done by a connection that has the documents of the route."""
    for name, route in found.content.routes.items():
        for duty in ("sends", "reminds", "receives"):
            for owner in getattr(route, duty) or ():
                if owner in found.content.connections and owner not in (*route.to, *route.takes):
                    line = found.source.line(("routes", name, duty))
                    said = f"`{owner}` {duty} on the route `{name}`, and does not have its documents."
                    yield Problem("duty-not-on-route", said, found.source.file, line, f"Add `{owner}` to `to`.")


def _connected_twice(found: Read[TenantFile]) -> Iterator[Problem]:
    """The same books under two names: everything in them would be here twice."""
    seen: dict[str, str] = {}
    for id, one in found.content.connections.items():
        same = repr((one.system, sorted(one.settings.items(), key=str), sorted(one.secrets.items())))
        before = seen.setdefault(same, id)
        if before != id:
            line = found.source.line(("connections", id))
            said = f"`{id}` connects to the same books as `{before}`: same system, settings and secrets."
            yield Problem("connection-twice", said, found.source.file, line, f"Use `{before}` on the routes.")


def _no_way_out(found: Read[TenantFile]) -> Iterator[Problem]:
    """Where this service sends, it needs something to send with: else every document would wait for a person."""
    for name, route in found.content.routes.items():
        if "connector" in (route.sends or ()) and not found.content.access_points:
            line = found.source.line(("routes", name, "sends"))
            said = f"On the route `{name}` this service sends, and the file names no access point."
            yield Problem("access-point-missing", said, found.source.file, line, "Add `access_points:`.", "warning")


def _self_billed(found: Read[TenantFile]) -> Iterator[Problem]:
    """What buyers issue takes one route, as no message names any; and nobody sends it: its receiver has sent it."""
    source = found.source
    routes = {name: route for name, route in found.content.routes.items() if route.issues == [COUNTERPARTY]}
    first = next(iter(routes), None)
    for name, route in routes.items():
        if name != first:
            said = (
                f"The counterparty issues on the route `{first}` and on `{name}`: which of them would a document take?"
            )
            yield Problem("self-billing-twice", said, source.file, source.line(("routes", name, "issues")), "Keep one.")
        for owner in route.sends or ():
            if owner != NOBODY:
                said = f"On the route `{name}` the counterparty issues: `{owner}` cannot send it what it has sent us."
                line = source.line(("routes", name, "sends"))
                yield Problem("self-billing-sent", said, source.file, line, "Take `sends` out.")
