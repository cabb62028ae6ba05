"""The description of the API says what the API does."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import jsonschema
import pytest

NUL = quote("a\x00b")


async def test_examples_fit_their_schemas(door):
    said = (await door.client.get("/openapi.json")).json()
    for path, methods in said["paths"].items():
        for operation in methods.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in body:
                    schema = {**body["schema"], "components": said["components"]}
                    jsonschema.Draft202012Validator(schema).validate(body["example"])
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")) and path != "/health/ready":
                    assert "application/problem+json" in answer["content"], (path, status)


async def test_every_reference_in_it_is_found_in_it(door):
    text = (await door.client.get("/openapi.json")).text
    said = json.loads(text)
    for name in set(re.findall(r'"\$ref":\s*"([^"]*)"', text)):
        assert name.startswith("#/components/schemas/"), name
        assert name.rpartition("/")[2] in said["components"]["schemas"], name


@pytest.mark.parametrize("value", [NUL, "x" * 3000, "%F0%9F%98%80", "-1"], ids=["NUL", "long", "emoji", "-1"])
async def test_no_value_in_a_path_or_query_breaks_it(any_door, value):
    said = (await any_door.client.get("/openapi.json")).json()
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            if method != "get":
                continue
            urls = [path.replace("{id}", value)] if "{id}" in path else []
            base = path.replace("{id}", "0" * 32)
            queries = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
            urls += [f"{base}?{name}={value}" for name in queries if name != "wait"]
            for url in urls:
                answer = await any_door.client.get(url)
                allowed = {*operation["responses"], "404"}
                assert str(answer.status_code) in allowed, (url[:80], answer.status_code, answer.text[:200])
