"""`connector demo` as people run it: all of it comes about, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from connector import plugins


def test_everything_is_shown_and_nothing_is_left(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path), "CONNECTOR_DATABASE": "sqlite:///not-this-one.db"}
    done = subprocess.run(
        [sys.executable, "-m", "connector", "demo"], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for plugin in plugins.accounting().values():
        assert f". {plugin.title} numbers and books" in done.stdout
    assert done.stdout.count("open 7 500,00 kr of 12 500,00 kr") == len(plugins.accounting())
    assert "both once more: one invoice, one payment, nothing owed, in either" in done.stdout
    assert done.stdout.count("one was posted, one is there") == len(plugins.accounting())
    assert done.stdout.count("it has arrived, once") == len(plugins.accounting())
    sent = 2 * len(plugins.accounting()) + 1
    for words in (
        "the access point's answer was lost",
        "accepted, sent, delivered",
        "for a person  invoice-rejected: ",
        "«Kunden har avvist fakturaen»",
        "supplier_invoice.received, supplier_invoice.delivered, supplier_invoice.answered",
        "the supplier has got one answer",
        f"{sent} invoices were issued to be sent by now, and {sent} have arrived",
    ):
        assert words in done.stdout, words
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_is_not_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "connector", "demo", "abacus"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "There is: fiken, tripletex, visma-net." in done.stderr
