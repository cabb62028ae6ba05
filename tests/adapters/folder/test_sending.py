"""Laying down what is sent: once, whatever gets lost on the way."""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from folder_driving import ENVELOPE, INSTANCE, opened, run, send, steps, transmission

from adapters.access_points.folder.sandbox import Sandbox
from adapters.access_points.sandbox import Pace, Plan
from connector.errors import NeedsPerson, Refused, Stop, TryLater, UnknownOutcome

Boxes = Callable[..., Any]


def sent_by(box: Sandbox) -> list[tuple[str, bytes]]:
    return [(one.said["file"], one.body) for one in box.network.transmissions]


def outbound(box: Sandbox) -> list[str]:
    return sorted(path.name for path in (box.root / "outbound").iterdir())


async def test_a_document_is_laid_down_picked_up_and_receipted(boxes: Boxes, local: bool) -> None:
    box = await boxes(pace=Pace(sent=60))
    point = opened(box, local=local)
    proof = await send(point, transmission())
    assert (proof.id, proof.facts) == (INSTANCE, {"state": "accepted", "said": "published"})
    assert outbound(box) == [f"{INSTANCE}.xml"]
    waits = await point.status(proof.id, INSTANCE)
    assert waits is not None
    assert (waits.state, waits.said) == ("accepted", "waits-to-be-picked-up")

    box.access_point.look()
    assert sent_by(box) == [(INSTANCE, ENVELOPE)]
    taken = await point.status(proof.id, INSTANCE)
    assert taken is not None
    assert (taken.state, taken.said) == ("accepted", "picked-up")

    box.network.become(box.network.transmissions[0], "sent")
    box.access_point.look()
    sent = await point.status(proof.id, INSTANCE)
    assert sent is not None
    assert (sent.state, sent.said) == ("sent", f"receipts/{INSTANCE}.receipt.dat")
    assert sent.at is not None
    assert abs(sent.at - datetime.now(UTC)) < timedelta(minutes=1)
    await point.close()


@pytest.mark.parametrize("end", ["failed", "rejected"])
async def test_a_refusal_says_why_and_a_receipt_outranks_it(boxes: Boxes, local: bool, end: str) -> None:
    box = await boxes()
    box.network.plans.append(Plan(end=end, reason="Mottakeren er ukjent\nSMP 404"))
    box.network.pace = Pace(retry=0)
    point = opened(box, local=local)
    await send(point, transmission())
    box.access_point.look()
    refused = await point.status(INSTANCE, INSTANCE)
    assert refused is not None
    assert (refused.state, [one.text for one in refused.reasons]) == ("failed", ["Mottakeren er ukjent SMP 404"])
    (box.root / "receipts" / f"{INSTANCE}.ack").touch()
    sent = await point.status(INSTANCE, INSTANCE)
    assert sent is not None
    assert sent.state == "sent"


async def test_receipts_are_found_by_pattern(boxes: Boxes, local: bool) -> None:
    """Whoever starts Oxalis for each file gives it a folder for its evidence; the name in it is Oxalis' own."""
    box = await boxes()
    point = opened(box, local=local, sent=["evidence/{instance}/*.receipt.dat"], accepted=["done/{instance}.xml"])
    await send(point, transmission())
    (box.root / "done").mkdir()
    (box.root / "outbound" / f"{INSTANCE}.xml").rename(box.root / "done" / f"{INSTANCE}.xml")
    accepted = await point.status(INSTANCE, INSTANCE)
    assert accepted is not None
    assert (accepted.state, accepted.said) == ("accepted", f"done/{INSTANCE}.xml")
    (box.root / "evidence" / INSTANCE).mkdir(parents=True)
    (box.root / "evidence" / INSTANCE / "4711.receipt.dat").write_bytes(b"x")
    sent = await point.status(INSTANCE, INSTANCE)
    assert sent is not None
    assert sent.state == "sent"


async def test_what_is_not_published_is_not_picked_up(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    proof = await upload.call(run())
    box.access_point.look()
    assert sent_by(box) == []
    assert publish.look is not None
    assert await publish.look(run(upload=proof)) == []


@pytest.mark.parametrize("kind", ["no-answer", "no-answer-before", "500-before", "500-after"])
@pytest.mark.parametrize("takes", [True, False])
async def test_a_rename_without_a_sound_answer_is_made_once(boxes: Boxes, kind: str, takes: bool) -> None:
    box = await boxes(every=0.005 if takes else None)
    point = opened(box)
    box.fault("rename .*/outbound/", kind)
    await send(point, transmission())
    box.access_point.look()
    assert sent_by(box) == [(INSTANCE, ENVELOPE)]
    assert [name for name in outbound(box) if name.endswith(".tmp")] == []


async def test_a_slow_answer_is_an_unknown_outcome(boxes: Boxes) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, timeout=1))
    proof = await upload.call(run())
    box.fault("rename", "slow", seconds=3)
    with pytest.raises(UnknownOutcome):
        await publish.call(run(upload=proof))
    assert publish.look is not None
    assert [one.id for one in await publish.look(run(upload=proof))] == [INSTANCE]


async def test_the_server_dies_between_upload_and_rename(boxes: Boxes) -> None:
    box = await boxes()
    point = opened(box)
    upload, publish = steps(point)
    proof = await upload.call(run())
    await box.stop()
    with pytest.raises(UnknownOutcome):  # sent on a connection of which nobody knows yet that it is gone
        await publish.call(run(upload=proof))
    assert publish.look is not None
    for call in (publish.call, publish.look):
        with pytest.raises(TryLater) as away:
            await call(run(upload=proof))
        assert away.value.code == "vendor-unreachable"
    await box.start()
    assert await publish.look(run(upload=proof)) == []
    await publish.call(run(upload=proof))
    assert outbound(box) == [f"{INSTANCE}.xml"]


async def test_a_rename_that_comes_late_happens_once(boxes: Boxes, local: bool) -> None:
    """A worker that was stopped for long renames when another one has: what is taken away is not put there again."""
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    proof = await upload.call(run())
    await publish.call(run(upload=proof))
    box.access_point.look()
    (box.root / "receipts" / f"{INSTANCE}.receipt.dat").unlink()
    with pytest.raises(UnknownOutcome):
        await publish.call(run(upload=proof))
    box.access_point.look()
    assert len(sent_by(box)) == 1
    # Neither name is there, and no receipt: only a rename takes the temporary file away.
    assert publish.look is not None
    assert [one.id for one in await publish.look(run(upload=proof))] == [INSTANCE]


async def test_who_took_an_old_temporary_file_a_person_says(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, local=local, temporary_hours=0))
    proof = await upload.call(run())
    (box.root / str(proof.facts["temporary"])).unlink()
    with pytest.raises(Stop) as gone:
        await publish.call(run(upload=proof))
    assert gone.value.code == "temporary-gone"
    assert publish.look is not None
    with pytest.raises(Stop) as unclear:
        await publish.look(run(upload=proof))
    assert unclear.value.code == "outcome-unclear"


async def test_a_disk_that_is_not_connected_proves_nothing(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    proof = await upload.call(run())
    (box.root / "outbound").rename(box.root / "elsewhere")
    assert publish.look is not None
    with pytest.raises(NeedsPerson) as away:
        await publish.look(run(upload=proof))
    assert away.value.code == "folder-missing"


async def test_half_a_rename_is_one(boxes: Boxes, local: bool) -> None:
    """Servers without posix-rename link and unlink: a crash between them leaves both names."""
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    proof = await upload.call(run())
    (box.root / "outbound" / f"{INSTANCE}.xml").hardlink_to(box.root / str(proof.facts["temporary"]))
    assert publish.look is not None
    assert [one.id for one in await publish.look(run(upload=proof))] == [INSTANCE]


async def test_a_server_without_posix_rename_and_a_folder_for_what_is_not_finished(boxes: Boxes) -> None:
    box = await boxes(posix_rename=False)
    (box.root / "writing").mkdir()
    point = opened(box, temporary="writing", sends="document")
    await send(point, transmission())
    assert (box.root / "outbound" / f"{INSTANCE}.xml").read_bytes() == b"<Invoice/>"
    assert list((box.root / "writing").iterdir()) == []


async def test_fifty_documents_with_answers_lost_at_random(boxes: Boxes) -> None:
    box = await boxes(every=0.003)
    point = opened(box)
    chance = random.Random(7)
    names = [f"d{n}" for n in range(50)]
    for name in names:
        if chance.random() < 0.5:
            kind = chance.choice(["no-answer", "no-answer-before", "500-after"])
            box.fault(chance.choice(["rename", "open .*/outbound", "write", "lstat"]), kind)
        await send(point, transmission(name, name.encode()))
    box.faults.active.clear()
    box.access_point.look()
    assert sorted(sent_by(box)) == sorted((name, name.encode()) for name in names)


async def test_a_full_disk_is_tried_again_later(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    upload, _ = steps(opened(box, local=local), envelope=b"x" * 100_000)
    if local:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    else:
        box.fault("write", "500-before")
    try:
        with pytest.raises(TryLater) as full:
            await upload.call(run())
    finally:
        if local:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.value.code == ("folder-full" if local else "folder-failed")
    assert outbound(box) == []


async def test_a_file_that_came_in_part_is_not_published(boxes: Boxes) -> None:
    """Not every server says that there is no room."""
    box = await boxes(holds=10)
    upload, _ = steps(opened(box))
    with pytest.raises(TryLater, match="10 bytes instead of"):
        await upload.call(run())


async def test_without_permission_the_connection_needs_a_person(
    boxes: Boxes, local: bool, without_rights: Callable[[Path], Any]
) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    proof = await upload.call(run())
    (box.root / "outbound").chmod(0o555)
    with without_rights(box.root):
        with pytest.raises(NeedsPerson) as denied:
            await upload.call(run())
        assert denied.value.code == "folder-permission"
        with pytest.raises(NeedsPerson) as denied:
            await publish.call(run(upload=proof))
        assert denied.value.code == "folder-permission"
    assert outbound(box) == [str(proof.facts["temporary"]).removeprefix("outbound/")]


async def test_what_cannot_be_sent_here_is_refused_before(boxes: Boxes) -> None:
    box = await boxes()
    with pytest.raises(Refused, match="bytes"):
        opened(box, largest_mb=1).flow(transmission(envelope=b"x" * (2**20 + 1)))
    for unfit in ("../outside", ".hidden", "a/b", ""):
        with pytest.raises(Refused, match="name of a file"):
            opened(box).flow(transmission(unfit))
    with pytest.raises(Refused) as none:
        opened(box, outbound=None).flow(transmission())
    assert none.value.code == "operation-not-supported"
