"""What a document held that the model has no field for, kept so that reading and writing it again loses nothing.

`connector.ehf.read` fills it, `connector.ehf.write` puts it back, nobody else needs to look at it. A document made by
us has none.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from connector.model.base import Term

Raw = Annotated[str, StringConstraints(strip_whitespace=False)]


class Wrapping(Term):
    """How a long value is broken into lines: an attachment's base64, mostly."""

    model_config = ConfigDict(str_strip_whitespace=False)

    width: Annotated[int, Field(gt=0)]
    """Characters in a line."""
    between: Raw
    """Blanks between the lines."""
    before: Raw = ""
    """Blanks before the first."""
    after: Raw = ""
    """Blanks after the last."""


class Kept(Term):
    """One difference between the document as received and what the model's fields alone would write.

    `what` decides which fields count:

    - element: `value` is an XML element (canonical text) that stands in `at` as child number `place` of its name.
    - attribute: `at` carries the attribute `name` with `value`; None takes away what would be written.
    - text: `at` has the text `value` where `instead_of` would be written (another way to write the same number or date,
      blanks around a code …).
    - wrapped: the text of `at` is broken into lines as `wrap` says.
    - absent: `at` is not in the document, although the fields would write it.
    - order: the children of `at` stand in another order; `order` has for each place the number of the child.
    """

    model_config = ConfigDict(str_strip_whitespace=False)

    at: Raw
    """Where: path of UBL names from the element of the term that holds this, `cac:Item[1]/cbc:Name[1]`; "" is that
    element itself."""
    what: Literal["element", "attribute", "text", "wrapped", "absent", "order"]
    name: Raw | None = None
    """Name of the attribute; namespace in braces where it has one."""
    value: Raw | None = None
    """The XML or text; see `what`."""
    instead_of: Raw | None = None
    """What the fields alone would write here; where they write something else by now, this difference is void."""
    place: int | None = None
    """Number of the element among its siblings of the same name, from 1."""
    wrap: Wrapping | None = None
    """See `what`."""
    order: tuple[int, ...] = ()
    """See `what`; counted from 0."""


Extension = tuple[Kept, ...]
