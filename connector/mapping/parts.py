"""What the formats of files are made of: closed parts, short forms, plain values, conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

Json = dict[str, Any]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
"""Lower-case letters, digits, - and _; at most 60."""


def scalar(value: Any) -> Any:
    """The value, where it is a plain one."""
    if isinstance(value, str | bool | int | Decimal):
        return value
    raise PydanticCustomError("value-not-plain", "A plain value is wanted here: text, number, true or false.")


def many(value: Any) -> Any:
    """A list, also of a single value."""
    return value if isinstance(value, list | tuple) else [value]


# JSON Schemas of plain values; what may be written short carries SHORT until the schema is made.
PLAIN: Json = {"type": ["string", "number", "boolean"]}
TEXT: Json = {"type": "string"}
CODE: Json = {"type": ["string", "number", "boolean", "null"]}
SHORT = "x-short"


def shorter(short: Json | None = None) -> Any:
    """Marks what may also be written short: like this, or (None) as one item without the list around it."""
    return Field(json_schema_extra={SHORT: short or {}})


def once(value: list[str]) -> list[str]:
    """The list, where nothing stands in it twice."""
    twice = next((one for number, one in enumerate(value) if one in value[:number]), None)
    if twice is not None:
        raise PydanticCustomError(
            "named-twice", "`{twice}` stands here twice.", {"twice": twice, "do": "Name it once."}
        )
    return value


Scalar = Annotated[Any, AfterValidator(scalar), WithJsonSchema(PLAIN)]
"""Text, number, true or false."""
Texts = Annotated[list[str], BeforeValidator(many), Field(min_length=1), shorter()]
"""One text, or a list of them."""
Once = Annotated[
    list[str],
    BeforeValidator(many),
    Field(min_length=1, json_schema_extra={SHORT: {}, "uniqueItems": True}),
    AfterValidator(once),
]
"""The same, with nothing in it twice."""
Scalars = Annotated[list[Scalar], BeforeValidator(many), Field(min_length=1), shorter()]
"""One plain value, or a list of them."""


Code = Annotated[Any, AfterValidator(lambda given: given if given is None else scalar(given)), WithJsonSchema(CODE)]
Codes = Annotated[list[Code], BeforeValidator(many), Field(min_length=1), shorter()]
"""One plain value or null, or a list of them."""


class Part(BaseModel):
    """A closed part of a file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True)


class Short(Part):
    """A part that may be written short, as plain values, where only its main key is wanted."""

    @classmethod
    def short(cls) -> tuple[str, Json]:
        """The main key, and the JSON Schema of its short form."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _lengthen(cls, given: Any) -> Any:
        return given if isinstance(given, dict) else {cls.short()[0]: given}


# --- conditions -------------------------------------------------------------------------------------------------------


class Test(Short):
    """What is asked of the value at a path. All that is said must hold."""

    equals: Codes | None = None
    """It is this value, or one of these (null among them: or there is none). The short form."""
    differs: Scalars | None = None
    """There is a value, and it is none of these."""
    present: bool | None = None
    """true: there is a value (a list has items); false: there is none."""
    above: Decimal | None = None
    """There is a number, greater than this."""
    below: Decimal | None = None
    """There is a number, less than this."""
    any: Condition | None = None
    """The list has an item for which this holds."""
    every: Condition | None = None
    """This holds for every item of the list (also of an empty one)."""

    @classmethod
    def short(cls) -> tuple[str, Json]:
        """A value or a list of values: `equals`."""
        return "equals", {"anyOf": [PLAIN, {"type": "array", "items": CODE}]}


Condition = Annotated[list[dict[str, Test]], BeforeValidator(many), shorter()]
"""Tests by path; all must hold. A list of such mappings where one path is tested twice."""


class When(Part):
    """When a line applies: `ours` is asked on the way out, `theirs` on the way in."""

    ours: Condition | None = None
    """Tests on our document."""
    theirs: Condition | None = None
    """Tests on the vendor's record."""


Test.model_rebuild()
