"""Mapping files: how our documents and a vendor's records say the same thing, declared once, used both ways.

    mapping = load("tripletex")                        # or load_tenant("demo").connections["books"].mapping
    record = mapping["invoice"].out(invoice.model_dump(), context)
    fields = mapping["invoice"].into(record, context)

`check` finds all that is wrong with files, as values. The language is in docs/mapping.md.
"""

from connector.mapping.load import Mapping, load
from connector.mapping.mapper import Context, FieldInfo, Mapper
from connector.mapping.problems import Problem
from connector.mapping.tenants import Tenant, TenantConnection, load_tenant, tenants

__all__ = [
    "Context",
    "FieldInfo",
    "Mapper",
    "Mapping",
    "Problem",
    "Tenant",
    "TenantConnection",
    "load",
    "load_tenant",
    "tenants",
]
