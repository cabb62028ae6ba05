"""What plays the access point: it works in a folder, as programs of access points do, for the network behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Literal, get_args

from adapters.access_points.sandbox import Incoming, Network, Papers, Rejected

Layout = Literal["oxalis", "phoss", "phoss-folders", "plain"]
LAYOUTS: Final = get_args(Layout)
_REACHED = frozenset({"sent", "delivered", "refused"})


class AccessPoint:
    """One that looks into its folders again and again.

    What it finds it takes away and sends, also what it has sent before, as real ones do. A receipt lies there when the
    receiver's side has it, a refusal when it gives up. What comes is laid down, the document first and then what says
    that it is whole.

    Args:
        root: the folder that `outbound`, `inbound` and `receipts` lie in.
        layout: how it lays down what comes.
        network: what it sends into, and what comes from there.
    """

    def __init__(self, root: Path, layout: Layout, network: Network) -> None:
        self.root, self.layout, self.network = root, layout, network
        self._told: set[str] = set()
        network.listeners.append(self._come)

    def open(self) -> None:
        """Make the folders."""
        for name in ("outbound", "inbound", "receipts"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    async def work(self, every: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(every)

    def look(self) -> None:
        """Pick up what is finished, and leave the receipts that are due."""
        for path in sorted((self.root / "outbound").glob("*.xml")):
            if path.name.startswith("."):
                continue
            body = path.read_bytes()
            path.unlink()
            try:
                self.network.send(body, Papers(), file=path.stem)
            except Rejected as why:
                self._write(f"receipts/{path.stem}.nack", str(why))
        for one in self.network.transmissions:
            now, name = one.now(), one.said.get("file")
            if name is None or one.id in self._told:
                continue
            if now.state in _REACHED:
                self._write(f"receipts/{name}.receipt.dat", "receipt")
            elif now.state == "failed":
                self._write(f"receipts/{name}.nack", now.reason or "")
            else:
                continue
            self._told.add(one.id)

    def deliver(self, body: bytes, name: str) -> str:
        """Lay down a document under a name; the path it has below `inbound`."""
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

    def _come(self, what: Incoming) -> None:
        self.deliver(what.body, what.id)

    def _write(self, path: str, content: str | bytes) -> None:
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.with_name(f"{at.name}.part").write_bytes(content.encode() if isinstance(content, str) else content)
        at.with_name(f"{at.name}.part").rename(at)
