"""Getting there: which server, who we are, which folders; and what of it is written down."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from folder_driving import ENVELOPE, INSTANCE, opened, run, send, steps, transmission
from pydantic import ValidationError

from adapters.access_points.folder import Secrets, Settings, plugin
from connector.errors import Misconfigured, NeedsPerson, TryLater
from connector.http import Http, calling, now
from connector.plugins import access_points
from connector.ports import ConnectionConfig

Boxes = Callable[..., Any]


def public(kind: str = "ssh-ed25519") -> str:
    return asyncssh.generate_private_key(kind).export_public_key().decode().strip()


async def test_the_folders_are_there_and_writable(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    point = opened(box, local=local)
    probe = await point.probe()
    assert probe.company.startswith(str(box.root) if local else "sftp://connector@127.0.0.1:")
    assert [path for path in box.root.rglob("*") if path.is_file()] == []
    assert (box.root / "archive").is_dir()
    (box.root / "inbound").rmdir()
    with pytest.raises(NeedsPerson) as missing:
        await point.probe()
    assert missing.value.code == "folder-missing"
    await opened(box, local=local, inbound=None).probe()


async def test_a_folder_that_is_not_writable_needs_a_person(
    boxes: Boxes, local: bool, without_rights: Callable[[Path], Any]
) -> None:
    box = await boxes()
    point = opened(box, local=local, inbound=None)
    (box.root / "outbound").chmod(0o555)
    with without_rights(box.root), pytest.raises(NeedsPerson) as denied:
        await point.probe()
    assert denied.value.code == "folder-permission"


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_server_with_another_key_gets_no_password(boxes: Boxes, kind: str) -> None:
    box = await boxes()
    with pytest.raises(NeedsPerson) as stranger:
        await opened(box, host_keys=[public(kind)]).probe()
    assert stranger.value.code == "host-key-wrong"
    assert box.logins == []
    await opened(box, host_keys=[public(kind), *box.settings["host_keys"]]).probe()  # while the key is being changed
    assert box.logins == ["password"]


async def test_a_wrong_password_needs_a_person(boxes: Boxes) -> None:
    box = await boxes()
    point = opened(box, secrets={"password": "wrong"})
    with pytest.raises(NeedsPerson) as refused:
        await point.probe()
    assert refused.value.code == "login-refused"
    assert "wrong" not in str(refused.value.as_json()).replace("wrong-", "")
    upload, _ = steps(point)
    with pytest.raises(NeedsPerson):
        await upload.call(run())


async def test_a_private_key_opens_it(boxes: Boxes) -> None:
    box = await boxes()
    key = box.user_key.export_private_key().decode()
    await send(opened(box, secrets={"private_key": key}), transmission())
    assert set(box.logins) == {"key"}
    locked = box.user_key.export_private_key("pkcs8-pem", passphrase="open").decode()
    for unfit in (locked, key[:200], "no key"):
        with pytest.raises(NeedsPerson) as unreadable:
            await opened(box, secrets={"private_key": unfit}).probe()
        assert unreadable.value.code == "private-key-unreadable"


async def test_a_server_that_is_away_is_tried_later_and_found_again(boxes: Boxes) -> None:
    box = await boxes()
    point = opened(box)
    await point.probe()
    await box.stop()
    for _ in range(2):
        with pytest.raises(TryLater):
            await point.inbox(None)
    await box.start()
    await point.probe()
    with pytest.raises(TryLater) as nowhere:
        await opened(box, host="nowhere.invalid").probe()
    assert nowhere.value.code == "vendor-unreachable"


async def test_many_things_at_a_time_share_one_connection(boxes: Boxes) -> None:
    box = await boxes()
    point = opened(box)
    names = [f"d{n}" for n in range(20)]
    await asyncio.gather(point.probe(), *(send(point, transmission(name, name.encode())) for name in names))
    assert box.logins == ["password"]
    box.access_point.look()
    assert sorted(one.body.decode() for one in box.network.transmissions) == sorted(names)


async def test_calls_are_recorded_without_secrets_and_end_with_their_time(boxes: Boxes, local: bool) -> None:
    box = await boxes()
    upload, publish = steps(opened(box, local=local))
    with calling(None) as scope:
        proof = await upload.call(run())
        await publish.call(run(upload=proof))
    assert [one.method for one in scope.exchanges if one.method in {"WRITE", "RENAME"}] == ["WRITE", "RENAME"]
    assert {one.status for one in scope.exchanges} == {"ok"}
    assert box.secrets["password"] not in str(scope.exchanges)

    with calling(now() - 1), pytest.raises(TryLater) as over:
        await publish.call(run(upload=proof))
    assert over.value.code == "lease-over"


async def test_the_same_folder_is_one_lane(boxes: Boxes) -> None:
    box = await boxes()
    lane = opened(box).lane.key
    assert opened(box, layout="oxalis").lane.key == lane
    assert opened(box, path="other").lane.key != lane
    assert box.secrets["password"] not in lane


async def test_the_plugin_is_found_and_says_what_is_missing(boxes: Boxes) -> None:
    assert access_points()["folder"] is plugin
    box = await boxes()
    config = ConnectionConfig("c1", "t1", Settings(**box.settings), Secrets())
    with pytest.raises(Misconfigured) as missing:
        plugin.open(config, Http("http://unused.example"))
    assert missing.value.code == "secret-missing"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({}, "path-missing"),
        ({"path": "relative"}, "path-missing"),
        ({"host": "ap.example", "user": "u"}, "sftp-incomplete"),
        ({"host": "ap.example", "user": "u", "host_keys": ["AAAA"]}, "host-key-unreadable"),
        ({"path": "/srv", "user": "u"}, "host-missing"),
        ({"path": "/srv", "outbound": "../out"}, "path-unfit"),
        ({"path": "/srv", "outbound": "/out"}, "path-unfit"),
        ({"path": "/srv", "inbound": "."}, "path-unfit"),
        ({"path": "/srv", "sent": ["receipts/*.ack"]}, "pattern-for-all"),
        ({"path": "/srv", "sent": ["../{instance}.ack"]}, "path-unfit"),
        ({"path": "/srv", "archive": "inbound/done"}, "folders-overlap"),
        ({"path": "/srv", "outbound": "inbound"}, "folders-overlap"),
        ({"path": "/srv", "archive": "outbound"}, "folders-overlap"),
        ({"path": "/srv", "marker": "done"}, "marker-unfit"),
        ({"path": "/srv", "marker": "{name}.{x}"}, "marker-unfit"),
        ({"path": "/srv", "marker": "{name}.ok", "layout": "phoss"}, "marker-unused"),
    ],
)
def test_settings_that_cannot_work_are_refused(said: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        Settings(**said)
    assert [one["type"] for one in wrong.value.errors()] == [word]
    assert "{{" not in str(wrong.value)


def test_the_sandbox_is_a_program() -> None:
    """What it prints opens a connection; the access point behind it picks up and answers."""
    command = [sys.executable, "-m", "adapters.access_points.folder.sandbox", "--port", "0", "--delay", "0"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    async def use(told: dict[str, Any]) -> None:
        config = ConnectionConfig("c1", "t1", Settings(**told["settings"]), Secrets(**told["secrets"]))
        point = plugin.open(config, Http("http://unused.example"))
        await send(point, transmission(envelope=ENVELOPE))
        said = None
        while said is None or said.state != "sent":
            said = await point.status(INSTANCE, INSTANCE)
        await point.close()

    try:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        asyncio.run(use(told))
    finally:
        program.terminate()
        assert program.wait(10) == 0
    assert not Path(told["folder"]).exists()


def test_what_is_told_of_the_sandbox_opens_it() -> None:
    """`serve_sandbox` in a process of its own, since it serves until it is interrupted."""
    code = (
        "import os, signal\n"
        "from adapters.access_points.folder import Secrets, Settings, plugin\n"
        "def ready(told):\n"
        "    Settings(**told.settings), Secrets(**told.secrets)\n"
        "    print('opened')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "plugin.serve_sandbox(0, 0.0, ready)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "opened\n"), done.stderr
