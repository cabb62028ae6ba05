"""Dimensions by configuration: segments of the subaccount, branches and projects, out and in."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.accounting.visma_net import Settings
from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import ConnectorError
from connector.ports import Goal, Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import (
    all_changes,
    credit_goal,
    customer_goal,
    invoice_goal,
    line,
    opened,
    purchase_goal,
    reach,
    supplier_goal,
)

SAID: dict[str, Any] = {
    "dimensions": {"department": 1, "Kampanje": 2, "location": "branch", "project": "project"},
    "empty_segments": {1: "000", 2: "00"},
}
"""Each in a place of its own."""
P1, P2 = "801", "802"
HOURS, LUNCH = line("Timer", 8, "1020.00", "3"), line("Lunsj", 20, "100.00", "31", "3001")


def segments(row: dict[str, Any]) -> dict[int, str]:
    return {one["segmentId"]: one["segmentValue"] for one in row["subaccount"]["segments"]}


async def test_an_invoice_carries_them_out_and_in() -> None:
    async with Sandbox() as box:
        system = opened(box, **SAID)
        buyer = (await reach(system, customer_goal()))["read"].id
        lines = [
            HOURS | {"department": {"id": "10"}, "location": "2"},
            LUNCH | {"dimensions": [{"name": "Kampanje", "valueId": "K1"}]},
        ]
        goal = invoice_goal(buyer, invoiceLines=lines, department={"id": "20"}, project={"id": P1})
        made = (await reach(system, goal))["read"]
        there = box.books.tables["invoice"][made.id]
        assert there["project"]["id"] == "P1"
        assert [segments(one) for one in there["invoiceLines"]] == [{1: "10", 2: "00"}, {1: "20", 2: "K1"}]
        assert [one["branchNumber"]["number"] for one in there["invoiceLines"]] == ["2", "1"]
        for record in (made.record, await opened(box, **SAID).read(Kind.INVOICE, made.id)):
            assert record.body["project"] == {"id": P1}
            first, second = record.body["invoiceLines"]
            assert (first["department"], first["location"], first.get("dimensions")) == ({"id": "10"}, "2", None)
            assert (second["department"], second["dimensions"]) == (
                {"id": "20"},
                [{"name": "Kampanje", "valueId": "K1"}],
            )
        plain = (await opened(box).read(Kind.INVOICE, made.id)).body
        assert not {"project", "department"} & {*plain, *plain["invoiceLines"][0]}, "nobody said what a segment is"

        note = credit_goal(buyer, made.id)
        record = {**note.record, "department": {"id": "10"}}
        credited = (await reach(system, Goal(note.kind, note.operation, note.marker, record, totals=note.totals)))[
            "read"
        ]
        assert {segments(one)[1] for one in box.books.tables["creditnote"][credited.id]["lines"]} == {"10"}
        assert credited.record.body["lines"][0]["department"] == {"id": "10"}


async def test_what_a_line_leaves_open_is_said_or_left_to_visma_net() -> None:
    async with Sandbox() as box:
        for settings, segment, read in (
            (SAID, "000", None),
            ({"dimensions": {"department": 1}}, "20", {"id": "20"}),
        ):
            system = opened(box, **settings)
            buyer = (await reach(system, customer_goal()))["read"].id
            made = (await reach(system, invoice_goal(buyer, f"m-{segment}")))["read"]
            _, lunch = box.books.tables["invoice"][made.id]["invoiceLines"]
            assert segments(lunch)[1] == segment, "the account says 20"
            assert made.record.body["invoiceLines"][1].get("department") == read


async def test_the_same_dimension_may_stand_elsewhere() -> None:
    async with Sandbox() as box:
        system = opened(box, dimensions={"department": "branch", "project": 2})
        buyer = (await reach(system, customer_goal()))["read"].id
        lines = [HOURS | {"project": {"id": "K1"}}, LUNCH | {"project": {"id": "K2"}}]
        made = (await reach(system, invoice_goal(buyer, invoiceLines=lines, department={"id": "2"})))["read"]
        there = box.books.tables["invoice"][made.id]["invoiceLines"]
        assert [(segments(one)[2], one["branchNumber"]["number"]) for one in there] == [("K1", "2"), ("K2", "2")]
        assert [one["project"] for one in made.record.body["invoiceLines"]] == [{"id": "K1"}, {"id": "K2"}]


async def test_an_incoming_invoice_carries_them_on_every_line() -> None:
    async with Sandbox() as box:
        system = opened(box, incoming="release", incoming_account="4300", **SAID)
        seller = (await reach(system, supplier_goal()))["read"].id
        free = [{"name": "Kampanje", "valueId": "K2"}]
        goal = purchase_goal(seller, department={"id": "20"}, project={"id": P1}, location="2", dimensions=free)
        made = (await reach(system, goal))["read"]
        (row,) = box.books.all("purchase")
        assert [segments(one) for one in row["invoiceLines"]] == [{1: "20", 2: "K2"}]
        assert [one["project"]["id"] for one in row["invoiceLines"]] == ["P1"]
        said = {name: made.record.body.get(name) for name in ("department", "project", "location", "dimensions")}
        assert said == {"department": {"id": "20"}, "project": {"id": P1}, "location": "2", "dimensions": free}


@pytest.mark.parametrize(
    ("more", "code", "calls"),
    [
        ({"department": {"id": "77"}}, "dimension-refused", True),
        ({"department": {"id": "90"}}, "dimension-refused", True),
        ({"location": "9"}, "dimension-refused", True),
        ({"project": {"id": P2}}, "project-inactive", True),
        ({"project": {"id": "4"}}, "link-missing", True),
        ({"dimensions": [{"name": "Region", "valueId": "N"}]}, "dimension-not-placed", False),
        ({"invoiceLines": [HOURS | {"project": {"id": P1}}, LUNCH]}, "project-on-line", False),
    ],
)
async def test_a_wrong_or_closed_one(more: dict[str, Any], code: str, calls: bool) -> None:
    async with Sandbox() as box:
        system = opened(box, **SAID)
        buyer = (await reach(system, customer_goal()))["read"].id
        before = len(box.requests)
        with pytest.raises(ConnectorError) as exc:
            await reach(system, invoice_goal(buyer, **more))
        assert (exc.value.code, len(box.requests) > before) == (code, calls)
        assert exc.value.do
        assert not box.books.tables.get("invoice")


async def test_values_are_read_followed_found_and_offered() -> None:
    async with Sandbox() as box:
        system = opened(box, **SAID)
        assert {Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION} <= {one.kind for one in system.readings}
        for kind, codes in (
            (Kind.DEPARTMENT, {"10", "20", "90"}),
            (Kind.PROJECT, {P1, P2}),
            (Kind.DIMENSION, {"Kampanje/K1", "Kampanje/K2"}),
        ):
            found, cursor = await all_changes(system, kind, await system.begin(kind, date(2027, 1, 1)))
            assert {record.id for record in found} == codes
            _, cursor = await all_changes(system, kind, cursor)
            assert (await all_changes(system, kind, cursor))[0] == []
            swept = await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)
            assert {record.id for record in swept.records} == codes
            if kind is Kind.DEPARTMENT:
                box.books.touch(box.books.tables["segment"]["1/20"], active=False)
                (seen,), _ = await all_changes(system, kind, cursor)
                assert (seen.id, seen.body["active"]) == ("20", False)
            if kind is Kind.PROJECT:
                box.books.touch(box.books.tables["project"]["P1"], status="OnHold")
                (seen,), _ = await all_changes(system, kind, cursor)
                assert (seen.body["valueId"], seen.body["active"]) == ("P1", False)
        options = await system.options()
        departments = options.dimension("department")
        assert {(one.code, one.active) for one in departments.values} == {("10", True), ("20", False), ("90", False)}
        assert {one.code for one in options.dimension("dimension", "Kampanje").values} == {"K1", "K2"}
        assert {one.code for one in options.dimension("project").values} == {"P1", "P2"}

        for kind, record, code in (
            (Kind.DEPARTMENT, {"valueId": "10"}, None),
            (Kind.DEPARTMENT, {"valueId": "90"}, "department-inactive"),
            (Kind.DEPARTMENT, {"valueId": "11"}, "department-unknown"),
            (Kind.PROJECT, {"valueId": "P2"}, "project-inactive"),
            (Kind.PROJECT, {"valueId": "P9"}, "project-unknown"),
            (Kind.DIMENSION, {"name": "Kampanje", "valueId": "K2"}, None),
            (Kind.DIMENSION, {"name": "Kampanje", "valueId": "K3"}, "dimension-unknown"),
            (Kind.DIMENSION, {"name": "Region", "valueId": "N"}, "dimension-not-placed"),
        ):
            goal = Goal(kind, "create", "m", record, may_create=False)
            if code is None:
                assert (await reach(system, goal))["read"].record.body["valueId"] == record["valueId"]
            else:
                with pytest.raises(ConnectorError) as exc:
                    await reach(system, goal)
                assert exc.value.code == code
        assert {came.method for came in box.requests if "connect" not in came.path} == {"GET"}


async def test_nothing_is_read_that_has_no_place() -> None:
    async with Sandbox() as box:
        system = opened(box)
        assert not {Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION} & {one.kind for one in system.readings}
        assert (await system.options()).dimension("department").values == ()
        with pytest.raises(ConnectorError) as exc:
            system.flow(Goal(Kind.DEPARTMENT, "create", "m", {"valueId": "10"}))
        assert exc.value.code == "dimension-not-placed"


@pytest.mark.parametrize(
    "places",
    [
        {"department": 1, "location": 1},
        {"department": "project"},
        {"seller": 3},
        {"department": 0},
        {"department": "x"},
    ],
)
def test_places_that_cannot_be(places: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(tenant_id="t", dimensions=places)
