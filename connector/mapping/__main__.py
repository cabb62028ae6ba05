"""Write what is made from the models: the JSON Schemas of the file formats, and the table of our fields in the docs.

python -m connector.mapping
"""

from __future__ import annotations

from connector.mapping import fields, files
from connector.mapping.format import SCHEMAS, schema

for name, (model, title) in SCHEMAS.items():
    (files.shipped("schemas") / name).write_text(schema(model, title), encoding="utf-8")

page = files.shipped("schemas").parent / "docs" / "mapping.md"
page.write_text(fields.written_into(page.read_text(encoding="utf-8")), encoding="utf-8")
