"""What comes: read when it is whole, in every layout, and moved away when it is stored here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from folder_driving import opened

from adapters.access_points.folder.sandbox import Sandbox
from adapters.access_points.folder.sandbox.access_point import LAYOUTS
from connector.errors import NeedsPerson, TryLater
from connector.ports import AccessPoint, Inbox, Message

Boxes = Callable[..., Any]
HALF = {
    "oxalis": "r/s/half.doc.xml",
    "phoss": "half.xml",
    "phoss-folders": "half/sbd.xml",
    "plain": "half.xml",
}


def lay(box: Sandbox, path: str, content: bytes = b"<x/>") -> Path:
    at = box.root / "inbound" / path
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_bytes(content)
    return at


async def read(point: AccessPoint) -> Inbox:
    """A poll that has seen everything before; all pages."""
    await _pages(point)
    await asyncio.sleep(0.06)
    return await _pages(point)


async def _pages(point: AccessPoint) -> Inbox:
    messages, unread, cursor, more = [], [], None, True
    while more:
        page = await point.inbox(cursor)
        messages += page.messages
        unread += page.unread
        cursor, more = page.cursor, page.more
    return Inbox(messages, unread=unread)


def bodies(inbox: Inbox) -> set[bytes]:
    return {one.body for one in inbox.messages}


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_what_is_whole_is_read_and_archived(boxes: Boxes, local: bool, layout: str) -> None:
    box = await boxes(layout=layout)
    point = opened(box, local=local)
    laid = {box.access_point.deliver(f"<d>{n} Blåbærgrøt</d>".encode(), f"d{n}") for n in range(3)}
    half = lay(box, HALF[layout], b"<d>half")
    if layout == "plain":
        await _pages(point)
        half.write_bytes(b"<d>half of")
        await asyncio.sleep(0.06)
        half.write_bytes(b"<d>half of it")
        inbox = await _pages(point)
    else:
        inbox = await read(point)
    assert bodies(inbox) == {f"<d>{n} Blåbærgrøt</d>".encode() for n in range(3)}
    assert {one.id.rpartition("#")[0] for one in inbox.messages} == laid
    assert inbox.unread == []
    assert bodies(await read(point)) >= bodies(inbox), "what is not acknowledged comes again"

    for one in (*inbox.messages, *inbox.messages):
        await point.acknowledge(one.id)
    assert laid <= set(files(box.root / "archive"))
    assert files(box.root / "inbound") == [HALF[layout]]
    await point.close()


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_what_is_stored_can_be_deleted(boxes: Boxes, local: bool, layout: str) -> None:
    box = await boxes(layout=layout)
    point = opened(box, local=local, archive=None)
    box.access_point.deliver(b"<d/>", "one")
    (message,) = (await read(point)).messages
    await point.acknowledge(message.id)
    await point.acknowledge(message.id)
    assert files(box.root) == []
    assert not (box.root / "inbound" / "one").exists()


async def test_without_a_marker_a_document_lies_still_for_a_while_first(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    box.network.come(b"<d/>", times=2)
    point = opened(box, local=local, quiet=60)
    for _ in range(3):
        assert (await read(point)).messages == []
    assert len((await read(opened(box, local=local, quiet=0))).messages) == 2


async def test_a_marker_says_that_a_document_is_whole(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    point = opened(box, local=local, marker="{name}.ok")
    lay(box, "a.xml", b"<a/>")
    assert bodies(await read(point)) == set()
    lay(box, "a.ok", b"")
    (message,) = (await point.inbox(None)).messages
    await point.acknowledge(message.id)
    assert files(box.root / "archive") == ["a.ok", "a.xml"]


async def test_another_document_of_the_same_name_is_not_archived_unread(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    point = opened(box, local=local)
    lay(box, "invoice.xml", b"<first/>")
    (first,) = (await read(point)).messages
    lay(box, "invoice.xml", b"<second/>")
    await point.acknowledge(first.id)
    (second,) = (await read(point)).messages
    assert second.body == b"<second/>"
    assert second.id != first.id

    lay(box, "invoice.xml", b"x" * (2**20 + 1))
    await opened(box, local=local, inbound_mb=1).acknowledge(second.id)
    assert (box.root / "inbound" / "invoice.xml").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_what_is_delivered_again_is_archived_beside_the_first(boxes: Boxes, local: bool, layout: str) -> None:
    box = await boxes(layout=layout)
    point = opened(box, local=local)
    for _ in range(3):
        box.access_point.deliver(b"<d/>", "one")
        (message,) = (await read(point)).messages
        await point.acknowledge(message.id)
        assert files(box.root / "inbound") == []
    assert [path.read_bytes() for path in (box.root / "archive").rglob("*.xml*") if path.is_file()] == [b"<d/>"] * 3


async def test_a_cursor_of_another_access_point_begins_anew(boxes: Boxes) -> None:
    box = await boxes(layout="phoss")
    box.access_point.deliver(b"<d/>", "one")
    for cursor in ("2027-01-01T00:00:00Z", "17", "[1]"):
        assert bodies(await opened(box).inbox(cursor)) == {b"<d/>"}


async def test_a_page_has_so_many_files_and_bytes(boxes: Boxes, local: bool) -> None:
    box = await boxes(layout="oxalis")
    for receiver in "ab":
        for n in range(3):
            lay(box, f"{receiver}/s/{n}.doc.xml", f"<{receiver}{n}/>".encode())
            lay(box, f"{receiver}/s/{n}.receipt.dat")
    lay(box, "b/s.doc.xml", b"<b/>")
    lay(box, "b/s.receipt.dat")
    point = opened(box, local=local, page_files=2)
    pages, cursor, more = [], None, True
    while more:
        page = await point.inbox(cursor)
        pages.append([one.body.decode() for one in page.messages])
        cursor, more = page.cursor, page.more
    assert pages == [["<a0/>", "<a1/>"], ["<a2/>", "<b0/>"], ["<b1/>", "<b2/>"], ["<b/>"]]

    large = opened(box, local=local, page_mb=1)
    for n in range(3):
        lay(box, f"a/s/{n}.doc.xml", b"x" * 600_000)
    first = await large.inbox(None)
    assert [len(one.body) for one in first.messages] == [600_000]
    assert first.more


async def test_one_bad_file_holds_up_no_other(
    boxes: Boxes, local: bool, without_rights: Callable[[Path], Any], tmp_path: Path
) -> None:
    box = await boxes(layout="phoss")
    (tmp_path / "secret").write_bytes(b"<secret/>")
    (tmp_path / "folder").mkdir()
    lay(box, "good.xml", b"<good/>")
    (box.root / "inbound" / "link.xml").symlink_to(tmp_path / "secret")
    (box.root / "inbound" / "elsewhere").symlink_to(tmp_path / "folder")
    os.mkfifo(box.root / "inbound" / "pipe.xml")
    lay(box, "huge.xml", b"x" * (2**20 + 1))
    lay(box, "denied.xml").chmod(0)
    (box.root / "inbound" / os.fsdecode(b"bl\xe5.xml")).write_bytes(b"<x/>")
    for name in ("good", "link", "pipe", "huge", "denied", os.fsdecode(b"bl\xe5")):
        lay(box, f"{name}.json")
    point = opened(box, local=local, inbound_mb=1)
    with without_rights(box.root):
        inbox = await read(point)
    assert bodies(inbox) == {b"<good/>"}
    assert {one.id: one.error.code for one in inbox.unread} == {
        "link.xml": "file-unfit",
        "elsewhere": "file-unfit",
        "pipe.xml": "file-unfit",
        "huge.xml": "file-too-large",
        "denied.xml": "folder-permission",
        "bl\\udce5.xml": "file-unfit",
    }
    for one in inbox.unread:
        one.id.encode()
        str(one.error.as_json()).encode()


async def test_names_of_a_server_that_means_no_good_lead_nowhere(boxes: Boxes) -> None:
    box = await boxes(
        names=(b"x/../../secret.xml", b"x/../../secret.json", b"..", b"../secret.xml", b"a\nb.xml", b"a\nb.json"),
        layout="phoss",
    )
    (box.root / "secret.xml").write_bytes(b"<secret/>")
    box.access_point.deliver(b"<good/>", "good")
    inbox = await read(opened(box, page_files=1))
    assert bodies(inbox) == {b"<good/>"}
    assert {one.id: one.error.code for one in inbox.unread} == {
        "x/../../secret.xml": "file-unfit",
        "a\\nb.xml": "file-unfit",
    }
    for unknown in ("../secret.xml#0", "0815", "#"):
        await opened(box).acknowledge(unknown)
    assert (box.root / "secret.xml").exists()


async def test_links_do_not_lead_out_of_the_root(boxes: Boxes, tmp_path: Path) -> None:
    """A folder of the settings that is a link to elsewhere: no file there is ours."""
    box = await boxes()
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    (box.root / "away").symlink_to(tmp_path)
    with pytest.raises(NeedsPerson) as outside:
        await opened(box, local=True, inbound="away").inbox(None)
    assert outside.value.code == "folder-outside"


async def test_a_folder_that_is_not_there_needs_a_person(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    with pytest.raises(NeedsPerson) as missing:
        await opened(box, local=local, inbound="other").inbox(None)
    assert missing.value.code == "folder-missing"


async def test_a_connection_lost_while_archiving_loses_nothing(boxes: Boxes) -> None:
    """Killed after any of the moves: acknowledged again it is in the archive, and it never comes back half."""
    for after in range(2):
        box = await boxes(layout="oxalis")
        point = opened(box)
        laid = box.access_point.deliver(b"<d/>", "one")
        (message,) = (await read(point)).messages
        (box.root / "archive" / Path(laid).parent).mkdir(parents=True)
        box.fault("rename", "no-answer", after=after)
        with pytest.raises(TryLater):
            await point.acknowledge(message.id)
        assert (await read(point)).messages == []
        await point.acknowledge(message.id)
        assert [Path(path).name for path in files(box.root / "archive")] == ["one.doc.xml", "one.receipt.dat"]
        assert files(box.root / "inbound") == []


async def test_a_message_says_nothing_that_its_path_only_says(boxes: Boxes) -> None:
    box = await boxes(layout="oxalis")
    box.access_point.deliver(b"<d/>", "one")
    (message,) = (await read(opened(box))).messages
    assert message == Message(message.id, b"<d/>", instance=None, sender=None, receiver=None)
