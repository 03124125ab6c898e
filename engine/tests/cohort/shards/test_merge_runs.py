"""Merge shards, and compare with one run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import write_studies, write_trial_module

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.outcomes import LEDGER_FILE, read_outcomes
from mimir_engine.cohort.output_files import PROJECTIONS_FOLDER
from mimir_engine.cohort.shards.merge_runs import merged_runs
from mimir_engine.cohort.shards.shard import Shard
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.file_names import distinct_file_name
from mimir_engine.files.folder_lock import folder_lock

pytest.importorskip("onnxruntime", reason="networks run by ONNX Runtime")
NAMES = [f"{1_000_000 + number}_20201_2_0" for number in range(5)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six studies, one of them damaged, measured by one run and by three shards."""
    place = tmp_path_factory.mktemp("cohort")
    write_trial_module(place / "weights" / "trial")
    write_studies(place / "scans", NAMES)
    (place / "scans" / "bad.zip").write_bytes(b"no archive")
    for name, shard in (("one", "1/1"), *((f"s{number}", f"{number}/3") for number in (1, 2, 3))):
        assert measure(place, name, "--shard", shard) in (DONE, SOME_FAILED)
    return place


def measure(place: Path, output: str, *more: str, command: str = "infer") -> int:
    modules = ["--modules", str(place / "weights" / "trial")] if command == "infer" else []
    runtime = ["--runtime", "onnx", "--device", "cpu"] if command == "infer" else []
    folders = [str(place / "scans"), "--output", str(place / output)]
    return main([command, *folders, *modules, *runtime, "--jobs", "1", *more])


def merge(place: Path, folders: Sequence[Path], output: Path, *more: str) -> int:
    modules = ["--modules", str(place / "weights" / "trial")]
    return main(["merge", *map(str, folders), "--output", str(output), *modules, *more])


def shards(place: Path) -> list[Path]:
    return [place / f"s{number}" for number in (1, 2, 3)]


@pytest.fixture
def copies(place: Path, tmp_path: Path) -> list[Path]:
    """Copies of the shards, to be changed."""
    return [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in shards(place)]


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def outcome_name(folder: Path) -> str:
    return read_outcomes(folder).names()[0]


def test_merged_shards_are_what_one_run_writes(place: Path, tmp_path: Path) -> None:
    merged, one = tmp_path / "merged", place / "one"
    assert merge(place, shards(place), merged) == SOME_FAILED
    files = {path.relative_to(one) for path in one.rglob("*") if path.is_file()}
    assert {path.relative_to(merged) for path in merged.rglob("*") if path.is_file()} == files
    for file in files - {Path(LEDGER_FILE), Path("run.json")}:
        assert (merged / file).read_bytes() == (one / file).read_bytes(), file
    texts = [(folder / "run.json").read_text("utf-8") for folder in (merged, one)]
    now, then = map(json.loads, texts)
    assert now.pop("command")[:2] == ["mimir", "merge"]
    then.pop("command")
    assert list(now.items()) == list(then.items())
    entries = [dict(read_outcomes(folder).entries()) for folder in (merged, one)]
    assert entries[0] == entries[1]


def test_shards_describe_the_same_run_and_divide_the_studies(place: Path) -> None:
    ledgers = [(folder / LEDGER_FILE).read_bytes() for folder in (*shards(place), place / "one")]
    assert len({ledger.splitlines()[0] for ledger in ledgers}) == 1
    names = [name for folder in shards(place) for name in read_outcomes(folder).names()]
    assert sorted(names) == sorted([*NAMES, "bad"])
    command = json.loads((place / "s2" / "run.json").read_text("utf-8"))["command"]
    assert command[command.index("--shard") + 1] == "2/3"


def test_a_merged_folder_can_be_gone_on_with(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    shutil.copytree(place, work, copy_function=shutil.copy2)  # other paths, same files
    merge(work, shards(work), work / "merged")
    before = (work / "merged" / "predictions.csv").read_bytes()
    write_studies(work / "scans", ["new"])
    capsys.readouterr()
    assert measure(work, "merged") == SOME_FAILED
    assert "7 studies, 5 of them already done" in capsys.readouterr().err
    assert set(before.splitlines()) < set(
        (work / "merged" / "predictions.csv").read_bytes().splitlines()
    )


def test_parquet_and_other_columns_are_written_as_by_one_run(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    options = ("--parquet", "--columns=published")
    shutil.copytree(place / "one", place / "again")
    measure(place, "again", *options)
    merge(place, shards(place), tmp_path / "merged", *options)
    for name in ("predictions.csv", "predictions.parquet"):
        assert (tmp_path / "merged" / name).read_bytes() == (place / "again" / name).read_bytes()


def test_a_shard_without_studies_writes_empty_tables(place: Path, tmp_path: Path) -> None:
    number = next(n for n in range(1, 101) if not any(map(Shard(n, 100).has, [*NAMES, "bad"])))
    shard = f"--shard={number}/100"
    assert measure(place, str(tmp_path / "empty"), shard) == DONE
    assert len((tmp_path / "empty" / "predictions.csv").read_text("utf-8").splitlines()) == 1
    assert measure(place, str(tmp_path / "direct"), shard, command="measure") == DONE
    assert measure(place, str(tmp_path / "check"), shard, command="check") == DONE
    assert main(["project", str(place / "scans"), "--dataset", str(tmp_path / "d"), shard]) == DONE
    run = json.loads((tmp_path / "empty" / "run.json").read_text("utf-8"))
    assert (run["done"], run["failed"]) == (0, 0)


def test_an_empty_shard_merges_with_the_others(place: Path, tmp_path: Path) -> None:
    folders = []
    for number in (1, 2):
        folders.append(tmp_path / f"d{number}")
        only = tmp_path / "only.txt"
        only.write_text(f"{NAMES[0]}\n")
        options = ("--shard", f"{number}/2", "--only", str(only))
        assert measure(place, str(folders[-1]), *options, command="measure") == DONE
    assert sorted(len(read_outcomes(folder)) for folder in folders) == [0, 1]
    assert main(["merge", *map(str, folders), "--output", str(tmp_path / "merged")]) == DONE
    rows = (tmp_path / "merged" / "measurements.csv").read_text("utf-8").splitlines()
    assert [row.partition(",")[0] for row in rows] == ["name", NAMES[0]]


def test_exclusions_are_matched_before_the_studies_are_divided(place: Path, tmp_path: Path) -> None:
    """An id of another shard is no error."""
    (tmp_path / "out.txt").write_text("".join(f"{name}\n" for name in NAMES))
    options = ("--exclude", str(tmp_path / "out.txt"), "--shard", "1/3")
    assert measure(place, str(tmp_path / "m"), *options, command="measure") in (DONE, SOME_FAILED)


@pytest.mark.parametrize(
    "shard", ["0/3", "4/3", "3", "a/b", "1/", "-1/3", "1/0", "1/10001", "01/3"]
)
def test_other_shards_are_refused_in_one_sentence(
    shard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=str(WRONG_USE)):
        main(["infer", "x", "--output", "y", "--modules", "z", f"--shard={shard}"])
    assert "must be I/N, as 2/10" in refusal(capsys)


def with_run(folder: Path, **changes: Any) -> None:
    """Change what the ledger's first line says."""
    path = folder / LEDGER_FILE
    first, *others = path.read_bytes().splitlines(keepends=True)
    run = json.loads(first)
    del run["crc32"]
    path.write_bytes(encode({**run, **changes}) + b"".join(others))


def with_settings(folder: Path, **changes: Any) -> None:
    """Change what the ledger says of the settings of the last run."""
    outcomes = read_outcomes(folder)
    with Ledger(folder, outcomes.run) as ledger:
        last = ledger.last_run
        assert last is not None
        ledger.begin(last.studies, 0, {**last.settings, **changes})


@pytest.mark.parametrize(
    ("change", "different"),
    [
        ({"modules": []}, "modules"), ({"runtime": "torch"}, "runtime"),
        ({"numpy": "1.0"}, "numpy"), ({"reconstruction": "raw"}, "reconstruction"),
    ],
)  # fmt: skip
def test_results_that_depend_on_something_else_are_refused(
    copies: list[Path], tmp_path: Path, change: dict[str, Any], different: str
) -> None:
    with_run(copies[1], **change)
    expected = rf"RESULTS_DIFFER: '.*s2' was not measured as '.*s1' was \(different {different}\)"
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change", [{"level": 0.9}, {"allow_unvalidated": True}, {"swap_repair": True}]
)
def test_other_options_are_refused(
    copies: list[Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    with_settings(copies[2], **change)
    expected = rf"RESULTS_DIFFER: '.*s3' .* \(different {next(iter(change))}\)"
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass


def test_what_no_number_depends_on_may_differ_and_is_left_out(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    with_settings(copies[2], python="3.9.1", limits={"memory_gb": 9.0})
    modules = [str(place / "weights" / "trial")]
    with merged_runs(copies, tmp_path / "out", modules) as (_, cohort):
        assert {"python", "limits"}.isdisjoint(cohort.run)
        assert cohort.run["level"] == 0.95


def test_another_version_is_refused(copies: list[Path], tmp_path: Path) -> None:
    with_run(copies[0], mimir="0.7.0")
    expected = "RESULTS_DIFFER: .* was measured with MIMIR 0.7.0"
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass


def test_a_module_of_the_same_name_that_is_another_is_refused(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(place / "weights", tmp_path / "weights")
    description = tmp_path / "weights" / "trial" / "module.json"
    record = json.loads(description.read_text("utf-8"))
    description.write_text(json.dumps({**record, "title": "Another"}), "utf-8")
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path / "weights"))
    folders = [*map(str, shards(place))]
    assert main(["merge", *folders, "--output", str(tmp_path / "out")]) == WRONG_USE
    assert "MODULES_OF_RUN: these results were made with another version" in refusal(capsys)
    monkeypatch.setenv("MIMIR_WEIGHTS", str(place / "weights"))
    assert main(["merge", *folders, "--output", str(tmp_path / "out")]) == SOME_FAILED


def test_a_study_that_two_shards_hold_is_named(copies: list[Path], tmp_path: Path) -> None:
    twice = [*copies, Path(shutil.copytree(copies[0], tmp_path / "twice"))]
    name = outcome_name(copies[0])
    expected = rf"NAME_REPEATED: '.*s1' and '.*twice' hold the same studies: '{name}'"
    with pytest.raises(MimirError, match=expected), merged_runs(twice, tmp_path / "out"):
        pass


@pytest.mark.parametrize(
    "change", [{"shard": "9/3"}, {"shard": 7}, {"shard": "1/99999999"}, {"level": "high"}]
)
def test_settings_of_another_form_are_an_error_of_one_line(
    copies: list[Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    with_settings(copies[0], **change)
    with pytest.raises(MimirError, match="LEDGER_DAMAGED"), merged_runs(copies, tmp_path / "out"):
        pass


def test_a_missing_shard_is_named(copies: list[Path], tmp_path: Path) -> None:
    with (
        pytest.raises(MimirError, match="SHARD_MISSING: results of shards are missing: '2/3'"),
        merged_runs([copies[0], copies[2]], tmp_path / "out"),
    ):
        pass


def test_a_shard_that_was_killed_is_unfinished_and_its_studies_are_named(
    copies: list[Path], tmp_path: Path
) -> None:
    run = read_outcomes(copies[1]).run
    with Ledger(copies[1], run) as ledger:
        assert ledger.last_run is not None
        ledger.begin(9, 2, ledger.last_run.settings)
        ledger.start("hit")
    expected = (
        "RUN_UNFINISHED: .*s2' is not finished: 2 of its 9 studies are left, among them 'hit'"
    )
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass


def test_a_shard_that_has_not_begun_is_unfinished(copies: list[Path], tmp_path: Path) -> None:
    path = copies[1] / LEDGER_FILE
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    expected = "RUN_UNFINISHED: .*s2' is not finished: it has not begun"
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass


def test_a_damaged_ledger_is_finished_first(copies: list[Path], tmp_path: Path) -> None:
    path = copies[1] / LEDGER_FILE
    path.write_bytes(path.read_bytes() + b"damaged\n")
    expected = "RUN_UNFINISHED: .* 1 lines of its ledger are damaged"
    with pytest.raises(MimirError, match=expected), merged_runs(copies, tmp_path / "out"):
        pass


def test_a_folder_in_which_a_run_works_is_refused(copies: list[Path], tmp_path: Path) -> None:
    expected = r"OUTPUT_IN_USE: a run of MIMIR is writing to '.*s1'"
    with (
        folder_lock(copies[0]),
        pytest.raises(MimirError, match=expected),
        merged_runs(copies, tmp_path / "out"),
    ):
        pass


def test_only_an_empty_output_is_written_to(
    place: Path, copies: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    for taken in (output, output / "notes.txt", copies[0]):
        assert merge(place, copies, taken) == WRONG_USE
        assert "OUTPUT_IN_USE" in refusal(capsys)
    (output / "notes.txt").unlink()
    assert merge(place, copies, output) == SOME_FAILED


def test_folders_without_measurements_are_refused(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    measure(place, str(tmp_path / "check"), command="check")
    for other in (tmp_path / "gone", tmp_path / "check"):
        with (
            pytest.raises(MimirError, match="RESULTS_MISSING"),
            merged_runs([*copies, other], tmp_path / "out"),
        ):
            pass
    assert not (tmp_path / "gone").exists()


def test_a_folder_given_twice_is_refused(copies: list[Path], tmp_path: Path) -> None:
    again = copies[0] / ".." / copies[0].name
    with (
        pytest.raises(MimirError, match="WRONG_USE"),
        merged_runs([*copies, again], tmp_path / "o"),
    ):
        pass


def test_a_merge_that_fails_leaves_nothing(place: Path, copies: list[Path], tmp_path: Path) -> None:
    modules = [str(place / "weights" / "trial")]

    class Ended(Exception):
        pass

    with pytest.raises(Ended), merged_runs(copies, tmp_path / "out", modules):
        raise Ended
    assert not (tmp_path / "out").exists()


def test_projections_of_measured_studies_are_there_and_no_others(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    done = [name for folder in copies for name, _ in read_outcomes(folder).done()]
    for folder in copies:
        shutil.rmtree(folder / PROJECTIONS_FOLDER, ignore_errors=True)
        (folder / PROJECTIONS_FOLDER).mkdir()
        (folder / PROJECTIONS_FOLDER / "notes.png").write_text("mine")
        for name in read_outcomes(folder).names():
            picture = folder / PROJECTIONS_FOLDER / f"{distinct_file_name(name)}.png"
            picture.write_text(name)
    merge(place, copies, tmp_path / "out")
    found = {
        path.name: path.read_text() for path in (tmp_path / "out" / PROJECTIONS_FOLDER).iterdir()
    }
    names = [*done, "bad"]
    assert found == {f"{distinct_file_name(name)}.png": name for name in names}


def test_a_picture_that_is_a_link_is_not_taken(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = copies[0] / PROJECTIONS_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / f"{distinct_file_name(outcome_name(copies[0]))}.png").symlink_to(tmp_path / "secret")
    merge(place, copies, tmp_path / "out")
    pictures = (tmp_path / "out" / PROJECTIONS_FOLDER).iterdir()
    assert all(path.read_bytes() != b"secret" for path in pictures)


def test_excluded_studies_stay_out_and_tables_of_them_are_joined(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    name = outcome_name(copies[0])
    rows = [(name, "in the list of --exclude"), ("other", "not in the list of --only")]
    for folder in copies:
        write_csv(folder / "excluded.csv", ("name", "reason"), rows)
    run = read_outcomes(copies[0])
    with Ledger(copies[0], run.run) as ledger:
        assert run.last_run is not None
        ledger.pass_over([name])
        ledger.begin(len(run) - 1, 0, run.last_run.settings)
    merge(place, copies, tmp_path / "out")
    assert name not in read_outcomes(tmp_path / "out").names()
    for file in ("predictions.csv", "failures.csv", LEDGER_FILE):
        assert name.encode() not in (tmp_path / "out" / file).read_bytes()
    joined = (tmp_path / "out" / "excluded.csv").read_bytes()
    assert joined == (copies[0] / "excluded.csv").read_bytes()


def test_numbers_of_forgotten_studies_add_up(
    place: Path, copies: list[Path], tmp_path: Path
) -> None:
    forgotten, excluded = "removed by mimir forget", "in the list of --exclude"
    write_csv(copies[0] / "excluded.csv", ("reason", "studies"), [(forgotten, 2), (excluded, 3)])
    write_csv(copies[1] / "excluded.csv", ("reason", "studies"), [(forgotten, 1), (excluded, 3)])
    write_csv(copies[2] / "excluded.csv", ("name", "reason"), [("a", excluded)])
    merge(place, copies, tmp_path / "out")
    joined = (tmp_path / "out" / "excluded.csv").read_text("utf-8").splitlines()
    assert joined == ["reason,studies", f"{excluded},3", f"{forgotten},3"]


def test_direct_measurements_have_no_published_columns(place: Path, tmp_path: Path) -> None:
    measure(place, str(tmp_path / "measured"), command="measure")
    merge = ["merge", str(tmp_path / "measured"), "--output", str(tmp_path / "out")]
    assert main([*merge, "--columns=published"]) == WRONG_USE
    assert not (tmp_path / "out").exists()


def test_anonymous_names_are_divided_by_their_numbers(place: Path, tmp_path: Path) -> None:
    options = ("--anonymous-names", "--key", str(tmp_path / "key.csv"))
    for number in (1, 2):
        output = str(tmp_path / f"m{number}")
        measure(place, output, *options, "--shard", f"{number}/2", command="measure")
    folders = [str(tmp_path / f"m{number}") for number in (1, 2)]
    assert main(["merge", *folders, "--output", str(tmp_path / "out")]) == SOME_FAILED
    expected = [f"study_{number:04d}" for number in range(1, 7)]
    assert read_outcomes(tmp_path / "out").names() == expected
