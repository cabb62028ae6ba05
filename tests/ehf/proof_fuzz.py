"""The differential fuzzer: spoilt documents before the official rules and before ours.

By itself, with a progress bar and a report of what it found, each shrunk to a minimal document:

    python -m tests.ehf.proof_fuzz [--seconds 600] [--seed 1] [--release 3.0.21] [--stop-after 20]
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from benchmarks.invoices import COMPANIES, invoice
from tests.ehf.proof_mutations import Mutator, local, remove, rule_words
from tests.ehf.proof_oracle import STANDARDS, VERSIONS, differences, official, ours

PARSER = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
RULE_FILES = (
    STANDARDS / "en16931/schematron/EN16931-UBL-validation-preprocessed.sch",
    STANDARDS / "peppol-bis-3/schematron/PEPPOL-EN16931-UBL.sch",
    STANDARDS / "peppol-bis-3/schematron/PEPPOL-EN16931-UBL-SB.sch",
)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A minimal document on which the judges disagree, and about what."""

    about: tuple[str, ...]
    document: bytes
    release: str


def own_documents() -> list[etree._Element]:
    """Invoices and credit notes of every country that has rules, with every VAT category and way to pay."""
    made = []
    vats = ((("S", "25"), ("Z", "0")), (("AE", "0"),), (("K", "0"),), (("G", "0"),), (("O", ""),), (("E", "0"),),
            (("L", "7"),), (("M", "4"),), (("S", "25"), ("E", "0")))  # fmt: skip
    means = ("30", "58", "59", "48", "49", "31", "50", "93", "9", "42")
    for number, country in enumerate(COMPANIES):
        for kind in ("Invoice", "CreditNote"):
            for full in (True, False):
                vat = vats[(number + len(made)) % len(vats)]
                rated = tuple((code, rate or "0") for code, rate in vat)
                buyer = country if full else "NO"
                pay = means[(number + len(made)) % len(means)]
                made.append(invoice(2, kind=kind, seller=country, buyer=buyer, vat=rated, means=pay, full=full))
    for kind in ("Invoice", "CreditNote"):
        for country in ("NO", "SE", "DE", "NL"):
            sparse = country == "SE"
            made += [invoice(2, kind=kind, seller=country, buyer="NO", self_billing=True, full=not sparse)]
    return [etree.fromstring(document, PARSER) for document in made]


def official_documents() -> list[etree._Element]:
    """The official test documents at hand, the short ones."""
    found = []
    for path in sorted(STANDARDS.rglob("*.xml")):
        if "codelists" in path.parts or path.stat().st_size > 40_000:
            continue
        root = etree.parse(str(path), PARSER).getroot()
        customization = root.findtext("{*}CustomizationID") or ""
        if local(root) in ("Invoice", "CreditNote") and "ehf:forward-billing" not in customization:
            found.append(root)
    return found


def documents(seed: int) -> Iterator[bytes]:
    """Spoilt documents without end."""
    chance = random.Random(seed)
    own, given = own_documents(), official_documents()
    mutator = Mutator(rule_words(RULE_FILES), own + given, chance)
    while True:
        root = mutator.mutate(chance.choice(own if chance.random() < 0.5 else given))
        if chance.random() < 0.1:  # a document without comments and the like is read without a tree
            etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
        yield etree.tostring(root, pretty_print=chance.random() < 0.3)


def disagreement(document: bytes, release: str) -> list[str]:
    """What the two judges disagree about."""
    try:
        etree.fromstring(document)
    except etree.XMLSyntaxError:
        return []
    theirs = official().verdict(document, release)
    try:
        mine = ours(document, release)
    except Exception as error:  # whatever comes out of our own rules is what the proof looks for
        return [f"we broke off: {type(error).__name__}: {error}"]
    return differences(theirs, mine)


def shrink(document: bytes, still: Callable[[bytes], bool], patience: float = 20.0) -> bytes:
    """The smallest document found in a while on which the judges still disagree about the same thing."""
    root = etree.fromstring(document)
    until = time.monotonic() + patience
    changed = True
    while changed and time.monotonic() < until:
        changed = False
        for element in sorted(root.iter(etree.Element), key=lambda e: -sum(1 for _ in e.iter())):
            if root not in element.iterancestors():  # itself, or gone with something above it
                continue
            trial = copy.deepcopy(root)
            twin = trial.getroottree().find(root.getroottree().getelementpath(element))
            if twin is None:
                continue
            remove(twin)
            if time.monotonic() < until and still(etree.tostring(trial)):
                remove(element)
                changed = True
        for element in list(root.iter(etree.Element)):
            for name, value in list(element.attrib.items()):
                del element.attrib[name]
                if time.monotonic() < until and still(etree.tostring(root)):
                    changed = True
                else:
                    element.set(name, value)
    return etree.tostring(root)


def hunt(
    release: str, seed: int, *, count: int | None = None, seconds: float | None = None, stop_after: int = 1,
    tick: Callable[[int, int], None] = lambda judged, found: None,
) -> list[Counterexample]:  # fmt: skip
    """Judge that many documents (or for that long) and give back what the judges disagree about, one each of a kind."""
    found: dict[tuple[str, ...], Counterexample] = {}
    started = time.monotonic()
    for number, document in enumerate(documents(seed)):
        if count is not None and number >= count:
            break
        if seconds is not None and time.monotonic() - started > seconds:
            break
        about = disagreement(document, release)
        tick(number + 1, len(found))
        if not about or any(tuple(about[:1]) == known[:1] for known in found):
            continue
        first = about[0]
        smallest = shrink(document, lambda trial, first=first: first in disagreement(trial, release))  # type: ignore[misc]
        found[tuple(about)] = Counterexample(tuple(about), smallest, release)
        if len(found) >= stop_after:
            break
    return list(found.values())


def main() -> int:
    """Hunt with a progress bar; exit status 1 when anything was found."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--release", default=VERSIONS[0], choices=VERSIONS)
    parser.add_argument("--stop-after", type=int, default=20, help="kinds of disagreement")
    options = parser.parse_args()
    # Saxon writes what it recovers from straight to stderr; the progress bar keeps a way of its own.
    console = Console(file=os.fdopen(os.dup(2), "w"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"seed {options.seed}", total=options.seconds, said="")
        started = time.monotonic()

        def tick(judged: int, found: int) -> None:
            spent = time.monotonic() - started
            progress.update(task, completed=spent, said=f"{judged:,} judged, {found} found")

        found = hunt(options.release, options.seed, seconds=options.seconds, stop_after=options.stop_after, tick=tick)
    for one in found:
        print("; ".join(one.about))
        print(one.document.decode())
        print()
    print(f"{len(found)} kinds of disagreement (seed {options.seed}, release {options.release})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
