"""Proof of death: a file that a worker keeps locked as long as its process exists.

The kernel takes the lock away when the process ends, however it ends; a stopped process keeps it. Whoever can lock the
file of another worker knows that it is dead and need not wait for its lease to run out. Where the file cannot be seen
(another host, another container) nothing is known, and the lease decides.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from pathlib import Path

from connector.store.engine import Store
from connector.store.sqlite import SqliteStore


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

    def begin(self, me: str) -> None:
        """Make this worker's file and lock it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        about = self._folder.stat()
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
            return  # others could write there: then it proves nothing
        self._mine = self._folder / me
        self._handle = os.open(self._mine, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

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
