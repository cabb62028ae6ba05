"""Uploaded files: multipart forms taken apart, and what kind of document a file is."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from typing import Any

_KINDS = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
          (b"II*\x00", "image/tiff"), (b"MM\x00*", "image/tiff"))  # fmt: skip


class Upload(str):
    """A file that came in a form: its text is the content, byte for byte as Latin-1.

    Args:
        content: the bytes.
        file_name: as the form says.
    """

    __slots__ = ("content", "file_name")

    content: bytes
    file_name: str

    def __new__(cls, content: bytes, file_name: str) -> Upload:
        """A file of these bytes."""
        self = super().__new__(cls, content.decode("latin-1"))
        self.content, self.file_name = content, file_name
        return self

    @property
    def content_type(self) -> str:
        """What it is, by its first bytes; XML where it begins so; else unknown."""
        for begin, kind in _KINDS:
            if self.content.startswith(begin):
                return kind
        return "application/xml" if self.content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else ""

    @property
    def pages(self) -> int:
        """How many pages it has (PDF: by its page objects)."""
        if self.content_type != "application/pdf":
            return 1
        return max(1, len(re.findall(rb"/Type\s*/Page(?![s\w])", self.content)))


def form(content_type: str, body: bytes) -> dict[str, Any]:
    """The parts of a multipart form: files as `Upload`, the rest as text; one that comes several times is a list with
    commas. Raises ValueError.
    """
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not found:
        raise ValueError("multipart/form-data without a boundary")
    parts: dict[str, Any] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + found[1].encode("latin-1"))[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        said = BytesHeaderParser().parsebytes(head)
        name = said.get_param("name", header="content-disposition")
        file_name = said.get_filename()
        if isinstance(name, str):
            part = content.decode() if file_name is None else Upload(content, file_name)
            parts[name] = f"{parts[name]},{part}" if name in parts else part
    return parts
