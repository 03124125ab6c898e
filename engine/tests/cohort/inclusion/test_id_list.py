"""Lists of ids in the forms in which people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort.images.image_folder import StudyId, study_id
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv

STUDIES = tuple(
    map(
        study_id,
        (
            "1000001_20201_2_0",
            "1000001_20201_3_0",
            "1000002_20201_2_0",
            "KI-001_v1",
            "KI-001_v2",
            "scan; of 2024, second",
            "visit1/1000003_20201_2_0",
        ),
    )
)
NAMES = tuple(study.name for study in STUDIES)
FIRST, FIRST_AGAIN, SECOND, KI, KI_AGAIN, ODD, BELOW = NAMES


def left_out(path: Path, studies: tuple[StudyId, ...] = STUDIES, **options: bool) -> set[str]:
    ids = [study.ids for study in studies]
    excluded = StudyChoice(exclude=path, **options).apply(ids).excluded(ids)
    return {study.name for study, out in zip(studies, excluded) if out}


@pytest.mark.parametrize(
    "line",
    [
        "1000001",
        "1000001,",
        '"1000001"',
        "'1000001'",
        "1000001.0",
        "1000001,00",
        "1000001;2026-01-05",
        "1000001, 05/01/2026, asked by e-mail",
        "1000001\t2026-01-05",
        "1000001 2026-01-05",
        "  1000001  # withdrew",
        "1000001,# withdrew",
        "eid\n1000001",
        "f.eid;date\n1000001;2026-01-05",
        '"date","Participant ID"\n"2026-01-05","1000001"',
        ",eid\n0,1000001.0",
        "# of January\n\n1000001\n",
        "Withdrawn\n1000001",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_participant_is_found_however_the_list_is_written(
    line: str, encoding: str, end: str, tmp_path: Path
) -> None:
    (tmp_path / "gone.csv").write_bytes(line.replace("\n", end).encode(encoding))
    assert left_out(tmp_path / "gone.csv") == {FIRST, FIRST_AGAIN}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("1000001_3", {FIRST_AGAIN}),
        ("1000001 20201_3_0", {FIRST_AGAIN}),
        ("1000001_20201_2_0.zip", {FIRST}),
        ("/data/raw/1000001_20201_2_0.zip", {FIRST}),
        ("C:\\data\\KI-001_v1.tar.gz", {KI}),
        ("scan; of 2024, second", {ODD}),
        ('"scan; of 2024, second"', {ODD}),
        ("1000003", {BELOW}),
        ("1000003_20201_2_0", {BELOW}),
        ("visit1/1000003_20201_2_0", {BELOW}),
        ("study,person\nKI-001_v2,KI-001", {KI_AGAIN}),
    ],
)
def test_a_visit_or_a_name_leaves_out_that_study_alone(
    line: str, names: set[str], tmp_path: Path
) -> None:
    (tmp_path / "gone.csv").write_text(line + "\n", "utf-8")
    assert left_out(tmp_path / "gone.csv") == names


def test_a_person_is_known_by_a_pattern_of_names(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("KI-001\n", "utf-8")
    with pytest.raises(MimirError, match=r"ID_UNMATCHED: .*0 of 1 ids; line 1 .*--person-pattern"):
        left_out(tmp_path / "gone.txt")
    studies, _ = PersonRule(r"^(KI.+)_v\d+$").assign(STUDIES, required=False)
    assert left_out(tmp_path / "gone.txt", studies) == {KI, KI_AGAIN}


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("1000001\n1000009\n", "line 2"),
        ("1.000001E+06\n", "line 1"),
        ("100000\n", "line 1"),
        ("1000001_4\n", "line 1"),
        ("eid\n1000001\nKI-01\n", "line 3"),
        ("Anna\n", "line 1"),
    ],
)
def test_an_id_that_no_study_has_is_an_error_that_does_not_show_it(
    lines: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "gone.txt").write_text(lines, "utf-8")
    with pytest.raises(MimirError, match="ID_UNMATCHED") as caught:
        left_out(tmp_path / "gone.txt")
    assert place in str(caught.value)
    assert not any(text in str(caught.value) for text in lines.split()[-1:])
    left_out(tmp_path / "gone.txt", allow_unmatched=True)


@pytest.mark.parametrize(
    "content",
    [
        b"1000001,1000002\n",
        b"1000001 1000009\n",
        b"KI-001_v1;KI-001_v2\n",
        "1000001".encode("utf-16-le"),
        b"PK\x03\x04\x00\x00",
        "Müller".encode("latin-1"),
    ],
)
def test_a_list_that_may_be_misread_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_bytes(content)
    with pytest.raises(MimirError, match="EXCLUSIONS_UNREADABLE"):
        left_out(tmp_path / "gone.txt")
    with pytest.raises(MimirError, match="EXCLUSIONS_UNREADABLE"):
        left_out(tmp_path / "absent.txt")


def test_the_record_has_numbers_and_no_ids(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("1000001\n1000001_20201_2_0\nKI-009\n", "utf-8")
    (tmp_path / "asked.csv").write_text("study\nKI-001_v1\n1000001\n1000002\n", "utf-8")
    ids = [study.ids for study in STUDIES]
    choice = StudyChoice(tmp_path / "gone.txt", tmp_path / "asked.csv", allow_unmatched=True)
    chosen = choice.apply(ids)
    assert chosen.record == {
        "exclude": {"ids": 3, "matched": 2, "studies_left_out": 2},
        "only": {"ids": 3, "matched": 3, "studies_left_out": 3},
    }
    assert [n for n, used in zip(NAMES, chosen.used(ids)) if used] == [SECOND, KI]
    assert chosen.sentences[0] == "--exclude: matched 2 of 3 ids; studies left out: 2"


def test_a_study_called_like_a_column_is_an_id(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("study\n", "utf-8")
    assert left_out(tmp_path / "gone.txt", (StudyId("study"), StudyId("other"))) == {"study"}


def test_accents_match_however_the_system_spells_them(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("Zu\u0308rich_1\n", "utf-8")
    assert left_out(tmp_path / "gone.txt", (StudyId("Z\u00fcrich_1"),)) == {"Z\u00fcrich_1"}


MARKS = "study,mark,comment\n{0},bad,a coil # 3\n{1},good,\n{2},look again,\n{3},,a remark\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_studies_marked_bad_are_excluded_and_others_are_not(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "marks.csv"
    text = MARKS.format(FIRST, SECOND, KI, KI_AGAIN).replace(",", separator)
    path.write_text(text, "utf-8-sig")
    assert left_out(path) == {FIRST}


def test_only_a_file_of_marks_means_the_studies_marked_good(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(MARKS.format(FIRST, SECOND, KI, KI_AGAIN), "utf-8")
    ids = [study.ids for study in STUDIES]
    used = StudyChoice(only=path).apply(ids).used(ids)
    assert {study.name for study, is_used in zip(STUDIES, used) if is_used} == {SECOND}


def test_marks_without_a_bad_one_exclude_nobody(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(f"study,mark,comment\n{FIRST},good,\n", "utf-8")
    assert left_out(path) == set()


def test_a_mark_finds_a_study_whose_name_needs_quotes_or_looks_like_a_formula_or_comment(
    tmp_path: Path,
) -> None:
    names = ('=1+1 "x", y', '"quoted"', "'=1", " blanks ", "#7; z", "two\nlines", ODD)
    rows = [(name, "bad", 'says "no",\nthen more') for name in names]
    write_csv(tmp_path / "marks.csv", ("study", "mark", "comment"), rows)
    studies = tuple(map(study_id, (*names, FIRST)))
    assert left_out(tmp_path / "marks.csv", studies) == set(names)


def test_a_marked_study_that_is_not_there_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(f"study,mark,comment\n{FIRST},good,\nsomebody else,bad,\n", "utf-8")
    with pytest.raises(MimirError, match="line 3 names no study"):
        left_out(path)
