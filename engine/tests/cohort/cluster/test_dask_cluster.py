from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("distributed")
if sys.platform == "win32":
    pytest.skip("these tests end processes by POSIX signals", allow_module_level=True)

from cohort_builder import run_infer, write_studies, write_trial_module
from dask_processes import DaskProcesses, dask_processes, wait_until

import mimir_engine
from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort import measure_studies
from mimir_engine.cohort.cluster.dask_cluster import DaskCluster
from mimir_engine.cohort.outcomes import LEDGER_FILE
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule

#: Studies of the cohort: three chunks.
COUNT = 12
TABLES = ("predictions.csv", "failures.csv")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of studies, one of them damaged; not to be changed."""
    folder = tmp_path_factory.mktemp("studies")
    write_studies(folder, [f"10000{n:02d}_20201_2_0" for n in range(COUNT)])
    (folder / "1000003_20201_2_0.zip").write_bytes(b"no zip")
    return folder


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler with two workers."""
    with dask_processes(tmp_path_factory.mktemp("dask")) as dask:
        dask.add_worker()
        dask.add_worker()
        yield dask


def infer(trial: InferenceModule, studies: Path, output: Path, *options: str) -> list[str]:
    command = ["infer", "--modules", str(trial.folder), "--output", str(output)]
    return [*command, "--device", "cpu", "--jobs", "2", *options, str(studies)]


def tables(output: Path) -> dict[str, bytes]:
    return {name: (output / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def one_machine(
    trial: InferenceModule, studies: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The output folder of a run without a cluster."""
    output = tmp_path_factory.mktemp("one") / "out"
    assert main(infer(trial, studies, output)) == SOME_FAILED
    return output


def outcomes(output: Path) -> Counter[str]:
    """How many outcomes the ledger has of each study."""
    lines = map(json.loads, (output / LEDGER_FILE).read_text().splitlines())
    return Counter(line["name"] for line in lines if "name" in line and "begun" not in line)


def until_event(command: list[str], kind: str = "study") -> subprocess.Popen[str]:
    """Run a command in a process of its own until its first event of a kind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mimir_engine", *command, "--events"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == kind:
            return process
    raise AssertionError(process.communicate())


def test_two_workers_give_the_files_of_one_machine(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, one_machine: Path, tmp_path: Path
) -> None:
    options = ("--scheduler-file", str(dask.file), "--details", str(tmp_path / "details"))
    assert main(infer(trial, studies, tmp_path / "out", *options, "--no-volumes")) == SOME_FAILED
    assert tables(tmp_path / "out") == tables(one_machine)
    runs = [json.loads((out / "run.json").read_text()) for out in (tmp_path / "out", one_machine)]
    for run in runs:
        del run["command"]
    assert runs[0] == runs[1]
    measured = len(list((tmp_path / "details").glob("*/measurements.json")))
    assert measured == COUNT - 1, "the workers write the folders of studies"
    assert dask.tasks() == 0
    assert dask.ask(_kept_jobs) == 0, "the workers have let go of networks and readers"


def pictures(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (output / "projections").glob("*")}


def test_shards_on_a_cluster_merge_to_the_files_of_one_machine(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, one_machine: Path, tmp_path: Path
) -> None:
    shards = [tmp_path / number for number in "12"]
    for shard in shards:
        options = ("--scheduler-file", str(dask.file), "--shard", f"{shard.name}/2")
        main(infer(trial, studies, shard, *options))
    merge = ["merge", *map(str, shards), "--modules", str(trial.folder)]
    assert main([*merge, "--output", str(tmp_path / "out")]) == SOME_FAILED
    assert tables(tmp_path / "out") == tables(one_machine)
    assert len(pictures(one_machine)) == COUNT - 1
    assert pictures(tmp_path / "out") == pictures(one_machine)


def test_workers_keep_no_projection_if_none_is_wanted(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, tmp_path: Path
) -> None:
    study = studies / "1000000_20201_2_0.zip"
    options = ("--scheduler-file", str(dask.file), "--no-images")
    assert main(infer(trial, study, tmp_path / "out", *options)) == DONE
    assert pictures(tmp_path / "out") == {}


def test_hidden_names_stay_hidden_in_the_messages_of_workers(
    trial: InferenceModule, dask: DaskProcesses, tmp_path: Path
) -> None:
    (tmp_path / "Jane_Doe.zip").write_bytes(b"no zip")
    options = ("--scheduler-file", str(dask.file), "--anonymous-names")
    command = infer(trial, tmp_path / "Jane_Doe.zip", tmp_path / "out", *options)
    assert main(command) == SOME_FAILED
    written = b"".join(p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file())
    assert b"study_0001,NOT_A_ZIP" in written
    assert b"Jane" not in written


@pytest.mark.slow
def test_a_killed_client_started_again_after_a_killed_worker_measures_each_study_once(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, one_machine: Path, tmp_path: Path
) -> None:
    doomed = dask.add_worker()
    command = infer(trial, studies, tmp_path / "out", "--scheduler-file", str(dask.file))
    client = until_event(command)
    dask.kill(doomed)
    client.kill()
    client.communicate()
    wait_until(lambda: dask.tasks() == 0, "tasks of the killed client are left")
    before = outcomes(tmp_path / "out")
    assert 0 < len(before) < COUNT
    assert main(command) == SOME_FAILED
    after = outcomes(tmp_path / "out")
    assert len(after) == COUNT
    done_before = before.keys() - {"1000003_20201_2_0"}  # failures are tried again
    assert {after[name] for name in done_before} == {1}
    assert tables(tmp_path / "out") == tables(one_machine)


@pytest.mark.slow
def test_a_killed_worker_loses_no_study(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, one_machine: Path, tmp_path: Path
) -> None:
    doomed = dask.add_worker()
    command = infer(trial, studies, tmp_path / "out", "--scheduler", dask.address)
    client = until_event(command)
    dask.kill(doomed)
    client.communicate()
    assert client.returncode == SOME_FAILED
    assert set(outcomes(tmp_path / "out").values()) == {1}
    assert tables(tmp_path / "out") == tables(one_machine)


@pytest.mark.slow
def test_ctrl_c_leaves_no_task_on_the_scheduler(
    trial: InferenceModule, studies: Path, dask: DaskProcesses, tmp_path: Path
) -> None:
    command = infer(trial, studies, tmp_path / "out", "--scheduler-file", str(dask.file))
    client = until_event(command)
    client.send_signal(signal.SIGINT)
    client.communicate()
    assert client.returncode == 128 + signal.SIGINT
    assert dask.tasks() == 0
    wait_until(lambda: dask.ask(_kept_jobs) == 0, "a worker goes on with a cancelled chunk")
    assert main(command) == SOME_FAILED, "the same command continues"


def refusal(
    trial: InferenceModule, source: Path, dask: DaskProcesses, output: Path
) -> tuple[str, str]:
    """The code and the text with which a run on the cluster ends."""
    cluster = DaskCluster(dask.address)
    with pytest.raises(MimirError) as caught:
        run_infer([source], [trial], output, cluster=cluster)
    assert "the worker tcp://127.0.0.1:" in caught.value.what
    assert dask.tasks() == 0
    return caught.value.code, caught.value.what


def test_a_worker_of_another_version_is_refused(
    trial: InferenceModule,
    studies: Path,
    dask: DaskProcesses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = mimir_engine.__version__
    monkeypatch.setattr(mimir_engine, "__version__", "0.0.1")
    code, what = refusal(trial, studies, dask, tmp_path / "out")
    assert code == "WORKER_DIFFERS"
    assert f"mimir is {version} here, not 0.0.1" in what


def test_a_worker_with_another_inference_module_is_refused(
    trial: InferenceModule,
    studies: Path,
    dask: DaskProcesses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure_studies, "module_sha256", lambda module: "0" * 64)
    code, what = refusal(trial, studies, dask, tmp_path / "out")
    assert code == "WORKER_DIFFERS"
    assert "inference module trial" in what


@pytest.mark.skipif(not os.path.exists("/proc/self/cwd"), reason="needs Linux's /proc")
def test_a_worker_that_does_not_see_the_files_is_refused(
    trial: InferenceModule,
    studies: Path,
    dask: DaskProcesses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(studies)  # a path that means another folder in another process
    only_here = Path("/proc/self/cwd/1000000_20201_2_0.zip")
    code, what = refusal(trial, only_here, dask, tmp_path / "out")
    assert code == "WORKER_SEES_NO_FILES"
    assert "1000000_20201_2_0" in what
    monkeypatch.chdir(tmp_path)
    code, what = refusal(trial, studies, dask, Path("/proc/self/cwd/out"))
    assert code == "WORKER_SEES_NO_FILES"
    assert "output folder" in what


def test_studies_wait_for_workers_and_one_of_another_version_is_refused_when_it_joins(
    trial: InferenceModule, studies: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.py"
    other.write_text("import mimir_engine\nmimir_engine.__version__ = '0.0.1'\n")
    with dask_processes(tmp_path) as dask:
        command = infer(trial, studies, tmp_path / "out", "--scheduler-file", str(dask.file))
        client = until_event(command, "cluster")
        dask.add_worker("--preload", str(other))
        _, stderr = client.communicate()
    assert client.returncode == WRONG_USE
    assert stderr.splitlines()[-1].startswith("WORKER_DIFFERS: the worker tcp://127.0.0.1:")
    assert "mimir is 0.0.1 here, not" in stderr


@pytest.mark.slow
def test_a_study_that_ends_its_workers_fails_alone(
    trial: InferenceModule, studies: Path, one_machine: Path, tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly.py"  # ends a worker that begins this study
    deadly.write_text(
        "import os\n"
        "from mimir_engine.cohort.cluster import worker\n"
        "def is_there(source):\n"
        "    return source.name != '1000005_20201_2_0' or os._exit(1)\n"
        "worker.is_there = is_there\n"
    )
    once = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with dask_processes(tmp_path, **once) as dask:
        dask.add_worker("--preload", str(deadly))
        command = infer(trial, studies, tmp_path / "out", "--scheduler-file", str(dask.file))
        assert main(command) == SOME_FAILED
    assert set(outcomes(tmp_path / "out").values()) == {1}
    failures = (tmp_path / "out" / "failures.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in failures] == [
        ["1000003_20201_2_0", "NOT_A_ZIP"],
        ["1000005_20201_2_0", "STUDY_CRASHED"],
    ]


@pytest.mark.slow
def test_a_lost_scheduler_ends_the_run_with_a_sentence_and_it_can_be_resumed(
    trial: InferenceModule, studies: Path, one_machine: Path, tmp_path: Path
) -> None:
    with dask_processes(tmp_path) as dask:
        dask.add_worker()
        options = ("--scheduler-file", str(dask.file))
        client = until_event(infer(trial, studies, tmp_path / "out", *options))
        dask.kill(dask.processes[0])
        _, stderr = client.communicate()
    assert client.returncode == WRONG_USE
    assert stderr.splitlines()[-1].startswith("SCHEDULER_LOST: the connection to the scheduler")
    assert main(infer(trial, studies, tmp_path / "out")) == SOME_FAILED
    assert tables(tmp_path / "out") == tables(one_machine)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(
    trial: InferenceModule,
    studies: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("mimir_engine.cohort.cluster.dask_cluster.CONNECT_TIMEOUT_S", 0.5)
    command = infer(trial, studies, tmp_path / "out", "--scheduler", "127.0.0.1:9")
    assert main(command) == WRONG_USE
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("SCHEDULER_UNREACHABLE: the scheduler tcp://127.0.0.1:9 cannot be")


def _kept_jobs(client: object) -> int:
    """Count the jobs whose networks the workers hold."""

    def count() -> int:
        from mimir_engine.cohort.cluster.worker import _kept

        return len(_kept)

    count.__module__ = "__main__"
    return sum(client.run(count).values())  # type: ignore[attr-defined]
