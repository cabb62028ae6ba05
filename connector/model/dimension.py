"""What bookkeepers analyse by: department, project, location, seller, and dimensions of their own."""

from __future__ import annotations

from typing import Literal

from connector.model.base import Term, Text

DimensionKind = Literal["department", "project", "location", "seller", "free"]


class FreeDimension(Term):
    """A value of a dimension the company has made itself."""

    name: Text
    """Name of the dimension."""
    code: Text
    """Code of the value."""


class Dimensions(Term):
    """The values a document or line carries; codes as people use them (department 10), not record ids."""

    department: Text | None = None
    """Department (avdeling)."""
    project: Text | None = None
    """Project (prosjekt)."""
    location: Text | None = None
    """Location, branch or shop (lokasjon)."""
    seller: Text | None = None
    """Sales person or seller unit (selger)."""
    free: tuple[FreeDimension, ...] = ()
    """Further dimensions, each at most once."""

    def __bool__(self) -> bool:
        """Whether any value is set."""
        return bool(self.department or self.project or self.location or self.seller or self.free)


class Dimension(Term):
    """One value of a dimension as a register holds it: department 10 "Salg"."""

    source_id: Text | None = None
    """The record's id in the system that holds it."""
    kind: DimensionKind
    """Which dimension."""
    dimension: Text | None = None
    """Name of the dimension, where kind is `free`."""
    code: Text
    """Code people use."""
    name: Text | None = None
    """What it is called."""
    parent: Text | None = None
    """Code of the value it belongs under."""
    active: bool = True
    """False: closed for new postings."""
