"""Uploaded files: which are taken, and the PDFs that are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from adapters.accounting.tripletex.sandbox.things import invalid
from adapters.loopback import Upload


def file(body: Any, *, xml: bool = False) -> Upload:
    """The file of a form. Raises `SandboxError` (422) where there is none, or of a kind that is not taken."""
    given = body.get("file") if isinstance(body, dict) else None
    if not isinstance(given, Upload):
        raise invalid("file", "Kan ikke være null.")
    kind = given.content_type
    if not kind or (kind == "application/xml" and not xml):
        raise invalid("file", "Filformatet støttes ikke. Gyldige formater er PDF, PNG, JPEG og TIFF.")
    return given


def pdf(pages: Iterable[Iterable[str]]) -> bytes:
    """A PDF with a page of text lines for each entry (the standard font, Latin-1)."""
    texts = [list(lines) for lines in pages]
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(texts)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for at, lines in enumerate(texts):
        escaped = (re.sub(r"([\\()])", r"\\\1", line) for line in lines)
        stream = "BT /F1 11 Tf 56 780 Td 15 TL " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
        page = ("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
                f"/Contents {5 + 2 * at} 0 R >>")  # fmt: skip
        content = stream.encode("latin-1", "replace")
        objects += [page.encode(), b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    begin = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begin)
    return bytes(out)


def shown(uploads: Iterable[Upload]) -> bytes:
    """What Tripletex makes of the files put on one voucher: one PDF with all their pages.

    The sandbox writes the file's name and size on each page instead of its picture; a single PDF stays as it is.
    """
    files = list(uploads)
    if len(files) == 1 and files[0].content_type == "application/pdf":
        return files[0].content
    return pdf([[one.file_name, f"side {page} av {one.pages}", f"{len(one.content)} byte"]
                for one in files for page in range(1, one.pages + 1)])  # fmt: skip
