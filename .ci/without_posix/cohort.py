"""Measure studies with awkward names; end the run once, go on, and look at the results."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINE = [sys.executable, "-m", "mimir_engine"]
#: Names that collide where case is ignored, one with characters beyond code page 1252, and devices
#: of Windows.
NAMES = ("Anna", "anna", "Žofie 頭", "1000001_20201_2_0", "with space (1)", "CON", "aux.scan")


def main() -> None:
    """Measure them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, count = Path(scratch), str(len(NAMES))
        subprocess.run(
            [*ENGINE, "phantom", "--output", str(folder / "made"), "--count", count, "--light"],
            check=True,
        )
        made = sorted((folder / "made").glob("*.zip"))
        assert len(made) == len(NAMES), made
        sources = folder / "sources.jsonl"
        lines = [json.dumps({"name": n, "path": str(p)}) for n, p in zip(NAMES, made)]
        sources.write_bytes("\r\n".join([*lines, ""]).encode())
        command = [
            *(*ENGINE, "infer", "--sources", str(sources), "--modules", "phantom", "--jobs", "1"),
            *("--output", str(folder / "out"), "--details", str(folder / "details")),
            *("--no-volumes", "--events"),
        ]
        _end_after_first_study(command)
        resumed = subprocess.run(command, check=True, capture_output=True).stdout
        _check(folder, resumed)
    sys.stdout.write("All studies are measured; the second run went on where the first ended.\n")


def _end_after_first_study(command: list[str]) -> None:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] in ("study", "done", "measured"):
                process.kill()
                return
    raise AssertionError("no study was measured")


def _check(folder: Path, resumed: bytes) -> None:
    with open(folder / "out" / "predictions.csv", encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert sorted(names) == sorted(NAMES), names
    files = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    assert len({file.casefold() for file in files}) == len(files), "names differ only in case"
    assert not [file for file in files if ".part" in file or file.endswith(".lock")], files
    run = (folder / "out" / "run.json").read_text("utf-8")
    assert "\\\\" not in run, "separators of the system are stored"
    limits = json.loads(run)["limits"]
    assert limits["memory_gb"] is None, "a limit is claimed that this system lacks"
    (begun,) = (event for event in map(json.loads, resumed.splitlines()) if event["event"] == "run")
    assert begun["already_done"] > 0, "the second run began again"


if __name__ == "__main__":
    main()
