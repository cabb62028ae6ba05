"""The EN 16931 layer itself, which the modules beside this one fill."""

from __future__ import annotations

from connector.ehf.rules.engine import Layer

layer = Layer("en16931")
