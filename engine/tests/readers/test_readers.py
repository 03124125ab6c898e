from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.reader_process import end_readers
from mimir_engine.readers.readers import Readers

#: Short enough for a test that waits for it, long enough for a slow machine to start a call.
TIMEOUT_S = 3.0
limits_memory = pytest.mark.skipif(
    sys.platform != "linux", reason="the system does not limit the address space"
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture
def readers() -> Iterator[Readers]:
    with Readers("fragile_reader", ReaderLimits(timeout_s=TIMEOUT_S)) as readers:
        yield readers


def code_of(readers: Readers, how: str) -> str:
    with pytest.raises(MimirError) as caught:
        readers.call("fail", {"how": how})
    return caught.value.code


def test_a_reader_is_another_process_and_serves_many_calls(readers: Readers) -> None:
    first = readers.call("echo", {"text": "liver"})
    second = readers.call("echo", {"text": "Schädel"})
    assert first.value[0] == "liver"
    assert first.data == b"liver"
    assert second.data.decode() == "Schädel"
    assert first.value[1] == second.value[1] != os.getpid()


def test_a_reader_runs_no_module_of_the_working_folder(
    readers: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "signal", "numpy", "mimir_engine"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert readers.call("echo", {"text": "liver"}).data == b"liver"


def test_a_reader_keeps_memory_though_dask_lets_its_workers_give_it_back(
    monkeypatch: pytest.MonkeyPatch, readers: Readers
) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    assert readers.call("variable", {"name": "MALLOC_TRIM_THRESHOLD_"}).value is None
    assert readers.call("variable", {"name": "OMP_NUM_THREADS"}).value == "1"


def test_all_readers_can_be_ended_before_the_process_ends(readers: Readers) -> None:
    reader = readers.call("echo", {"text": ""}).value[1]
    end_readers()
    wait_for_end(reader)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param("crash", "STUDY_CRASHED", marks=posix),
        ("exit", "STUDY_CRASHED"),
        ("hang", "STUDY_TIMEOUT"),
        pytest.param("memory", "OUT_OF_MEMORY", marks=limits_memory),
    ],
)
def test_a_study_that_ends_its_reader_is_named_and_the_next_has_a_new_one(
    readers: Readers, how: str, code: str
) -> None:
    before = readers.call("echo", {"text": ""}).value[1]
    assert code_of(readers, how) == code
    after = readers.call("echo", {"text": ""}).value[1]
    assert after != before


@pytest.mark.parametrize(
    ("how", "code"),
    [("refuse", "NO_DICOM"), ("fault", "INTERNAL_ERROR"), ("nest", "NESTED_TOO_DEEPLY")],
)
def test_an_error_leaves_the_reader_alive(readers: Readers, how: str, code: str) -> None:
    before = readers.call("echo", {"text": ""}).value[1]
    assert code_of(readers, how) == code
    assert readers.call("echo", {"text": ""}).value[1] == before


def test_images_of_refused_studies_do_not_fill_the_memory(readers: Readers) -> None:
    codes = [code_of(readers, "refuse large") for _ in range(15)]
    assert codes == ["NO_DICOM"] * 15


def test_an_unforeseen_error_reveals_nothing_of_the_patient(readers: Readers) -> None:
    with pytest.raises(MimirError, match=r"MIMIR failed \(ValueError at reader.py:") as caught:
        readers.call("fail", {"how": "fault"})
    assert "Nobody" not in str(caught.value)


def test_a_library_that_prints_does_not_disturb_the_messages(readers: Readers) -> None:
    assert readers.call("fail", {"how": "print"}).value == "print"
    assert readers.call("echo", {"text": "next"}).value[0] == "next"


def test_one_study_that_dies_does_not_touch_those_read_beside_it(readers: Readers) -> None:
    outcomes = []

    def ask() -> None:
        outcomes.append([readers.call("echo", {"text": str(n)}).value[0] for n in range(50)])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert code_of(readers, "exit") == "STUDY_CRASHED"
    for thread in threads:
        thread.join()
    assert outcomes == [[str(n) for n in range(50)]] * 2


@posix
def test_a_reader_that_ends_while_it_waits_is_no_fault_of_the_next_study(readers: Readers) -> None:
    first = readers.call("echo", {"text": ""}).value[1]
    os.kill(first, signal.SIGKILL)
    while readers._idle[0].is_alive:
        time.sleep(0.01)
    assert readers.call("echo", {"text": "liver"}).value[0] == "liver"


def test_closing_ends_a_reader_that_hangs() -> None:
    errors = []
    with Readers("fragile_reader", ReaderLimits()) as readers:
        pid = readers.call("echo", {"text": ""}).value[1]

        def hang() -> None:
            with pytest.raises(MimirError) as caught:
                readers.call("fail", {"how": "hang"})
            errors.append(caught.value.code)

        thread = threading.Thread(target=hang)
        thread.start()
        while not readers.is_busy:
            time.sleep(0.01)
    thread.join()
    assert errors == ["STUDY_CRASHED"]
    assert not is_running(pid)


def test_a_reader_that_cannot_start_is_no_fault_of_the_study() -> None:
    with (
        Readers("no_such_module", ReaderLimits()) as readers,
        pytest.raises(
            MimirError,
            match="READER_NOT_STARTED: the process that reads studies could not be started",
        ),
    ):
        readers.call("echo", {"text": ""})


@posix
def test_readers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "from mimir_engine.readers.readers import Readers\n"
        "from mimir_engine.readers.reader_limits import DEFAULT_LIMITS\n"
        "readers = Readers('fragile_reader', DEFAULT_LIMITS)\n"
        "print(readers.call('echo', {'text': ''}).value[1], flush=True)\n"
        "readers.call('fail', {'how': 'hang'})\n"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    with process.stdout:
        reader = int(process.stdout.readline())
    process.kill()
    process.wait()
    wait_for_end(reader)


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended; fail if it does not."""
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie that waits for its parent."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:  # no /proc
        return True
    except OSError:
        return False


def test_readers_never_import_torch() -> None:
    program = (
        "import sys; import mimir_engine.cohort.reader_calls; import mimir_engine.readers.reader;"
        "sys.exit('torch' in sys.modules)"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": paths}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0
