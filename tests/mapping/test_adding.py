"""A connection is written into a tenant's file, and the rest of it stays as people wrote it."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from connector.errors import Clash
from connector.mapping.adding import new_tenant, with_connection

SAID = {"system": "tripletex", "settings": {"base_url": "http://x/v2"}, "secrets": {"token": "vault:books_token"}}
FILE = """\
# What we wrote ourselves.
layer: tenant
tenant: fjord
title: Fjord AS   # the company
start: 2026-01-01

connections:      # all of them
  shop:
    system: tripletex
    secrets: {token: env:SHOP}   # by hand

routes: {}
"""


def test_the_rest_stays_as_it_was() -> None:
    made = with_connection(FILE, "books", SAID, file="fjord.yaml")
    assert [line for line in FILE.splitlines() if line not in made.splitlines()] == []
    assert YAML(typ="safe").load(made)["connections"]["books"] == SAID
    assert YAML(typ="safe").load(made)["connections"]["shop"] == {
        "system": "tripletex",
        "secrets": {"token": "env:SHOP"},
    }


@pytest.mark.parametrize("text", [FILE.split("connections:")[0], FILE.split("connections:")[0] + "connections: {}\n"])
def test_the_first_one(text: str) -> None:
    assert YAML(typ="safe").load(with_connection(text, "books", SAID, file="f"))["connections"] == {"books": SAID}


def test_a_new_tenant() -> None:
    text = new_tenant("fjord", "Fjord: AS & co", "923609016", "2026-11-01")
    made = YAML(typ="safe").load(with_connection(text, "books", SAID, file="f"))
    assert (made["title"], made["organisation_number"], made["routes"]) == ("Fjord: AS & co", "923609016", {})
    assert made["connections"] == {"books": SAID}


def test_a_name_that_is_there() -> None:
    with pytest.raises(Clash, match="shop already"):
        with_connection(FILE, "shop", SAID, file="f")
