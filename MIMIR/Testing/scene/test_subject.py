"""How a study is named for people, without a scene."""

import pytest

from MIMIRLib.scene.file_stem import MAX_BYTES, file_stem
from MIMIRLib.scene.subject import MAX_TITLE_LENGTH, Subject, readable_name

JANE = Subject("1.2.3", "P1", "Doe^Jane", "2020-02-29", "Whole body")


def test_a_title_tells_patient_date_and_description():
    assert JANE.title == "Doe, Jane, 2020-02-29, Whole body"
    assert JANE.full_title == "Doe, Jane (P1), 2020-02-29, Whole body"


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        (Subject("1.2.3", "P1", "", "2020-02-29", "MRI"), "P1, 2020-02-29, MRI"),
        (Subject("1.2.3", "", "", "2020-02-29", "MRI"), "No name, 2020-02-29, MRI"),
        (Subject("1.2.3", "P1", "Doe", "", "MRI"), "Doe, MRI"),
        (Subject("1.2.3", "P1", "Doe"), "Doe"),
        (Subject("1.2.3"), ""),
        (Subject(), ""),
    ],
)
def test_what_is_missing_is_left_out(subject, title):
    assert subject.title == title


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^Mary^Dr.^MD", "Doe, Jane Mary Dr. MD"),
        ("Doe, Jane", "Doe, Jane"),
        ("Doe^^^^", "Doe"),
        ("^Jane", "Jane"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("כהן^רות", "כהן, רות"),
        ("^^=", ""),
        ("", ""),
    ],
)
def test_a_dicom_name_is_shown_as_people_read_it(name, shown):
    assert readable_name(name) == shown


@pytest.mark.parametrize("length", range(29))
def test_only_the_description_of_a_long_title_is_cut(length):
    name = "D" * (80 + length)
    title = Subject("1.2.3", "P1", name, "2020-02-29", "neck to knee " * 9).title
    assert title.startswith(f"{name}, 2020-02-29")
    assert len(title) <= MAX_TITLE_LENGTH
    assert title.endswith("…") or title == f"{name}, 2020-02-29"


def test_slicers_own_items_have_slicers_own_names():
    assert (JANE.patient_item_name, JANE.study_item_name) == (
        "Doe^Jane (P1)",
        "Whole body (20200229)",
    )
    assert (Subject().patient_item_name, Subject().study_item_name) == (
        "No name",
        "No study description",
    )


@pytest.mark.parametrize(
    ("label", "stem"),
    [
        ("Doe, Jane, 2020-02-29, Whole body", "Doe, Jane, 2020-02-29, Whole body"),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"),
        ("line\nbreak\u202e", "line_break_"),
        ("Doe, J. ", "Doe, J"),
        ("NUL", "_NUL"),
        ("com1.zip", "_com1.zip"),
        ("..", "_"),
        ("", "_"),
        ("כהן, רות", "כהן, רות"),
    ],
)
def test_a_file_is_named_for_the_study_on_every_system(label, stem):
    assert file_stem(label) == stem


@pytest.mark.parametrize("letter", ["x", "ä", "中", "😀"])
def test_a_long_name_of_a_file_fits_on_every_disk(letter):
    stem = file_stem(letter * 300)
    assert MAX_BYTES - 4 < len(stem.encode()) <= MAX_BYTES
    assert set(stem) == {letter}
