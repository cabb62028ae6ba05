"""A note about a document, as a page: what has become of it, for whoever opens it in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from babel.dates import format_date

from connector.ehf.pdf.compiling import compiled
from connector.model.json import dumps


def render_note(title: str, text: str, *, about: Sequence[tuple[str, str | date]], day: date) -> bytes:
    """A page in bokmål, as archival PDF; the same note always gives the same bytes. Threads may call it.

    Args:
        title: what has happened, in a few words.
        text: the rest; a line of it is a paragraph of the page.
        about: what the note is about, as label and value.
        day: when it was written; the page says so.
    """
    lines = [line.strip() for line in text.splitlines()]
    facts = [(label, _told(value)) for label, value in (*about, ("Notert", day))]
    shown = {"title": title, "text": [line for line in lines if line], "about": facts}
    return compiled("note.typ", {"doc": dumps(shown).decode()}, dated=day, standard="a-2b")


def _told(value: str | date) -> str:
    return value if isinstance(value, str) else format_date(value, "d. MMMM y", locale="nb")
