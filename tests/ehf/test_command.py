"""`connector ehf`, run as a process: what it prints, in which order, and its exit status."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.invoices import invoice
from connector.cli import ehf

COMMAND = [sys.executable, "-c", "from connector.cli import main; main()", "ehf"]
KEYS = ["file", "document_type", "rules_version", "valid", "findings"]
FINDING = {"rule", "severity", "layer", "path", "line", "term", "values", "message", "fix"}


def run(*arguments: str, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.xml"
    path.write_bytes(invoice())
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.xml"
    path.write_bytes(invoice().replace(b">NO974760673MVA<", b">NO974760674MVA<"))
    return path


def test_valid_is_0_and_says_so_in_both_languages(good: Path) -> None:
    norwegian, english = run("validate", str(good)), run("validate", "--language", "en", str(good))
    assert (norwegian.returncode, english.returncode) == (0, 0)
    assert "gyldig (Invoice" in norwegian.stdout.decode()
    assert "valid (Invoice" in english.stdout.decode()


def test_invalid_is_1_with_one_object_per_line_in_the_order_given(good: Path, bad: Path) -> None:
    done = run("validate", "--format", "json", str(bad), str(good))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["file"] for line in lines] == [str(bad), str(good)]
    assert [line["valid"] for line in lines] == [False, True]
    for line in lines:
        said = [key for key in line if key in KEYS]
        assert said == KEYS
    assert {finding["rule"] for finding in lines[0]["findings"]} == {"NO-R-001"}
    for finding in lines[0]["findings"]:
        assert finding.keys() >= FINDING
        assert finding["layer"] == "peppol"
        assert finding["line"]
        assert finding["message"]["nb"] != finding["message"]["en"]


@pytest.mark.parametrize("given", [b"", b"%PDF-1.7", b"<a", b"<html></html"])
def test_unreadable_is_2_without_a_traceback(given: bytes) -> None:
    done = run("validate", "-", given=given)
    assert done.returncode == 2
    assert b"Traceback" not in done.stdout + done.stderr


def test_missing_file_is_2_and_the_others_are_judged(good: Path) -> None:
    done = run("validate", str(good.with_name("none.xml")), str(good))
    assert done.returncode == 2
    assert b"none.xml" in done.stderr
    assert b"gyldig" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate",),
        ("validate", "--rules", "2.9", "-"),
        ("validate", "--format", "xml", "-"),
        ("validate", "--jobs", "0", "-"),
    ],
)
def test_usage_is_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_folder_without_documents_is_2(tmp_path: Path) -> None:
    assert run("validate", str(tmp_path)).returncode == 2


def test_standard_input_and_release(good: Path) -> None:
    done = run("validate", "--format", "json", "--rules", "3.0.19", "-", given=good.read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)["rules_version"] == "3.0.19"


def test_xsd_stops_unless_all_layers(tmp_path: Path) -> None:
    path = tmp_path / "fragment.xml"
    path.write_bytes(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>')
    some = json.loads(run("validate", "--format", "json", str(path)).stdout)
    every = json.loads(run("validate", "--format", "json", "--all-layers", str(path)).stdout)
    assert {finding["layer"] for finding in some["findings"]} == {"xsd"}
    assert {finding["layer"] for finding in every["findings"]} == {"xsd", "en16931", "peppol"}


def test_many_files_keep_their_order_on_all_cores(tmp_path: Path, good: Path, bad: Path) -> None:
    folder = tmp_path / "many" / "deeper"
    folder.mkdir(parents=True)
    for number in range(150):
        (folder / f"{number:04}.xml").write_bytes((bad if number % 10 == 0 else good).read_bytes())
    done = run("validate", "--format", "json", "--jobs", "2", str(folder.parent))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(folder / f"{number:04}.xml") for number in range(150)]
    assert [number for number, line in enumerate(lines) if not line["valid"]] == [*range(0, 150, 10)]
    assert done.returncode == 1


def test_a_process_that_is_killed_is_said(tmp_path: Path, good: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}.xml").write_bytes(good.read_bytes())
    command = [*COMMAND, "validate", "--jobs", "2", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            process.kill()
            pytest.skip("this system does not say which processes are whose")
        while not (born := children.read_text().split()):
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(int(born[0]), signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert b"--jobs 1" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("format", ["text", "json"])
def test_two_processes_print_what_one_prints(tmp_path: Path, good: Path, bad: Path, format: str) -> None:
    names = [str(path) for _ in range(40) for path in (good, bad, tmp_path / "none.xml")]
    names.insert(90, "-")
    one, two = (
        run("validate", "--format", format, "--jobs", jobs, *names, given=good.read_bytes()) for jobs in ("1", "2")
    )
    assert one.stdout == two.stdout
    assert one.stderr == two.stderr
    assert (one.returncode, two.returncode) == (2, 2)
    assert one.stderr.count(b"none.xml") == 40
    if format == "json":
        said = [json.loads(line)["file"] for line in one.stdout.splitlines()]
        assert said == [name for name in names if not name.endswith("none.xml")]
    else:
        assert b"41 gyldige, 40 ugyldige, 40 uleselige" in one.stderr


def test_a_progress_bar_for_somebody_who_looks(tmp_path: Path, good: Path) -> None:
    """On a terminal, for many files, with the reports going elsewhere; the terminal is clean afterwards."""
    for number in range(ehf.MANY):
        (tmp_path / f"{number:04}.xml").write_bytes(good.read_bytes())
    ours, theirs = os.openpty()
    command = [*COMMAND, "validate", "--format", "json", "--jobs", "2", str(tmp_path)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # how a terminal says that the other side has closed it
            pass
        reports = process.communicate(timeout=60)[0]
    os.close(ours)
    assert process.returncode == 0
    assert len(reports.splitlines()) == ehf.MANY + 1  # `good` lies in the same folder
    assert f"{ehf.MANY + 1}/{ehf.MANY + 1}".encode() in shown
    assert b"Traceback" not in shown


def test_the_field_in_the_system_it_came_from(bad: Path, good: Path) -> None:
    good.write_bytes(invoice().replace(b"</cbc:PayableAmount>", b"7</cbc:PayableAmount>"))
    done = run("validate", "--format", "json", "--system", "tripletex", str(good))
    fields = {each["rule"]: each.get("source_field") for each in json.loads(done.stdout)["findings"]}
    assert fields["BR-CO-16"] == "invoice.amountCurrency"
    unknown = run("validate", "--system", "nosuch", str(bad))
    assert unknown.returncode == 2
    assert b"nosuch" in unknown.stderr
    assert not unknown.stdout


def test_reader_that_goes_away_is_no_error(good: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from connector.cli import main; main()' ehf rules | head -1",
        shell=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in done.stderr


def test_every_rule_is_listed_with_severity_and_text() -> None:
    listed = [json.loads(line) for line in run("rules", "--format", "json").stdout.splitlines()]
    by_id = {(rule["layer"], rule["rule"]): rule for rule in listed}
    assert len(by_id) == len(listed)
    assert by_id["peppol", "DK-R-003"]["versions"] == {"3.0.19": "warning", "3.0.20": "warning", "3.0.21": "fatal"}
    assert all(rule["message"]["nb"] and rule["message"]["en"] and rule["fix"]["nb"] for rule in listed)
    assert b"NO-R-001  fatal  peppol" in run("rules").stdout


def test_schematron_engine_needs_a_folder(good: Path, tmp_path: Path) -> None:
    unset = run("validate", "--engine", "schematron", str(good), CONNECTOR_SCHEMATRON_DIR="")
    empty = run("validate", "--engine", "schematron", str(good), CONNECTOR_SCHEMATRON_DIR=str(tmp_path))
    assert (unset.returncode, empty.returncode) == (2, 2)
    assert b"CONNECTOR_SCHEMATRON_DIR" in unset.stderr
    assert b"EN16931-UBL-validation-preprocessed.sch" in empty.stderr


def test_folders_are_expanded_in_order(tmp_path: Path) -> None:
    for name in ("b/2.xml", "a/1.XML", "c.xml", "a/not.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [Path(name).relative_to(tmp_path).as_posix() for name in ehf.expand([str(tmp_path)])]
    assert found == ["c.xml", "a/1.XML", "b/2.xml"]
