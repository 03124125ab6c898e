"""Run the commands of docs/scaling.md on phantoms, and compare its tables with their script."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "validation"))
from scaling_tables import COHORTS, MACHINES, PARTS_FILE, cost

from mimir_engine.cli import COMMANDS
from mimir_engine.files.optional_packages import is_installed

ENGINE = Path(__file__).resolve().parents[2]
PAGE = ENGINE.parent / "docs" / "scaling.md"
BLOCK = re.compile(r"<!-- made: ([\w-]+) -->\n(.*?)\n?<!-- end -->", re.DOTALL)
TABLES = ("predictions.csv", "failures.csv")

needs_networks = pytest.mark.skipif(not is_installed("onnx"), reason="ONNX Runtime is needed")
needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="the page is for a POSIX shell")


def make_tables(docs: Path, *options: str) -> dict[str, str]:
    script = ENGINE / "validation" / "scaling_tables.py"
    subprocess.run([sys.executable, script, "--docs", docs, *options], check=True)
    return dict(BLOCK.findall((docs / "scaling.md").read_text("utf-8")))


def test_the_tables_of_the_page_are_those_of_the_measured_parts(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    (tmp_path / "scaling.md").write_text(
        BLOCK.sub(r"<!-- made: \1 -->\n<!-- end -->", text), "utf-8"
    )
    made = make_tables(tmp_path)
    assert made == dict(BLOCK.findall(text))
    assert all(made.values())


def test_a_slower_part_costs_more() -> None:
    parts = json.loads(PARTS_FILE.read_text("ascii"))
    slower = {**parts, "reading_core_s": 10 * parts["reading_core_s"]}
    larger = {**parts, "main_mb": 1000 + parts["main_mb"], "ledger_bytes": 1e6}
    for machines, studies in product(MACHINES, COHORTS):
        usual = cost(studies, machines, parts)
        assert cost(studies, machines, slower).seconds > usual.seconds
        assert cost(studies, machines, larger).memory_gb == pytest.approx(usual.memory_gb + 1)
        assert cost(studies, machines, larger).disk_gb > usual.disk_gb


def test_more_cores_take_less_time_and_more_memory() -> None:
    parts = json.loads(PARTS_FILE.read_text("ascii"))
    for studies in COHORTS:
        few, many, most = (cost(studies, machines, parts) for machines in MACHINES)
        assert few.seconds > many.seconds > most.seconds
        assert few.memory_gb < many.memory_gb == most.memory_gb
        assert few.disk_gb == many.disk_gb == most.disk_gb


def test_the_page_installs_wheels_as_the_makefile_says() -> None:
    command = "pip install --no-index --find-links wheelhouse 'mimir-engine[onnx]'"
    makefile = (ENGINE.parent / "Makefile").read_text("utf-8")
    assert command in PAGE.read_text("utf-8")
    assert command in makefile.replace("$(WHEELHOUSE)", "wheelhouse")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the first section were run."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "bin").mkdir()
    for command, module in (("mimir", "mimir_engine"), ("dask", "dask")):
        path = folder / "bin" / command
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        path.chmod(0o755)
    run_block("One machine", folder)
    return folder


def run_block(section: str, folder: Path, language: str = "sh", shell: str = "bash -e") -> None:
    """Run the commands of a section in a folder."""
    text = PAGE.read_text("utf-8").split(f"## {section}")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    script = folder / f"block.{language}"
    script.write_text(block)
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ENGINE),
        "OMP_NUM_THREADS": "1",
    }
    command = [*shell.split(), script]
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as process:
        try:
            assert process.wait(600) == 0
        finally:
            with suppress(ProcessLookupError):  # all have ended
                os.killpg(process.pid, signal.SIGTERM)


def assert_same_tables(folder: Path, output: str) -> None:
    assert (folder / "results" / TABLES[0]).read_bytes().count(b"\n") == 4
    for name in TABLES:
        assert (folder / output / name).read_bytes() == (folder / "results" / name).read_bytes()


@pytest.mark.slow
@needs_shell
@needs_networks
@pytest.mark.skipif("merge" not in COMMANDS, reason="there is no `mimir merge` yet")
def test_shards_merge_to_the_tables_of_one_machine(measured: Path) -> None:
    run_block("Shards", measured)
    assert_same_tables(measured, "merged")


def has_scheduler() -> bool:
    command = [sys.executable, "-m", "mimir_engine", "infer", "--help"]
    return "--scheduler-file" in subprocess.run(command, capture_output=True, text=True).stdout


@pytest.mark.slow
@needs_shell
@needs_networks
def test_workers_of_dask_make_the_tables_of_one_machine(measured: Path) -> None:
    pytest.importorskip("distributed")
    if not has_scheduler():
        pytest.skip("there is no `mimir infer --scheduler-file` yet")
    run_block("Dask", measured)
    assert_same_tables(measured, "measured")


@pytest.mark.slow
@needs_shell
@needs_networks
def test_workers_that_a_script_starts_make_them_too(measured: Path) -> None:
    pytest.importorskip("distributed")
    if not has_scheduler():
        pytest.skip("there is no `mimir infer --scheduler-file` yet")
    run_block("Dask", measured, "python", sys.executable)
    assert_same_tables(measured, "local")
