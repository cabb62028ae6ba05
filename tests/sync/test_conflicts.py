"""Both sides changed the same field: shown with both values, who changed them and when; answered side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox.registers import REGISTERS, create
from connector.cli.telling import differing
from connector.ports import Kind
from connector.service import first_sync

CUSTOMER = {
    "source_id": "customer-17",
    "party": {
        "name": "Eksempel AS",
        "legal_id": {"value": "974760673", "scheme": "0192"},
        "contact": {"phone": "1", "email": "a@eksempel.no"},
    },
    "invoice_email": "faktura@eksempel.no",
}
PHONE, EMAIL = "party.contact.phone", "party.contact.email"


def there(two: Any) -> Any:
    (made,) = [one for one in two.books.books.things["customer"].values() if one["name"] == "Eksempel AS"]
    return made


@pytest.fixture
async def apart(two: Any) -> Any:
    """A customer whose phone and e-mail address both sides have changed since they were last alike."""
    await two.done("/v1/customers", CUSTOMER)
    await two.poll()
    two.books.books.touch(there(two), phoneNumber="2", email="b@eksempel.no")
    # Changed here while the change there has not been read: the push sees what is there, and does not write over it.
    answer = await two.post("/v1/customers", {
        "source_id": "customer-17", "party": {"contact": {"phone": "3", "email": "c@eksempel.no"}},
    })  # fmt: skip
    assert answer.status_code == 202
    await two.poll(Kind.CUSTOMER, of="books")
    assert await two.waits() == ["conflict"]
    return two


async def question(two: Any) -> Any:
    (item,) = [one for one in await two.get("/v1/attention") if one["code"] == "conflict"]
    return item


async def answered(two: Any, verb: str, **more: Any) -> Any:
    item = await question(two)
    answer = await two.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": verb} | more)
    await two.work(within=1.0)
    return answer


async def values(two: Any) -> dict[str, tuple[str, str]]:
    """Phone and e-mail address: here, in books, in shop."""
    contact = (await two.document(kind="customer")).body["party"]["contact"]
    found = {"here": (contact["phone"], contact["email"])}
    for name, box in (("books", two.books), ("shop", two.shop)):
        (made,) = [one for one in box.books.things["customer"].values() if one["name"] == "Eksempel AS"]
        found[name] = (made["phoneNumber"], made["email"])
    return found


async def test_both_values_are_shown_with_who_changed_them_and_when(apart: Any) -> None:
    item = await question(apart)
    told = {one["field"]: one for one in item["details"]["details"]}
    assert set(told) == {PHONE, EMAIL}
    phone = told[PHONE]
    assert (phone["known"], phone["ours"], phone["theirs"]) == ("1", "3", "2")
    assert phone["changed"]["ours"]["by"] == "api"
    assert phone["changed"]["theirs"]["by"] == "books, employee 1"  # Tripletex tells who it was
    assert phone["changed"]["theirs"]["at"] < phone["changed"]["ours"]["at"] or phone["proposal"] == "theirs"
    assert set(item["verbs"]) == {"ours", "theirs", "merge", "ignore"}


async def test_field_by_field_one_side_or_the_other_holds(apart: Any) -> None:
    answer = await answered(apart, "merge", fields={PHONE: "theirs", EMAIL: "ours"})
    assert answer.status_code == 204, answer.text
    await apart.poll()
    assert set((await values(apart)).values()) == {("2", "c@eksempel.no")}
    assert await apart.waits() == []
    document = await apart.document(kind="customer")
    story = await apart.get(f"/v1/documents/{document.id}/story")
    (decision,) = [one for one in story if one["kind"] == "decision"]
    assert decision["what"] == "merge"
    assert decision["data"]["details"]["fields"] == {PHONE: "theirs", EMAIL: "ours"}


async def test_merged_without_a_choice_it_is_as_proposed(apart: Any) -> None:
    proposed = {one["field"]: one[one["proposal"]] for one in (await question(apart))["details"]["details"]}
    assert (await answered(apart, "merge")).status_code == 204
    await apart.poll()
    assert set((await values(apart)).values()) == {(proposed[PHONE], proposed[EMAIL])}
    assert await apart.waits() == []


async def test_ignored_both_stay_until_one_of_them_changes(apart: Any) -> None:
    assert (await answered(apart, "ignore")).status_code == 204
    for _ in range(2):
        await apart.poll()
    await apart.sweep(Kind.CUSTOMER)
    found = await values(apart)
    assert found["books"] == ("2", "b@eksempel.no")
    assert found["here"] == ("3", "c@eksempel.no")
    assert await apart.waits() == []

    apart.books.books.touch(there(apart), phoneNumber="4")  # one side changes: that is news, and no question
    await apart.poll()
    assert (await values(apart))["here"] == ("4", "c@eksempel.no")
    assert (await values(apart))["books"] == ("4", "b@eksempel.no")
    assert await apart.waits() == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"verb": "merge", "fields": {"party.name": "ours"}}, "field-not-disputed"),
        ({"verb": "ours", "fields": {PHONE: "ours"}}, "fields-without-merge"),
        ({"verb": "merge", "fields": {PHONE: "mine"}}, "request-malformed"),
        ({"verb": "retry"}, "verb-not-offered"),
    ],
)
async def test_what_is_no_answer_settles_nothing(apart: Any, said: Any, code: str) -> None:
    answer = await answered(apart, **said)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] == code
    assert await apart.waits() == ["conflict"]


# --- when both sides are joined for the first time --------------------------------------------------------------------


def kept_in(box: Any, phone: str) -> Any:
    """The customer in a ledger, with another phone number, as it was changed now."""
    made = create(box.books, REGISTERS["customer"], {"name": "Eksempel AS", "organizationNumber": "974760673"})
    thing = box.books.things["customer"][made["id"]]
    box.books.touch(thing, phoneNumber=phone)
    return thing


async def joined_books(two: Any) -> Any:
    """`books` joined to what is here, every pair linked; the question that this leaves, by field."""
    spoke = two.house.named("fjord", "books")
    found = await first_sync.propose(two.house, spoke, who="test")
    content = first_sync.deciding.as_sheet(found, spoke, "now")
    await first_sync.apply(two.house, spoke, content, file="f.csv", who="test")
    item = await question(two)
    return item, {one["field"]: one for one in item["details"]["details"]}


@pytest.mark.parametrize("later", ["shop", "books"])
async def test_after_a_first_sync_the_later_change_is_proposed_whenever_it_was_read(both: Any, later: str) -> None:
    """`shop` is read after both were changed: that it became known here last says nothing."""
    async with both(to="[shop, books]", owner="shop") as two:
        for name in ("shop", "books") if later == "books" else ("books", "shop"):
            kept_in(getattr(two, name), phone=name)
            await asyncio.sleep(1.1)  # the ledger tells whole seconds
        await two.poll(Kind.CUSTOMER, of="shop")
        _, fields = await joined_books(two)
        phone = fields[PHONE]
        assert (phone["ours"], phone["theirs"]) == ("shop", "books")
        assert phone["proposal"] == ("theirs" if later == "books" else "ours")
        assert phone["changed"]["ours"]["by"] == "shop, employee 1"
        assert phone["changed"]["ours"]["seen"] > phone["changed"]["theirs"]["at"]


async def test_where_nobody_tells_when_it_was_changed_nothing_is_proposed(both: Any) -> None:
    async with both(observing="books") as two:
        kept_in(two.books, phone="2")
        await two.done("/v1/customers", {**CUSTOMER, "invoice_email": None})
        item, fields = await joined_books(two)
        phone = fields[PHONE]
        assert phone["changed"]["ours"]["at"] is None, "how old what a program posts first is, nobody knows"
        assert phone["changed"]["theirs"]["at"] is not None
        assert phone["proposal"] is None
        said = "\n".join(differing(item["details"]))
        assert "when is not known, api" in said
        assert "nothing is proposed" in said
        refused = await answered(two, "merge")
        assert (refused.status_code, refused.json()["code"]) == (422, "field-not-chosen")
        assert await two.waits() == ["conflict"]
        sides = {one["field"]: "theirs" for one in item["details"]["details"]}
        assert (await answered(two, "merge", fields=sides)).status_code == 204
        await two.poll()
        assert await two.waits() == []
        assert (await two.document(kind="customer")).body["party"]["contact"]["phone"] == "2"
