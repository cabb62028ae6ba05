"""Write the JSON Schemas of the file formats: `python -m connector.mapping`."""

from __future__ import annotations

from connector.mapping import files
from connector.mapping.format import SCHEMAS, schema

for name, (model, title) in SCHEMAS.items():
    (files.shipped("schemas") / name).write_text(schema(model, title), encoding="utf-8")
