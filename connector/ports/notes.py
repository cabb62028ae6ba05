"""What a note brings along: a page that shows, in its name, which effect it is of."""

from __future__ import annotations

import re

from connector.errors import Refused
from connector.ports.flows import File, Goal

_ROOM = 40
"""Characters of the name that people gave it: with the marker there are less than most systems take."""


def page_of(goal: Goal) -> File:
    """The page of a note (`Operation` `note`), with the goal's marker in its name: `Merknad-10017-c-2f….pdf`.

    Raises `Refused` ("note-without-page").
    """
    page = next((file for file in goal.files if file.role == "page"), None)
    if page is None:
        raise Refused("The note comes without a page that could be put there.", code="note-without-page")
    stem, dot, ending = page.name.rpartition(".")
    plain = re.sub(r"[^\w-]+", "-", stem if dot else page.name).strip("-")[:_ROOM]
    return File(f"{plain}-{goal.marker}.{ending if dot else 'pdf'}", page.media_type, page.content, page.role)
