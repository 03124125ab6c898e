"""A table names the studies whose volumes were stitched before."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort import volume_list
from mimir_engine.cohort.volume_list import read_volume_list
from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_pair import VolumePair


def written(folder: Path, text: str) -> Path:
    path = folder / "studies.csv"
    path.write_bytes(text.encode())
    return path


def test_each_row_is_a_study_and_its_paths_begin_at_the_table(tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / "b_fat.nii"
    table = written(
        tmp_path,
        "fat,labels,name,site,water,in_phase\r\n"
        "in/a_fat.nii,,a,Berlin,in/a_water.nii,\r\n"
        f"{elsewhere},organs.nrrd,b,,b_water.nii,b_in.nii\r\n",
    )
    first, second = read_volume_list(table)
    assert (first.name, second.name) == ("a", "b")
    assert first.source == VolumePair(tmp_path / "in" / "a_water.nii", tmp_path / "in/a_fat.nii")
    assert second.source == VolumePair(tmp_path / "b_water.nii", elsewhere, tmp_path / "b_in.nii")
    assert (first.labels, second.labels) == (None, tmp_path / "organs.nrrd")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "SOURCES_INVALID: 'studies.csv' is empty"),
        ("name,water\na,b\n", "SOURCES_INVALID: 'studies.csv' has no column 'fat'"),
        ("name,water,fat\n", "NO_STUDIES"),
        ("name,water,fat\na,w,f\n,w,f\n", "SOURCES_INVALID: .*line 3, column 'name': is empty"),
        ("name,water,fat\na,w,\n", "SOURCES_INVALID: .*line 2, column 'fat': is empty"),
        ("name,water,fat\na,w\n", "SOURCES_INVALID: .*line 2"),
        ("name,water,fat\na,w,f\na,x,y\n", "NAME_REPEATED: 2 studies are called 'a'"),
        ("name,water,fat\na,w\0,f\n", "SOURCES_INVALID: .*line 2"),
    ],
)
def test_a_table_that_names_no_studies_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=reason):
        read_volume_list(written(tmp_path, text))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=r"SOURCES_INVALID: 'none.csv' cannot be read"):
        read_volume_list(tmp_path / "none.csv")


def test_very_many_studies_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_list, "MAX_STUDIES", 2)
    rows = "".join(f"s{n},w{n}.nii,f{n}.nii\n" for n in range(3))
    with pytest.raises(MimirError, match=r"SOURCES_INVALID: .* more than 2 studies"):
        read_volume_list(written(tmp_path, f"name,water,fat\n{rows}"))


def test_a_hundred_thousand_studies_are_listed(tmp_path: Path) -> None:
    rows = "".join(f"s{n},{n}/w.nii.gz,{n}/f.nii.gz\n" for n in range(100_000))
    studies = read_volume_list(written(tmp_path, f"name,water,fat\n{rows}"))
    assert len(studies) == 100_000
    assert studies[-1].source == VolumePair(
        tmp_path / "99999" / "w.nii.gz", tmp_path / "99999" / "f.nii.gz"
    )


def test_a_name_is_text_that_a_terminal_may_show(tmp_path: Path) -> None:
    (study,) = read_volume_list(written(tmp_path, "name,water,fat\na\x1b[2J,w,f\n"))
    assert study.name == "a_[2J"
