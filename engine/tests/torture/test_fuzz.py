"""The fuzzer's seeds are valid, its cases repeatable, and it notices what must not happen."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import fuzz
import fuzz_worker
import kinds
import pytest

from mimir_engine.files.optional_packages import is_installed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits address space")


def readable(name: str) -> bool:
    """Return whether the packages that a seed needs are installed."""
    if name.startswith("study/jpeg"):
        return is_installed("compressed")
    if name.startswith("nifti/"):
        return is_installed("nifti")
    return is_installed("network") or not fuzz_worker.needs_torch(name)


@pytest.mark.parametrize("name", sorted(fuzz_worker.seeds()))
def test_every_seed_is_read_undamaged(name: str, tmp_path: Path) -> None:
    if not readable(name):
        pytest.skip("needs an optional package")
    kind, parts = kinds.KINDS[name.split("/")[0]], fuzz_worker.seeds()[name]
    if name.startswith("run/"):
        kinds.write_ledger(parts, tmp_path)
    elif name.startswith(("study/", "module/")):
        kinds.write_parts(tmp_path / "input", parts)
    else:
        kinds.write_parts(tmp_path, parts)
    assert kind.read(Random(0), tmp_path) in fuzz.READ


def test_a_case_is_the_same_each_time(tmp_path: Path) -> None:
    for case in range(40):
        contents = []
        for place in (tmp_path / f"{case}a", tmp_path / f"{case}b"):
            rng = Random(f"seed:{case}")
            name, parts = fuzz_worker.seed_of(rng)
            if name.startswith("run/"):
                break  # its ledger names the time
            place.mkdir()
            kinds.KINDS[name.split("/")[0]].write(rng, dict(parts), place)
            files = sorted(path for path in place.rglob("*") if path.is_file())
            contents.append([(p.relative_to(place), p.read_bytes()) for p in files])
        assert contents[:1] == contents[1:]


def test_an_unforeseen_error_is_an_internal_error_with_its_place(tmp_path: Path) -> None:
    def read(rng: Random, folder: Path) -> str:
        raise ValueError("text")

    outcome, detail = fuzz_worker.outcome_of(
        kinds.Kind(kinds.write_damaged, read), Random(), tmp_path
    )
    assert outcome == "INTERNAL_ERROR"
    assert detail.startswith("ValueError at test_fuzz.py:")


@pytest.mark.parametrize("deed", ["write", "mkdir", "rename", "remove"])
def test_what_is_written_outside_is_noticed(deed: str, tmp_path: Path) -> None:
    inside, outside = tmp_path / "case", tmp_path / "outside"
    inside.mkdir()
    (inside / "file").write_text("x")
    watch = fuzz_worker.Watch(tmp_path)
    watch.active = True
    (inside / "other").write_text("x")
    assert watch.outside == []
    if deed == "write":
        outside.write_text("x")
    elif deed == "mkdir":
        outside.mkdir()
    elif deed == "rename":
        (inside / "file").rename(outside)
    else:
        outside.unlink(missing_ok=True)
    watch.active = False
    assert len(set(watch.outside)) == 1  # Python 3.9 tells of a file twice


def test_a_process_that_dies_is_a_fault_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = fuzz.Workers("seed")
    try:
        (case,) = [n for n in range(9) if not needs_torch_of(n)][:1]
        first, _ = workers.attempt(case)
        process = workers._workers[False].process
        assert process is not None
        process.kill()
        process.wait()
        second, _ = workers.attempt(case)
        assert second["outcome"] == first["outcome"]
    finally:
        workers.close()
    assert fuzz.is_fault({"seed": "study/jpeg", "outcome": "DIED"})
    assert not fuzz.is_fault({"seed": "study/jpeg", "outcome": "PIXELS_UNREADABLE"})


def needs_torch_of(case: int) -> bool:
    name, _ = fuzz_worker.seed_of(Random(f"seed:{case}"))
    return fuzz_worker.needs_torch(name)


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    log = tmp_path / "cases.jsonl"
    first = fuzz.run(log, range(4), "seed", tmp_path, 1, 0)
    log.write_bytes(log.read_bytes()[:-20])  # torn by a kill
    second = fuzz.run(log, range(6), "seed", tmp_path, 1, 0)
    assert sorted(a["case"] for a in second) == [*range(6)]
    outcomes = {a["case"]: a["outcome"] for a in second}
    assert all(outcomes[a["case"]] == a["outcome"] for a in first)
    assert "all" in fuzz.report(second)
