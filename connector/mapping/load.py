"""From files to mappers: read, put the layers on each other, bind, and stop at anything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass

from pydantic import BaseModel

from connector import plugins as installed
from connector.errors import Misconfigured
from connector.mapping.bind import bind
from connector.mapping.layers import Layer, Stack, merge, system_layers
from connector.mapping.mapper import Mapper
from connector.mapping.problems import Problem, did_you_mean, stop_on
from connector.mapping.whole import whole
from connector.model import (
    CreditNote,
    Customer,
    Dimension,
    Invoice,
    Payment,
    Product,
    Reversal,
    Settlement,
    Supplier,
)
from connector.ports import AccountingPlugin, Kind

CANONICAL: Map[str, type[BaseModel]] = {
    Kind.CUSTOMER.value: Customer,
    Kind.PRODUCT.value: Product,
    Kind.DEPARTMENT.value: Dimension,
    Kind.PROJECT.value: Dimension,
    Kind.DIMENSION.value: Dimension,
    Kind.INVOICE.value: Invoice,
    Kind.CREDIT_NOTE.value: CreditNote,
    Kind.EXTERNAL_INVOICE.value: Invoice,
    Kind.EXTERNAL_CREDIT_NOTE.value: CreditNote,
    Kind.PAYMENT.value: Payment,
    Kind.SETTLEMENT.value: Settlement,
    Kind.REVERSAL.value: Reversal,
    Kind.SUPPLIER.value: Supplier,
    Kind.SUPPLIER_INVOICE.value: Invoice,
}
"""Our model of each kind that can be mapped."""

Plugins = Map[str, AccountingPlugin]


@dataclass(frozen=True)
class Mapping:
    """How one system's records and our documents say the same: a mapper for each kind.

    `version` is the content hash of all layers: equal versions make equal records.
    """

    system: str
    version: str
    mappers: Map[str, Mapper]
    stack: Stack

    def __getitem__(self, kind: str) -> Mapper:
        """The mapper of a kind; `Misconfigured` ("kind-unmapped") where no file maps it."""
        try:
            return self.mappers[kind]
        except KeyError:
            raise Misconfigured(
                f"No mapping of `{self.system}` says how a {kind} goes there.",
                code="kind-unmapped",
                do=f"Write kinds.{kind} into the mapping, or take this kind off the route.",
            ) from None

    def __contains__(self, kind: str) -> bool:
        return kind in self.mappers


def load(system: str, *, plugins: Plugins, office: str | None = None) -> Mapping:
    """The mapping of a system as shipped (with an office's standard, if told), without any tenant.

    Args:
        system: name of the system and its plugin.
        plugins: installed systems by name (`connector.plugins.accounting()`).
        office: an office's standard that is put on it.

    Raises:
        Misconfigured: anything wrong; code, file and line of the first, all of them in `details`.
        Missing: there is no such file.
    """
    layers, problems = system_layers(system, office)
    stop_on(problems)
    mapping, problems = build(system, layers, plugins)
    stop_on(problems)
    assert mapping is not None
    return mapping


def build(system: str, layers: list[Layer], plugins: Plugins) -> tuple[Mapping | None, list[Problem]]:
    """The mapping that these layers make, and all that is wrong with them. No mapping where there is an error."""
    plugin = plugins.get(system)
    if plugin is None:
        at = layers[-1].origin("system")
        said = f"The system `{system}` is not installed."
        return None, [Problem("system-not-installed", said, at.file, at.line, did_you_mean(system, plugins))]
    stack = merge(system, layers)
    wire = {kind.value: model for kind, model in plugin.wire.items()}
    bound, problems = bind(stack, CANONICAL, wire, installed.lenses())
    problems += [problem for kind in bound.values() for problem in whole(kind, system)]
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    version = stack.version
    mappers = {name: Mapper(kind, version) for name, kind in bound.items()}
    return Mapping(system, version, mappers, stack), problems
