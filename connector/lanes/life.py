"""Proof of death: a file that a worker keeps locked as long as its process exists.

The kernel takes the lock away when the process ends, however it ends; a stopped process keeps it. Whoever can lock the
file of another worker knows that it is dead and need not wait for its lease to run out. Where the file cannot be seen
(another host, another container) nothing is known, and the lease decides.

In the file stands what the worker was about to call: attempts that are written down wait for their turn, and most of
those that a dead worker leaves behind were never called. A mark is set before a call begins, so what has none was not
made, and need not be looked for. What a process has written survives its death, and not the machine's: the mark counts
only while the machine has not started anew, for then the store may know more than the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector.store.engine import Store
from connector.store.sqlite import SqliteStore

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""Another text each time the machine starts."""
_ID: Final = 32
_ENTRY: Final = _ID + 1
"""Bytes of an entry: an attempt's id, and how far it has come."""
_WAITS, _CALLED, _FREE = b"w", b"c", b"-"


class Life:
    """The files of the workers of one store, on this host."""

    def __init__(self, store: Store) -> None:
        self._own = isinstance(store, SqliteStore)
        if isinstance(store, SqliteStore):
            self._folder = store.path.with_name(store.path.name + ".workers")
        else:
            self._folder = Path(tempfile.gettempdir()) / f"connector-workers-{os.getuid()}"
        self._handle: int | None = None
        self._mine: Path | None = None
        self._boot = _boot()
        self._places: dict[str, int] = {}
        self._free: list[int] = []

    def begin(self, me: str) -> None:
        """Make this worker's file and lock it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        about = self._folder.stat()
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
            return  # others could write there: then it proves nothing
        self._mine = self._folder / me
        self._handle = os.open(self._mine, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        os.write(self._handle, self._boot)

    # --- what is about to be called

    def waits(self, attempt: str) -> None:
        """An attempt will be written down, and its call waits for its turn. Said before it is written down."""
        if self._handle is None or not self._boot or len(attempt) != _ID:
            return
        place = self._free.pop() if self._free else len(self._places)
        self._places[attempt] = place
        os.pwrite(self._handle, attempt.encode() + _WAITS, self._at(place))

    def called(self, attempt: str) -> None:
        """Its call begins now."""
        if self._handle is not None and (place := self._places.get(attempt)) is not None:
            os.pwrite(self._handle, _CALLED, self._at(place) + _ID)

    def over(self, attempt: str) -> None:
        """How it ended is written down, or will be found out."""
        if self._handle is not None and (place := self._places.pop(attempt, None)) is not None:
            self._free.append(place)
            os.pwrite(self._handle, _FREE * _ENTRY, self._at(place))

    def never_called(self, holder: str) -> list[str]:
        """The attempts of a dead worker whose calls had not begun when it died; none where that is not certain."""
        if not self._boot or not holder.isalnum() or not self.is_over(holder):
            return []
        try:
            data = (self._folder / holder).read_bytes()
        except OSError:
            return []
        if not data.startswith(self._boot):
            return []
        return [entry[:_ID].decode() for entry in self._entries(data) if entry[_ID:] == _WAITS]

    def _entries(self, data: bytes) -> Iterator[bytes]:
        for at in range(len(self._boot), len(data) - _ENTRY + 1, _ENTRY):
            yield data[at : at + _ENTRY]

    def _at(self, place: int) -> int:
        return len(self._boot) + place * _ENTRY

    # --- life and death

    def is_over(self, holder: str) -> bool:
        """Whether that worker's process is known to have ended."""
        if self._handle is None or not holder.isalnum():
            return False
        try:
            handle = os.open(self._folder / holder, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(handle)

    def dead(self) -> list[str]:
        """The workers of this store that have left their file behind. Where other stores' workers have theirs in the
        same folder, none: whether something is still held in their name is not known here, and without its file a dead
        worker's lease would have to run out.
        """
        if self._handle is None or not self._own:
            return []
        return [path.name for path in self._folder.iterdir() if self.is_over(path.name)]

    def bury(self, holder: str) -> None:
        """Remove the file of a dead worker, once nothing is held in its name."""
        with contextlib.suppress(OSError):
            (self._folder / holder).unlink()

    def end(self) -> None:
        """Remove this worker's own file."""
        if self._handle is not None and self._mine is not None:
            self.bury(self._mine.name)
            os.close(self._handle)
            self._handle = None


def _boot() -> bytes:
    try:
        return _BOOT.read_bytes()
    except OSError:  # a system that does not tell: then nothing is concluded
        return b""
