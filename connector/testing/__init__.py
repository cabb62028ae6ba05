"""The adapter kit."""

from connector.testing.bench import Bench, Entry, Failing, Gone, NotApplicable
from connector.testing.check import Check
from connector.testing.kit import CHECKS, AdapterKit

__all__ = ["CHECKS", "AdapterKit", "Bench", "Check", "Entry", "Failing", "Gone", "NotApplicable"]
