"""Tenants: their connections with the mapping each one has, their routes, and who does what.

Each duty has exactly one owner. A duty that matters and is not set, or has two owners, is a problem with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, ValidationError

from connector.errors import ConnectorError
from connector.mapping import duties, files, reading
from connector.mapping.format import AccessPoint, Connection, Outside, Route, TenantFile
from connector.mapping.layers import Find, Layer, system_layers
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.load import Plugins, build
from connector.mapping.problems import Problem, did_you_mean, errors, stop_on
from connector.mapping.reading import Read
from connector.mapping.source import Key
from connector.model.identifiers import BankAccount, Iban
from connector.plugins import access_points
from connector.ports import AccessPointPlugin, AccountingPlugin

SOURCE, COUNTERPARTY, CONNECTOR, NOBODY = "source", "counterparty", "connector", "nobody"
"""Owners of duties other than a connection."""

_MAY_OWN = {
    "issues": (SOURCE, COUNTERPARTY),
    "sends": (SOURCE, CONNECTOR, NOBODY),
    "receives": (CONNECTOR, NOBODY),
    "reminds": (SOURCE, CONNECTOR, NOBODY),
    "takes_bank_money": (SOURCE, CONNECTOR, NOBODY),
}
_MATTERS = ("issues", "takes_bank_money")
ALL_ACCOUNTS = "*"


@dataclass(frozen=True, slots=True)
class TenantRoute:
    """A route with its owners settled: a connection's id, `source`, `counterparty`, `connector` or `nobody`.

    `takes_bank_money` by account number; the key `*` stands for every account that is not named. `line` is where the
    route stands in the tenant's file.
    """

    name: str
    title: str
    takes: tuple[str, ...]
    to: tuple[str, ...]
    issues: str
    sends: str
    receives: str
    reminds: str
    takes_bank_money: Mapping[str, str]
    line: int
    holds_new_suppliers: bool = False

    @property
    def numbered(self) -> bool:
        """Whether its documents come with the number they were issued under: by their source, or by the buyer."""
        return self.issues in (SOURCE, COUNTERPARTY)


@dataclass(frozen=True, slots=True)
class TenantConnection:
    """A connection as the tenant's file says it, with the mapping that holds for it; `line` is where it stands in the
    file, `secret_lines` and `setting_lines` where each of its secrets and settings is; `settings`: the plugin's model.
    """

    id: str
    said: Connection
    mapping: SystemMapping
    line: int = 0
    secret_lines: Mapping[str, int] = field(default_factory=dict)
    setting_lines: Mapping[str, int] = field(default_factory=dict)
    settings: type[BaseModel] | None = None

    @property
    def system(self) -> str:
        """Name of the system."""
        return self.said.system


@dataclass(frozen=True, slots=True)
class TenantAccessPoint:
    """An access point as the tenant's file says it; `line` is where it stands there, `secret_lines` where each of its
    secrets is.
    """

    id: str
    said: AccessPoint
    line: int = 0
    secret_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def system(self) -> str:
        """Name of the plugin."""
        return self.said.system


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's file, checked: one owner for each duty, every system installed, every mapping bound."""

    name: str
    title: str
    organisation_number: str | None
    start: date
    connections: Mapping[str, TenantConnection]
    routes: Mapping[str, TenantRoute]
    file: str
    access_points: Mapping[str, TenantAccessPoint] = field(default_factory=dict)
    """In the order in which they are tried."""


def tenants() -> list[str]:
    """Names of the tenants that have a file."""
    return files.names("tenant")


def load_tenant(name: str, *, plugins: Plugins, find: Find = files.find) -> Tenant:
    """A tenant and the mappings of all its connections; `find` says where its files and those below it are.

    Raises:
        Misconfigured: anything wrong; code, file and line of the first, all of them in `details`.
        Missing: there is no such file.
    """
    found, problems = reading.tenant_file(find("tenant", name))
    tenant = None
    if found is not None:
        tenant, more = build_tenant(found, plugins, find)
        problems = [*problems, *reading.telling(more, found.damaged)]
    stop_on(problems)
    assert tenant is not None
    return tenant


def build_tenant(
    found: Read[TenantFile], plugins: Plugins, find: Find = files.find
) -> tuple[Tenant | None, list[Problem]]:
    """A tenant, and all that is wrong with its file and with the mappings as it changes them."""
    said, source = found.content, found.source
    connections: dict[str, TenantConnection] = {}
    problems: list[Problem] = []
    for id, connection in said.connections.items():
        at: Key = ("connections", id)
        line = source.line((*at, "system"))
        plugin = plugins.get(connection.system)
        if plugin is None:
            words = f"The connection `{id}` is to `{connection.system}`, which is not installed."
            do = did_you_mean(connection.system, plugins)
            problems.append(Problem("system-not-installed", words, source.file, line, do))
            continue
        problems += _settings("connections", id, connection, plugin, found)
        try:
            layers, wrong = system_layers(connection.system, connection.office, find)
        except ConnectorError as error:
            problems.append(Problem(error.code, error.said, source.file, line, error.do))
            continue
        problems += wrong
        if layers:
            layers.append(Layer(f"tenant {said.tenant}", connection.mapping, source, (*at, "mapping")))
            mapping, wrong = build(connection.system, layers, plugins)
            problems += wrong
            if mapping is not None:
                lines = {name: source.line((*at, "secrets", name)) for name in connection.secrets}
                places = {name: source.line((*at, "settings", name)) for name in connection.settings}
                model = plugin.settings
                connections[id] = TenantConnection(id, connection, mapping, source.line(at), lines, places, model)
    points, wrong = _access_points(found)
    problems += [*wrong, *_duties(found), *duties.across(found)]
    if errors(problems):
        return None, problems
    routes = {name: _route(name, route, source.line(("routes", name))) for name, route in said.routes.items()}
    tenant = Tenant(
        said.tenant, said.title, said.organisation_number, said.start, connections, routes, source.file, points
    )
    return tenant, problems


def _access_points(found: Read[TenantFile]) -> tuple[dict[str, TenantAccessPoint], list[Problem]]:
    """The access points of a file, and what is wrong with them."""
    said, source = found.content, found.source
    points: dict[str, TenantAccessPoint] = {}
    problems: list[Problem] = []
    installed = access_points()
    for id, point in said.access_points.items():
        at: Key = ("access_points", id)
        line = source.line((*at, "system"))
        plugin = installed.get(point.system)
        if plugin is None:
            words = f"The access point `{id}` is a `{point.system}`, which is not installed."
            do = did_you_mean(point.system, installed)
            problems.append(Problem("system-not-installed", words, source.file, line, do))
            continue
        if id in said.connections:
            words = f"`{id}` is a connection and an access point."
            problems.append(Problem("name-twice", words, source.file, source.line(at), "Call one of them otherwise."))
        problems += _settings("access_points", id, point, plugin, found)
        lines = {name: source.line((*at, "secrets", name)) for name in point.secrets}
        points[id] = TenantAccessPoint(id, point, source.line(at), lines)
    return points, problems


def _route(name: str, route: Route, line: int) -> TenantRoute:
    assert route.issues is not None
    issues = route.issues[0]
    return TenantRoute(
        name,
        route.title or name,
        tuple(route.takes),
        tuple(route.to),
        issues,
        route.sends[0] if route.sends else issues,
        route.receives[0] if route.receives else NOBODY,
        route.reminds[0] if route.reminds else NOBODY,
        {duties.account(account): owners[0] for account, owners in (route.takes_bank_money or {}).items()},
        line,
        route.hold_new_suppliers,
    )


def _settings(
    section: str, id: str, connection: Outside, plugin: AccountingPlugin | AccessPointPlugin, found: Read[TenantFile]
) -> Iterator[Problem]:
    """Settings and names of secrets against the plugin's own models."""
    source, at = found.source, (section, id)
    known = plugin.secrets.model_fields
    for name in connection.secrets:
        if name not in known:
            line = source.line((*at, "secrets", name))
            said = f"`{connection.system}` has no secret `{name}`."
            yield Problem("secret-unknown", said, source.file, line, did_you_mean(name, known))
    signed = [plugin.hook_secret] if connection.webhooks else []
    if signed == [None]:
        said = f"`{connection.system}` has no webhooks that this version knows."
        yield Problem("webhooks-unsupported", said, source.file, source.line((*at, "webhooks")), "Take `webhooks` out.")
    for name, info in known.items():
        if (info.is_required() or name in signed) and name not in connection.secrets:
            line = source.line((*at, "secrets"))
            said = f"`{id}` does not say where its secret `{name}` is."
            yield Problem("secret-missing", said, source.file, line, f"Add {name}: env:NAME or vault:NAME.")
    try:
        plugin.settings.model_validate(connection.settings)
    except ValidationError as error:
        for single in error.errors(include_url=False):
            key = tuple(part for part in single["loc"] if isinstance(part, str | int))
            line = source.line((*at, "settings", *key))
            name = ".".join(map(str, key))
            known_settings = plugin.settings.model_fields
            do = did_you_mean(name, known_settings) if single["type"] == "extra_forbidden" else reading.helps(single)
            said = f"The setting `{name}` of `{connection.system}`: {single['msg']}."
            yield Problem("setting", said, source.file, line, do)


def _duties(found: Read[TenantFile]) -> Iterator[Problem]:
    said, source = found.content, found.source
    file = source.file
    banks: dict[str, tuple[str, str, int]] = {}
    for name, route in said.routes.items():
        at: Key = ("routes", name)
        for key, ids, more in (("takes", route.takes, ("api",)), ("to", route.to, ())):
            for id in ids:
                if id not in said.connections and id not in more:
                    words = f"The route `{name}` names `{id}`, which is {_whose(id)}."
                    do = did_you_mean(id, [*said.connections, *more])
                    yield Problem("connection-unknown", words, file, source.line((*at, key)), do)
            for id in sorted({id for id in ids if ids.count(id) > 1}):
                words = f"The route `{name}` names `{id}` twice."
                yield Problem("connection-twice", words, file, source.line((*at, key)), "Name it once.")
        for duty, others in _MAY_OWN.items():
            owners = getattr(route, duty)
            line = source.line((*at, duty))
            if owners is None:
                if duty in _MATTERS:
                    words = f"The route `{name}` does not say who {duty.replace('_', ' ')}."
                    do = f"Add `{duty}:` with one of: {', '.join([*said.connections, *others])}."
                    yield Problem("duty-unset", words, file, source.line(at), do)
                continue
            accounts = owners if isinstance(owners, dict) else {"": owners}
            for account, named in accounts.items():
                place = source.line((*at, duty, account)) if account not in ("", ALL_ACCOUNTS) else line
                if len(named) != 1:
                    words = f"On the route `{name}` `{duty}` has {len(named)} owners: {', '.join(named)}."
                    yield Problem("duty-two-owners", words, file, place, "Each duty has exactly one owner.")
                for owner in named:
                    if owner not in said.connections and owner not in others:
                        words = f"`{owner}` cannot own `{duty}`" + (
                            f": it is {_whose(owner)}." if "/" in owner else "."
                        )
                        do = did_you_mean(owner, [*said.connections, *others])
                        yield Problem("duty-owner-unknown", words, file, place, do)
                if (
                    duty == "issues"
                    and len(named) == 1
                    and named[0] in said.connections
                    and named[0] not in (*route.to, *route.takes)
                ):
                    words = f"The route `{name}` is issued by `{named[0]}`, which is not among its `to` and `takes`."
                    yield Problem("duty-not-on-route", words, file, place, f"Add `{named[0]}` to `to`.")
                if duty == "takes_bank_money" and len(named) == 1:
                    yield from _bank_money(account, named[0], name, place, banks, file)


def _whose(id: str) -> str:
    """What a name is that no connection here has."""
    return "a connection of another tenant" if "/" in id else "no connection of this tenant"


def _bank_money(
    account: str, owner: str, route: str, line: int, banks: dict[str, tuple[str, str, int]], file: str
) -> Iterator[Problem]:
    """One owner for each account over all routes; `banks` has those named so far, with route and line.

    On one route `*` means the accounts that it does not name.
    """
    if account != ALL_ACCOUNTS and not BankAccount.valid(account) and not Iban.valid(account):
        said = f"`{account}` is no bank account number: a digit is wrong or missing."
        yield Problem("account-invalid", said, file, line, "Write the 11 digits (or the IBAN), in quotes.")
    if owner == NOBODY:
        return
    account = duties.account(account)
    for other, (before, where, first) in banks.items():
        overlap = other == account or (ALL_ACCOUNTS in (other, account) and where != route)
        if before != owner and overlap:
            which = "all accounts" if account == ALL_ACCOUNTS else f"account {account}"
            said = (
                f"Two systems take the bank money of {which}: `{before}` on the route `{where}` (line {first}) and"
                f" `{owner}` here."
            )
            yield Problem("duty-two-owners", said, file, line, "Name one owner, or name the accounts one by one.")
            break
    banks.setdefault(account, (owner, route, line))
