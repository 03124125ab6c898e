"""How the command ``mimir`` behaves as a process: its streams, its signals, its surroundings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from random_modules import write_without_network

from mimir_engine.cli import DONE, WRONG_USE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX streams and signals")

MIMIR = [sys.executable, "-m", "mimir_engine"]
#: Redirections of a shell that close standard streams.
CLOSED = ("0<&-", "1>&-", "2>&-", "0<&- 1>&-", "1>&- 2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-")


def in_shell(
    arguments: Sequence[str], redirections: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirections}', "sh", *MIMIR, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def in_python(preparation: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command after statements that change its process."""
    script = f"import sys\n{preparation}\nfrom mimir_engine.cli import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_without_network(tmp_path / "weights" / "trial")
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "weights"


# --- streams ---


@pytest.mark.parametrize("closed", CLOSED)
def test_no_file_takes_the_place_of_a_closed_standard_stream(
    closed: str, study_zip: Path, tmp_path: Path
) -> None:
    dataset = tmp_path / "images"
    done = in_shell(["project", str(study_zip), "--dataset", str(dataset)], closed)
    assert done.returncode == DONE
    assert "Traceback" not in done.stderr
    lines = (dataset / "ledger.jsonl").read_text("ascii").splitlines()
    assert all(line.startswith("{") for line in lines)


@pytest.mark.parametrize("closed", CLOSED)
def test_an_error_without_streams_still_gives_its_exit_status(
    closed: str, weights: Path, tmp_path: Path
) -> None:
    arguments = ["scan", "--events", "--sources", str(tmp_path / "missing")]
    done = in_shell(arguments, closed)
    assert done.returncode == WRONG_USE
    assert "2>&-" in closed or done.stderr.startswith("SOURCES_INVALID: ")
    assert "Traceback" not in done.stderr


def test_pythonw_has_no_streams_at_all(weights: Path) -> None:
    done = in_python("sys.stdin = sys.stdout = sys.stderr = None", ["modules", "list"])
    assert (done.returncode, done.stderr) == (DONE, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["modules", "list"]])
def test_a_full_disk_behind_standard_output_is_one_line(
    arguments: list[str], weights: Path
) -> None:
    done = in_shell(arguments, ">/dev/full")
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("OUTPUT_UNWRITABLE: standard output cannot be written (No space")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_the_progress_does_not_stop_a_run(
    study_zip: Path, tmp_path: Path
) -> None:
    done = in_shell(["project", str(study_zip), "--dataset", str(tmp_path)], "2>/dev/full")
    assert done.returncode == DONE
    assert (tmp_path / "studies.csv").is_file()


def test_nobody_who_reads_the_progress_does_not_stop_a_run(study_zip: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*MIMIR, "project", str(study_zip), "--dataset", str(tmp_path)]
    done = subprocess.run(command, stderr=writing, timeout=120, check=False)
    os.close(writing)
    assert done.returncode == DONE
    assert (tmp_path / "studies.csv").is_file()


@pytest.mark.parametrize("redirection", ["0<&-", "0</dev/null", "0>/dev/null"])
def test_a_list_from_a_closed_standard_input_is_no_list(redirection: str) -> None:
    done = in_shell(["scan", "--sources", "-"], redirection)
    assert done.returncode == WRONG_USE
    assert done.stderr.split(":")[0] in ("NO_STUDIES", "SOURCES_INVALID")
    assert done.stderr.count("\n") == 1


# --- signals ---


def _heed_signals() -> None:
    """Handle signals that whoever runs the tests may ignore: shells and ``nohup`` pass that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def ended_by(number: int, arguments: Sequence[str], **options: Any) -> tuple[int, str]:
    """Send a signal to a command once it waits for its list of studies."""
    process = subprocess.Popen(
        [*MIMIR, *arguments, "--events", "--sources", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_signals,
        **options,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert '"engine"' in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(number)
    status = process.wait(60)
    return status, process.stderr.read()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_with_one_line_and_its_status(name: str) -> None:
    number = getattr(signal, name)
    status, text = ended_by(number, ["scan"])
    assert status == 128 + number
    assert text.startswith("CANCELLED: ")
    assert text.count("\n") == 1


def test_nohup_keeps_a_run_alive_when_its_terminal_closes() -> None:
    process = subprocess.Popen(
        ["nohup", *MIMIR, "scan", "--events", "--sources", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == WRONG_USE  # its list was empty


# --- surroundings ---

#: As in a container whose user has no name and no home.
UNKNOWN_USER = (
    "import os, pwd\n"
    "def unknown(*args): raise KeyError('uid not found')\n"
    "pwd.getpwuid = pwd.getpwnam = unknown\n"
    "os.environ.pop('HOME', None); os.environ.pop('XDG_DATA_HOME', None)"
)


#: As on a computer whose disk is full.
NO_TEMPORARY_FOLDER = (
    "import importlib, os, tempfile\n"
    "def none(): raise FileNotFoundError(2, 'No usable temporary directory')\n"
    "tempfile._get_default_tempdir = none\n"
    "os.environ.pop('MPLCONFIGDIR', None)\n"
    "os.environ['XDG_CONFIG_HOME'] = os.environ['XDG_CACHE_HOME'] = '/dev/null/none'"
)


def test_without_a_folder_for_temporary_files_pictures_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table = tmp_path / "predictions.csv"
    table.write_text("study,target,reference,mean,sd\n1,liver,1,1,1\n")
    done = in_python(NO_TEMPORARY_FOLDER, ["evaluate", str(table), "--output", str(tmp_path / "e")])
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("TEMPORARY_FOLDER_MISSING: ")
    assert done.stderr.count("\n") == 1


def test_a_user_without_home_can_list_modules(weights: Path) -> None:
    done = in_python(UNKNOWN_USER, ["modules", "list"])
    assert (done.returncode, done.stderr) == (DONE, "")
    assert done.stdout.startswith("trial")


def test_a_user_without_home_is_asked_where_to_add_modules(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIMIR_WEIGHTS")
    done = in_python(UNKNOWN_USER, ["modules", "add", str(weights / "trial")])
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("WRONG_USE: ")
    assert "--into" in done.stderr


@pytest.mark.parametrize(
    "named", ["~nobody-of-this-name", "/dev/null", "x" * 300, "/" + "y/" * 3000, "\udcff", "::"]
)
def test_a_nonsense_search_path_has_no_modules(named: str, weights: Path) -> None:
    done = in_shell(["modules", "show", "absent"], MIMIR_WEIGHTS=named)
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("MODULE_NOT_FOUND: ")


@pytest.mark.parametrize("name", ["~nobody-of-this-name", "x" * 300, "y/" * 3000, "z\n\x1b[2J"])
def test_a_nonsense_name_is_no_module(name: str, weights: Path) -> None:
    done = in_shell(["modules", "show", name])
    assert done.returncode == WRONG_USE
    assert done.stderr.startswith("MODULE_NOT_FOUND: ")
    assert done.stderr[:-1].isprintable()


def test_a_working_folder_that_was_deleted_is_one_line(study_zip: Path, tmp_path: Path) -> None:
    gone = (
        f"import os\nos.mkdir({str(tmp_path / 'gone')!r})\nos.chdir({str(tmp_path / 'gone')!r})\n"
    )
    gone += f"os.rmdir({str(tmp_path / 'gone')!r})\nsys.path.remove('')"
    done = in_python(gone, ["scan", str(study_zip)])
    assert done.returncode == WRONG_USE
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("WORKING_FOLDER_GONE: ")


@pytest.mark.parametrize("name", ["Größe.zip", os.fsdecode(b"caf\xe9.zip")])
def test_an_ascii_locale_reads_studies_of_any_name(
    name: str, study_zip: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(study_zip.read_bytes())
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = in_shell(["project", str(path), "--dataset", str(tmp_path / "o")], **ascii_only)
    assert (done.returncode, "INTERNAL" in done.stderr) == (DONE, False)
