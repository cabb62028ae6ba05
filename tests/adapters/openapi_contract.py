"""A vendor's own OpenAPI document, to hold calls and answers against."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import jsonschema

SHARED = Path(os.environ.get("CONNECTOR_SHARED", Path(__file__).parents[3] / "shared"))


class Document:
    """The document (it is not checked itself); what differs from vendor to vendor, a subclass says."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        paths = sorted(document["paths"].items(), key=lambda entry: entry[0].count("{"))
        self._paths = [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), at) for path, at in paths]

    def operation(self, method: str, path: str) -> dict[str, Any]:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                return operations[method.lower()]
        raise AssertionError(f"{method} {path} is not in the vendor's document")

    def check(self, schema: dict[str, Any], value: Any, where: str) -> None:
        """Types as declared, and no name that is not."""
        whole = {"components": self._document["components"], "allOf": [schema]}
        problems = list(jsonschema.Draft7Validator(whole).iter_errors(value))
        assert not problems, f"{where}: " + "; ".join(f"{list(p.absolute_path)}: {p.message[:200]}" for p in problems)
        self._no_unknown(schema, value, where)

    def resolved(self, at: dict[str, Any]) -> dict[str, Any]:
        """What a reference leads to."""
        while "$ref" in at:
            *_, kind, name = at["$ref"].split("/")
            at = self._document["components"][kind][name]
        return at

    def _no_unknown(self, schema: dict[str, Any], value: Any, where: str) -> None:
        schema = self.resolved(schema)
        if isinstance(value, list):
            for one in value:
                self._no_unknown(schema.get("items", {}), one, where)
        elif isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                assert name in schema["properties"], f"{where}: no field {name}"
                self._no_unknown(schema["properties"][name], inner, f"{where}.{name}")
