"""Products, departments, projects and free dimensions: read page by page, made and changed once, whatever happens."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex import reading, registers
from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import Refused, Stop
from connector.ports import Accounting, Goal, Kind

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import customer_goal, opened, reach, struck

GOALS: dict[Kind, dict[str, Any]] = {
    Kind.PRODUCT: {"name": "Råd", "number": "100", "priceExcludingVatCurrency": Decimal("1020.00"),
                   "vatType": {"number": "3"}, "currency": {"code": "NOK"}, "productUnit": {"commonCode": "HUR"},
                   "account": {"number": 3000}},
    Kind.DEPARTMENT: {"name": "Salg", "departmentNumber": "10"},
    Kind.PROJECT: {"name": "Bro", "number": "P-7"},
    Kind.DIMENSION: {"displayName": "Vår", "number": "K1", "dimension": {"dimensionName": "Kampanje"}},
}  # fmt: skip
TYPES = {Kind.PRODUCT: "product", Kind.DEPARTMENT: "department", Kind.PROJECT: "project",
         Kind.DIMENSION: "accountingDimensionValue"}  # fmt: skip
CHANGES: dict[Kind, dict[str, Any]] = {
    Kind.PRODUCT: {"number": "101", "description": None, "isInactive": True},
    Kind.DEPARTMENT: {"name": "Salg Nord", "isInactive": True},
    Kind.PROJECT: {"number": "P-8", "isClosed": True},
    Kind.DIMENSION: {"displayName": "Høst", "active": False},
}


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    with_dimension(box)
    system = opened(box)
    yield system
    await system.close()


def with_dimension(box: Sandbox) -> None:
    box.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=1, active=True)


def goal(kind: Kind, marker: str = "m-1", **more: Any) -> Goal:
    may = more.pop("may_create", True)
    return Goal(kind, "create", marker, {**GOALS[kind], **more}, may_create=may)


def rows(box: Sandbox, kind: Kind) -> list[dict[str, Any]]:
    return [dict(one) for one in box.books.things.get(TYPES[kind], {}).values()]


@pytest.mark.parametrize("kind", GOALS)
async def test_it_is_made_read_back_and_found_again(system: Accounting, box: Sandbox, kind: Kind) -> None:
    proofs = await reach(system, goal(kind))
    record = proofs["read"].record
    assert record is not None
    for name, value in GOALS[kind].items():
        there = record.body[name]
        assert (there | value if isinstance(value, dict) else there) == (there if isinstance(value, dict) else value)
    assert proofs[str(kind)].facts["found"] is False
    again = await reach(system, goal(kind, "m-2", may_create=False))
    assert (again["read"].id, again[str(kind)].facts["found"]) == (record.id, True)
    assert len(rows(box, kind)) == 1
    assert await system.read(kind, record.id) == record
    assert await system.read(kind, "1") is None


@pytest.mark.parametrize("kind", GOALS)
async def test_it_is_changed_by_what_is_said_alone(system: Accounting, box: Sandbox, kind: Kind) -> None:
    made = (await reach(system, goal(kind, description="Før") if kind is Kind.PRODUCT else goal(kind)))["read"]
    assert made.record is not None
    changed = Goal(kind, "update", "m-2", CHANGES[kind], target=made.id, seen=made.record.body)
    record = (await reach(system, changed))["read"].record
    assert record is not None
    assert record.body == {**made.record.body, **CHANGES[kind], "version": record.body["version"]}
    assert [one["version"] for one in rows(box, kind)] == [2]


@pytest.mark.parametrize("kind", [*GOALS, Kind.CUSTOMER])
async def test_what_somebody_changed_meanwhile_is_not_written_over(
    system: Accounting, box: Sandbox, kind: Kind
) -> None:
    made = (await reach(system, customer_goal() if kind is Kind.CUSTOMER else goal(kind)))["read"]
    assert made.record is not None
    name = "displayName" if kind is Kind.DIMENSION else "name"
    there = box.books.things[TYPES.get(kind, "customer")][int(made.id)]
    box.books.touch(there, **{name: "Deres"})
    ours = Goal(kind, "update", "m-2", {name: "Vårt"}, target=made.id, seen=made.record.body)
    proofs = await reach(system, ours)
    assert proofs[str(kind)].facts == {"moved": True}
    assert proofs["read"].record is not None
    assert (there[name], proofs["read"].record.body[name]) == ("Deres", "Deres")
    # Another field is no reason to stop.
    other = (
        {"isClosed": True}
        if kind is Kind.PROJECT
        else {"active": False}
        if kind is Kind.DIMENSION
        else {"isInactive": True}
    )
    await reach(system, Goal(kind, "update", "m-3", other, target=made.id, seen=made.record.body))
    assert {key: there[key] for key in other} == other


async def test_what_is_not_there_and_may_not_be_made_is_a_stop_with_near_misses(
    system: Accounting, box: Sandbox
) -> None:
    for kind in GOALS:
        await reach(system, goal(kind))
    near = {Kind.PRODUCT: "1000", Kind.DEPARTMENT: "1O", Kind.PROJECT: "P7", Kind.DIMENSION: "K 1"}
    for kind, code in near.items():
        register = registers.REGISTERS[kind]
        with pytest.raises(Stop) as stop:
            await reach(system, goal(kind, "m-9", may_create=False, **{register.number: code}))
        assert stop.value.code == f"{kind}-unknown"
        name = GOALS[kind][register.name]
        assert stop.value.details["near"] == [f"{GOALS[kind][register.number]} {name}"]
        assert len(rows(box, kind)) == 1


async def test_two_of_a_number_and_closed_ones_are_for_a_person(system: Accounting, box: Sandbox) -> None:
    first = box.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    second = box.books.add("department", name="Salg 2", departmentNumber="10", isInactive=True)
    with pytest.raises(Stop) as stop:
        await reach(system, goal(Kind.DEPARTMENT))
    assert stop.value.code == "department-duplicates"
    assert stop.value.details["ids"] == [first["id"], second["id"]]
    assert stop.value.answers == ("happened",)
    box.books.remove(first)
    with pytest.raises(Stop) as stop:
        await reach(system, goal(Kind.DEPARTMENT))
    assert stop.value.code == "department-inactive"


async def test_a_number_that_only_looks_alike_is_another(system: Accounting, box: Sandbox) -> None:
    box.books.rules.loose_filters = True
    box.books.add("department", name="Salg Øst", departmentNumber="100", isInactive=False)
    assert (await reach(system, goal(Kind.DEPARTMENT)))["department"].facts["found"] is False


async def test_who_leads_a_new_project_can_be_named(box: Sandbox) -> None:
    boss = box.books.add("employee", firstName="Kari", lastName="Boss", employeeNumber="7", email="kari@x.no")
    for wanted in ("7", "kari@x.no"):
        system = opened(box, project_manager=wanted)
        made = await reach(system, goal(Kind.PROJECT, number=f"P-{wanted}"))
        assert box.books.things["project"][int(made["read"].id)]["projectManager"].id == boss["id"]
        await system.close()
    system = opened(box, project_manager="8")
    with pytest.raises(Stop) as stop:
        await reach(system, goal(Kind.PROJECT, number="P-9"))
    assert stop.value.code == "employee-unknown"
    await system.close()


async def test_without_a_name_it_is_refused_without_a_call(system: Accounting, box: Sandbox) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(Goal(Kind.PRODUCT, "create", "m", {"isInactive": False}))
    assert refused.value.code == "name-missing"
    assert not box.requests


# --- whatever happens to any call -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", GOALS)
async def test_once_whatever_happens_to_any_call(kind: Kind) -> None:
    async def prepare(system: Accounting) -> None:
        if kind is Kind.DIMENSION:
            await system._client.write(  # type: ignore[attr-defined]
                "POST", "/ledger/accountingDimensionName", json={"dimensionName": "Kampanje"}
            )

    async def check(box: Sandbox, given: None, proofs: Any, what: str) -> None:
        assert len(rows(box, kind)) == 1, what
        assert proofs["read"].record is not None, what

    assert await struck(prepare, lambda _: goal(kind), check) > 20


@pytest.mark.parametrize("kind", GOALS)
async def test_a_change_comes_through_whatever_happens(kind: Kind) -> None:
    async def prepare(system: Accounting) -> Any:
        if kind is Kind.DIMENSION:
            await system._client.write(  # type: ignore[attr-defined]
                "POST", "/ledger/accountingDimensionName", json={"dimensionName": "Kampanje"}
            )
        return (await reach(system, goal(kind)))["read"].record

    async def check(box: Sandbox, given: Any, proofs: Any, what: str) -> None:
        (there,) = rows(box, kind)
        for name, value in CHANGES[kind].items():
            assert (there[name] or None) == value or there[name] == value, what
        assert there["version"] == 2, what

    def change(record: Any) -> Goal:
        return Goal(kind, "update", "m-2", CHANGES[kind], target=record.id, seen=record.body)

    assert await struck(prepare, change, check) > 15


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", GOALS)
async def test_pages_that_are_the_same_are_not_sent_again(
    system: Accounting, box: Sandbox, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers, "PAGE", 3)
    monkeypatch.setattr("adapters.accounting.tripletex.client.PAGE", 3)
    register = registers.REGISTERS[kind]
    dimension = {"dimensionIndex": 1} if kind is Kind.DIMENSION else {}
    made = [
        box.books.add(TYPES[kind], **{register.name: f"N{at}", register.number: str(at), **dimension})
        for at in range(7)
    ]

    async def read(cursor: str) -> tuple[list[str], str, int]:
        seen, before = [], len(box.requests)
        while True:
            page = await system.changes(kind, cursor)
            seen += [record.id for record in page.records]
            cursor = page.cursor
            if not page.more:
                asked = [r for r in list(box.requests)[before:] if r.path.endswith(register.list)]
                return seen, cursor, len(asked)

    seen, cursor, calls = await read(await system.begin(kind, date(2027, 1, 1)))
    assert (seen, calls) == ([str(one["id"]) for one in made], 3)
    assert (await read(cursor))[0] == []
    box.books.touch(made[4], **{register.name: "Ny"})
    seen, cursor, calls = await read(cursor)
    assert str(made[4]["id"]) in seen
    assert (len(seen), calls) == (3, 3), "the page that changed is read, the others answer 304"
    made += [
        box.books.add(TYPES[kind], **{register.name: f"N{at}", register.number: str(at), **dimension})
        for at in range(7, 10)
    ]
    seen, cursor, _ = await read(cursor)
    assert {str(one["id"]) for one in made[7:]} <= set(seen), "also when the register grows over a page"
    for one in made[3:]:
        box.books.remove(one)
    seen, cursor, _ = await read(cursor)
    assert (await read(cursor))[0] == []
    swept, at = [], None
    while True:
        page = await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), at)
        swept += [record.id for record in page.records]
        at = page.cursor
        if not page.more:
            break
    assert swept == [str(one["id"]) for one in made[:3]]


@pytest.mark.parametrize("right", ["product", "department", "project"])
async def test_a_register_that_may_not_be_read_is_blind_and_stops_nothing(
    system: Accounting, box: Sandbox, right: str
) -> None:
    kind = Kind(right)
    await reach(system, goal(kind))
    box.books.rules.without_right = "403"
    box.shrink(right)
    page = await system.changes(kind, await system.begin(kind, date(2027, 1, 1)))
    assert (page.blind, list(page.records), page.more) == (True, [], False)
    assert (await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)).blind


async def test_departments_without_number_are_read(system: Accounting, box: Sandbox) -> None:
    box.books.add("department", name="Salg", departmentNumber="", isInactive=False)
    page = await system.changes(Kind.DEPARTMENT, await system.begin(Kind.DEPARTMENT, date(2027, 1, 1)))
    assert page.records[0].body["departmentNumber"] is None


def test_every_register_has_its_place() -> None:
    assert set(registers.REGISTERS) == set(GOALS)
    assert not set(registers.REGISTERS) & set(reading._PATHS)
