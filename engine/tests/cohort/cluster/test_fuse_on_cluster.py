"""Workers of a Dask scheduler write the volumes that one machine writes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")
pytest.importorskip("distributed", reason="a cluster needs Dask")
if sys.platform == "win32":
    pytest.skip("these tests end processes by POSIX signals", allow_module_level=True)

from cohort_builder import write_studies
from dask_processes import dask_processes
from stitched_builder import files_in, table

from mimir_engine.cli import SOME_FAILED, main

COUNT = 6


def test_two_workers_write_the_files_of_one_machine(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    studies = tmp_path / "studies"
    write_studies(studies, [f"10000{n:02d}_20201_2_0" for n in range(COUNT)])
    (studies / "1000003_20201_2_0.zip").write_bytes(b"no zip")
    command = ["fuse", str(studies), "--layout", "nnunet", "--jobs", "2", "--output"]
    assert main([*command, str(tmp_path / "one")]) == SOME_FAILED
    (tmp_path / "dask").mkdir()
    with dask_processes(tmp_path / "dask") as dask:
        dask.add_worker()
        dask.add_worker()
        words = [*command, str(tmp_path / "many"), "--scheduler", dask.address]
        assert main(words) == SOME_FAILED
        assert "workers: 2, threads: 2" in capfd.readouterr().err
        assert main(words) == SOME_FAILED
        assert f"{COUNT} studies, {COUNT - 1} of them already done" in capfd.readouterr().err
    one, many = tmp_path / "one", tmp_path / "many"
    assert files_in(one) == files_in(many)
    assert len(files_in(one)) == 3 * (COUNT - 1)
    for name in (*files_in(one), "volumes.csv"):
        assert (one / name).read_bytes() == (many / name).read_bytes()
    assert [row["code"] for row in table(one / "failures.csv")] == ["NOT_A_ZIP"]
