"""Records of registers with workers that are programs of their own, killed at every call: each is there once, and says
what was said last.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from connector.api.examples import CUSTOMER, PRODUCT

_spec = spec_from_file_location("killed_at_work", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)
at_work = killed.at_work

MOMENTS = ("before", "between", "after")
MADE = "{kinds: {department: {creates: needed}, project: {creates: needed}, dimension: {creates: needed}}}"
VALUE = "/ledger/accountingDimensionValue"


def customer(n: int, name: str) -> dict[str, Any]:
    party = {"name": name, "legal_id": {"value": killed.BUYERS[n], "scheme": "0192"}}
    party |= {"endpoint": None, "vat_number": None}
    return CUSTOMER | {"source_id": f"c-{n}", "party": CUSTOMER["party"] | party}


def nameless(n: int, name: str) -> dict[str, Any]:
    """A person: known there by nothing but our marker."""
    party = {"name": name, "legal_id": None, "endpoint": None, "vat_number": None, "contact": {"email": f"{n}@no.no"}}
    return {"source_id": f"p-{n}", "party": CUSTOMER["party"] | party}


def product(n: int, name: str) -> dict[str, Any]:
    return PRODUCT | {"source_id": f"v-{n}", "number": f"{100 + n}", "name": name}


def dimension(kind: str, **more: Any) -> Any:
    return lambda n, name: {"kind": kind, "source_id": f"d-{n}", "code": f"{10 + n}", "name": name, **more}


KINDS: dict[str, tuple[str, Any, str, str, tuple[str, ...], tuple[str, ...]]] = {
    "customer": ("customers", customer, "customer", "name", ("POST /customer",), (r"PUT /customer/\d+",)),
    "person": ("customers", nameless, "customer", "name", ("POST /customer",), (r"PUT /customer/\d+",)),
    "product": ("products", product, "product", "name", ("POST /product",), (r"PUT /product/\d+",)),
    "department": (
        "dimensions", dimension("department"), "department", "name", ("POST /department",), (r"PUT /department/\d+",),
    ),
    "project": ("dimensions", dimension("project"), "project", "name", ("POST /project",), (r"PUT /project/\d+",)),
    "free": (
        "dimensions", dimension("free", dimension="Kampanje"), "accountingDimensionValue", "displayName",
        (f"POST {VALUE}",), (f"PUT {VALUE}/list",),
    ),
}  # fmt: skip
"""By what is posted: where, what, the register there with its field of the name, the calls that make and change it."""


async def told_once(at_work: Any, what: str, makes: tuple[str, ...], changes: tuple[str, ...]) -> None:
    """One record for each moment; a worker dies in each of these calls at each of these moments."""
    path, body, type_, field, _, _ = KINDS[what]
    async with at_work(mapping=MADE) as (fjord, workers):
        box, many = fjord.box, range(len(MOMENTS))
        box.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=1, active=True)
        before = set(box.books.things.get(type_, {}))
        for calls, name in ((makes, "Først"), (changes, "Så")):
            for n in many:
                for call in calls:
                    box.fate(call, MOMENTS[n], workers.kill)
            said = await killed.posted(fjord, f"/v1/{path}", [body(n, f"{name} {n}") for n in many])
            await workers.until(lambda told=said: killed.over(fjord, told))  # type: ignore[misc]
            assert [call for call, _, _ in box.fates] == []
            there = [one for id, one in box.books.things[type_].items() if id not in before]
            assert sorted(one[field] for one in there) == [f"{name} {n}" for n in many]
        await workers.died((len(makes) + len(changes)) * len(MOMENTS))
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("what", KINDS)
async def test_killed_at_every_write(at_work: Any, what: str) -> None:
    """Before the request is taken, between call and answer, after the answer: made once, and changed once."""
    await told_once(at_work, what, *KINDS[what][4:])


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
@pytest.mark.parametrize("what", KINDS)
async def test_killed_at_every_read(at_work: Any, what: str) -> None:
    """The looks before and after a write."""
    path = VALUE if what == "free" else f"/{KINDS[what][2]}"
    lists = (rf"GET {VALUE}/search\?",) if what == "free" else (rf"GET {path}\?",)
    reads = (rf"GET {path}/\d+",)
    await told_once(at_work, what, (*lists, *reads), reads)
