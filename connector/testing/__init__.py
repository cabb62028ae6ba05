"""The adapter kit: what the author of a plugin runs against it (docs/adapters.md).

He writes a `Bench` for his vendor's stand-in, and a test class:

    class TestMyLedger(AdapterKit):
        bench = MyBench

Each of `CHECKS` is one promise, tried on new books with the whole service in front of them and a proxy on the way to
the vendor, on which answers are lost, late, refused or other than described.
"""

from connector.testing.bench import Bench, Entry, Failing, Gone, NotApplicable
from connector.testing.check import Check
from connector.testing.kit import CHECKS, AdapterKit

__all__ = ["CHECKS", "AdapterKit", "Bench", "Check", "Entry", "Failing", "Gone", "NotApplicable"]
