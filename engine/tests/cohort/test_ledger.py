from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mimir_engine.cohort import ledger_lines
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.outcomes import LEDGER_FILE, Begun, Outcomes, read_outcomes
from mimir_engine.errors import MimirError

RUN = {"mimir": "0.1.0", "modules": [{"name": "trial", "sha256": "0" * 64}]}


def filled(folder: Path, *names: str) -> Path:
    """A folder whose ledger knows these studies; returns the ledger's file."""
    with Ledger(folder, RUN) as ledger:
        for value, name in enumerate(names):
            ledger.add(name, {"value": value})
    return folder / LEDGER_FILE


def known(folder: Path) -> dict[str, int]:
    with Ledger(folder, RUN) as ledger:
        return {name: entry["value"] for name, entry in ledger.entries()}


def test_entries_are_known_to_the_next_run_sorted_by_name(tmp_path: Path) -> None:
    filled(tmp_path / "new" / "folder", "b", "a", "c")
    assert list(known(tmp_path / "new" / "folder").items()) == [("a", 1), ("b", 0), ("c", 2)]


def test_the_last_entry_of_a_study_counts(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b", "a")
    assert known(tmp_path) == {"a": 2, "b": 1}
    with Ledger(tmp_path, RUN) as ledger:
        assert len(ledger) == 2


@pytest.mark.parametrize("incomplete", [b'{"name": "c", "va', b"\0\0\0\0", b"\xff\xfe"])
def test_an_incomplete_last_line_is_overwritten(tmp_path: Path, incomplete: bytes) -> None:
    path = filled(tmp_path, "a", "b")
    complete = path.read_bytes()
    path.write_bytes(complete + incomplete)
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("d", {"value": 7})
    assert known(tmp_path) == {"a": 0, "b": 1, "d": 7}
    assert path.read_bytes().startswith(complete + b'{"name": "d"')


def test_an_incomplete_first_line_starts_a_new_ledger(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:20])
    assert known(tmp_path) == {}
    assert path.read_bytes() == encode(RUN)


def test_another_run_is_refused_with_the_differences(tmp_path: Path) -> None:
    filled(tmp_path, "a")
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE: .* \(different modules\)"):
        Ledger(tmp_path, {**RUN, "modules": []})
    with pytest.raises(MimirError, match=r"\(different mimir, torch\)"):
        Ledger(tmp_path, {**RUN, "mimir": "9", "torch": "1"})
    assert known(tmp_path) == {"a": 0}, "a refused run changes nothing"


def test_results_of_another_version_are_refused_with_the_version_that_continues_them(
    tmp_path: Path,
) -> None:
    now = {**RUN, "mimir": "0.8.0"}
    with Ledger(tmp_path, {**now, "mimir": "0.7.0", "runtime": "onnx"}) as ledger:
        ledger.add("a", {"value": 0})
    with pytest.raises(
        MimirError,
        match=r"OUTPUT_IN_USE: .* \(different mimir, runtime\)\. To continue it, use version"
        r" 0\.7\.0 \(pip install mimir-engine==0\.7\.0\)\. Choose another folder",
    ):
        Ledger(tmp_path, {**now, "runtime": "torch"})


def test_another_runtime_is_refused_with_the_options_that_continue_the_run(tmp_path: Path) -> None:
    begun = {**RUN, "runtime": "torch", "torch": "2.9", "device": "cuda"}
    now = {**RUN, "runtime": "onnx", "onnxruntime": "1.22", "device": "cpu"}
    with Ledger(tmp_path, begun):
        pass
    with pytest.raises(MimirError, match=r"To continue it, use --runtime torch --device cuda\. "):
        Ledger(tmp_path, now)
    with pytest.raises(MimirError) as caught:
        Ledger(tmp_path, {**now, "mimir": "9"})
    assert "--runtime" not in str(caught.value), "this version would not continue it"


def test_overwriting_starts_again_and_removes_old_results(tmp_path: Path) -> None:
    filled(tmp_path, "a")
    (tmp_path / "predictions.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / "gallery" / "thumbnails").mkdir(parents=True)
    (tmp_path / "gallery" / "index.html").write_text("numbers that are overwritten")
    with Ledger(tmp_path, {"mimir": "9"}, overwrite=True) as ledger:
        assert len(ledger) == 0
    assert not (tmp_path / "predictions.csv").exists()
    assert not (tmp_path / "gallery").exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_called_as_that_of_the_page_is_kept_if_it_holds_other_files(
    tmp_path: Path,
) -> None:
    filled(tmp_path, "a")
    (tmp_path / "gallery").mkdir()
    for name in ("index.html", "drawing.svg"):
        (tmp_path / "gallery" / name).write_text("somebody's")
    with Ledger(tmp_path, {"mimir": "9"}, overwrite=True):
        pass
    assert len(list((tmp_path / "gallery").iterdir())) == 2


def test_results_without_a_ledger_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("somebody's")
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE: .* holds a predictions\.csv"):
        Ledger(tmp_path, RUN)
    assert (tmp_path / "predictions.csv").read_text() == "somebody's"


def damage(path: Path, number: int, line: bytes) -> None:
    """Replace a line; 1 is the first."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = line
    path.write_bytes(b"".join(lines))


def without_checksums(path: Path) -> None:
    """Make a ledger what earlier versions wrote."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        del line["crc32"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.mark.parametrize(
    "line",
    [
        b"{]\n", b"[]\n", b"7\n", b"\n", b"{}\n", b'{"value": 1}\n', b"[" * 99_999 + b"\n",
        bytes(4096), bytes(4096) + b"\n", bytes(range(128, 256)) + b"\n", b"x" * 200_000 + b"\n",
        b'{"name": "b", "value": 1}\n', encode({"name": ["b"]}), encode({"value": 1}),
        encode({"name": "b", "code": 7}), encode({"name": "b", "begun": 1}),
        encode({"damaged_lines": "many"}), encode({"name": "b"})[:-1] + b" \n",
    ],
)  # fmt: skip
def test_a_damaged_line_does_not_count_and_is_reported_once(
    tmp_path: Path, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_lines, "MAX_LINE", 100_000)
    path = filled(tmp_path, "a", "b", "c", "d")
    damage(path, 3, line)
    with Ledger(tmp_path, RUN) as ledger:
        assert ledger.damaged_lines == 1
        ledger.add("b", {"value": 1})
    with Ledger(tmp_path, RUN) as ledger:
        assert ledger.damaged_lines == 0
    expected = {"a": 0, "b": 1, "c": 2, "d": 3}
    if not line.endswith(b"\n"):
        del expected["c"]  # the same line
    assert known(tmp_path) == expected


def test_no_changed_byte_changes_an_entry(tmp_path: Path) -> None:
    path = filled(tmp_path, "a", "b", "c")
    content = path.read_bytes()
    begin, end = (content.index(b'{"name": "%s"' % name) for name in (b"b", b"c"))
    for place in range(begin, end):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert known(tmp_path) in ({"a": 0, "c": 2}, {"a": 0}), place  # a lost line feed: two lines


def test_a_line_of_a_gigabyte_does_not_fill_the_memory(
    tmp_path: Path,
) -> None:
    resource = pytest.importorskip("resource")
    path = filled(tmp_path, "a")
    with path.open("r+b") as file:
        file.seek(1 << 30, 2)
        file.write(encode({"name": "b", "value": 1}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert known(tmp_path) == {"a": 0}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    "line", [b"{]\n", bytes(4096), bytes(80) + b"\n", encode({"name": "a", "value": 9})]
)
def test_a_damaged_description_of_the_run_is_a_sentence_and_loses_nothing(
    tmp_path: Path, line: bytes
) -> None:
    path = filled(tmp_path, "a", "b")
    damage(path, 1, line)
    before = path.read_bytes()
    with pytest.raises(MimirError, match=r"LEDGER_DAMAGED: .* first line.* is damaged\. Restore"):
        Ledger(tmp_path, RUN)
    assert path.read_bytes() == before
    with Ledger(tmp_path, RUN, overwrite=True) as ledger:
        assert len(ledger) == 0


def test_no_changed_byte_of_the_first_line_lets_another_run_in(tmp_path: Path) -> None:
    path = filled(tmp_path, "a")
    content = path.read_bytes()
    for place in range(len(encode(RUN))):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        path.write_bytes(changed)
        with pytest.raises(MimirError, match=r"LEDGER_DAMAGED|OUTPUT_IN_USE"):
            Ledger(tmp_path, RUN)
        assert path.read_bytes() == changed


def test_a_file_of_zeros_is_not_started_again_silently(tmp_path: Path) -> None:
    path = filled(tmp_path, "a")
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(MimirError, match="LEDGER_DAMAGED"):
        Ledger(tmp_path, RUN)


def test_entries_of_another_form_are_damaged(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b")
    for check in (lambda e: e["missing"], lambda e: e["value"] < 1, lambda e: e["value"]["x"]):
        with Ledger(tmp_path, RUN, is_valid=check) as ledger:
            assert "b" not in dict(ledger.entries())


def test_lines_of_earlier_versions_count_until_the_first_line_has_a_checksum(
    tmp_path: Path,
) -> None:
    path = filled(tmp_path, "a", "b")
    without_checksums(path)
    assert b"crc32" not in path.read_bytes()
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("b", {"value": 7})
    assert known(tmp_path) == {"a": 0, "b": 7}
    damage(path, 4, path.read_bytes().splitlines(keepends=True)[3].replace(b"7", b"8"))
    assert known(tmp_path) == {"a": 0, "b": 1}, "a new line in an old file is checked"
    old = path.read_bytes().splitlines(keepends=True)
    damage(filled(tmp_path / "new", "a", "b"), 2, old[1])
    assert known(tmp_path / "new") == {"b": 1}


def test_a_study_that_was_begun_and_never_ended_is_known_to_the_next_run(tmp_path: Path) -> None:
    with Ledger(tmp_path, RUN) as ledger:
        for name in ("done", "failed", "killed", "again"):
            ledger.start(name)
        ledger.add("done", {"value": 1})
        ledger.add("failed", {"code": "NOT_A_ZIP", "reason": "no", "limits": [1]})
        ledger.start("again", alone=True)
        assert ledger.begun().keys() == {"killed", "again"}
    with Ledger(tmp_path, RUN) as ledger:
        assert ledger.begun() == {"killed": Begun(1, 0), "again": Begun(2, 1)}
        assert [name for name, _ in ledger.entries()] == ["done", "failed"]
        assert len(ledger) == 2
        ledger.add("again", {"value": 1})
        ledger.start("done")
        assert ledger.begun() == {"killed": Begun(1, 0), "done": Begun(1, 0)}
        assert ledger.entry("done") == {"name": "done", "value": 1}, "its earlier outcome stays"
    with Ledger(tmp_path, RUN) as ledger:
        assert ledger.begun() == {"killed": Begun(1, 0), "done": Begun(1, 0)}


def test_the_entry_of_one_study_is_read_by_its_name(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b", "a")
    with Ledger(tmp_path, RUN) as ledger:
        assert ledger.entry("a") == {"name": "a", "value": 2}
        assert ledger.entry("c") is None


def test_a_ledger_that_is_changed_during_the_run_gives_no_other_numbers(tmp_path: Path) -> None:
    path = filled(tmp_path, "a", "b")
    with Ledger(tmp_path, RUN) as ledger:
        damage(path, 2, path.read_bytes().splitlines(keepends=True)[1].replace(b"0", b"1", 1))
        with pytest.raises(MimirError, match="LEDGER_DAMAGED"):
            dict(ledger.entries())


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
def test_a_ledger_that_is_removed_during_the_run_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = filled(tmp_path, "a")
    with Ledger(tmp_path, RUN) as ledger:
        path.unlink()
        with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
            ledger.entry("a")


def test_a_ledger_that_is_no_regular_file_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    other.write_text("not ours")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / LEDGER_FILE).symlink_to(other)
    (tmp_path / "b" / LEDGER_FILE).mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / LEDGER_FILE).symlink_to("/dev/null")
    for name in "abc":
        for overwrite in (False, True):
            with pytest.raises(MimirError, match=r"OUTPUT_UNWRITABLE: .* not a file"):
                Ledger(tmp_path / name, RUN, overwrite)
    assert other.read_text() == "not ours"


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with Ledger(tmp_path, RUN) as first:
        first.add("a", {"value": 1})
        for overwrite in (False, True):
            with pytest.raises(MimirError, match="OUTPUT_IN_USE: another run of MIMIR is writing"):
                Ledger(tmp_path, RUN, overwrite)
    assert known(tmp_path) == {"a": 1}


def test_a_folder_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        Ledger(tmp_path / "file" / "out", RUN)


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """No file of this process may grow beyond that size: a full disk, as the system reports it."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_of_one_line_and_the_run_can_be_resumed(
    tmp_path: Path,
) -> None:
    room = filled(tmp_path, "a").stat().st_size + 30
    refused = pytest.raises(MimirError, match="OUTPUT_UNWRITABLE")
    with Ledger(tmp_path, RUN) as ledger, little_room(room), refused:
        ledger.add("b", {"value": 1, "text": "x" * 100})
    assert (tmp_path / LEDGER_FILE).stat().st_size == room, "a part of the entry was written"
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("c", {"value": 2})
    assert known(tmp_path) == {"a": 0, "c": 2}


def test_a_disk_that_is_full_at_once_is_an_error_of_one_line(tmp_path: Path) -> None:
    with little_room(0), pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        Ledger(tmp_path, RUN)


def test_any_name_is_read_back_unchanged(tmp_path: Path) -> None:
    names = ["Zoë 頭", "a\nb", "\udcff", '"', "../../etc/passwd", sys.executable]
    path = filled(tmp_path, *names)
    assert path.read_bytes().isascii()
    assert list(known(tmp_path)) == sorted(names)


def test_outcomes_are_read_while_a_run_writes(tmp_path: Path) -> None:
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("a", {"value": 1})
        ledger.start("b")
        outcomes = read_outcomes(tmp_path)
    assert outcomes.run == RUN
    assert outcomes.names() == ["a"]
    assert set(outcomes.begun()) == {"b"}


def test_a_folder_without_a_ledger_has_no_results(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="RESULTS_MISSING"):
        read_outcomes(tmp_path)


def measured(folder: Path, **body: object) -> None:
    with Ledger(folder, RUN) as ledger:
        ledger.add("a", {"body": body, "flags": ["A"]})


def test_what_was_measured_is_parsed_when_it_is_asked_for(tmp_path: Path) -> None:
    measured(tmp_path, value=1, text='}, "body": {"name": "b"', inner={"body": {"x": 1}})
    outcomes = read_outcomes(tmp_path, lambda entry: entry["value"] == 1)
    ((name, head),) = outcomes.heads(["a", "b"])
    assert (name, head["flags"], head["body"]) == ("a", ["A"], {})
    entry = outcomes.entry("a") or {}
    assert (entry["value"], entry["flags"], entry["inner"]) == (1, ["A"], {"body": {"x": 1}})


def test_a_measured_value_of_another_form_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    measured(tmp_path, value=2)
    outcomes = read_outcomes(tmp_path, lambda entry: entry["value"] == 1)
    assert outcomes.names() == ["a"]
    with pytest.raises(MimirError, match=r"LEDGER_DAMAGED: .* the line of the study 'a' is not"):
        outcomes.entry("a")


def test_no_changed_byte_changes_a_body(tmp_path: Path) -> None:
    measured(tmp_path, value=12)
    path = tmp_path / LEDGER_FILE
    content = path.read_bytes()
    for place in range(content.index(b'{"name": "a"'), len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with Ledger(tmp_path, RUN) as ledger:
            assert ledger.names() == [], place


def test_the_ledger_knows_how_much_the_last_run_had_to_do(tmp_path: Path) -> None:
    assert read_outcomes(filled(tmp_path, "old").parent).last_run is None
    with Ledger(tmp_path, RUN) as ledger:
        ledger.begin(4, 3)
        ledger.add("a", {"value": 1})
        ledger.add("b", {"code": "NOT_A_ZIP", "reason": "no"})
        last = read_outcomes(tmp_path).last_run
    assert last is not None
    assert (last.studies, last.to_do, len(last.times), last.left) == (4, 3, 2, 1)
    assert last.began <= last.times[0] <= last.times[1]
    assert read_outcomes(tmp_path).codes() == {"NOT_A_ZIP": 1}


def test_a_run_with_nothing_to_do_is_noted_only_if_its_studies_are_others(tmp_path: Path) -> None:
    with Ledger(tmp_path, RUN) as ledger:
        ledger.begin(1, 1)
        ledger.add("a", {"value": 1})
        before = (tmp_path / LEDGER_FILE).read_bytes()
        ledger.begin(1, 0)
        assert (tmp_path / LEDGER_FILE).read_bytes() == before
        ledger.begin(2, 0)
        assert ledger.last_run is not None
        assert (ledger.last_run.studies, ledger.last_run.left) == (2, 0)


def test_readers_pass_over_what_the_last_run_excluded_until_a_run_has_it_again(
    tmp_path: Path,
) -> None:
    for excluded, left in (["a", "c"], ["b"]), ([], ["a", "b"]):
        with Ledger(tmp_path, RUN) as ledger:
            if len(ledger) == 0:
                ledger.add("a", {"value": 1})
                ledger.add("b", {"code": "NOT_A_ZIP", "reason": "no"})
            ledger.pass_over(excluded)
            ledger.begin(len(left), 0)
        outcomes = read_outcomes(tmp_path)
        assert outcomes.names() == left
        assert outcomes.excluded == tuple(set(excluded) & {"a", "b"})
        assert Outcomes(tmp_path).names() == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    [
        {"run": {"began": 1, "studies": 2, "to_do": 1}}, {"run": 7},
        {"run": {"began": 1, "studies": 2, "to_do": -1, "settings": {}}},
        {"run": {"began": 1, "studies": 2, "to_do": "3", "settings": {}}},
        {"run": {"began": 1, "studies": 2, "to_do": 1, "settings": []}},
        {"run": {"began": 1, "studies": 2, "to_do": 1, "settings": {}, "more": 1}},
        {"run": {"began": 1, "studies": 2, "to_do": 1, "settings": {}, "excluded": [1]}},
        {"run": {"began": 1, "studies": 2, "to_do": 1, "excluded": []}},
        {"name": "b", "value": 1, "time": "noon"},
    ],
)  # fmt: skip
def test_a_line_about_a_run_of_another_form_is_damaged(tmp_path: Path, line: object) -> None:
    path = filled(tmp_path, "a")
    path.write_bytes(path.read_bytes() + encode(line))  # type: ignore[arg-type]
    outcomes = read_outcomes(tmp_path)
    assert (outcomes.damaged_lines, outcomes.last_run, outcomes.names()) == (1, None, ["a"])
