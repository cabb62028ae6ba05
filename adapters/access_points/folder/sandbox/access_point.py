"""What plays the access point: it works in a folder, as programs of access points do."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

Layout = Literal["oxalis", "phoss", "phoss-folders", "plain"]
LAYOUTS: Final = get_args(Layout)


@dataclass(slots=True)
class AccessPoint:
    """One that looks into its folders again and again.

    It sends whatever it finds, also a second time, as real ones do: `sent` is what came to receivers, in order.

    Args:
        root: the folder that `outbound`, `inbound` and `receipts` lie in.
        layout: how it lays down what others have sent.
        delay: seconds from pick-up to receipt.
        refuses: receivers it does not reach, with what its refusal says.
    """

    root: Path
    layout: Layout = "plain"
    delay: float = 0.0
    refuses: Mapping[str, str] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    _due: list[tuple[float, str, str]] = field(default_factory=list)

    def open(self) -> None:
        """Make the folders."""
        for name in ("outbound", "inbound", "receipts"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    async def work(self, every: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look(asyncio.get_running_loop().time())
            await asyncio.sleep(every)

    def look(self, now: float) -> None:
        """Pick up what is finished, and leave the receipts that are due."""
        for path in sorted((self.root / "outbound").glob("*.xml")):
            if path.name.startswith("."):
                continue
            body = path.read_bytes()
            path.unlink()
            why = next((said for receiver, said in self.refuses.items() if receiver.encode() in body), None)
            if why is None:
                self.sent.append((path.stem, body))
            self._due.append((now + self.delay, path.stem, why or ""))
        while self._due and self._due[0][0] <= now:
            _, name, refusal = self._due.pop(0)
            self._write(f"receipts/{name}.nack" if refusal else f"receipts/{name}.receipt.dat", refusal or "receipt")

    def deliver(self, body: bytes, name: str | None = None) -> str:
        """Lay down what somebody has sent, the document first and then what says that it is whole; its name."""
        name = name or str(uuid.uuid4())
        between = "0192_987654325/0192_923609016"
        document, after = {
            "oxalis": (f"{between}/{name}.doc.xml", f"{between}/{name}.receipt.dat"),
            "phoss": (f"{name}.xml", f"{name}.json"),
            "phoss-folders": (f"{name}/sbd.xml", f"{name}/metadata.json"),
            "plain": (f"{name}.xml", None),
        }[self.layout]
        self._write(f"inbound/{document}", body)
        if after is not None:
            self._write(f"inbound/{after}", "{}")
        return document

    def _write(self, path: str, content: str | bytes) -> None:
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.with_name(f"{at.name}.part").write_bytes(content.encode() if isinstance(content, str) else content)
        at.with_name(f"{at.name}.part").rename(at)
